"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.opkit.arrays import lax, on_host
from regraft.opkit.axes import normalize_axis
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import same_as


def _running(x: Any, axis: Any, exclusive: bool, reverse: bool, on_numpy: Any, on_lax: str, start: float) -> Any:
    """The running result along the axis; `exclusive` leaves out each element itself, `reverse` runs from the end."""
    at = normalize_axis(axis, x.ndim)
    dtype = x.dtype
    half = dtype.name in ("float16", "bfloat16")
    if on_host(x):
        x = x.astype(np.float32) if half else x
        if reverse:
            x = np.flip(x, at)
        if exclusive and x.shape[at]:
            first = np.full_like(np.take(x, [0], at), start)
            x = np.concatenate([first, np.delete(x, -1, at)], at)
        out = on_numpy(x, at)
        return np.asarray(np.flip(out, at) if reverse else out).astype(dtype)
    x = lax.convert_element_type(x, np.float32) if half else x
    size = x.shape[at]
    if exclusive and size:
        kept = lax.slice_in_dim(x, 1, size, axis=at) if reverse else lax.slice_in_dim(x, 0, size - 1, axis=at)
        end = lax.full((*x.shape[:at], 1, *x.shape[at + 1 :]), start, x.dtype)
        x = lax.concatenate([kept, end] if reverse else [end, kept], at)
    return lax.convert_element_type(getattr(lax, on_lax)(x, axis=at, reverse=reverse), dtype)


@op("Cumsum", shape=same_as(0), static=("axis",))
@quiet
def cumsum(x: Any, axis: Any, *, exclusive: bool, reverse: bool) -> Any:
    """The sum of the elements up to each one."""
    return _running(x, axis, exclusive, reverse, lambda v, at: np.cumsum(v, at, dtype=v.dtype), "cumsum", 0)


@cumsum.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    exclusive, reverse = node.get_attr("exclusive"), node.get_attr("reverse")
    return b.Cumsum(dy, node.inputs[1], exclusive=exclusive, reverse=not reverse), None


@op("Cumprod", shape=same_as(0), static=("axis",))
@quiet
def cumprod(x: Any, axis: Any, *, exclusive: bool, reverse: bool) -> Any:
    """The product of the elements up to each one."""
    return _running(x, axis, exclusive, reverse, lambda v, at: np.cumprod(v, at, dtype=v.dtype), "cumprod", 1)


@cumprod.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, axis = node.inputs
    exclusive, reverse = node.get_attr("exclusive"), node.get_attr("reverse")
    product = b.Cumprod(x, axis, exclusive=exclusive, reverse=reverse)
    out = b.Cumsum(product * dy, axis, exclusive=exclusive, reverse=not reverse)
    return b.DivNoNan(out, x, name="div_no_nan"), None


@op("CumulativeLogsumexp", shape=same_as(0), static=("axis",))
@quiet
def cumulative_logsumexp(x: Any, axis: Any, *, exclusive: bool, reverse: bool) -> Any:
    """log(sum(exp(x))) of the elements up to each one; -inf of none."""
    return _running(x, axis, exclusive, reverse, lambda v, at: np.logaddexp.accumulate(v, at), "cumlogsumexp", -np.inf)


@cumulative_logsumexp.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, axis = node.inputs
    y = node.outputs[0]
    exclusive, reverse = node.get_attr("exclusive"), node.get_attr("reverse")
    lowest = dy.dtype.base.min
    rising = b.SelectV2(b.Greater(dy, 0), b.Log(dy), lowest)
    falling = b.SelectV2(b.Less(dy, 0), b.Log(-dy), lowest)

    def part(log_grad: Any) -> Any:
        total = b.CumulativeLogsumexp(log_grad - y, axis, exclusive=exclusive, reverse=not reverse)
        return b.Exp(total + x)

    positive = part(rising)
    return positive - part(falling), None
