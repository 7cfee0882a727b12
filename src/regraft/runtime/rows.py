"""Nodes on several elements at once, with the results that the elements have one by one.

What calling a node costs counts where an element is small: a record of a file, a feature, a picture of few pixels. Here
each node meets all elements before the next node does. Values of one shape are one array, with an axis for the elements
in front, on which a kernel runs once where it can (`OpSpec.elementwise`, `OpSpec.rows`); any other runs once for each.

Nodes are pure, or draw from counters of their own, so that the order of calls makes no difference. An element whose
node fails takes no part in what follows: its result is the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from regraft.base.errors import OpError
from regraft.opkit.call import bind_rows
from regraft.opkit.elementwise import quiet_numpy
from regraft.opkit.registry import OpSpec
from regraft.opkit.stacking import stack
from regraft.runtime.evaluate import FAILURES, Engine
from regraft.runtime.plan import Node, Plan

# So many elements run at once, fewer where a value would have more bytes than the processor keeps at hand.
_MOST = 64
_BYTES = 1 << 20
# The first time, before it is known how large values become.
_FIRST = 2


class Column:
    """A value of several elements: one array of them all, or each by itself; one is made of the other when needed."""

    __slots__ = ("_array", "_items")

    def __init__(self, items: list[Any] | None, array: Any = None) -> None:
        self._items = items
        self._array = array

    @property
    def items(self) -> list[Any]:
        if self._items is None:
            self._items = [self._array[i, ...] for i in range(len(self._array))]
        return self._items

    def array(self) -> Any:
        """All elements in one array; None where they differ in shape or dtype, or are no arrays."""
        if self._array is None:
            assert self._items is not None
            self._array = _joined(self._items)
        return self._array

    def copies(self) -> list[Any]:
        """The elements as arrays, each in memory of its own."""
        if self._array is None:
            return [np.asarray(item) if isinstance(item, np.generic) else item for item in self.items]
        return [item.copy() for item in self.items]

    def without(self, lost: frozenset[int]) -> Column:
        return Column([item for i, item in enumerate(self.items) if i not in lost])

    def size(self) -> int:
        """How many bytes an element takes, the first one where they differ."""
        if self._array is not None:
            return int(self._array.nbytes) // max(len(self._array), 1)
        return max((int(getattr(item, "nbytes", 0)) for item in self.items[:1]), default=0)


def _joined(items: list[Any]) -> Any:
    first = items[0]
    if type(first) is not np.ndarray or any(
        type(item) is not np.ndarray or item.shape != first.shape or item.dtype != first.dtype for item in items
    ):
        return None
    return stack(items)


def can_row(spec: OpSpec) -> bool:
    """Whether an op may run for one element after the other, before those behind it do."""
    if spec.control is not None or spec.session or spec.objects or spec.blocking or spec.calls:
        return False
    return spec.pure or spec.random or spec.checks


class Rows:
    """Nodes that can run on several elements at once.

    most  how many elements are best, by the sizes of the values that were seen
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = tuple(nodes)
        self.most = _FIRST
        self._rules: dict[Node, Callable[..., Any]] = {
            node: bind_rows(node.spec, node.op) for node in self.nodes if node.spec.rows is not None
        }

    @staticmethod
    def of(plan: Plan) -> Rows | None:
        """Those of a plan without variables, whose values are all that is fetched; None where one can't."""
        nodes = [node for step in plan.steps for node in step.nodes]
        if plan.touches or not all(node.plain and can_row(node.spec) for node in nodes):
            return None
        if any(fetch.variable is not None or fetch.alive for fetch in plan.fetches):
            return None
        return Rows(nodes)

    def run(self, values: list[Any], count: int, engine: Engine) -> tuple[list[int], dict[int, OpError]]:
        """Run the nodes; `values` has a Column where elements differ, and takes the results of those that succeed.

        returns  the elements that succeeded, and the errors of the others
        """
        left = list(range(count))
        errors: dict[int, OpError] = {}
        biggest = 1
        with quiet_numpy():
            for node in self.nodes:
                args = [values[n] for n in node.inputs]
                results, failed = self._call(node, args, len(left), engine)
                if failed:
                    errors.update((left[i], error) for i, error in failed.items())
                    lost = frozenset(failed)
                    left = [number for i, number in enumerate(left) if i not in lost]
                    if not left:
                        return left, errors
                    for number, value in enumerate(values):
                        if isinstance(value, Column):
                            values[number] = value.without(lost)
                for number, result in zip(node.outputs, results, strict=True):
                    values[number] = result
                    if isinstance(result, Column):
                        biggest = max(biggest, result.size())
        self.most = min(max(_BYTES // biggest, 1), _MOST)
        return left, errors

    def _call(
        self, node: Node, args: list[Any], count: int, engine: Engine
    ) -> tuple[Sequence[Any], dict[int, OpError]]:
        """The results of one node, of the elements that succeed, and the errors of the others."""
        if node.spec.pure and not any(isinstance(a, Column) for a in args):
            try:
                return engine.call(node, args), {}
            except OpError as e:
                return (), dict.fromkeys(range(count), e)
        together = self._together(node, args, count)
        if together is not None:
            return together, {}
        columns = [a.items if isinstance(a, Column) else [a] * count for a in args]
        found: list[tuple[Any, ...]] = []
        errors: dict[int, OpError] = {}
        for i in range(count):
            try:
                found.append(engine.call(node, [column[i] for column in columns]))
            except OpError as e:
                errors[i] = e
        return [Column(list(items)) for items in zip(*found, strict=True)], errors

    def _together(self, node: Node, args: list[Any], count: int) -> Sequence[Any] | None:
        """The results of one call; None where there is no way to make it, or an element fails."""
        rule = self._rules.get(node)
        if rule is None and not node.spec.elementwise:
            return None
        flags = [isinstance(a, Column) for a in args]
        arrays = [a.array() if isinstance(a, Column) else a for a in args]
        if any(type(a) is not np.ndarray for a in arrays):
            return None
        try:
            if rule is not None:
                results = rule(*arrays, rows=flags)
            else:
                assert node.run is not None
                results = node.run(*_aligned(arrays, flags))
        except FAILURES:  # each element says for itself what is wrong with it
            return None
        if results is None:
            return None
        found = results if isinstance(results, (tuple, list)) else (results,)
        assert all(len(array) == count for array in found)
        return [Column(None, array) for array in found]


def _aligned(arrays: list[Any], rows: Sequence[bool]) -> list[Any]:
    """The arrays with the axis of the elements in front of all others, as broadcasting wants it."""
    rank = max(a.ndim - has for a, has in zip(arrays, rows, strict=True))
    return [
        a.reshape(len(a), *(1,) * (rank - a.ndim + 1), *a.shape[1:]) if has and a.ndim <= rank else a
        for a, has in zip(arrays, rows, strict=True)
    ]
