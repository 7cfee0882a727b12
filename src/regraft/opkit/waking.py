"""Waking other threads when the run that does it no longer needs the interpreter's lock.

Who takes an element out of a queue or a dataset wakes the thread that makes the next one. If that thread works in
Python, it takes the interpreter's lock from the run, which has yet to start its program. So a run puts off whom it
wakes, until its program computes, it may have to wait itself, or it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Mine(threading.local):
    put_off: list[Callable[[], None]] | None = None


_mine = _Mine()


@contextmanager
def putting_off() -> Iterator[None]:
    """What this thread wakes in here waits for `wake_now`, or for the end."""
    if _mine.put_off is not None:
        yield
        return
    _mine.put_off = []
    try:
        yield
    finally:
        _call(None)


def wake(call: Callable[[], None]) -> None:
    """Call what wakes a thread: later within `putting_off`, now elsewhere."""
    if _mine.put_off is None:
        call()
    else:
        _mine.put_off.append(call)


def wake_now() -> None:
    """Call what was put off."""
    if _mine.put_off:
        _call([])


def _call(then: list[Callable[[], None]] | None) -> None:
    """Call what was put off; from here on, `then` is where it goes."""
    left, _mine.put_off = _mine.put_off, then
    for call in left or ():
        call()
