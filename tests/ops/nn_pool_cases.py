"""Rows of pooling. Inputs hold few different values, so that windows have ties.

TensorFlow's CPU kernels take the channels last alone: `test_nn_lowerings.py` checks the other layouts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(6)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def ties(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.integers(-3, 4, shape).astype(dtype)


def pooled(x: Any, k: list[int], s: list[int], padding: str, reduce: Any = np.max) -> Any:
    """The pooled x, written out."""
    same = padding == "SAME"
    places = [-(-n // st) if same else (n - kk) // st + 1 for n, kk, st in zip(x.shape, k, s, strict=True)]
    low = [
        max(0, (o - 1) * st + kk - n) // 2 if same else 0 for n, kk, st, o in zip(x.shape, k, s, places, strict=True)
    ]
    out = np.empty(places, x.dtype)
    for at in np.ndindex(*places):
        cells = tuple(slice(max(0, a * st - lo), a * st - lo + kk) for a, st, lo, kk in zip(at, s, low, k, strict=True))
        out[at] = reduce(x[cells])
    return out


def _max(shape: tuple[int, ...], k: list[int], s: list[int], padding: str, dtype: Any = np.float32) -> list[Case]:
    """The maximum, its gradient and the gradient of that."""
    three = "3D" if len(shape) == 5 else ""
    attrs = {"ksize": k, "strides": s, "padding": padding}
    x = ties(*shape, dtype=dtype)
    y = pooled(x, k, s, padding)
    float_rows = np.dtype(dtype).kind == "f"
    return [
        Case(f"MaxPool{three}", [x], attrs, grad=float_rows),
        Case(f"MaxPool{three}Grad", [x, y, normal(*y.shape, dtype=dtype)], attrs, grad=float_rows),
        Case(f"MaxPool{three}GradGrad", [x, y, normal(*shape, dtype=dtype)], attrs, grad=float_rows),
    ]


def _avg(shape: tuple[int, ...], k: list[int], s: list[int], padding: str, dtype: Any = np.float32) -> list[Case]:
    """The mean and its gradient."""
    three = "3D" if len(shape) == 5 else ""
    attrs = {"ksize": k, "strides": s, "padding": padding}
    x = normal(*shape, dtype=dtype)
    y = pooled(x, k, s, padding, np.mean)
    return [
        Case(f"AvgPool{three}", [x], attrs, grad=True),
        Case(f"AvgPool{three}Grad", [np.int32(shape), normal(*y.shape, dtype=dtype)], attrs, grad=True),
    ]


_BOTH = [
    ((2, 4, 6, 3), [1, 2, 2, 1], [1, 2, 2, 1], "VALID"),
    ((2, 5, 5, 3), [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
    ((2, 5, 5, 3), [1, 2, 2, 1], [1, 2, 2, 1], "VALID"),
    ((2, 7, 6, 3), [1, 3, 3, 1], [1, 2, 2, 1], "SAME"),
    ((2, 7, 6, 3), [1, 3, 3, 1], [1, 2, 2, 1], "VALID"),
    ((1, 5, 6, 2), [1, 3, 3, 1], [1, 1, 1, 1], "SAME"),
    ((1, 5, 6, 2), [1, 3, 2, 1], [1, 1, 1, 1], "VALID"),
    ((1, 7, 8, 2), [1, 2, 1, 1], [1, 3, 2, 1], "SAME"),
    ((1, 8, 9, 2), [1, 5, 2, 1], [1, 2, 3, 1], "SAME"),
    # more positions than are unrolled: over all, and sliding
    ((2, 9, 9, 3), [1, 9, 9, 1], [1, 1, 1, 1], "VALID"),
    ((1, 12, 10, 2), [1, 9, 9, 1], [1, 2, 2, 1], "SAME"),
    ((1, 2, 2, 1), [1, 3, 3, 1], [1, 1, 1, 1], "SAME"),
]
_VOLUMES = [
    ((1, 3, 4, 4, 2), [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME"),
    ((1, 4, 5, 4, 2), [1, 3, 2, 3, 1], [1, 2, 1, 2, 1], "VALID"),
]
_SMALL = ((1, 4, 4, 1), [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
_NAN = np.float32([[1, 1, np.nan, 2], [1, 1, 5, 5], [0, -1, np.nan, np.nan], [np.nan, 3, np.nan, 1]])

CASES = [
    *(row for b in _BOTH + _VOLUMES for row in _max(*b)),
    *(row for b in _BOTH + _VOLUMES for row in _avg(*b)),
    *(row for t in (np.float64, np.float16, np.int32) for row in _max(*_SMALL, dtype=t)),
    *(row for t in (np.float64, np.float16) for row in _avg(*_SMALL, dtype=t)),
    Case("MaxPool", [_NAN.reshape(1, 4, 4, 1)], {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}),
    Case(
        "MaxPool",
        [np.full((1, 3, 3, 1), -np.inf, np.float32)],
        {"ksize": [1, 2, 2, 1], "strides": [1, 1, 1, 1], "padding": "SAME"},
    ),
    Case("MaxPool", [ties(2, 3, 3, 4)], {"ksize": [1, 1, 1, 2], "strides": [1, 1, 1, 2], "padding": "VALID"}),
    Case("MaxPool", [ties(0, 4, 4, 2)], {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}),
    Case(
        "MaxPool",
        [ties(2, 5, 4, 2)],
        {
            "ksize": [1, 3, 3, 1],
            "strides": [1, 2, 2, 1],
            "padding": "EXPLICIT",
            "explicit_paddings": [0, 0, 1, 0, 1, 2, 0, 0],
        },
        grad=True,
    ),
    Case(
        "MaxPoolV2",
        [ties(2, 5, 4, 2), np.int32([1, 2, 3, 1]), np.int32([1, 2, 2, 1])],
        {"padding": "SAME"},
        grad=True,
        grad_wrt=(0,),
    ),
    Case(
        "MaxPoolGradV2",
        [
            _X := ties(2, 5, 4, 2),
            _Y := pooled(_X, [1, 2, 3, 1], [1, 2, 2, 1], "SAME"),
            normal(*_Y.shape),
            np.int32([1, 2, 3, 1]),
            np.int32([1, 2, 2, 1]),
        ],
        {"padding": "SAME"},
        grad=True,
        grad_wrt=(2,),
    ),
    Case(
        "MaxPoolGradGradV2",
        [_X, _Y, normal(2, 5, 4, 2), np.int32([1, 2, 3, 1]), np.int32([1, 2, 2, 1])],
        {"padding": "SAME"},
    ),
]
