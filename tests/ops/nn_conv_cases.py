"""Rows of Conv2D and its gradients.

TensorFlow's CPU kernels take NHWC alone, and have no gradients with dilations or groups: `test_nn_lowerings.py` checks
the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(1)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def _three(
    x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], dtype: Any = np.float32, **attrs: Any
) -> list[Case]:
    """The convolution and both gradients."""
    data, filters, dy = normal(*x, dtype=dtype), normal(*w, dtype=dtype), normal(*y, dtype=dtype)
    return [
        Case("Conv2D", [data, filters], attrs, grad=True),
        Case("Conv2DBackpropInput", [np.int32(x), filters, dy], attrs, grad=True),
        Case("Conv2DBackpropFilter", [data, np.int32(w), dy], attrs, grad=True),
    ]


SAME = {"strides": [1, 1, 1, 1], "padding": "SAME"}
VALID = {"strides": [1, 1, 1, 1], "padding": "VALID"}

CASES = [
    *_three((2, 5, 6, 3), (3, 3, 3, 4), (2, 5, 6, 4), **SAME),
    *_three((2, 5, 6, 3), (3, 2, 3, 4), (2, 3, 5, 4), **VALID),
    # an even window pads more behind
    *_three((1, 4, 5, 2), (2, 4, 2, 3), (1, 4, 5, 3), **SAME),
    *_three((2, 7, 6, 3), (3, 3, 3, 4), (2, 4, 3, 4), strides=[1, 2, 2, 1], padding="SAME"),
    *_three((2, 9, 8, 3), (2, 3, 3, 4), (2, 4, 2, 4), strides=[1, 2, 3, 1], padding="VALID"),
    # many channels and strides: a product for each position
    *_three((2, 7, 7, 16), (3, 3, 16, 4), (2, 4, 4, 4), strides=[1, 2, 2, 1], padding="SAME"),
    # a small map with many channels: one product
    *_three((1, 4, 3, 128), (3, 3, 128, 5), (1, 4, 3, 5), **SAME),
    *_three((1, 5, 5, 128), (3, 3, 128, 5), (1, 2, 2, 5), strides=[1, 2, 2, 1], padding="VALID"),
    # points
    *_three((2, 4, 3, 5), (1, 1, 5, 7), (2, 4, 3, 7), **SAME),
    *_three((2, 5, 4, 5), (1, 1, 5, 7), (2, 3, 2, 7), strides=[1, 2, 2, 1], padding="SAME"),
    *_three((2, 6, 4, 5), (1, 1, 5, 7), (2, 2, 2, 7), strides=[1, 3, 3, 1], padding="VALID"),
    *_three(
        (1, 3, 3, 2),
        (1, 1, 2, 3),
        (1, 6, 4, 3),
        strides=[1, 1, 1, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0],
    ),
    *_three(
        (1, 5, 5, 2),
        (3, 3, 2, 3),
        (1, 3, 3, 3),
        strides=[1, 2, 2, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, 1, 1, 0, 2, 0, 0],
    ),
    Case("Conv2D", [normal(2, 8, 9, 3), normal(3, 3, 3, 4)], {**VALID, "dilations": [1, 2, 3, 1]}, grad=True),
    Case("Conv2D", [normal(2, 8, 9, 3), normal(3, 2, 3, 4)], {**SAME, "dilations": [1, 2, 2, 1]}, grad=True),
    # groups
    Case("Conv2D", [normal(2, 5, 5, 4), normal(3, 3, 2, 6)], SAME, grad=True),
    Case("Conv2D", [normal(2, 5, 5, 4), normal(3, 3, 1, 4)], {"strides": [1, 2, 2, 1], "padding": "SAME"}),
    *_three((1, 4, 4, 2), (3, 3, 2, 3), (1, 4, 4, 3), np.float64, **SAME),
    *_three((1, 4, 4, 2), (3, 3, 2, 3), (1, 4, 4, 3), np.float16, **SAME),
    Case("Conv2D", [np.arange(18, dtype=np.int32).reshape(1, 3, 3, 2), np.ones((2, 2, 2, 1), np.int32)], VALID),
    # the window larger than the map, a cell alone, an empty batch
    *_three((1, 2, 2, 1), (5, 5, 1, 1), (1, 2, 2, 1), **SAME),
    *_three((1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1), **VALID),
    Case("Conv2D", [normal(0, 4, 4, 2), normal(3, 3, 2, 3)], SAME),
    Case("Conv2DBackpropFilter", [normal(0, 4, 4, 2), np.int32([3, 3, 2, 3]), normal(0, 4, 4, 3)], SAME),
    # height and width alone
    Case(
        "Conv2DBackpropInput",
        [np.int32([5, 5]), normal(3, 3, 2, 3), normal(2, 3, 3, 3)],
        {"strides": [1, 2, 2, 1], "padding": "SAME"},
    ),
]
