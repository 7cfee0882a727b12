"""Pooling and its gradients on NumPy arrays, a position of the window or an axis at a time. Padding is never made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.base.dtypes import as_dtype
from regraft.opkit.elementwise import quiet
from regraft.opkit.padding import covered

if TYPE_CHECKING:
    from regraft.opkit.pooling import Window

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]
Index = tuple[slice, ...]


@quiet
def max_pool(x: Any, window: Window) -> Any:
    """`opkit.pooling.max_pool` of a host value."""
    lowest = np.asarray(as_dtype(x.dtype).min, x.dtype)
    for axis, places in enumerate(window.places(x.shape)):
        if window.sizes[axis] == window.strides[axis] == 1:
            continue
        out = np.full((*x.shape[:axis], places, *x.shape[axis + 1 :]), lowest)
        for cells, taken in _along(axis, x.shape, places, window):
            part = out[taken]
            np.fmax(part, x[cells], out=part)
        x = out
    return np.fmax(x, lowest)


@quiet
def max_pool_gradient(x: Any, y: Any, dy: Any, window: Window) -> Any:
    """`opkit.pooling.max_pool_gradient` of host values."""
    out = np.zeros(x.shape, dy.dtype)
    for cells, taken, first in _first_largest(x, y, window):
        out[cells] += np.where(first, dy[taken], out.dtype.type(0))
    return out


@quiet
def max_pool_gradient_to_all(x: Any, y: Any, dy: Any, window: Window) -> Any:
    """`opkit.pooling.max_pool_gradient_to_all` of host values."""
    out = np.zeros(x.shape, dy.dtype)
    for cells, taken in _positions(x.shape, y.shape, window):
        out[cells] += np.where(x[cells] == y[taken], dy[taken], out.dtype.type(0))
    return out


@quiet
def max_pool_gather(x: Any, y: Any, values: Any, window: Window) -> Any:
    """`opkit.pooling.max_pool_gather` of host values."""
    out = np.zeros(y.shape, values.dtype)
    for cells, taken, first in _first_largest(x, y, window):
        np.copyto(out[taken], values[cells], where=first)
    return out


@quiet
def avg_pool(x: Any, counts: Any, window: Window) -> Any:
    """`opkit.pooling.avg_pool` of a host value; `counts` are the cells of each place, with axes of 1."""
    total = _wide(x)
    for axis, places in enumerate(window.places(x.shape)):
        if window.sizes[axis] == window.strides[axis] == 1:
            continue
        out = np.zeros((*total.shape[:axis], places, *total.shape[axis + 1 :]), total.dtype)
        for cells, taken in _along(axis, total.shape, places, window):
            out[taken] += total[cells]
        total = out
    return (total / counts).astype(x.dtype, copy=False)


@quiet
def avg_pool_gradient(sizes: Sizes, dy: Any, counts: Any, window: Window) -> Any:
    """`opkit.pooling.avg_pool_gradient` of host values; `counts` as for `avg_pool`."""
    shares = _wide(dy) / counts
    for axis, size in enumerate(sizes):
        if window.sizes[axis] == window.strides[axis] == 1:
            continue
        out = np.zeros((*shares.shape[:axis], size, *shares.shape[axis + 1 :]), shares.dtype)
        for cells, taken in _along(axis, out.shape, shares.shape[axis], window):
            out[cells] += shares[taken]
        shares = out
    return shares.astype(dy.dtype, copy=False)


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


def _along(axis: int, sizes: Sizes, places: int, window: Window) -> Iterator[tuple[Index, Index]]:
    """For each position along one axis: the cells of an array of `sizes` under it, and the places where they are."""
    before = (slice(None),) * axis
    for position in range(window.sizes[axis]):
        cells, taken = covered(sizes[axis], position, places, window.strides[axis], 1, window.pads[axis])
        yield (*before, cells), (*before, taken)


def _positions(sizes: Sizes, places: Sizes, window: Window) -> Iterator[tuple[Index, Index]]:
    """For each position in the window: the cells of an array of `sizes` under it, and the places where they are."""
    for position in window.positions():
        axes = zip(sizes, position, places, window.strides, (1,) * len(sizes), window.pads, strict=True)
        cells, taken = zip(*(covered(*axis) for axis in axes), strict=True)
        yield cells, taken


def _first_largest(x: Array, y: Array, window: Window) -> Iterator[tuple[Index, Index, Array]]:
    """`_positions`, and where the cells are the first in their windows that equal the maximum."""
    done = np.zeros(y.shape, np.bool_)
    for cells, taken in _positions(x.shape, y.shape, window):
        first = (x[cells] == y[taken]) & ~done[taken]
        done[taken] |= first
        yield cells, taken, first
