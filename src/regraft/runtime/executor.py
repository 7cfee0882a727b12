"""Running a plan: step by step, each on the tier that fits."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base.errors import FailedPreconditionError, InvalidArgumentError, OpError
from regraft.opkit import platforms
from regraft.opkit.objects import Untraceable
from regraft.opkit.waking import putting_off, wake_now
from regraft.runtime.evaluate import Variables
from regraft.runtime.interpreter import Interpreter
from regraft.runtime.memory import keep_memory, release_memory
from regraft.runtime.plan import Plan, Step
from regraft.runtime.program import CheckFailed, Program
from regraft.runtime.repeated import Repeated
from regraft.runtime.rows import Column, Rows
from regraft.runtime.state import SessionState
from regraft.runtime.waiting import Underway, run_steps

# Compiling costs about this much for a node (measured on two cores, see docs/architecture.md). A step is compiled when
# interpreting it has cost a good part of that, so that neither choice can be wrong by much.
_COMPILE_SECONDS_PER_NODE = 0.002
_COMPILE_SECONDS = 0.1
_WORTH = 0.5
# Calling a program costs about this much, whatever it does: a step that is interpreted faster stays interpreted. The
# first is for a CPU.
_CALL_SECONDS = 2.5e-5
_CALL_SECONDS_ELSEWHERE = 1.5e-4
# A step whose shapes or static values hardly ever come twice is interpreted: after so many programs, another one is
# made only if the earlier ones were used so many times each.
_FEW_PROGRAMS = 3
_USES = 4
# Steps of this many nodes are looked for in the disk cache before they are interpreted.
_WORTH_LOOKING = 64
# Loading JAX takes about this long.
_LOAD_SECONDS = 0.7
# A program on disk is guessed to take this part of the time that interpreting takes. Where the rest of that would be
# less than loading JAX and the program, the first run is interpreted all the same.
_COMPILED_PART = 0.5
# A step with kernels that only XLA has is compiled at its first run, unless it is this small.
_FEW_NODES = 4
# Bytes of a result from which on it is handed on rather than copied.
_LARGE_RESULT = 64 << 10
# What had no room gets this many times the room that it would have taken.
_ROOM = 4


class Executor:
    """Runs plans against one session's state."""

    def __init__(self, state: SessionState, tier: str = "auto") -> None:
        if tier not in ("auto", "interpret", "compile"):
            raise ValueError(f"tier must be 'auto', 'interpret' or 'compile', got {tier!r}")
        self._state = state
        self._tier = tier
        self._interpreter = Interpreter(state)
        self._programs: dict[Step, dict[Any, Program]] = {}
        self._spent: dict[Step, tuple[float, int]] = {}
        self._reused: dict[Step, int] = {}
        # Steps whose programs are on disk, and which were interpreted all the same.
        self._put_off: set[Step] = set()
        self._repeated: dict[Plan, Repeated | None] = {}
        # Why steps can't be compiled, and how much room what grows in them needs.
        self.refused: dict[Step, str] = {}
        self._sizes: dict[Step, dict[str, int]] = {}

    def beside(self, state: SessionState) -> Executor:
        """An executor with another state that shares this one's programs."""
        other = copy.copy(self)
        other._state = state
        other._interpreter = Interpreter(state)
        return other

    def run(
        self, plan: Plan, feeds: Sequence[tuple[int, Any]], owned: bool = True, timeout: float | None = None
    ) -> list[Any]:
        """The fetched values as NumPy arrays, in order; None for operations.

        owned    the values are the caller's to write to; else they come as they are held, JAX arrays among them
        timeout  seconds after which a run that waits for another thread fails with DeadlineExceededError
        """
        values: list[Any] = [None] * plan.size
        for number, value in plan.known:
            values[number] = value
        for number, value in feeds:
            values[number] = value
        variables = Variables(self._state.variables.get)
        compiled = False
        if plan.order:
            with putting_off():
                run_steps(
                    plan,
                    lambda step: self._run_step(plan, step, values, variables, feeds),
                    lambda step: self._begin(step, values, variables),
                    lambda task: _put(task, values),
                    self._interpreter.tasks,
                    timeout,
                )
        else:
            for step in plan.steps:
                compiled = self._run_step(plan, step, values, variables, feeds)
        # With one step, what its program gave is nobody else's.
        fresh = compiled and len(plan.steps) == 1
        if not plan.touches:
            return self._fetched(plan, values, variables, owned, fresh)
        with self._state.lock:
            self._renew(variables)
            return self._fetched(plan, values, variables, owned, fresh)

    def run_rows(
        self, plan: Plan, rows: Rows, feeds: Sequence[tuple[int, Any]], count: int, results: int
    ) -> list[list[Any] | OpError]:
        """For each of `count` elements the first `results` fetches of a run, or the error with which it ends.

        feeds  a `Column` for what differs between the elements
        """
        values: list[Any] = [None] * plan.size
        for number, value in (*plan.known, *feeds):
            values[number] = value
        left, errors = rows.run(values, count, self._interpreter)
        out: list[Any] = [errors.get(i) for i in range(count)]
        found = [values[fetch.number] for fetch in plan.fetches[:results] if fetch.number is not None]
        columns = [v.copies() if isinstance(v, Column) else [v] * len(left) for v in found]
        for place, number in enumerate(left):
            out[number] = [column[place] for column in columns]
        return out

    def run_several(self, plan: Plan) -> bool:
        """Do a run without feeds or fetches twice or more, see `runtime.repeated`; False where it must be done once."""
        if self._tier == "compile":
            return False
        if plan not in self._repeated:
            self._repeated[plan] = Repeated.of(plan)
        repeated = self._repeated[plan]
        return repeated is not None and repeated.run(self._interpreter, self._state)

    def stop(self) -> None:
        """End runs that wait for another thread with CancelledError, and give back what programs left behind."""
        self._interpreter.tasks.stop()
        if self._programs:
            release_memory()

    def _run_step(
        self, plan: Plan, step: Step, values: list[Any], variables: Variables, feeds: Sequence[tuple[int, Any]]
    ) -> bool:
        """Run a step: with the lock where the run touches variables, but a step that may wait has it only between.

        returns  whether it ran as a program
        """
        if not plan.touches:
            return self._step(plan, step, values, variables)
        compiled = False
        if step.blocking:
            self._hold(step, variables)
            compiled = self._step(plan, step, values, variables)
        with self._state.lock:
            if not step.blocking:
                self._renew(variables)
                for name in step.writes:
                    if name in plan.kept:
                        variables.keep(name)
                compiled = self._step(plan, step, values, variables)
            new = variables.current
            self._state.variables.assign_all([(n, _held(new[n], feeds)) for n in step.writes if n in new])
            if not step.blocking:
                variables.seen = self._state.variables.changes
            variables.step_done(plan.kept)
        return compiled

    def _begin(self, step: Step, values: list[Any], variables: Variables) -> Underway:
        self._hold(step, variables)
        return self._interpreter.start(step, values, variables)

    def _hold(self, step: Step, variables: Variables) -> None:
        """Copy what a step reads that runs without the lock."""
        if step.reads or step.writes:
            with self._state.lock:
                self._renew(variables)
                for name in (*step.reads, *step.writes):
                    variables.hold(name)

    def _renew(self, variables: Variables) -> None:
        changes = self._state.variables.changes
        if variables.seen != changes:
            variables.renew()
            variables.seen = changes

    def _step(self, plan: Plan, step: Step, values: list[Any], variables: Variables) -> bool:
        """Run a step; whether it ran as a program."""
        if not step.compiled or self._tier == "interpret" or step in self.refused:
            if step.compiled or step.blocking:
                wake_now()
            self._interpreter.run(step, values, variables)
            return False
        programs = self._programs.setdefault(step, {})
        program = programs.get(self._key(step, values)) if programs else None
        while True:
            if program is None:
                wake_now()
                program = self._program(plan, step, values, variables)
                if program is None:
                    started = time.perf_counter()
                    self._interpreter.run(step, values, variables)
                    seconds, runs = self._spent.get(step, (0.0, 0))
                    self._spent[step] = (seconds + time.perf_counter() - started, runs + 1)
                    return False
                programs[self._key(step, values)] = program
            else:
                self._reused[step] = self._reused.get(step, 0) + 1
            try:
                lacking = program.run(values, variables, self._state)
            except CheckFailed:
                self._give_back(program, variables)
                self._interpreter.run(step, values, variables)
                return False
            if not lacking:
                return True
            self._give_back(program, variables)
            sizes = self._sizes.setdefault(step, {})
            sizes.update((name, _ROOM * size) for name, size in lacking.items())
            program = None

    def _give_back(self, program: Program, variables: Variables) -> None:
        """Let the session have what a program has taken and returned as it was, in case the step fails."""
        for name in program.donated:
            self._state.variables.assign(name, variables.current[name])

    def _program(self, plan: Plan, step: Step, values: list[Any], variables: Variables) -> Program | None:
        """The step as a program, or None while it is better interpreted."""
        worth = self._worth_compiling(step)
        looking = step.size >= _WORTH_LOOKING and (worth or step not in self._spent or step in self._put_off)
        if not worth and not looking:
            return None
        if any(values[n] is None for n in step.inputs):
            # A conditional of an earlier step left it without a value; a trace would go into the branch that reads it.
            self.refused[step] = "takes a value of a branch that was not taken"
            return None
        made = len(self._programs[step])
        if self._tier == "auto" and made >= _FEW_PROGRAMS and self._reused.get(step, 0) < _USES * made:
            return None
        keep_memory()
        sizes = {**self._interpreter.objects.sizes, **self._sizes.get(step, {})}
        program = Program(step, plan.kept, plan.size, plan.known, values, variables.latest, sizes)
        costs = program.costs() if looking else None
        if costs is not None:
            interpreting, loading = costs
            sooner = interpreting * (1 - _COMPILED_PART) < _LOAD_SECONDS + loading
            if sooner and not (worth or platforms.loaded() or step in self._put_off):
                self._put_off.add(step)
                return None
            if program.load():
                return program
        if not worth:
            return None
        spent, runs = self._spent.get(step, (math.nan, 1))
        try:
            program.compile(spent / runs)
        except Untraceable as e:
            self.refused[step] = str(e)
            return None
        return program

    def _worth_compiling(self, step: Step) -> bool:
        if self._tier == "compile":
            return True
        if step.size > _FEW_NODES:
            if any(node.spec.lax for node in step.nodes):
                return True
            if any(node.spec.costly for node in step.nodes) and not platforms.on_cpu():
                return True
        seconds, runs = self._spent.get(step, (0.0, 1))
        cost = _COMPILE_SECONDS + _COMPILE_SECONDS_PER_NODE * step.size
        if not platforms.loaded():
            cost += _LOAD_SECONDS
        if seconds < _WORTH * cost or seconds < _CALL_SECONDS * runs:
            return False
        return seconds > _CALL_SECONDS_ELSEWHERE * runs or platforms.on_cpu()

    def _key(self, step: Step, values: list[Any]) -> Any:
        # Lists, for generators take twice as long, and this is a good part of a small run.
        given = [values[n] for n in step.inputs if n not in step.static]
        shapes = [None if v is None else (v.shape, v.dtype) for v in given]
        known = [values[n] for n in sorted(step.static)] if step.static else ()
        static = [None if v is None else (np.asarray(v).tobytes(), v.shape, v.dtype) for v in known]
        return (self._state.variables.layout, tuple(shapes), tuple(static))

    def _fetched(self, plan: Plan, values: list[Any], variables: Variables, owned: bool, fresh: bool) -> list[Any]:
        """The fetched values; `fresh`: those of them that are no variables and no feeds are nobody else's."""
        out: list[Any] = []
        for i, fetch in enumerate(plan.fetches):
            if fetch.alive and any(not _went(values[number], way) for number, way in fetch.alive):
                raise InvalidArgumentError(f"Retval[{i}] does not have value")
            if fetch.variable is not None:
                out.append(self._variable(fetch.variable, fetch.before, variables))
            elif fetch.number is None:
                out.append(None)
            else:
                value = values[fetch.number]
                if value is None:
                    raise InvalidArgumentError(f"Retval[{i}] does not have value")
                if fresh and owned and _is_large(value):
                    value = values[fetch.number] = np.asarray(_Lent(value))  # fetched again, it is copied
                    out.append(value)
                else:
                    out.append(_owned(value) if owned else value)
        return out

    @staticmethod
    def _variable(name: str, before: bool, variables: Variables) -> Any:
        value = variables.initial(name) if before or name not in variables.current else variables.current[name]
        if value is None:
            raise FailedPreconditionError(
                f"Attempting to use uninitialized value {name}",
                where=(f"variable {name!r}, fetched",),
                hint="run its initializer, restore a checkpoint, or assign to it first",
            )
        return _owned(value)


def _went(selector: Any, way: int) -> bool:
    """Whether a conditional took branch `way`. One that did not run at all has no selector."""
    return selector is not None and int(selector) == way


def _put(task: Underway, values: list[Any]) -> None:
    for number, value in zip(task.node.outputs, task.results, strict=True):
        values[number] = value


def _held(value: Any, feeds: Sequence[tuple[int, Any]]) -> Any:
    """A variable's new value, copied where it is the caller's own array, which the caller may write to."""
    if isinstance(value, np.ndarray) and any(value is f or value.base is f for _, f in feeds):
        return np.array(value)
    return value


class _Lent:
    """The memory of an array of JAX's that nobody else has, for NumPy to write to."""

    __slots__ = ("__array_interface__", "_array")

    def __init__(self, array: Any) -> None:
        self._array = array.block_until_ready()
        self.__array_interface__ = {
            "version": 3,
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (array.unsafe_buffer_pointer(), False),
        }


def _is_large(value: Any) -> bool:
    """Whether it is an array of JAX's, in the processor's memory, that takes long to copy."""
    large = hasattr(value, "unsafe_buffer_pointer") and value.nbytes >= _LARGE_RESULT
    return large and value.dtype.isbuiltin == 1 and platforms.on_cpu()


def _owned(value: Any) -> Any:
    """A value as the caller gets it: NumPy, and the caller's own to write to."""
    if type(value) is np.ndarray:
        return np.array(value) if value.ndim else value[()]
    if hasattr(value, "dtype") and not isinstance(value, np.generic):
        return np.array(value) if value.ndim else np.asarray(value)[()]
    return value
