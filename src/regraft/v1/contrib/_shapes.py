"""Tensors that must have a shape: known now, or checked when the graph runs."""

from __future__ import annotations

from typing import Any

from regraft.base.shapes import TensorShape
from regraft.v1 import _context
from regraft.v1._array import shape
from regraft.v1._assertion import Assert
from regraft.v1._graph_control import with_dependencies
from regraft.v1._math import equal
from regraft.v1._reduction import reduce_all

__all__ = ["with_same_shape", "with_shape"]


def with_shape(expected_shape: Any, tensor: Any) -> Any:
    """The tensor, of which this shape is known from here on. ValueError where it is known to have another."""
    b = _context.builder()
    tensor = b.convert(tensor)
    expected = TensorShape(expected_shape)
    if not tensor.shape.is_compatible_with(expected):
        raise ValueError(f"Invalid shape for tensor {tensor.name}, expected {expected}, got {tensor.shape}.")
    if tensor.shape.is_fully_defined() or not expected.is_fully_defined():
        return tensor
    actual, wanted = shape(tensor), b.constant(expected.as_list(), "int32")
    message = f"Wrong shape for {tensor.name}: expected, actual"
    check = Assert(reduce_all(equal(actual, wanted)), [message, wanted, actual])
    checked = with_dependencies([check], tensor)
    checked.set_shape(expected)
    return checked


def with_same_shape(expected_tensor: Any, tensor: Any) -> Any:
    """`with_shape` of another tensor, whose shape must be known."""
    return with_shape(_context.builder().convert(expected_tensor).shape, tensor)
