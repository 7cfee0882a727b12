"""Recovering conditionals and loops from Switch, Merge, Enter, Exit and NextIteration.

Nothing is believed but the edges: no `while_context`, no names. Two facts are worked out for each operation:

- its frame: the loops that it runs in. Enter goes one frame deeper, Exit one up;
- when it is alive: a conjunction of (predicate, branch), gathered along data and control edges. A Switch adds one, a
  Merge whose inputs differ in one predicate takes it away again.

Operations of one frame and one conjunction make up a region. The regions of a predicate are collected into as few
conditionals as the order of the operations allows; a Switch itself, like Enter, Exit and NextIteration, is only another
name for a value, and disappears.

What does not fit (`Unstructured`) is left to the dataflow interpreter.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.opkit.registry import Control
from regraft.runtime.prune import is_back_edge

# A predicate and the output of the Switch that is alive.
Literal = tuple[Tensor, int]
# When something is alive: in the order in which the conditionals nest. None is never.
Alive = tuple[Literal, ...] | None

_PRIMITIVES = frozenset(
    {Control.SWITCH, Control.MERGE, Control.ENTER, Control.EXIT, Control.NEXT_ITERATION, Control.LOOP_COND}
)


class Unstructured(Exception):
    """The operations do not fit together as conditionals and loops; the message says where."""


@dataclass(slots=True, eq=False)
class Choice:
    """Regions of which one runs.

    selector  the predicate
    branches  for each output of the Switch, the items of its region
    merges    (Merge, for each branch the input that is alive there)
    """

    selector: Tensor
    branches: list[list[Item]]
    merges: list[tuple[Operation, tuple[int, ...]]]


@dataclass(slots=True, eq=False)
class Cycle:
    """A while loop: `head` computes `condition`; while it holds, `body` runs; `tail` runs once it does not.

    entries    all Enter ops
    carried    (Enter, Merge, NextIteration) of each loop variable
    exits      all Exit ops
    following  all NextIteration ops
    """

    condition: Tensor
    head: list[Item]
    body: list[Item]
    tail: list[Item]
    entries: list[Operation]
    carried: list[tuple[Operation, Operation, Operation]]
    exits: list[Operation]
    following: list[Operation]


@dataclass(slots=True, eq=False)
class Only:
    """A Merge of which just one input can be alive."""

    merge: Operation
    position: int


Item = Operation | Choice | Cycle | Only


def control_of(op: Operation) -> Control | None:
    """What the op means to the executor, or None for one with a kernel."""
    spec = registry.lookup(op.type)
    return None if spec is None else spec.control


def has_control_flow(ops: Iterable[Operation]) -> bool:
    """Whether any of the operations is a primitive of v1 control flow."""
    kinds: dict[str, bool] = {}
    for op in ops:
        found = kinds.get(op.type)
        if found is None:
            found = kinds[op.type] = control_of(op) in _PRIMITIVES
        if found:
            return True
    return False


@dataclass(slots=True, eq=False)
class _Frame:
    """A loop (or the root): its operations in order, and the loops inside it."""

    parent: _Frame | None
    name: str
    depth: int
    ops: list[Operation] = field(default_factory=list)
    children: dict[str, _Frame] = field(default_factory=dict)

    def child(self, name: str) -> _Frame:
        if name not in self.children:
            self.children[name] = _Frame(self, name, self.depth + 1)
        return self.children[name]


_Unit = Operation | _Frame


class Structure:
    """The recovered structure of operations that stand in an order which follows their edges.

    items  the root region
    """

    def __init__(
        self, ops: Sequence[Operation], feeds: Collection[Tensor], on_host: Callable[[Operation], bool]
    ) -> None:
        self._feeds = feeds
        self._on_host = on_host
        self._members = set(ops)
        self._kinds = {op: control_of(op) for op in ops}
        self._order = {op: i for i, op in enumerate(ops)}
        self._root = _Frame(None, "", 0)
        self._frame: dict[Operation, _Frame] = {}
        self._alive: dict[_Unit, Alive] = {}
        # For a Merge of conditional values: its predicate and for each branch the input.
        self._joins: dict[Operation, tuple[Tensor, tuple[int, ...]]] = {}
        self._only: dict[Operation, int] = {}
        self._ways: dict[Tensor, int] = {}
        # For each frame the predicates that are decided outside it.
        self._given: dict[_Frame, dict[Tensor, int]] = {self._root: {}}
        for op in ops:
            self._place(op)
        self.items = self._region(self._root)

    def alive(self, tensor: Tensor) -> Alive:
        """When a tensor of the root frame has a value. Unstructured for one inside a loop."""
        if tensor in self._feeds or tensor.op not in self._members:
            return ()
        if self._outside(tensor.op) is not self._root:
            raise Unstructured(f"{tensor.name!r} is inside a loop")
        return self._alive_tensor(tensor, self._root)

    # Frames

    def _place(self, op: Operation) -> None:
        frame = self._root
        for t in op._inputs:
            if t not in self._feeds and not is_back_edge(op, t):
                frame = self._deeper(frame, self._outside(t.op), op)
        for c in op._controls:
            if c in self._members:
                frame = self._deeper(frame, self._outside(c), op)
        if self._kinds[op] is Control.ENTER:
            frame = frame.child(op.attrs["frame_name"].decode())
        elif self._kinds[op] is Control.EXIT and frame.parent is None:
            raise Unstructured(f"{op.name!r} leaves a loop that it is not in")
        self._frame[op] = frame
        frame.ops.append(op)

    def _outside(self, op: Operation) -> _Frame:
        """The frame of an operation's outputs."""
        frame = self._frame[op]
        if self._kinds[op] is Control.EXIT:
            assert frame.parent is not None
            return frame.parent
        return frame

    @staticmethod
    def _deeper(a: _Frame, b: _Frame, op: Operation) -> _Frame:
        low, high = (a, b) if a.depth >= b.depth else (b, a)
        at: _Frame | None = low
        while at is not None and at is not high:
            at = at.parent
        if at is None:
            raise Unstructured(f"{op.name!r} takes values of two loops, of which neither is inside the other")
        return low

    # Units of a region: its operations, and the loops right inside it as one unit each

    def _unit(self, op: Operation, frame: _Frame) -> _Unit | None:
        """What stands for `op` in the region of `frame`; None if it is outside."""
        at: _Frame | None = self._frame[op]
        below: _Frame | None = None
        while at is not None and at is not frame:
            below, at = at, at.parent
        if at is None:
            return None
        return op if below is None else below

    def _all_ops(self, frame: _Frame) -> Iterable[Operation]:
        yield from frame.ops
        for child in frame.children.values():
            yield from self._all_ops(child)

    def _sources(self, unit: _Unit, frame: _Frame) -> tuple[list[Tensor], list[Operation]]:
        """Tensors and operations of the region that a unit depends on."""
        if isinstance(unit, Operation):
            if self._kinds[unit] is Control.ENTER and self._frame[unit] is frame:
                return [], []
            tensors = [t for t in unit._inputs if t not in self._feeds and not is_back_edge(unit, t)]
            controls = [c for c in unit._controls if c in self._members]
            return tensors, [c for c in controls if self._unit(c, frame) is not None]
        tensors, controls = [], []
        for op in self._all_ops(unit):
            tensors += [t for t in op._inputs if t not in self._feeds and self._outside(t.op) is frame]
            controls += [c for c in op._controls if c in self._members and self._outside(c) is frame]
        return tensors, controls

    def _region(self, frame: _Frame) -> list[Item]:
        if frame.parent is not None:
            self._given[frame] = {**self._given[frame.parent], **dict(self._alive[frame] or ())}
        units: list[_Unit] = [*frame.ops, *frame.children.values()]
        before: dict[_Unit, set[_Unit]] = {}
        for unit in units:
            tensors, controls = self._sources(unit, frame)
            found = {self._unit(o, frame) for o in (*(t.op for t in tensors), *controls)}
            before[unit] = {u for u in found if u is not None and u is not unit}
        order = self._sorted(units, before)
        for unit in order:
            self._alive[unit] = self._alive_unit(unit, frame)
        live = [u for u in order if self._alive[u] is not None]
        if frame.parent is None:
            return _Schedule(self, frame, before, live, ()).items
        return [self._cycle(frame, before, live)]

    def _position(self, unit: _Unit) -> int:
        return self._order[unit] if isinstance(unit, Operation) else self._order[unit.ops[0]]

    def _sorted(self, units: list[_Unit], before: dict[_Unit, set[_Unit]]) -> list[_Unit]:
        after: dict[_Unit, list[_Unit]] = {}
        waits = {u: len(b) for u, b in before.items()}
        for unit, sources in before.items():
            for source in sources:
                after.setdefault(source, []).append(unit)
        ready = [(self._position(u), i, u) for i, u in enumerate(units) if waits[u] == 0]
        heapq.heapify(ready)
        count = len(units)
        order: list[_Unit] = []
        while ready:
            _, _, unit = heapq.heappop(ready)
            order.append(unit)
            for other in after.get(unit, ()):
                waits[other] -= 1
                if waits[other] == 0:
                    count += 1
                    heapq.heappush(ready, (self._position(other), count, other))
        if len(order) != len(units):
            stuck = next(u for u in units if waits[u] > 0)
            name = stuck.name
            raise Unstructured(f"{name!r} and what it depends on do not form loops inside each other")
        return order

    # When things are alive

    def _alive_tensor(self, tensor: Tensor, frame: _Frame) -> Alive:
        unit = self._unit(tensor.op, frame)
        assert unit is not None
        alive = self._alive[unit]
        if unit is tensor.op and self._kinds[tensor.op] is Control.SWITCH:
            return self._and(alive, self._literal(tensor, frame))
        return alive

    def _literal(self, tensor: Tensor, frame: _Frame) -> Alive:
        op = tensor.op
        predicate = self._predicate(op._inputs[1])
        ways = len(op.output_types)
        if self._ways.setdefault(predicate, ways) != ways:
            raise Unstructured(f"{predicate.name!r} chooses among two and among {ways} values")
        given = self._given[frame].get(predicate)
        if given is not None:
            # The loop itself is in a branch of this predicate.
            return () if given == tensor.value_index else None
        return ((predicate, tensor.value_index),)

    def _predicate(self, tensor: Tensor) -> Tensor:
        """The tensor that a predicate is another name for: TensorFlow gives each conditional an Identity of its own,
        and hands predicates into loops."""
        while tensor not in self._feeds and tensor.op in self._members:
            spec = registry.lookup(tensor.op.type)
            entered = self._kinds[tensor.op] is Control.ENTER and tensor.op.attrs.get("is_constant")
            if spec is None or not (spec.alias or entered):
                break
            tensor = tensor.op._inputs[0]
        return tensor

    @staticmethod
    def _and(a: Alive, b: Alive) -> Alive:
        if a is None or b is None:
            return None
        if not b or a == b:
            return a
        known = dict(a)
        for predicate, way in b:
            if known.setdefault(predicate, way) != way:
                return None
        return tuple(known.items())

    def _alive_unit(self, unit: _Unit, frame: _Frame) -> Alive:
        tensors, controls = self._sources(unit, frame)
        kind = self._kinds[unit] if isinstance(unit, Operation) else None
        alive: Alive = ()
        for c in controls:
            source = self._unit(c, frame)
            assert source is not None
            if kind is not Control.TRIGGER:
                alive = self._and(alive, self._alive[source])
        if kind is Control.TRIGGER:
            return self._in_common([self._alive[u] for c in controls if (u := self._unit(c, frame)) is not None])
        if kind is Control.MERGE:
            assert isinstance(unit, Operation)
            if any(is_back_edge(unit, t) for t in unit._inputs):
                return alive
            return self._and(alive, self._merged(unit, frame))
        for t in tensors:
            alive = self._and(alive, self._alive_tensor(t, frame))
        return alive

    def _in_common(self, all_alive: list[Alive]) -> Alive:
        """When a trigger runs: in the iterations in which what it waits for may run, whatever branch is taken there."""
        live = [a for a in all_alive if a is not None]
        if not live:
            return ()
        return tuple(
            literal
            for literal in live[0]
            if self._kinds.get(literal[0].op) is Control.LOOP_COND and all(literal in a for a in live)
        )

    def _merged(self, op: Operation, frame: _Frame) -> Alive:
        found = [(i, self._alive_tensor(t, frame) if t not in self._feeds else ()) for i, t in enumerate(op._inputs)]
        live = [(i, a) for i, a in found if a is not None]
        if not live:
            return None
        if len(live) == 1:
            self._only[op] = live[0][0]
            return live[0][1]
        first = live[0][1]
        for predicate, _ in reversed(first):
            ways = [dict(a).get(predicate) for _, a in live]
            rests = [frozenset(x for x in a if x[0] is not predicate) for _, a in live]
            if None in ways or len(set(ways)) != len(ways) or len(set(rests)) != 1:
                continue
            if len(ways) != self._ways[predicate]:
                continue
            positions = [0] * len(ways)
            for (i, _), way in zip(live, ways, strict=True):
                assert way is not None
                positions[way] = i
            self._joins[op] = (predicate, tuple(positions))
            return tuple(x for x in first if x[0] is not predicate)
        raise Unstructured(f"the inputs of {op.name!r} are not the branches of one conditional")

    # Loops

    def _cycle(self, frame: _Frame, before: dict[_Unit, set[_Unit]], live: list[_Unit]) -> Cycle:
        conditions = [op for op in frame.ops if self._kinds[op] is Control.LOOP_COND]
        if len(conditions) != 1:
            raise Unstructured(f"loop {frame.name!r} has {len(conditions)} conditions")
        condition = conditions[0].outputs[0]
        entries, carried, exits, following = [], [], [], []
        head: list[_Unit] = []
        body: list[_Unit] = []
        tail: list[_Unit] = []
        for unit in live:
            kind = self._kinds[unit] if isinstance(unit, Operation) else None
            alive = self._alive[unit]
            assert alive is not None
            way = dict(alive).get(condition)
            if isinstance(unit, Operation) and kind is Control.ENTER:
                entries.append(unit)
            elif isinstance(unit, Operation) and kind is Control.EXIT:
                if alive != ((condition, 0),):
                    raise Unstructured(f"{unit.name!r} leaves its loop in the middle")
                exits.append(unit)
            elif isinstance(unit, Operation) and kind is Control.NEXT_ITERATION:
                if alive != ((condition, 1),):
                    raise Unstructured(f"{unit.name!r} does not go on whenever its loop does")
                following.append(unit)
            elif isinstance(unit, Operation) and kind is Control.MERGE and self._is_carried(unit):
                carried.append(self._variable(unit))
            else:
                (head if way is None else body if way == 1 else tail).append(unit)
        in_body = {*body, *tail}
        for unit in head:
            if before[unit] & in_body:
                raise Unstructured(f"{unit.name!r} runs in each iteration, but needs what does not")
        return Cycle(
            condition,
            _Schedule(self, frame, before, head, ()).items,
            _Schedule(self, frame, before, body, ((condition, 1),)).items,
            _Schedule(self, frame, before, tail, ((condition, 0),)).items,
            entries,
            carried,
            exits,
            following,
        )

    def _is_carried(self, op: Operation) -> bool:
        return any(is_back_edge(op, t) for t in op._inputs)

    def _variable(self, merge: Operation) -> tuple[Operation, Operation, Operation]:
        if len(merge._inputs) != 2:
            raise Unstructured(f"{merge.name!r} has {len(merge._inputs)} inputs, one of them the loop's own")
        back = 0 if is_back_edge(merge, merge._inputs[0]) else 1
        entry = merge._inputs[1 - back].op
        if self._kinds.get(entry) is not Control.ENTER or self._frame[entry] is not self._frame[merge]:
            raise Unstructured(f"{merge.name!r} takes its first value from {entry.name!r}, which enters no loop")
        return entry, merge, merge._inputs[back].op

    # For the scheduler

    def join(self, unit: _Unit) -> tuple[Tensor, tuple[int, ...]] | None:
        """The predicate and inputs of a Merge that ends a conditional, else None."""
        return self._joins.get(unit) if isinstance(unit, Operation) else None

    def rest(self, unit: _Unit, context: tuple[Literal, ...]) -> tuple[Literal, ...]:
        """What of a unit's conjunction the context does not say already."""
        alive = self._alive[unit]
        assert alive is not None
        return tuple(x for x in alive if x not in context) if alive else ()

    def hosted(self, unit: _Unit) -> bool:
        """Whether a unit must run on the host."""
        if isinstance(unit, Operation):
            return self._on_host(unit)
        return any(self._on_host(op) for op in self._all_ops(unit))

    def item(self, unit: _Unit) -> list[Item]:
        """A unit that is alive throughout its region, as an item of it."""
        if isinstance(unit, _Frame):
            return self._region(unit)
        only = self._only.get(unit)
        return [unit if only is None else Only(unit, only)]

    def ways(self, predicate: Tensor) -> int:
        return self._ways[predicate]


class _Schedule:
    """Puts the units of a region in order, and those that are alive under a further predicate into conditionals.

    What must run on the host gets conditionals of its own, so that it does not keep the rest from being compiled.
    """

    def __init__(
        self,
        structure: Structure,
        frame: _Frame,
        before: dict[_Unit, set[_Unit]],
        units: list[_Unit],
        context: tuple[Literal, ...],
    ) -> None:
        self._structure = structure
        self._frame = frame
        self._before = before
        self._context = context
        self._position = {u: i for i, u in enumerate(units)}
        self._after: dict[_Unit, list[_Unit]] = {}
        self._waits: dict[_Unit, int] = {}
        for unit in units:
            sources = [s for s in before[unit] if s in self._position]
            self._waits[unit] = len(sources)
            for source in sources:
                self._after.setdefault(source, []).append(unit)
        self._plain: list[int] = []
        # Ready units that wait for a conditional, by its predicate and whether they run on the host.
        self._waiting: dict[tuple[Tensor, bool], list[_Unit]] = {}
        self._units = units
        self.items: list[Item] = []
        for unit in units:
            if self._waits[unit] == 0:
                self._ready(unit)
        self._run()

    def _key(self, unit: _Unit) -> tuple[Tensor, bool] | None:
        rest = self._structure.rest(unit, self._context)
        if rest:
            return rest[0][0], self._structure.hosted(unit)
        join = self._structure.join(unit)
        return None if join is None else (join[0], False)

    def _ready(self, unit: _Unit) -> None:
        key = self._key(unit)
        if key is None:
            heapq.heappush(self._plain, self._position[unit])
        else:
            self._waiting.setdefault(key, []).append(unit)

    def _done(self, unit: _Unit) -> list[_Unit]:
        ready = []
        for other in self._after.get(unit, ()):
            self._waits[other] -= 1
            if self._waits[other] == 0:
                ready.append(other)
        return ready

    def _run(self) -> None:
        while self._plain or self._waiting:
            while self._plain:
                unit = self._units[heapq.heappop(self._plain)]
                self.items += self._structure.item(unit)
                for other in self._done(unit):
                    self._ready(other)
            if self._waiting:
                # What runs in programs comes first; then what has waited for the longest.
                key = min(self._waiting, key=lambda k: (k[1], min(self._position[u] for u in self._waiting[k])))
                self._choice(key)

    def _choice(self, key: tuple[Tensor, bool]) -> None:
        predicate, _ = key
        inside: list[_Unit] = []
        joins: list[Operation] = []
        queue = self._waiting.pop(key)
        while queue:
            unit = queue.pop()
            if self._structure.rest(unit, self._context):
                inside.append(unit)
                for other in self._done(unit):
                    if self._key(other) == key:
                        queue.append(other)
                    else:
                        self._ready(other)
            else:
                assert isinstance(unit, Operation)
                joins.append(unit)
        inside.sort(key=self._position.__getitem__)
        joins.sort(key=self._position.__getitem__)
        branches = []
        for way in range(self._structure.ways(predicate)):
            literal = (predicate, way)
            units = [u for u in inside if literal in self._structure.rest(u, self._context)]
            branches.append(
                _Schedule(self._structure, self._frame, self._before, units, (*self._context, literal)).items
            )
        merges = []
        for op in joins:
            join = self._structure.join(op)
            assert join is not None
            merges.append((op, join[1]))
        self.items.append(Choice(predicate, branches, merges))
        for op in joins:
            for other in self._done(op):
                self._ready(other)
