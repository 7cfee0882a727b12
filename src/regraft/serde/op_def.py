"""OpDef to proto and back. Summaries and descriptions are dropped: an OpDef in the graph is a signature."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from regraft import proto
from regraft.ir.op_def import ArgDef, AttrDef, FullType, OpDef
from regraft.serde.attr import attr_from_proto, attr_to_proto, default_to_proto


def op_def_from_proto(message: Any) -> OpDef:
    """Return the OpDef of a `proto.OpDef`, or of TensorFlow's own OpDef message.

    raises what `serde.attr` raises for a default value that is none
    """
    op = proto.as_ours(message, proto.OpDef)
    return OpDef(
        op.name,
        tuple(map(_arg_from_proto, op.input_arg)),
        tuple(map(_arg_from_proto, op.output_arg)),
        MappingProxyType({attr.name: _attr_from_proto(attr) for attr in op.attr}),
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


def _attr_from_proto(message: proto.OpDef.AttrDef) -> AttrDef:
    has_default = message.HasField("default_value")
    return AttrDef(
        message.name,
        message.type,
        attr_from_proto(message.default_value) if has_default else None,
        has_default,
        message.minimum if message.has_minimum else None,
        attr_from_proto(message.allowed_values) if message.HasField("allowed_values") else None,
    )


def _attr_to_proto(attr: AttrDef) -> proto.OpDef.AttrDef:
    message = proto.OpDef.AttrDef(name=attr.name, type=attr.type)
    if attr.minimum is not None:
        message.has_minimum = True
        message.minimum = attr.minimum
    if attr.has_default:
        default_to_proto(attr.default, message.default_value)
    if attr.allowed is not None:
        attr_to_proto(attr.allowed, message.allowed_values)
    return message
