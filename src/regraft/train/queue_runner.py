"""QueueRunner: threads that keep a queue filled, each running an enqueue op until there is nothing more to put in."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from regraft import proto
from regraft.base import names
from regraft.base.errors import (
    OpError,
    OutOfRangeError,
    error_code_from_exception_type,
    exception_type_from_error_code,
)
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.metagraph.collections import register_proto_function
from regraft.train.coordinator import Coordinator
from regraft.variables import ambient

_log = logging.getLogger("regraft")


class QueueRunner:
    """Enqueue operations of one queue, each to be run in a thread of its own.

    queue        the queue
    enqueue_ops  operations that put something in; one may stand several times
    close_op     closes the queue when all of them have ended; made if not given
    cancel_op    closes it at once, for a stop before that; made if not given
    queue_closed_exception_types  errors that tell that nothing more will come: OutOfRangeError if not given
    queue_runner_def, import_scope  a QueueRunnerDef in the place of all these, and the scope to find its names in
    raises       ValueError for a queue without operations, or with a QueueRunnerDef; TypeError for errors that are none
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Sequence[Any] | None = None,
        close_op: Any = None,
        cancel_op: Any = None,
        queue_closed_exception_types: tuple[type[OpError], ...] | None = None,
        queue_runner_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        self._prepare()
        if queue_runner_def:
            if queue or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._read(ambient.default_graph(), queue_runner_def, import_scope)
            return
        if not queue or not enqueue_ops:
            raise ValueError("Must provide queue and enqueue_ops.")
        if queue_closed_exception_types is not None and not _are_errors(queue_closed_exception_types):
            raise TypeError(
                "queue_closed_exception_types, when provided, must be a tuple of tf.error types, but saw: "
                f"{queue_closed_exception_types}"
            )
        self._queue = queue
        self._enqueue_ops = enqueue_ops
        self._closed_types: tuple[type[OpError], ...] = queue_closed_exception_types or (OutOfRangeError,)
        self._close_op = queue.close() if close_op is None else close_op
        self._cancel_op = queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op

    def _prepare(self) -> None:
        self._lock = threading.Lock()
        # How many enqueue threads go on, for each session.
        self._running: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._exceptions_raised: list[BaseException] = []

    def _read(self, graph: Graph, message: Any, import_scope: str | None) -> None:
        message = proto.as_ours(message, proto.QueueRunnerDef)

        def element(name: str) -> Any:
            return graph.as_graph_element(names.prepend_scope(name, import_scope or ""))

        self._queue = element(message.queue_name)
        self._enqueue_ops = [element(name) for name in message.enqueue_op_name]
        self._close_op = element(message.close_op_name)
        self._cancel_op = element(message.cancel_op_name)
        codes = message.queue_closed_exception_types
        # Files from before this field was there have none.
        self._closed_types = tuple(exception_type_from_error_code(code) for code in codes) or (OutOfRangeError,)

    @classmethod
    def on(cls, graph: Graph, queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """The runner that a QueueRunnerDef describes, on `graph`. KeyError for a name that is not there."""
        runner = cls.__new__(cls)
        runner._prepare()
        runner._read(graph, queue_runner_def, import_scope)
        return runner

    @property
    def queue(self) -> Any:
        return self._queue

    @property
    def enqueue_ops(self) -> Sequence[Any]:
        return self._enqueue_ops

    @property
    def close_op(self) -> Any:
        return self._close_op

    @property
    def cancel_op(self) -> Any:
        return self._cancel_op

    @property
    def queue_closed_exception_types(self) -> tuple[type[OpError], ...]:
        return self._closed_types

    @property
    def exceptions_raised(self) -> list[BaseException]:
        """Errors of threads that were started without a coordinator."""
        return self._exceptions_raised

    @property
    def name(self) -> str:
        """The name of the queue."""
        name: str = self._queue.name
        return name

    def create_threads(
        self, sess: Any, coord: Coordinator | None = None, daemon: bool = False, start: bool = False
    ) -> list[threading.Thread]:
        """A thread for each enqueue operation, and one that closes the queue when the coordinator stops.

        returns  the threads; none while earlier ones for this session go on
        """
        with self._lock:
            if self._running.get(sess, 0) > 0:
                return []
            self._running[sess] = len(self._enqueue_ops)
            self._exceptions_raised = []
        threads = [
            threading.Thread(target=self._run, args=(sess, op, coord), name=f"QueueRunnerThread-{self.name}-{op.name}")
            for op in self._enqueue_ops
        ]
        if coord is not None:
            name = f"QueueRunnerThread-{self.name}-close_on_stop"
            threads.append(threading.Thread(target=self._close_on_stop, args=(sess, coord), name=name))
        for thread in threads:
            if coord is not None:
                coord.register_thread(thread)
            thread.daemon = daemon
            if start:
                thread.start()
        return threads

    def _run(self, sess: Any, enqueue_op: Any, coord: Coordinator | None) -> None:
        last = None
        try:
            enqueue = getattr(sess, "make_repeated", sess.make_callable)(enqueue_op)
            while not (coord is not None and coord.should_stop()):
                try:
                    enqueue()
                except self._closed_types:
                    last = self._ended(sess)
                    if last:
                        _ignoring_errors(sess, self._close_op)
                    return
        except Exception as e:
            if coord is not None:
                coord.request_stop(e)
                return
            _log.error("Exception in QueueRunner: %s", e)
            with self._lock:
                self._exceptions_raised.append(e)
            raise
        finally:
            if last is None:
                self._ended(sess)

    def _ended(self, sess: Any) -> bool:
        """Count a thread of this session out: whether it was the last one."""
        with self._lock:
            self._running[sess] -= 1
            return self._running[sess] == 0

    def _close_on_stop(self, sess: Any, coord: Coordinator) -> None:
        coord.wait_for_stop()
        _ignoring_errors(sess, self._cancel_op)

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The QueueRunnerDef, with names relative to `export_scope`; None for a queue outside of it."""
        if export_scope and not self.name.startswith(export_scope):
            return None
        scope = export_scope or ""
        return proto.QueueRunnerDef(
            queue_name=names.strip_scope(self.name, scope),
            enqueue_op_name=[names.strip_scope(op.name, scope) for op in self._enqueue_ops],
            close_op_name=names.strip_scope(self._close_op.name, scope),
            cancel_op_name=names.strip_scope(self._cancel_op.name, scope),
            queue_closed_exception_types=[error_code_from_exception_type(t) for t in self._closed_types],
        )

    @staticmethod
    def from_proto(queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """The runner that a QueueRunnerDef describes, on the default graph."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)


def _are_errors(types: Any) -> bool:
    return isinstance(types, tuple) and bool(types) and all(issubclass(t, OpError) for t in types)


def _ignoring_errors(sess: Any, op: Any) -> None:
    """Run an op that closes a queue, which may be closed already, or gone with its session."""
    try:
        sess.run(op)
    except (OpError, RuntimeError) as e:
        _log.debug("Ignored exception: %s", e)


def _to_proto(runner: Any, export_scope: str | None = None) -> Any:
    return runner.to_proto(export_scope=export_scope)


def _from_proto(message: Any, import_scope: str | None = None, *, graph: Graph) -> QueueRunner:
    return QueueRunner.on(graph, message, import_scope)


register_proto_function(
    GraphKeys.QUEUE_RUNNERS,
    proto.QueueRunnerDef,
    _to_proto,
    _from_proto,
    takes_graph=True,
    registered="regraft.train.queue_runner",
)
