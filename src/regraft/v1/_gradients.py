"""tf.gradients, and gradients of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft import gradients as _engine
from regraft.gradients import AggregationMethod, UnconnectedGradients
from regraft.ir.node import Operation
from regraft.opkit import registry
from regraft.opkit.builder import Builder
from regraft.v1 import _context
from regraft.v1._graph import graph_of

__all__ = [
    "AggregationMethod",
    "NoGradient",
    "NotDifferentiable",
    "RegisterGradient",
    "UnconnectedGradients",
    "gradients",
]


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Add the ops that compute d(sum of ys)/dx for each x; see `regraft.gradients.gradients`."""
    return _engine.gradients(
        graph_of([ys, xs]),
        ys,
        xs,
        grad_ys,
        name,
        colocate_gradients_with_ops,
        gate_gradients,
        aggregation_method,
        stop_gradients,
        unconnected_gradients,
    )


class RegisterGradient:
    """Decorator that registers `function(op, *grads)` as the gradient of an op type, or under a name of its own."""

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def rule(b: Builder, node: Operation, *grads: Any) -> Any:
            with _context.graph_as_default(node.graph):
                return function(node, *grads)

        registry.register_gradient(self._op_type, rule)
        return function


def NotDifferentiable(op_type: str) -> None:
    """Declare that ops of this type stop gradients."""
    registry.register_gradient(op_type, lambda b, node, *grads: [None] * len(node.inputs))


NoGradient = NotDifferentiable
