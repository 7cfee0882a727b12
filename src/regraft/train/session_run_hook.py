"""What a monitored session calls around its runs, and what it tells and asks there."""

from __future__ import annotations

from typing import Any, NamedTuple


class SessionRunArgs(NamedTuple):
    """What to add to a run: fetches in any nesting, feeds, and RunOptions. The results come in the same nesting."""

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a run gave: the values of the hook's fetches (None if it had none), the run's options and metadata."""

    results: Any
    options: Any
    run_metadata: Any


class SessionRunContext:
    """One run: what the program asked for, and the session. A hook may ask for the end of the loop."""

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self._original_args = original_args
        self._session = session
        self._stop_requested = False

    @property
    def original_args(self) -> SessionRunArgs:
        """What the program asked for, as `SessionRunArgs`."""
        return self._original_args

    @property
    def session(self) -> Any:
        """The session, without hooks."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        return self._stop_requested

    def request_stop(self) -> None:
        """Let `should_stop()` of the monitored session be true after this run."""
        self._stop_requested = True


class SessionRunHook:
    """Base of hooks: each method does nothing."""

    def begin(self) -> None:
        """Called once, before the session is made. The graph may still be changed."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Called when a session was made or made anew. The graph may not be changed any more."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Called before each run; returns what to add to it, or None."""
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Called after each run that raised nothing, with the values of what `before_run` asked for."""

    def end(self, session: Any) -> None:
        """Called at the end, unless an exception other than OutOfRangeError and StopIteration ended the session."""
