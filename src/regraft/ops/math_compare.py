"""Comparisons and boolean algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.elementwise import binary, quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, broadcast, broadcast_shapes, merged

_BOOL = "bool result"


@op("Less", shape=broadcast, elementwise=True, no_gradient=_BOOL)
def less(x: Any, y: Any) -> Any:
    """x < y."""
    return binary(x, y, np.less, "lt")


@op("LessEqual", shape=broadcast, elementwise=True, no_gradient=_BOOL)
def less_equal(x: Any, y: Any) -> Any:
    """x <= y."""
    return binary(x, y, np.less_equal, "le")


@op("Greater", shape=broadcast, elementwise=True, no_gradient=_BOOL)
def greater(x: Any, y: Any) -> Any:
    """x > y."""
    return binary(x, y, np.greater, "gt")


@op("GreaterEqual", shape=broadcast, elementwise=True, mask="compares", no_gradient=_BOOL)
def greater_equal(x: Any, y: Any) -> Any:
    """x >= y."""
    return binary(x, y, np.greater_equal, "ge")


def _equality_shape(c: ShapeContext) -> list[Sizes]:
    if c.attr("incompatible_shape_error", True):
        return broadcast(c)
    a, b = c.input(0), c.input(1)
    if a is None or b is None:
        return [None]
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    for x, y in zip(a, b, strict=True):
        if x != y and 1 not in (x, y):
            return [None if None in (x, y) else ()]
    return [broadcast_shapes(c, a, b)]


def _compatible(x: Any, y: Any) -> bool:
    try:
        np.broadcast_shapes(static_shape(x), static_shape(y))
    except ValueError:
        return False
    return True


@op("Equal", shape=_equality_shape, no_gradient=_BOOL)
def equal(x: Any, y: Any, *, incompatible_shape_error: bool) -> Any:
    """x == y; one False for shapes that do not broadcast, if `incompatible_shape_error` is off."""
    if not incompatible_shape_error and not _compatible(x, y):
        return namespace(x, y).asarray(False)
    return binary(x, y, np.equal, "eq")


@op("NotEqual", shape=_equality_shape, no_gradient=_BOOL)
def not_equal(x: Any, y: Any, *, incompatible_shape_error: bool) -> Any:
    """x != y; one True for shapes that do not broadcast, if `incompatible_shape_error` is off."""
    if not incompatible_shape_error and not _compatible(x, y):
        return namespace(x, y).asarray(True)
    return binary(x, y, np.not_equal, "ne")


@op("ApproximateEqual", shape=merged(), no_gradient=_BOOL)
@quiet
def approximate_equal(x: Any, y: Any, *, tolerance: float) -> Any:
    """|x - y| < tolerance, for tensors of one shape."""
    if static_shape(x) != static_shape(y):
        raise InvalidArgumentError(
            f"x and y must be of the same shape. x shape: {list(static_shape(x))}. y shape: {list(static_shape(y))}"
        )
    return namespace(x, y).abs(x - y) < np.asarray(tolerance, x.dtype)


@op("LogicalAnd", shape=broadcast, elementwise=True, no_gradient=_BOOL)
def logical_and(x: Any, y: Any) -> Any:
    """Whether both are True."""
    return binary(x, y, np.logical_and, "bitwise_and")


@op("LogicalOr", shape=broadcast, elementwise=True, no_gradient=_BOOL)
def logical_or(x: Any, y: Any) -> Any:
    """Whether one is True."""
    return binary(x, y, np.logical_or, "bitwise_or")
