"""Sparse tensors in other forms: reordered, reshaped, joined, cut, with empty rows filled.

Each is three tensors: indices [n, rank], values [n], shape [rank].
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit.builder import Builder
from regraft.opkit.constant import constant_sizes
from regraft.opkit.coordinates import check_sparse, lexical_order, linear
from regraft.opkit.getitem import getitem
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, merge, merge_dim, with_rank


def _list(values: Any) -> str:
    return f"[{','.join(str(int(v)) for v in values)}]"


def _reordered_shape(c: ShapeContext) -> list[Sizes]:
    indices = with_rank(c, c.input(0), 2)
    values = with_rank(c, c.input(1), 1)
    with_rank(c, c.input(2), 1)
    return [indices, values]


@op("SparseReorder", shape=_reordered_shape, runs=Runs.HOST)
def sparse_reorder(input_indices: Any, input_values: Any, input_shape: Any) -> Any:
    """Indices and values in row-major order."""
    check_sparse(input_indices, input_values, input_shape)
    order = lexical_order(input_indices)
    return input_indices[order], input_values[order]


@sparse_reorder.gradient
def _(b: Builder, node: Operation, d_indices: Any, d_values: Any) -> list[Any]:
    indices, _, shape = node.inputs
    count = getitem(b, b.shape(indices), 0)
    entries = b.range(count)
    with b.graph.name_scope("SparseTensor"):
        pass
    _, order = b.SparseReorder(indices, entries, shape)
    known = constant_sizes(shape)
    if known is not None and None not in known:
        with b.graph.name_scope("SparseTensor"):
            b.constant(np.array(known, np.int64), name="dense_shape")
    else:
        b.identity(shape)
    return [None, b.gather(d_values, b.InvertPermutation(order)), None]


def _reshaped_shape(c: ShapeContext) -> list[Sizes]:
    indices = with_rank(c, c.input(0), 2)
    with_rank(c, c.input(1), 1)
    new = with_rank(c, c.input(2), 1)
    return [(indices[0], new[0]), new]


@op("SparseReshape", shape=_reshaped_shape, runs=Runs.HOST, no_gradient="integer results")
def sparse_reshape(input_indices: Any, input_shape: Any, new_shape: Any) -> Any:
    """Indices of the same places in row-major order, and the new shape, in which one dimension may be -1."""
    before, wanted = [int(d) for d in input_shape], [int(d) for d in new_shape]
    size = math.prod(before)
    open_at = [i for i, d in enumerate(wanted) if d == -1]
    if len(open_at) > 1:
        raise InvalidArgumentError(f"only one output dimension may be -1, not both {open_at[0]} and {open_at[1]}")
    for i, d in enumerate(wanted):
        if d < -1:
            raise InvalidArgumentError(f"size {i} must be non-negative, not {d}")
    if open_at:
        rest = math.prod(d for d in wanted if d != -1)
        if rest <= 0:
            raise InvalidArgumentError(
                "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes "
                "are non-zero"
            )
        wanted[open_at[0]] = size // rest
        if size % rest:
            raise InvalidArgumentError(
                f"Input to reshape is a SparseTensor with {size} dense values, but the requested shape requires a "
                f"multiple of {rest}. input_shape={_list(before)} output_shape={_list(wanted)}"
            )
    if math.prod(wanted) != size:
        raise InvalidArgumentError(
            f"Input to reshape is a tensor with {size} dense values, but the requested shape has {math.prod(wanted)}. "
            f"input_shape={_list(before)} output_shape={_list(wanted)}"
        )
    place = linear(input_indices, before)
    out = np.empty((len(place), len(wanted)), np.int64)
    for i in reversed(range(len(wanted))):
        out[:, i] = place % max(wanted[i], 1)
        place = place // max(wanted[i], 1)
    return out, np.array(wanted, np.int64)


def _concat_shape(c: ShapeContext) -> list[Sizes]:
    count = c.attr("N")
    rows: Dim = 0
    rank: Dim = None
    shape: Sizes = (None,)
    for i in range(count):
        indices = with_rank(c, c.input(i), 2)
        values = with_rank(c, c.input(count + i), 1)
        shape = merge(c, shape, with_rank(c, c.input(2 * count + i), 1))
        here = merge_dim(c, indices[0], values[0])
        rows = None if rows is None or here is None else rows + here
        rank = merge_dim(c, rank, indices[1], 1)
    return [(rows, rank), (rows,), shape]


@op("SparseConcat", shape=_concat_shape, runs=Runs.HOST)
def sparse_concat(
    indices: tuple[Any, ...], values: tuple[Any, ...], shapes: tuple[Any, ...], *, concat_dim: int
) -> Any:
    """The tensors one behind the other along a dimension, in row-major order."""
    rank = len(shapes[0])
    if not -rank <= concat_dim < rank:
        raise InvalidArgumentError(f"Concat dimension must be in range [{-rank}, {rank}), got {concat_dim}")
    axis = concat_dim % rank
    out_shape = np.array(shapes[0], np.int64)
    out_shape[axis] = 0
    moved = []
    for i, (index, value, shape) in enumerate(zip(indices, values, shapes, strict=True)):
        check_sparse(index, value, shape)
        if len(shape) != rank:
            raise InvalidArgumentError(
                f"Ranks of all input tensors must match: expected {rank} but got {len(shape)} at position {i}"
            )
        for d in range(rank):
            if d != axis and shape[d] != shapes[0][d]:
                raise InvalidArgumentError(
                    f"Input shapes must match: expected {shapes[0][d]} for dimension {d} but got {shape[d]} at "
                    f"position {i}"
                )
        shift = np.zeros(rank, np.int64)
        shift[axis] = out_shape[axis]
        moved.append(index + shift)
        out_shape[axis] += shape[axis]
    joined, joined_values = np.concatenate(moved), np.concatenate(values)
    order = lexical_order(joined)
    return joined[order], joined_values[order], out_shape


def _slice_shape(c: ShapeContext) -> list[Sizes]:
    indices = with_rank(c, c.input(0), 2)
    with_rank(c, c.input(1), 1)
    return [(None, indices[1]), (None,), c.input(2)]


@op("SparseSlice", shape=_slice_shape, runs=Runs.HOST)
def sparse_slice(indices: Any, values: Any, shape: Any, start: Any, size: Any) -> Any:
    """The part that begins at `start` and is at most `size` large, with indices that count from `start`."""
    check_sparse(indices, values, shape)
    if not len(shape) == len(start) == len(size):
        raise InvalidArgumentError(
            f"Expected start and size to be of rank {len(shape)}, got {len(start)} and {len(size)}"
        )
    if (start < 0).any() or (size < 0).any():
        raise InvalidArgumentError(f"start and size must not be negative, got {_list(start)} and {_list(size)}")
    end = np.minimum(start + size, shape)
    inside = ((indices >= start) & (indices < end)).all(axis=1)
    return indices[inside] - start, values[inside], np.maximum(end - start, 0)


@sparse_slice.gradient
def _(b: Builder, node: Operation, d_indices: Any, d_values: Any, d_shape: Any) -> list[Any]:
    indices, _, _, start, _ = node.inputs
    return [None, b.SparseSliceGrad(d_values, indices, start, node.outputs[0]), None, None, None]


def _slice_grad_shape(c: ShapeContext) -> list[Sizes]:
    return [(with_rank(c, c.input(1), 2)[0],)]


@op("SparseSliceGrad", shape=_slice_grad_shape, runs=Runs.HOST)
def sparse_slice_grad(backprop_val_grad: Any, input_indices: Any, input_start: Any, output_indices: Any) -> Any:
    """The gradient of the slice's values, zero for values outside the slice."""
    out = np.zeros(len(input_indices), backprop_val_grad.dtype)
    at = 0
    places = (output_indices + input_start).tolist()
    for i, index in enumerate(input_indices.tolist()):
        if at < len(places) and index == places[at]:
            out[i] = backprop_val_grad[at]
            at += 1
    if at < len(places):
        raise InvalidArgumentError(
            f"Elements of output_indices aren't all propagated. Expected elements to be propagated: {len(places)}, "
            f"actual: {at}"
        )
    return out


def _split_shape(c: ShapeContext) -> list[Sizes]:
    count, shape = c.attr("num_split"), c.input(3)
    rank = None if shape is None else shape[0]
    return [(None, rank)] * count + [(None,)] * count + [shape] * count


@op("SparseSplit", shape=_split_shape, runs=Runs.HOST)
def sparse_split(split_dim: Any, indices: Any, values: Any, shape: Any, *, num_split: int) -> Any:
    """`num_split` parts along a dimension; the first ones are larger by one where it does not divide."""
    check_sparse(indices, values, shape)
    rank = len(shape)
    if not -rank <= split_dim < rank:
        raise InvalidArgumentError(f"Input split_dim should be between {-rank} and rank ({rank}), got {int(split_dim)}")
    axis = int(split_dim) % rank
    length = int(shape[axis])
    if not 1 <= num_split <= length:
        raise InvalidArgumentError(
            f"Input num_split should be between 1 and the splitting dimension size ({length}), got {num_split}"
        )
    small, larger = divmod(length, num_split)
    bounds = np.cumsum([0] + [small + (i < larger) for i in range(num_split)])
    parts = []
    for begin, end in itertools.pairwise(bounds):
        inside = (indices[:, axis] >= begin) & (indices[:, axis] < end)
        part, part_shape = indices[inside], np.array(shape, np.int64)
        part[:, axis] -= begin
        part_shape[axis] = end - begin
        parts.append((part, values[inside], part_shape))
    return tuple(part[i] for i in range(3) for part in parts)


def _filled_shape(c: ShapeContext) -> list[Sizes]:
    indices = with_rank(c, c.input(0), 2)
    values = with_rank(c, c.input(1), 1)
    shape = with_rank(c, c.input(2), 1)
    with_rank(c, c.input(3), 0)
    count = merge_dim(c, indices[0], values[0])
    rank = merge_dim(c, indices[1], shape[0])
    sizes = c.sizes(2)
    return [(None, rank), (None,), (None if sizes is None or not sizes else sizes[0],), (count,)]


@op("SparseFillEmptyRows", shape=_filled_shape, runs=Runs.HOST)
def sparse_fill_empty_rows(indices: Any, values: Any, dense_shape: Any, default_value: Any) -> Any:
    """The tensor with the default at column 0 of each row without a value.

    returns  indices, values; which rows were empty, [rows]; where each value went, [n]
    """
    check_sparse(indices, values, dense_shape)
    if len(dense_shape) == 0:
        raise InvalidArgumentError("Dense shape cannot be empty.")
    rows = int(dense_shape[0])
    if rows == 0 and len(indices):
        raise InvalidArgumentError(
            f"Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = {len(indices)}"
        )
    row = indices[:, 0]
    for i in np.flatnonzero((row < 0) | (row >= rows))[:1]:
        reason = f"{row[i]} < 0" if row[i] < 0 else f"{row[i]} >= {rows}"
        raise InvalidArgumentError(f"indices({i}, 0) is invalid: {reason}")
    counts = np.bincount(row, minlength=rows)
    empty = counts == 0
    filler = np.zeros((int(empty.sum()), indices.shape[1]), np.int64)
    filler[:, 0] = np.flatnonzero(empty)
    order = np.argsort(np.concatenate([row, filler[:, 0]]), kind="stable")
    new_indices = np.concatenate([indices, filler])[order]
    new_values = np.concatenate([values, np.full(len(filler), default_value[()], values.dtype)])[order]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return new_indices, new_values, empty, place[: len(indices)]


@sparse_fill_empty_rows.gradient
def _(b: Builder, node: Operation, *dys: Any) -> list[Any]:
    d_values, d_default = b.SparseFillEmptyRowsGrad(node.outputs[3], dys[1])
    return [None, d_values, None, d_default]


def _fill_grad_shape(c: ShapeContext) -> list[Sizes]:
    places = with_rank(c, c.input(0), 1)
    with_rank(c, c.input(1), 1)
    return [places, ()]


@op("SparseFillEmptyRowsGrad", shape=_fill_grad_shape, runs=Runs.HOST)
def sparse_fill_empty_rows_grad(reverse_index_map: Any, grad_values: Any) -> Any:
    """The gradients of the values, and of the default: the sum of all others."""
    count = len(grad_values)
    bad = np.flatnonzero((reverse_index_map < 0) | (reverse_index_map >= count))
    if bad.size:
        raise InvalidArgumentError(
            f"Elements in reverse index must be in [0, {count}) but got {reverse_index_map[bad[0]]}"
        )
    rest = np.ones(count, np.bool_)
    rest[reverse_index_map] = False
    return grad_values[reverse_index_map], np.asarray(grad_values[rest].sum(dtype=grad_values.dtype))
