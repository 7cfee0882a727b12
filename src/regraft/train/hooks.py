"""Hooks that watch a training loop: log values, stop it, feed it, wait, run something at its end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from regraft.base.errors import OutOfRangeError
from regraft.ir.node import Tensor
from regraft.train.global_step import global_step_read
from regraft.train.hook_timer import NeverTriggerTimer, SecondOrStepTimer
from regraft.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from regraft.variables.ambient import default_graph

_log = logging.getLogger("regraft")


def step_to_watch(hook: str) -> Tensor:
    """The read of the global step that hooks share. RuntimeError where there is no global step."""
    read = global_step_read()
    if read is None:
        raise RuntimeError(f"Global step should be created to use {hook}.")
    return read


class LoggingTensorHook(SessionRunHook):
    """Logs the values of tensors every so many runs or seconds, or at the end.

    tensors    tensors or names by tag, or a list of names
    at_end     log at the end too; without an interval, only there
    formatter  makes the line from the values by tag
    raises     ValueError unless one interval is given (none is enough with `at_end`), or for one below 1
    """

    def __init__(
        self,
        tensors: Any,
        every_n_iter: int | None = None,
        every_n_secs: float | None = None,
        at_end: bool = False,
        formatter: Callable[[dict[Any, Any]], str] | None = None,
    ) -> None:
        only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.")
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        self._tag_order: Sequence[Any] = sorted(tensors) if isinstance(tensors, dict) else tensors
        self._tensors = tensors if isinstance(tensors, dict) else {item: item for item in tensors}
        self._formatter = formatter
        self._timer: SecondOrStepTimer | NeverTriggerTimer = (
            NeverTriggerTimer() if only_at_end else SecondOrStepTimer(every_n_secs, every_n_iter)
        )
        self._log_at_end = at_end

    def begin(self) -> None:
        self._timer.reset()
        self._iter_count = 0
        self._current_tensors = {tag: _as_graph_element(tensor) for tag, tensor in self._tensors.items()}

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        self._should_trigger = self._timer.should_trigger_for_step(self._iter_count)
        return SessionRunArgs(self._current_tensors) if self._should_trigger else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if self._should_trigger:
            self._log_tensors(run_values.results)
        self._iter_count += 1

    def end(self, session: Any) -> None:
        if self._log_at_end:
            self._log_tensors(session.run(self._current_tensors))

    def _log_tensors(self, tensor_values: dict[Any, Any]) -> None:
        seconds, _ = self._timer.update_last_triggered_step(self._iter_count)
        with np.printoptions(suppress=True):
            if self._formatter:
                _log.info(self._formatter(tensor_values))
                return
            line = ", ".join(f"{tag} = {tensor_values[tag]}" for tag in self._tag_order)
        _log.info(line if seconds is None else f"{line} ({seconds:.3f} sec)")


def _as_graph_element(item: Any) -> Any:
    """A tensor of the default graph, by itself or by name; an operation's name stands for its only output."""
    graph = default_graph()
    if not isinstance(item, str):
        if getattr(item, "graph", None) is not graph:
            raise ValueError(f"Passed {item} should have graph attribute that is equal to current graph {graph}.")
        return item
    if ":" in item:
        return graph.as_graph_element(item)
    element = graph.as_graph_element(item + ":0")
    if len(element.op.outputs) > 1:  # type: ignore[union-attr]  # the name is a tensor's
        raise ValueError(f"Name {item} is ambiguous, as this `Operation` has multiple outputs (at least 2).")
    return element


class StopAtStepHook(SessionRunHook):
    """Stops the loop `num_steps` steps after where it began, or at `last_step`.

    raises  ValueError unless exactly one of the two is given
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps = num_steps
        self._last_step = last_step

    def begin(self) -> None:
        self._global_step_tensor = step_to_watch("StopAtStepHook")

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._last_step is None:
            self._last_step = session.run(self._global_step_tensor) + self._num_steps

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        return SessionRunArgs(self._global_step_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        # The value is from before the step, and the step need not have added one: look before stopping.
        due = run_values.results + 1 >= self._last_step
        if due and run_context.session.run(self._global_step_tensor) >= self._last_step:
            run_context.request_stop()


class NanLossDuringTrainingError(RuntimeError):
    """The loss is NaN."""

    def __str__(self) -> str:
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Looks at the loss after each run; NaN raises NanLossDuringTrainingError, or stops the loop.

    fail_on_nan_loss  whether to raise
    """

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss_tensor = loss_tensor
        self._fail_on_nan_loss = fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        return SessionRunArgs(self._loss_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not np.isnan(run_values.results):
            return
        message = "Model diverged with loss = NaN."
        if self._fail_on_nan_loss:
            _log.error(message)
            raise NanLossDuringTrainingError
        _log.warning(message)
        run_context.request_stop()


class GlobalStepWaiterHook(SessionRunHook):
    """Delays the first run until the global step, which others count up, is `wait_until_step`."""

    def __init__(self, wait_until_step: int) -> None:
        self._wait_until_step = wait_until_step

    def begin(self) -> None:
        self._started = False
        self._global_step_tensor = step_to_watch("_GlobalStepWaiterHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        if not self._started and self._wait_until_step > 0:
            _log.info("Waiting for global step %d before starting training.", self._wait_until_step)
            logged = 0
            while (step := run_context.session.run(self._global_step_tensor)) < self._wait_until_step:
                if step - logged > 1000:
                    _log.info("Waiting for global step %d; it is %d.", self._wait_until_step, step)
                    logged = step
                time.sleep(0.5)
        self._started = True
        return None


class FinalOpsHook(SessionRunHook):
    """Runs `final_ops` at the end; `final_ops_values` has what they gave."""

    def __init__(self, final_ops: Any, final_ops_feed_dict: Any = None) -> None:
        self._final_ops = final_ops
        self._final_ops_feed_dict = final_ops_feed_dict
        self._final_ops_values: Any = None

    @property
    def final_ops_values(self) -> Any:
        return self._final_ops_values

    def end(self, session: Any) -> None:
        if self._final_ops is None:
            return
        try:
            self._final_ops_values = session.run(self._final_ops, feed_dict=self._final_ops_feed_dict)
        except (OutOfRangeError, StopIteration):
            _log.warning(
                "The final ops of FinalOpsHook read from an input that is at its end: they should only read state."
            )
            raise


class FeedFnHook(SessionRunHook):
    """Feeds each run with what `feed_fn()` returns."""

    def __init__(self, feed_fn: Callable[[], Any]) -> None:
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        return SessionRunArgs(fetches=None, feed_dict=self.feed_fn())
