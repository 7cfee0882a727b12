"""tf.linspace on tensors: the ends as they are, and between them a range of steps."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._array import concat, expand_dims, reshape, shape, zeros_like
from regraft.v1._indexing import slice as slice_
from regraft.v1._indexing import where_v2
from regraft.v1._math import cast
from regraft.v1._opening import opened
from regraft.v1._reduction import range as range_

__all__: list[str] = []


def linspace_nd(start: Any, stop: Any, num: Any, name: str | None, axis: Any) -> Any:
    """`num` values from start to stop along a new dimension at `axis`."""
    with opened(name, "linspace", start, stop) as (b, _):
        start = b.convert(start, name="start")
        kind = start.dtype.base
        stop = b.convert(stop, kind, name="stop")
        whole = b.convert(num, name="num", preferred=dtypes.int32)
        if not whole.dtype.is_integer:
            raise TypeError(f"Argument `num` must be of type integer. Received {whole} of dtype {whole.dtype}")
        count: Any = b.Cast(whole, DstT=dtypes.int32)
        cast(count, kind)
        common = b.BroadcastArgs(shape(start), shape(stop))
        start, stop = b.BroadcastTo(start, common), b.BroadcastTo(stop, common)
        first: Any = expand_dims(start, axis)
        last: Any = expand_dims(stop, axis)
        sizes = shape(first)
        ndims = shape(sizes)[0]
        axis = where_v2(axis >= 0, axis, ndims + axis)
        between = b.Maximum(count - 2, 0)
        steps = b.Maximum(count - 1, 1)
        step = (last - first) / cast(steps, last.dtype)
        first, last = cast(first, step.dtype), cast(last, step.dtype)
        end = where_v2(count >= 0, steps, -1)
        positions = cast(range_(1, end, dtype=dtypes.int64), step.dtype)
        here = b.Equal(axis, range_(ndims))
        positions = reshape(positions, where_v2(here, between, 1))
        inner = first + step * positions
        joined = concat((first, inner, last), axis)
        begin = zeros_like(sizes)
        size = concat((sizes[0:axis], reshape(count, [1]), sizes[axis + 1 :]), 0)
        return slice_(joined, begin, size)
