"""slim.queues: the queue runners of a graph, as long as a block lasts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context

__all__ = ["NestedQueueRunnerError", "QueueRunners"]

_running = threading.Lock()


class NestedQueueRunnerError(Exception):
    """A block of QueueRunners inside another."""


@contextlib.contextmanager
def QueueRunners(session: Any) -> Iterator[None]:
    """Start the queue runners of the default graph, and stop them at the end. NestedQueueRunnerError when nested."""
    from regraft.v1 import train

    if not _running.acquire(blocking=False):
        raise NestedQueueRunnerError("QueueRunners cannot be nested")
    coord = train.Coordinator()
    threads: list[Any] = []
    try:
        for runner in _context.get_default_graph().get_collection(GraphKeys.QUEUE_RUNNERS):
            threads.extend(runner.create_threads(session, coord=coord, daemon=True, start=True))
        yield
    finally:
        coord.request_stop()
        try:
            coord.join(threads, stop_grace_period_secs=120)
        except RuntimeError:  # threads that do not stop end with the session
            session.close()
        _running.release()
