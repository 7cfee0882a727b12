"""How functions begin: in the graph of their inputs, in a name scope, with the newer of two arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from regraft.opkit.builder import Builder
from regraft.v1 import _context
from regraft.v1._graph import graph_of, name_scope


@contextlib.contextmanager
def opened(name: str | None, default: str, *values: Any) -> Iterator[tuple[Builder, str]]:
    """The name scope of a function, in the graph that `values` belong to: a builder, and the scope with its slash."""
    with name_scope(name, default, values) as scope:
        yield _context.builder(), scope


def on(*values: Any) -> Builder:
    """A builder on the graph that `values` belong to, or on the default graph."""
    return Builder(graph_of(values))


def renamed(new_name: str, new: Any, old_name: str, old: Any) -> Any:
    """The value of an argument that has an older name too. ValueError when both are given."""
    if old is None:
        return new
    if new is not None:
        raise ValueError(f"Cannot specify both {old_name!r} and {new_name!r}.")
    return old
