"""Calling a kernel for a node: inputs grouped as the OpDef groups them, attributes by name, outputs as a flat tuple."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from regraft.base.errors import InternalError, UnimplementedError
from regraft.ir.op_def import ArgDef, OpDef
from regraft.opkit import registry

if TYPE_CHECKING:
    from regraft.ir.node import Operation
    from regraft.opkit.registry import OpSpec


def arg_length(arg: ArgDef, attrs: Any) -> int:
    """How many tensors an argument of the OpDef stands for in a node with these attributes."""
    if arg.number_attr:
        return int(attrs[arg.number_attr])
    if arg.type_list_attr:
        return len(attrs[arg.type_list_attr])
    return 1


def group_inputs(definition: OpDef, attrs: Any, flat: Sequence[Any]) -> list[Any]:
    """Flat inputs as the kernel takes them: list arguments become tuples."""
    if not any(arg.is_list for arg in definition.inputs):
        return list(flat)
    grouped: list[Any] = []
    at = 0
    for arg in definition.inputs:
        if arg.is_list:
            count = arg_length(arg, attrs)
            grouped.append(tuple(flat[at : at + count]))
            at += count
        else:
            grouped.append(flat[at])
            at += 1
    return grouped


def flat_index(definition: OpDef, attrs: Any, name: str) -> range:
    """The flat positions of the input argument `name`."""
    at = 0
    for arg in definition.inputs:
        count = arg_length(arg, attrs)
        if arg.name == name:
            return range(at, at + count)
        at += count
    raise InternalError(f"op {definition.name!r} has no input named {name!r}")


def definition_of(node: Operation) -> OpDef:
    """The OpDef of a node. UnimplementedError when neither the file nor TensorFlow knows the op."""
    definition = node.graph.op_def(node.type)
    if definition is None:
        spec = registry.lookup(node.type)
        if spec is not None:  # a program's own kernel for an op without a signature: its parameters are the inputs
            return OpDef(node.type, tuple(ArgDef(name) for name in spec.input_names))
        raise UnimplementedError(
            f"op {node.type!r} has no known signature",
            where=(f"node {node.name!r}",),
            hint=f'add it with @regraft.register_op("{node.type}"), or fetch what does not need it',
            op=node,
        )
    return definition


def attr_values(spec: OpSpec, node: Operation, definition: OpDef) -> dict[str, Any]:
    """The attributes that the kernel names: the node's, or the OpDef's defaults."""
    values = {}
    for name in spec.attr_names:
        value = node.attrs.get(name)
        if value is None:
            attr = definition.attrs.get(name)
            if attr is not None and attr.has_default:
                value = attr.default
        values[name] = value
    return values


def bind_kernel(spec: OpSpec, node: Operation) -> Callable[..., tuple[Any, ...]]:
    """The node's kernel with its attributes bound: a function of the flat inputs (and `rng=`, `session=`).

    Everything that depends on the node alone is worked out here, once.
    """
    definition = definition_of(node)
    attrs = attr_values(spec, node, definition)
    kernel = spec.kernel
    if kernel is None:
        raise InternalError(
            f"op {node.type!r} is run by the executor and has no kernel", where=(f"node {node.name!r}",)
        )
    grouped = any(arg.is_list for arg in definition.inputs)

    def run(*flat: Any, **context: Any) -> tuple[Any, ...]:
        inputs = group_inputs(definition, node.attrs, flat) if grouped else flat
        result = kernel(*inputs, **attrs, **context)
        if result is None:
            return ()
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)

    return run


def bind_rows(spec: OpSpec, node: Operation) -> Callable[..., Any]:
    """The node's rule for several elements at once with its attributes bound: a function of flat inputs and `rows`."""
    definition = definition_of(node)
    attrs = attr_values(spec, node, definition)
    rule = spec.rows
    assert rule is not None

    def run(*flat: Any, rows: Sequence[bool]) -> Any:
        given, flags = (group_inputs(definition, node.attrs, part) for part in (flat, rows))
        return rule(*given, **attrs, rows=flags)

    return run


def call_kernel(spec: OpSpec, node: Operation, inputs: Sequence[Any], **context: Any) -> tuple[Any, ...]:
    """Call the node's kernel once. See `bind_kernel` for repeated calls."""
    return bind_kernel(spec, node)(*inputs, **context)
