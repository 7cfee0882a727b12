"""From fetches and feeds to a plan: prune, order, follow variables, split into steps.

Variables. A reference or handle is followed through the ops that pass it on, so that each use of a variable is known by
name. A reader that depends, by any path, on a write of the variable in this run sees the new value; any other sees the
value from before the run, wherever it stands in the order.

Steps. Ops that must run on the host, and ops whose value a later trace must know, split the run; everything between
them goes into as few programs as possible.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from regraft.base.dtypes import resource, variant
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.ir.attr import TensorValue
from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.opkit.call import bind_kernel, definition_of, flat_index
from regraft.opkit.registry import Control, OpSpec, Runs
from regraft.runtime.evaluate import is_blind
from regraft.runtime.partition import Group, Partition
from regraft.runtime.plan import Access, Fetch, Node, Plan, Step, blocks, count
from regraft.runtime.values import VariableName
from regraft.runtime.waiting import step_order

# Constants of more elements than this are arguments of a program, not part of it.
LARGE_CONSTANT = 1024


def variable_name(op: Operation) -> str:
    """The key of the variable that a variable op stands for: its shared name, else the node's own name."""
    shared = op.attrs.get("shared_name") or b""
    container = op.attrs.get("container") or b""
    name = shared.decode() if shared else op.name
    return f"{container.decode()}/{name}" if container else name


def _from_host(tensor: Tensor) -> bool:
    """Whether a tensor is a handle or variant that no program can take: one that a host op or a caller gives."""
    if tensor.dtype.base not in (resource, variant):
        return False
    spec = registry.lookup(tensor.op.type)
    if spec is not None and spec.alias:
        return _from_host(tensor.op._inputs[0])
    return spec is None or spec.runs is Runs.HOST or spec.control is Control.PLACEHOLDER


class Planner:
    """Turns operations into nodes, in order, and nodes into steps."""

    def __init__(self, order: list[Operation], feeds: list[Tensor], variables: Mapping[Tensor, str]) -> None:
        self.order = order
        self.numbers: dict[Tensor, int] = {}
        self.feeds = {t: self.number(t) for t in feeds}
        # What the operations take from outside: values, and variables by their names.
        self.given = {*feeds, *variables}
        self.names: dict[Tensor, str] = dict(variables)
        self.nodes: list[Node] = []
        self.consts: list[tuple[int, Any]] = []
        self.handles: list[tuple[int, Any]] = [(self.number(t), VariableName(n)) for t, n in variables.items()]
        # For each operation the variables that it, or anything it depends on, has written: a bit for each.
        self.written: dict[Operation, int] = {}
        self.after: dict[Operation, tuple[Operation, ...]] = {}
        self.made: set[Operation] = set()
        self.bits: dict[str, int] = {}

    def number(self, tensor: Tensor) -> int:
        return self.numbers.setdefault(tensor, len(self.numbers))

    def plan(self, fetches: Sequence[Tensor | Operation]) -> Plan:
        """The plan for these fetches. UnimplementedError where a variable is used in a way that nothing supports."""
        for op in self.order:
            self.take(op)
        return self.finish(tuple(self.fetch(f) for f in fetches))

    def finish(self, found: tuple[Fetch, ...]) -> Plan:
        """The plan of the nodes that were taken."""
        wanted = {f.number for f in found if f.number is not None} | {n for f in found for n, _ in f.alive}
        partition = self.partition(wanted)
        steps = self._steps(partition.groups(), wanted)
        return Plan(
            steps,
            self.feeds,
            found,
            len(self.numbers),
            (*self.consts, *self.handles),
            _kept(steps, found),
            any(s.reads or s.writes for s in steps) or any(f.variable for f in found),
            tuple(partition.notes),
            step_order(steps) if any(s.blocking for s in steps) else (),
        )

    def partition(self, wanted: Collection[int]) -> Partition:
        known = {n for n, _ in (*self.consts, *self.handles)}
        return Partition(self.nodes, known, wanted)

    def fetch(self, fetch: Tensor | Operation) -> Fetch:
        if isinstance(fetch, Operation):
            return Fetch()
        if fetch not in self.feeds and fetch in self.names and fetch.dtype.is_ref:
            return Fetch(variable=self.names[fetch], before=not self._sees(fetch.op, self.names[fetch]))
        name = self.names.get(fetch)
        if name is not None and fetch not in self.feeds and fetch.dtype.base is not resource:
            return Fetch(variable=name, before=not self._sees(fetch.op, name))
        return Fetch(number=self.number(fetch))

    def _bit(self, name: str) -> int:
        return self.bits.setdefault(name, 1 << len(self.bits))

    def _sees(self, op: Operation, name: str) -> bool:
        return bool(self.written.get(op, 0) & self._bit(name))

    def take(self, op: Operation) -> None:
        """Make the node of an operation, or give its outputs another meaning."""
        spec = registry.lookup(op.type)
        assert spec is not None
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
        if spec.control is Control.PLACEHOLDER:
            self._placeholder(op)
            return
        if spec.control is Control.VARIABLE:
            self.names[op.outputs[0]] = name = variable_name(op)
            self.handles.append((self.number(op.outputs[0]), VariableName(name)))
            return
        if spec.alias and op._inputs[0] not in self.feeds and op._inputs[0] in self.names:
            self.names[op.outputs[0]] = name = self.names[op._inputs[0]]
            self.handles.append((self.number(op.outputs[0]), VariableName(name)))
            return
        if spec.alias and _from_host(op._inputs[0]):
            self.numbers[op.outputs[0]] = self.number(op._inputs[0])
            return
        if not op._inputs and spec.pure and isinstance(value := op.attrs.get("value"), TensorValue):
            self.consts.append((self.number(op.outputs[0]), value.array))
            return
        node = self._node(op, spec)
        for access in node.writes:
            written |= self._bit(access.name)
        self.written[op] = written
        self.nodes.append(node)
        self.made.add(op)

    def _after(self, op: Operation) -> tuple[Operation, ...]:
        """The operations that must have run before `op` by control inputs, seen through ops that are no nodes."""
        if not op._controls and not self.after:
            return ()
        found = dict.fromkeys(op._controls)
        for other in (*op._controls, *(t.op for t in op._inputs)):
            if other in self.after and other not in self.made:
                found.update(dict.fromkeys(self.after[other]))
        return tuple(found)

    def _placeholder(self, op: Operation) -> None:
        if op.outputs[0] in self.feeds:
            return
        shape = op.outputs[0].shape
        dims = None if shape.sizes is None else ",".join("?" if d is None else str(d) for d in shape.sizes)
        raise InvalidArgumentError(
            f"You must feed a value for placeholder tensor {op.name!r} with dtype {op.output_types[0].status_name}"
            f" and shape {'<unknown>' if dims is None else f'[{dims}]'}",
            where=(f"node {op.name!r}",),
            op=op,
        )

    def _node(self, op: Operation, spec: OpSpec) -> Node:
        definition = definition_of(op)
        inputs = tuple(self.number(t) for t in op._inputs)
        static = spec.static_inputs(op)
        by_name = {name: flat_index(definition, op.attrs, name) for name in (*spec.writes, *spec.reads, *static)}
        writes, reads = [], []
        for name in spec.writes:
            for i in by_name[name]:
                writes.append(Access(i, self._variable(op, i), False))
        taken = {a.position for a in writes}
        passes = {i for i in range(len(inputs)) if spec.alias and i == 0}
        for i, t in enumerate(op._inputs):
            if i in taken or i in passes or t in self.feeds:
                continue
            held = self.names.get(t)
            if held is None:
                continue
            wants_value = any(i in by_name[n] for n in spec.reads) or t.dtype.base is not resource
            if wants_value or spec.control is Control.INITIALIZED:
                reads.append(Access(i, held, not self._sees(op, held)))
        for n in spec.reads:
            for i in by_name[n]:
                if not any(a.position == i for a in reads):
                    self._variable(op, i)
        if spec.control is Control.DESTROY:
            writes.append(Access(0, self._variable(op, 0), False))
        outputs, aliases = [], []
        for t in op.outputs:
            alias = writes[0].name if writes and t.dtype.is_ref else None
            if alias is not None:
                self.names[t] = alias
                self.handles.append((self.number(t), VariableName(alias)))
            outputs.append(self.number(t))
            aliases.append(alias)
        return Node(
            op,
            spec,
            None if spec.kernel is None else bind_kernel(spec, op),
            inputs,
            tuple(outputs),
            tuple(reads),
            tuple(writes),
            tuple(aliases),
            tuple(i for n in static for i in by_name[n]),
            self.after.get(op, ()),
            self.label(op),
        )

    def label(self, op: Operation) -> str:
        """The key of a node's state, "" for the op's own name."""
        return ""

    def _variable(self, op: Operation, position: int) -> str:
        tensor = op._inputs[position]
        name = self.names.get(tensor)
        if name is None or tensor in self.feeds:
            raise UnimplementedError(
                f"input {position} of {op.name!r} (op {op.type!r}) must name a variable, but {tensor.name!r} does not",
                hint="only variables that follow from the graph itself can be read and written",
                op=op,
            )
        return name

    def _steps(self, groups: Sequence[Group], wanted: set[int]) -> tuple[Step, ...]:
        names = {n for n, _ in self.handles}
        known = names | {n for n, _ in self.consts}
        large = {n for n, a in self.consts if a.size > LARGE_CONSTANT and a.dtype.kind != "O"}
        steps: list[Step] = []
        later = set(wanted)
        for group in reversed(groups):
            made = {n for node in group.nodes for n in node.outputs}
            taken = {n for node in group.nodes for n in node.inputs}
            steps.append(
                Step(
                    tuple(group.nodes),
                    group.compiled,
                    tuple(sorted(taken - made - known)),
                    tuple(sorted((made & later) - names)),
                    _reads(group.nodes),
                    tuple(dict.fromkeys(a.name for node in group.nodes for a in node.writes)),
                    frozenset(group.static),
                    tuple(sorted(taken & large)),
                    frozenset(group.folded),
                    any(blocks(node) for node in group.nodes),
                    count(group.nodes),
                )
            )
            later |= taken
        return tuple(reversed(steps))


def _kept(steps: Sequence[Step], fetches: Sequence[Fetch]) -> frozenset[str]:
    """Variables whose value from before the run is still wanted after the step that first writes them."""
    first: dict[str, int] = {}
    for i, step in enumerate(steps):
        for name in step.writes:
            first.setdefault(name, i)
    kept = {f.variable for f in fetches if f.variable in first and f.before}
    for i, step in enumerate(steps):
        for node in step.nodes:
            kept |= {a.name for a in node.reads if a.before and first.get(a.name, i) < i}
    return frozenset(name for name in kept if name is not None)


def _reads(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Variables whose value from before the group's own writes is used in it."""
    written: set[str] = set()
    found: dict[str, None] = {}
    for node in nodes:
        for access in node.reads:
            if access.before or access.name not in written:
                found[access.name] = None
        for access in node.writes:
            blind = is_blind(node, access)
            if access.name not in written and not blind:
                found[access.name] = None
            written.add(access.name)
    return tuple(found)
