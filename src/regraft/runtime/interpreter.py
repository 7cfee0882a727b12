"""The first tier: each node's kernel on NumPy arrays, at once, with nothing to compile.

Kernels that need XLA are compiled one by one, for their shapes, when they are met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from regraft.opkit.arrays import jax
from regraft.opkit.elementwise import quiet_numpy
from regraft.opkit.objects import Objects
from regraft.opkit.random import Rng
from regraft.opkit.stacks import HostStack
from regraft.opkit.tensor_arrays import HostTensorArray
from regraft.opkit.waiting import Task
from regraft.runtime.evaluate import (
    FAILURES,
    Values,
    Variables,
    branch_of,
    choose,
    evaluate,
    fail,
    in_context,
    present,
    truth,
)
from regraft.runtime.plan import Conditional, Dataflow, Loop, Node, Step, used, walk
from regraft.runtime.state import SessionState
from regraft.runtime.waiting import Tasks, Underway, finish

# In steps of so many nodes, values are forgotten after their last use.
_MANY = 32


class Interpreter:
    """Runs steps for one session."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._jitted: dict[tuple[Any, ...], Any] = {}
        self._stretches: dict[Step, tuple[tuple[Sequence[Node], tuple[int, ...]], ...]] = {}
        self.tasks = Tasks()
        self.objects = Objects(HostTensorArray, HostStack)

    def run(self, step: Step, values: Values, variables: Variables) -> None:
        """Run a step's nodes; `values` and `variables` take the results."""
        if not step.compiled or step.size == 1:  # a user's own Python may be in it; one kernel sees to it itself
            self._run(step, values, variables)
            return
        with quiet_numpy():
            self._run(step, values, variables)

    def _run(self, step: Step, values: Values, variables: Variables) -> None:
        if len(step.nodes) < _MANY:
            evaluate(step.nodes, values, variables, self)
            return
        stretches = self._stretches.get(step)
        if stretches is None:
            stretches = self._stretches[step] = tuple(_stretches_of(step))
        for nodes, done in stretches:
            evaluate(nodes, values, variables, self)
            for number in done:
                values[number] = None

    def choose(self, node: Conditional, values: Values, variables: Variables) -> None:
        """Run the branch that the selector says, and no other."""
        choose(node, branch_of(node, values[node.selector]), values, variables, self)

    def loop(self, node: Loop, values: Values, variables: Variables) -> None:
        """Run a loop to its end."""
        for first, inside, _ in node.carried:
            values[inside] = values[first]
        while True:
            evaluate(node.head, values, variables, self)
            if not truth(values[node.condition]):
                return
            evaluate(node.body, values, variables, self)
            following = [values[after] for _, _, after in node.carried]
            for (_, inside, _), value in zip(node.carried, following, strict=True):
                values[inside] = value

    def dataflow(self, node: Dataflow, values: Values, variables: Variables) -> None:
        """Run operations token by token."""
        from regraft.runtime.dataflow import run_dataflow

        run_dataflow(node, values, variables, self)

    def call(self, node: Node, args: list[Any]) -> tuple[Any, ...]:
        """Run one kernel on NumPy arrays."""
        spec = node.spec
        args = [a if type(a) is np.ndarray else _held(a) for a in args]
        if spec.plain:
            assert node.run is not None
            try:
                return node.run(*args)
            except FAILURES as e:
                fail(e, node, args)
        if spec.random:
            return self._draw(node, args)
        if spec.lax:
            return in_context(node, args, lambda: self._compiled(node, args))
        run = node.run
        assert run is not None
        if spec.makes_objects:
            self.objects.node = node.key
            return in_context(node, args, lambda: run(*args, objects=self.objects))
        if spec.calls:
            functions = self._functions(node)
            return in_context(node, args, lambda: run(*args, functions=functions))
        if spec.waits:
            return finish(node, self.begin(node, args), self.tasks)
        if spec.named:
            return in_context(node, args, lambda: run(*args, session=self._state, node=node.key))
        return in_context(node, args, lambda: run(*args, session=self._state))

    def _functions(self, node: Node) -> Any:
        from regraft.runtime.functions import Functions

        return Functions(self._state, node.op.graph, node.key)

    def begin(self, node: Node, args: list[Any]) -> Task:
        """The task of a node that may wait."""
        run = node.run
        assert run is not None
        context = {"session": self._state, "node": node.key} if node.spec.named else {"session": self._state}
        (task,) = run(*args, **context)
        found: Task = task
        return found

    def start(self, step: Step, values: Values, variables: Variables) -> Underway:
        """Begin a step whose last node may wait."""
        *before, node = step.nodes
        evaluate(before, values, variables, self)
        args = [values[n] for n in node.inputs]
        for access in node.reads:
            args[access.position] = present(variables.read(access), access, node)
        args = [_held(a) for a in args]
        return Underway(node, self.begin(node, args))

    def _draw(self, node: Node, args: list[Any]) -> tuple[Any, ...]:
        with self._state.random.drawing((node.key,)):
            return self._draw_alone(node, args)

    def _draw_alone(self, node: Node, args: list[Any]) -> tuple[Any, ...]:
        name = node.key
        key, counter = self._state.random.get(name, *seeds(node))
        rng = Rng(key, counter)
        run = node.run
        assert run is not None
        if node.spec.lax:
            results, counter = in_context(node, args, lambda: self._compiled_draw(node, args, rng))
            self._state.random.put(name, (key, np.asarray(counter)))
            return tuple(results)
        results = in_context(node, args, lambda: run(*args, rng=rng))
        self._state.random.put(name, (rng.key, rng.counter))
        return results

    def _compiled(self, node: Node, args: list[Any]) -> tuple[Any, ...]:
        with jax.enable_x64(True):
            results = self._program(node, args, False)(*self._traced(node, args))
        return tuple(np.asarray(r) for r in results)

    def _compiled_draw(self, node: Node, args: list[Any], rng: Rng) -> tuple[Any, ...]:
        with jax.enable_x64(True):
            results, counter = self._program(node, args, True)(rng.key, rng.counter, *self._traced(node, args))
        return [np.asarray(r) for r in results], counter

    @staticmethod
    def _traced(node: Node, args: list[Any]) -> list[Any]:
        return [a for i, a in enumerate(args) if i not in node.static and a is not None]

    def _program(self, node: Node, args: list[Any], random: bool) -> Any:
        static = tuple((i, args[i].tobytes(), args[i].shape) for i in node.static)
        missing = tuple(a is None for a in args)
        key = (node, static, missing)
        found = self._jitted.get(key)
        if found is None:
            fixed = {i: args[i] for i in node.static}
            count = len(args)
            run = node.run
            assert run is not None

            def rebuild(traced: tuple[Any, ...]) -> list[Any]:
                rest = iter(traced)
                return [fixed[i] if i in fixed else None if missing[i] else next(rest) for i in range(count)]

            def plain(*traced: Any) -> Any:
                return run(*rebuild(traced))

            def drawing(key_: Any, counter: Any, *traced: Any) -> Any:
                rng = Rng(key_, counter)
                return run(*rebuild(traced), rng=rng), rng.counter

            found = jax.jit(drawing if random else plain)
            self._jitted[key] = found
        return found


def _stretches_of(step: Step) -> Iterator[tuple[Sequence[Node], tuple[int, ...]]]:
    """A step's nodes in order, cut where values are used for the last time: (nodes, numbers of these values)."""
    last = {n: i for i, node in enumerate(step.nodes) for inner in walk([node]) for n in inner.outputs}
    for i, node in enumerate(step.nodes):
        last.update((n, i) for n in used(node) if n in last)
    for n in step.outputs:
        last.pop(n, None)
    done: dict[int, list[int]] = {}
    for n, i in last.items():
        done.setdefault(i, []).append(n)
    start = 0
    for i in sorted(done):
        yield step.nodes[start : i + 1], tuple(done[i])
        start = i + 1
    yield step.nodes[start:], ()


def _held(value: Any) -> Any:
    """A value as a kernel takes it: a NumPy array for a JAX array."""
    return np.asarray(value) if type(value).__module__.startswith("jax") else value


def seeds(node: Node) -> tuple[int, int]:
    """The two seeds of a random op; both 0 mean that nobody chose any."""
    attrs = node.op.attrs
    return int(attrs.get("seed", 0) or 0), int(attrs.get("seed2", 0) or 0)
