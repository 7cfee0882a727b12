"""What TensorBoard's plugins read; the projector of embeddings."""

from regraft.v1.contrib.tensorboard.plugins import projector as projector
