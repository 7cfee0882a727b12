"""Regraft: TensorFlow 1 graphs and checkpoints, opened, run and trained on JAX."""
