"""Gradients of the primitives of v1 control flow, which depend on the contexts that their operations are in."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation
from regraft.opkit import control_nodes, registry
from regraft.opkit.builder import Builder
from regraft.opkit.control_context import CondContext
from regraft.opkit.flow import output_context


def _switch(b: Builder, node: Operation, *grads: Any) -> list[Any]:
    """The gradient of whichever side was alive."""
    context = node.control_flow_context
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
    if isinstance(context, CondContext):
        return list(control_nodes.switch_beside(b, grad, context.pred, name="cond_grad"))
    chosen = [b.Equal(node.outputs[1], i) for i in range(len(node.inputs))]
    return [control_nodes.switch_beside(b, grad, c)[1] for c in chosen]


for _name in ("Switch", "RefSwitch"):
    registry.register_gradient(_name, _switch)
for _name in ("Merge", "RefMerge"):
    registry.register_gradient(_name, _merge)
