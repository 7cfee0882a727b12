"""`tensorflow.python.framework.tensor_shape`: shapes made of numbers."""

from __future__ import annotations

from typing import Any

from regraft.base.shapes import Dimension as Dimension
from regraft.base.shapes import TensorShape as TensorShape
from regraft.base.shapes import as_shape as as_shape
from regraft.v1.compat import dimension_at_index as dimension_at_index
from regraft.v1.compat import dimension_value as dimension_value


def as_dimension(value: Any) -> Dimension:
    """An int, None or Dimension as a Dimension."""
    return value if isinstance(value, Dimension) else Dimension(value)


def unknown_shape(ndims: int | None = None, rank: int | None = None) -> TensorShape:
    """A shape of which at most the rank is known."""
    count = rank if ndims is None else ndims
    return TensorShape(None if count is None else [None] * count)


def scalar() -> TensorShape:
    return TensorShape([])


def vector(length: Any) -> TensorShape:
    return TensorShape([length])


def matrix(rows: Any, cols: Any) -> TensorShape:
    return TensorShape([rows, cols])
