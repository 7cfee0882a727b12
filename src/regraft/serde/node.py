"""Operation to NodeDef. A node that came from a file, and that nobody has changed, leaves as it came."""

from __future__ import annotations

from functools import cache
from typing import Any

from regraft import proto
from regraft.base.shapes import UNKNOWN, TensorShape
from regraft.ir.node import Operation, Tensor
from regraft.ir.op_def import OpDef
from regraft.serde.attr import attr_to_proto, default_to_proto, shape_to_proto
from regraft.serde.file_nodes import FileNodes
from regraft.serde.lazy_attrs import LazyAttrs

_SHAPES = "_output_shapes"


def node_to_proto(op: Operation, message: Any = None, add_shapes: bool = False) -> Any:
    """The NodeDef of an operation, attributes with default values included; into `message` if given.

    add_shapes  with the static shapes of the outputs as the attribute `_output_shapes`
    """
    if message is None:
        message = proto.NodeDef()
    attrs = op.attrs
    if isinstance(attrs, LazyAttrs):
        _put_lazy(op, attrs, message)
    else:
        _put_head(op, message)
        for name, value in attrs.items():
            if name != _SHAPES:
                attr_to_proto(value, message.attr[name])
    if not add_shapes or not op.output_types:
        if _SHAPES in message.attr:
            del message.attr[_SHAPES]
    elif _SHAPES not in message.attr or any(t._shape is not None for t in op._outputs or ()):
        _put_shapes(op, message)
    return message


def input_name(tensor: Tensor) -> str:
    """The tensor as an input of a NodeDef: `node` for the first output, else `node:1`."""
    return f"{tensor.op.name}:{tensor.value_index}" if tensor.value_index else tensor.op.name


def _put_head(op: Operation, message: Any) -> None:
    message.name = op.name
    message.op = op.type
    if op.device:
        message.device = op.device
    message.input.extend([input_name(t) for t in op._inputs])
    # Sorted, as TensorFlow does: the order has no meaning.
    message.input.extend(sorted([f"^{c.name}" for c in op._controls]))


def _put_lazy(op: Operation, attrs: LazyAttrs, message: Any) -> None:
    source = attrs.node
    if attrs.given is None and isinstance(op._latent, FileNodes) and op._latent.as_written(op):
        message.CopyFrom(source)
        if source.device != op.device:
            message.device = op.device
    else:
        _put_head(op, message)
        for name, value in source.attr.items():
            message.attr[name].CopyFrom(value)
        for name, given in (attrs.given or {}).items():
            value = message.attr[name]
            value.Clear()
            attr_to_proto(given, value)
        if source.HasField("experimental_type"):
            message.experimental_type.CopyFrom(source.experimental_type)
    if len(attrs.defaults):
        present = message.attr
        definition = op.graph.op_def(op.type)
        if definition is not None:
            for name, default in default_attrs(definition).items():
                if name not in present:
                    present[name].CopyFrom(default)


@cache
def default_attrs(definition: OpDef) -> dict[str, Any]:
    """The default values of an op's attributes, as AttrValue messages."""
    return {
        a.name: default_to_proto(_typed_default(a.type, a.default)) for a in definition.attrs.values() if a.has_default
    }


def _typed_default(kind: str, value: Any) -> Any:
    return float(value) if kind == "float" else value


def _put_shapes(op: Operation, message: Any) -> None:
    shapes = message.attr[_SHAPES].list.shape
    del shapes[:]
    for tensor in op.outputs:
        shape_to_proto(_shape_of(tensor), shapes.add())


def _shape_of(tensor: Tensor) -> TensorShape:
    try:
        return tensor.shape
    except ValueError:
        return UNKNOWN  # a node that can never run; its error belongs to the run
