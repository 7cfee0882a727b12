"""Rows of `ops/image_transform.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
IMAGES = (np.arange(60).reshape(2, 3, 5, 2) % 17).astype(F)
TURN = np.array([[0.9, -0.4, 0.3, 0.35, 1.1, -0.6, 0.01, 0.02]], F)
TWO = np.array([TURN[0], [1.5, 0.0, -4.0, 0.0, -1.0, 6.0, 0.0, 0.0]], F)
SHIFT = np.array([[1.0, 0.0, 0.25, 0.0, 1.0, -0.5, 0.0, 0.0]], F)
SIZE = np.int32([4, 6])

CASES = [
    *(
        Case("ImageProjectiveTransformV2", [IMAGES, t, SIZE], {"interpolation": interpolation, "fill_mode": mode})
        for interpolation in ("NEAREST", "BILINEAR")
        for mode in ("CONSTANT", "REFLECT", "WRAP", "NEAREST")
        for t in (TURN, TWO)
    ),
    Case("ImageProjectiveTransformV2", [IMAGES.astype(np.uint8), SHIFT, SIZE], {"interpolation": "BILINEAR"}),
    Case("ImageProjectiveTransformV2", [IMAGES.astype(np.int64), TWO, SIZE], {"interpolation": "NEAREST"}),
    Case("ImageProjectiveTransformV3", [IMAGES, TWO, SIZE, F(9.5)], {"interpolation": "BILINEAR"}),
    Case("ImageProjectiveTransformV3", [IMAGES.astype(np.float64), TWO, SIZE, F(-1)], {"interpolation": "NEAREST"}),
    Case("ImageProjectiveTransformV2", [IMAGES, TWO[:, :7], SIZE], {"interpolation": "NEAREST"}, fails="transform"),
]
