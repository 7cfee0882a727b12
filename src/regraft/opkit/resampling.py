"""Resizing an axis as a matrix [out, in] of weights, for each of TensorFlow's ways to resize images.

Positions are worked out in float32, as TensorFlow does: which cells they fall on depends on it. `half_pixel` puts
samples at the centres of cells; `align_corners` lets the outermost samples coincide.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError

Matrix = np.ndarray[Any, np.dtype[np.float32]]

# The cubic kernel is read from a table of this many steps for a cell.
_STEPS = 1024


def scale_of(size: int, out: int, align_corners: bool) -> np.float32:
    """Input cells for each output cell."""
    if align_corners and out > 1:
        return np.float32(size - 1) / np.float32(out - 1)
    return np.float32(size) / np.float32(out)


def positions(size: int, out: int, align_corners: bool, half_pixel: bool) -> Matrix:
    """Where each output cell lies on the input axis.

    raises  InvalidArgumentError if both flags are set, or a size is not positive
    """
    check(size, out, align_corners, half_pixel)
    scale, number = scale_of(size, out, align_corners), np.arange(out, dtype=np.float32)
    if half_pixel:
        return (number + np.float32(0.5)) * scale - np.float32(0.5)
    return number * scale


def check(size: int, out: int, align_corners: bool, half_pixel: bool) -> None:
    """InvalidArgumentError if both flags are set, or a size is not positive."""
    if align_corners and half_pixel:
        raise InvalidArgumentError("If half_pixel_centers is True, align_corners must be False.")
    if out <= 0:
        raise InvalidArgumentError(f"output dimensions must be positive, got {out}")
    if size <= 0:
        raise InvalidArgumentError(f"input image must be of non-zero size, got {size}")


def _matrix(size: int, columns: Any, weights: Any) -> Matrix:
    """Add up weights [out, taps] in the columns [out, taps], those beyond the edge in the edge's."""
    out = np.zeros((len(columns), size), np.float32)
    rows = np.broadcast_to(np.arange(len(columns))[:, None], columns.shape)
    np.add.at(out, (rows, np.clip(columns, 0, size - 1)), weights)
    return out


def nearest(size: int, out: int, align_corners: bool, half_pixel: bool) -> np.ndarray[Any, Any]:
    """The input cell of each output cell."""
    check(size, out, align_corners, half_pixel)
    scale, number = scale_of(size, out, align_corners), np.arange(out, dtype=np.float32)
    at = (number + np.float32(0.5)) * scale if half_pixel else number * scale
    cells: Matrix = np.floor(at + np.float32(0.5)) if align_corners else np.floor(at)
    return np.clip(cells, 0, size - 1).astype(np.int64)


def bilinear(size: int, out: int, align_corners: bool, half_pixel: bool) -> Matrix:
    """Between the two nearest cells, by distance."""
    at = positions(size, out, align_corners, half_pixel)
    low = np.floor(at)
    part = at - low
    columns = np.stack([np.maximum(low, 0), np.minimum(np.ceil(at), size - 1)], 1).astype(np.int64)
    return _matrix(size, columns, np.stack([np.float32(1) - part, part], 1))


def bicubic(size: int, out: int, align_corners: bool, half_pixel: bool) -> Matrix:
    """Over four cells by the cubic kernel with a = -0.75, or -0.5 for half pixels (Keys 1981)."""
    at = positions(size, out, align_corners, half_pixel)
    low = np.floor(at)
    step = np.rint((at - low) * np.float32(_STEPS)).astype(np.int64)
    a = np.float32(-0.5 if half_pixel else -0.75)
    x = np.arange(_STEPS + 1, dtype=np.float32) / np.float32(_STEPS)
    inner = ((a + 2) * x - (a + 3)) * x * x + 1
    x = x + np.float32(1)
    outer = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    weights = np.stack([outer[step], inner[step], inner[_STEPS - step], outer[_STEPS - step]], 1).astype(np.float32)
    columns = low.astype(np.int64)[:, None] + np.arange(-1, 3)
    if half_pixel:
        weights = np.where((columns >= 0) & (columns < size), weights, np.float32(0))
        total = weights.sum(1, keepdims=True)
        weights = np.where(np.abs(total) >= 1000 * np.finfo(np.float32).tiny, weights / total, weights)
    return _matrix(size, columns, weights)


def area(size: int, out: int, align_corners: bool) -> Matrix:
    """The mean over the stretch of the input that an output cell covers."""
    check(size, out, align_corners, False)
    scale, number = scale_of(size, out, align_corners), np.arange(out, dtype=np.float32)
    if scale == 0:
        return _matrix(size, np.zeros((out, 1), np.int64), np.ones((out, 1), np.float32))
    start, end = number * scale, (number + np.float32(1)) * scale
    first = np.floor(start).astype(np.int64)
    taps = int((np.ceil(end) - first).max())
    columns = first[:, None] + np.arange(taps)
    covered = np.minimum(columns + 1, end[:, None]) - np.maximum(columns, start[:, None])
    return _matrix(size, columns, np.maximum(covered, 0).astype(np.float32) / scale)
