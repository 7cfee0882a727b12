"""tf.train.MonitoredSession and its kin: a session that initializes, restores, calls hooks, and closes in order."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any, Self

from regraft.base.errors import OutOfRangeError
from regraft.ir.graph_keys import GraphKeys
from regraft.train.coordinator import Coordinator
from regraft.train.saving_hooks import CheckpointSaverHook, StepCounterHook, SummarySaverHook
from regraft.train.session_run_hook import SessionRunHook
from regraft.v1 import _context, _wrapped_session
from regraft.v1._scaffold import Scaffold
from regraft.v1._session_creators import ChiefSessionCreator, SessionCreator, WorkerSessionCreator
from regraft.v1._wrapped_session import CoordinatedSession, HookedSession, RecoverableSession

_log = logging.getLogger("regraft")

USE_DEFAULT: Any = object()


class _CoordinatedSessionCreator(SessionCreator):
    """Makes a session with its queue runners started, behind hooks and a coordinator."""

    def __init__(
        self, session_creator: SessionCreator, hooks: Sequence[SessionRunHook], stop_grace_period_secs: float
    ) -> None:
        self._session_creator = session_creator
        self._hooks = hooks
        self.coord: Any = None
        self.tf_sess: Any = None
        self._stop_grace_period_secs = stop_grace_period_secs

    def create_session(self) -> CoordinatedSession:
        self.tf_sess = self._session_creator.create_session()
        self.coord = Coordinator(clean_stop_exception_types=[])
        for runner in _context.get_default_graph().get_collection(GraphKeys.QUEUE_RUNNERS):
            runner.create_threads(self.tf_sess, coord=self.coord, daemon=True, start=True)
        for hook in self._hooks:
            hook.after_create_session(self.tf_sess, self.coord)
        return CoordinatedSession(HookedSession(self.tf_sess, self._hooks), self.coord, self._stop_grace_period_secs)


class _MonitoredSession:
    """What both kinds do; see `MonitoredSession`."""

    StepContext = _wrapped_session.StepContext

    def __init__(
        self,
        session_creator: SessionCreator | None,
        hooks: Sequence[SessionRunHook] | None,
        should_recover: bool,
        stop_grace_period_secs: float = 120,
    ) -> None:
        self._graph_was_finalized = _context.get_default_graph().finalized
        self._hooks = hooks or []
        for hook in self._hooks:
            hook.begin()
        self._coordinated_creator = _CoordinatedSessionCreator(
            session_creator or ChiefSessionCreator(), self._hooks, stop_grace_period_secs
        )
        self._sess: Any
        if should_recover:
            self._sess = RecoverableSession(self._coordinated_creator)
        else:
            self._sess = self._coordinated_creator.create_session()

    @property
    def graph(self) -> Any:
        """The graph; None when closed."""
        return None if self._is_closed() else self._tf_sess().graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """See `Session.run`; hooks are called around it."""
        return self._sess.run(fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata)

    def run_step_fn(self, step_fn: Any) -> Any:
        """What `step_fn(step_context)` returns: it may run with hooks and without. ValueError for other arguments."""
        arguments = tuple(inspect.signature(step_fn).parameters)
        if arguments not in (("step_context",), ("self", "step_context")):
            raise ValueError(
                "`step_fn` may either have one `step_context` argument, or `self` and `step_context` arguments if it's "
                f"an instance method. Got {arguments} instead."
            )
        return self._sess.run_step_fn(step_fn, self._tf_sess(), run_with_hooks=None)

    def should_stop(self) -> bool:
        """Whether a hook or a thread asked to stop, or the session is closed."""
        return self._sess is None or self._sess.should_stop()

    def close(self) -> None:
        """Call the hooks' `end`, stop threads, close the session. RuntimeError when it is closed."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> bool:
        if kind in (OutOfRangeError, StopIteration):
            kind = None  # the end of the input is how a loop ends
        self._close(kind)
        return kind is None

    def _close(self, exception: Any = None) -> None:
        try:
            if exception is None:
                for hook in self._hooks:
                    hook.end(self._coordinated_creator.tf_sess)
        finally:
            try:
                if self._sess is None:
                    raise RuntimeError("Session is already closed.")
                self._sess.close()
            finally:
                self._sess = None
                self._coordinated_creator.tf_sess = None
                self._coordinated_creator.coord = None
                if not self._graph_was_finalized:
                    _context.get_default_graph()._unsafe_unfinalize()

    def _is_closed(self) -> bool:
        return self._coordinated_creator.tf_sess is None

    def _tf_sess(self) -> Any:
        return self._coordinated_creator.tf_sess


class MonitoredSession(_MonitoredSession):
    """A session that finalizes the graph, initializes or restores the model, starts queue runners, and calls hooks.

    As a context manager it closes itself; OutOfRangeError and StopIteration end the block in peace. The order:
    `begin` of all hooks, the session, `after_create_session`; around each run `before_run` and `after_run`; `end`.

    session_creator         None for a ChiefSessionCreator
    stop_grace_period_secs  how long threads may take to stop
    """

    def __init__(
        self,
        session_creator: SessionCreator | None = None,
        hooks: Sequence[SessionRunHook] | None = None,
        stop_grace_period_secs: float = 120,
    ) -> None:
        super().__init__(session_creator, hooks, True, stop_grace_period_secs)


class SingularMonitoredSession(_MonitoredSession):
    """A MonitoredSession that makes its session once: an error of a lost worker goes to the caller."""

    def __init__(
        self,
        hooks: Sequence[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: Any = None,
    ) -> None:
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, hooks, False, stop_grace_period_secs)

    def raw_session(self) -> Any:
        """The session without hooks."""
        return self._tf_sess()


def _intervals(steps: Any, secs: Any, default_steps: Any, default_secs: Any) -> tuple[Any, Any]:
    """Two intervals of which the caller gave one, both or none; one that is given replaces both defaults."""
    if steps is USE_DEFAULT and secs is USE_DEFAULT:
        return default_steps, default_secs
    return None if steps is USE_DEFAULT else steps, None if secs is USE_DEFAULT else secs


def MonitoredTrainingSession(
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: Any = None,
    scaffold: Scaffold | None = None,
    hooks: Sequence[SessionRunHook] | None = None,
    chief_only_hooks: Sequence[SessionRunHook] | None = None,
    save_checkpoint_secs: Any = USE_DEFAULT,
    save_summaries_steps: Any = USE_DEFAULT,
    save_summaries_secs: Any = USE_DEFAULT,
    config: Any = None,
    stop_grace_period_secs: float = 120,
    log_step_count_steps: int | None = 100,
    max_wait_secs: float = 7200,
    save_checkpoint_steps: Any = USE_DEFAULT,
    summary_dir: Any = None,
    save_graph_def: bool = True,
) -> MonitoredSession:
    """A MonitoredSession for training.

    checkpoint_dir         restored from if it holds a checkpoint; checkpoints go there every 600 seconds, or as
                           `save_checkpoint_secs` or `save_checkpoint_steps` say (None or 0 for none)
    summary_dir            for event files; None for `checkpoint_dir`. Summaries every 100 steps, or as
                           `save_summaries_steps` or `save_summaries_secs` say
    is_chief               False waits for the model, and writes nothing
    hooks                  called after those that save; `chief_only_hooks` are called before all
    log_step_count_steps   how often to log the speed
    save_graph_def         write `graph.pbtxt` and the `.meta` files
    """
    summary_steps, summary_secs = _intervals(save_summaries_steps, save_summaries_secs, 100, None)
    checkpoint_steps, checkpoint_secs = _intervals(save_checkpoint_steps, save_checkpoint_secs, None, 600)
    scaffold = scaffold or Scaffold()
    if not is_chief:
        worker = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
        return MonitoredSession(worker, hooks or [], stop_grace_period_secs)
    every = list(chief_only_hooks or [])
    summary_dir = summary_dir or checkpoint_dir
    if summary_dir and log_step_count_steps and log_step_count_steps > 0:
        every.append(StepCounterHook(output_dir=summary_dir, every_n_steps=log_step_count_steps))
    if summary_dir and ((summary_steps and summary_steps > 0) or (summary_secs and summary_secs > 0)):
        every.append(SummarySaverHook(summary_steps, summary_secs, output_dir=summary_dir, scaffold=scaffold))
    if checkpoint_dir and ((checkpoint_secs and checkpoint_secs > 0) or (checkpoint_steps and checkpoint_steps > 0)):
        every.append(
            CheckpointSaverHook(
                checkpoint_dir, checkpoint_secs, checkpoint_steps, scaffold=scaffold, save_graph_def=save_graph_def
            )
        )
    every.extend(hooks or [])
    creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    return MonitoredSession(creator, every, stop_grace_period_secs)
