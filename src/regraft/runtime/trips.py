"""How often a loop runs, where that follows from what is known when it is traced."""

from __future__ import annotations

from typing import Any

from regraft.base.errors import OpError
from regraft.opkit.arrays import on_host
from regraft.runtime.evaluate import Values, truth
from regraft.runtime.partition import foldable
from regraft.runtime.plan import Loop, Node


def known_trips(node: Loop, values: Values, most: int) -> int | None:
    """The number of iterations, `most` where there are more; None where it depends on what is not known.

    Only what the condition depends on is run, with NumPy.
    """
    makers: dict[int, Node] = {n: inner for part in (node.head, node.body) for inner in part for n in inner.outputs}
    carried = {inside: (first, after) for first, inside, after in node.carried}
    needed: set[Node] = set()
    variables: set[int] = set()
    stack = [node.condition]
    seen: set[int] = set()
    while stack:
        number = stack.pop()
        if number in seen:
            continue
        seen.add(number)
        if number in carried:
            first, after = carried[number]
            if not on_host(values[first]):
                return None
            variables.add(number)
            if most > 1:
                stack.append(after)
        elif number in makers:
            maker = makers[number]
            if not foldable(maker):
                return None
            needed.add(maker)
            stack.extend(maker.inputs)
        elif not on_host(values[number]):
            return None
    return _count(node, values, most, needed, variables)


def _count(node: Loop, values: Values, most: int, needed: set[Node], variables: set[int]) -> int | None:
    local: dict[int, Any] = {}
    for first, inside, _ in node.carried:
        if inside in variables:
            local[inside] = values[first]

    def run(nodes: tuple[Node, ...]) -> None:
        for inner in nodes:
            if inner in needed and inner.run is not None:
                results = inner.run(*(local.get(n, values[n]) for n in inner.inputs))
                local.update(zip(inner.outputs, results, strict=True))

    for trip in range(most):
        try:
            run(node.head)
            if not truth(local.get(node.condition, values[node.condition])):
                return trip
            if trip + 1 == most:
                break
            run(node.body)
        except (OpError, TypeError, ValueError, IndexError, OverflowError):
            return None
        following = {inside: local[after] for _, inside, after in node.carried if inside in variables}
        local.update(following)
    return most
