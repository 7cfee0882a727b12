"""AttrValue and TensorShapeProto to Python values (see `ir.attr`) and back."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from regraft import proto
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef, Placeholder, TensorValue
from regraft.serde.tensor import tensor_from_proto, tensor_to_proto

_LIST_FIELDS = ("s", "i", "f", "b", "type", "shape", "tensor", "func")


def attr_from_proto(message: Any) -> Any:
    """The value of an AttrValue message; None when it says nothing.

    raises  TypeError for a type number that is none, and what `tensor_from_proto` raises
    """
    kind = message.WhichOneof("value")
    if kind is None:
        return None
    value = getattr(message, kind)
    if kind in ("s", "i", "f", "b"):
        return value
    if kind == "list":
        for field in _LIST_FIELDS:
            items = getattr(value, field)
            if len(items):
                return tuple(items) if field in ("s", "i", "f", "b") else tuple(_item(field, v) for v in items)
        return ()
    return _item(kind, value)


def _item(kind: str, value: Any) -> Any:
    if kind == "type":
        return as_dtype(value) if value else None
    if kind == "shape":
        return shape_from_proto(value)
    if kind == "tensor":
        return tensor_from_proto(value)
    if kind == "func":
        return FunctionRef(value.name, {name: attr_from_proto(item) for name, item in value.attr.items()})
    return Placeholder(value)


def shape_from_proto(message: Any) -> TensorShape:
    """The shape of a TensorShapeProto; sizes below zero are unknown."""
    if message.unknown_rank:
        return TensorShape.of(None)
    return TensorShape.of(tuple([None if d.size < 0 else d.size for d in message.dim]))


def shape_to_proto(shape: TensorShape, message: Any = None) -> Any:
    """The TensorShapeProto of a shape; into `message` if given."""
    if message is None:
        message = proto.TensorShapeProto()
    if shape.sizes is None:
        message.unknown_rank = True
    else:
        message.SetInParent()
        for size in shape.sizes:
            message.dim.add().size = -1 if size is None else size
    return message


def attr_to_proto(value: Any, message: Any = None) -> Any:
    """The AttrValue of a Python value; into `message` if given.

    raises  TypeError for a value of no attribute type
    """
    if message is None:
        message = proto.AttrValue()
    if isinstance(value, (tuple, list)):
        message.list.SetInParent()
        for item in value:
            _put_item(message.list, item)
    elif isinstance(value, (bool, np.bool_)):
        message.b = bool(value)
    elif isinstance(value, (bytes, str)):
        message.s = value if isinstance(value, bytes) else value.encode()
    elif isinstance(value, numbers.Integral):
        message.i = int(value)
    elif isinstance(value, numbers.Real):
        message.f = float(value)
    elif isinstance(value, DType):
        message.type = value.enum
    elif isinstance(value, TensorShape):
        shape_to_proto(value, message.shape)
    elif isinstance(value, TensorValue):
        tensor_to_proto(value, message.tensor)
    elif isinstance(value, FunctionRef):
        _put_function(value, message.func)
    elif isinstance(value, Placeholder):
        message.placeholder = value.name
    elif value is not None:
        raise TypeError(f"{value!r} of type {type(value).__name__} is no value of an attribute")
    return message


def default_to_proto(value: Any, message: Any = None) -> Any:
    """The AttrValue of a default in an OpDef, where constants list their elements; into `message` if given."""
    if not isinstance(value, TensorValue):
        return attr_to_proto(value, message)
    if message is None:
        message = proto.AttrValue()
    tensor_to_proto(value, message.tensor, listed=True)
    return message


def _put_item(message: Any, value: Any) -> None:
    if isinstance(value, (bool, np.bool_)):
        message.b.append(bool(value))
    elif isinstance(value, (bytes, str)):
        message.s.append(value if isinstance(value, bytes) else value.encode())
    elif isinstance(value, numbers.Integral):
        message.i.append(int(value))
    elif isinstance(value, numbers.Real):
        message.f.append(float(value))
    elif isinstance(value, DType):
        message.type.append(value.enum)
    elif isinstance(value, TensorShape):
        shape_to_proto(value, message.shape.add())
    elif isinstance(value, TensorValue):
        tensor_to_proto(value, message.tensor.add())
    elif isinstance(value, FunctionRef):
        _put_function(value, message.func.add())
    else:
        raise TypeError(f"{value!r} of type {type(value).__name__} is no element of a list attribute")


def _put_function(value: FunctionRef, message: Any) -> None:
    message.name = value.name
    attrs: Mapping[str, Any] = value.attrs
    for name, item in attrs.items():
        attr_to_proto(item, message.attr[name])
