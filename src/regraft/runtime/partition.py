"""Cutting a run into steps: which nodes become one program, which run on the host, and in what order.

A value is known when a step is traced if it follows from constants and static shapes. An input that an op declares
static must be known. Where it is not, the pure ops behind it are folded into the trace, down to values that are there
before the step starts: those become its static inputs, and their producers must stand in an earlier step.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from regraft.opkit.registry import Runs
from regraft.runtime.plan import Node

# What a host op may have evaluated beside it: this many ops, on tensors of this many elements.
_MOST_FOLDED = 64
_SMALL = 1024


@dataclass(slots=True)
class Group:
    """Nodes of one step in the making. See `plan.Step`."""

    compiled: bool
    nodes: list[Node] = field(default_factory=list)
    static: set[int] = field(default_factory=set)
    folded: list[Node] = field(default_factory=list)


def foldable(node: Node) -> bool:
    """Whether a node can be evaluated with NumPy while a program is traced."""
    spec = node.spec
    return spec.pure and spec.runs is Runs.XLA and not spec.lax and not node.reads and not node.writes


def _in_program(node: Node) -> bool:
    return node.spec.runs is Runs.XLA


def _is_small(node: Node) -> bool:
    """Whether a node's outputs have few elements, by their static shapes, whatever its inputs hold."""
    if node.spec.metadata and set(node.spec.metadata) >= set(node.spec.input_names):
        return True
    counts = [t.shape.num_elements() for t in node.op.outputs]
    return all(c is not None and c <= _SMALL for c in counts) and all(
        (t.shape.num_elements() or _SMALL + 1) <= _SMALL or t.shape.num_elements() == 0 for t in node.op.inputs
    )


class Partition:
    """Assigns each node a level; the nodes of one level and kind are a step."""

    def __init__(self, nodes: Sequence[Node], known: Collection[int]) -> None:
        self.nodes = nodes
        self.producer = {n: node for node in nodes for n in node.outputs}
        self.known = set(known)
        self.folds: dict[Node, set[int]] = {}
        self.folded: dict[Node, set[Node]] = {}
        self._mark_known()
        for node in nodes:
            if node.static and _in_program(node):
                self._demand(node)
            elif not _in_program(node):
                self._fold_small(node)

    def _mark_known(self) -> None:
        for node in self.nodes:
            if not foldable(node):
                continue
            by_shape = node.spec.metadata and set(node.spec.metadata) >= set(node.spec.input_names)
            if by_shape or (node.inputs and all(n in self.known for n in node.inputs)):
                self.known.update(node.outputs)

    def _demand(self, node: Node) -> None:
        """Find what the static inputs of `node` rest on: values that must exist before its step."""
        stack = [node.inputs[i] for i in node.static]
        seen: set[int] = set()
        while stack:
            number = stack.pop()
            if number in seen or number in self.known:
                continue
            seen.add(number)
            producer = self.producer.get(number)
            if producer is not None and foldable(producer):
                self.folded.setdefault(node, set()).add(producer)
                stack.extend(producer.inputs)
            else:
                self.folds.setdefault(node, set()).add(number)

    def _fold_small(self, node: Node) -> None:
        """Evaluate beside a host op the small values that it takes, so that no program must end for them.

        Checks of shapes are the usual case. The way back leads through small foldable ops to feeds and constants.
        """
        needed: set[Node] = set()
        stack = list(node.inputs)
        while stack:
            producer = self.producer.get(stack.pop())
            if producer is None or producer in needed:
                continue
            if not foldable(producer) or not _is_small(producer) or len(needed) >= _MOST_FOLDED:
                return
            needed.add(producer)
            stack.extend(producer.inputs)
        self.folded[node] = needed

    def groups(self) -> list[Group]:
        """The steps in order."""
        level = self._earliest()
        self._postpone(level)
        by_place: dict[tuple[int, bool], Group] = {}
        for node in self.nodes:
            compiled = _in_program(node)
            group = by_place.setdefault((level[node], compiled), Group(compiled))
            group.nodes.append(node)
            group.static |= self.folds.get(node, set())
        for group in by_place.values():
            inside = set(group.nodes)
            folded = {f for node in group.nodes for f in self.folded.get(node, ())}
            # A folded node of an earlier step is evaluated again here, from the same static inputs.
            group.nodes[:0] = [n for n in self.nodes if n in folded and n not in inside]
            group.folded = [n for n in self.nodes if n in folded]
        return [by_place[place] for place in sorted(by_place, key=lambda p: (p[0], p[1]))]

    def _before(self, node: Node) -> list[tuple[Node, bool]]:
        """The nodes that must come first, and whether they must stand in an earlier step."""
        out = []
        static = self.folds.get(node, set())
        beside = self.folded.get(node, set()) if not _in_program(node) else set()
        for n in node.inputs:
            producer = self.producer.get(n)
            if producer is not None and producer not in beside:
                out.append((producer, n in static))
        out += [(self.producer[n], True) for n in static if n in self.producer]
        out += [(self._by_op[c], False) for c in node.after if c in self._by_op]
        return out

    def _earliest(self) -> dict[Node, int]:
        self._by_op = {node.op: node for node in self.nodes}
        level: dict[Node, int] = {}
        for node in self.nodes:
            at = 0
            for other, strictly in self._before(node):
                same = _in_program(other) is _in_program(node)
                at = max(at, level[other] + (1 if strictly or not same else 0))
            level[node] = at
        return level

    def _postpone(self, level: dict[Node, int]) -> None:
        """Move program nodes as late as those that use them allow, so that fewer programs are left."""
        last = max((at for node, at in level.items() if _in_program(node)), default=0)
        latest: dict[Node, int] = {}
        for node in reversed(self.nodes):
            if _in_program(node):
                level[node] = max(level[node], min(latest.get(node, last), last))
            for other, strictly in self._before(node):
                same = _in_program(other) is _in_program(node)
                bound = level[node] - (1 if strictly or not same else 0)
                latest[other] = min(latest.get(other, bound), bound)
