"""Rows of `ops/segment_sparse.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
ROWS = F([[1, 2], [3, 0], [5, 6], [5, -1]])
PICKED = np.array([3, 0, 1, 0], np.int32)
IDS = np.array([0, 0, 0, 2], np.int32)

CASES = [
    case
    for op in ("Sum", "Mean", "SqrtN")
    for case in (
        Case(f"SparseSegment{op}", [ROWS, PICKED, IDS], grad=True),
        Case(f"SparseSegment{op}", [ROWS, PICKED.astype(np.int64), IDS], {"sparse_gradient": True}, grad=True),
        Case(f"SparseSegment{op}", [ROWS.astype(np.float64), PICKED[:0], IDS[:0]]),
        Case(f"SparseSegment{op}", [ROWS, PICKED + 2, IDS], fails=r"indices\[0\] == 5 out of range \[0, 4\)"),
        Case(f"SparseSegment{op}", [ROWS, PICKED, IDS[::-1].copy()], fails="."),
        Case(f"SparseSegment{op}WithNumSegments", [ROWS, PICKED, IDS, np.int32(4)], grad=True),
        Case(f"SparseSegment{op}WithNumSegments", [ROWS[:, 0], PICKED, IDS, np.int64(3)], {"sparse_gradient": True},
             grad=True),
        Case(f"SparseSegment{op}WithNumSegments", [ROWS, PICKED, IDS, np.int32(2)], fails="."),
        Case(f"SparseSegment{op}Grad", [ROWS[:3], PICKED, IDS, np.int32(5)]),
        Case(f"SparseSegment{op}Grad", [ROWS[:3], PICKED, IDS, np.int32(3)], fails="."),
        Case(f"SparseSegment{op}Grad", [ROWS[:2], PICKED, IDS, np.int32(5)], fails="."),
        Case(f"SparseSegment{op}GradV2", [ROWS[:3], PICKED, IDS, np.int32(5)]),
    )
]  # fmt: skip
