"""Distinct values, differences of lists, and places in sorted lists."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, lax, namespace, on_host, static_shape
from regraft.opkit.axes import normalize_axis
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, with_rank


def distinct(rows: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """For the rows of an array: where each distinct one comes first, which one each row is, how often each is."""
    first: list[int] = []
    which = np.empty(len(rows), np.int64)
    counts: list[int] = []
    seen: dict[Any, int] = {}
    keys = rows.tolist() if rows.ndim == 1 else [r.tobytes() if rows.dtype != object else tuple(r.flat) for r in rows]
    for i, key in enumerate(keys):
        at = seen.setdefault(key, len(first))
        if at == len(first):
            first.append(i)
            counts.append(0)
        counts[at] += 1
        which[i] = at
    return np.array(first, np.int64), which, np.array(counts, np.int64)


def _unique_shape(c: ShapeContext) -> list[Sizes]:
    return [(None,), c.input(0), (None,)][: c.output_count]


@op("Unique", shape=_unique_shape, runs=Runs.HOST, surplus="makes")
def unique(x: Any, *, out_idx: DType) -> Any:
    """The distinct values of a vector in the order in which they come first, and for each element which one it is.

    Traced, as many values as the vector has: those at the end are the largest of their type, where an index is none.
    """
    if x.ndim != 1:
        raise InvalidArgumentError(f"unique expects a 1D vector, got shape {list(x.shape)}")
    if not on_host(x):
        return _traced_unique(x, out_idx)
    first, which, _ = distinct(x)
    return x[first], which.astype(out_idx.numpy)


def _traced_unique(x: Any, out_idx: DType) -> Any:
    size = static_shape(x)[0]
    order = jnp.argsort(x, stable=True)
    ordered, number = x[order], jnp.arange(size)
    starts = jnp.concatenate([jnp.ones(min(size, 1), bool), ordered[1:] != ordered[:-1]])
    # Equal values lie side by side, the first of them first: where each comes up for the first time.
    first_in_order = order[lax.cummax(jnp.where(starts, number, 0))]
    first = jnp.zeros(size, first_in_order.dtype).at[order].set(first_in_order, unique_indices=True)
    is_first = first == number
    rank = jnp.cumsum(is_first) - 1
    nowhere = jnp.full(size, jnp.iinfo(x.dtype).max, x.dtype)
    y = nowhere.at[jnp.where(is_first, rank, size)].set(x, mode="drop")
    return y, rank[first].astype(out_idx.numpy)


@op("UniqueWithCounts", shape=_unique_shape, runs=Runs.HOST)
def unique_with_counts(x: Any, *, out_idx: DType) -> Any:
    """Unique, and how often each value comes up."""
    first, which, counts = distinct(x)
    return x[first], which.astype(out_idx.numpy), counts.astype(out_idx.numpy)


def _unique_v2_shape(c: ShapeContext) -> list[Sizes]:
    x, axis = c.input(0), c.value(1)
    y: Sizes = None if x is None else (None,) * len(x)
    which: Dim = None
    if x is not None and axis is not None:
        if axis.size == 0:
            which = with_rank(c, x, 1)[0]
        elif not -len(x) <= int(axis.reshape(-1)[0]) < len(x):
            raise c.fail(f"axis expects to be in the range [{-len(x)}, {len(x)}), but got {int(axis.reshape(-1)[0])}")
        else:
            which = x[int(axis.reshape(-1)[0])]
    return [y, (which,), (None,)][: c.output_count]


def _unique_along(x: Any, axis: Any) -> tuple[Any, Any, Any]:
    if np.size(axis) > 1:
        raise InvalidArgumentError("axis does not support input tensors larger than 1 elements")
    if not np.size(axis):
        if x.ndim != 1:
            raise InvalidArgumentError(f"unique expects a 1D vector, got shape {list(x.shape)}")
        where = 0
    else:
        where = normalize_axis(axis, x.ndim)
    first, which, counts = distinct(np.ascontiguousarray(np.moveaxis(x, where, 0)))
    return np.take(x, first, where), which, counts


@op("UniqueV2", shape=_unique_v2_shape, runs=Runs.HOST)
def unique_v2(x: Any, axis: Any, *, out_idx: DType) -> Any:
    """The distinct slices along `axis`; with an empty `axis` the distinct values of a vector."""
    y, which, _ = _unique_along(x, axis)
    return y, which.astype(out_idx.numpy)


@op("UniqueWithCountsV2", shape=_unique_v2_shape, runs=Runs.HOST)
def unique_with_counts_v2(x: Any, axis: Any, *, out_idx: DType) -> Any:
    """UniqueV2, and how often each slice comes up."""
    y, which, counts = _unique_along(x, axis)
    return y, which.astype(out_idx.numpy), counts.astype(out_idx.numpy)


def _difference_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 1)
    with_rank(c, c.input(1), 1)
    return [(None,), (None,)]


@op("ListDiff", shape=_difference_shape, runs=Runs.HOST)
def list_diff(x: Any, y: Any, *, out_idx: DType) -> Any:
    """The elements of x that are not in y, in order and as often as they come up, and their places in x."""
    if x.ndim != 1 or y.ndim != 1:
        raise InvalidArgumentError(f"x and y should be 1D vectors, got shapes {list(x.shape)} and {list(y.shape)}")
    without = set(y.tolist())
    kept = np.array([i for i, v in enumerate(x.tolist()) if v not in without], np.int64)
    return x[kept], kept.astype(out_idx.numpy)


def _bound_shape(c: ShapeContext) -> list[Sizes]:
    return [c.input(1)]


def _places(sorted_inputs: Any, values: Any, out_type: DType, side: Literal["left", "right"]) -> Any:
    if static_shape(sorted_inputs)[0] != static_shape(values)[0]:
        raise InvalidArgumentError("Leading dim_size of both tensors must match.")
    xp = namespace(sorted_inputs, values)
    if on_host(sorted_inputs, values):
        found = [np.searchsorted(row, v, side) for row, v in zip(sorted_inputs, values, strict=True)]
        return np.asarray(found, out_type.numpy).reshape(values.shape)
    below = sorted_inputs[:, None, :] < values[:, :, None]
    if side == "right":
        below = sorted_inputs[:, None, :] <= values[:, :, None]
    return xp.sum(below, axis=-1, dtype=out_type.numpy)


@op("LowerBound", shape=_bound_shape)
def lower_bound(sorted_inputs: Any, values: Any, *, out_type: DType) -> Any:
    """For each value, the first place in the sorted row where it could stand."""
    return _places(sorted_inputs, values, out_type, "left")


@op("UpperBound", shape=_bound_shape)
def upper_bound(sorted_inputs: Any, values: Any, *, out_type: DType) -> Any:
    """For each value, the last place in the sorted row where it could stand."""
    return _places(sorted_inputs, values, out_type, "right")


def _unravel_shape(c: ShapeContext) -> list[Sizes]:
    indices, dims = c.input(0), with_rank(c, c.input(1), 1)
    if indices is None:
        return [None]
    count = 1
    for d in indices:
        if d is None:
            return [(dims[0], None)] if indices else [(dims[0],)]
        count *= d
    return [(dims[0], count)] if indices else [(dims[0],)]


@op("UnravelIndex", shape=_unravel_shape, no_gradient="integer result")
def unravel_index(indices: Any, dims: Any) -> Any:
    """Flat indices as coordinates in an array of shape `dims`: [rank] for one index, [rank, n] for several.

    raises   InvalidArgumentError for an index out of range
    differs  a compiled program does not check
    """
    xp = namespace(indices, dims)
    if on_host(indices, dims) and np.size(indices):
        bad = np.asarray((indices < 0) | (indices >= np.prod(dims)))
        if bad.any():
            raise InvalidArgumentError(f"index is out of bound as with dims {dims.tolist()}")
    rest, out = xp.reshape(indices, (-1,)), []
    for i in range(static_shape(dims)[0] - 1, -1, -1):
        out.append(rest % dims[i])
        rest = rest // dims[i]
    stacked = xp.stack(out[::-1])
    return stacked.reshape((-1,)) if not static_shape(indices) else stacked
