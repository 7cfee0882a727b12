"""Buckets that grow by a tenth each, from 1e-12 to 1e20 on both sides of zero: TensorBoard's histograms."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np

from regraft.serde.summary import Histogram

_MOST = sys.float_info.max


@cache
def _limits() -> np.ndarray[Any, Any]:
    """The right ends of the buckets. Each follows from the one before, as rounding makes the difference."""
    positive = []
    value = 1.0e-12
    while value < 1.0e20:
        positive.append(value)
        value *= 1.1
    positive.append(_MOST)
    return np.array([*(-v for v in reversed(positive)), 0.0, *positive])


def histogram(values: np.ndarray[Any, Any]) -> Histogram:
    """The histogram of finite numbers. Runs of empty buckets are one bucket."""
    flat = values.reshape(-1).astype(np.float64)
    if not flat.size:
        return Histogram(_MOST, -_MOST, 0.0, 0.0, 0.0, [_MOST], [0.0])
    limits = _limits()
    counts = np.bincount(np.searchsorted(limits, flat, side="right").clip(max=len(limits) - 1), minlength=len(limits))
    # The last bucket of each run of empty ones, and all others.
    keep = (counts > 0) | np.append(counts[1:] > 0, True)
    # Summed one by one, as NumPy's own sum groups its terms.
    return Histogram(
        float(flat.min()),
        float(flat.max()),
        float(flat.size),
        float(np.cumsum(flat)[-1]),
        float(np.cumsum(flat * flat)[-1]),
        limits[keep].tolist(),
        counts[keep].astype(np.float64).tolist(),
    )
