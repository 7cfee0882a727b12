"""Rows of convolution over volumes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(14)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def _three(
    x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], dtype: Any = np.float32, **attrs: Any
) -> list[Case]:
    """The convolution and both gradients."""
    data, filters, dy = normal(*x, dtype=dtype), normal(*w, dtype=dtype), normal(*y, dtype=dtype)
    return [
        Case("Conv3D", [data, filters], attrs, grad=True),
        Case("Conv3DBackpropInputV2", [np.int32(x), filters, dy], attrs, grad=True),
        Case("Conv3DBackpropFilterV2", [data, np.int32(w), dy], attrs, grad=True),
    ]


SAME = {"strides": [1, 1, 1, 1, 1], "padding": "SAME"}

CASES = [
    *_three((2, 3, 4, 5, 2), (2, 3, 3, 2, 3), (2, 3, 4, 5, 3), **SAME),
    *_three((1, 5, 4, 5, 2), (3, 2, 3, 2, 3), (1, 2, 2, 3, 3), strides=[1, 2, 2, 1, 1], padding="VALID"),
    *_three((1, 5, 4, 3, 2), (3, 3, 3, 2, 3), (1, 3, 2, 2, 3), strides=[1, 2, 2, 2, 1], padding="SAME"),
    *_three((1, 3, 2, 2, 4), (1, 1, 1, 4, 3), (1, 3, 2, 2, 3), **SAME),
    *_three((1, 3, 3, 3, 1), (2, 2, 2, 1, 2), (1, 3, 3, 3, 2), np.float64, **SAME),
    Case(
        "Conv3DBackpropInputV2",
        [np.int64([1, 3, 3, 3, 1]), normal(2, 2, 2, 1, 2), normal(1, 3, 3, 3, 2)],
        SAME,
    ),
]
