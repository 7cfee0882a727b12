"""Rows of `ops/segment.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
ROWS = F([[1, 2], [3, 0], [5, 6], [5, -1]])
SORTED = np.array([0, 0, 2, 2], np.int32)
MIXED = np.array([2, 0, -1, 2])
THREE = np.int32(3)

SORTED_OPS = ("SegmentSum", "SegmentMean", "SegmentProd", "SegmentMin", "SegmentMax")
UNSORTED_OPS = ("UnsortedSegmentSum", "UnsortedSegmentProd", "UnsortedSegmentMin", "UnsortedSegmentMax")

CASES = [
    *[
        case
        for op in SORTED_OPS
        for case in (
            Case(op, [ROWS, SORTED], grad=True),
            Case(op, [ROWS[:, 0].astype(np.int32), SORTED.astype(np.int64)]),
            Case(op, [np.zeros((0, 2)), np.zeros(0, np.int32)]),
            Case(op, [ROWS, SORTED[::-1].copy()], fails="segment ids are not increasing"),
            Case(op, [ROWS, SORTED[:3]], fails="."),
        )
    ],
    *[
        case
        for op in UNSORTED_OPS
        for case in (
            Case(op, [ROWS, MIXED, THREE], grad=True),
            Case(op, [ROWS.reshape(2, 2, 2), np.array([[1, 0], [1, -1]], np.int32), np.int64(4)], grad=True),
            Case(op, [ROWS[:, 0].astype(np.int32), SORTED, THREE]),
            Case(op, [ROWS, MIXED, np.int32(2)], fails=r"segment_ids\[0\] = 2 is out of range \[0, 2\)"),
            Case(op, [ROWS, MIXED[:2], THREE], fails="does not start with segment_ids.shape"),
        )
    ],
    Case("UnsortedSegmentSum", [F(3), np.int32(1), np.int32(2)]),
    Case("UnsortedSegmentMax", [ROWS.astype(np.float16), MIXED, THREE]),
]
