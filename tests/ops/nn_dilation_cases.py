"""Rows of grey-scale dilation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(15)


def normal(*shape: int) -> Any:
    return _RNG.standard_normal(shape).astype(np.float32)


def _three(x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], **attrs: Any) -> list[Case]:
    data, filters, dy = normal(*x), normal(*w), normal(*y)
    return [
        Case("Dilation2D", [data, filters], attrs, grad=True),
        Case("Dilation2DBackpropInput", [data, filters, dy], attrs),
        Case("Dilation2DBackpropFilter", [data, filters, dy], attrs),
    ]


ONES = [1, 1, 1, 1]

CASES = [
    *_three((2, 5, 6, 3), (3, 2, 3), (2, 5, 6, 3), strides=ONES, rates=ONES, padding="SAME"),
    *_three((1, 7, 6, 2), (3, 3, 2), (1, 3, 2, 2), strides=[1, 2, 2, 1], rates=ONES, padding="VALID"),
    *_three((1, 6, 7, 2), (2, 3, 2), (1, 3, 4, 2), strides=[1, 2, 2, 1], rates=[1, 2, 1, 1], padding="SAME"),
    Case(
        "Dilation2D",
        [_RNG.integers(-9, 9, (1, 4, 4, 1)).astype(np.int32), _RNG.integers(-3, 3, (2, 2, 1)).astype(np.int32)],
        {"strides": ONES, "rates": ONES, "padding": "SAME"},
    ),
]
