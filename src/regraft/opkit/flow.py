"""Control flow contexts of operations, as gradient rules see them."""

from __future__ import annotations

from typing import Any

from regraft.ir.node import Operation

_EXITS = frozenset({"Exit", "RefExit"})


def output_context(op: Operation) -> Any:
    """The context that an operation's outputs are in: for an Exit the one outside its loop."""
    context = op.control_flow_context
    if op.type in _EXITS and context is not None:
        return context.outer_context
    return context
