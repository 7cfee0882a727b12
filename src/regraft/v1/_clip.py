"""Cutting values and gradients down to size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.opkit.slices import IndexedSlices
from regraft.v1._array import identity, ones_like, rank, size, stack
from regraft.v1._math import cast
from regraft.v1._opening import opened
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_sum

__all__ = ["clip_by_average_norm", "clip_by_global_norm", "clip_by_norm", "clip_by_value", "global_norm"]


def _values(b: Any, t: Any, name: str) -> Any:
    return b.convert(t.values if isinstance(t, IndexedSlices) else t, name=name)


def _like(t: Any, values: Any) -> Any:
    return IndexedSlices(values, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else values


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """`t` with what lies outside of [clip_value_min, clip_value_max] set to the nearer end."""
    with opened(name, "clip_by_value", t, clip_value_min, clip_value_max) as (b, scope):
        values = _values(b, t, "t")
        low = b.Minimum(values, clip_value_max)
        values.shape.assert_is_compatible_with(low.shape)
        clipped = b.Maximum(low, clip_value_min, name=scope)
        values.shape.assert_is_compatible_with(clipped.shape)
        return _like(t, clipped)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """`t`, scaled down so that its L2 norm (over `axes`) is not above `clip_norm`."""
    with opened(name, "clip_by_norm", t, clip_norm) as (b, scope):
        values = _values(b, t, "t")
        if np.isscalar(clip_norm):
            clip_norm = max(clip_norm, 0)  # type: ignore[type-var]  # a number
        else:
            clip_norm = cast(b.Maximum(clip_norm, 0), values.dtype)
        squared = reduce_sum(values * values, axes, True)
        positive = squared > 0
        safe = b.Select(positive, squared, ones_like(squared))
        norm = b.Select(positive, b.Sqrt(safe), squared)
        scaled = values * clip_norm
        values.shape.assert_is_compatible_with(scaled.shape)
        return _like(t, identity(scaled / b.Maximum(norm, clip_norm), name=scope))


def _listed(t_list: Any) -> list[Any]:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError(f"`t_list` should be a sequence of tensors. Received {type(t_list)}.")
    return list(t_list)


def global_norm(t_list: Any, name: str | None = None) -> Any:
    """The L2 norm of all tensors together; Nones are left out."""
    tensors = _listed(t_list)
    with opened(name, "global_norm", tensors) as (b, _):
        values = [None if t is None else _values(b, t, f"t_{i}") for i, t in enumerate(tensors)]
        halves = []
        for value in values:
            if value is not None:
                with b.graph.colocate_with(value):
                    halves.append(b.L2Loss(value))
        half = reduce_sum(stack(halves))
        return b.Sqrt(half * b.constant(2.0, half.dtype), name="global_norm")


def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None) -> Any:
    """(tensors, norm): all tensors scaled by one factor, so that their norm together is not above `clip_norm`.

    use_norm  that norm, where it is known already
    """
    tensors = _listed(t_list)
    if use_norm is None:
        use_norm = global_norm(tensors, name)
    with opened(name, "clip_by_global_norm", tensors, clip_norm) as (b, scope):
        ratio = b.Minimum(1.0 / use_norm, b.constant(1.0, use_norm.dtype) / clip_norm)
        scale = clip_norm * ratio + (use_norm - use_norm)
        values = [None if t is None else _values(b, t, f"t_{i}") for i, t in enumerate(tensors)]
        clipped: list[Any] = []
        for i, value in enumerate(values):
            if value is None:
                clipped.append(None)
                continue
            with b.graph.colocate_with(value):
                clipped.append(identity(value * cast(scale, value.dtype), name=f"{scope}_{i}"))
        return [c if t is None else _like(t, c) for c, t in zip(clipped, tensors, strict=True)], use_norm


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Any:
    """`t`, scaled down so that its average L2 norm by element is not above `clip_norm`."""
    with opened(name, "clip_by_average_norm", t, clip_norm) as (b, scope):
        t = b.convert(t, name="t")
        count = cast(size(t), dtypes.float32)
        inverse = b.Rsqrt(reduce_sum(t * t, range_(rank(t))))
        scaled = t * clip_norm
        return identity(scaled * b.Minimum(inverse * count, b.constant(1.0) / clip_norm), name=scope)
