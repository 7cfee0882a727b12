"""What a session keeps between runs: variables, the counters of random ops, and host resources."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from regraft.opkit.random import initial_state

Array = Any


class VariableStore:
    """Variables by name: NumPy or JAX arrays, as the last run left them.

    layout  counts the changes of which variables have a value and of their shapes and dtypes; compiled programs that
            were chosen for one layout fit as long as it stays
    changes counts the values that were set
    derived what others have made of the values, by its maker; it goes when a value changes
    """

    def __init__(self) -> None:
        self._values: dict[str, Array] = {}
        self.layout = 0
        self.changes = 0
        self.derived: dict[Any, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def get(self, name: str) -> Array | None:
        """The array as it is held, or None for a variable without a value. It must not be written."""
        return self._values.get(name)

    def value(self, name: str) -> np.ndarray[Any, Any] | None:
        """The value as a NumPy array that must not be written, or None for a variable without one."""
        held = self._values.get(name)
        return None if held is None else np.asarray(held)

    def assign(self, name: str, value: Array) -> None:
        """Give a variable a value, or take it away with None. The array is kept: nobody may write to it afterwards."""
        self.assign_all([(name, value)])

    def assign_all(self, values: Sequence[tuple[str, Array]]) -> None:
        """Do what `assign` does for each name and value."""
        if not values:
            return
        held = self._values
        for name, value in values:
            if value is None:
                self.forget(name)
                continue
            old = held.get(name)
            # A program's results have the same `aval` in each run, and to ask for shapes takes five times as long.
            alike = old is not None and getattr(old, "aval", old) is getattr(value, "aval", None)
            if not alike and (old is None or old.shape != value.shape or old.dtype != value.dtype):
                self.layout += 1
            held[name] = value
            self.changes += 1
        self.derived.clear()

    def forget(self, name: str) -> None:
        """Take a variable's value away."""
        if self._values.pop(name, None) is not None:
            self.layout += 1
            self.derived.clear()

    def clear(self) -> None:
        self._values.clear()
        self.layout += 1
        self.derived.clear()


class RandomState:
    """The counter of each random op of a session, by node name. Seeds of 0 and 0 start from the system's entropy."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[Any, Any]] = {}
        self._locks: dict[str, threading.Lock] = {}

    @contextlib.contextmanager
    def drawing(self, nodes: Iterable[str]) -> Iterator[None]:
        """Let no other thread draw from these nodes between a `get` and its `put`."""
        with contextlib.ExitStack() as held:
            for node in sorted(set(nodes)):
                held.enter_context(self._locks.setdefault(node, threading.Lock()))
            yield

    def get(self, node: str, seed: int, seed2: int) -> tuple[Any, Any]:
        """(key uint32[2], counter uint32[4]) at which the node's next draw starts."""
        state = self._states.get(node)
        if state is None:
            if not (seed or seed2):
                seed, seed2 = secrets.randbits(64), secrets.randbits(64)
            state = initial_state(seed, seed2)
            self._states[node] = state
        return state

    def put(self, node: str, state: tuple[Any, Any]) -> None:
        self._states[node] = state


class SessionState:
    """Everything that outlives a run.

    lock           held while a run touches variables; blocking host ops run outside it
    resources      queues, tables, iterators, ... by (kind, name); each is closed with the session
    resource_lock  held while one is made
    functions      library functions that kernels have called, ready to run (see `runtime.functions`)
    assets_dir     where input files are that are not where the graph says; "" for nowhere
    """

    def __init__(self) -> None:
        self.variables = VariableStore()
        self.random = RandomState()
        self.resources: dict[tuple[str, str], Any] = {}
        self.functions: dict[Any, Any] = {}
        self.assets_dir = ""
        self.resource_lock = threading.Lock()
        self.lock = threading.RLock()
        self.closed = threading.Event()

    def close(self) -> None:
        """Wake what waits on a resource, and forget everything."""
        with self.resource_lock:
            self.closed.set()
        for resource in list(self.resources.values()):
            close = getattr(resource, "close_session", None)
            if close is not None:
                close()
        self.resources.clear()
        self.functions.clear()
        self.variables.clear()


def missing(store: VariableStore, names: Iterable[str]) -> list[str]:
    """Those of the named variables that have no value."""
    return [n for n in names if n not in store]
