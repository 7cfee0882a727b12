"""tf.repeat, which is a tile where all counts are equal, and else a mask over the longest repetition."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.v1._array import all_axes, concat, expand_dims, ones, rank, reshape, sequence_mask, shape, stack
from regraft.v1._indexing import boolean_mask
from regraft.v1._opening import on, opened

__all__: list[str] = []


def repeat_with_axis(data: Any, repeats: Any, axis: int, name: str | None = None) -> Any:
    """Each slice of `data` along `axis` `repeats` times (one number, or one for each slice)."""
    if not isinstance(axis, int):
        raise TypeError(f"Argument `axis` must be an int. Received `axis` = {axis} of type {type(axis).__name__}")
    with opened(name, "Repeat", data, repeats) as (b, _):
        data = b.convert(data, name="data")
        counts: Any = _whole_numbers(b, repeats)
        counts.shape.with_rank_at_most(1)
        data = _with_a_dimension(b, data)
        sizes = shape(data, out_type=counts.dtype)
        axis = _positive(axis, data.shape.rank)
        if counts.shape.num_elements() == 1:
            counts = reshape(counts, [])
            tiled = _tile(b, expand_dims(data, axis + 1), axis + 1, counts)
            return reshape(tiled, concat([sizes[:axis], [counts * sizes[axis]], sizes[axis + 1 :]], 0))
        counts = each = b.BroadcastTo(counts, [sizes[axis]])
        if counts.shape.rank != axis + 1:
            own = shape(counts)
            counts = b.BroadcastTo(counts, concat([sizes[: axis + 1 - rank(counts)], own], 0))
            counts.set_shape([None] * (axis + 1))
        most = b.Max(counts, all_axes(counts))
        most = b.Maximum(b.convert(0, most.dtype, name="zero"), most)
        mask = sequence_mask(counts, most)
        result = boolean_mask(_tile(b, expand_dims(data, axis + 1), axis + 1, most), mask)
        if axis > 0:
            total = b.Sum(each, b.Range(0, rank(each), 1))
            result = reshape(result, concat([sizes[:axis], [total], sizes[axis + 1 :]], 0))
        if data.shape.rank is not None:
            empty = counts.shape.sizes is not None and counts.shape.sizes[0] == 0
            result.set_shape(data.shape[:axis].concatenate([0 if empty else None]).concatenate(data.shape[axis + 1 :]))
        return result


def _whole_numbers(b: Any, repeats: Any) -> Tensor:
    counts = b.convert(repeats, name="repeats", preferred=dtypes.int32)
    if not counts.dtype.is_integer:
        raise TypeError(f"Argument `repeats` must be of type integer. Received {counts} of dtype {counts.dtype}")
    cast: Tensor = b.Cast(counts, DstT=dtypes.int32)
    return cast


def _positive(axis: int, ndims: int | None) -> int:
    if ndims is None:
        if axis < 0:
            raise ValueError(f"axis={axis} may only be negative if rank(data) is statically known.")
        return axis
    if not -ndims <= axis < ndims:
        raise ValueError(f"axis={axis} out of bounds: expected {-ndims}<=axis<{ndims}")
    return axis % ndims


def _with_a_dimension(b: Any, data: Any) -> Any:
    if data.shape.rank is None:
        sizes = shape(data)
        count = rank(data)
        return reshape(data, concat([[1], sizes], 0)[-count:])
    return stack([data]) if data.shape.rank == 0 else data


def _tile(b: Any, data: Any, axis: int, multiple: Any) -> Any:
    if data.shape.rank is not None:
        multiples: Any = [1] * data.shape.rank
        multiples[axis] = multiple
    else:
        one = ones(rank(data), dtypes.int32)
        multiples = concat([one[:axis], [multiple], one[axis + 1 :]], 0)
    return on(data).Tile(data, multiples)
