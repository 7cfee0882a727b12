"""tf.custom_gradient: a function that brings its own gradient."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.v1 import _context, nest
from regraft.v1._gradients import RegisterGradient
from regraft.v1._graph import convert_to_tensor
from regraft.variables import ResourceVariable

__all__ = ["custom_gradient", "grad_pass_through"]

_NUMBERS = itertools.count()
_VARIABLE_OPS = ("VariableV2", "VarHandleOp")


def custom_gradient(f: Any = None) -> Any:
    """Make `f(*tensors)`, which returns its result and a function for the gradient, a function with that gradient.

    The gradient function gets the gradients of the results, and returns those of the arguments. Where `f` reads
    variables, it takes `variables=` too, and returns a pair: gradients of the arguments, gradients of the variables.

    raises  TypeError for a gradient function that does not take the variables, and for reference variables made in `f`;
            ValueError for keyword arguments
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise ValueError(
                "The custom_gradient decorator currently supports keywords arguments only when eager execution is "
                "enabled."
            )
        return _called(f, args)

    return decorated


def _called(f: Callable[..., Any], args: Any) -> Any:
    args = nest.map_structure(convert_to_tensor, args)
    before = set(map(id, _variables()))
    result, gradient = f(*args)
    for variable in _variables():
        if id(variable) not in before and not isinstance(variable, ResourceVariable):
            raise TypeError(
                "All variables used by a function wrapped with @custom_gradient must be `ResourceVariable`s. Ensure "
                "that no `variable_scope` is created with `use_resource=False`."
            )
    inputs, outputs = nest.flatten(args), nest.flatten(result)
    variables = _read_between(inputs, outputs)
    _check(gradient, variables)
    b = _context.builder()
    name = f"CustomGradient-{next(_NUMBERS)}"

    @RegisterGradient(name)
    def rule(op: Any, *grads: Any) -> list[Any]:
        return [None] * len(outputs) + _gradients(gradient, grads[: len(outputs)], variables)

    with b.graph.gradient_override_map({"IdentityN": name}):
        passed = b.IdentityN([*outputs, *inputs, *variables])
    for variable in variables:
        b.convert(variable)  # TensorFlow looks at the value once more, and leaves a read behind
    return nest.pack_sequence_as(result, list(passed)[: len(outputs)])


def _gradients(gradient: Callable[..., Any], grads: Sequence[Any], variables: list[Any]) -> list[Any]:
    """The gradients of the arguments, and behind them those of the variables."""
    if not variables:
        return nest.flatten(gradient(*grads))
    of_inputs, of_variables = gradient(*grads, variables=variables)
    if len(of_variables) != len(variables):
        raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
    return [*nest.flatten(of_inputs), *of_variables]


def _variables() -> list[Any]:
    graph = _context.get_default_graph()
    return graph.get_collection(GraphKeys.GLOBAL_VARIABLES) + graph.get_collection(GraphKeys.LOCAL_VARIABLES)


def _read_between(inputs: list[Tensor], outputs: list[Any]) -> list[Any]:
    """The trainable variables that the outputs depend on other than through the inputs, by name."""
    b = _context.builder()
    # TensorFlow begins its search at copies of the outputs, which stay in the graph.
    waiting = [b.Identity(t).op for t in outputs if isinstance(t, Tensor)]
    stop = set(inputs)
    seen = set()
    names = set()
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        if op.type in _VARIABLE_OPS:
            names.add(op.name)
        waiting += [t.op for t in op.inputs if t not in stop]
    found = b.graph.get_collection(GraphKeys.GLOBAL_VARIABLES)
    used = {v.name: v for v in found if getattr(v, "trainable", False) and v.op.name in names}
    return [used[name] for name in sorted(used)]


def _check(gradient: Callable[..., Any], variables: list[Any]) -> None:
    """TypeError unless a gradient function takes the variables, where there are some."""
    parameters = inspect.signature(gradient).parameters.values()
    takes = any(p.kind is p.VAR_KEYWORD or p.name == "variables" for p in parameters)
    if variables and not takes:
        raise TypeError(
            "@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses variables: "
            f"{[v.name for v in variables]}"
        )


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with the gradient of the identity: what comes back goes to its arguments as it is."""

    @custom_gradient
    def passing(*args: Any) -> Any:
        def gradient(*grads: Any, variables: Any = None) -> Any:
            return grads if variables is None else (grads, [None] * len(variables))

        return f(*args), gradient

    decorated: Callable[..., Any] = passing
    return decorated
