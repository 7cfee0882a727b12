"""Rows of the ops on colours."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(12)


def unit(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.random(shape).astype(dtype)


# black, white, grey, the six corners, and ties
_CORNERS = np.float32(
    [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]]
)
_MIXED = np.concatenate([_CORNERS, unit(7, 3)]).reshape(2, 2, 4, 3)

CASES = [
    Case("RGBToHSV", [_MIXED]),
    Case("RGBToHSV", [_CORNERS]),
    Case("RGBToHSV", [unit(3)]),
    Case("RGBToHSV", [unit(2, 3, dtype=np.float64)]),
    Case("HSVToRGB", [_MIXED]),
    Case("HSVToRGB", [unit(5, 3, dtype=np.float64)]),
    Case("AdjustContrastv2", [_MIXED, np.float32(0.7)]),
    Case("AdjustContrastv2", [unit(3, 4, 2), np.float32(-2)]),
    Case("AdjustHue", [_MIXED, np.float32(0.3)]),
    Case("AdjustHue", [unit(2, 3, 3), np.float32(-0.9)]),
    Case("AdjustSaturation", [_MIXED, np.float32(0.5)]),
    Case("AdjustSaturation", [unit(2, 3, 3), np.float32(3)]),
]
