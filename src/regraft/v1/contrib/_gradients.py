"""What training does to gradients between computing and applying them: clip, multiply, summarise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from regraft.ir.node import Tensor
from regraft.opkit.slices import IndexedSlices
from regraft.v1 import summary
from regraft.v1._clip import clip_by_norm, global_norm
from regraft.v1._opening import on

_log = logging.getLogger("regraft")


def with_values(gradient: Any, function: Callable[[Any], Any]) -> Any:
    """The gradient with `function` applied to its values."""
    if isinstance(gradient, IndexedSlices):
        return IndexedSlices(function(gradient.values), gradient.indices, gradient.dense_shape)
    return function(gradient)


def values_of(gradient: Any) -> Any:
    """The values of slices; a tensor as it is."""
    return gradient.values if isinstance(gradient, IndexedSlices) else gradient


def add_gradients_summaries(grads_and_vars: Any, separator: str) -> list[Any]:
    """A histogram of each gradient, and its norm."""
    found = []
    for gradient, variable in grads_and_vars:
        if gradient is None:
            _log.info("Var %s has no gradient", variable.op.name)
            continue
        name = variable.op.name + separator
        found.append(summary.histogram(name + "gradient", values_of(gradient)))
        found.append(summary.scalar(name + "gradient_norm", global_norm([values_of(gradient)])))
    return found


def clip_gradient_norms(gradients_to_variables: Any, max_norm: Any) -> list[Any]:
    """Each gradient scaled down to the norm `max_norm` where it is larger."""
    return [
        (None if gradient is None else with_values(gradient, lambda values: clip_by_norm(values, max_norm)), variable)
        for gradient, variable in gradients_to_variables
    ]


def multiply_gradients(grads_and_vars: Any, gradient_multipliers: Any, constants: bool = False) -> list[Any]:
    """Gradients times the numbers that `gradient_multipliers` has for their variables, or for the variables' names.

    constants  whether numbers become constants of their own name scope, as slim makes them
    raises     ValueError for other types, no multipliers, and a variable without a gradient
    """
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers:
        raise ValueError("`gradient_multipliers` is empty.")
    if not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict.")
    found = []
    for gradient, variable in grads_and_vars:
        key = variable if variable in gradient_multipliers else variable.op.name
        if key in gradient_multipliers:
            if gradient is None:
                raise ValueError("Requested multiple of `None` gradient.")
            factor = gradient_multipliers[key]
            if constants and not isinstance(factor, Tensor):
                factor = on(gradient).constant(factor, gradient.dtype)
            elif not constants:
                factor = on(gradient).convert(factor, gradient.dtype.base)
            gradient = with_values(gradient, _times(factor))
        found.append((gradient, variable))
    return found


def _times(factor: Any) -> Callable[[Any], Any]:
    return lambda values: values * factor
