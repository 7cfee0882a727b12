"""Regraft and TensorFlow side by side: `python -m bench`; README.md tells what each row means."""
