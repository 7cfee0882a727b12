"""The second tier: a step as one XLA program, variables in and out, their buffers handed over.

A program fits one combination of input shapes, variable shapes and static values. Its arguments are, in order: the
variables it replaces (donated), the variables it only reads, the values it takes, and the counters of its random ops.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.opkit.arrays import jax, jnp, on_host
from regraft.opkit.random import Rng
from regraft.runtime import cache
from regraft.runtime.digest import step_digest
from regraft.runtime.evaluate import Values, Variables, evaluate, in_context, present
from regraft.runtime.interpreter import seeds
from regraft.runtime.plan import Access, Node, Step
from regraft.runtime.state import SessionState

# Programs that took fewer seconds than this to make are not worth a file.
_WORTH_KEEPING = 0.3
# A folded constant of more elements than this is computed by the program instead.
_LARGE_FOLD = 1024


class Program:
    """A step bound to shapes and static values; `load` or `compile` it before it runs."""

    def __init__(
        self,
        step: Step,
        kept: frozenset[str],
        size: int,
        known: Sequence[tuple[int, Any]],
        values: Values,
        variables: Any,
    ) -> None:
        self._step = step
        self._size = size
        self._known = known
        written = set(step.writes)
        present_ = {n: variables(n) for n in step.reads}
        self.donated = tuple(n for n in step.reads if n in written and n not in kept)
        self.read = tuple(n for n in step.reads if n not in self.donated)
        self.inputs = tuple(n for n in (*step.inputs, *step.constants) if n not in step.static)
        self.random = tuple(node for node in step.nodes if node.spec.random)
        self._static = {n: np.asarray(values[n]) for n in step.static}
        for node in step.nodes:
            for access in (*node.reads, *node.writes):
                if access.name in present_:
                    present(present_[access.name], access, node)
        arguments = (
            [present_[n] for n in self.donated],
            [present_[n] for n in self.read],
            [values[n] for n in self.inputs],
            self._counters_template(),
        )
        self._arguments: Any = arguments
        self._call: Any = None

    def load(self) -> bool:
        """Take the compiled program from the disk cache. False when it is not there."""
        with jax.enable_x64(True):
            self._call = cache.load(self._digest())
        return self._call is not None

    def compile(self) -> None:
        """Trace and compile, and keep the result in the disk cache when that took long."""
        started = time.perf_counter()
        with jax.enable_x64(True):
            shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(np.shape(a), a.dtype), self._arguments)
            self._call = jax.jit(self._trace, donate_argnums=(0,)).lower(*shapes).compile()
            if time.perf_counter() - started > _WORTH_KEEPING:
                cache.store(self._digest(), self._call)
        self._arguments = None

    def _digest(self) -> bytes:
        return step_digest(self._step, self._known, self._arguments, self._static)

    def _counters_template(self) -> Any:
        return np.zeros((len(self.random), 6), np.uint32)

    def _trace(self, donated: list[Any], read: list[Any], inputs: list[Any], counters: Any) -> Any:
        values: Values = [None] * self._size
        for number, value in self._known:
            values[number] = value
        for number, value in self._static.items():
            values[number] = value
        for number, value in zip(self.inputs, inputs, strict=True):
            values[number] = value
        held = {**dict(zip(self.donated, donated, strict=True)), **dict(zip(self.read, read, strict=True))}
        variables = Variables(held.get)
        tracer = _Tracer(self._step, {n.op.name: counters[i] for i, n in enumerate(self.random)})
        evaluate(self._step.nodes, values, variables, tracer.call)
        new = [jnp.asarray(variables.current[n]) for n in self._step.writes]
        outputs = [jnp.asarray(values[n]) for n in self._step.outputs]
        moved = [tracer.after[n.op.name] for n in self.random]
        return new, outputs, (jnp.stack(moved) if moved else counters[:, 2:])

    def run(self, values: Values, variables: Variables, state: SessionState) -> None:
        """Run the program; `values` and `variables` take JAX arrays."""
        donated = [variables.read(Access(0, n, False)) for n in self.donated]
        read = [variables.read(Access(0, n, n not in variables.current)) for n in self.read]
        inputs = [values[n] for n in self.inputs]
        counters = self._counters_template()
        for i, node in enumerate(self.random):
            key, counter = state.random.get(node.op.name, *seeds(node))
            counters[i, :2], counters[i, 2:] = key, counter
        with jax.enable_x64(True):
            new, outputs, moved = self._call(donated, read, inputs, counters)
        if self.random:
            moved = np.asarray(moved)
            for i, node in enumerate(self.random):
                state.random.put(node.op.name, (counters[i, :2].copy(), moved[i].copy()))
        for name, value in zip(self._step.writes, new, strict=True):
            variables.write(name, value)
        for number, value in zip(self._step.outputs, outputs, strict=True):
            values[number] = value


class _Tracer:
    """Calls kernels while a program is traced: on NumPy where a value must be known, on tracers elsewhere."""

    def __init__(self, step: Step, counters: dict[str, Any]) -> None:
        self._folded = step.folded
        self._counters = counters
        self.after: dict[str, Any] = {}

    def call(self, node: Node, args: list[Any]) -> tuple[Any, ...]:
        run = node.run
        assert run is not None
        if node.spec.random:
            state = self._counters[node.op.name]
            rng = Rng(state[:2], state[2:])
            results = in_context(node, args, lambda: run(*args, rng=rng))
            self.after[node.op.name] = rng.counter
            return results
        if not on_host(*args):
            return in_context(node, args, lambda: run(*args))
        if not node.spec.lax:
            results = in_context(node, args, lambda: run(*args))
            if node in self._folded or all(np.size(r) <= _LARGE_FOLD for r in results):
                return results
        traced = [a if i in node.static or a is None else jnp.asarray(a) for i, a in enumerate(args)]
        return in_context(node, traced, lambda: run(*traced))
