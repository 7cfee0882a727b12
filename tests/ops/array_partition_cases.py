"""Rows of `ops/array_partition.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
COLUMN = np.arange(8, dtype=F).reshape(4, 2)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


STITCHED = [
    case
    for op in ("DynamicStitch", "ParallelDynamicStitch")
    for case in (
        Case(op, [[ints(0, 2), ints(1)], [COLUMN[:2], COLUMN[3:]]], grad=True),
        Case(op, [[np.int32(1), np.array([[0, 2], [3, 4]], np.int32)], [F([9, 8]), np.ones((2, 2, 2), F)]], grad=True),
        Case(op, [[ints(0, 1), ints(1, 1)], [ints(5, 6), ints(7, 8)]]),
        Case(op, [[ints(), ints(0)], [np.zeros((0, 2), F), COLUMN[:1]]]),
        Case(op, [[ints(0, 1)], [COLUMN]], fails="."),
    )
]

CASES = [
    Case("DynamicPartition", [COLUMN, ints(1, 0, 1, 1)], {"num_partitions": 3}, grad=True),
    Case("DynamicPartition", [MATRIX, np.array([[0, 1, 0], [1, 1, 0]], np.int32)], {"num_partitions": 2}, grad=True),
    Case("DynamicPartition", [COLUMN, np.int32(1)], {"num_partitions": 2}),
    Case("DynamicPartition", [np.array([b"a", b"b"], object), ints(1, 0)], {"num_partitions": 2}),
    Case("DynamicPartition", [COLUMN, ints(1, 0, 3, 1)], {"num_partitions": 3}, fails=r"partitions\[2\] = 3 is not in"),
    Case("DynamicPartition", [COLUMN, ints(1, 0)], {"num_partitions": 3}, fails="."),
    *STITCHED,
]
