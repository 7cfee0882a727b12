"""Reshaping, cutting, joining and filling: plain NumPy for host values, one lax operation for traced ones.

jax.numpy's functions of the same names do more (indexing rules, promotion) and cost more to trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.opkit.arrays import jnp, lax, on_host, static_shape
from regraft.opkit.strided import Span


def reshape(x: Any, shape: Sequence[int]) -> Any:
    """x in another shape, all of whose sizes are given."""
    if on_host(x):
        return np.reshape(x, shape)
    return x if static_shape(x) == tuple(shape) else lax.reshape(x, tuple(shape))


def full(shape: Sequence[int], value: Any, dtype: Any) -> Any:
    """`value`, a scalar, everywhere."""
    if on_host(value):
        return np.full(shape, value, dtype)
    return lax.broadcast(value, tuple(shape))


def zeros(like: Any, shape: Sequence[int], dtype: Any) -> Any:
    """Zeros, traced if `like` is."""
    return np.zeros(shape, dtype) if on_host(like) else lax.full(tuple(shape), 0, dtype)


def concatenate(values: Sequence[Any], axis: int) -> Any:
    if on_host(list(values)):
        return np.concatenate(values, axis)
    return lax.concatenate([jnp.asarray(v) for v in values], axis)


def stack(values: Sequence[Any], axis: int) -> Any:
    """Values of one shape, joined along a new axis."""
    if on_host(list(values)):
        return np.stack(values, axis)
    shape = static_shape(values[0])
    wide = (*shape[:axis], 1, *shape[axis:])
    return lax.concatenate([lax.reshape(jnp.asarray(v), wide) for v in values], axis)


def cut(x: Any, spans: Sequence[Span]) -> Any:
    """The part of each dimension that its span says."""
    if on_host(x):
        return np.asarray(x[tuple(s.as_slice() for s in spans)], x.dtype)
    shape = static_shape(x)
    if all(s.step == 1 and s.size == n for s, n in zip(spans, shape, strict=True)):
        return x
    lows = [_low(s) for s in spans]
    highs = [low + (s.size - 1) * abs(s.step) + 1 if s.size else low for s, low in zip(spans, lows, strict=True)]
    out = lax.slice(x, lows, highs, [abs(s.step) for s in spans])
    back = [i for i, s in enumerate(spans) if s.step < 0 and s.size > 1]
    return lax.rev(out, back) if back else out


def part(x: Any, axis: int, start: int, size: int) -> Any:
    """`size` elements along one axis."""
    return cut(x, [Span(start, 1, size) if i == axis else Span(0, 1, n) for i, n in enumerate(static_shape(x))])


def place(x: Any, shape: Sequence[int], spans: Sequence[Span]) -> Any:
    """Zeros of `shape`, with x in the part that `cut` would read."""
    if on_host(x):
        out = np.zeros(shape, x.dtype)
        out[tuple(s.as_slice() for s in spans)] = x
        return out
    if any(s.size == 0 for s in spans):
        return lax.full(tuple(shape), 0, x.dtype)
    back = [i for i, s in enumerate(spans) if s.step < 0 and s.size > 1]
    if back:
        x = lax.rev(x, back)
    pads = []
    for s, n in zip(spans, shape, strict=True):
        low, step = _low(s), abs(s.step)
        pads.append((low, n - low - (s.size - 1) * step - 1, step - 1))
    return lax.pad(x, jnp.zeros((), x.dtype), pads)


def _low(s: Span) -> int:
    """The first element of a span in the order of the array."""
    return s.start + (s.size - 1) * s.step if s.step < 0 and s.size else (s.start if s.size else 0)


def repeat(x: Any, counts: Sequence[int]) -> Any:
    """x tiled `counts[i]` times along each dimension."""
    if on_host(x):
        return np.tile(x, counts)
    shape = static_shape(x)
    if all(c == 1 for c in counts):
        return x
    if all(c == 1 or n == 1 for c, n in zip(counts, shape, strict=True)):
        wide = tuple(c * n for c, n in zip(counts, shape, strict=True))
        return lax.broadcast_in_dim(x, wide, tuple(range(len(shape))))
    between: list[int] = []
    for c, n in zip(counts, shape, strict=True):
        between += [c, n]
    spread = lax.broadcast_in_dim(x, tuple(between), tuple(range(1, 2 * len(shape), 2)))
    return lax.reshape(spread, tuple(c * n for c, n in zip(counts, shape, strict=True)))
