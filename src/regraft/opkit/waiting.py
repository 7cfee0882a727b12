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

from regraft.base.errors import CancelledError, OpError
from regraft.opkit.waking import wake

Task = Generator["Attempt", Any, Any]

NOT_YET: Any = object()
"""Given by what can't be done yet."""


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
            wake(listener.set)

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


class Shared:
    """A resource of which anybody may be served: what is asked of it is done as soon as it can be.

    closed_with  what an attempt that the end of the session stops is told
    """

    closed_with = "the session was closed"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._asked: list[tuple[Attempt, Callable[[], Any]]] = []
        self._over = False

    def ask(self, serve: Callable[[], Any]) -> Attempt:
        """Do `serve`, with the lock, now or later: it gives NOT_YET as long as it can't be done."""
        attempt = Attempt(self._withdraw)
        with self._lock:
            if self._over:
                attempt.fail(CancelledError(self.closed_with))
                return attempt
            self._asked.append((attempt, serve))
            self.changed()
        return attempt

    def changed(self) -> None:
        """Serve whoever can be served now."""
        with self._lock:
            moved = True
            while moved:
                moved = False
                for entry in list(self._asked):
                    moved |= self._serve(*entry)
                    if entry[0].done:
                        self._asked.remove(entry)

    @staticmethod
    def _serve(attempt: Attempt, serve: Callable[[], Any]) -> bool:
        try:
            value = serve()
        except OpError as e:
            attempt.fail(e)
            return True
        if value is NOT_YET:
            return False
        attempt.succeed(value)
        return True

    def close_session(self) -> None:
        """End all that wait, and all that comes, with CancelledError."""
        with self._lock:
            self._over = True
            asked, self._asked = self._asked, []
        for attempt, _ in asked:
            attempt.fail(CancelledError(self.closed_with))

    def _withdraw(self, attempt: Attempt, error: OpError) -> None:
        with self._lock:
            self._asked = [entry for entry in self._asked if entry[0] is not attempt]
        attempt.fail(error)
