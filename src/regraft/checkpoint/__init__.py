"""Checkpoints: tensors to bytes and back, without a graph.

`open_checkpoint(prefix)` reads both formats, `write_checkpoint` and `write_v1_checkpoint` write them; `management`
knows the files of a training folder.
"""

from regraft.checkpoint.reader import CheckpointReader, open_checkpoint
from regraft.checkpoint.slices import ShapeAndSlice, TensorSlice

__all__ = ["CheckpointReader", "ShapeAndSlice", "TensorSlice", "open_checkpoint"]
