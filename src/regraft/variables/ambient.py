"""What the facade knows and this layer asks it for: the default graph, and which kind of variable is the default."""

from __future__ import annotations

from collections.abc import Callable

from regraft.base.errors import FailedPreconditionError
from regraft.ir.graph import Graph

_default_graph: list[Callable[[], Graph]] = []
_use_resource: list[Callable[[], bool]] = []


def register(default_graph: Callable[[], Graph], use_resource: Callable[[], bool]) -> None:
    """Make these functions the answers."""
    _default_graph[:] = [default_graph]
    _use_resource[:] = [use_resource]


def default_graph() -> Graph:
    """The default graph. FailedPreconditionError where there is no facade that has one."""
    if not _default_graph:
        raise FailedPreconditionError("there is no default graph", hint="import regraft.v1, or hand the graph in")
    return _default_graph[0]()


def use_resource() -> bool:
    """Whether new variables are resource variables where nothing else says."""
    return bool(_use_resource) and _use_resource[0]()
