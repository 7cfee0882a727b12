"""Rows of the ops on boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(18)


def unit(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.random(shape).astype(dtype)


def boxes(*shape: int) -> Any:
    """Boxes of about a third of the image, some turned over."""
    low = _RNG.random((*shape, 2)) * 0.7
    found = np.concatenate([low, low + 0.2 + 0.2 * _RNG.random((*shape, 2))], -1)
    turned = _RNG.random(shape) < 0.2
    found[turned] = np.roll(found[turned], 2, -1)
    return found.astype(np.float32)


F, N = np.float32, np.int32
_BOXES, _SCORES = boxes(30), unit(30)
_EQUAL = np.float32([0.5, 0.9, 0.5, 0.9, 0.1] * 6)
# More than are compared with each other at once, some of them twice.
_MANY, _MANY_SCORES = boxes(300), np.round(unit(300), 2)
_MANY[::7] = _MANY[1::7][: len(_MANY[::7])]
_CROWD = [0.5 + _MANY / 10, _MANY_SCORES]
_NONE = [np.zeros((0, 4), np.float32), np.zeros(0, np.float32)]
_HALF = [_BOXES.astype(np.float16), _SCORES.astype(np.float16)]
_OVERLAPS = unit(8, 8)
_DRAWN = np.float32(
    [[[0.2, 0.2, 0.8, 0.8], [-0.2, 0.3, 0.5, 1.2], [0.8, 0.8, 0.2, 0.2], [1.1, 1.1, 1.5, 1.5], [0.5, 0.5, 0.5, 0.5]]]
)

CASES = [
    Case("NonMaxSuppression", [_BOXES, _SCORES, N(10)], {"iou_threshold": 0.3}),
    Case("NonMaxSuppression", [_BOXES, _EQUAL, N(50)]),
    *(Case("NonMaxSuppression", [_MANY, _MANY_SCORES, N(n)], {"iou_threshold": q}) for n, q in ((300, 0.7), (90, 0.9))),
    Case("NonMaxSuppression", [*_CROWD, N(100)], {"iou_threshold": 0.05}),
    Case("NonMaxSuppression", [*_NONE, N(5)]),
    Case("NonMaxSuppressionV2", [_BOXES, _SCORES, N(10), F(0.2)]),
    Case("NonMaxSuppressionV3", [_BOXES, _SCORES, N(10), F(0.2), F(0.4)]),
    Case("NonMaxSuppressionV3", [_BOXES, _SCORES, N(0), F(0.2), F(0.4)]),
    Case("NonMaxSuppressionV3", [*_HALF, N(10), np.float16(0.25), np.float16(0.5)]),
    Case("NonMaxSuppressionV4", [_BOXES, _SCORES, N(20), F(0.2), F(0.4)]),
    Case("NonMaxSuppressionV4", [_BOXES, _SCORES, N(20), F(0.2), F(0.4)], {"pad_to_max_output_size": True}),
    Case("NonMaxSuppressionV5", [_BOXES, _SCORES, N(20), F(0.2), F(0.4), F(0)]),
    Case("NonMaxSuppressionV5", [_BOXES, _SCORES, N(20), F(1), F(0.1), F(0.5)], {"pad_to_max_output_size": True}),
    Case("NonMaxSuppressionV5", [_BOXES, _SCORES, N(25), F(0.3), F(0.05), F(0.2)]),
    Case("NonMaxSuppressionWithOverlaps", [np.maximum(_OVERLAPS, _OVERLAPS.T), unit(8), N(5), F(0.6), F(0.1)]),
    *(
        Case("CombinedNonMaxSuppression", [boxes(2, 20, q), unit(2, 20, 3), N(4), N(10), F(0.3), F(0.5)], attrs)
        for q in (1, 3)
        for attrs in ({}, {"pad_per_class": True}, {"clip_boxes": False})
    ),
    Case(
        "CombinedNonMaxSuppression",
        [boxes(1, 5, 1), unit(1, 5, 2), N(2), N(10), F(0.3), F(0.5)],
        {"pad_per_class": True},
    ),
    *(Case("DrawBoundingBoxes", [unit(1, 6, 8, depth), _DRAWN]) for depth in (1, 3, 4)),
    Case("DrawBoundingBoxes", [unit(1, 6, 8, 3, dtype=np.float16), _DRAWN]),
    Case("DrawBoundingBoxesV2", [unit(1, 6, 8, 3), _DRAWN, np.float32([[1, 2, 3], [4, 5, 6]])]),
]
