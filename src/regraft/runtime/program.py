"""The second tier: a step as one XLA program, variables in and out, their buffers handed over.

A program fits one combination of input shapes, variable shapes and static values. Its arguments are, in order: the
variables it replaces (donated), the variables it only reads, the values it takes, and the counters of its random ops.

What grows while a program runs (the stacks of a loop's gradient) has room for a number of elements. A run for which
that was not enough says so and changes nothing; the caller makes a program with more room.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from regraft.base.errors import OpError
from regraft.opkit import onednn
from regraft.opkit.arrays import jax, jnp, lax
from regraft.opkit.objects import RunObject, Untraceable
from regraft.opkit.platforms import on_cpu
from regraft.opkit.waking import wake_now
from regraft.runtime import cache
from regraft.runtime.compiler import compile_program, working_memory
from regraft.runtime.digest import step_digest
from regraft.runtime.evaluate import Values, Variables, evaluate, is_blind, present
from regraft.runtime.fused import Fused
from regraft.runtime.fusion import Fusion
from regraft.runtime.interpreter import seeds
from regraft.runtime.masks import undrawn
from regraft.runtime.memory import Room, compiling, release_memory
from regraft.runtime.plan import Step, parts, walk
from regraft.runtime.state import SessionState
from regraft.runtime.trace import Tracer

# Programs that took fewer seconds than this to make are not worth a file.
_WORTH_KEEPING = 0.3
# Before each of the first runs, what the C library keeps is given back to the system: before the first, what making the
# program left behind; later, the places where the runs before it ran, if results have made them too small to run again.
_UNTIL_SETTLED = 3


class CheckFailed(Exception):
    """A check among the ops of a program did not hold. The interpreter says which, and what it saw."""


def _repeated(value: Any) -> Any:
    """An array that is one number over and over, as a view of that number; None for other arrays."""
    octets = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
    same = octets[value.itemsize :] == octets[: -value.itemsize]
    return np.broadcast_to(value[(0,) * value.ndim], value.shape) if same else None


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
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._step = step
        self._sizes = sizes
        self._size = size
        self._known = known
        present_ = {n: variables(n) for n in step.reads}
        free = {n for n in step.reads if n not in kept and present_[n] is not None}
        # JAX gives the buffer of the first donated argument to the first result of its shape, and so on: the results
        # come in the order of the arguments, those that take no buffer behind them.
        self.donated = tuple(n for n in step.writes if n in free)
        self.written = (*self.donated, *(n for n in step.writes if n not in free))
        handed_over = set(self.donated)
        self.read = tuple(n for n in step.reads if n not in handed_over and present_[n] is not None)
        given = (n for n in (*step.inputs, *step.constants) if n not in step.static)
        # Text is for checks alone, and stays behind: see `OpSpec.checks`.
        numbers = tuple(n for n in given if values[n] is not None and values[n].dtype.kind not in "OSU")
        # Of large constants that repeat one number, gradients' first zeros mostly, the program makes its own.
        repeated = {n: _repeated(values[n]) for n in numbers if n in step.constants}
        self._repeated = {n: value for n, value in repeated.items() if value is not None}
        self.inputs = tuple(n for n in numbers if n not in self._repeated)
        self.random = tuple(node for node in walk(step.nodes) if node.spec.random)
        self._checks = tuple(node.key for node in walk(step.nodes) if node.spec.checks)
        self._static = {n: np.asarray(values[n]) for n in step.static if values[n] is not None}
        for node in (n for n in step.nodes if not parts(n)):
            for access in (*node.reads, *(a for a in node.writes if not is_blind(node, a))):
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
        self._runs = 0

    def costs(self) -> tuple[float, float] | None:
        """What `cache.costs` says about the program."""
        return None if cache.is_empty() else cache.costs(self._digest)

    def load(self) -> bool:
        """Take the compiled program from the disk cache. False when it is not there."""
        with jax.enable_x64(True):
            self._call = cache.load(self._digest)
        if self._call is None:
            return False
        self._arguments = None
        return True

    def compile(self, interpreted: float = math.nan) -> None:
        """Trace and compile, and keep the result in the disk cache when that took long.

        interpreted  the seconds that interpreting the step takes, for those who find it in the cache

        raises  Untraceable for what only the interpreter can run
        """
        started = time.perf_counter()
        with jax.enable_x64(True):
            shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(np.shape(a), a.dtype), self._arguments)
            before = onednn.traced_calls()
            try:
                traced = jax.jit(self._trace, donate_argnums=(0,)).trace(*shapes)
            except OpError as e:
                if isinstance(e.__cause__, jax.errors.JAXTypeError):
                    raise Untraceable(f"a value must be known when it is traced: {e.message.splitlines()[0]}") from e
                raise
            serializable = onednn.traced_calls() == before
            fusion = None if serializable else self._fusion(traced)
            with compiling():
                self._call = compile_program(traced.lower()) if fusion is None else Fused(fusion, traced, shapes)
            if serializable and time.perf_counter() - started > _WORTH_KEEPING:
                cache.store(self._digest, self._call, interpreted)
        self._arguments = None

    def _fusion(self, traced: Any) -> Fusion | None:
        """The traced program with calls that do more at once, or None where there are none."""
        read = len(self.donated)
        inputs = read + len(self.read)
        constant = [*range(read, inputs), *(inputs + i for i, n in enumerate(self.inputs) if n in self._step.constants)]
        # What trains should show a NaN where there is one.
        fusion = Fusion(traced.jaxpr, constant, activations=not self.written)
        return fusion if fusion.found else None

    @cached_property
    def _digest(self) -> bytes:
        fixed = {**self._static, **self._repeated}
        return step_digest(self._step, self._known, self._arguments, fixed, self._sizes)

    @cached_property
    def _room(self) -> Room:
        return Room(working_memory(self._call))

    def _counters_template(self) -> list[Any]:
        """One array for all random ops; nothing where there are none, for each argument takes time."""
        return [np.zeros((len(self.random), 6), np.uint32)] if self.random else []

    def _trace(self, donated: list[Any], read: list[Any], inputs: list[Any], counters: list[Any]) -> Any:
        values: Values = [None] * self._size
        for number, value in self._known:
            values[number] = value
        for number, value in self._static.items():
            values[number] = value
        for number, value in zip(self.inputs, inputs, strict=True):
            values[number] = value
        for number, value in self._repeated.items():
            values[number] = lax.full(value.shape, value[(0,) * value.ndim], value.dtype)
        held = {**dict(zip(self.donated, donated, strict=True)), **dict(zip(self.read, read, strict=True))}
        variables = Variables(held.get)
        counted = {n.key: counters[0][i] for i, n in enumerate(self.random)}
        state = counted | dict.fromkeys(self._checks, np.False_)
        # On GPUs a conditional waits for its condition, which takes longer than drawing.
        masks = undrawn(self._step.nodes, self._step.outputs) if self.random and on_cpu() else frozenset()
        tracer = Tracer(self._step.folded, state, self._sizes, masks)
        evaluate(self._step.nodes, values, variables, tracer)
        new = [self._new(variables, n) for n in self.written]
        outputs = [self._output(values[n]) for n in self._step.outputs]
        moved = [tracer.counters[n.key][2:] for n in self.random]
        excess: dict[str, Any] = {}
        for found in (o.excess() for o in tracer.objects.live):
            if found is not None:
                excess[found[0]] = jnp.maximum(excess[found[0]], found[1]) if found[0] in excess else found[1]
        failed = jnp.any(jnp.stack([jnp.asarray(tracer.counters[n]) for n in self._checks])) if self._checks else None
        again = [size > 0 for size in excess.values()] + ([] if failed is None else [failed])
        if again:
            undone = jnp.any(jnp.stack(again))
            new = [self._unless(undone, held.get(n), v) for n, v in zip(self.written, new, strict=True)]
        return new, outputs, (jnp.stack(moved) if moved else None), excess, failed

    @staticmethod
    def _new(variables: Variables, name: str) -> Any:
        value = variables.latest(name)
        if value is None:
            raise Untraceable(f"variable {name!r} may be left without a value")
        return jnp.asarray(value)

    @staticmethod
    def _output(value: Any) -> Any:
        if value is None or isinstance(value, RunObject):
            raise Untraceable("a handle or a dead value is used in another step")
        return jnp.asarray(value)

    @staticmethod
    def _unless(failed: Any, old: Any, new: Any) -> Any:
        """The old value where the run failed, so that it can be run again."""
        if old is None or old.shape != new.shape or old.dtype != new.dtype:
            return new
        return jnp.where(failed, old, new)

    def run(self, values: Values, variables: Variables, state: SessionState) -> dict[str, int]:
        """Run the program; `values` and `variables` take JAX arrays.

        returns  nothing, or what had no room and how large it would have become: then the run must be made again
        raises   CheckFailed where a check did; what the step should have changed is as it was
        """
        if not self.random:
            return self._run(values, variables, state)
        with state.random.drawing(node.key for node in self.random):
            return self._run(values, variables, state)

    def _hand_over(self, variables: Variables, state: SessionState) -> list[Any]:
        """The variables that are replaced, in buffers that the program may take.

        XLA would copy all host arrays among them before it takes them; here it is one by one, so that no two copies of
        all variables are held.
        """
        values = [variables.latest(n) for n in self.donated]
        for i, name in enumerate(self.donated):
            if isinstance(values[i], np.ndarray):
                values[i] = jax.device_put(values[i], may_alias=False).block_until_ready()
                self._move(name, values[i], variables, state)
        return values

    def _show(self, variables: Variables, state: SessionState) -> list[Any]:
        """The variables that are only read, as arrays of JAX, so that the next run need not wrap them again.

        Nor look each of them up, as long as no variable changes.
        """
        unchanged = not variables.current
        if unchanged and self in state.variables.derived:
            return cast(list[Any], state.variables.derived[self])
        for name in self.read:
            if isinstance(variables.latest(name), np.ndarray):
                self._move(name, jax.device_put(variables.latest(name)), variables, state)
        shown = [variables.latest(n) for n in self.read]
        if unchanged:
            state.variables.derived[self] = shown
        return shown

    @staticmethod
    def _move(name: str, value: Any, variables: Variables, state: SessionState) -> None:
        variables.move(name, value)
        state.variables.assign(name, value)

    def _run(self, values: Values, variables: Variables, state: SessionState) -> dict[str, int]:
        counters = self._counters_template()
        for i, node in enumerate(self.random):
            key, counter = state.random.get(node.key, *seeds(node))
            counters[0][i, :2], counters[0][i, 2:] = key, counter
        with jax.enable_x64(True):
            donated = self._hand_over(variables, state)
            if self._runs < _UNTIL_SETTLED:
                release_memory()
                self._runs += 1
            self._room.make()
            read = self._show(variables, state)
            inputs = [values[n] for n in self.inputs]
            new, outputs, moved, excess, failed = self._call(donated, read, inputs, counters)
        wake_now()
        lacking = {name: int(size) for name, size in excess.items() if size}
        failed = failed is not None and bool(failed)
        if lacking or failed:
            given_away = set(self.donated)
            for name, value in zip(self.written, new, strict=True):
                if name in given_away:
                    variables.write(name, value)
            if failed:
                raise CheckFailed
            return lacking
        if self.random:
            moved = np.asarray(moved)
            for i, node in enumerate(self.random):
                state.random.put(node.key, (counters[0][i, :2].copy(), moved[i].copy()))
        for name, value in zip(self.written, new, strict=True):
            variables.write(name, value)
        for number, value in zip(self._step.outputs, outputs, strict=True):
            values[number] = value
        return {}
