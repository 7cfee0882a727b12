"""Tracing: kernels on NumPy where a value must be known, on tracers elsewhere; conditionals and loops as XLA's own.

What changes while a conditional or loop runs goes in and out of it as its state: values, variables, counters of random
ops, and the contents of TensorArrays and stacks. Shapes that only show inside (what a stack holds) are found by tracing
the inside once for its shapes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from regraft.base.errors import OpError
from regraft.opkit import random_fill
from regraft.opkit.arrays import jax, jnp, lax, on_host, static_shape
from regraft.opkit.objects import RunObject, TracedObject, TracedObjects, Untraceable
from regraft.opkit.random import Rng
from regraft.opkit.stacks import TracedStack
from regraft.opkit.tensor_arrays import TracedTensorArray
from regraft.runtime.evaluate import Values, Variables, branch_of, choose, evaluate, in_context, side
from regraft.runtime.loops import while_loop
from regraft.runtime.masks import Undrawn
from regraft.runtime.plan import Conditional, Dataflow, Loop, Node, walk
from regraft.runtime.trips import known_trips

# A folded constant of more elements than this is computed by the program instead.
_LARGE_FOLD = 1024


class Tracer:
    """Calls kernels while a program is traced.

    counters  the counter of each random op, by node; and of each check whether it failed
    objects   the TensorArrays and stacks
    undrawn   random ops that draw for masks alone, see `runtime.masks`
    """

    def __init__(
        self,
        folded: frozenset[Node],
        counters: dict[str, Any],
        sizes: Mapping[str, int],
        undrawn: frozenset[Node] = frozenset(),
    ) -> None:
        self._folded = folded
        self._undrawn = undrawn
        self.counters = counters
        self.objects = TracedObjects(TracedTensorArray, TracedStack, sizes)

    def call(self, node: Node, args: list[Any]) -> tuple[Any, ...]:
        """Run one kernel."""
        run = node.run
        assert run is not None
        spec = node.spec
        if spec.random:
            state = self.counters[node.key]
            rng = Rng(state[:2], state[2:])
            later = node in self._undrawn
            results = in_context(node, args, lambda: (_later(node, args, rng),) if later else run(*args, rng=rng))
            self.counters[node.key] = jnp.concatenate([jnp.asarray(state[:2]), jnp.asarray(rng.counter)])
            return results
        if self._undrawn and (numbers := next((a for a in args if isinstance(a, Undrawn)), None)):
            return in_context(node, args, lambda: (numbers.into(node, args),))
        if spec.checks:
            held = jnp.all(jnp.asarray(args[0]))
            self.counters[node.key] = jnp.logical_or(self.counters[node.key], jnp.logical_not(held))
            return ()
        if spec.objects:
            self.objects.node = node.key
            if spec.makes_objects:
                return in_context(node, args, lambda: run(*args, objects=self.objects))
            return in_context(node, args, lambda: run(*args))
        if not on_host(*args):
            return in_context(node, args, lambda: run(*args))
        if not (spec.lax or spec.costly):
            results = in_context(node, args, lambda: run(*args))
            if node in self._folded or all(np.size(r) <= _LARGE_FOLD for r in results):
                return results
        traced = [a if i in node.static or a is None else jnp.asarray(a) for i, a in enumerate(args)]
        return in_context(node, traced, lambda: run(*traced))

    # Conditionals

    def choose(self, node: Conditional, values: Values, variables: Variables) -> None:
        """The branch that is known to run, or all of them under one XLA conditional."""
        selector = values[node.selector]
        if on_host(selector):
            choose(node, branch_of(node, selector), values, variables, self)
            return
        state = _State(self, node, variables)
        ways = range(len(node.branches))
        shapes = state.discover([self._branch(node, way, values, variables, state) for way in ways])
        fixed: dict[int, Any] = {}
        numbers = []
        for i, (number, _) in enumerate(node.results):
            found = [s[i] for s in shapes]
            live = [f for f in found if f is not None]
            if len(live) == 1 and len(found) > 1 and on_host(live[0]):
                fixed[number] = live[0]
                continue
            handles = {id(f): f for f in found if isinstance(f, RunObject)}
            if handles:
                if len(handles) > 1 or not all(f is None or isinstance(f, RunObject) for f in found):
                    raise Untraceable(f"{node.op.name!r} chooses among handles")
                (fixed[number],) = handles.values()
            else:
                numbers.append((i, number, self._common(node, found)))

        def branch(way: int) -> Callable[[Any], Any]:
            def run(taken: Any) -> Any:
                state.put(taken)
                count = len(self.objects.live)
                found = self._branch(node, way, values, variables, state)()
                del self.objects.live[count:]
                given = [(found[i], like) for i, _, like in numbers]
                out = [jnp.zeros(like.shape, like.dtype) if v is None else jnp.asarray(v) for v, like in given]
                return out, state.take()

            return run

        runs = [branch(way) for way in ways]
        taken = state.take()
        if node.indexed and selector.dtype != np.bool_ and len(runs) > 1:
            index = jnp.asarray(selector, jnp.int32)
            last = len(runs) - 1
            index = jnp.where((index < 0) | (index > last), last, index)
            out, after = lax.switch(index, runs, taken)
        else:
            out, after = lax.cond(self._condition(selector), runs[1], runs[0], taken)
        state.put(after)
        state.settle(variables)
        for (_, number, _), value in zip(numbers, out, strict=True):
            values[number] = value
        for number, value in fixed.items():
            values[number] = value

    def _branch(
        self, node: Conditional, way: int, values: Values, variables: Variables, state: _State
    ) -> Callable[[], list[Any]]:
        def run() -> list[Any]:
            inner, local = list(values), variables.fork()
            state.enter(local)
            with _perhaps():
                evaluate(node.branches[way], inner, local, self)
            found = [side(sides[way], node, inner, local) for _, sides in node.results]
            state.leave(local)
            return found

        return run

    @staticmethod
    def _common(node: Node, found: Sequence[Any]) -> Any:
        """The one shape and dtype that the branches hand on."""
        kinds = {(tuple(np.shape(f)), np.dtype(f.dtype)) for f in found if f is not None}
        if len(kinds) != 1:
            shapes = " or ".join(f"{dtype}{list(shape)}" for shape, dtype in sorted(kinds, key=str)) or "nothing"
            raise Untraceable(f"the branches of {node.op.name!r} give {shapes}")
        ((shape, dtype),) = kinds
        if dtype.kind == "O":
            raise Untraceable(f"the branches of {node.op.name!r} give strings")
        return jax.ShapeDtypeStruct(shape, dtype)

    @staticmethod
    def _condition(value: Any) -> Any:
        if static_shape(value) != ():
            return jnp.asarray(bool(np.prod(static_shape(value))))
        return value if value.dtype == np.bool_ else value != 0

    def dataflow(self, node: Dataflow, values: Values, variables: Variables) -> None:
        """Tokens have no form as a program."""
        raise Untraceable(f"{node} have no structure")

    # Loops

    def loop(self, node: Loop, values: Values, variables: Variables) -> None:
        """An XLA loop; nothing, if it is known not to run."""
        if known_trips(node, values, 1) == 0:
            for first, inside, _ in node.carried:
                values[inside] = values[first]
            return
        carried = []
        for first, inside, after in node.carried:
            if isinstance(values[first], RunObject):
                values[inside] = values[first]
            carried.append((first, inside, after))
        plain = [c for c in carried if not isinstance(values[c[0]], RunObject)]
        held = [c for c in carried if isinstance(values[c[0]], RunObject)]
        state = _State(self, node, variables)

        def iteration(current: Any) -> list[Any]:
            inner, local = list(values), variables.fork()
            for (_, inside, _), value in zip(plain, current, strict=True):
                inner[inside] = value
            state.enter(local)
            with _perhaps():
                evaluate(node.head, inner, local, self)
                evaluate(node.body, inner, local, self)
            for _, inside, after in held:
                if inner[after] is not values[inside]:
                    raise Untraceable(f"{node.op.name!r} makes new handles in its iterations")
            state.leave(local)
            following = [inner[after] for _, _, after in plain]
            for old, new in zip(current, following, strict=True):
                if tuple(np.shape(new)) != tuple(old.shape) or new.dtype != old.dtype:
                    raise Untraceable(
                        f"a variable of loop {node.op.name!r} changes from {old.dtype}{list(old.shape)} "
                        f"to {new.dtype}{list(np.shape(new))}"
                    )
            return [jnp.asarray(v) for v in following]

        initial = [_as_traced(values[f], node) for f, _, _ in plain]
        if node.spec.objects:
            state.discover([lambda: iteration(initial)])

        def body(current: Any) -> Any:
            state.put(current[1])
            count = len(self.objects.live)
            new = iteration(current[0])
            del self.objects.live[count:]
            return new, state.take()

        def condition(current: Any) -> Any:
            state.put(current[1])
            inner, local = list(values), variables.fork()
            for (_, inside, _), value in zip(plain, current[0], strict=True):
                inner[inside] = value
            state.enter(local)
            before = state.versions()
            with _perhaps():
                evaluate(node.head, inner, local, self)
            if state.versions() != before or any(n.writes or n.spec.random for n in walk(node.head)):
                raise Untraceable(f"the condition of loop {node.op.name!r} changes what outlives it")
            go_on = self._condition(jnp.asarray(inner[node.condition]))
            for obj in state.objects:
                excess = obj.excess()
                if excess is not None:
                    go_on = go_on & (excess[1] == 0)
            return go_on

        result, after_state = while_loop(condition, body, (initial, state.take()))
        state.put(after_state)
        state.settle(variables)
        for (_, inside, _), value in zip(plain, result, strict=True):
            values[inside] = value


def _later(node: Node, args: list[Any], rng: Rng) -> Undrawn:
    """The numbers of an op that `draws` them, for when they are wanted."""
    shape = random_fill.sizes_of(args[0])
    either = rng.counter[-1] == 0
    return Undrawn(random_fill.reserved_uniform(rng, shape, node.op.output_types[0].numpy), shape, either)


def _as_traced(value: Any, node: Node) -> Any:
    if value is None or getattr(value, "dtype", np.dtype(object)).kind == "O":
        raise Untraceable(f"loop {node.op.name!r} carries what is no number")
    return jnp.asarray(value)


@contextmanager
def _perhaps() -> Iterator[None]:
    """What is traced in here may never run: its errors mean that it can't be traced."""
    try:
        yield
    except OpError as e:
        raise Untraceable(f"what may not even run fails when it is traced: {e.message}") from e


class _State:
    """What a conditional or loop may change besides its results."""

    def __init__(self, tracer: Tracer, node: Conditional | Loop, variables: Variables) -> None:
        self._tracer = tracer
        self._node = node
        self.written = tuple(dict.fromkeys(a.name for a in node.writes))
        self.counted = tuple(dict.fromkeys(n.key for n in walk([node]) if n.spec.random or n.spec.checks))
        self.objects: list[TracedObject] = []
        self._values = [variables.latest(n) for n in self.written]
        for name, value in zip(self.written, self._values, strict=True):
            if value is None:
                raise Untraceable(f"variable {name!r} gets its first value in what may not run")

    def discover(self, runs: Sequence[Callable[[], list[Any]]]) -> list[list[Any]]:
        """Trace each run for its shapes, find the objects that it changes, and give them room."""
        tracer, live = self._tracer, self._tracer.objects.live
        known = list(live)
        before = [o.leaves() for o in known]
        versions = [o.version for o in known]
        values, counters = list(self._values), dict(tracer.counters)
        shapes: list[list[Any]] = []
        changed: dict[int, tuple[TracedObject, Any]] = {}
        made: list[tuple[TracedObject, Any]] = []
        for run in runs:
            found: list[Any] = []
            after: list[Any] = []

            def probe(run: Any = run, found: Any = found, after: Any = after) -> Any:
                found.extend(run())
                after.extend((o, o.leaves()) for o in live)
                return ()

            jax.eval_shape(probe)
            shapes.append([_struct(v) for v in found])
            for obj, leaves in after:
                like = tuple(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves)
                if obj not in known:
                    made.append((obj, like))
                elif obj.version != versions[known.index(obj)] and id(obj) not in changed:
                    changed[id(obj)] = (obj, like)
            for obj, leaves, version in zip(known, before, versions, strict=True):
                obj.restore(leaves)
                obj.version = version
            self._values, tracer.counters = list(values), dict(counters)
            live[:] = known
        self.objects = [obj for obj, _ in changed.values()]
        for obj, like in changed.values():
            if not obj.leaves() and like:
                obj.restore(obj.zeros(like))
        self._keep_gradients(known, made)
        return shapes

    def _keep_gradients(self, known: list[TracedObject], made: list[tuple[TracedObject, Any]]) -> None:
        """Gradient arrays of objects that were there before outlive what first asked for them."""
        live = self._tracer.objects.live
        for obj, like in made:
            if obj.parent in live and like:
                obj.restore(obj.zeros(like))
                live.append(obj)
                self.objects.append(obj)
            elif obj.excess() is not None:
                raise Untraceable("a stack or growing TensorArray is made inside a loop or conditional")
        for obj in known:
            obj.forget(live)

    def take(self) -> Any:
        """The state as it is now."""
        counters = self._tracer.counters
        return (
            [jnp.asarray(v) for v in self._values],
            [jnp.asarray(counters[n]) for n in self.counted],
            [o.leaves() for o in self.objects],
        )

    def put(self, state: Any) -> None:
        """Make `state` the state."""
        values, counters, leaves = state
        self._values = list(values)
        self._tracer.counters.update(zip(self.counted, counters, strict=True))
        for obj, found in zip(self.objects, leaves, strict=True):
            obj.restore(found)

    def enter(self, local: Variables) -> None:
        for name, value in zip(self.written, self._values, strict=True):
            local.write(name, value)

    def leave(self, local: Variables) -> None:
        self._values = [local.current[n] for n in self.written]
        for name, value in zip(self.written, self._values, strict=True):
            if value is None:
                raise Untraceable(f"variable {name!r} loses its value in what may not run")

    def settle(self, variables: Variables) -> None:
        """Hand the variables back to what comes after."""
        for name, value in zip(self.written, self._values, strict=True):
            variables.write(name, value)

    def versions(self) -> list[int]:
        return [o.version for o in self._tracer.objects.live]


def _struct(value: Any) -> Any:
    if value is None or isinstance(value, RunObject) or on_host(value):
        return value
    return jax.ShapeDtypeStruct(np.shape(value), value.dtype)
