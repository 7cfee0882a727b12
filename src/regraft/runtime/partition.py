"""Cutting a run into steps: which nodes become one program, which run on the host, and in what order.

A value is known when a step is traced if it follows from constants and static shapes. An input that an op declares
static must be known. Where it is not, the pure ops behind it are folded into the trace, down to values that are there
before the step starts: those become its static inputs, and their producers must stand in an earlier step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from regraft.base.dtypes import string
from regraft.opkit.registry import Runs
from regraft.runtime.plan import Conditional, Loop, Node, blocks, parts, walk
from regraft.runtime.surplus import harmless

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
    if spec.runs is not Runs.XLA or spec.lax or spec.costly or node.writes:
        return False
    return _by_shape(node) if node.reads else spec.pure


def _by_shape(node: Node) -> bool:
    """Whether a node looks at the shapes and dtypes of its inputs alone, a variable's perhaps."""
    spec = node.spec
    if not spec.metadata or spec.objects or spec.random or spec.session:
        return False
    return set(spec.metadata) >= set(spec.input_names)


def _on_strings(node: Node) -> bool:
    """Whether a node that might stand in a program takes or gives strings, which no program can."""
    spec = node.spec
    if spec.runs is not Runs.XLA or spec.checks or spec.control is not None:
        return False
    op = node.op
    return any(t.base is string for t in op.output_types) or any(t.dtype.base is string for t in op._inputs)


def _is_small(node: Node) -> bool:
    """Whether a node's outputs have few elements, by their static shapes, whatever its inputs hold."""
    if node.spec.metadata and set(node.spec.metadata) >= set(node.spec.input_names):
        return True
    counts = [t.shape.num_elements() for t in node.op.outputs]
    return all(c is not None and c <= _SMALL for c in counts) and all(
        (t.shape.num_elements() or _SMALL + 1) <= _SMALL or t.shape.num_elements() == 0 for t in node.op.inputs
    )


_NONE: Mapping[int, bool] = MappingProxyType({})


class Partition:
    """Assigns each node a level; the nodes of one level and kind are a step.

    wanted   numbers of values that leave the run
    objects  numbers of handles and lists, and whether they grow: what shares them must stand in one step, or be
             interpreted
    notes    what is not compiled though its ops could be, and why
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        known: Collection[int],
        wanted: Collection[int] = (),
        objects: Mapping[int, bool] = _NONE,
    ) -> None:
        self.nodes = nodes
        self.producer = {n: node for node in nodes for n in node.outputs}
        self.known = set(known)
        self.notes: list[str] = []
        self._objects = objects
        self._hosted = {node for node in nodes if _on_strings(node)}
        self._padded = harmless(nodes, wanted)
        self._alone = {node: i for i, node in enumerate(nodes) if blocks(node)}
        # What is put into objects, by the number of the handle; and which node inside a loop or conditional makes what.
        self._put: dict[int, list[int]] = {}
        self._inner: dict[int, Node] = {}
        if objects or any(parts(node) for node in nodes):
            self._look_inside()
        self._demand_all()

    def _look_inside(self) -> None:
        for node in walk(self.nodes):
            if node.spec.puts:
                position = node.spec.input_names.index(node.spec.puts)
                self._put.setdefault(node.inputs[0], []).append(node.inputs[position])
        for node in self.nodes:
            for part in parts(node):
                self._inner.update((n, inner) for inner in walk(part) for n in inner.outputs)
            if parts(node):
                # What only shows inside: loop variables, and what branches merge into.
                self._inner.update((n, node) for n in node.outputs if n not in self._inner)
                if node.spec.runs is not Runs.XLA:
                    types = sorted({i.op.type for i in walk([node]) if not parts(i) and i.spec.runs is not Runs.XLA})
                    self.notes.append(f"interpreted: {node}: ops that run on the host: {', '.join(types)}")

    def _foldable(self, node: Node) -> bool:
        """Whether NumPy can evaluate the node while a program is traced; the size of a fixed TensorArray included."""
        if node.spec.objects and node.spec.metadata:
            return not self._objects.get(node.inputs[0], True)
        return foldable(node)

    def _demand_all(self) -> None:
        self.folds: dict[Node, set[int]] = {}
        self.folded: dict[Node, set[Node]] = {}
        self._mark_known(self.nodes)
        for node in self.nodes:
            if not self._in_program(node):
                self._fold_small(node)
            elif node.static:
                self._demand(node, [node.inputs[i] for i in node.static])
            elif parts(node):
                self._demand_inside(node)

    def _in_program(self, node: Node) -> bool:
        return (node.spec.runs is Runs.XLA or node in self._padded) and node not in self._hosted

    def _kind(self, node: Node) -> tuple[bool, int]:
        """Nodes of one kind may stand in one step; what may wait stands alone."""
        return (self._in_program(node), self._alone.get(node, -1))

    def _host(self, node: Node, reason: str) -> None:
        self._hosted.add(node)
        if parts(node) or node.spec.makes_objects:
            self.notes.append(f"interpreted: {node}: {reason}")

    def _mark_known(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            for part in parts(node):
                self._mark_known(part)
            if isinstance(node, Conditional):
                # What just one branch gives is known outside as well: nothing uses it when the branch did not run.
                self.known.difference_update(n for n, sides in node.results if None not in sides)
                continue
            if parts(node):
                self.known.difference_update(node.outputs)
                continue
            if node.spec.gets:
                put = self._put.get(node.inputs[0], ())
                if put and all(n in self.known for n in put):
                    self.known.update(node.outputs)
                continue
            if not self._foldable(node):
                continue
            by_shape = node.spec.metadata and set(node.spec.metadata) >= set(node.spec.input_names)
            if by_shape or (node.inputs and all(n in self.known for n in node.inputs)):
                self.known.update(node.outputs)

    def _demand_inside(self, node: Node) -> None:
        """Find what the static inputs of the nodes inside `node` rest on. If it is something in there, interpret it."""
        outer: list[int] = []
        seen: set[int] = set()
        for inner in walk([node]):
            stack = [inner.inputs[i] for i in inner.static]
            while stack:
                number = stack.pop()
                if number in seen or number in self.known:
                    continue
                seen.add(number)
                producer = self._inner.get(number)
                if producer is None:
                    outer.append(number)
                elif producer.spec.gets and self._put.get(producer.inputs[0]):
                    stack.extend(self._put[producer.inputs[0]])
                elif self._foldable(producer):
                    stack.extend(producer.inputs)
                else:
                    self._host(node, f"{inner.op.name!r} needs a value that is only known when it runs")
                    return
        if isinstance(node, Conditional) and any(self._maybe_dead(n, node.selector) for n in node.inputs):
            outer.append(node.selector)
        self._demand(node, outer)

    def _maybe_dead(self, number: int, selector: int) -> bool:
        """Whether a value comes from the host, and only where the branch of `selector` ran: then that must be known."""
        producer = self.producer.get(number)
        return (
            isinstance(producer, Conditional)
            and producer.selector == selector
            and not self._in_program(producer)
            and any(n == number and None in sides for n, sides in producer.results)
        )

    def _demand(self, node: Node, stack: list[int]) -> None:
        """Find what values that `node` must know rest on: values that must exist before its step."""
        seen: set[int] = set()
        while stack:
            number = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            producer = self.producer.get(number)
            if number in self.known:
                # It may stand in an earlier step: then it is evaluated again.
                if producer is not None and foldable(producer):
                    self.folded.setdefault(node, set()).add(producer)
                    if not producer.spec.metadata:
                        stack.extend(producer.inputs)
            elif producer is not None and self._foldable(producer):
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
        level = self._levels()
        by_place: dict[tuple[int, tuple[bool, int]], Group] = {}
        for node in self.nodes:
            kind = self._kind(node)
            group = by_place.setdefault((level[node], kind), Group(kind[0]))
            group.nodes.append(node)
            group.static |= self.folds.get(node, set())
        for group in by_place.values():
            inside = set(group.nodes)
            folded = {f for node in group.nodes for f in self.folded.get(node, ())}
            # A folded node of an earlier step is evaluated again here, from the same static inputs.
            group.nodes[:0] = [n for n in self.nodes if n in folded and n not in inside]
            group.folded = [n for n in self.nodes if n in folded]
        return [by_place[place] for place in sorted(by_place)]

    def _levels(self) -> dict[Node, int]:
        while True:
            level = self._earliest()
            self._postpone(level)
            apart = self._apart(level)
            if not apart:
                return level
            for node in apart:
                self._host(node, "it shares a TensorArray, stack or list with what runs in another step")
            self._demand_all()

    def _apart(self, level: dict[Node, int]) -> list[Node]:
        """Program nodes that share an object with a node of another step."""
        if not self._objects:
            return []
        leader: dict[int, int] = {}

        def find(n: int) -> int:
            while leader.setdefault(n, n) != n:
                n = leader[n]
            return n

        users: list[tuple[Node, int]] = []
        for node in self.nodes:
            shared = [n for n in (*node.inputs, *node.outputs) if n in self._objects]
            for n in shared:
                leader[find(n)] = find(shared[0])
            if shared:
                users.append((node, shared[0]))
        places: dict[int, set[tuple[int, bool]]] = {}
        for node, n in users:
            places.setdefault(find(n), set()).add((level[node], self._in_program(node)))
        return [node for node, n in users if len(places[find(n)]) > 1 and self._in_program(node)]

    def _before(self, node: Node) -> list[tuple[Node, bool]]:
        """The nodes that must come first, and whether they must stand in an earlier step."""
        out = []
        static = self.folds.get(node, set())
        beside = self.folded.get(node, set()) if not self._in_program(node) else set()
        for n in node.inputs:
            producer = self.producer.get(n)
            if producer is not None and producer not in beside:
                out.append((producer, n in static))
        out += [(self.producer[n], True) for n in static if n in self.producer]
        out += [(self._by_op[c], False) for c in node.after if c in self._by_op]
        return out

    def _earliest(self) -> dict[Node, int]:
        self._by_op = {node.op: node for node in self.nodes if not parts(node)}
        for node in self.nodes:
            if isinstance(node, (Conditional, Loop)):
                self._by_op.update((op, node) for op in node.stands)
        level: dict[Node, int] = {}
        for node in self.nodes:
            at = 0
            for other, strictly in self._before(node):
                same = self._kind(other) == self._kind(node)
                at = max(at, level[other] + (1 if strictly or not same else 0))
            level[node] = at
        return level

    def _postpone(self, level: dict[Node, int]) -> None:
        """Move program nodes as late as those that use them allow, so that fewer programs are left."""
        last = max((at for node, at in level.items() if self._in_program(node)), default=0)
        latest: dict[Node, int] = {}
        for node in reversed(self.nodes):
            if self._in_program(node):
                level[node] = max(level[node], min(latest.get(node, last), last))
            for other, strictly in self._before(node):
                same = self._kind(other) == self._kind(node)
                bound = level[node] - (1 if strictly or not same else 0)
                latest[other] = min(latest.get(other, bound), bound)
