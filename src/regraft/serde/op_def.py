"""OpDef to proto and back. Summaries and descriptions are dropped: an OpDef in the graph is a signature."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import numpy as np

from regraft import proto
from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import TensorValue
from regraft.ir.op_def import ArgDef, AttrDef, FullType, OpDef

_FIELD = {
    "string": "s",
    "int": "i",
    "float": "f",
    "bool": "b",
    "type": "type",
    "shape": "shape",
    "tensor": "tensor",
    "func": "func",
}

# Where the elements of a constant stand: for the types of TensorFlow's own default values, and the plain ones beside.
_ELEMENTS = {
    dtypes.float32: "float_val",
    dtypes.float64: "double_val",
    dtypes.int32: "int_val",
    dtypes.uint8: "int_val",
    dtypes.int64: "int64_val",
    dtypes.bool_: "bool_val",
    dtypes.string: "string_val",
}


def op_def_from_proto(message: Any) -> OpDef:
    """Return the OpDef of a `proto.OpDef`, or of TensorFlow's own OpDef message.

    raises UnimplementedError if a default value is a function, or a constant of an unusual type;
           InvalidArgumentError if an attr is of no known type, or a constant does not fill its shape
    """
    op = proto.as_ours(message, proto.OpDef)
    return OpDef(
        op.name,
        tuple(map(_arg_from_proto, op.input_arg)),
        tuple(map(_arg_from_proto, op.output_arg)),
        MappingProxyType({attr.name: _attr_from_proto(op.name, attr) for attr in op.attr}),
        is_stateful=op.is_stateful,
        is_commutative=op.is_commutative,
        is_aggregate=op.is_aggregate,
        allows_uninitialized_input=op.allows_uninitialized_input,
        is_distributed_communication=op.is_distributed_communication,
        control_outputs=tuple(op.control_output),
        deprecation=op.deprecation.version,
        deprecation_explanation=op.deprecation.explanation,
    )


def op_def_to_proto(op: OpDef) -> proto.OpDef:
    """Return the `proto.OpDef` of an OpDef."""
    message = proto.OpDef(
        name=op.name,
        input_arg=map(_arg_to_proto, op.inputs),
        output_arg=map(_arg_to_proto, op.outputs),
        attr=map(_attr_to_proto, op.attrs.values()),
        is_stateful=op.is_stateful,
        is_commutative=op.is_commutative,
        is_aggregate=op.is_aggregate,
        allows_uninitialized_input=op.allows_uninitialized_input,
        is_distributed_communication=op.is_distributed_communication,
        control_output=op.control_outputs,
    )
    if op.deprecation:
        message.deprecation.version = op.deprecation
        message.deprecation.explanation = op.deprecation_explanation
    return message


def _full_type_from_proto(message: Any) -> FullType:
    which = message.WhichOneof("attr")
    return FullType(
        message.type_id,
        tuple(map(_full_type_from_proto, message.args)),
        None if which is None else getattr(message, which),
    )


def _full_type_to_proto(full_type: FullType) -> proto.FullTypeDef:
    message = proto.FullTypeDef(type_id=full_type.type_id, args=map(_full_type_to_proto, full_type.args))
    match full_type.attr:
        case str(text):
            message.s = text
        case int(number):
            message.i = number
    return message


def _arg_from_proto(message: proto.OpDef.ArgDef) -> ArgDef:
    full_type = None
    if message.HasField("experimental_full_type"):
        full_type = _full_type_from_proto(message.experimental_full_type)
    return ArgDef(
        message.name,
        message.type,
        message.type_attr,
        message.number_attr,
        message.type_list_attr,
        message.is_ref,
        full_type,
    )


def _arg_to_proto(arg: ArgDef) -> proto.OpDef.ArgDef:
    message = proto.OpDef.ArgDef(
        name=arg.name,
        type=arg.type,
        type_attr=arg.type_attr,
        number_attr=arg.number_attr,
        type_list_attr=arg.type_list_attr,
        is_ref=arg.is_ref,
    )
    if arg.full_type is not None:
        message.experimental_full_type.CopyFrom(_full_type_to_proto(arg.full_type))
    return message


def _element_kind(attr_type: str) -> str:
    return attr_type[len("list(") : -1] if attr_type.startswith("list(") else attr_type


def _attr_from_proto(op_name: str, message: proto.OpDef.AttrDef) -> AttrDef:
    where = f"attr {message.name!r} of op {op_name!r}"
    has_default = message.HasField("default_value")
    allowed = None
    if message.HasField("allowed_values"):
        allowed = _value_from_proto(f"list({_element_kind(message.type)})", message.allowed_values, where)
    return AttrDef(
        message.name,
        message.type,
        _value_from_proto(message.type, message.default_value, where) if has_default else None,
        has_default,
        message.minimum if message.has_minimum else None,
        allowed,
    )


def _attr_to_proto(attr: AttrDef) -> proto.OpDef.AttrDef:
    message = proto.OpDef.AttrDef(name=attr.name, type=attr.type)
    if attr.minimum is not None:
        message.has_minimum = True
        message.minimum = attr.minimum
    if attr.has_default:
        message.default_value.CopyFrom(_value_to_proto(attr.type, attr.default))
    if attr.allowed is not None:
        message.allowed_values.CopyFrom(_value_to_proto(f"list({_element_kind(attr.type)})", attr.allowed))
    return message


def _value_from_proto(attr_type: str, message: proto.AttrValue, where: str) -> Any:
    kind = _element_kind(attr_type)
    if kind not in _FIELD:
        raise InvalidArgumentError(f"{attr_type!r} is no type of an attr", where=(where,))
    if kind == attr_type:
        return _element_from_proto(kind, getattr(message, _FIELD[kind]), where)
    return tuple(_element_from_proto(kind, item, where) for item in getattr(message.list, _FIELD[kind]))


def _element_from_proto(kind: str, value: Any, where: str) -> Any:
    match kind:
        case "type":
            return as_dtype(value)
        case "shape":
            return TensorShape(value)
        case "tensor":
            return _tensor_from_proto(value, where)
        case "func":
            raise UnimplementedError("a function as the default value of an attr is not supported", where=(where,))
    return value


def _value_to_proto(attr_type: str, value: Any) -> proto.AttrValue:
    kind = _element_kind(attr_type)
    if kind == attr_type:
        return proto.AttrValue(**{_FIELD[kind]: _element_to_proto(kind, value)})
    items = [_element_to_proto(kind, item) for item in value]
    return proto.AttrValue(list=proto.AttrValue.ListValue(**{_FIELD[kind]: items}))


def _element_to_proto(kind: str, value: Any) -> Any:
    match kind:
        case "type":
            return value.enum
        case "shape":
            if value.sizes is None:
                return proto.TensorShapeProto(unknown_rank=True)
            dims = [proto.TensorShapeProto.Dim(size=-1 if size is None else size) for size in value.sizes]
            return proto.TensorShapeProto(dim=dims)
        case "tensor":
            return _tensor_to_proto(value)
    return value


def _tensor_from_proto(message: proto.TensorProto, where: str) -> TensorValue:
    dtype = as_dtype(message.dtype)
    if dtype not in _ELEMENTS:
        raise UnimplementedError(f"a {dtype.name} constant as a default value is not supported", where=(where,))
    elements = np.array(getattr(message, _ELEMENTS[dtype]), dtype.numpy)
    shape = [dim.size for dim in message.tensor_shape.dim]
    if min(shape, default=0) < 0 or math.prod(shape) != len(elements):
        raise InvalidArgumentError(f"a constant of shape {shape} has {len(elements)} elements listed", where=(where,))
    return TensorValue(dtype, elements.reshape(shape))


def _tensor_to_proto(value: TensorValue) -> proto.TensorProto:
    shape = proto.TensorShapeProto(dim=[proto.TensorShapeProto.Dim(size=size) for size in value.array.shape])
    message = proto.TensorProto(dtype=value.dtype.enum, tensor_shape=shape)
    getattr(message, _ELEMENTS[value.dtype]).extend(value.array.ravel().tolist())
    return message
