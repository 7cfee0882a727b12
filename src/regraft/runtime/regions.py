"""Planning with control flow: the recovered structure becomes nodes that hold nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.opkit.call import bind_kernel
from regraft.opkit.registry import Control, OpSpec, Runs
from regraft.opkit.shapes import unknown
from regraft.runtime.partition import Partition
from regraft.runtime.plan import Access, Conditional, Fetch, Loop, Node, Plan, parts, walk
from regraft.runtime.planner import Planner
from regraft.runtime.structure import Choice, Cycle, Item, Only, Structure, Unstructured, control_of

_NAMES = frozenset({Control.SWITCH, Control.NEXT_ITERATION, Control.LOOP_COND, Control.EXIT, Control.ENTER})


@dataclass(slots=True, eq=False)
class Draft:
    """A conditional or loop in the making: its insides are there, what of it is used outside is not known yet."""

    op: Operation
    indexed: bool = False
    selector: int = -1
    branches: list[list[Any]] = field(default_factory=list)
    results: list[tuple[int, tuple[int | Access | None, ...]]] = field(default_factory=list)
    condition: int = -1
    carried: list[tuple[int, int, int]] = field(default_factory=list)
    stands: list[Operation] = field(default_factory=list)

    @property
    def is_loop(self) -> bool:
        return self.condition >= 0


class RegionPlanner(Planner):
    """A planner for operations with control flow among them."""

    def __init__(self, order: list[Operation], feeds: list[Tensor], variables: Mapping[Tensor, str]) -> None:
        super().__init__(order, feeds, variables)
        # Numbers of handles of TensorArrays and stacks, and of lists: whether they can grow.
        self.objects: dict[int, bool] = {}
        # The numbers of what loop variables start with, by their Enter, where a variable is read for it.
        self._starts: dict[Operation, int] = {}

    def plan(self, fetches: Sequence[Tensor | Operation]) -> Plan:
        recovered = Structure(self.order, self.given, self.on_host)
        self._items(recovered.items)
        found = tuple(self._alive(self.fetch(f), f, recovered) for f in fetches)
        wanted = Counter(n for f in found for n in (f.number, *(p for p, _ in f.alive)) if n is not None)
        self.nodes = _Freezer(self.nodes, wanted).nodes
        self._find_objects()
        return self.finish(found)

    def partition(self, wanted: Collection[int]) -> Partition:
        known = {n for n, _ in (*self.consts, *self.handles)}
        return Partition(self.nodes, known, wanted, self.objects)

    def _alive(self, found: Fetch, fetch: Tensor | Operation, recovered: Structure) -> Fetch:
        if isinstance(fetch, Operation):
            return found
        alive = recovered.alive(fetch)
        if alive is None:
            raise InvalidArgumentError(
                "Retval[0] does not have value", where=(f"tensor {fetch.name!r}, fetched, can never have one",)
            )
        return Fetch(found.number, found.variable, found.before, tuple((self.number(t), way) for t, way in alive))

    def on_host(self, op: Operation) -> bool:
        """Whether an operation must run on the host."""
        spec = registry.lookup(op.type)
        return spec is not None and spec.runs is Runs.HOST

    # Items

    def _items(self, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(item, Operation):
                self.take(item)
            elif isinstance(item, Choice):
                self._choice(item)
            elif isinstance(item, Cycle):
                self._cycle(item)
            else:
                self._only(item)

    def _inside(self, items: Iterable[Item]) -> list[Any]:
        """The nodes of a region."""
        outer, self.nodes = self.nodes, []
        self._items(items)
        inner, self.nodes = self.nodes, outer
        return inner

    def take(self, op: Operation) -> None:
        kind = control_of(op)
        if kind in _NAMES:
            self._depends(op)
            for t in op.outputs:
                self._same(t, op._inputs[0])
        elif kind is Control.TRIGGER:
            self._depends(op)
        else:
            super().take(op)

    def _depends(self, op: Operation) -> None:
        """Note what an operation that becomes no node depends on."""
        written = 0
        for t in op._inputs:
            if t not in self.feeds:
                written |= self.written.get(t.op, 0)
        for c in op._controls:
            written |= self.written.get(c, 0)
        self.written[op] = written
        after = self._after(op)
        if after:
            self.after[op] = after

    def _same(self, tensor: Tensor, source: Tensor) -> None:
        """Make `tensor` another name for `source`."""
        if tensor in self.feeds:
            return
        self.numbers[tensor] = self.number(source)
        if source in self.names and source not in self.feeds:
            self.names[tensor] = self.names[source]

    def _constant(self, tensor: Tensor, value: Any) -> None:
        self.consts.append((self.number(tensor), value))

    def _only(self, item: Only) -> None:
        op = item.merge
        self._depends(op)
        self._same(op.outputs[0], op._inputs[item.position])
        self._constant(op.outputs[1], np.asarray(item.position, np.int32))

    def _choice(self, item: Choice) -> None:
        draft = Draft(item.selector.op, selector=self.number(item.selector), indexed=len(item.branches) != 2)
        draft.indexed = draft.indexed or item.selector.dtype.base is not dtypes.bool_
        draft.branches = [self._inside(branch) for branch in item.branches]
        for op, positions in item.merges:
            self._depends(op)
            self._merge(draft, op, positions)
        if item.merges or any(draft.branches):
            self._add(draft)

    def _add(self, draft: Draft) -> None:
        items: list[Any] = self.nodes
        items.append(draft)

    def _merge(self, draft: Draft, op: Operation, positions: tuple[int, ...]) -> None:
        sources = [op._inputs[i] for i in positions]
        draft.stands.append(op)
        index = tuple(self._index(i) for i in positions)
        draft.results.append((self.number(op.outputs[1]), index))
        names = {self.names.get(t) if t not in self.feeds else None for t in sources}
        if len(names) == 1 and None not in names:
            self._same(op.outputs[0], sources[0])
            return
        self.made.add(op)
        draft.results.append((self.number(op.outputs[0]), tuple(self._side(t) for t in sources)))

    def _index(self, position: int) -> int:
        found = self._indices.get(position)
        if found is None:
            found = self._indices[position] = self.fresh()
            self.consts.append((found, np.asarray(position, np.int32)))
        return found

    def _side(self, tensor: Tensor) -> int | Access:
        """What a branch hands on: a value, or what a variable holds."""
        name = self.names.get(tensor) if tensor not in self.feeds else None
        if name is None or tensor.dtype.base.numpy.kind == "O":
            return self.number(tensor)
        return Access(0, name, not self._sees(tensor.op, name))

    @property
    def _indices(self) -> dict[int, int]:
        found: dict[int, int] = self.__dict__.setdefault("indices", {})
        return found

    def fresh(self) -> int:
        """A number that stands for no tensor of the graph."""
        number = len(self.numbers)
        self.numbers[object()] = number  # type: ignore[index]  # nobody asks for it by tensor
        return number

    def _cycle(self, item: Cycle) -> None:
        draft, written, fixed = self._loop(item, 0, frozenset())
        if written or fixed:
            # What an iteration writes, the next one reads, and what none changes is known where its first value is:
            # plan again with that.
            draft, _, _ = self._loop(item, written, fixed)
        self._add(draft)
        self._items(item.tail)
        for op in item.exits:
            self.take(op)
            self.written[op] |= written

    def _loop(self, item: Cycle, written: int, fixed: frozenset[Operation]) -> tuple[Draft, int, frozenset[Operation]]:
        """The loop, the variables that it writes, and the Merges of loop variables that never change."""
        for op in item.entries:
            self._depends(op)
            self._same(op.outputs[0], op._inputs[0])
        for entry, merge, _ in item.carried:
            self.written[merge] = self.written.get(entry, 0) | written
            if entry in self.after:
                self.after[merge] = self.after[entry]
            if merge in fixed or (entry.outputs[0] in self.names and _names_only(entry.outputs[0])):
                self._same(merge.outputs[0], entry.outputs[0])
            else:
                self.number(merge.outputs[0])
        for op in item.entries:
            self.written[op] |= written
        draft = Draft(item.condition.op)
        head = self._inside(item.head)
        if item.condition not in self.numbers:
            self.take(item.condition.op)
        body = self._inside(item.body)
        draft.branches = [head, body]
        draft.condition = self.number(item.condition)
        for op in item.following:
            self.take(op)
        unchanged = set()
        for entry, merge, following in item.carried:
            draft.stands.append(merge)
            inside = self.number(merge.outputs[0])
            first = self.number(entry.outputs[0]) if merge in fixed else self._first(entry)
            after = self._origin(following.outputs[0], draft)
            if first == inside:
                continue
            if after == inside:
                unchanged.add(merge)
            draft.carried.append((first, inside, after))
        draft.stands += [*item.exits, *item.entries, *item.following]
        bits = 0
        for node in self._plain(chain(*draft.branches)):
            for access in node.writes:
                bits |= self._bit(access.name)
        return draft, bits, frozenset(unchanged)

    def _first(self, entry: Operation) -> int:
        """The value that a loop variable starts with. Where that is what a variable holds, the variable is read."""
        tensor = entry.outputs[0]
        name = self.names.get(tensor)
        if name is None or _names_only(tensor):
            return self.number(tensor)
        found = self._starts.get(entry)
        if found is None:
            maker = entry._inputs[0].op
            while not (spec := registry.lookup(maker.type)) or not spec.alias:
                if not maker._inputs:
                    raise Unstructured(f"{entry.name!r} takes the reference {maker.name!r} itself into the loop")
                maker = maker._inputs[0].op
            found = self._starts[entry] = self.fresh()
            access = Access(0, name, not self._sees(entry, name))
            source = (self.number(maker._inputs[0]),)
            self.nodes.append(Node(maker, spec, bind_kernel(spec, maker), source, (found,), (access,), aliases=(None,)))
        return found

    def _plain(self, items: Iterable[Any]) -> Iterator[Node]:
        """The nodes among items and inside them."""
        for item in items:
            if isinstance(item, Draft):
                yield from self._plain(chain(*item.branches))
            else:
                yield item

    def _origin(self, tensor: Tensor, draft: Draft) -> int:
        """The number of a value, seen through ops that hand it on."""
        number = self.number(tensor)
        makers = {n: node for part in draft.branches for node in part if isinstance(node, Node) for n in node.outputs}
        while number in makers and makers[number].spec.alias and not makers[number].reads:
            number = makers[number].inputs[0]
        return number

    # Objects

    def _find_objects(self) -> None:
        found = self.objects
        for node in walk(self.nodes):
            if isinstance(node, Conditional):
                for n, sides in node.results:
                    held = [found[s] for s in sides if isinstance(s, int) and s in found]
                    if held:
                        found[n] = any(held)
            elif isinstance(node, Loop):
                found.update((inside, found[first]) for first, inside, _ in node.carried if first in found)
            else:
                kinds = (dtypes.variant, dtypes.resource, dtypes.string) if node.spec.objects else (dtypes.variant,)
                grows = bool(node.op.attrs.get("dynamic_size", not node.spec.objects))
                outputs = zip(node.op.outputs, node.outputs, strict=True)
                found.update((n, grows) for t, n in outputs if t.dtype.base in kinds)


def _names_only(tensor: Tensor) -> bool:
    """Whether a tensor is a reference or a handle, not the value of what it names."""
    return tensor.dtype.is_ref or tensor.dtype.base is dtypes.resource


def freeze(items: list[Any]) -> list[Node]:
    """Drafts as nodes, with every value inside them that could be used outside given out."""
    freezer = _Freezer(items, Counter())
    return freezer.nodes


class _Freezer:
    """Makes nodes of drafts, once it is known which values inside them are used outside."""

    def __init__(self, items: list[Any], wanted: Counter[int]) -> None:
        self._total = wanted + self._uses(items)
        self.nodes = [self._freeze(item) for item in items]

    def _uses(self, items: Iterable[Any]) -> Counter[int]:
        uses: Counter[int] = Counter()
        for item in items:
            if isinstance(item, Draft):
                uses += self._inner_uses(item)
                uses.update(self._outer_uses(item))
            else:
                uses.update(item.inputs)
        return uses

    @staticmethod
    def _outer_uses(draft: Draft) -> list[int]:
        return [first for first, _, _ in draft.carried] if draft.is_loop else [draft.selector]

    def _inner_uses(self, draft: Draft) -> Counter[int]:
        uses: Counter[int] = Counter()
        for part in draft.branches:
            uses += self._uses(part)
        if draft.is_loop:
            uses[draft.condition] += 1
            uses.update(after for _, _, after in draft.carried)
        for _, sides in draft.results:
            uses.update(s for s in sides if isinstance(s, int))
        return uses

    def _freeze(self, item: Any) -> Node:
        if not isinstance(item, Draft):
            node: Node = item
            return node
        inner = self._inner_uses(item)
        branches = tuple(tuple(self._freeze(i) for i in part) for part in item.branches)
        made = [{n for node in part for n in node.outputs} for part in branches]
        all_made = set().union(*made) if made else set()
        used_outside = sorted(n for n in all_made if self._total[n] > inner[n])
        own = {n for n, _ in item.results} | {inside for _, inside, _ in item.carried}
        nodes = [n for part in branches for n in walk(part)]
        taken = (set(inner) | set(self._outer_uses(item))) - {n for node in nodes for n in node.outputs} - own
        stands = tuple(dict.fromkeys((*item.stands, *(n.op for n in nodes))))
        members = set(stands)
        after = tuple(dict.fromkeys(c for n in nodes for c in n.after if c not in members))
        side_reads = [s for _, sides in item.results for s in sides if isinstance(s, Access)]
        common: dict[str, Any] = {
            "op": item.op,
            "run": None,
            "inputs": tuple(sorted(taken)),
            "reads": tuple(dict.fromkeys([*(a for n in nodes for a in n.reads), *side_reads])),
            "writes": tuple(dict.fromkeys(a for n in nodes for a in n.writes)),
            "after": after,
            "stands": stands,
        }
        if item.is_loop:
            if used_outside:
                raise Unstructured("a value inside a loop is used outside it")
            return Loop(
                spec=_spec(Control.WHILE, nodes),
                outputs=tuple(sorted(own)),
                aliases=(None,) * len(own),
                condition=item.condition,
                head=branches[0],
                body=branches[1],
                carried=tuple(c for c in item.carried),
                **common,
            )
        results = [*item.results, *((n, tuple(n if n in m else None for m in made)) for n in used_outside)]
        return Conditional(
            spec=_spec(Control.IF, nodes),
            outputs=tuple(n for n, _ in results),
            aliases=(None,) * len(results),
            selector=item.selector,
            indexed=item.indexed,
            branches=branches,
            results=tuple(results),
            **common,
        )


def _spec(kind: Control, nodes: list[Node]) -> OpSpec:
    plain = [n.spec for n in nodes if not parts(n)]
    return OpSpec(
        kind.value,
        None,
        unknown,
        Runs.XLA if all(s.runs is Runs.XLA for s in plain) else Runs.HOST,
        lax=any(s.lax for s in plain),
        costly=any(s.costly for s in plain),
        random=False,
        objects=any(s.objects for s in plain),
        blocking=any(s.blocking for s in plain),
        pure=False,
        control=kind,
    )
