"""Reductions over segments: rows that share a number are combined."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit import scatter
from regraft.opkit.arrays import jnp, namespace, on_host, static_shape

# What a segment without rows holds, and how a row is combined into it.
_HOW = {"sum": "add", "prod": "mul", "min": "min", "max": "max"}


def empty_value(how: str, dtype: Any, sorted_ids: bool = False) -> Any:
    """What TensorFlow's CPU kernels leave where a segment has no rows; sorted segments have 0 for min and max."""
    dtype = np.dtype(dtype)
    if how == "prod":
        return dtype.type(1)
    if how == "sum" or sorted_ids:
        return dtype.type(0)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return dtype.type(info.max if how == "min" else info.min)
    limits = np.finfo(dtype) if dtype.kind == "f" else jnp.finfo(dtype)
    return dtype.type(limits.max if how == "min" else limits.min)


def reduce_unsorted(how: str, data: Any, ids: Any, count: int) -> Any:
    """[count, ...] with the rows of each segment combined; rows with a negative id are left out.

    data  [*batch, ...]
    ids   [*batch]

    raises  InvalidArgumentError for an id that is `count` or above, where ids are known; traced ones are passed over
    """
    shape, at = static_shape(data), static_shape(ids)
    if shape[: len(at)] != at:
        raise InvalidArgumentError(f"data.shape = {list(shape)} does not start with segment_ids.shape = {list(at)}")
    if count < 0:
        raise InvalidArgumentError(f"num_segments must be non-negative, got {count}")
    rest = shape[len(at) :]
    xp = namespace(data, ids)
    flat, rows = ids.reshape(-1), data.reshape((math.prod(at), *rest))
    if on_host(ids):
        bad = np.argwhere(np.asarray(ids) >= count)
        if bad.size:
            place = f"[{','.join(str(int(i)) for i in bad[0])}]"
            raise InvalidArgumentError(
                f"segment_ids{place if at else ''} = {np.asarray(ids)[tuple(bad[0])]} is out of range [0, {count})"
            )
        kept = flat >= 0
        if not kept.all():
            if on_host(data):
                rows = rows[kept]
                flat = flat[kept]
            else:
                flat = np.where(kept, flat, flat.dtype.type(count))
    start = xp.full((count, *rest), empty_value(how, data.dtype), data.dtype)
    if on_host(start, flat, rows):
        return scatter.combine(_HOW[how], start, flat, rows)
    return scatter.combine(_HOW[how], start, jnp.asarray(flat), rows)


def check_sorted(ids: np.ndarray[Any, Any], rows: int, what: str = "input") -> int:
    """The number of segments that sorted ids name. InvalidArgumentError if they are not sorted, or not one a row."""
    if ids.ndim != 1:
        raise InvalidArgumentError("segment_ids should be a vector.")
    if len(ids) != rows:
        raise InvalidArgumentError(f"segment_ids should be the same size as dimension 0 of {what}.")
    if not len(ids):
        return 0
    if (np.diff(ids) < 0).any():
        raise InvalidArgumentError("segment ids are not increasing")
    if ids[0] < 0:
        raise InvalidArgumentError(
            f"Segment id {ids[0]} out of range [0, {int(ids[-1]) + 1}), possibly because 'segment_ids' input is not "
            "sorted."
        )
    return int(ids[-1]) + 1


def reduce_sorted(how: str, data: np.ndarray[Any, Any], ids: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """[last id + 1, ...] with the rows of each segment combined; `how` may be "mean" too. Host only."""
    count = check_sorted(ids, len(data))
    kind = "sum" if how == "mean" else how
    start = np.full((count, *data.shape[1:]), empty_value(kind, data.dtype), data.dtype)
    total: np.ndarray[Any, Any] = scatter.combine(_HOW[kind], start, ids, data)
    rows = np.bincount(ids, minlength=count) if count else np.zeros(0, np.int64)
    column = rows.reshape((-1,) + (1,) * (data.ndim - 1))
    if how == "mean":
        mean: np.ndarray[Any, Any] = divided(total, np.maximum(column, 1))
        return mean
    if how in ("min", "max"):
        return np.where(column == 0, data.dtype.type(0), total)
    return total


def divided(total: Any, by: Any) -> Any:
    """`total / by` in the dtype of `total`; integers round towards zero."""
    if total.dtype.kind in "iu":
        magnitude = np.abs(total) // by.astype(total.dtype)
        return np.where(total < 0, -magnitude, magnitude).astype(total.dtype)
    return total / by.astype(total.dtype)
