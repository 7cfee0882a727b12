"""Planning with functions of the library: If, Case and While become what v1's control flow becomes, calls vanish.

A body is planned where it is called, once for each call; its arguments are other names for the call's inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regraft.base.errors import NotFoundError, UnimplementedError
from regraft.ir.attr import FunctionRef
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.opkit.call import definition_of
from regraft.opkit.registry import Control, Runs
from regraft.runtime import prune
from regraft.runtime.regions import Draft, RegionPlanner
from regraft.runtime.structure import Structure, control_of, has_control_flow
from regraft.serde.function import FunctionBody, function_body

_CALLS = frozenset({Control.CALL, Control.GRADIENT, Control.IF, Control.CASE, Control.WHILE})
# Functions that call each other deeper than this call themselves.
_DEEPEST = 64


def calls_function(op: Operation) -> bool:
    """Whether the op runs functions of the library; old files name the function as the op itself."""
    kind = control_of(op)
    return kind in _CALLS or (registry.lookup(op.type) is None and op.graph.function(op.type) is not None)


def needed(ops: Iterable[Operation]) -> bool:
    """Whether the operations need the planner of this module."""
    ops = list(ops)
    return has_control_flow(ops) or any(calls_function(op) for op in ops)


def functions_of(op: Operation) -> list[FunctionRef]:
    """The functions that an operation calls."""
    if registry.lookup(op.type) is None:
        return [FunctionRef(op.type, op.attrs)]
    found = []
    for name in ("f", "then_branch", "else_branch", "cond", "body", "branches"):
        value = op.attrs.get(name)
        if isinstance(value, FunctionRef):
            found.append(value)
        elif isinstance(value, tuple):
            found += [v for v in value if isinstance(v, FunctionRef)]
    return found


class CallPlanner(RegionPlanner):
    """A planner for operations with control flow and calls among them."""

    def __init__(self, order: list[Operation], feeds: list[Tensor], variables: Mapping[Tensor, str]) -> None:
        super().__init__(order, feeds, variables)
        self._bodies: dict[tuple[Operation, int], FunctionBody] = {}
        self._path: list[str] = []
        self._hosts: dict[str, bool] = {}

    def take(self, op: Operation) -> None:
        if not calls_function(op):
            super().take(op)
            return
        if len(self._path) >= _DEEPEST:
            raise UnimplementedError(
                f"functions call each other more than {_DEEPEST} deep",
                where=(f"node {op.name!r}",),
                hint="a function that calls itself can't be run",
            )
        self._depends(op)
        self._path.append(op.name)
        kind = control_of(op)
        if kind is Control.IF:
            self._branches(op, (op.attrs["else_branch"], op.attrs["then_branch"]), False)
        elif kind is Control.CASE:
            self._branches(op, op.attrs["branches"], True)
        elif kind is Control.WHILE:
            self._while(op)
        else:
            self._call(op)
        self._path.pop()

    def label(self, op: Operation) -> str:
        """The name by which a node's state is kept: of its own in each call."""
        return "/".join((*self._path, op.name)) if self._path else ""

    def on_host(self, op: Operation) -> bool:
        if calls_function(op):
            return any(self._function_on_host(op.graph, f.name) for f in functions_of(op))
        return super().on_host(op)

    def _function_on_host(self, graph: Graph, name: str) -> bool:
        """Whether anything in a function must run on the host."""
        found = self._hosts.get(name)
        if found is None:
            self._hosts[name] = False
            function = graph.function(name)
            nodes = () if function is None else function.proto.node_def
            found = any(self._type_on_host(graph, node) for node in nodes)
            self._hosts[name] = found
        return found

    def _type_on_host(self, graph: Graph, node: Any) -> bool:
        spec = registry.lookup(node.op)
        if spec is not None and spec.runs is Runs.HOST:
            return True
        named = [v.func.name for v in node.attr.values() if v.HasField("func")]
        named += [f.name for v in node.attr.values() if v.HasField("list") for f in v.list.func]
        if spec is None and graph.function(node.op) is not None:
            named.append(node.op)
        return any(self._function_on_host(graph, name) for name in named)

    # Calls

    def _call(self, op: Operation) -> None:
        if control_of(op) is Control.GRADIENT:
            called = self._gradient(op)
        else:
            (called,) = functions_of(op)
        skip = len(op._inputs) - len(op.attrs["Tin"]) if "Tin" in op.attrs else 0
        body = self._body(op, 0, called)
        inside, nodes = self._run(body, [(t, None) for t in op._inputs[skip:]], op)
        self.nodes += nodes
        for t, result in zip(op.outputs, inside, strict=True):
            self._same(t, result)
        self.after[op] = (*self.after.get(op, ()), *(n.op for n in nodes))
        for result in (*inside, *(c.outputs[0] for c in body.controls if c.outputs)):
            self.written[op] |= self.written.get(result.op, 0)

    def _gradient(self, op: Operation) -> FunctionRef:
        name = op.attrs["f"].name
        function = op.graph.function(name)
        if function is None or not function.gradient:
            raise UnimplementedError(
                f"the gradient of function {name!r} is not in the file, and SymbolicGradient asks for it",
                where=(f"node {op.name!r}",),
                hint=f"feed {op.name + ':0'!r}, or fetch what does not need it",
                op=op,
            )
        return FunctionRef(function.gradient, op.attrs["f"].attrs)

    def _branches(self, op: Operation, functions: Sequence[FunctionRef], indexed: bool) -> None:
        draft = Draft(op, selector=self.number(op._inputs[0]), indexed=indexed)
        results = []
        for i, function in enumerate(functions):
            body = self._body(op, i, function)
            inside, nodes = self._run(body, [(t, None) for t in op._inputs[1:]], op)
            draft.branches.append(nodes)
            results.append(inside)
            self.written[op] |= self._bits(nodes)
        draft.stands.append(op)
        self.made.add(op)
        for t, sources in zip(op.outputs, zip(*results, strict=True), strict=True):
            names = {self.names.get(s) for s in sources}
            if len(names) == 1 and None not in names:
                self._same(t, sources[0])
            else:
                draft.results.append((self.number(t), tuple(self._side(s) for s in sources)))
        self._add(draft)

    def _while(self, op: Operation) -> None:
        written, fixed = 0, set[int]()
        while True:
            draft, bits, unchanged = self._iterations(op, written, fixed)
            if not (bits & ~written) and unchanged <= fixed:
                break
            written, fixed = written | bits, fixed | unchanged
        self.written[op] |= written
        self.made.add(op)
        self._add(draft)

    def _iterations(self, op: Operation, written: int, fixed: set[int]) -> tuple[Draft, int, set[int]]:
        """A plan of the loop, knowing which variables it writes and which loop variables never change."""
        draft = Draft(op)
        variables: list[tuple[Tensor, int | None]] = []
        for i, (t, out) in enumerate(zip(op._inputs, op.outputs, strict=True)):
            if i in fixed or (t in self.names and t not in self.feeds):
                self._same(out, t)
                variables.append((t, None))
            else:
                variables.append((t, self.number(out)))
        condition, body = (self._body(op, i, op.attrs[name]) for i, name in enumerate(("cond", "body")))
        self.written[op] |= written
        tested, head = self._run(condition, variables, op)
        following, nodes = self._run(body, variables, op)
        draft.branches = [head, nodes]
        draft.condition = self.number(tested[0])
        draft.stands.append(op)
        unchanged = set()
        for i, ((t, inside), after) in enumerate(zip(variables, following, strict=True)):
            if inside is None:
                continue
            number = self._origin(after, draft)
            if number == inside:
                unchanged.add(i)
            draft.carried.append((self.number(t), inside, number))
        return draft, self._bits(head) | self._bits(nodes), unchanged

    def _bits(self, items: Iterable[Any]) -> int:
        found = 0
        for node in self._plain(items):
            for access in node.writes:
                found |= self._bit(access.name)
        return found

    # Bodies

    def _body(self, op: Operation, index: int, called: FunctionRef) -> FunctionBody:
        found = self._bodies.get((op, index))
        if found is None:
            function = op.graph.function(called.name)
            if function is None:
                raise NotFoundError(
                    f"function {called.name!r} is not in the library",
                    where=(f"node {op.name!r} (op {op.type!r})",),
                    op=op,
                )
            attrs: Mapping[str, Any] = called.attrs
            found = self._bodies[op, index] = function_body(op.graph, function, attrs)
        return found

    def _run(
        self, body: FunctionBody, arguments: Sequence[tuple[Tensor, int | None]], op: Operation
    ) -> tuple[list[Tensor], list[Any]]:
        """The results and nodes of a body, called with these tensors (or numbers, where those are given)."""
        from regraft.runtime.build import check_known

        for inner, (outer, number) in zip(body.inputs, arguments, strict=True):
            if number is None:
                self._same(inner, outer)
            else:
                self.numbers[inner] = number
            self.written[inner.op] = self.written.get(op, 0)
            if op in self.after:
                self.after[inner.op] = self.after[op]
            if inner.shape.rank is None and number is None:
                inner._shape = outer.shape
        ops = prune.needed([*body.outputs, *body.controls, *effects(body.graph)], body.inputs)
        check_known(ops)
        order = prune.ordered(ops)
        recovered = Structure(order, set(body.inputs), self.on_host)
        return list(body.outputs), self._inside(recovered.items)


def effects(graph: Graph) -> list[Operation]:
    """What runs in a body though no result needs it."""
    found = []
    for op in graph.get_operations():
        spec = registry.lookup(op.type)
        if spec is None or spec.pure or spec.reads or spec.alias or not definition_of(op).is_stateful:
            continue
        if spec.control not in (Control.VARIABLE, Control.PLACEHOLDER):
            found.append(op)
    return found
