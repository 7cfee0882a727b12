"""A run that is done again and again, as a queue runner does: several times at once where nobody can tell.

Such a run takes an element from a queue or a reader, works on it, and puts the result into a queue. Where that queue
has room for several, and so many are there to be taken, what lies between runs on all of them together (see
`runtime.rows`). It is as if the runs had followed each other with no other thread in between: only the first of them
may wait to take an element, elements come in their order, and an error is raised when those before it are in the queue.
"""

from __future__ import annotations

from typing import Any

from regraft.runtime.interpreter import Interpreter
from regraft.runtime.plan import Node, Plan
from regraft.runtime.rows import Column, Rows, can_row
from regraft.runtime.state import SessionState
from regraft.runtime.waiting import finish


class Repeated:
    """A plan that can be done several times at once."""

    def __init__(self, plan: Plan, same: list[Node], gives: Node | None, between: list[Node], takes: Node) -> None:
        self._plan = plan
        self._same, self._gives, self._takes = same, gives, takes
        self._rows = Rows(between)

    @staticmethod
    def of(plan: Plan) -> Repeated | None:
        """The plan, if it fetches nothing and is of such a kind; else None."""
        if plan.touches or any(fetch.number is not None or fetch.variable for fetch in plan.fetches):
            return None
        roles: dict[str, list[Node]] = {"same": [], "gives": [], "takes": [], "": []}
        for step in plan.steps:
            for node in step.nodes:
                if not node.plain or not (node.spec.repeated or can_row(node.spec)):
                    return None
                roles[node.spec.repeated].append(node)
        known = {number for number, _ in plan.known}
        known.update(number for node in roles["same"] for number in node.outputs)
        if len(roles["takes"]) != 1 or len(roles["gives"]) > 1:
            return None
        (takes,), gives = roles["takes"], next(iter(roles["gives"]), None)
        if takes.inputs[0] not in known or not known.issuperset(() if gives is None else gives.inputs):
            return None
        if not known.issuperset(n for node in roles["same"] for n in node.inputs):
            return None
        return Repeated(plan, roles["same"], gives, roles[""], takes)

    def run(self, interpreter: Interpreter, state: SessionState) -> bool:
        """Do the run at least twice. False, and nothing is done, where there is no room for that."""
        values: list[Any] = [None] * self._plan.size
        for number, value in self._plan.known:
            values[number] = value
        for node in self._same:
            results = interpreter.call(node, [values[n] for n in node.inputs])
            for number, value in zip(node.outputs, results, strict=True):
                values[number] = value
        handle = values[self._takes.inputs[0]]
        given = [] if self._gives is None else [values[n] for n in self._gives.inputs]
        taker = state.resources.get((handle.kind, handle.name))
        count = 0 if taker is None or handle in given else min(taker.room(), self._rows.most)
        if count < 2:
            return False
        if self._gives is not None:
            rule = self._gives.spec.rows
            assert rule is not None
            columns = finish(self._gives, rule(*given, session=state, count=count), interpreter.tasks)
            count = len(columns[0])
            for number, items in zip(self._gives.outputs, columns, strict=True):
                values[number] = Column(items)
        left, errors = self._rows.run(values, count, interpreter)
        failed = min(errors, default=count)
        self._put(values, sum(i < failed for i in left), interpreter, state)
        if errors:
            raise errors[failed]
        return True

    def _put(self, values: list[Any], count: int, interpreter: Interpreter, state: SessionState) -> None:
        handle, *components = (values[n] for n in self._takes.inputs)
        columns = [v.copies()[:count] if isinstance(v, Column) else [v] * count for v in components]
        rule = self._takes.spec.rows
        assert rule is not None
        if count:
            elements = list(zip(*columns, strict=True))
            finish(self._takes, rule(handle, elements, session=state), interpreter.tasks)
