"""Moving averages of variables and tensors: average = decay * average + (1 - decay) * value, a step at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation
from regraft.opkit.builder import Builder
from regraft.train import slots
from regraft.variables import ResourceVariable, Variable
from regraft.variables.ambient import default_graph
from regraft.variables.scope import get_variable, get_variable_scope, variable_scope

_FLOATS = (dtypes.bfloat16, dtypes.half, dtypes.float32, dtypes.float64)
_VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """An operation that moves `variable` towards `value`: variable -= (1 - decay) * (variable - value).

    zero_debias  the variable starts at zero: correct for that, with two more variables beside it (Kingma and Ba 2015,
                 section 3)
    returns      the new average
    """
    graph: Graph = variable.graph
    b = Builder(graph)
    with graph.name_scope(name or "AssignMovingAvg") as scope:
        step: Any = b.convert(1.0 - decay, name="decay")
        if step.dtype.base is not variable.dtype.base_dtype:
            step = b.cast(step, variable.dtype.base_dtype)
        if zero_debias:
            return _zero_debiased(graph, variable, value, step)
        return _assign_sub(b, variable, (variable - value) * step, scope)


def _assign_sub(b: Builder, variable: Any, delta: Any, name: str | None = None) -> Any:
    if isinstance(variable, ResourceVariable):
        return variable.assign_sub(delta)
    return b.op("AssignSub", variable._ref(), delta, name=name)


def _zero_debiased(graph: Graph, variable: Any, value: Any, step: Any) -> Any:
    b = Builder(graph)
    with variable_scope(graph, variable.name[: -len(":0")]), graph.colocate_with(variable):
        options: dict[str, Any] = {"dtype": variable.dtype.base_dtype, "trainable": False}
        biased = get_variable(
            graph,
            _free_name(graph, "biased"),
            initializer=slots.zeros(graph),
            shape=variable.get_shape(),
            **options,
        )
        count = get_variable(
            graph, _free_name(graph, "local_step"), shape=[], initializer=slots.zeros(graph), **options
        )
    moved = _assign_sub(b, biased, (biased - value) * step)
    counted = count.assign_add(1)
    factor = 1 - b.op("Pow", 1.0 - step, counted)
    scope = graph.get_name_scope() + "/"
    if isinstance(variable, ResourceVariable):
        return variable.assign(moved / factor, name=scope)
    return variable.assign(moved / factor, use_locking=True, name=scope)


def _free_name(graph: Graph, name: str) -> str:
    """`name`, with a number behind it where the current scope has a variable of that name."""
    scope = get_variable_scope(graph)
    if scope.reuse:
        return name
    taken = {v.op.name for v in scope.global_variables()}
    free, number = name, 0
    while f"{scope.name}/{free}" in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def weighted_moving_average(
    value: Any,
    decay: Any,
    weight: Any,
    truediv: bool = True,
    collections: Sequence[Any] | None = None,
    name: str | None = None,
) -> Any:
    """The moving average of `value * weight` over that of `weight`, both kept in variables of its own."""
    graph: Graph = value.graph
    b = Builder(graph)
    with variable_scope(graph, name, "WeightedMovingAvg") as scope:

        def kept(of: Any, called: str) -> Any:
            return get_variable(
                graph,
                called,
                shape=of.get_shape(),
                dtype=of.dtype,
                initializer=slots.zeros(graph),
                trainable=False,
                collections=[GraphKeys.GLOBAL_VARIABLES] if collections is None else collections,
            )

        total, weights = kept(value, "value_x_weight"), kept(weight, "weight")
        numerator = assign_moving_average(total, value * weight, decay, zero_debias=False)
        denominator = assign_moving_average(weights, weight, decay, zero_debias=False)
        return b.op("RealDiv", numerator, denominator, name=scope.name)


class ExponentialMovingAverage:
    """Keeps moving averages of variables (and tensors), in variables named `<variable>/<name>`.

    decay        close to 1.0
    num_updates  a count of steps; then the decay is at most (1 + num_updates) / (10 + num_updates)
    zero_debias  correct the averages of tensors, which start at zero, for that
    name         of the operations, and part of the names of the averages
    """

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Any] = {}

    @property
    def name(self) -> str:
        return self._name

    def apply(self, var_list: Sequence[Any] | None = None) -> Operation:
        """An operation that updates the averages of `var_list` (all trainable variables).

        The averages are made by the first call: those of variables start with the variables' initial values, those of
        tensors with zeros.

        raises  TypeError for what is not half, bfloat16, float32 or float64
        """
        if var_list is None:
            var_list = default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES)
        graph: Graph = var_list[0].graph if var_list else default_graph()
        debiased = set()
        for variable in var_list:
            if variable.dtype.base_dtype not in _FLOATS:
                raise TypeError(f"The variables must be half, float, or double: {variable.name}")
            if variable not in self._averages:
                average = self._make(graph, variable)
                self._averages[variable] = average
                if self._zero_debias and not isinstance(variable, Variable):
                    debiased.add(average)
        b = Builder(graph)
        with graph.name_scope(self._name) as scope:
            decay: Any = b.convert(self._decay, dtypes.float32, name="decay")
            if self._num_updates is not None:
                count: Any = b.cast(self._num_updates, dtypes.float32, name="num_updates")
                decay = b.op("Minimum", decay, (1.0 + count) / (10.0 + count))
            updates = [
                assign_moving_average(self._averages[v], v, decay, self._averages[v] in debiased) for v in var_list
            ]
            return b.group(*updates, name=scope)

    def _make(self, graph: Graph, variable: Any) -> Any:
        with graph.control_dependencies(None):
            if isinstance(variable, Variable):
                with graph.device(variable.device) if variable.device else contextlib.nullcontext():
                    start = variable.initialized_value()
                average = slots.create_slot(graph, variable, start, self._name)
                graph.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, variable)
                return average
            beside = variable.op.type in _VARIABLE_OPS
            return slots.create_zeros_slot(graph, variable, self._name, colocate=beside)

    def average(self, var: Any) -> Any:
        """The variable that holds the average of `var`, or None."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name of the average of `var`, whether `apply` made it or will make it."""
        if var in self._averages:
            return str(self._averages[var].op.name)
        found: str = var.graph.unique_name(f"{var.op.name}/{self._name}", mark_as_used=False)
        return found

    def variables_to_restore(self, moving_avg_variables: Sequence[Any] | None = None) -> dict[str, Any]:
        """What a Saver takes to restore the averages into the variables themselves.

        moving_avg_variables  those to take from their averages; None for all trainable variables and all that have one
        returns               names in the checkpoint -> variables, all global ones among them
        """
        graph = default_graph()
        if moving_avg_variables is None:
            moving_avg_variables = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
            moving_avg_variables += graph.get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES)
        averaged = dict.fromkeys(moving_avg_variables)
        found = {self.average_name(v): v for v in averaged}
        names = {v.name for v in averaged}
        for variable in graph.get_collection(GraphKeys.GLOBAL_VARIABLES):
            if variable.name not in names:
                found.setdefault(variable.op.name, variable)
        return found
