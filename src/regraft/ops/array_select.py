"""Choosing elements by a condition, and one-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation, Tensor
from regraft.opkit import broadcast_gradient, elementwise
from regraft.opkit.arrays import lax, namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.registry import Runs, op
from regraft.opkit.several import only_first
from regraft.opkit.shapes import ShapeContext, Sizes, broadcast_shapes, merge, merge_dim, with_rank


def _select_shape(c: ShapeContext) -> list[Sizes]:
    condition, data = c.input(0), merge(c, c.input(1), c.input(2))
    if condition is None or data is None:
        return [data]
    if len(condition) == 0:
        return [data]
    if len(condition) == 1 and len(data) > 0:
        merge_dim(c, data[0], condition[0], 0)
        return [data]
    return [merge(c, data, condition)]


def _where(condition: Any, x: Any, y: Any) -> Any:
    if on_host(condition, x, y):
        return np.asarray(np.where(condition, x, y), x.dtype)
    return lax.select(*(namespace(condition, x, y).asarray(v) for v in (condition, x, y)))


@op("Select", shape=_select_shape)
def select(condition: Any, t: Any, e: Any) -> Any:
    """t where the condition holds, else e. A vector of conditions picks rows, a scalar all or nothing.

    raises InvalidArgumentError if t and e differ in shape, or the condition has neither their shape nor one of those
    """
    shape, given = static_shape(t), static_shape(condition)
    if static_shape(e) != shape:
        raise InvalidArgumentError(
            f"'then' and 'else' must have the same size.  but received: {list(shape)} vs. {list(static_shape(e))}"
        )
    if given not in ((), shape):
        if len(given) != 1 or not shape:
            raise InvalidArgumentError(
                f"Inputs to operation Select must have the same size and shape: {list(given)} vs. {list(shape)}"
            )
        if given[0] != shape[0]:
            raise InvalidArgumentError(
                f"Number of batches of 'then' must match size of 'cond', but saw: {shape[0]} vs. {given[0]}"
            )
        condition = condition.reshape((given[0],) + (1,) * (len(shape) - 1))
    return _where(elementwise.broadcast_to(condition, shape), t, e)


def _picked(b: Builder, condition: Any, x: Any, y: Any) -> Tensor:
    out: Tensor = b.Select(condition, x, y)
    return out


@select.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    condition, x = node.inputs[:2]
    zeros = b.zeros_like(x)
    return [None, _picked(b, condition, dy, zeros), _picked(b, condition, zeros, dy)]


def _select_v2_shape(c: ShapeContext) -> list[Sizes]:
    values = broadcast_shapes(c, c.input(1), c.input(2))
    return [broadcast_shapes(c, c.input(0), values)]


@op("SelectV2", shape=_select_v2_shape, elementwise=True)
def select_v2(condition: Any, t: Any, e: Any) -> Any:
    """t where the condition holds, else e; all three broadcast. InvalidArgumentError if they do not."""
    return _where(*elementwise.broadcast(condition, t, e))


@select_v2.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    condition, x, y = node.inputs
    out = node.outputs[0]
    zeros = b.zeros([], dtype=dy.dtype.base)
    dx = b.SelectV2(condition, dy, zeros)
    d_other = b.SelectV2(condition, zeros, dy)
    dx, _ = broadcast_gradient.reduce_gradients(b, x, out, dx, None)
    d_other, _ = broadcast_gradient.reduce_gradients(b, y, out, d_other, None)
    return [None, dx, d_other]


def _where_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    return [(None, None if sizes is None else len(sizes))]


@op("Where", shape=_where_shape, runs=Runs.HOST, no_gradient="integer result")
def where(input: Any) -> Any:
    """The coordinates of all elements that are not zero: int64 [found, rank of the input], in row-major order."""
    return np.argwhere(input).astype(np.int64)


def _one_hot_shape(c: ShapeContext) -> list[Sizes]:
    axis = c.attr("axis", -1)
    if axis < -1:
        raise c.fail("axis must be >= -1")
    depth = c.value(1)
    for i in (1, 2, 3):
        with_rank(c, c.input(i), 0)
    if depth is not None and depth < 0:
        raise c.fail(f"Dimension size, given by scalar input 1, must be non-negative but is {int(depth)}")
    indices = c.input(0)
    if indices is None:
        return [None]
    if axis > len(indices):
        raise c.fail(f"axis {axis} must be at most {len(indices)}")
    at = len(indices) if axis == -1 else axis
    return [(*indices[:at], None if depth is None else int(depth), *indices[at:])]


@op("OneHot", shape=_one_hot_shape, static="depth", no_gradient="not defined by TensorFlow")
def one_hot(indices: Any, depth: Any, on_value: Any, off_value: Any, *, axis: int) -> Any:
    """`on_value` at position indices[i] of a new dimension of size `depth`, `off_value` everywhere else of it."""
    rank = len(static_shape(indices))
    if axis < -1 or axis > rank:
        raise InvalidArgumentError(f"Expected axis to be -1 or between [0, {rank}].  But received: {axis}")
    if np.ndim(depth) or depth < 0:
        raise InvalidArgumentError(f"depth must be non-negative, got: {depth}")
    at = rank if axis == -1 else axis
    xp = namespace(indices, on_value, off_value)
    positions = np.arange(int(depth), dtype=np.int64).reshape((-1,) + (1,) * (rank - at))
    wide = xp.expand_dims(xp.asarray(indices).astype(np.int64), at)
    hot = wide == xp.asarray(positions)
    return _where(hot, xp.broadcast_to(on_value, hot.shape), xp.broadcast_to(off_value, hot.shape))


@one_hot.rows
def _(indices: Any, depth: Any, on_value: Any, off_value: Any, *, axis: int, rows: Sequence[Any]) -> Any:
    if not only_first(rows) or axis < -1:
        return None
    return one_hot(indices, depth, on_value, off_value, axis=axis if axis == -1 else axis + 1)
