"""Counting: how often each integer occurs, how many values fall into each bin."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, lax, namespace, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, same_as


def _count(c: ShapeContext, index: int) -> Dim:
    """The value of a scalar input that says how many."""
    if c.input(index) not in (None, ()):
        raise c.fail(f"Shape must be rank 0 but is rank {len(c.input(index) or ())}")
    value = c.value(index)
    if value is None:
        return None
    if value < 0:
        raise c.fail(f"size ({int(value)}) must be non-negative")
    return int(value)


def _bincount_shape(c: ShapeContext) -> list[Sizes]:
    return [(_count(c, 1),)]


@op("Bincount", shape=_bincount_shape, static=("size",), no_gradient="integer input")
def bincount(arr: Any, size: Any, weights: Any) -> Any:
    """How often each of 0..size-1 occurs, or the sum of the weights where it does; what is larger does not count.

    raises  InvalidArgumentError for a negative size or value (compiled, negative values do not count)
    """
    return _counts(arr.reshape(1, -1), size, weights.reshape(1, -1) if weights.size else weights, False)[0]


def _dense_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    if sizes is None:
        return [None]
    if len(sizes) > 2:
        raise c.fail(f"Shape must be at most rank 2 but is rank {len(sizes)}")
    count = _count(c, 1)
    # TensorFlow knows the number of rows only where it knows the number of bins.
    return [(*sizes[:-1], count) if count is not None else (None,) * len(sizes)]


@op("DenseBincount", shape=_dense_shape, static=("size",), no_gradient="integer input")
def dense_bincount(input: Any, size: Any, weights: Any, *, binary_output: bool) -> Any:
    """Bincount of a vector, or of each row of a matrix; 1 for what occurs at all if `binary_output` is on."""
    if len(static_shape(input)) > 2:
        raise InvalidArgumentError(f"Shape must be at most rank 2 but is rank {len(static_shape(input))}")
    if len(static_shape(input)) == 2:
        return _counts(input, size, weights, binary_output)
    return _counts(input.reshape(1, -1), size, weights.reshape(1, -1) if weights.size else weights, binary_output)[0]


def _counts(rows: Any, size: Any, weights: Any, binary: bool) -> Any:
    count = int(np.asarray(size).reshape(-1)[0])
    if count < 0:
        raise InvalidArgumentError(f"size ({count}) must be non-negative")
    dtype = weights.dtype
    if on_host(rows, weights):
        if rows.size and rows.min() < 0:
            raise InvalidArgumentError("Input arr must be non-negative!")
        out = np.zeros((rows.shape[0], count), dtype)
        row, column = np.nonzero(rows < count)
        if binary:
            out[row, rows[row, column]] = 1
        else:
            np.add.at(out, (row, rows[row, column]), weights[row, column] if weights.size else np.ones((), dtype))
        return out
    row = jnp.broadcast_to(jnp.arange(rows.shape[0])[:, None], rows.shape)
    at = jnp.where(rows < 0, count, rows)
    zeros = jnp.zeros((rows.shape[0], count), dtype)
    if binary:
        return zeros.at[row, at].set(jnp.ones((), dtype), mode="drop")
    return zeros.at[row, at].add(weights if weights.size else jnp.ones((), dtype), mode="drop")


def _bins_shape(c: ShapeContext) -> list[Sizes]:
    if c.input(1) is not None and c.input(1) not in ((2,), (None,)):
        raise c.fail("Shape must be rank 1 with 2 elements")
    return [(_count(c, 2),)]


@op("HistogramFixedWidth", shape=_bins_shape, static=("nbins",), no_gradient="integer result")
@quiet
def histogram_fixed_width(values: Any, value_range: Any, nbins: Any, *, dtype: DType) -> Any:
    """How many values fall into each of `nbins` bins of equal width; those outside the range go to its ends.

    raises  InvalidArgumentError unless value_range ascends and there is a bin
    """
    bins = int(np.asarray(nbins).reshape(-1)[0])
    if bins <= 0:
        raise InvalidArgumentError(f"nbins should be > 0, but got '{bins}'")
    if on_host(value_range) and not value_range[0] < value_range[1]:
        raise InvalidArgumentError(
            f"value_range should satisfy value_range[0] < value_range[1], but got '{value_range.tolist()}'"
        )
    xp = namespace(values, value_range)
    wide = np.float64 if values.dtype.kind in "iu" else values.dtype
    values, low, high = (v.astype(wide) for v in (values.reshape(-1), value_range[0], value_range[1]))
    step = (high - low) / np.asarray(bins, wide)
    top = np.asarray(bins - 1, wide)
    index = xp.minimum(xp.maximum(xp.floor((values - low) / step), np.asarray(0, wide)), top).astype(np.int32)
    if on_host(index):
        return np.bincount(index, minlength=bins).astype(dtype.numpy)
    counts = jnp.zeros((bins,), dtype.numpy)
    return counts.at[index].add(lax.full((), 1, dtype.numpy))


@op("Bucketize", shape=same_as(0), no_gradient="integer result")
def bucketize(input: Any, *, boundaries: tuple[float, ...]) -> Any:
    """For each value, how many of the ascending boundaries are not above it."""
    if any(a > b for a, b in itertools.pairwise(boundaries)):
        raise InvalidArgumentError(f"Expected sorted boundaries, got {list(boundaries)}")
    edges = np.asarray(boundaries, np.float32)
    xp = namespace(input)
    # TensorFlow's boundaries are float32; numbers that it does not hold exactly are compared as float64.
    wide = np.float32 if input.dtype == np.float32 else np.float64
    return xp.searchsorted(xp.asarray(edges.astype(wide)), input.astype(wide), side="right").astype(np.int32)
