"""Checkpoints: tensors to bytes and back, without a graph.

`open_checkpoint(prefix)` reads both formats, `write_checkpoint` writes V2. What else there is: `v1_writer`, `restore`
(the RestoreV2 kernel), `state` and `management` (the files of a training folder), `files` (opening and publishing).
"""

from regraft.checkpoint.bundle_writer import (
    BundleWriter,
    merge_checkpoints,
    write_checkpoint,
    write_sharded_checkpoint,
)
from regraft.checkpoint.items import Item
from regraft.checkpoint.reader import CheckpointReader, open_checkpoint
from regraft.checkpoint.slices import ShapeAndSlice, TensorSlice

__all__ = [
    "BundleWriter",
    "CheckpointReader",
    "Item",
    "ShapeAndSlice",
    "TensorSlice",
    "merge_checkpoints",
    "open_checkpoint",
    "write_checkpoint",
    "write_sharded_checkpoint",
]
