"""Rows of depthwise convolution."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(7)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def _three(
    x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], dtype: Any = np.float32, **attrs: Any
) -> list[Case]:
    """The convolution and both gradients."""
    data, filters, dy = normal(*x, dtype=dtype), normal(*w, dtype=dtype), normal(*y, dtype=dtype)
    return [
        Case("DepthwiseConv2dNative", [data, filters], attrs, grad=True),
        Case("DepthwiseConv2dNativeBackpropInput", [np.int32(x), filters, dy], attrs, grad=True),
        Case("DepthwiseConv2dNativeBackpropFilter", [data, np.int32(w), dy], attrs, grad=True),
    ]


SAME = {"strides": [1, 1, 1, 1], "padding": "SAME"}

CASES = [
    *_three((2, 5, 6, 3), (3, 3, 3, 1), (2, 5, 6, 3), **SAME),
    *_three((2, 5, 6, 3), (3, 2, 3, 2), (2, 5, 6, 6), **SAME),
    *_three((2, 5, 6, 3), (3, 2, 3, 2), (2, 3, 5, 6), strides=[1, 1, 1, 1], padding="VALID"),
    *_three((2, 7, 6, 3), (3, 3, 3, 2), (2, 4, 3, 6), strides=[1, 2, 2, 1], padding="SAME"),
    *_three((1, 7, 8, 2), (3, 3, 2, 1), (1, 3, 3, 2), strides=[1, 2, 2, 1], padding="VALID"),
    *_three(
        (1, 5, 5, 2),
        (3, 3, 2, 1),
        (1, 3, 3, 2),
        strides=[1, 2, 2, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, 1, 1, 0, 2, 0, 0],
    ),
    *_three((1, 4, 4, 2), (1, 1, 2, 1), (1, 4, 4, 2), **SAME),
    *_three((1, 4, 4, 2), (3, 3, 2, 1), (1, 4, 4, 2), np.float64, **SAME),
    *_three((1, 4, 4, 2), (3, 3, 2, 1), (1, 4, 4, 2), np.float16, **SAME),
    *_three((9, 4, 5, 2), (3, 2, 2, 2), (9, 4, 5, 4), **SAME),
    *_three((9, 5, 4, 2), (3, 3, 2, 2), (9, 3, 2, 4), strides=[1, 2, 2, 1], padding="SAME"),
    *_three(
        (1, 4, 5, 2),
        (2, 2, 2, 2),
        (1, 8, 6, 4),
        strides=[1, 1, 1, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, 3, 2, 0, 2, 0, 0],
    ),
]
