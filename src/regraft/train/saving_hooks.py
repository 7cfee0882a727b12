"""Hooks that write: checkpoints, summaries, the speed of training, profiles."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

from regraft import proto
from regraft.checkpoint import files
from regraft.ir.graph_keys import GraphKeys
from regraft.metagraph import write_graph
from regraft.metagraph.export_meta import create_meta_graph_def
from regraft.serde.graph import graph_to_proto
from regraft.train.global_step import get_global_step
from regraft.train.hook_timer import SecondOrStepTimer
from regraft.train.hooks import step_to_watch
from regraft.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from regraft.train.summary_writer import FileWriterCache
from regraft.train.timeline import Timeline
from regraft.variables.ambient import default_graph

_log = logging.getLogger("regraft")

# More steps than one run can make: whether a checkpoint is due is asked with the step after the run.
_ANY_STEPS = 1_000_000


class CheckpointSaverListener:
    """Told by a CheckpointSaverHook what it does: each method does nothing."""

    def begin(self) -> None:
        """Before the session is made."""

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Before each checkpoint."""

    def after_save(self, session: Any, global_step_value: int) -> bool | None:
        """After each checkpoint; True stops the training."""
        return None

    def end(self, session: Any, global_step_value: int) -> None:
        """After the last checkpoint."""


class CheckpointSaverHook(SessionRunHook):
    """Saves a checkpoint at the beginning, every so many seconds or steps, and at the end.

    saver           or `scaffold`, whose saver it takes; without both, the one in the graph's collection
    listeners       told before and after each checkpoint
    save_graph_def  write `graph.pbtxt` and, beside each checkpoint, a `.meta`
    raises          ValueError for a saver and a scaffold, or unless one interval is given
    """

    def __init__(
        self,
        checkpoint_dir: Any,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Any = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Any = None,
        listeners: Sequence[Any] | None = None,
        save_graph_def: bool = True,
    ) -> None:
        _log.info("Create CheckpointSaverHook.")
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver = saver
        self._checkpoint_dir = files.as_text(checkpoint_dir)
        self._save_path = os.path.join(self._checkpoint_dir, checkpoint_basename)
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        self._listeners = list(listeners or [])
        self._save_graph_def = save_graph_def

    def begin(self) -> None:
        self._summary_writer = FileWriterCache.get(self._checkpoint_dir)
        self._global_step_tensor = step_to_watch("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session: Any, coord: Any) -> None:
        step = session.run(self._global_step_tensor)
        graph = default_graph()
        graph_def = graph_to_proto(graph, add_shapes=True)
        if self._save_graph_def:
            write_graph(graph_def, self._checkpoint_dir, "graph.pbtxt")
        saver = self._get_saver()
        self._summary_writer.add_graph(graph)
        self._summary_writer.add_meta_graph(
            create_meta_graph_def(graph, graph_def=graph_def, saver_def=saver.saver_def if saver else None)
        )
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        return SessionRunArgs(self._global_step_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not self._timer.should_trigger_for_step(run_values.results + _ANY_STEPS):
            return
        step = run_context.session.run(self._global_step_tensor)
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            if self._save(run_context.session, step):
                run_context.request_stop()

    def end(self, session: Any) -> None:
        step = session.run(self._global_step_tensor)
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session: Any, step: int) -> bool:
        """Save, and tell the listeners. Returns whether one of them asks to stop."""
        for listener in self._listeners:
            listener.before_save(session, step)
        _log.info("Saving checkpoints for %d into %s.", step, self._save_path)
        self._get_saver().save(session, self._save_path, global_step=step, write_meta_graph=self._save_graph_def)
        self._summary_writer.add_session_log(
            proto.SessionLog(status=proto.SessionLog.CHECKPOINT, checkpoint_path=self._save_path), step
        )
        stop = False
        for listener in self._listeners:
            if listener.after_save(session, step):
                _log.info("A CheckpointSaverListener requested that training be stopped. listener: %s", listener)
                stop = True
        return stop

    def _get_saver(self) -> Any:
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        found = default_graph().get_collection(GraphKeys.SAVERS)
        if not found:
            raise RuntimeError(
                f"No items in collection {GraphKeys.SAVERS}. Please add a saver to the collection or provide a saver "
                "or scaffold."
            )
        if len(found) > 1:
            raise RuntimeError(
                f"More than one item in collection {GraphKeys.SAVERS}. Please indicate which one to use by passing it "
                "to the constructor."
            )
        self._saver = found[0]
        return self._saver


class StepCounterHook(SessionRunHook):
    """Logs steps per second, and writes them as the summary `global_step/sec`.

    output_dir      the folder of the event files, where no `summary_writer` is given
    raises          ValueError unless one interval is given
    """

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: Any = None,
        summary_writer: Any = None,
    ) -> None:
        if (every_n_steps is None) == (every_n_secs is None):
            raise ValueError("exactly one of every_n_steps and every_n_secs should be provided.")
        self._timer = SecondOrStepTimer(every_n_secs, every_n_steps)
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._last_global_step: int | None = None
        self._warnings_left = 5
        self._steps_per_run = 1

    def begin(self) -> None:
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = FileWriterCache.get(self._output_dir)
        self._global_step_tensor = step_to_watch("StepCounterHook")
        self._summary_tag = get_global_step().op.name + "/sec"

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        return SessionRunArgs(self._global_step_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        stale = run_values.results
        if self._timer.should_trigger_for_step(stale + self._steps_per_run):
            step = run_context.session.run(self._global_step_tensor)
            if self._timer.should_trigger_for_step(step):
                seconds, steps = self._timer.update_last_triggered_step(step)
                if seconds is not None and steps is not None:
                    self._log_and_record(steps, seconds, step)
        if stale == self._last_global_step and self._warnings_left:
            self._warnings_left -= 1
            _log.warning(
                "It seems that global step (tf.train.get_global_step) has not been increased: it was %s, and is %s. "
                "Hand it to Optimizer.minimize or apply_gradients.",
                self._last_global_step,
                stale,
            )
        self._last_global_step = stale

    def _log_and_record(self, elapsed_steps: int, elapsed_time: float, global_step: int) -> None:
        speed = elapsed_steps / elapsed_time
        if self._summary_writer is not None:
            value = proto.Summary.Value(tag=self._summary_tag, simple_value=speed)
            self._summary_writer.add_summary(proto.Summary(value=[value]), global_step)
        _log.info("%s: %g", self._summary_tag, speed)


class SummarySaverHook(SessionRunHook):
    """Runs a summary op with the first step and then every so many steps or seconds, and writes what it gives.

    output_dir  the folder of the event files, where no `summary_writer` is given
    summary_op  or a list of them; else that of `scaffold`
    raises      ValueError unless exactly one of `scaffold` and `summary_op`, and one interval, is given
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: Any = None,
        summary_writer: Any = None,
        scaffold: Any = None,
        summary_op: Any = None,
    ) -> None:
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op = summary_op
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        if self._summary_writer is None and self._output_dir:
            self._summary_writer = FileWriterCache.get(self._output_dir)
        self._next_step: int | None = None
        self._global_step_tensor = step_to_watch("SummarySaverHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        self._request_summary = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        requests: dict[str, Any] = {"global_step": self._global_step_tensor}
        wanted = self._get_summary_op() if self._request_summary else None
        if wanted is not None:
            requests["summary"] = wanted
        return SessionRunArgs(requests)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not self._summary_writer:
            return
        step = run_values.results["global_step"] + 1
        if self._next_step is None or self._request_summary:
            step = run_context.session.run(self._global_step_tensor)
        if self._next_step is None:
            self._summary_writer.add_session_log(proto.SessionLog(status=proto.SessionLog.START), step)
        if self._request_summary:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results.get("summary", ()):
                self._summary_writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session: Any = None) -> None:
        if self._summary_writer:
            self._summary_writer.flush()

    def _get_summary_op(self) -> list[Any] | None:
        found = self._scaffold.summary_op if self._summary_op is None else self._summary_op
        if found is None or isinstance(found, list):
            return found
        return [found]


class ProfilerHook(SessionRunHook):
    """Writes `timeline-<step>.json`, for chrome://tracing, and a run's RunMetadata, every so many steps or seconds.

    differs  the timeline shows what the session's RunMetadata hold: see `Session.run`
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str = "",
        show_dataflow: bool = True,
        show_memory: bool = False,
    ) -> None:
        self._output_file = os.path.join(output_dir, "timeline-{}.json")
        self._file_writer = FileWriterCache.get(output_dir)
        self._show_dataflow = show_dataflow
        self._show_memory = show_memory
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        self._next_step: int | None = None
        self._global_step_tensor = step_to_watch("ProfilerHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        self._request = self._next_step is not None and self._timer.should_trigger_for_step(self._next_step)
        options = proto.RunOptions(trace_level=proto.RunOptions.FULL_TRACE) if self._request else None
        return SessionRunArgs({"global_step": self._global_step_tensor}, options=options)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        stale = run_values.results["global_step"]
        if self._next_step is None:
            self._timer.update_last_triggered_step(stale)
        step = stale + 1
        if self._request:
            step = run_context.session.run(self._global_step_tensor)
            self._timer.update_last_triggered_step(step)
            path = self._output_file.format(step)
            _log.info("Saving timeline for %d into '%s'.", step, path)
            trace = Timeline(run_values.run_metadata.step_stats)
            files.write_bytes(path, trace.generate_chrome_trace_format(self._show_dataflow, self._show_memory).encode())
            self._file_writer.add_run_metadata(run_values.run_metadata, f"step_{step}")
        self._next_step = step + 1
