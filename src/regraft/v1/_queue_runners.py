"""Queue runners of a graph: their collection, and starting them."""

from __future__ import annotations

import logging
import threading
from typing import Any

from regraft import session
from regraft.ir.graph_keys import GraphKeys
from regraft.train.queue_runner import QueueRunner
from regraft.v1 import _context

__all__ = ["QueueRunner", "add_queue_runner", "start_queue_runners"]

_log = logging.getLogger("regraft")


def add_queue_runner(qr: QueueRunner, collection: str = GraphKeys.QUEUE_RUNNERS) -> None:
    """Put a queue runner into a collection of the default graph."""
    _context.get_default_graph().add_to_collection(collection, qr)


def start_queue_runners(
    sess: Any = None,
    coord: Any = None,
    daemon: bool = True,
    start: bool = True,
    collection: str = GraphKeys.QUEUE_RUNNERS,
) -> list[threading.Thread]:
    """Make, and start, the threads of all queue runners in a collection of the default graph.

    sess    the default session if not given; monitored sessions have started theirs
    coord   lets them stop together
    raises  ValueError without a session, TypeError for what is none
    """
    if _context.executing_eagerly():
        raise RuntimeError("Queues are not compatible with eager execution.")
    if sess is None:
        sess = _context.get_default_session()
        if sess is None:
            raise ValueError(
                "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass an "
                "explicit session to tf.start_queue_runners(sess=sess)"
            )
    if not isinstance(sess, session.Session):
        if type(sess).__name__ in ("MonitoredSession", "SingularMonitoredSession"):
            return []
        raise TypeError(f"sess must be a `tf.Session` object. Given class: {type(sess)}")
    runners = _context.get_default_graph().get_collection(collection)
    if not runners:
        _log.warning("`tf.train.start_queue_runners()` was called when no queue runners were defined.")
    with _context.graph_as_default(sess.graph):
        return [t for runner in runners for t in runner.create_threads(sess, coord, daemon, start)]
