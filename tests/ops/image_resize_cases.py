"""Rows of image resizing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(11)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def pixels(*shape: int, dtype: Any = np.uint8) -> Any:
    return _RNG.integers(0, 120, shape).astype(dtype)


FLAGS: list[dict[str, Any]] = [{}, {"align_corners": True}, {"half_pixel_centers": True}]
# in, out
SIZES = [((5, 7), (3, 4)), ((5, 7), (10, 14)), ((4, 3), (9, 1)), ((3, 3), (3, 5)), ((1, 2), (3, 2))]


def _resize(name: str) -> list[Case]:
    rows = [
        Case(name, [normal(2, *before, 2), np.int32(after)], flags, grad=True, grad_wrt=(0,))
        for before, after in SIZES
        for flags in FLAGS
    ]
    rows += [Case(name, [pixels(1, 4, 5, 1, dtype=t), np.int32([3, 9])]) for t in (np.uint8, np.int32)]
    rows += [Case(name, [normal(1, 4, 5, 1, dtype=t), np.int32([3, 9])]) for t in (np.float64, np.float16)]
    return [*rows, Case(name, [normal(0, 4, 5, 1), np.int32([3, 9])])]


def _back(name: str) -> list[Case]:
    return [
        Case(name, [normal(2, *after, 2), normal(2, *before, 2)], flags) for before, after in SIZES for flags in FLAGS
    ]


CASES = [
    *_resize("ResizeBilinear"),
    *_back("ResizeBilinearGrad"),
    Case(
        "ResizeBilinearGrad",
        [normal(1, 3, 4, 1), normal(1, 2, 2, 1, dtype=np.float64)],
        rtol=1e-7,
        why="weights are float32",
    ),
    *_resize("ResizeBicubic"),
    *_back("ResizeBicubicGrad"),
    *_resize("ResizeNearestNeighbor"),
    *(
        Case("ResizeNearestNeighborGrad", [normal(2, *after, 2), np.int32(before)], flags)
        for before, after in SIZES
        for flags in FLAGS
    ),
    Case("ResizeNearestNeighborGrad", [pixels(1, 4, 4, 1, dtype=np.int32), np.int32([2, 3])]),
    *(
        Case("ResizeArea", [normal(2, *before, 2), np.int32(after)], flags)
        for before, after in SIZES
        for flags in FLAGS[:2]
    ),
    Case("ResizeArea", [pixels(1, 4, 5, 1), np.int32([3, 9])]),
]
