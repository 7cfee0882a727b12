"""Parts of a tensor by number, and tensors put together from parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.getitem import getitem
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, merge
from regraft.opkit.slices import IndexedSlices


def _partition_shape(c: ShapeContext) -> list[Sizes]:
    data, partitions, count = c.input(0), c.input(1), c.attr("num_partitions")
    if partitions is None:
        return [None] * count
    rank = len(partitions)
    if data is None:
        return [None] * count
    if len(data) < rank:
        raise c.fail(f"Shape must be at least rank {rank} but is rank {len(data)}")
    merge(c, data[:rank], partitions)
    return [(None, *data[rank:])] * count


@op("DynamicPartition", shape=_partition_shape, runs=Runs.HOST)
def dynamic_partition(data: Any, partitions: Any, *, num_partitions: int) -> Any:
    """For each number below `num_partitions`, the slices of `data` that `partitions` gives that number, in order.

    raises InvalidArgumentError for a number out of range, or if the shape of `partitions` does not begin that of `data`
    """
    rank = partitions.ndim
    if data.shape[:rank] != partitions.shape:
        raise InvalidArgumentError(
            f"data.shape must start with partitions.shape, got data.shape = {list(data.shape)}, "
            f"partitions.shape = {list(partitions.shape)}"
        )
    bad = np.argwhere((partitions < 0) | (partitions >= num_partitions))
    if bad.size:
        place = f"[{','.join(str(int(i)) for i in bad[0])}]" if rank else ""
        raise InvalidArgumentError(f"partitions{place} = {partitions[tuple(bad[0])]} is not in [0, {num_partitions})")
    flat, numbers = data.reshape((-1, *data.shape[rank:])), partitions.reshape(-1)
    return tuple(flat[numbers == i] for i in range(num_partitions))


@dynamic_partition.gradient
def _(b: Builder, node: Operation, *dys: Any) -> list[Any]:
    data, partitions = node.inputs
    shape = b.shape(partitions)
    places = b.reshape(b.range(b.reduce_prod(shape)), shape)
    parts = b.DynamicPartition(places, partitions, num_partitions=node.get_attr("num_partitions"))
    whole = b.ParallelDynamicStitch(parts, list(dys))
    return [b.reshape(whole, b.shape(data)), None]


def _stitch_shape(c: ShapeContext) -> list[Sizes]:
    count = c.attr("N")
    rest: Sizes = None
    most = -1
    known = True
    for i in range(count):
        indices, data, value = c.input(i), c.input(count + i), c.value(i)
        if indices is None or data is None:
            known = known and value is not None
        if value is None:
            known = False
        elif value.size:
            most = max(most, int(value.max()))
        if indices is None or data is None:
            continue
        if len(data) < len(indices):
            raise c.fail(f"Shape must be at least rank {len(indices)} but is rank {len(data)}")
        merge(c, data[: len(indices)], indices)
        rest = merge(c, rest, data[len(indices) :])
    rows: Dim = most + 1 if known else None
    return [None if rest is None else (rows, *rest)]


@op("DynamicStitch", "ParallelDynamicStitch", shape=_stitch_shape, static="indices")
def dynamic_stitch(indices: tuple[Any, ...], data: tuple[Any, ...]) -> Any:
    """The tensor with data[m][i] at row indices[m][i]; where a row comes up again, the last one counts.

    raises   InvalidArgumentError for negative indices, and shapes that do not fit
    differs  rows that no index names are zeros
    """
    rest = static_shape(data[0])[np.ndim(indices[0]) :]
    size = 0
    for i, (index, values) in enumerate(zip(indices, data, strict=True)):
        rank = np.ndim(index)
        shape = static_shape(values)
        if shape[:rank] != np.shape(index):
            raise InvalidArgumentError(
                f"data[{i}].shape = {list(shape)} does not start with indices[{i}].shape = {list(np.shape(index))}"
            )
        if shape[rank:] != rest:
            raise InvalidArgumentError(
                f"Need data[0].shape[{np.ndim(indices[0])}:] = data[{i}].shape[{rank}:], "
                f"got data[0].shape = {list(static_shape(data[0]))}, data[{i}].shape = {list(shape)}"
            )
        if np.size(index):
            if np.min(index) < 0:
                raise InvalidArgumentError(f"indices[{i}] is out of range: {int(np.min(index))}")
            size = max(size, int(np.max(index)) + 1)
    xp = namespace(*data)
    places = np.concatenate([np.reshape(index, -1) for index in indices])
    rows = xp.concatenate([xp.reshape(values, (-1, *rest)) for values in data])
    # For every row of the result, the last entry that names it.
    source = np.full(size, -1, np.int64)
    source[places] = np.arange(len(places))
    if not len(rows):
        return xp.zeros((size, *rest), rows.dtype)
    out = rows[np.maximum(source, 0)]
    if (source >= 0).all():
        return out
    empty = (source < 0).reshape((-1,) + (1,) * len(rest))
    return xp.where(empty, xp.zeros_like(out), out)


@dynamic_stitch.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    count = len(node.inputs) // 2
    indices = [b.cast(t, dtypes.int32) for t in node.inputs[:count]]
    if isinstance(dy, IndexedSlices):
        rows = getitem(b, b.shape(node.outputs[0]), 0)
        dy = b.UnsortedSegmentSum(dy.values, dy.indices, rows)
    return [None] * count + [b.gather(dy, i) for i in indices]
