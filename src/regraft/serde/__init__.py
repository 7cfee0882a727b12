"""The graph and its parts as messages, and back."""
