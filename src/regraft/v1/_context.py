"""The only ambient state there is: the default graph and session of each thread, and what programs declare once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder

if TYPE_CHECKING:
    from regraft.v1._session import Session


class Summaries:
    """Where summaries of `tf.contrib.summary` go, and when they are written: a bool, a tensor, or None for never."""

    writer: Any = None
    recording: Any = None


class _Stacks(threading.local):
    def __init__(self) -> None:
        self.graphs: list[Graph] = []
        self.sessions: list[Session] = []
        self.arg_scopes: list[dict[str, dict[str, Any]]] = []
        self.summaries = Summaries()


_stacks = _Stacks()
_process: dict[str, Any] = {"graph": None, "eager": False, "resource": False, "intra": 0, "inter": 0}


def get_default_graph() -> Graph:
    """The innermost `graph.as_default()` of this thread, else the process's one default graph."""
    if _stacks.graphs:
        return _stacks.graphs[-1]
    if _process["graph"] is None:
        _process["graph"] = Graph()
    graph: Graph = _process["graph"]
    return graph


def reset_default_graph() -> None:
    """Forget the process's default graph; the next use makes a fresh one. AssertionError inside a `with` block."""
    if _stacks.graphs:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs: leave the `with` block instead."
        )
    _process["graph"] = None


@contextlib.contextmanager
def graph_as_default(graph: Graph) -> Iterator[Graph]:
    _stacks.graphs.append(graph)
    try:
        yield graph
    finally:
        if not _stacks.graphs or _stacks.graphs[-1] is not graph:
            raise AssertionError("Nesting violated for default stack of Graph objects")
        _stacks.graphs.pop()


def get_default_session() -> Any:
    """The innermost session that is the default in this thread, or None."""
    return _stacks.sessions[-1] if _stacks.sessions else None


@contextlib.contextmanager
def session_as_default(session: Any) -> Iterator[Any]:
    _stacks.sessions.append(session)
    try:
        yield session
    finally:
        _stacks.sessions.remove(session)


def push_session(session: Any) -> None:
    """Make an interactive session the default until `pop_session`."""
    _stacks.sessions.append(session)


def pop_session(session: Any) -> None:
    if session in _stacks.sessions:
        _stacks.sessions.remove(session)


def arg_scopes() -> list[dict[str, dict[str, Any]]]:
    """The open blocks of `tf.contrib.framework.arg_scope` of this thread, the innermost last."""
    return _stacks.arg_scopes


def summaries() -> Summaries:
    """The settings of `tf.contrib.summary` in this thread."""
    return _stacks.summaries


def executing_eagerly() -> bool:
    """Whether eager execution is declared on, and no graph of the program's own is the default."""
    return bool(_process["eager"]) and not _stacks.graphs


def declare_eager(on: bool) -> None:
    """Regraft has no eager mode; the declaration makes the graph-only functions refuse as TensorFlow's do."""
    _process["eager"] = on


def resource_variables() -> bool:
    """Whether new variables are resource variables where nothing else says."""
    return bool(_process["resource"])


def use_resource_variables(on: bool) -> None:
    _process["resource"] = on


def threads() -> tuple[int, int]:
    """What `tf.config.threading` has set: threads within operations and between them, 0 for what was not set."""
    return _process["intra"], _process["inter"]


def use_threads(kind: str, number: int) -> None:
    """Set the threads within operations ("intra") or between them ("inter")."""
    _process[kind] = number


def builder() -> Builder:
    """A builder on the default graph."""
    return Builder(get_default_graph())
