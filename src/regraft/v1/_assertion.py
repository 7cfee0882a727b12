"""tf.Assert: an operation that stops the run when a condition does not hold."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._opening import opened

__all__ = ["Assert"]


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Any:
    """An operation that raises InvalidArgumentError with `data` in its message when `condition` is false.

    summarize  how many elements of each tensor of `data` the message shows (3)
    """
    with opened(name, "Assert", condition, data) as (b, _):
        shown = [b.convert(item) for item in data]
        count = 3 if summarize is None else summarize
        if all(t.dtype.base in (dtypes.string, dtypes.int32) for t in shown):
            return b.Assert(condition, data, summarize=count, name="Assert")
        from regraft.v1._control_flow import cond

        condition = b.convert(condition, name="Condition")
        guard = cond(
            condition,
            b.no_op,
            lambda: b.Assert(condition, data, summarize=count, name="Assert"),
            name="AssertGuard",
        )
        return guard.op
