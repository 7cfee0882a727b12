"""Files that real TensorFlow wrote, with what it read and computed from them; see PROVENANCE.md."""
