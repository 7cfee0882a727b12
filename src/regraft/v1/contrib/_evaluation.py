"""Evaluating checkpoints: one, or each new one in a folder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.saver import wait_for_new_checkpoint
from regraft.train.hooks import FinalOpsHook
from regraft.train.session_run_hook import SessionRunArgs, SessionRunHook
from regraft.train.summary_writer import FileWriterCache
from regraft.v1 import _context, summary, train
from regraft.v1._array import identity
from regraft.v1._variable_scope import get_variable
from regraft.v1._variables import assign_add
from regraft.v1.train import checkpoints_iterator
from regraft.variables.initializers import Zeros

__all__ = [
    "StopAfterNEvalsHook",
    "SummaryAtEndHook",
    "checkpoints_iterator",
    "evaluate_once",
    "evaluate_repeatedly",
    "get_or_create_eval_step",
    "wait_for_new_checkpoint",
]

_log = logging.getLogger("regraft")


def get_or_create_eval_step() -> Any:
    """The local variable that counts evaluations. ValueError where there are several."""
    found = _context.get_default_graph().get_collection(GraphKeys.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    return get_variable(
        "eval_step",
        shape=[],
        dtype=dtypes.int64,
        initializer=Zeros(),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.EVAL_STEP],
    )


class StopAfterNEvalsHook(SessionRunHook):
    """Stops after `num_evals` runs of the evaluation's operations; None to go on to the end of the input."""

    def __init__(self, num_evals: int | None, log_progress: bool = True) -> None:
        self._num_evals = num_evals
        self._evals_completed: Any = None
        self._log_progress = log_progress
        self._log_frequency = 1 if num_evals is None or num_evals < 20 else num_evals // 10

    def _set_evals_completed_tensor(self, updated_eval_step: Any) -> None:
        self._evals_completed = updated_eval_step

    def before_run(self, run_context: Any) -> Any:
        return SessionRunArgs({"evals_completed": self._evals_completed})

    def after_run(self, run_context: Any, run_values: Any) -> None:
        done = run_values.results["evals_completed"]
        if self._log_progress and (done % self._log_frequency == 0 or done == self._num_evals):
            _log.info("Evaluation [%d/%s]", done, self._num_evals)
        if self._num_evals is not None and done >= self._num_evals:
            run_context.request_stop()


class SummaryAtEndHook(SessionRunHook):
    """Writes summaries once, at the end. ValueError without `log_dir` and `summary_writer`."""

    def __init__(
        self, log_dir: str | None = None, summary_writer: Any = None, summary_op: Any = None, feed_dict: Any = None
    ) -> None:
        if log_dir is None and summary_writer is None:
            raise ValueError("One of log_dir or summary_writer should be used.")
        self._summary_op = summary_op
        self._merge = summary_op is None
        self._feed_dict = feed_dict
        self._summary_writer = summary_writer
        self._log_dir = log_dir
        self._global_step: Any = None

    def begin(self) -> None:
        if self._merge:
            self._summary_op = summary.merge_all()
        self._global_step = train.get_or_create_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._summary_writer is None and self._log_dir:
            self._summary_writer = FileWriterCache.get(self._log_dir)

    def end(self, session: Any) -> None:
        if self._summary_op is not None:
            step = train.global_step(session, self._global_step)
            value = session.run(self._summary_op, self._feed_dict)
            if self._summary_writer:
                self._summary_writer.add_summary(value, step)
        if self._summary_writer:
            self._summary_writer.flush()


# Evaluating


def _counted(eval_ops: Any, hooks: list[Any]) -> Any:
    """The operations, and one more that counts how often they ran, of which the hooks learn."""
    update = assign_add(get_or_create_eval_step(), 1, use_locking=True)
    if isinstance(eval_ops, dict):
        eval_ops = {**eval_ops, "update_eval_step": update}
        dependencies = list(eval_ops.values())
    else:
        eval_ops = [*(eval_ops if isinstance(eval_ops, (list, tuple)) else [eval_ops]), update]
        dependencies = eval_ops
    with _context.get_default_graph().control_dependencies(dependencies):
        count = identity(get_or_create_eval_step().read_value())
    for hook in hooks:
        if isinstance(hook, StopAfterNEvalsHook):
            hook._set_evals_completed_tensor(count)
    return eval_ops


def _run(creator: Any, hooks: list[Any], eval_ops: Any, feed: Any) -> None:
    with train.MonitoredSession(session_creator=creator, hooks=hooks) as session:
        if eval_ops is not None:
            while not session.should_stop():
                session.run(eval_ops, feed)


def evaluate_once(
    checkpoint_path: str,
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    hooks: Any = None,
    config: Any = None,
) -> Any:
    """Restore a checkpoint, and run `eval_ops` until a hook stops; returns the values of `final_ops` after that."""
    get_or_create_eval_step()
    hooks = list(hooks or ())
    if eval_ops is not None:
        eval_ops = _counted(eval_ops, hooks)
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    creator = train.ChiefSessionCreator(scaffold, master, config, checkpoint_filename_with_path=checkpoint_path)
    _run(creator, [*hooks, final], eval_ops, feed_dict)
    return final.final_ops_values


def evaluate_repeatedly(
    checkpoint_dir: str,
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    eval_interval_secs: float = 60,
    hooks: Any = None,
    config: Any = None,
    max_number_of_evaluations: int | None = None,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Any:
    """`evaluate_once` of each new checkpoint of a folder; returns the last values of `final_ops`."""
    get_or_create_eval_step()
    hooks = list(hooks or ())
    if eval_ops is not None:
        eval_ops = _counted(eval_ops, hooks)
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    checkpoints = checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn)
    for number, checkpoint_path in enumerate(checkpoints, 1):
        creator = train.ChiefSessionCreator(scaffold, master, config, checkpoint_filename_with_path=checkpoint_path)
        _run(creator, [*hooks, final], eval_ops, feed_dict)
        if max_number_of_evaluations is not None and number >= max_number_of_evaluations:
            break
    return final.final_ops_values
