"""Segments of selected rows: SparseSegmentSum, Mean and SqrtN, with their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit import segments
from regraft.opkit.arrays import namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.getitem import getitem
from regraft.opkit.registry import Kernel, Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge, with_rank
from regraft.opkit.slices import IndexedSlices


def _shape(c: ShapeContext) -> list[Sizes]:
    data = at_least_rank(c, c.input(0), 1)
    merge(c, with_rank(c, c.input(1), 1), with_rank(c, c.input(2), 1))
    return [None if data is None else (None, *data[1:])]


def _counted_shape(c: ShapeContext) -> list[Sizes]:
    (out,) = _shape(c)
    with_rank(c, c.input(3), 0)
    count = c.value(3)
    if count is not None and count < 0:
        raise c.fail(f"Dimension size, given by scalar input 3, must be non-negative but is {int(count)}")
    return [None if out is None else (None if count is None else int(count), *out[1:])]


def _check_rows(indices: Any, size: int) -> None:
    if on_host(indices):
        bad = np.flatnonzero((indices < 0) | (indices >= size))
        if bad.size:
            raise InvalidArgumentError(f"Bad: indices[{bad[0]}] == {indices[bad[0]]} out of range [0, {size})")


def _rows_of(how: str, ids: Any, count: int, dtype: Any) -> Any:
    """By what the sum of each segment is divided: its number of rows, or the root of it; at least 1."""
    xp = namespace(ids)
    wide = np.float64 if np.dtype(dtype) == np.float64 else np.float32
    rows = segments.reduce_unsorted("sum", xp.ones(static_shape(ids), wide), ids, count)
    rows = xp.maximum(rows, xp.ones_like(rows))
    return (xp.sqrt(rows) if how == "sqrt_n" else rows).astype(dtype)


def _reduced(how: str, data: Any, indices: Any, ids: Any, count: int) -> Any:
    _check_rows(indices, static_shape(data)[0])
    xp = namespace(data, indices, ids)
    total = segments.reduce_unsorted("sum", xp.take(data, indices, axis=0), ids, count)
    if how == "sum":
        return total
    rows = _rows_of(how, ids, count, data.dtype)
    return total / rows.reshape((-1,) + (1,) * (total.ndim - 1))


def _check_counted(ids: Any, count: int) -> None:
    if on_host(ids) and len(ids) and segments.check_sorted(ids, len(ids)) > count:
        raise InvalidArgumentError(
            f"Segment id {ids[-1]} out of range [0, {count}), possibly because 'segment_ids' input is not sorted."
        )


def _register(op_name: str, how: str) -> None:
    @op(f"SparseSegment{op_name}", shape=_shape, runs=Runs.HOST)
    def kernel(data: Any, indices: Any, segment_ids: Any) -> Any:
        count = segments.check_sorted(segment_ids, len(indices), "indices")
        return _reduced(how, data, indices, segment_ids, count)

    @op(f"SparseSegment{op_name}WithNumSegments", shape=_counted_shape, static="num_segments")
    def counted(data: Any, indices: Any, segment_ids: Any, num_segments: Any) -> Any:
        _check_counted(segment_ids, int(num_segments))
        return _reduced(how, data, indices, segment_ids, int(num_segments))

    grad_op = f"SparseSegment{op_name}Grad"

    def gradient(b: Builder, node: Operation, dy: Any) -> list[Any]:
        data, indices, ids = node.inputs[:3]
        none = [None] * (len(node.inputs) - 1)
        if node.attrs.get("sparse_gradient"):
            shape = b.shape(data)
            values, rows = b.op(f"{grad_op}V2", dy, indices, ids, getitem(b, shape, 0))
            return [IndexedSlices(values, rows, shape), *none]
        return [b.op(grad_op, dy, indices, ids, getitem(b, b.shape(data), 0)), *none]

    kernel.gradient(gradient)
    counted.gradient(gradient)
    _register_gradient_op(grad_op, how)


def _scaled(how: str, grad: Any, ids: Any) -> Any:
    """The gradient of the sum that each selected row takes part in."""
    count = static_shape(grad)[0]
    if on_host(ids):
        bad = np.flatnonzero((ids < 0) | (ids >= count))
        if bad.size:
            raise InvalidArgumentError(f"Segment id {ids[bad[0]]} out of range [0, {count}).")
    xp = namespace(grad, ids)
    if how != "sum":
        rows = _rows_of(how, ids, count, grad.dtype)
        grad = grad / rows.reshape((-1,) + (1,) * (len(static_shape(grad)) - 1))
    return xp.take(grad, ids, axis=0)


def _grad_shape(c: ShapeContext) -> list[Sizes]:
    grad = at_least_rank(c, c.input(0), 1)
    merge(c, with_rank(c, c.input(1), 1), with_rank(c, c.input(2), 1))
    with_rank(c, c.input(3), 0)
    size = c.value(3)
    return [None if grad is None else (None if size is None else int(size), *grad[1:])]


def _grad_v2_shape(c: ShapeContext) -> list[Sizes]:
    (out,) = _grad_shape(c)
    return [None if out is None else (None, *out[1:]), (None,)]


def _register_gradient_op(name: str, how: str) -> Kernel:
    @op(name, shape=_grad_shape, static="output_dim0")
    def dense(grad: Any, indices: Any, segment_ids: Any, output_dim0: Any) -> Any:
        size = int(output_dim0)
        if on_host(indices):
            bad = np.flatnonzero((indices < 0) | (indices >= size))
            if bad.size:
                raise InvalidArgumentError(f"Index {indices[bad[0]]} out of range [0, {size}).")
        return segments.reduce_unsorted("sum", _scaled(how, grad, segment_ids), indices, size)

    @op(f"{name}V2", shape=_grad_v2_shape, runs=Runs.HOST)
    def sparse(grad: Any, indices: Any, segment_ids: Any, dense_output_dim0: Any) -> Any:
        rows, place = np.unique(indices, return_inverse=True)
        values = segments.reduce_unsorted("sum", _scaled(how, grad, segment_ids), place.reshape(-1), len(rows))
        return values, rows

    return dense


_register("Sum", "sum")
_register("Mean", "mean")
_register("SqrtN", "sqrt_n")
