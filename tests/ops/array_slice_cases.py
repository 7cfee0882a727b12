"""Rows of `ops/array_slice.py`."""

from typing import Any

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
CUBE = np.arange(24, dtype=F).reshape(2, 3, 4)
TEXT = np.array([b"a", b"bc"], object)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def longs(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def masks(begin: int = 0, end: int = 0, ellipsis: int = 0, new: int = 0, shrink: int = 0) -> dict[str, Any]:
    return {
        "begin_mask": begin,
        "end_mask": end,
        "ellipsis_mask": ellipsis,
        "new_axis_mask": new,
        "shrink_axis_mask": shrink,
    }


CASES = [
    Case("Slice", [CUBE, ints(0, 1, 2), ints(2, 1, 2)], grad=True),
    Case("Slice", [CUBE, longs(1, 0, 2), longs(-1, 3, -1)], grad=True),
    Case("Slice", [MATRIX, ints(2, 0), ints(0, 3)]),
    Case("Slice", [TEXT, ints(1), ints(1)], compiled=False),
    Case("Slice", [MATRIX, ints(0, 1), ints(1, 3)], fails=r"Expected size\[1\] in \[0, 2\]"),
    Case("Slice", [MATRIX, ints(0, 4), ints(1, 1)], fails=r"Expected begin\[1\] in \[0, 3\]"),
    # x[i], x[:, i], x[..., i], x[-1]
    Case("StridedSlice", [CUBE, ints(1), ints(2), ints(1)], masks(shrink=1), grad=True),
    Case("StridedSlice", [CUBE, ints(0, -1), ints(0, 0), ints(1, 1)], masks(1, 1, shrink=2), grad=True),
    Case("StridedSlice", [CUBE, longs(0, 3), longs(0, 4), longs(1, 1)], masks(ellipsis=1, shrink=2), grad=True),
    Case("StridedSlice", [CUBE, ints(1, 2, 3), ints(2, 3, 4), ints(1, 1, 1)], masks(shrink=7)),
    # x[::-1], x[:, ::2]: whole dimensions
    Case("StridedSlice", [CUBE, ints(0), ints(0), ints(-1)], masks(1, 1), grad=True),
    Case("StridedSlice", [CUBE, ints(0, 0), ints(0, 0), ints(1, 2)], masks(3, 3), grad=True),
    # x[None, ..., None], x[0, None], x[..., None, :]
    Case("StridedSlice", [MATRIX, ints(0, 0, 0), ints(0, 0, 0), ints(1, 1, 1)], masks(new=5, ellipsis=2), grad=True),
    Case("StridedSlice", [MATRIX, ints(0, 0), ints(1, 0), ints(1, 1)], masks(new=2, shrink=1)),
    Case("StridedSlice", [MATRIX, ints(0, 0, 0), ints(0, 0, 0), ints(1, 1, 1)], masks(4, 4, ellipsis=1, new=2)),
    # Ranges.
    Case("StridedSlice", [CUBE, ints(0, 1), ints(1, 3), ints(1, 1)], masks(), grad=True),
    Case("StridedSlice", [CUBE, ints(1), ints(0), ints(1)], masks(end=1), grad=True),
    Case("StridedSlice", [CUBE, ints(0, 0, -2), ints(9, 9, -9), ints(1, 2, -1)], masks()),
    Case("StridedSlice", [CUBE, ints(1), ints(1), ints(1)], masks()),
    Case("StridedSlice", [CUBE, ints(5), ints(-9), ints(-2)], masks()),
    Case("StridedSlice", [ints(3, 4, 5), ints(1), ints(2), ints(1)], masks(shrink=1)),
    Case("StridedSlice", [TEXT, ints(1), ints(2), ints(1)], masks(shrink=1), compiled=False),
    Case("StridedSlice", [MATRIX, ints(2), ints(3), ints(1)], masks(shrink=1), fails="out of bounds"),
    Case("StridedSlice", [MATRIX, ints(0), ints(3), ints(0)], masks(), fails="must be non-zero"),
    Case("StridedSlice", [MATRIX, ints(0, 0, 0), ints(1, 1, 1), ints(1, 1, 1)], masks(), fails="only 2 dims"),
    Case("StridedSliceGrad", [ints(2, 3, 4), ints(0, 1), ints(0, 2), ints(1, 1), CUBE[:, 1]], masks(1, 1, shrink=2),
         grad=True, grad_wrt=(4,)),
    Case("StridedSliceGrad", [ints(2, 3), ints(0, 2), ints(2, -9), ints(1, -2), MATRIX[:, ::-2]], masks()),
    Case("StridedSliceGrad", [longs(4), longs(0), longs(0), longs(2), F([1, 2])], masks(1, 1)),
    Case("StridedSliceGrad", [ints(4), ints(0), ints(0), ints(2), F([1, 2, 3])], masks(1, 1), fails="shape of dy was"),
    Case("TensorStridedSliceUpdate", [CUBE, ints(0, 1), ints(1, 3), ints(1, 1), -CUBE[:1, :2]], masks(), grad=True),
    Case("TensorStridedSliceUpdate", [CUBE, ints(0), ints(1), ints(1), F(9)], masks(shrink=1), grad=True),
]  # fmt: skip
