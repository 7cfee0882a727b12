"""Moving averages of one value: `variable -= (variable - value) * (1 - decay)`."""

from __future__ import annotations

from typing import Any

from regraft.v1._math import cast
from regraft.v1._math import pow as power
from regraft.v1._opening import opened
from regraft.v1._variable_scope import get_variable, get_variable_scope, variable_scope
from regraft.v1._variables import assign, assign_sub
from regraft.variables.initializers import Zeros


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """Move the variable to `value` by the share 1 - decay; returns the moved reference.

    zero_debias  whether to make up for the start at zero, with two more variables below the name of this one
    """
    with opened(name, "AssignMovingAvg", variable, value, decay) as (b, scope):
        rate = b.convert(1.0 - decay, name="decay")
        if rate.dtype.base is not variable.dtype.base:
            rate = cast(rate, variable.dtype.base)
        if zero_debias:
            return _debiased(b, variable, value, rate)
        return assign_sub(variable, (variable - value) * rate, name=scope)


def _unique(name: str) -> str:
    """`name`, with a number behind it where the variable scope has a variable of that name and is not reused."""
    scope = get_variable_scope()
    if scope.reuse:
        return name
    there = {v.op.name for v in scope.global_variables()}
    found, number = name, 0
    while f"{scope.name}/{found}" in there:
        number += 1
        found = f"{name}_{number}"
    return found


def _debiased(b: Any, variable: Any, value: Any, rate: Any) -> Any:
    kind = variable.dtype.base
    with (
        variable_scope(variable.name.removesuffix(":0"), values=[variable, value, rate]),
        b.graph.colocate_with(variable),
    ):
        biased = get_variable(
            _unique("biased"), shape=variable.get_shape(), dtype=kind, initializer=Zeros(), trainable=False
        )
        steps = get_variable(_unique("local_step"), shape=[], dtype=kind, initializer=Zeros(), trainable=False)
    moved = assign_sub(biased, (biased - value) * rate)
    counted = steps.assign_add(1)
    factor = 1 - power(1.0 - rate, counted)
    return assign(variable, moved / factor, name=b.graph.get_name_scope() + "/")
