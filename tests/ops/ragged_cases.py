"""Rows of `ops/ragged.py`."""

import numpy as np

from tests.ops.case import Case

J, L, F = np.int32, np.int64, np.float32
SPLITS = L([0, 2, 2, 5])
NUMBERS = J([1, 2, 3, 4, 5])
PAIRS = F([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]])
DEEP = [L([0, 2, 3]), L([0, 1, 1, 3])]
TEXT = np.array([b"a", b"b", b"c", b"d", b"e"], object)

CASES = [
    Case("RaggedRange", [J([2, 5, 8]), J([5, 5, 3]), J([1, 1, -2])]),
    Case("RaggedRange", [J(0), J([3, 2]), J(1)], {"Tsplits": "int32"}),
    Case("RaggedRange", [F([0.0]), F([1.0]), F([0.3])]),
    Case("RaggedRange", [J(0), J(3), J(1)]),
    Case("RaggedRange", [J([0, 1]), J([3]), J(1)], fails="starts, limits, and deltas must have the same shape"),
    Case("RaggedRange", [J(0), J([3]), J(0)], fails="Requires delta != 0"),
    Case("RaggedGather", [[SPLITS], NUMBERS, J([2, 0, 2])], {"OUTPUT_RAGGED_RANK": 1}),
    Case("RaggedGather", [[SPLITS], PAIRS, L([[2, 0], [1, 1]])], {"OUTPUT_RAGGED_RANK": 2}),
    Case("RaggedGather", [DEEP, NUMBERS[:3], L([1, 0])], {"OUTPUT_RAGGED_RANK": 2}),
    Case("RaggedGather", [[SPLITS], NUMBERS, J([3])], {"OUTPUT_RAGGED_RANK": 1}, fails=r"indices\[0\] = 3 is not in"),
    Case("RaggedTensorToSparse", [[SPLITS], NUMBERS]),
    Case("RaggedTensorToSparse", [DEEP, NUMBERS[:3]]),
    Case("RaggedTensorToSparse", [[SPLITS], PAIRS]),
    Case("RaggedTensorToSparse", [[J([0, 2, 2, 5])], TEXT]),
    *(
        Case("RaggedTensorToTensor", [shape, *rest], {"row_partition_types": kinds})
        for rest, kinds in (
            ([NUMBERS, J(0), [SPLITS]], ["ROW_SPLITS"]),
            ([NUMBERS, J(-1), [L(3), L([0, 0, 2, 2, 2])]], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]),
        )
        for shape in (L([-1, -1]), L([4, 2]), L([2, 4]))
    ),
    Case(
        "RaggedTensorToTensor",
        [L([-1, -1, -1]), NUMBERS[:3], J(0), DEEP],
        {"row_partition_types": ["ROW_SPLITS", "ROW_SPLITS"]},
    ),
    Case(
        "RaggedTensorToTensor",
        [L([-1, -1, 2]), PAIRS, F(0.5), [SPLITS]],
        {"row_partition_types": ["ROW_SPLITS"]},
    ),
]
