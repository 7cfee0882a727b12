"""Saving and restoring as ops: checkpoints of both formats, and the names of their shards."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.checkpoint import ShapeAndSlice, files, open_checkpoint
from regraft.checkpoint.bundle_writer import merge_checkpoints, write_checkpoint
from regraft.checkpoint.items import Item
from regraft.checkpoint.restore import restore as restore_tensors
from regraft.checkpoint.v1_writer import write_v1_checkpoint
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, no_outputs, scalar, unknown


def _text(value: Any) -> str:
    item = np.asarray(value)[()]
    return item.decode() if isinstance(item, bytes) else str(item)


def _texts(values: Any) -> list[str]:
    return [_text(v) for v in np.asarray(values).reshape(-1)]


def _items(names: Any, slices: list[str], tensors: tuple[Any, ...], types: Any) -> list[Item]:
    keys = _texts(names)
    if not len(keys) == len(slices) == len(tensors):
        raise InvalidArgumentError(f"{len(keys)} names and {len(slices)} slices for {len(tensors)} tensors")
    return [
        Item(key, value, dtype, ShapeAndSlice.parse(spec) if spec else None)
        for key, spec, value, dtype in zip(keys, slices, tensors, types, strict=True)
    ]


@op("SaveV2", shape=no_outputs, runs=Runs.HOST, pure=False)
def save_v2(
    prefix: Any, tensor_names: Any, shape_and_slices: Any, tensors: tuple[Any, ...], *, dtypes: tuple[DType, ...]
) -> None:
    """Write a checkpoint of format V2; files appear when they are whole. One missing folder is made, no two."""
    folder = files.folder_of(_text(prefix))
    above = files.folder_of(folder)
    if folder and not files.exists(folder) and (not above or files.exists(above)):
        files.make_folders(folder)
    write_checkpoint(_text(prefix), _items(tensor_names, _texts(shape_and_slices), tensors, dtypes))


@op("SaveSlices", shape=no_outputs, runs=Runs.HOST, pure=False)
def save_slices(
    filename: Any, tensor_names: Any, shapes_and_slices: Any, data: tuple[Any, ...], *, T: tuple[DType, ...]
) -> None:
    """Write a checkpoint of format V1, with parts of tensors."""
    write_v1_checkpoint(_text(filename), _items(tensor_names, _texts(shapes_and_slices), data, T))


@op("Save", shape=no_outputs, runs=Runs.HOST, pure=False)
def save(filename: Any, tensor_names: Any, data: tuple[Any, ...], *, T: tuple[DType, ...]) -> None:
    """Write a checkpoint of format V1."""
    write_v1_checkpoint(_text(filename), _items(tensor_names, [""] * len(data), data, T))


def _restored(c: ShapeContext) -> list[Sizes]:
    specs = c.value(2)
    if specs is None:
        return [None] * c.output_count
    shapes: list[Sizes] = []
    for text in _texts(specs):
        part = ShapeAndSlice.parse(text) if text else None
        shapes.append(None if part is None else tuple(part.slice.shape_in(part.shape)))
    return shapes


@op("RestoreV2", shape=_restored, runs=Runs.HOST, pure=False)
def restore_v2(prefix: Any, tensor_names: Any, shape_and_slices: Any, *, dtypes: tuple[DType, ...]) -> list[Any]:
    """Read tensors, or parts of them, from a checkpoint of either format.

    raises  NotFoundError for a key that is not there; InvalidArgumentError naming every dtype that differs
    """
    with open_checkpoint(_text(prefix)) as reader:
        return list(restore_tensors(reader, _texts(tensor_names), _texts(shape_and_slices), dtypes))


@op("Restore", shape=unknown, runs=Runs.HOST, pure=False)
def restore(file_pattern: Any, tensor_name: Any, *, dt: DType) -> Any:
    """Read one tensor."""
    return restore_v2(file_pattern, tensor_name, np.array([b""], object), dtypes=(dt,))[0]


@op("RestoreSlice", shape=unknown, runs=Runs.HOST, pure=False)
def restore_slice(file_pattern: Any, tensor_name: Any, shape_and_slice: Any, *, dt: DType) -> Any:
    """Read one tensor or a part of it."""
    return restore_v2(file_pattern, tensor_name, shape_and_slice, dtypes=(dt,))[0]


@op("MergeV2Checkpoints", shape=no_outputs, runs=Runs.HOST, pure=False)
def merge_v2_checkpoints(checkpoint_prefixes: Any, destination_prefix: Any, *, delete_old_dirs: bool) -> None:
    """Make one checkpoint of the shards that several savers wrote."""
    merge_checkpoints(_texts(checkpoint_prefixes), _text(destination_prefix), delete_old_dirs)


@op("ShardedFilename", shape=scalar, runs=Runs.HOST)
def sharded_filename(basename: Any, shard: Any, num_shards: Any) -> Any:
    """`basename-00000-of-00002`."""
    return np.array(f"{_text(basename)}-{int(shard):05d}-of-{int(num_shards):05d}".encode(), object)


@op("ShardedFilespec", shape=scalar, runs=Runs.HOST)
def sharded_filespec(basename: Any, num_shards: Any) -> Any:
    """`basename-?????-of-00002`, which matches all shards."""
    return np.array(f"{_text(basename)}-?????-of-{int(num_shards):05d}".encode(), object)
