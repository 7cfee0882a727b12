"""Building a while loop of v1: Enter and Merge for each loop variable, a condition, a body, the way back, Exits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit import control_nodes, nest
from regraft.opkit.builder import Builder
from regraft.opkit.conditional import as_flow, is_variable, like_flow
from regraft.opkit.control_context import ControlFlowContext, WhileContext, is_constant_enter
from regraft.opkit.slices import IndexedSlices


def build_loop(
    b: Builder,
    context: WhileContext,
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
) -> tuple[Any, int]:
    """Add the loop of a new context; call it in the loop's name scope.

    loop_vars         a list or tuple: structures of tensors, or what becomes tensors
    shape_invariants  the shapes that the variables keep in all iterations, in the structure of `loop_vars`
    returns           the variables after the last iteration, in the structure that `body` returns; how many tensors
    raises            ValueError or TypeError where `body` gives other variables than it takes
    """
    given = nest.flatten(loop_vars)
    loop_vars = nest.pack(loop_vars, [v if hasattr(v, "_with_flow") else b.convert(v) for v in given])
    tensors = [as_flow(v) for v in nest.flatten(loop_vars)]
    with context.entered():
        result, exits = _build(b, context, cond, body, loop_vars, tensors, _invariants(loop_vars, shape_invariants))
    leaves = nest.flatten(result)
    return nest.pack(result, [like_flow(v, t) for v, t in zip(leaves, exits, strict=True)]), len(exits)


def _build(
    b: Builder,
    context: WhileContext,
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    tensors: list[Tensor],
    invariants: list[TensorShape],
) -> tuple[Any, list[Tensor]]:
    graph = b.graph
    outer = context.outer_context
    context.only_knows(tensors)
    outside = tensors if outer is None else [outer.AddValue(t) for t in tensors]
    enters = []
    for tensor, invariant in zip(outside, invariants, strict=True):
        entered = context.entering(tensor, is_constant=False, keep_shape=False)
        if not control_nodes.at_most(tensor.shape.sizes, invariant.sizes):
            raise ValueError(
                f"The shape invariant specified for {tensor.name} is not compatible with the initial shape of the loop "
                f"variable. It enters the loop with shape {tensor.shape}, but the specified shape invariant is "
                f"{invariant}."
            )
        entered.set_shape(invariant)
        enters.append(entered)
    pivot = _pivot_around(outer)
    if pivot is not None:
        for entered in enters:
            if is_constant_enter(entered.op.inputs[0].op):
                graph.add_control_inputs(entered.op, (pivot.op,))
    context.fix_enters(enters)
    context.only_knows(enters)
    context.loop_enters = enters

    merges = [control_nodes.merge(b, [t, t])[0] for t in enters]
    context.pivot_for_pred = merges[0]
    given = nest.flatten(loop_vars)
    condition = b.convert(cond(*_packed(loop_vars, given, merges)))
    context.pivot = b.op("LoopCond", condition, name="LoopCond")
    switches = [control_nodes.switch_beside(b, t, context.pivot) for t in merges]

    inside = [_identity(b, taken) for _, taken in switches]
    context.pivot_for_body = inside[0]
    packed = _packed(loop_vars, given, inside)
    result = body(*packed)
    if not nest.is_nested(result):
        result = [result]
    result = nest.map_structure(lambda v: b.convert(v) if is_variable(v) else v, result)
    nest.check_same(list(packed), list(result))
    after = [b.convert(as_flow(v)) for v in nest.flatten(result)]
    if len(after) != len(merges):
        raise ValueError(
            f"Number of inputs and outputs of 'body' must match 'loop_vars'. Got {len(merges)} for the number of "
            f"inputs/outputs, and {len(after)} for 'loop_vars'."
        )
    for merged, value in zip(merges, after, strict=True):
        control_nodes.add_back_edge(b, merged, value)
    exits = [control_nodes.exit(b, left) for left, _ in switches]
    context.loop_exits = exits
    context.ExitResult(exits)
    return result, exits


def _identity(b: Builder, tensor: Tensor) -> Tensor:
    same: Tensor = b.op("RefIdentity" if tensor.dtype.is_ref else "Identity", tensor)
    return same


def _packed(structure: Any, given: list[Any], tensors: list[Tensor]) -> Any:
    return nest.pack(structure, [like_flow(v, t) for v, t in zip(given, tensors, strict=True)])


def _pivot_around(context: ControlFlowContext | None) -> Tensor | None:
    """The pivot of the nearest context around that has one."""
    while context is not None:
        pivot = context.GetControlPivot()
        if pivot is not None:
            return pivot
        context = context.outer_context
    return None


def _invariants(loop_vars: Any, shapes: Any) -> list[TensorShape]:
    """The shape that each tensor keeps: what is given, else its own."""
    if shapes is None:
        return [as_flow(v).shape for v in nest.flatten(loop_vars)]
    return list(_shapes(loop_vars, shapes))


def _shapes(value: Any, shape: Any) -> Iterator[TensorShape]:
    if isinstance(value, IndexedSlices):
        dense = TensorShape(shape)
        if dense.rank is None:
            yield from (TensorShape(None), TensorShape([None]))
        else:
            yield from (TensorShape([None, *dense.as_list()[1:]]), TensorShape([None]))
        if value.dense_shape is not None:
            yield TensorShape([dense.rank])
    elif not nest.is_nested(value):
        if not isinstance(shape, TensorShape) and not hasattr(shape, "shape"):
            raise TypeError(f"'shape' must be one of TypeSpec, TensorShape or None. Received: {type(shape)}")
        yield TensorShape(getattr(shape, "shape", shape)) if not isinstance(shape, TensorShape) else shape
    elif not nest.is_nested(shape) or len(shape) != len(value):
        raise ValueError(f"shape_invariants {shape} do not have the structure of the loop variables {value}")
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from _shapes(value[key], shape[key])
    else:
        for v, s in zip(value, shape, strict=True):
            yield from _shapes(v, s)
