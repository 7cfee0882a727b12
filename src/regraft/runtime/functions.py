"""Library functions that kernels call: what datasets map, filter and make their elements with.

A function is planned once for a session; each iterator that uses it calls it in a scope of its own, so that the random
ops in it begin at their seeds with each iterator, as in TensorFlow. Functions are interpreted: elements come in many
shapes, and an element that is wrong must raise its error, for which compiled programs do not look.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError, NotFoundError, OpError
from regraft.ir.attr import FunctionRef
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.runtime.build import build_plan
from regraft.runtime.calls import effects
from regraft.runtime.executor import Executor
from regraft.runtime.plan import Plan, parts, walk
from regraft.runtime.rows import Column, Rows
from regraft.runtime.state import RandomState, SessionState
from regraft.runtime.values import VariableName
from regraft.serde.function import function_body


@dataclass(eq=False, slots=True)
class Planned:
    """A function that is ready to run.

    arguments  how many arguments it takes
    feeds      (position of the argument, number in the plan), without those that name variables
    results    how many values it returns
    executor   what all scopes share
    pure       calls can be made in any order, and at the same time
    rows       what several calls at once run, where that gives what they give one by one
    """

    plan: Plan
    arguments: int
    feeds: tuple[tuple[int, int], ...]
    results: int
    executor: Executor
    pure: bool
    rows: Rows | None


@dataclass(eq=False, slots=True)
class Scope:
    """Where functions keep what they carry from call to call: one iterator, or one run of an op."""

    executors: dict[Planned, Executor] = field(default_factory=dict)

    def executor(self, planned: Planned, state: SessionState) -> Executor:
        found = self.executors.get(planned)
        if found is None:
            own = copy.copy(state)
            own.random = RandomState()
            found = self.executors[planned] = planned.executor.beside(own)
        return found


class BoundFunction:
    """A library function with its captured arguments.

    results  how many values a call returns
    pure     calls can be made in any order, and at the same time
    """

    __slots__ = ("_captured", "_planned", "_state", "name", "pure", "results")

    def __init__(self, name: str, planned: Planned, captured: tuple[Any, ...], state: SessionState) -> None:
        self.name = name
        self.results = planned.results
        self.pure = planned.pure
        self._planned = planned
        self._captured = captured
        self._state = state

    def __call__(self, scope: Scope, *arguments: Any) -> list[Any]:
        """The results of one call. InvalidArgumentError for another number of arguments than it takes."""
        planned = self._planned
        feeds = self._feeds(arguments)
        executor = scope.executor(planned, self._state)
        results = executor.run(planned.plan, feeds, owned=False)
        return [_on_host(value) for value in results[: planned.results]]

    def _feeds(self, arguments: Sequence[Any]) -> list[tuple[int, Any]]:
        planned = self._planned
        given = (*arguments, *self._captured)
        if len(given) != planned.arguments:
            raise InvalidArgumentError(
                f"function {self.name!r} takes {planned.arguments} arguments, got {len(given)}",
                where=(f"{len(arguments)} of them from the element, {len(self._captured)} captured",),
            )
        return [(number, given[i]) for i, number in planned.feeds]

    @property
    def most(self) -> int:
        """How many elements `each` should be given at once."""
        return 1 if self._planned.rows is None else self._planned.rows.most

    def each(self, scope: Scope, elements: Sequence[tuple[Any, ...]]) -> list[list[Any] | OpError]:
        """The results of a call with each element, in order, or the error that it raises."""
        planned = self._planned
        assert planned.rows is not None
        columns = [Column(list(items)) for items in zip(*elements, strict=True)]
        executor = scope.executor(planned, self._state)
        return executor.run_rows(planned.plan, planned.rows, self._feeds(columns), len(elements), planned.results)


def _on_host(value: Any) -> Any:
    return np.asarray(value) if hasattr(value, "dtype") else value


class Functions:
    """What a kernel with the argument `functions` gets.

    session  the run's resources, as kernels with the argument `session` get them
    node     the name of the kernel's node
    """

    __slots__ = ("_graph", "node", "session")

    def __init__(self, session: SessionState, graph: Graph, node: str) -> None:
        self.session = session
        self.node = node
        self._graph = graph

    def scope(self) -> Scope:
        """A new scope, in which random ops begin at their seeds."""
        return Scope()

    def bind(self, function: FunctionRef, captured: Sequence[Any] = ()) -> BoundFunction:
        """The function with these values behind the arguments that calls give. NotFoundError if there is none."""
        given = tuple(captured)
        names = tuple(v.name if isinstance(v, VariableName) else None for v in given)
        key = (self._graph, function.name, repr(sorted(function.attrs.items())), names)
        planned = self.session.functions.get(key)
        if planned is None:  # without a lock: a second plan does no harm
            planned = self.session.functions.setdefault(key, self._plan(function, names))
        return BoundFunction(function.name, planned, given, self.session)

    def _plan(self, function: FunctionRef, names: tuple[str | None, ...]) -> Planned:
        found = self._graph.function(function.name)
        if found is None:
            raise NotFoundError(f"function {function.name!r} is not in the library", where=(f"node {self.node!r}",))
        body = function_body(self._graph, found, function.attrs)
        count = len(body.inputs)
        behind = zip(body.inputs[count - len(names) :], names, strict=True)
        variables = {tensor: name for tensor, name in behind if name is not None}
        fed = [(i, t) for i, t in enumerate(body.inputs) if t not in variables]
        fetches: list[Tensor | Operation] = [*body.outputs, *body.controls, *effects(body.graph)]
        plan = build_plan(body.graph, fetches, [tensor for _, tensor in fed], variables=variables)
        numbers = tuple((i, plan.feeds[tensor]) for i, tensor in fed)
        nodes = [node for step in plan.steps for node in walk(step.nodes) if not parts(node)]
        pure = not plan.touches and all(node.spec.pure for node in nodes)
        executor = Executor(self.session, "interpret")
        return Planned(plan, count, numbers, len(body.outputs), executor, pure, Rows.of(plan))
