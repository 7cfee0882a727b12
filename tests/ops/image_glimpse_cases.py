"""Rows of `ops/image_glimpse.py`."""

import numpy as np

from tests.ops.case import Case

IMAGES = np.arange(2 * 7 * 6 * 2, dtype=np.float32).reshape(2, 7, 6, 2)
PIXELS = np.float32([[3.0, 2.0], [5.5, 0.5]])
PARTS = np.float32([[0.2, -0.5], [0.9, 0.1]])
GAUSS = {"noise": "gaussian", "uniform_noise": False}
ZERO = {"noise": "zero", "uniform_noise": False}

CASES = [
    *(
        Case(op, [IMAGES, np.int32(size), offsets], {**ZERO, "centered": centered, "normalized": normalized})
        for op in ("ExtractGlimpse", "ExtractGlimpseV2")
        for size in ([3, 4], [9, 2])
        for centered in (True, False)
        for normalized, offsets in ((True, PARTS), (False, PIXELS))
    ),
    Case("ExtractGlimpse", [IMAGES, np.int32([3, 3]), np.float32([[0, 0], [0.1, -0.1]])], GAUSS),
    Case("ExtractGlimpse", [IMAGES, np.int32([3, 3]), PARTS[:1]], ZERO, fails="."),
]
