"""tf.train.Supervisor: a session that is initialized or restored, with threads that save and write summaries."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from regraft import proto
from regraft.base import dtypes
from regraft.base.errors import AbortedError, OpError
from regraft.checkpoint import files
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.metagraph import write_graph
from regraft.metagraph.export_meta import create_meta_graph_def
from regraft.serde.graph import graph_to_proto
from regraft.train.coordinator import Coordinator, LooperThread
from regraft.train.global_step import global_step
from regraft.train.summary_writer import FileWriter
from regraft.v1 import _context
from regraft.v1._saver import Saver
from regraft.v1._session_manager import SessionManager
from regraft.v1._variables import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)
from regraft.v1.summary import merge_all

_log = logging.getLogger("regraft")


class Supervisor:
    """Prepares sessions and keeps a training program going: what MonitoredTrainingSession does in newer programs.

    Ops that are USE_DEFAULT are found in the graph's collections, or made; None means that there is none. The graph is
    finalized.

    is_chief             the chief initializes, saves and writes summaries; others wait for the model
    logdir               of checkpoints and event files; None for neither
    summary_op           run every `save_summaries_secs` seconds
    global_step          counts the steps
    save_model_secs      how often to save; 0 for never
    recovery_wait_secs   between two looks for a ready model
    stop_grace_secs      how long threads may take to stop
    checkpoint_basename  of the checkpoints in `logdir`
    summary_writer       None to write no events
    init_fn              called with the session after `init_op`
    raises               RuntimeError while eager execution is declared on; ValueError where not the chief has variables
                         without a device
    """

    USE_DEFAULT: Any = 0

    def __init__(
        self,
        graph: Graph | None = None,
        ready_op: Any = USE_DEFAULT,
        ready_for_local_init_op: Any = USE_DEFAULT,
        is_chief: bool = True,
        init_op: Any = USE_DEFAULT,
        init_feed_dict: Any = None,
        local_init_op: Any = USE_DEFAULT,
        logdir: Any = None,
        summary_op: Any = USE_DEFAULT,
        saver: Any = USE_DEFAULT,
        global_step: Any = USE_DEFAULT,
        save_summaries_secs: float = 120,
        save_model_secs: float = 600,
        recovery_wait_secs: float = 30,
        stop_grace_secs: float = 120,
        checkpoint_basename: str = "model.ckpt",
        session_manager: Any = None,
        summary_writer: Any = USE_DEFAULT,
        init_fn: Callable[[Any], Any] | None = None,
        local_init_run_options: Any = None,
    ) -> None:
        if _context.executing_eagerly():
            raise RuntimeError("Supervisors are incompatible with eager execution.")
        graph = graph or _context.get_default_graph()
        with _context.graph_as_default(graph):
            self._ready_op = _found(ready_op, GraphKeys.READY_OP, report_uninitialized_variables)
            self._ready_for_local_init_op = _found(ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP)
            self._init_op = _found(init_op, GraphKeys.INIT_OP, global_variables_initializer)
            self._init_feed_dict = init_feed_dict
            self._local_init_op = _found(local_init_op, GraphKeys.LOCAL_INIT_OP, _default_local_init_op)
            self._saver = _found(saver, GraphKeys.SAVERS, _default_saver)
            self._summary_op = _found(summary_op, GraphKeys.SUMMARY_OP, merge_all)
            self._global_step = _found(global_step, GraphKeys.GLOBAL_STEP, _default_global_step)
        self._graph = graph
        self._meta_graph_def = create_meta_graph_def(graph, saver_def=self._saver.saver_def if self._saver else None)
        self._is_chief = is_chief
        self._coord = Coordinator()
        self._stop_grace_secs = stop_grace_secs
        self._init_fn = init_fn
        self._logdir = logdir if is_chief else None
        self._save_summaries_secs = save_summaries_secs if is_chief else None
        self._save_model_secs = save_model_secs if is_chief else None
        self._save_path = os.path.join(files.as_text(logdir), checkpoint_basename) if is_chief and logdir else None
        self._summary_writer = None
        if is_chief and summary_writer is not Supervisor.USE_DEFAULT:
            self._summary_writer = summary_writer
        elif self._logdir:
            self._summary_writer = FileWriter(self._logdir)
        self._graph_added_to_summary = False
        self._session_manager = session_manager or SessionManager(
            local_init_op=self._local_init_op,
            ready_op=self._ready_op,
            ready_for_local_init_op=self._ready_for_local_init_op,
            graph=graph,
            recovery_wait_secs=recovery_wait_secs,
            local_init_run_options=local_init_run_options,
        )
        self._verify_setup()
        graph.finalize()

    def _verify_setup(self) -> None:
        for op in () if self._is_chief else self._graph.get_operations():
            if op.type in ("Variable", "VariableV2") and not op.device:
                raise ValueError(f"When using replicas, all Variables must have their device set: {op}")

    @property
    def is_chief(self) -> bool:
        return self._is_chief

    @property
    def session_manager(self) -> Any:
        return self._session_manager

    @property
    def coord(self) -> Coordinator:
        return self._coord

    @property
    def init_op(self) -> Any:
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        return self._init_feed_dict

    @property
    def ready_op(self) -> Any:
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        return self._ready_for_local_init_op

    @property
    def summary_writer(self) -> Any:
        return self._summary_writer

    @property
    def summary_op(self) -> Any:
        return self._summary_op

    @property
    def save_summaries_secs(self) -> Any:
        return self._save_summaries_secs

    @property
    def global_step(self) -> Any:
        return self._global_step

    @property
    def saver(self) -> Any:
        return self._saver

    @property
    def save_model_secs(self) -> Any:
        return self._save_model_secs

    @property
    def save_path(self) -> str | None:
        return self._save_path

    def _write_graph(self) -> None:
        if self._logdir:
            write_graph(graph_to_proto(self._graph, add_shapes=True), self._logdir, "graph.pbtxt")
        if self._summary_writer and not self._graph_added_to_summary:
            self._summary_writer.add_graph(self._graph)
            self._summary_writer.add_meta_graph(self._meta_graph_def)
            self._graph_added_to_summary = True

    def start_standard_services(self, sess: Any) -> list[Any] | None:
        """Start the threads that save, write summaries and count steps. RuntimeError if this is not the chief.

        returns  the threads; None without a `logdir`
        """
        if not self._is_chief:
            raise RuntimeError(
                "Only chief supervisor can start standard services. Because only chief supervisors can write events."
            )
        if not self._logdir:
            _log.warning("Standard services need a 'logdir' passed to the SessionManager")
            return None
        if self._global_step is not None and self._summary_writer:
            started = proto.SessionLog(status=proto.SessionLog.START)
            self._summary_writer.add_session_log(started, global_step(sess, self._global_step))
        threads: list[LooperThread] = []
        if self._save_summaries_secs and self._summary_writer:
            if self._summary_op is not None:
                threads.append(SVSummaryThread(self, sess))
            if self._global_step is not None:
                threads.append(SVStepCounterThread(self, sess))
        if self._saver and self._save_model_secs:
            threads.append(SVTimerCheckpointThread(self, sess))
        for thread in threads:
            thread.start()
        return threads

    def prepare_or_wait_for_session(
        self,
        master: str = "",
        config: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        start_standard_services: bool = True,
    ) -> Any:
        """A session on the ready model: restored or initialized by the chief, waited for by others.

        start_standard_services  start the chief's threads, and the queue runners
        """
        self._coord.clear_stop()
        if self._summary_writer:
            self._summary_writer.reopen()
        if self._is_chief:
            session = self._session_manager.prepare_session(
                master,
                init_op=self._init_op,
                saver=self._saver,
                checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint,
                max_wait_secs=max_wait_secs,
                config=config,
                init_feed_dict=self._init_feed_dict,
                init_fn=self._init_fn,
            )
            self._write_graph()
            if start_standard_services:
                _log.info("Starting standard services.")
                self.start_standard_services(session)
        else:
            session = self._session_manager.wait_for_session(master, config=config, max_wait_secs=max_wait_secs)
        if start_standard_services:
            _log.info("Starting queue runners.")
            self.start_queue_runners(session)
        return session

    def start_queue_runners(self, sess: Any, queue_runners: Sequence[Any] | None = None) -> list[Any]:
        """Start the threads of queue runners (those of the graph)."""
        if queue_runners is None:
            queue_runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS)
        threads: list[Any] = []
        for runner in queue_runners:
            threads.extend(runner.create_threads(sess, coord=self._coord, daemon=True, start=True))
        return threads

    def loop(
        self, timer_interval_secs: float | None, target: Any, args: Any = None, kwargs: Any = None
    ) -> LooperThread:
        """Start a thread that calls `target(*args, **kwargs)` every so many seconds until the stop."""
        thread = LooperThread(self._coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        thread.start()
        return thread

    def stop(self, threads: Any = None, close_summary_writer: bool = True, ignore_live_threads: bool = False) -> None:
        """Ask all threads to stop, wait for them, and close the summary writer. Raises what a thread raised."""
        self._coord.request_stop()
        try:
            self._coord.join(
                threads, stop_grace_period_secs=self._stop_grace_secs, ignore_live_threads=ignore_live_threads
            )
        finally:
            if close_summary_writer and self._summary_writer:
                self._summary_writer.add_session_log(proto.SessionLog(status=proto.SessionLog.STOP))
                self._summary_writer.close()
                self._graph_added_to_summary = False

    def request_stop(self, ex: Any = None) -> None:
        """Ask all threads to stop; `ex` is raised where they are waited for."""
        self._coord.request_stop(ex=ex)

    def should_stop(self) -> bool:
        """Whether somebody asked to stop."""
        return bool(self._coord.should_stop())

    def stop_on_exception(self) -> contextlib.AbstractContextManager[Any]:
        """A block that asks all threads to stop when it raises."""
        return self._coord.stop_on_exception()

    def wait_for_stop(self) -> None:
        """Wait until somebody asks to stop."""
        self._coord.wait_for_stop()

    def summary_computed(self, sess: Any, summary: Any, global_step: Any = None) -> None:
        """Write a summary, at the session's global step unless one is given. RuntimeError without a summary writer."""
        if not self._summary_writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self._global_step is not None:
            global_step = sess.run(self._global_step)
        self._summary_writer.add_summary(summary, global_step)

    @contextlib.contextmanager
    def managed_session(
        self,
        master: str = "",
        config: Any = None,
        start_standard_services: bool = True,
        close_summary_writer: bool = True,
    ) -> Iterator[Any]:
        """A session as by `prepare_or_wait_for_session`; at the end everything stops. Raises what the block raised."""
        session = None
        try:
            session = self.prepare_or_wait_for_session(master, config, start_standard_services=start_standard_services)
            yield session
        except Exception as e:  # noqa: BLE001  raised again by `stop`, unless the coordinator counts it as an end
            self.request_stop(e)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                if session is not None:
                    with contextlib.suppress(OpError, RuntimeError):
                        session.close()

    # Their names in TensorFlow before 1.0.
    PrepareSession = prepare_or_wait_for_session
    StartQueueRunners = start_queue_runners
    StartStandardServices = start_standard_services
    Stop = stop
    RequestStop = request_stop
    Loop = loop
    ShouldStop = should_stop
    StopOnException = stop_on_exception
    WaitForStop = wait_for_stop
    SummaryComputed = summary_computed


def basic_train_loop(
    supervisor: Supervisor,
    train_step_fn: Callable[..., Any],
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    master: str = "",
) -> None:
    """Call `train_step_fn(session, *args, **kwargs)` until the supervisor stops; again from the start when aborted."""
    while True:
        try:
            with supervisor.managed_session(master) as session:
                while not supervisor.should_stop():
                    train_step_fn(session, *(args or ()), **(kwargs or {}))
            return
        except AbortedError:
            continue


def _found(given: Any, key: str, make: Callable[[], Any] | None = None) -> Any:
    """What the program gave; else the first item of a collection, else what `make()` makes, put there."""
    if given is not Supervisor.USE_DEFAULT:
        return given
    graph = _context.get_default_graph()
    found = graph.get_collection(key)
    if len(found) > 1:
        _log.info("Found %d %s operations. Returning the first one.", len(found), key)
    if found:
        return found[0]
    made = None if make is None else make()
    if made is not None:
        graph.add_to_collection(key, made)
    return made


def _default_local_init_op() -> Any:
    return _context.builder().group(local_variables_initializer(), tables_initializer())


def _default_saver() -> Saver | None:
    return Saver() if global_variables() else None


def _default_global_step() -> Any:
    try:
        step = _context.get_default_graph().get_tensor_by_name("global_step:0")
    except KeyError:
        return None
    if step.dtype.base in (dtypes.int32, dtypes.int64):
        return step
    _log.warning("Found 'global_step' is not an int type: %s", step.dtype)
    return None


class SVSummaryThread(LooperThread):
    """Runs the summary op and writes what it gives."""

    def __init__(self, sv: Supervisor, sess: Any) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv = sv
        self._sess = sess

    def run_loop(self) -> None:
        wanted = {"summary": self._sv.summary_op}
        if self._sv.global_step is not None:
            wanted["step"] = self._sv.global_step
        values = self._sess.run(wanted)
        if self._sv.summary_writer:
            _log.info("Recording summary at step %s.", values.get("step"))
            self._sv.summary_writer.add_summary(values["summary"], values.get("step"))


class SVStepCounterThread(LooperThread):
    """Writes steps per second as a summary."""

    def __init__(self, sv: Supervisor, sess: Any, step_counter: Any = None) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv = sv
        self._sess = sess
        self._last_time = 0.0
        self._last_step = 0
        self._step_counter = sv.global_step if step_counter is None else step_counter
        self._summary_tag = f"{self._step_counter.op.name}/sec"

    def start_loop(self) -> None:
        self._last_time = time.time()
        self._last_step = global_step(self._sess, self._step_counter)

    def run_loop(self) -> None:
        step, now = global_step(self._sess, self._step_counter), time.time()
        steps, seconds = step - self._last_step, now - self._last_time
        self._last_step, self._last_time = step, now
        speed = steps / seconds if seconds > 0 else float("inf")
        value = proto.Summary.Value(tag=self._summary_tag, simple_value=speed)
        if self._sv.summary_writer:
            self._sv.summary_writer.add_summary(proto.Summary(value=[value]), step)
        _log.info("%s: %g", self._summary_tag, speed)


class SVTimerCheckpointThread(LooperThread):
    """Saves checkpoints."""

    def __init__(self, sv: Supervisor, sess: Any) -> None:
        super().__init__(sv.coord, sv.save_model_secs)
        self._sv = sv
        self._sess = sess

    def run_loop(self) -> None:
        _log.info("Saving checkpoint to path %s", self._sv.save_path)
        self._sv.saver.save(self._sess, self._sv.save_path, global_step=self._sv.global_step)
        if self._sv.summary_writer and self._sv.global_step is not None:
            saved = proto.SessionLog(status=proto.SessionLog.CHECKPOINT, checkpoint_path=self._sv.save_path)
            self._sv.summary_writer.add_session_log(saved, global_step(self._sess, self._sv.global_step))
