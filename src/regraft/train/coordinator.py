"""Threads that stop together: `Coordinator`, and `LooperThread`, which does something again and again until then."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from regraft.base.errors import OutOfRangeError

_log = logging.getLogger("regraft")

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
# How often `join` looks whether all threads have ended, in seconds.
_LOOK = 1.0
_LONGEST_NAP = 0.1


class Coordinator:
    """Lets threads stop together: each asks `should_stop()` from time to time, and anyone may ask for the stop.

        coord = Coordinator()
        ... start threads that run until coord.should_stop() ...
        coord.join(threads)

    clean_stop_exception_types  errors that end the work without being errors of it; OutOfRangeError if not given
    """

    def __init__(self, clean_stop_exception_types: Iterable[type[BaseException]] | None = None) -> None:
        clean = (OutOfRangeError,) if clean_stop_exception_types is None else clean_stop_exception_types
        self._clean_stop_exception_types = tuple(clean)
        self._lock = threading.Lock()
        self._stop_event = threading.Event()
        self._error: BaseException | None = None
        self._joined = False
        self._registered_threads: set[threading.Thread] = set()

    def request_stop(self, ex: BaseException | ExcInfo | None = None) -> None:
        """Ask all threads to stop.

        ex  the reason, an exception or what `sys.exc_info()` gives. `join` raises the first one, unless it is of a type
            that ends the work cleanly; after a `join` it is raised here
        """
        error = ex[1] if isinstance(ex, tuple) else ex
        if ex is not None and not isinstance(error, BaseException):
            error = ValueError(f"ex must be an exception or what sys.exc_info() gives, got {ex!r}")
        if error is not None and isinstance(error, self._clean_stop_exception_types):
            error = None
        with self._lock:
            if self._joined:
                if error is not None:
                    raise error
                return
            if self._stop_event.is_set():
                return
            if error is not None and self._error is None:
                _log.info("Error reported to Coordinator: %s, %s", type(error), error)
                self._error = error
            self._stop_event.set()

    def clear_stop(self) -> None:
        """Forget the stop and its reason."""
        with self._lock:
            self._joined = False
            self._error = None
            self._stop_event.clear()

    def should_stop(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop_event.is_set()

    @contextlib.contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """An exception inside becomes the reason of a stop."""
        try:
            yield
        except BaseException:  # noqa: BLE001  whatever ends a thread must end the others
            self.request_stop(sys.exc_info())

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Wait until a stop is asked for, or `timeout` seconds: whether it was."""
        return self._stop_event.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Let `join` wait for this thread too."""
        with self._lock:
            self._registered_threads.add(thread)

    def join(
        self,
        threads: Iterable[threading.Thread] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Wait until the given and the registered threads have ended.

        stop_grace_period_secs  how long they may go on when a stop was asked for
        ignore_live_threads     say nothing of threads that go on after that
        raises                  the reason of the stop, if it has one; RuntimeError naming the threads that go on
        """
        with self._lock:
            waited_for = list(self._registered_threads.union(threads or ()))
        while any(t.is_alive() for t in waited_for) and not self.wait_for_stop(_LOOK):
            pass
        deadline = time.monotonic() + stop_grace_period_secs
        nap = 0.001
        while any(t.is_alive() for t in waited_for) and time.monotonic() < deadline:
            time.sleep(min(nap, max(deadline - time.monotonic(), 0)))
            nap = min(2 * nap, _LONGEST_NAP)
        late = " ".join(t.name for t in waited_for if t.is_alive())
        with self._lock:
            self._joined = True
            self._registered_threads = set()
            if self._error is not None:
                raise self._error
            if not late:
                return
            if not ignore_live_threads:
                raise RuntimeError(f"Coordinator stopped with threads still running: {late}")
            _log.info("Coordinator stopped with threads still running: %s", late)

    @property
    def joined(self) -> bool:
        """Whether `join` has come to its end since the last `clear_stop`."""
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raise the reason of the stop, if it has one."""
        with self._lock:
            if self._error is not None:
                raise self._error


class LooperThread(threading.Thread):
    """A daemon that calls a function, or its own `run_loop`, until its coordinator stops.

    timer_interval_secs  how often; None for again at once
    raises               ValueError for what is no Coordinator, and for arguments without a function
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        super().__init__(daemon=True)
        if target is None and (args or kwargs):
            raise ValueError("'args' and 'kwargs' argument require that you also pass 'target'")
        self._coord = coord
        self._timer_interval_secs = timer_interval_secs
        self._called = target
        self._given = (args or (), kwargs or {})
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> LooperThread:
        """A thread of this kind, started."""
        thread = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        thread.start()
        return thread

    def run(self) -> None:
        with self._coord.stop_on_exception():
            self.start_loop()
            following = time.time()
            while not self._stops(following):
                following += self._timer_interval_secs or 0
                self.run_loop()
            self.stop_loop()

    def _stops(self, following: float) -> bool:
        if self._timer_interval_secs is None:
            return self._coord.should_stop()
        return self._coord.wait_for_stop(max(following - time.time(), 0))

    def start_loop(self) -> None:
        """Called once before the first `run_loop`."""

    def stop_loop(self) -> None:
        """Called once when the coordinator has stopped."""

    def run_loop(self) -> None:
        """Called again and again."""
        if self._called is not None:
            args, kwargs = self._given
            self._called(*args, **kwargs)
