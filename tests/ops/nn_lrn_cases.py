"""Rows of local response normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(9)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def _both(channels: int, dtype: Any = np.float32, **attrs: Any) -> list[Case]:
    radius, bias, alpha, beta = (
        attrs.get(k, d) for k, d in (("depth_radius", 5), ("bias", 1.0), ("alpha", 1.0), ("beta", 0.5))
    )
    x = normal(2, 3, 2, channels, dtype=dtype)
    square, number = x.astype(np.float32) ** 2, np.arange(channels)
    sums = square @ (np.abs(number[:, None] - number) <= radius).astype(np.float32)
    y = (x * (bias + alpha * sums) ** -beta).astype(dtype)
    return [
        Case("LRN", [x], attrs, grad=True),
        Case("LRNGrad", [normal(*x.shape, dtype=dtype), x, y], attrs),
    ]


CASES = [
    *_both(3),
    *_both(16),
    *_both(7, depth_radius=2, bias=2.0, alpha=1e-2, beta=0.75),
    *_both(4, depth_radius=0),
    *_both(24, depth_radius=9, alpha=1e-2, beta=0.75),
    *_both(5, np.float16, depth_radius=2),
]
