"""Gradients of the primitives of v1 control flow, which depend on the contexts that their operations are in."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation, Tensor
from regraft.opkit import control_nodes, registry
from regraft.opkit.builder import Builder
from regraft.opkit.control_context import CondContext, WhileContext
from regraft.opkit.flow import output_context
from regraft.opkit.loop_gradient import LoopGradient
from regraft.opkit.slices import IndexedSlices


def _switch(b: Builder, node: Operation, *grads: Any) -> list[Any]:
    """The gradient of whichever side was alive."""
    context = node.control_flow_context
    if isinstance(context, WhileContext):
        state = _here(b).grad_state
        merged = state.switches.get(node)
        if merged is not None:  # the second visit, from the loop's body
            if grads[1] is not None:
                control_nodes.add_back_edge(b, merged, grads[1], check_shape=False)
            return [None, None]
        if grads[0] is None:
            return [None, None]
        state.switches[node] = control_nodes.merge(b, [grads[0], grads[0]], name="b_switch")[0]
        return [state.switches[node], None]
    if isinstance(context, CondContext):
        # The engine filled in zeros for the other branch, behind a Switch of their own.
        if grads[1 - context.branch] is None:
            if node.inputs[0].dtype.base is not dtypes.resource:
                return [None, None]
            return [control_nodes.merge(b, [grads[context.branch]] * 2, name="cond_resource_grad")[0], None]
        return [control_nodes.merge(b, grads, name="cond_grad")[0], None]
    false = control_nodes.switch(b, grads[0], node.inputs[1])[0]
    true = control_nodes.switch(b, grads[1], node.inputs[1])[1]
    return [control_nodes.merge(b, [false, true])[0], None]


def _merge(b: Builder, node: Operation, grad: Any, _: Any) -> list[Any]:
    """The gradient, sent back to whichever input was alive."""
    context = output_context(node.inputs[0].op)
    here = _here(b)
    if isinstance(context, WhileContext):
        return list(control_nodes.switch_beside(b, grad, here.pivot))
    if isinstance(context, CondContext):
        state = None if here is None else here.grad_state
        pred = context.pred if state is None else _remembered(state, context.pred)
        return list(control_nodes.switch_beside(b, grad, pred, name="cond_grad"))
    chosen = [b.Equal(node.outputs[1], i) for i in range(len(node.inputs))]
    return [control_nodes.switch_beside(b, grad, c)[1] for c in chosen]


def _remembered(state: LoopGradient, pred: Tensor) -> Tensor:
    """The condition of a conditional in a loop, for the iteration whose gradient this is."""
    found = state.history.get(pred.name)
    if found is None:
        with state.suspended():
            stack = state.push(pred)
        found = state.history[pred.name] = state.pop(stack, pred)
    return found


def _here(b: Builder) -> Any:
    return b.graph.scopes.control_flow_context


def _exit(b: Builder, node: Operation, grad: Any) -> list[Any]:
    """The gradient enters the gradient loop."""
    context = _here(b)
    if not context.back_prop:
        return [None]
    if node.control_flow_context.grad_state:
        raise TypeError("Second-order gradient for while loops not supported.")
    for part in (grad,) if isinstance(grad, Tensor) else (grad.values, grad.indices, grad.dense_shape):
        if part is not None:
            context.AddName(part.name)
    with context.entered():
        entered = control_nodes.enter(b, grad, context.name, False, context.parallel_iterations, name="b_exit")
    context.loop_enters.append(entered)
    return [entered]


def _next_iteration(b: Builder, node: Operation, grad: Any) -> list[Any]:
    return [grad]


def _enter(b: Builder, node: Operation, grad: Any) -> list[Any]:
    """The gradient leaves the gradient loop; that of a loop invariant is summed up there."""
    context = _here(b)
    if context is None or not context.back_prop or context.grad_state is None:
        return [grad]
    if node.attrs["is_constant"]:
        if isinstance(grad, IndexedSlices):
            return [context.grad_state.accumulated_slices(node, grad)]
        return [context.grad_state.accumulated(node, grad)]
    left = control_nodes.exit(b, grad)
    context.loop_exits.append(left)
    context.ExitResult([left])
    return [left]


for _name, _rule in (("Exit", _exit), ("NextIteration", _next_iteration), ("Enter", _enter)):
    registry.register_gradient(_name, _rule)
    registry.register_gradient(f"Ref{_name}", _rule)
for _name in ("Switch", "RefSwitch"):
    registry.register_gradient(_name, _switch)
for _name in ("Merge", "RefMerge"):
    registry.register_gradient(_name, _merge)
