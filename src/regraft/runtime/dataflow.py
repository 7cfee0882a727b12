"""The dataflow interpreter: TensorFlow's own semantics, one token at a time.

A value is a token in a frame (the run, or one entry of a loop) and an iteration of it; it may be dead. An operation
runs when all its inputs are there, and gives dead tokens if one of them is dead; what is special about Switch, Merge,
Enter, Exit and NextIteration stands in `_Run`. This needs no structure, and so it runs what `structure` refuses. It is
slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regraft.ir.attr import TensorValue
from regraft.ir.node import Operation, Tensor
from regraft.opkit import registry
from regraft.opkit.registry import Control, OpSpec, Runs
from regraft.opkit.shapes import unknown
from regraft.runtime.calls import CallPlanner, calls_function
from regraft.runtime.evaluate import Engine, Values, Variables, evaluate, truth
from regraft.runtime.plan import Dataflow, Fetch, Node, Plan
from regraft.runtime.regions import freeze
from regraft.runtime.structure import control_of

_FLOW = frozenset(
    {
        Control.SWITCH,
        Control.MERGE,
        Control.ENTER,
        Control.EXIT,
        Control.NEXT_ITERATION,
        Control.LOOP_COND,
        Control.TRIGGER,
    }
)


class DataflowPlanner(CallPlanner):
    """Plans one step, which the dataflow interpreter runs."""

    def __init__(
        self, order: list[Operation], feeds: list[Tensor], reason: str, variables: Mapping[Tensor, str]
    ) -> None:
        super().__init__(order, feeds, variables)
        self._reason = reason

    def plan(self, fetches: Sequence[Tensor | Operation]) -> Plan:
        for op in self.order:
            self.take(op)
        found: tuple[Fetch, ...] = tuple(self.fetch(f) for f in fetches)
        nodes = freeze(self.nodes)
        known = {n for n, _ in (*self.consts, *self.handles)}
        made = {n for node in nodes for n in node.outputs}
        taken = {n for node in nodes for n in node.inputs}
        runs = Dataflow(
            op=nodes[0].op if nodes else self.order[0],
            spec=OpSpec("dataflow", None, unknown, Runs.HOST, control=Control.CALL, pure=False),
            run=None,
            inputs=tuple(sorted(taken - made - known)),
            outputs=tuple(sorted(made)),
            reads=tuple(dict.fromkeys(a for n in nodes for a in n.reads)),
            writes=tuple(dict.fromkeys(a for n in nodes for a in n.writes)),
            aliases=(None,) * len(made),
            nodes=tuple(nodes),
        )
        self.nodes = [runs] if nodes else []
        plan = self.finish(found)
        return Plan(
            plan.steps,
            plan.feeds,
            plan.fetches,
            plan.size,
            plan.known,
            plan.kept,
            plan.touches,
            (*plan.notes, f"interpreted token by token: {self._reason}"),
            plan.order,
        )

    def take(self, op: Operation) -> None:
        if self._path or calls_function(op):
            super().take(op)
            return
        spec = registry.lookup(op.type)
        assert spec is not None
        named = spec.alias and op._inputs[0] in self.names and op._inputs[0] not in self.feeds
        if control_of(op) in _FLOW or named:
            self._pass_on(op, spec)
        elif op._controls and isinstance(op.attrs.get("value"), TensorValue):
            # A constant that waits for something is dead where that is.
            self._depends(op)
            self.nodes.append(self._node(op, spec))
            self.made.add(op)
        else:
            super().take(op)

    def _pass_on(self, op: Operation, spec: OpSpec) -> None:
        self._depends(op)
        for t in op.outputs[:1] if control_of(op) is Control.MERGE else op.outputs:
            names = {self.names.get(i) for i in op._inputs[:1]}
            if len(names) == 1 and None not in names:
                (self.names[t],) = (n for n in names if n is not None)
        inputs, outputs = tuple(self.number(t) for t in op._inputs), tuple(self.number(t) for t in op.outputs)
        self.nodes.append(
            Node(op, spec, None, inputs, outputs, aliases=(None,) * len(outputs), after=self.after.get(op, ()))
        )
        self.made.add(op)


class _Frame:
    """One entry of a loop: where it came from, what is constant in it, and which of its exits were dead."""

    def __init__(self, parent: _Frame | None, iteration: int) -> None:
        self.parent = parent
        self.iteration = iteration
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.children: dict[tuple[int, str], _Frame] = {}
        self.constants: list[tuple[int, Any, bool]] = []
        self.states: list[dict[int, _Waiting]] = []
        self.dead_exits: set[int] = set()
        self.left: set[int] = set()


class _Waiting:
    """What a node has received in an iteration."""

    __slots__ = ("dead", "done", "missing", "values")

    def __init__(self, missing: int, inputs: int) -> None:
        self.missing = missing
        self.values: list[Any] = [None] * inputs
        self.dead = 0
        self.done = False


class _Scratch(dict[int, Any]):
    """Values by number for one node, and those that are known from the start."""

    def __init__(self, known: Values) -> None:
        super().__init__()
        self._known = known

    def __missing__(self, number: int) -> Any:
        return self._known[number]


def run_dataflow(step: Dataflow, values: Values, variables: Variables, engine: Engine) -> None:
    """Run the nodes; what the root frame computes goes into `values`."""
    _Run(step.nodes, values, variables, engine).run()


class _Run:
    def __init__(self, nodes: tuple[Node, ...], values: Values, variables: Variables, engine: Engine) -> None:
        self._nodes = nodes
        self._values = values
        self._variables = variables
        self._engine = engine
        self._kind = [node.spec.control for node in nodes]
        position: dict[int, tuple[int, int]] = {}
        by_op = {node.op: i for i, node in enumerate(nodes)}
        for node in nodes:
            for op in getattr(node, "stands", ()):
                by_op[op] = by_op[node.op]
        for i, node in enumerate(nodes):
            position.update((n, (i, out)) for out, n in enumerate(node.outputs))
        # For each node and output who takes it: (node, input), with -1 for a control input.
        self._takers: list[list[list[tuple[int, int]]]] = [[[] for _ in node.outputs] for node in nodes]
        self._followers: list[list[int]] = [[] for _ in nodes]
        self._data: list[int] = []
        self._controls: list[int] = []
        for i, node in enumerate(nodes):
            count = 0
            for at, number in enumerate(node.inputs):
                if number in position:
                    source, out = position[number]
                    self._takers[source][out].append((i, at))
                    count += 1
            controls = {by_op[c] for c in node.after if c in by_op} - {i}
            for source in controls:
                self._followers[source].append(i)
            self._data.append(count)
            self._controls.append(len(controls))
        self._ready: deque[tuple[_Frame, int, int, bool]] = deque()

    def run(self) -> None:
        root = _Frame(None, 0)
        self._frames = [root]
        self._iterate(root)
        for i in range(len(self._nodes)):
            if self._data[i] == 0 and self._controls[i] == 0:
                self._ready.append((root, 0, i, False))
        while True:
            while self._ready:
                self._fire(*self._ready.popleft())
            if not self._leave_dead():
                return

    def _iterate(self, frame: _Frame) -> None:
        """Begin the next iteration."""
        frame.states.append({})
        at = len(frame.states) - 1
        for node, value, dead in frame.constants:
            self._give(frame, at, node, 0, value, dead, False)
            self._follow(frame, at, node, dead)

    def _leave_dead(self) -> bool:
        """Exits that were never alive tell the outside so, innermost loops first."""
        for frame in sorted(self._frames, key=lambda f: -f.depth):
            dead = sorted(frame.dead_exits - frame.left)
            if dead and frame.parent is not None:
                for node in dead:
                    frame.left.add(node)
                    self._give(frame.parent, frame.iteration, node, 0, None, True, False)
                    self._follow(frame.parent, frame.iteration, node, True)
                return True
        return False

    def _state(self, frame: _Frame, at: int, node: int) -> _Waiting:
        found = frame.states[at].get(node)
        if found is None:
            merge = self._kind[node] is Control.MERGE
            missing = self._controls[node] + (1 if merge else self._data[node])
            found = frame.states[at][node] = _Waiting(missing, len(self._nodes[node].inputs))
        return found

    def _give(self, frame: _Frame, at: int, node: int, output: int, value: Any, dead: bool, entering: bool) -> None:
        """Hand an output to those that take it."""
        for taker, position in self._takers[node][output]:
            state = self._state(frame, at, taker)
            if state.done:
                continue
            if self._kind[taker] is Control.MERGE:
                if dead:
                    state.dead += 1
                    if state.dead < len(state.values) and not entering:
                        continue
                elif state.missing <= self._controls[taker] and state.values.count(None) < len(state.values):
                    continue
                else:
                    state.dead = 0
                    state.values[position] = (value,)
            else:
                state.dead += dead
                state.values[position] = value
            self._arrived(frame, at, taker, state)

    def _follow(self, frame: _Frame, at: int, node: int, dead: bool) -> None:
        for taker in self._followers[node]:
            state = self._state(frame, at, taker)
            if not state.done:
                if self._kind[taker] is not Control.MERGE:
                    state.dead += dead
                self._arrived(frame, at, taker, state)

    def _arrived(self, frame: _Frame, at: int, node: int, state: _Waiting) -> None:
        state.missing -= 1
        if state.missing == 0:
            state.done = True
            self._ready.append((frame, at, node, state.dead > 0))

    # Running a node

    def _fire(self, frame: _Frame, at: int, index: int, dead: bool) -> None:
        node, kind = self._nodes[index], self._kind[index]
        state = self._state(frame, at, index)
        state.done = True
        if kind is Control.ENTER:
            self._enter(frame, at, index, node, self._input(node, state, 0), dead)
        elif kind is Control.EXIT:
            if dead:
                frame.dead_exits.add(index)
            else:
                assert frame.parent is not None
                frame.left.add(index)
                value = self._input(node, state, 0)
                if frame.parent.parent is None:
                    self._values[node.outputs[0]] = value
                self._give(frame.parent, frame.iteration, index, 0, value, False, False)
                self._follow(frame.parent, frame.iteration, index, False)
        elif kind is Control.NEXT_ITERATION:
            if not dead:
                if at + 1 == len(frame.states):
                    self._iterate(frame)
                self._give(frame, at + 1, index, 0, self._input(node, state, 0), False, False)
                self._follow(frame, at + 1, index, False)
        else:
            self._compute(frame, at, index, node, kind, state, dead)

    def _enter(self, frame: _Frame, at: int, index: int, node: Node, value: Any, dead: bool) -> None:
        name = node.op.attrs["frame_name"].decode()
        child = frame.children.get((at, name))
        if child is None:
            child = frame.children[at, name] = _Frame(frame, at)
            self._frames.append(child)
            self._iterate(child)
        iterations = 1
        if node.op.attrs.get("is_constant"):
            child.constants.append((index, value, dead))
            iterations = len(child.states)
        for i in range(iterations):
            self._give(child, i, index, 0, value, dead, True)
            self._follow(child, i, index, dead)

    def _compute(
        self, frame: _Frame, at: int, index: int, node: Node, kind: Control | None, state: _Waiting, dead: bool
    ) -> None:
        results: list[tuple[Any, bool]]
        if kind is Control.TRIGGER:
            results, dead = [], False
        elif dead:
            results = [(None, True)] * len(node.outputs)
        elif kind is Control.MERGE:
            position, value = next((i, v[0]) for i, v in enumerate(state.values) if v is not None)
            results = [(value, False), (np.asarray(position, np.int32), False)]
        elif kind is Control.SWITCH:
            data, selector = self._input(node, state, 0), self._input(node, state, 1)
            way = int(selector) if len(node.outputs) != 2 else int(truth(selector))
            way = way if 0 <= way < len(node.outputs) else len(node.outputs) - 1
            results = [(data, i != way) for i in range(len(node.outputs))]
        elif kind is Control.LOOP_COND or (kind is None and node.run is None):
            results = [(self._input(node, state, 0), False)]
        else:
            results = [(v, False) for v in self._call(node, state)]
        for output, (value, gone) in enumerate(results):
            if frame.parent is None:
                self._values[node.outputs[output]] = None if gone else value
            self._give(frame, at, index, output, value, gone, False)
        self._follow(frame, at, index, dead)

    def _input(self, node: Node, state: _Waiting, position: int) -> Any:
        value = state.values[position]
        return self._values[node.inputs[position]] if value is None else value

    def _call(self, node: Node, state: _Waiting) -> list[Any]:
        scratch = _Scratch(self._values)
        for number, value in zip(node.inputs, state.values, strict=True):
            if value is not None:
                scratch[number] = value
        given: Any = scratch
        evaluate([node], given, self._variables, self._engine)
        return [scratch[n] for n in node.outputs]
