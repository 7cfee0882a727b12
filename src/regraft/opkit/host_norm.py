"""Sums over all axes but the last, and vectors of channels applied along it: NumPy, a piece of the cache at a time.

Sums are made in double precision: NumPy adds rows one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from regraft.opkit.host_pieces import PIECE

Array = np.ndarray[Any, Any]


def _pieces(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """The arrays as matrices of rows of channels, some rows of each at a time."""
    matrices = [a.reshape(-1, a.shape[-1]) for a in arrays]
    step = max(1, PIECE // max(1, arrays[0].shape[-1]))
    for start in range(0, len(matrices[0]), step):
        yield tuple(m[start : start + step] for m in matrices)


def channel_sums(x: Array) -> Array:
    """The sum of each channel."""
    total = np.zeros(x.shape[-1])
    for (part,) in _pieces(x):
        total += np.add.reduce(part, 0, np.float64)
    return total.astype(x.dtype)


def square_sums(x: Array, mean: Array) -> Array:
    """The sum of each channel's squared distances from `mean`."""
    total = np.zeros(x.shape[-1])
    for (part,) in _pieces(x):
        centered = np.subtract(part, mean, dtype=np.float64)
        total += np.einsum("ij,ij->j", centered, centered)
    return total.astype(x.dtype)


def scaled(x: Array, mean: Any, factor: Array, offset: Array) -> Array:
    """(x - mean) * factor + offset; no mean where it is None."""
    out = np.empty(x.shape, x.dtype)
    for part, to in _pieces(x, out):
        if mean is None:
            np.multiply(part, factor, out=to)
        else:
            np.subtract(part, mean, out=to)
            np.multiply(to, factor, out=to)
        np.add(to, offset, out=to)
    return out


def gradient_sums(dy: Array, x: Array, mean: Array) -> tuple[Array, Array]:
    """For each channel the sums of `dy`, and of `dy` times the distance of `x` from `mean`."""
    total, along = np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
    for part, values in _pieces(dy, x):
        wide = part.astype(np.float64)
        total += np.add.reduce(wide, 0)
        along += np.einsum("ij,ij->j", wide, np.subtract(values, mean, dtype=np.float64))
    return total.astype(x.dtype), along.astype(x.dtype)


def gradient(dy: Array, x: Array, mean: Array, shift: Array, slope: Array, factor: Array) -> Array:
    """(dy - shift - (x - mean) * slope) * factor."""
    out = np.empty(x.shape, x.dtype)
    shift = shift - mean * slope
    for part, values, to in _pieces(dy, x, out):
        np.multiply(values, slope, out=to)
        np.add(to, shift, out=to)
        np.subtract(part, to, out=to)
        np.multiply(to, factor, out=to)
    return out
