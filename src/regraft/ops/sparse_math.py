"""Arithmetic of sparse tensors: reductions, sums, elementwise extremes, softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit.builder import Builder
from regraft.opkit.coordinates import check_sparse, groups, linear
from regraft.opkit.reduced import reduced_shape
from regraft.opkit.registry import Kernel, Runs, op
from regraft.opkit.rows import occurrence
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank


def _reduced_axes(axes: Any, rank: int) -> list[int]:
    out = set()
    for axis in np.asarray(axes).reshape(-1).tolist():
        if not -rank <= axis < rank:
            raise InvalidArgumentError(f"Invalid reduction dimension {axis}, for input with {rank} dimensions.")
        out.add(axis % rank)
    return sorted(out)


def _reduce_shape(c: ShapeContext) -> list[Sizes]:
    shape, axes = c.value(2), c.value(3)
    if shape is None or axes is None:
        return [None]
    keep = c.attr("keep_dims", False)
    # TensorFlow finds axes that are out of range when the op runs, not here.
    reduced = {int(axis) % len(shape) for axis in axes.reshape(-1)} if len(shape) else set()
    if keep:
        return [tuple(1 if i in reduced else int(d) for i, d in enumerate(shape))]
    return [tuple(int(d) for i, d in enumerate(shape) if i not in reduced)]


def _register(how: str, combine: Any) -> Kernel:
    def reduced(indices: Any, values: Any, shape: Any, axes: Any) -> Any:
        """(the kept dimensions, the distinct indices in them, a value for each)."""
        check_sparse(indices, values, shape)
        gone = _reduced_axes(axes, len(shape))
        kept = [i for i in range(len(shape)) if i not in gone]
        distinct, which = groups(indices[:, kept])
        order = np.argsort(which, kind="stable")
        first = np.searchsorted(which[order], np.arange(len(distinct)))
        out = combine.reduceat(values[order], first) if len(distinct) else values[:0]
        return kept, distinct, out.astype(values.dtype, copy=False)

    @op(f"SparseReduce{how}", shape=_reduce_shape, runs=Runs.HOST)
    def dense(input_indices: Any, input_values: Any, input_shape: Any, reduction_axes: Any, *, keep_dims: bool) -> Any:
        """The reduction as a dense tensor, zero where there is no value."""
        kept, places, values = reduced(input_indices, input_values, input_shape, reduction_axes)
        out = np.zeros([int(input_shape[i]) for i in kept], input_values.dtype)
        out[tuple(places.T)] = values if kept else values[:1].sum(dtype=values.dtype)
        if keep_dims:
            out = out.reshape([int(d) if i in kept else 1 for i, d in enumerate(input_shape)])
        return out

    @op(f"SparseReduce{how}Sparse", shape=lambda c: [None] * 3, runs=Runs.HOST, no_gradient="none in TensorFlow")
    def sparse(input_indices: Any, input_values: Any, input_shape: Any, reduction_axes: Any, *, keep_dims: bool) -> Any:
        """The reduction as a sparse tensor."""
        kept, places, values = reduced(input_indices, input_values, input_shape, reduction_axes)
        if not keep_dims:
            return places, values, np.asarray(input_shape, np.int64)[kept]
        indices = np.zeros((len(places), len(input_shape)), np.int64)
        indices[:, kept] = places
        return indices, values, np.array([d if i in kept else 1 for i, d in enumerate(input_shape)], np.int64)

    return dense


_sum = _register("Sum", np.add)
_register("Max", np.maximum)


@_sum.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    indices, _, shape, axes = node.inputs
    kept = reduced_shape(b, shape, axes)
    spread = b.reshape(dy, kept)
    sizes: Any = shape
    scale = sizes // b.cast(kept, dtypes.int64)
    places: Any = indices
    return [None, b.GatherNd(spread, places // scale), None, None]


def _merged(a_indices: Any, b_indices: Any, a_shape: Any, b_shape: Any) -> tuple[Any, Any, Any]:
    """Two sorted lists of indices walked side by side.

    returns  the rows, in order; the entry of a that each is, or -1; the entry of b, or -1
    """
    if len(a_shape) != len(b_shape):
        raise InvalidArgumentError(
            f"Operands should have the same ranks; got shapes: {list(a_shape)} and {list(b_shape)}"
        )
    for i, (x, y) in enumerate(zip(a_shape, b_shape, strict=True)):
        if x != y:
            raise InvalidArgumentError(f"Operands' shapes do not match: got {x} and {y} for dimension {i}")
    # An index that comes up k times on one side meets the first k of the other, one by one.
    keys = []
    for indices in (a_indices, b_indices):
        keys.append(np.column_stack([indices, occurrence(linear(indices, a_shape))]))
    rows, which = groups(np.concatenate(keys))
    from_a, from_b = np.full(len(rows), -1), np.full(len(rows), -1)
    from_a[which[: len(a_indices)]] = np.arange(len(a_indices))
    from_b[which[len(a_indices) :]] = np.arange(len(b_indices))
    return rows[:, :-1], from_a, from_b


def _taken(values: Any, places: Any) -> Any:
    if not len(values):
        return np.zeros(len(places), values.dtype)
    return np.where(places >= 0, values[places], np.zeros((), values.dtype))


def _sum_shape(c: ShapeContext) -> list[Sizes]:
    shape = with_rank(c, c.input(2), 1)
    return [(None, shape[0]), (None,), shape]


@op("SparseAdd", shape=_sum_shape, runs=Runs.HOST)
def sparse_add(
    a_indices: Any, a_values: Any, a_shape: Any, b_indices: Any, b_values: Any, b_shape: Any, thresh: Any
) -> Any:
    """The sum of two sparse tensors of one shape, without the sums of two values of a magnitude below `thresh`."""
    check_sparse(a_indices, a_values, a_shape)
    check_sparse(b_indices, b_values, b_shape)
    rows, from_a, from_b = _merged(a_indices, b_indices, a_shape, b_shape)
    values = _taken(a_values, from_a) + _taken(b_values, from_b)
    keep = (from_a < 0) | (from_b < 0) | (np.abs(values) >= thresh)
    return rows[keep], values[keep], np.asarray(a_shape)


@sparse_add.gradient
def _(b: Builder, node: Operation, d_indices: Any, d_values: Any, d_shape: Any) -> list[Any]:
    d_a, d_b = b.SparseAddGrad(d_values, node.inputs[0], node.inputs[3], node.outputs[0])
    return [None, d_a, None, None, d_b, None, None]


def _sum_grad_shape(c: ShapeContext) -> list[Sizes]:
    a, b = with_rank(c, c.input(1), 2), with_rank(c, c.input(2), 2)
    with_rank(c, c.input(3), 2)
    return [(a[0],), (b[0],)]


@op("SparseAddGrad", shape=_sum_grad_shape, runs=Runs.HOST)
def sparse_add_grad(backprop_val_grad: Any, a_indices: Any, b_indices: Any, sum_indices: Any) -> Any:
    """The gradients of both sides' values: that of the sum at the same index, zero where the sum has none."""
    found = {tuple(index): i for i, index in enumerate(sum_indices.tolist())}

    def picked(indices: Any) -> Any:
        out = np.zeros(len(indices), backprop_val_grad.dtype)
        for i, index in enumerate(indices.tolist()):
            at = found.get(tuple(index))
            if at is not None:
                out[i] = backprop_val_grad[at]
        return out

    return picked(a_indices), picked(b_indices)


def _extreme_shape(c: ShapeContext) -> list[Sizes]:
    return [(None, None), (None,)]


def _register_extreme(how: str, combine: Any) -> None:
    @op(f"SparseSparse{how}", shape=_extreme_shape, runs=Runs.HOST)
    def kernel(a_indices: Any, a_values: Any, a_shape: Any, b_indices: Any, b_values: Any, b_shape: Any) -> Any:
        check_sparse(a_indices, a_values, a_shape)
        check_sparse(b_indices, b_values, b_shape)
        rows, from_a, from_b = _merged(a_indices, b_indices, a_shape, b_shape)
        return rows, combine(_taken(a_values, from_a), _taken(b_values, from_b))


_register_extreme("Maximum", np.maximum)
_register_extreme("Minimum", np.minimum)


def _values_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 2)
    with_rank(c, c.input(2), 1)
    return [with_rank(c, c.input(1), 1)]


@op("SparseSoftmax", shape=_values_shape, runs=Runs.HOST)
def sparse_softmax(sp_indices: Any, sp_values: Any, sp_shape: Any) -> Any:
    """The values after a softmax over those of each row; what is not there counts as no entry.

    raises InvalidArgumentError for a rank below 2
    """
    check_sparse(sp_indices, sp_values, sp_shape)
    if len(sp_shape) < 2:
        raise InvalidArgumentError(
            f"Input should have rank >= 2, but received shape: {', '.join(str(int(d)) for d in sp_shape)}"
        )
    rows, which = groups(sp_indices[:, :-1])
    most = np.full(len(rows), -np.inf, sp_values.dtype)
    np.maximum.at(most, which, sp_values)
    raised = np.exp(sp_values - most[which])
    total = np.zeros(len(rows), sp_values.dtype)
    np.add.at(total, which, raised)
    return raised / total[which]


@sparse_softmax.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    indices, _, shape = node.inputs
    out: Any = node.outputs[0]
    products = out * dy
    total: Any = b.SparseReduceSum(indices, products, shape, [-1], keep_dims=True)
    moved: Any = b.SparseDenseCwiseAdd(indices, dy, shape, -total)
    return [None, moved * out, None]
