"""Joining tensors, taking them apart, and repeating them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation, Tensor
from regraft.opkit import rearrange
from regraft.opkit.arrays import static_shape
from regraft.opkit.axes import normalize_axis
from regraft.opkit.builder import Builder
from regraft.opkit.constant import constant_value
from regraft.opkit.flow import output_context
from regraft.opkit.getitem import getitem
from regraft.opkit.registry import op
from regraft.opkit.shapes import (
    Dim,
    ShapeContext,
    Sizes,
    at_least_rank,
    from_attr,
    merge,
    merge_dim,
    times,
    with_rank,
)
from regraft.opkit.slices import IndexedSlices

# Concat


def _joined(c: ShapeContext, axis_input: int, parts: Sequence[int]) -> list[Sizes]:
    with_rank(c, c.input(axis_input), 0)
    axis = c.value(axis_input)
    known = [s for s in (c.input(i) for i in parts) if s is not None]
    for sizes in known:
        at_least_rank(c, sizes, 1)
    if not known:
        return [None]
    if axis is None:
        return [(None,) * len(known[0])]
    where = int(axis)
    rest: Sizes = None
    length: Dim = 0 if len(known) == len(parts) else None
    for sizes in known:
        at_least_rank(c, sizes, -where if where < 0 else where + 1)
        at = where % len(sizes)
        rest = merge(c, rest, (*sizes[:at], None, *sizes[at + 1 :]))
        size = sizes[at]
        length = None if length is None or size is None else length + size
    assert rest is not None
    at = where % len(rest)
    return [(*rest[:at], length, *rest[at + 1 :])]


def _concatenate(values: tuple[Any, ...], axis: Any, what: str) -> Any:
    rank = len(static_shape(values[0]))
    where = normalize_axis(axis, rank, what)
    shapes = [static_shape(v) for v in values]
    first = shapes[0]
    for i, other in enumerate(shapes):
        if len(other) != rank or any(a != b for j, (a, b) in enumerate(zip(first, other, strict=True)) if j != where):
            raise InvalidArgumentError(
                f"ConcatOp : Dimension of inputs should match: shape[0] = {list(first)} vs. shape[{i}] = {list(other)}"
            )
    return rearrange.concatenate(values, where)


@op("Concat", shape=lambda c: _joined(c, 0, range(1, len(c))), static="concat_dim")
def concat(concat_dim: Any, values: tuple[Any, ...]) -> Any:
    """Tensors joined along the dimension `concat_dim`."""
    return _concatenate(values, concat_dim, "concat_dim")


@concat.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [None, *_concat_gradients(b, dy, node.inputs[0], node.inputs[1:])]


@op("ConcatV2", shape=lambda c: _joined(c, len(c) - 1, range(len(c) - 1)), static="axis")
def concat_v2(values: tuple[Any, ...], axis: Any) -> Any:
    """Tensors joined along `axis`, which may be negative."""
    return _concatenate(values, axis, "axis")


@concat_v2.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [*_concat_gradients(b, dy, node.inputs[-1], node.inputs[:-1]), None]


def _concat_gradients(b: Builder, dy: Any, axis: Tensor, values: Sequence[Tensor]) -> list[Any]:
    """The part of the gradient that belongs to each joined tensor."""
    if len(values) == 1:
        return [dy]
    if isinstance(dy, IndexedSlices):
        return _concat_sparse_gradients(b, dy, axis, values)
    if axis.op.type == "Const" and output_context(axis.op) is not output_context(dy.op):
        # Inside a loop the constant is made again, so that it does not come in through an Enter.
        axis = b.constant(constant_value(axis), axis.dtype.base)
    where: Any = axis % b.rank(values[0])  # type: ignore[operator]  # installed
    sizes: Any = []
    for value in values:
        size = b.shape(value)
        if size.op.type != "Const":
            sizes = b.ShapeN(list(values))
            break
        sizes.append(size)
    if len(sizes) > 16:
        lengths = b.squeeze(b.Slice(b.stack(sizes, axis=1), [where, 0], [1, -1]))
        return list(b.SplitV(dy, lengths, where, num_split=len(values), name="split"))
    offsets = b.ConcatOffset(where, sizes)
    return [b.Slice(dy, begin, size) for begin, size in zip(offsets, sizes, strict=True)]


def _concat_sparse_gradients(
    b: Builder, dy: IndexedSlices, axis: Tensor, values: Sequence[Tensor]
) -> list[IndexedSlices]:
    where: Any = axis % b.rank(values[0])  # type: ignore[operator]  # installed
    static = constant_value(axis)
    if static is None:
        raise ValueError("Can only compute IndexedSlices gradient with statically-known concat_dim")
    at = int(static)
    if at < 0:
        rank = constant_value(b.rank(values[0]))
        if rank is None:
            raise ValueError(
                "Can only compute IndexedSlices gradient with negative concat_dim when the rank of the first value "
                "is statically-known."
            )
        at %= int(rank)
    sizes = [b.shape(v) for v in values]
    return _columns_of_slices(b, dy, where, sizes) if at > 0 else _rows_of_slices(b, dy, where, sizes)


def _columns_of_slices(b: Builder, dy: IndexedSlices, where: Any, sizes: list[Tensor]) -> list[IndexedSlices]:
    """Every part has all rows, and of each the columns that are its own."""
    rank: Any = b.shape(sizes[0])
    mask = b.concat(
        [
            b.zeros(b.expand_dims(where, 0), dtype=dtypes.int32),
            [1],
            b.zeros(rank - where - 1, dtype=dtypes.int32),
        ],
        0,
    )
    begin: Any = b.zeros(rank, dtype=dtypes.int32)
    out = []
    for size in sizes:
        new = b.Slice(dy.values, begin, b.concat([[-1], b.Slice(size, [1], [-1])], 0))
        out.append(IndexedSlices(new, dy.indices, size))
        begin = b.op("AddV2", begin, size * mask, name="Add")  # type: ignore[operator]  # installed
    return out


def _rows_of_slices(b: Builder, dy: IndexedSlices, where: Any, sizes: list[Tensor]) -> list[IndexedSlices]:
    """Each part has the rows whose indices fall into its range."""
    start: Any = b.constant(0, dy.indices.dtype.base)
    indices: Any = dy.indices
    out = []
    for size in sizes:
        length = b.gather(size, where)
        if length.dtype.base is not indices.dtype.base:
            length = b.cast(length, indices.dtype.base)
        end = start + length
        chosen = b.squeeze(b.Where(b.LogicalAnd(indices >= start, indices < end)), axis=[1])
        new_indices = b.gather(indices, chosen) - start
        out.append(IndexedSlices(b.gather(dy.values, chosen), new_indices, size))
        start = end
    return out


def _offset_shape(c: ShapeContext) -> list[Sizes]:
    return [c.input(i) for i in range(1, len(c))]


@op("ConcatOffset", shape=_offset_shape, static=("concat_dim", "shape"), no_gradient="integer result")
def concat_offset(concat_dim: Any, shape: tuple[Any, ...]) -> Any:
    """For each tensor of these shapes, where it begins in their concatenation."""
    where = normalize_axis(concat_dim, len(shape[0]), "concat_dim")
    out, at = [], 0
    for i, sizes in enumerate(shape):
        for j, (a, b) in enumerate(zip(shape[0], sizes, strict=True)):
            if a != b and j != where:
                raise InvalidArgumentError(
                    f"All dimensions except {where} must match. Input {i} has shape {[int(d) for d in sizes]} "
                    f"and doesn't match input 0 with shape {[int(d) for d in shape[0]]}."
                )
        offset = np.zeros(len(sizes), sizes.dtype)
        offset[where] = at
        at += int(sizes[where])
        out.append(offset)
    return tuple(out)


def _parallel_shape(c: ShapeContext) -> list[Sizes]:
    if any(s is None or None in s for s in c.inputs):
        raise c.fail("All input shapes must be fully defined.")
    return from_attr("shape")(c)


@op("ParallelConcat", shape=_parallel_shape)
def parallel_concat(values: tuple[Any, ...]) -> Any:
    """Tensors of first dimension 1 joined along it."""
    return rearrange.concatenate(values, 0)


# Pack, Unpack


def _pack_shape(c: ShapeContext) -> list[Sizes]:
    sizes: Sizes = None
    for given in c.inputs:
        sizes = merge(c, sizes, given)
    if sizes is None:
        return [None]
    axis = c.attr("axis", 0)
    if not -len(sizes) - 1 <= axis <= len(sizes):
        raise c.fail(f"Invalid axis: {axis} must be in [{-len(sizes) - 1},{len(sizes) + 1})")
    at = axis % (len(sizes) + 1)
    return [(*sizes[:at], len(c), *sizes[at:])]


@op("Pack", shape=_pack_shape)
def pack(values: tuple[Any, ...], *, axis: int) -> Any:
    """Tensors of one shape joined along a new dimension."""
    shapes = [static_shape(v) for v in values]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise InvalidArgumentError(
                f"Shapes of all inputs must match: values[0].shape = {list(shapes[0])} != "
                f"values[{i}].shape = {list(shape)}"
            )
    where = normalize_axis(axis, len(shapes[0]) + 1)
    return rearrange.stack(values, where)


@pack.rows
def _(values: tuple[Any, ...], *, axis: int, rows: Sequence[Any]) -> Any:
    count = next(len(value) for value, has in zip(values, rows[0], strict=True) if has)
    wide = [v if has else np.broadcast_to(v, (count, *v.shape)) for v, has in zip(values, rows[0], strict=True)]
    return pack(tuple(wide), axis=normalize_axis(axis, wide[0].ndim) + 1)


@pack.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return list(b.Unpack(dy, num=node.get_attr("N"), axis=node.get_attr("axis"), name="unstack"))


def _unpack_shape(c: ShapeContext) -> list[Sizes]:
    sizes, axis, num = c.input(0), c.attr("axis", 0), c.attr("num")
    if sizes is None:
        return [None] * num
    if not -len(sizes) <= axis < len(sizes):
        raise c.fail(f"Invalid axis: {axis} must be in [{-len(sizes)},{len(sizes)})")
    at = axis % len(sizes)
    merge_dim(c, sizes[at], num, at)
    return [(*sizes[:at], *sizes[at + 1 :])] * num


@op("Unpack", shape=_unpack_shape)
def unpack(value: Any, *, num: int, axis: int) -> Any:
    """The `num` slices of a tensor along `axis`, without that dimension."""
    shape = static_shape(value)
    at = normalize_axis(axis, len(shape))
    if shape[at] != num:
        raise InvalidArgumentError(f"Input shape axis {at} must equal {num}, got shape {list(shape)}")
    rest = (*shape[:at], *shape[at + 1 :])
    return tuple(rearrange.reshape(rearrange.part(value, at, i, 1), rest) for i in range(num))


@unpack.gradient
def _(b: Builder, node: Operation, *dys: Any) -> list[Any]:
    return [b.stack(list(dys), axis=node.get_attr("axis"))]


# Split


def _split_shape(c: ShapeContext) -> list[Sizes]:
    sizes, axis, num = c.input(1), c.value(0), c.attr("num_split")
    if sizes is None:
        return [None] * num
    if axis is None:
        return [(None,) * len(sizes)] * num
    where = int(axis)
    at_least_rank(c, sizes, -where if where < 0 else where + 1)
    at = where % len(sizes)
    length = sizes[at]
    if length is not None and length % num:
        raise c.fail(f"Dimension size must be evenly divisible by {num} but is {length}")
    part = None if length is None else length // num
    return [(*sizes[:at], part, *sizes[at + 1 :])] * num


@op("Split", shape=_split_shape, static="split_dim")
def split(split_dim: Any, value: Any, *, num_split: int) -> Any:
    """`num_split` equal parts of a tensor along `split_dim`."""
    shape = static_shape(value)
    at = normalize_axis(split_dim, len(shape), "split_dim")
    if shape[at] % num_split:
        raise InvalidArgumentError(
            f"Number of ways to split should evenly divide the split dimension, but got split_dim {at} "
            f"(size = {shape[at]}) and num_split {num_split}"
        )
    size = shape[at] // num_split
    return tuple(rearrange.part(value, at, i * size, size) for i in range(num_split))


@split.gradient
def _(b: Builder, node: Operation, *dys: Any) -> list[Any]:
    return [None, b.concat(list(dys), node.inputs[0])]


def _split_v_shape(c: ShapeContext) -> list[Sizes]:
    sizes, num = c.input(0), c.attr("num_split")
    with_rank(c, c.input(1), 1)
    axis, parts = c.value(2), c.value(1)
    if sizes is None:
        return [None] * num
    if axis is None:
        return [(None,) * len(sizes)] * num
    where = int(axis)
    at_least_rank(c, sizes, -where if where < 0 else where + 1)
    at = where % len(sizes)
    if parts is None:
        return [(*sizes[:at], None, *sizes[at + 1 :])] * num
    lengths: list[Dim] = [int(p) for p in parts]
    total = sum(d for d in lengths if d is not None and d >= 0)
    whole = sizes[at]
    if lengths.count(-1) == 1:
        if whole is not None and whole < total:
            raise c.fail(f"can't split axis of size {whole} into pieces of size {lengths}")
        lengths = [(None if whole is None else whole - total) if d == -1 else d for d in lengths]
    elif whole is not None and whole != total:
        raise c.fail(f"can't split axis of size {whole} into pieces of size {lengths}")
    return [(*sizes[:at], d, *sizes[at + 1 :]) for d in lengths]


@op("SplitV", shape=_split_v_shape, static=("size_splits", "split_dim"))
def split_v(value: Any, size_splits: Any, split_dim: Any) -> Any:
    """Parts of a tensor along `split_dim`, of these sizes; one of them may be -1, for what is left."""
    shape = static_shape(value)
    at = normalize_axis(split_dim, len(shape), "split_dim")
    parts = [int(p) for p in size_splits]
    total = sum(p for p in parts if p != -1)
    if parts.count(-1) > 1:
        raise InvalidArgumentError("There can only be one -1 in the input.")
    if total > shape[at] or (-1 not in parts and total != shape[at]):
        raise InvalidArgumentError(
            f"Determined shape must either match input shape along split_dim exactly if fully specified, or be less "
            f"than the size of the input along split_dim if not fully specified.  Got: {total}, size {shape[at]}"
        )
    parts = [shape[at] - total if p == -1 else p for p in parts]
    starts = [sum(parts[:i]) for i in range(len(parts))]
    return tuple(rearrange.part(value, at, start, size) for start, size in zip(starts, parts, strict=True))


@split_v.gradient
def _(b: Builder, node: Operation, *dys: Any) -> list[Any]:
    return [b.concat(list(dys), node.inputs[2]), None, None]


# Tile


def _tile_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(1), 1)
    sizes, multiples = c.input(0), c.sizes(1)
    if sizes is None:
        return [None if multiples is None else (None,) * len(multiples)]
    if multiples is None:
        return [(None,) * len(sizes)]
    if len(multiples) != len(sizes):
        raise c.fail(f"Shape must be rank {len(sizes)} but is rank {len(multiples)}")
    return [tuple(times(a, b) for a, b in zip(sizes, multiples, strict=True))]


def _repeats(input: Any, multiples: Any) -> list[int]:
    shape = static_shape(input)
    if len(multiples) != len(shape):
        raise InvalidArgumentError(
            f"Expected multiples argument to be a vector of length {len(shape)} but got length {len(multiples)}"
        )
    repeats = [int(m) for m in multiples]
    for i, m in enumerate(repeats):
        if m < 0:
            raise InvalidArgumentError(f"Expected multiples[{i}] >= 0, but got {m}")
    return repeats


@op("Tile", shape=_tile_shape, static="multiples")
def tile(input: Any, multiples: Any) -> Any:
    """The input repeated `multiples[i]` times along dimension i."""
    repeats = _repeats(input, multiples)
    return rearrange.repeat(input, repeats)


@tile.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    x, multiples = node.inputs
    shape = b.shape(x, out_type=multiples.dtype.base)
    # [m0, s0, m1, s1, ...]: summing over the even dimensions folds the copies.
    folded = b.reshape(b.transpose(b.stack([multiples, shape])), [-1])
    axes = b.range(0, b.size(folded), 2)
    if isinstance(dy, IndexedSlices):
        rows = b.cast(getitem(b, shape, 0), dy.indices.dtype.base)
        dy = b.UnsortedSegmentSum(dy.values, b.FloorMod(dy.indices, rows), rows)
        folded = b.concat([[1], getitem(b, folded, slice(1, None))], 0)
    dx = b.reduce_sum(b.reshape(dy, folded), axes)
    dx.set_shape(x.shape)
    return [dx, None]
