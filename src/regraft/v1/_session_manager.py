"""tf.train.SessionManager: a session on an initialized model, from a checkpoint or from init ops."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Any

import numpy as np

from regraft.base.errors import DeadlineExceededError, FailedPreconditionError, OpError
from regraft.checkpoint.state import get_checkpoint_state
from regraft.ir.graph import Graph
from regraft.v1 import _context
from regraft.v1._session import Session

_log = logging.getLogger("regraft")

_MAIN_OP = "saved_model_initializers"
"""The collection of what a SavedModel runs after loading."""


class SessionManager:
    """Makes sessions and brings the model in them to the point where it can run.

    local_init_op            run in every new session, after restoring
    ready_op                 gives the names of what is not initialized; an empty array means ready
    ready_for_local_init_op  the same, asked before `local_init_op`
    graph                    None for the default graph
    recovery_wait_secs       between two looks for a checkpoint or a ready model

    raises  ValueError for `ready_for_local_init_op` without `local_init_op`
    """

    def __init__(
        self,
        local_init_op: Any = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        graph: Graph | None = None,
        recovery_wait_secs: float = 30,
        local_init_run_options: Any = None,
        local_init_feed_dict: Any = None,
    ) -> None:
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError(
                "If you pass a ready_for_local_init_op you must also pass a local_init_op , ready_for_local_init_op "
                f"[{ready_for_local_init_op}]"
            )
        self._local_init_op = local_init_op
        self._ready_op = ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = _context.get_default_graph() if graph is None else graph
        self._recovery_wait_secs = recovery_wait_secs
        self._local_init_run_options = local_init_run_options
        self._local_init_feed_dict = local_init_feed_dict

    def prepare_session(
        self,
        master: str,
        init_op: Any = None,
        saver: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
        init_feed_dict: Any = None,
        init_fn: Any = None,
    ) -> Session:
        """A session whose model is restored from a checkpoint, else initialized by `init_op` and `init_fn(session)`.

        raises  RuntimeError where there is neither a checkpoint nor a way to initialize, or the model is not ready then
        """
        session, restored = self._restore(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        if not restored:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given")
            if init_op is not None:
                session.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(session)
        ready, message = self._try_run_local_init_op(session)
        if not ready:
            raise RuntimeError(
                "Init operations did not make model ready for local_init.  "
                f"Init op: {_name(init_op)}, init fn: {init_fn}, error: {message}"
            )
        ready, message = self._model_ready(session)
        if not ready:
            raise RuntimeError(
                f"Init operations did not make model ready.  Init op: {_name(init_op)}, init fn: {init_fn}, "
                f"local_init_op: {self._local_init_op}, error: {message}"
            )
        return session

    def recover_session(
        self,
        master: str,
        saver: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
    ) -> tuple[Session, bool]:
        """A session, and whether its model was restored from a checkpoint and is ready."""
        session, restored = self._restore(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        ready, message = self._try_run_local_init_op(session)
        if not restored:
            return session, False
        origin = checkpoint_dir or checkpoint_filename_with_path
        if not ready:
            _log.info("Restoring model from %s did not make model ready for local init: %s", origin, message)
            return session, False
        ready, message = self._model_ready(session)
        if not ready:
            _log.info("Restoring model from %s did not make model ready: %s", origin, message)
            return session, False
        _log.info("Restored model from %s", origin)
        return session, True

    def wait_for_session(self, master: str, config: Any = None, max_wait_secs: float | None = float("inf")) -> Session:
        """A session, as soon as another has made the model ready. DeadlineExceededError after `max_wait_secs`."""
        limit = float("inf") if max_wait_secs is None else max_wait_secs
        start = time.time()
        while True:
            session = Session(master, graph=self._graph, config=config)
            ready, message = self._try_run_local_init_op(session)
            if ready:
                ready, message = self._model_ready(session)
                if ready:
                    return session
            with contextlib.suppress(OpError):
                session.close()
            if max(0.0, limit - (time.time() - start)) < self._recovery_wait_secs:
                raise DeadlineExceededError(f"Session was not ready after waiting {max_wait_secs} secs.")
            _log.info("Waiting for model to be ready: %s", message)
            time.sleep(self._recovery_wait_secs)

    def _restore(
        self,
        master: str,
        saver: Any,
        checkpoint_dir: Any,
        checkpoint_filename_with_path: Any,
        wait_for_checkpoint: bool,
        max_wait_secs: float,
        config: Any,
    ) -> tuple[Session, bool]:
        """A new session, and whether a checkpoint was restored into it."""
        session = Session(master, graph=self._graph, config=config)
        if checkpoint_dir and checkpoint_filename_with_path:
            raise ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.")
        if not saver or not (checkpoint_dir or checkpoint_filename_with_path):
            return session, False
        if checkpoint_filename_with_path:
            self._load(session, saver, checkpoint_filename_with_path)
            return session, True
        waited = 0.0
        state = get_checkpoint_state(checkpoint_dir)
        while state is None or not state.model_checkpoint_path:
            if not wait_for_checkpoint or waited >= max_wait_secs:
                return session, False
            _log.info("Waiting for checkpoint to be available.")
            time.sleep(self._recovery_wait_secs)
            waited += self._recovery_wait_secs
            state = get_checkpoint_state(checkpoint_dir)
        self._load(session, saver, state.model_checkpoint_path)
        saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        return session, True

    @staticmethod
    def _load(session: Session, saver: Any, path: Any) -> None:
        after_loading = _context.get_default_graph().get_collection(_MAIN_OP)
        if after_loading:
            session.run(after_loading)
        saver.restore(session, path)

    def _model_ready(self, session: Session) -> tuple[bool, str | None]:
        return readiness(self._ready_op, session, "Model not ready")

    def _try_run_local_init_op(self, session: Session) -> tuple[bool, str | None]:
        if self._local_init_op is None:
            return True, None
        ready, message = readiness(self._ready_for_local_init_op, session, "Model not ready for local init")
        if ready:
            _log.info("Running local_init_op.")
            session.run(self._local_init_op, feed_dict=self._local_init_feed_dict, options=self._local_init_run_options)
            _log.info("Done running local_init_op.")
        return ready, message


def _name(item: Any) -> str:
    return "None" if item is None else getattr(item, "name", f"<no name for {type(item)}>")


def readiness(op: Any, session: Session, otherwise: str) -> tuple[bool, str | None]:
    """Whether the model is ready, and what is missing. No op, no value, or an old op that counts means ready."""
    if op is None:
        return True, None
    try:
        missing = session.run(op)
    except FailedPreconditionError as e:
        if "uninitialized" not in str(e):
            _log.warning("%s : error [%s]", otherwise, e)
            raise
        return False, str(e)
    if missing is None or missing.dtype == np.int32 or missing.size == 0:
        return True, None
    return False, "Variables not initialized: " + ", ".join(name.decode() for name in missing)
