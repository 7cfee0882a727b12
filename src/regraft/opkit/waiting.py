"""Operations that may have to wait for another thread.

The kernel of such an op is a generator. It yields an `Attempt` for each thing that it waits for, is sent the attempt's
value (or thrown its error), and returns its results. So whoever runs it chooses how to wait, and may run other ops
meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from regraft.base.errors import OpError

Task = Generator["Attempt", Any, Any]


class Attempt:
    """Something that a thread waits for. It ends once: with a value, or with an error.

    withdrawn  what takes it back from the resource where it waits: (attempt, error) -> None
    """

    __slots__ = ("_done", "_error", "_listeners", "_lock", "_value", "_withdrawn")

    def __init__(self, withdrawn: Callable[[Any, OpError], None]) -> None:
        self._lock = threading.Lock()
        self._done = False
        self._value: Any = None
        self._error: OpError | None = None
        self._listeners: list[threading.Event] = []
        self._withdrawn = withdrawn

    @property
    def done(self) -> bool:
        return self._done

    def succeed(self, value: Any = None) -> None:
        self._end(value, None)

    def fail(self, error: OpError) -> None:
        self._end(None, error)

    def _end(self, value: Any, error: OpError | None) -> None:
        with self._lock:
            if self._done:
                return
            self._value, self._error, self._done = value, error, True
        for listener in self._listeners:
            listener.set()

    def withdraw(self, error: OpError) -> None:
        """Give up: unless it is done already, it ends with `error`."""
        if not self._done:
            self._withdrawn(self, error)

    def notify(self, listener: threading.Event) -> None:
        """Set `listener` when this is done, at once if it is."""
        with self._lock:
            if not self._done:
                self._listeners.append(listener)
                return
        listener.set()

    def result(self) -> Any:
        """The value of an attempt that is done; its error is raised."""
        if self._error is not None:
            raise type(self._error)(self._error.message)
        return self._value


class Turn:
    """A lock for which tasks wait in line.

    turn = lock.ask()
    try:
        yield turn
        ...
    finally:
        lock.leave(turn)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: Attempt | None = None
        self._line: deque[Attempt] = deque()

    def ask(self) -> Attempt:
        turn = Attempt(self._withdraw)
        with self._lock:
            self._line.append(turn)
        self._go_on()
        return turn

    def leave(self, turn: Attempt) -> None:
        """End a turn, also one that never came."""
        with self._lock:
            if self._holder is turn:
                self._holder = None
        self._go_on()

    def _go_on(self) -> None:
        with self._lock:
            if self._holder is not None or not self._line:
                return
            self._holder = following = self._line.popleft()
        following.succeed()

    def _withdraw(self, turn: Attempt, error: OpError) -> None:
        with self._lock:
            if turn not in self._line:
                return
            self._line.remove(turn)
        turn.fail(error)
