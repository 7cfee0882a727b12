"""The layers of a monitored session: hooks around each run, the coordinator, and a new session after a lost worker."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from regraft import proto
from regraft.base.errors import AbortedError, OpError, UnavailableError
from regraft.train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

_log = logging.getLogger("regraft")

# A worker or a parameter server went away: a new session may do.
PREEMPTION_ERRORS = (AbortedError, UnavailableError)


class StepContext:
    """What a function given to `run_step_fn` gets: the session without hooks, and a run with them."""

    def __init__(self, session: Any, run_with_hooks_fn: Callable[..., Any]) -> None:
        self._session = session
        self._run_with_hooks_fn = run_with_hooks_fn

    @property
    def session(self) -> Any:
        """The session without hooks."""
        return self._session

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """Like `run` of the monitored session; hooks are called."""
        return self._run_with_hooks_fn(*args, **kwargs)

    def request_stop(self) -> None:
        """Leave the step: StopIteration, with which a `with MonitoredSession` block ends in peace."""
        raise StopIteration("step_fn has requested the iterations to stop.")


class WrappedSession:
    """A session with something around it; this class adds nothing."""

    def __init__(self, sess: Any) -> None:
        self._sess = sess
        self._wrapped_is_stoppable = isinstance(sess, WrappedSession)

    @property
    def graph(self) -> Any:
        return self._sess.graph

    @property
    def sess_str(self) -> Any:
        return self._sess.sess_str

    def should_stop(self) -> bool:
        """Whether this layer or one below wants to stop; True when closed."""
        if self._check_stop() or not self._sess:
            return True
        return self._wrapped_is_stoppable and self._sess.should_stop()

    def _check_stop(self) -> bool:
        return False

    def close(self) -> None:
        if not self._sess:
            return
        try:
            self._sess.close()
        except PREEMPTION_ERRORS as e:
            _log.error("The session could not be closed, for something that it was connected to is gone: %s", e)
        finally:
            self._sess = None

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._sess.run(*args, **kwargs)

    def run_step_fn(self, step_fn: Any, raw_session: Any, run_with_hooks: Any) -> Any:
        return step_fn(StepContext(raw_session, run_with_hooks or self.run))


class RecoverableSession(WrappedSession):
    """Makes a new session, and runs again, after a worker or parameter server was lost."""

    def __init__(self, sess_creator: Any) -> None:
        self._sess_creator = sess_creator
        super().__init__(self._create_session())

    def _create_session(self) -> Any:
        while True:
            try:
                return self._sess_creator.create_session()
            except PREEMPTION_ERRORS as e:
                _log.info("An error was raised while a session was being created; trying again: %s", e)

    def _lost(self, error: OpError) -> None:
        _log.info("The session is closed, and a new session will be created, because of an error: %s", error)
        self.close()

    def _check_stop(self) -> bool:
        try:
            return not self._sess or self._sess._check_stop()
        except PREEMPTION_ERRORS as e:
            self._lost(e)
            self._sess = self._create_session()
            return False
        except Exception:  # noqa: BLE001  `should_stop` says so, and closing the session raises it
            return True

    def _again(self, call: Callable[[], Any]) -> Any:
        while True:
            try:
                if not self._sess:
                    self._sess = self._create_session()
                return call()
            except PREEMPTION_ERRORS as e:
                self._lost(e)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._again(lambda: self._sess.run(*args, **kwargs))

    def run_step_fn(self, step_fn: Any, raw_session: Any, run_with_hooks: Any) -> Any:
        return self._again(lambda: self._sess.run_step_fn(step_fn, raw_session, self._sess.run))


class CoordinatedSession(WrappedSession):
    """Stops when the coordinator does; closing it waits for the coordinator's threads."""

    def __init__(self, sess: Any, coord: Any, stop_grace_period_secs: float = 120) -> None:
        super().__init__(sess)
        self._coord = coord
        self._stop_grace_period_secs = stop_grace_period_secs

    def _check_stop(self) -> bool:
        self._coord.raise_requested_exception()
        return bool(self._coord.should_stop())

    def close(self) -> None:
        self._coord.request_stop()
        try:
            self._coord.join(stop_grace_period_secs=self._stop_grace_period_secs, ignore_live_threads=True)
        finally:
            # What went wrong in a thread is the error to see.
            with contextlib.suppress(OpError, RuntimeError):
                super().close()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._sess.run(*args, **kwargs)
        except PREEMPTION_ERRORS:
            raise
        except Exception as original:
            # The run may have failed because a thread did: then that error counts.
            try:
                self._coord.raise_requested_exception()
            except PREEMPTION_ERRORS:
                raise
            except Exception:  # noqa: BLE001  the one that the caller sees is its own
                raise original from None
            raise


class HookedSession(WrappedSession):
    """Calls hooks around each run, with their fetches and feeds in it."""

    def __init__(self, sess: Any, hooks: Sequence[SessionRunHook]) -> None:
        super().__init__(sess)
        self._hooks = hooks
        self._should_stop = False

    def _check_stop(self) -> bool:
        return self._should_stop

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """See `Session.run`. RuntimeError after a hook asked to stop, or where two feed the same tensor."""
        if self.should_stop():
            raise RuntimeError("Run called even after should_stop requested.")
        wanted: dict[Any, Any] = {"caller": fetches}
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), self._sess)
        options = options or proto.RunOptions()
        feed_dict = self._ask_hooks(context, wanted, feed_dict, options)
        run_metadata = run_metadata or proto.RunMetadata()
        outputs = super().run(fetches=wanted, feed_dict=feed_dict, options=options, run_metadata=run_metadata)
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(outputs.get(hook), options, run_metadata))
        self._should_stop = self._should_stop or context.stop_requested
        return outputs["caller"]

    def _ask_hooks(
        self, context: SessionRunContext, wanted: dict[Any, Any], user_feeds: Any, options: Any
    ) -> Mapping[Any, Any] | None:
        feeds: dict[Any, Any] = {}
        for hook in self._hooks:
            request = hook.before_run(context)
            if request is None:
                continue
            if request.fetches is not None:
                wanted[hook] = request.fetches
            if request.feed_dict:
                _check_apart(feeds, request.feed_dict, "Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict)
            if request.options:
                _merge_options(options, request.options)
        if not feeds:
            found: Mapping[Any, Any] | None = user_feeds
            return found
        if not user_feeds:
            return feeds
        _check_apart(user_feeds, feeds, "Same tensor is fed by a SessionRunHook and user.")
        return {**feeds, **user_feeds}


def _check_apart(one: Mapping[Any, Any], other: Mapping[Any, Any], message: str) -> None:
    both = set(one) & set(other)
    if both:
        raise RuntimeError(f"{message} Conflict(s): {list(both)}")


def _merge_options(options: Any, more: Any) -> None:
    """Let `options` ask for all that `more` asks for."""
    for field in ("trace_level", "timeout_in_ms", "inter_op_thread_pool", "output_partition_graphs"):
        setattr(options, field, max(getattr(options, field), getattr(more, field)))
    options.debug_options.debug_tensor_watch_opts.extend(more.debug_options.debug_tensor_watch_opts)
    options.debug_options.reset_disk_byte_usage |= more.debug_options.reset_disk_byte_usage
    options.report_tensor_allocations_upon_oom |= more.report_tensor_allocations_upon_oom
