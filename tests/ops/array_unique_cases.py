"""Rows of `ops/array_unique.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
VALUES = np.array([4, 1, 4, -2, 1])
TEXT = np.array([b"a", b"bc", b"a"], object)
ROWS = np.array([[1, 0, 0], [1, 0, 0], [2, 0, 0]], np.int32)
SORTED = F([[0, 3, 9, 9, 10], [1, 2, 3, 4, 5]])
WANTED = F([[2, 4, 9], [0, 2, 6]])

CASES = [
    Case("Unique", [VALUES]),
    Case("Unique", [F([2, 0, 2])], {"out_idx": np.int64}),
    Case("Unique", [TEXT]),
    Case("Unique", [VALUES[:0]]),
    Case("UniqueWithCounts", [VALUES]),
    Case("UniqueWithCounts", [TEXT], {"out_idx": np.int64}),
    Case("UniqueV2", [ROWS, np.array([0])]),
    Case("UniqueV2", [ROWS, np.array([1])]),
    Case("UniqueV2", [VALUES, np.zeros(0, np.int64)]),
    Case("UniqueWithCountsV2", [ROWS, np.array([1], np.int32)], {"out_idx": np.int64}),
    Case("ListDiff", [VALUES, np.array([1, 7])]),
    Case("ListDiff", [TEXT, TEXT[:1]], {"out_idx": np.int64}),
    *[
        case
        for op in ("LowerBound", "UpperBound")
        for case in (
            Case(op, [SORTED, WANTED]),
            Case(op, [SORTED.astype(np.int64), WANTED.astype(np.int64)], {"out_type": np.int64}),
            Case(op, [SORTED, WANTED[:1]], fails="Leading dim_size"),
        )
    ],
    Case("UnravelIndex", [np.array([2, 5, 7]), np.array([3, 3])]),
    Case("UnravelIndex", [np.int32(5), np.array([2, 3], np.int32)]),
    Case("UnravelIndex", [np.array([9]), np.array([3, 3])], fails="index is out of bound"),
]
