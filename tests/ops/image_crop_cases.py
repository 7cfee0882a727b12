"""Rows of CropAndResize: boxes inside, turned over, beyond the image, and of one point."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(13)
BOXES = np.float32(
    [[0.1, 0.2, 0.8, 0.9], [0.9, 0.8, 0.2, 0.1], [-0.5, 0.3, 1.4, 0.6], [0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1]]
)
INDEX = np.int32([0, 1, 1, 0, 1])


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


_NEAREST = {"method": "nearest", "extrapolation_value": -1.5}

CASES = [
    *(
        Case("CropAndResize", [normal(2, 5, 6, 2), BOXES, INDEX, np.int32(size)], attrs, grad=True, grad_wrt=(0, 1))
        for size in ((3, 4), (1, 7), (6, 1))
        for attrs in ({}, _NEAREST)
    ),
    Case("CropAndResize", [_RNG.integers(0, 255, (2, 4, 4, 1)).astype(np.uint8), BOXES, INDEX, np.int32([3, 2])]),
    Case("CropAndResize", [normal(2, 4, 4, 1, dtype=np.float64), BOXES, INDEX, np.int32([3, 2])]),
    Case("CropAndResize", [normal(2, 4, 4, 1), BOXES[:0], INDEX[:0], np.int32([3, 2])]),
    *(
        Case(
            "CropAndResizeGradImage",
            [normal(5, *size, 2), BOXES, INDEX, np.int32([2, 5, 6, 2])],
            {"T": np.float32, "method": method},
        )
        for size in ((3, 4), (1, 7))
        for method in ("bilinear", "nearest")
    ),
    *(
        Case("CropAndResizeGradBoxes", [normal(5, *size, 2), normal(2, 5, 6, 2), BOXES, INDEX])
        for size in ((3, 4), (1, 7), (6, 1))
    ),
]
