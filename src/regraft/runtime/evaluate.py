"""The inner loop that the interpreter and the tracer share: nodes in order, values by number, variables by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Protocol

import numpy as np

from regraft.base.errors import FailedPreconditionError, InvalidArgumentError, OpError, UnimplementedError
from regraft.opkit.registry import Control
from regraft.runtime.plan import Access, Conditional, Dataflow, Loop, Node

Values = list[Any]


class Engine(Protocol):
    """What the tiers do in their own ways."""

    def call(self, node: Node, args: list[Any]) -> tuple[Any, ...]:
        """Run one kernel on its arguments."""

    def choose(self, node: Conditional, values: Values, variables: Variables) -> None:
        """Run the branch that the selector says."""

    def loop(self, node: Loop, values: Values, variables: Variables) -> None:
        """Run a loop to its end."""

    def dataflow(self, node: Dataflow, values: Values, variables: Variables) -> None:
        """Run operations token by token."""


class Variables:
    """The variables of one run: values from before it, and those that it has written so far.

    seen  how many changes there had been when it looked last
    """

    __slots__ = ("_initial", "_lookup", "current", "seen")

    def __init__(self, lookup: Callable[[str], Any]) -> None:
        self._lookup = lookup
        self._initial: dict[str, Any] = {}
        self.current: dict[str, Any] = {}
        self.seen = -1

    def initial(self, name: str) -> Any:
        """The value from before the run, or None."""
        if name not in self._initial:
            self._initial[name] = self._lookup(name)
        return self._initial[name]

    def hold(self, name: str) -> None:
        """Read from a copy, so that nobody can take the value away."""
        for known in (self._initial, self.current):
            if known.get(name) is not None:
                known[name] = np.array(known[name])
        if name not in self.current and self.initial(name) is not None:
            self._initial[name] = np.array(self._initial[name])

    def renew(self) -> None:
        """Take what other runs have written meanwhile. What this run has written is read as it is now."""
        for name in [n for n in self._initial if n not in self.current]:
            del self._initial[name]
        for name in self.current:
            self.current[name] = self._lookup(name)

    def keep(self, name: str) -> None:
        """Hold on to the value from before the run."""
        self.initial(name)

    def read(self, access: Access) -> Any:
        return self.initial(access.name) if access.before else self.latest(access.name)

    def latest(self, name: str) -> Any:
        """The value that the run has written, or else the one from before it; None where there is none."""
        return self.current[name] if name in self.current else self.initial(name)

    def write(self, name: str, value: Any) -> None:
        self.current[name] = value

    def move(self, name: str, value: Any) -> None:
        """Hold a variable's latest value in another array."""
        (self.current if name in self.current else self._initial)[name] = value

    def fork(self) -> Variables:
        """The same values; what is written here is not written there."""
        other = Variables(self.initial)
        other.current = dict(self.current)
        return other

    def step_done(self, kept: Iterable[str]) -> None:
        """Forget values from before the run that nothing wants any more, so that their memory can be used again."""
        wanted = set(kept)
        for name in [n for n in self._initial if n not in wanted]:
            del self._initial[name]


def evaluate(nodes: Iterable[Node], values: Values, variables: Variables, engine: Engine) -> None:
    """Run the nodes; results go into `values` and `variables`."""
    call = engine.call
    for node in nodes:
        if node.plain:
            results = call(node, [values[n] for n in node.inputs])
            for number, result in zip(node.outputs, results, strict=True):
                values[number] = result
            continue
        if node.spec.control is not None:
            if isinstance(node, Conditional):
                engine.choose(node, values, variables)
            elif isinstance(node, Loop):
                engine.loop(node, values, variables)
            elif isinstance(node, Dataflow):
                engine.dataflow(node, values, variables)
            else:
                control(node, [values[n] for n in node.inputs], values, variables)
            continue
        args = [values[n] for n in node.inputs]
        for access in node.reads:
            args[access.position] = present(variables.read(access), access, node)
        for access in node.writes:
            value = variables.read(access)
            args[access.position] = (
                value if value is not None or is_blind(node, access) else present(value, access, node)
            )
        results = call(node, args)
        at = 0
        for access in node.writes:
            variables.write(access.name, results[at])
            at += 1
        for number, alias in zip(node.outputs, node.aliases, strict=True):
            if alias is None:
                values[number] = results[at]
                at += 1


def control(node: Node, args: list[Any], values: Values, variables: Variables) -> None:
    """Run an op that only the executor can: those that ask about variables or take them away."""
    kind = node.spec.control
    if kind is Control.INITIALIZED:
        value = variables.read(node.reads[0]) if node.reads else args[0]
        values[node.outputs[0]] = np.asarray(value is not None)
    elif kind is Control.DESTROY:
        value = variables.read(node.writes[0])
        variables.write(node.writes[0].name, None)
        for number in node.outputs:
            values[number] = present(value, node.writes[0], node)
    else:
        raise UnimplementedError(
            f"op {node.op.type!r} is not supported here", where=(f"node {node.op.name!r}",), op=node.op
        )


def branch_of(node: Conditional, selector: Any) -> int:
    """The branch that a known selector says. TensorFlow takes numbers but 0 and strings but "" for true."""
    if node.indexed:
        index = int(selector)
        return index if 0 <= index < len(node.branches) else len(node.branches) - 1
    return int(truth(selector))


def truth(value: Any) -> bool:
    """A known value as a condition."""
    if np.size(value) == 1 and np.ndim(value) == 0:
        return bool(np.asarray(value)[()])
    return bool(np.size(value))


def side(found: int | Access | None, node: Node, values: Values, variables: Variables) -> Any:
    """The value that a branch hands on; None where it has none."""
    if isinstance(found, Access):
        return present(variables.read(found), found, node)
    return None if found is None else values[found]


def choose(node: Conditional, way: int, values: Values, variables: Variables, engine: Engine) -> None:
    """Run branch `way` of a conditional in place."""
    evaluate(node.branches[way], values, variables, engine)
    for number, sides in node.results:
        values[number] = side(sides[way], node, values, variables)


def present(value: Any, access: Access, node: Node) -> Any:
    if value is None:
        raise FailedPreconditionError(
            f"Attempting to use uninitialized value {access.name}",
            where=(f"variable {access.name!r}, used by node {node.op.name!r} (op {node.op.type!r})",),
            hint="run its initializer, restore a checkpoint, or assign to it first",
            op=node.op,
        )
    return value


def is_blind(node: Node, access: Access) -> bool:
    """Whether the node overwrites the variable without reading it."""
    return node.spec.input_names[access.position] in node.spec.blind if node.spec.blind else False


# What kernels raise: errors that say what is wrong, and what NumPy and Python say of arguments that do not fit.
FAILURES = (OpError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError, np.linalg.LinAlgError)


def in_context(node: Node, args: list[Any], run: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Call `run`; an error of it says which node met it and what its inputs were."""
    try:
        return run()
    except FAILURES as e:
        fail(e, node, args)


def fail(error: Exception, node: Node, args: list[Any]) -> NoReturn:
    """Raise one of `FAILURES` so that it says which node met it and what its inputs were."""
    if isinstance(error, OpError):
        if error.op is None:
            where = f"node {node.op.name!r} (op {node.op.type!r})"
            raise type(error)(error.message, where=(where,), op=node.op) from error
        raise error
    shapes = ", ".join(_describe(a) for a in args)
    where = f"node {node.op.name!r} (op {node.op.type!r}) with inputs {shapes}"
    raise InvalidArgumentError(f"{error}", where=(where,), op=node.op) from error


def _describe(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    return f"{dtype}{list(np.shape(value))}" if dtype is not None else type(value).__name__
