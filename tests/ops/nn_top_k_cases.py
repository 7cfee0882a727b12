"""Rows of the ops on the largest entries of rows."""

from __future__ import annotations

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(4)
INF = float("inf")
_ROWS = np.float32([[1, 3, 3, 2], [-INF, 1, INF, 1]])
_PREDICTIONS = np.float32([[0.1, 0.5, 0.5, 0.3], [0.1, INF, 0.5, 0.3], [float("nan"), 0.1, 0.2, 0.3], [1, 2, 3, 4]])

CASES = [
    Case("TopKV2", [_ROWS, np.int32(2)], grad=True),
    Case("TopKV2", [_ROWS, np.int32(4)]),
    Case("TopKV2", [_ROWS, np.int32(0)]),
    Case("TopKV2", [_ROWS, np.int32(1)], {"sorted": False}),
    Case("TopKV2", [_RNG.standard_normal((2, 3, 50)).astype(np.float32), np.int32(7)], grad=True),
    Case("TopKV2", [np.uint8([1, 3, 3, 200]), np.int32(3)]),
    Case("TopKV2", [np.int32([1, -3, 3, -(2**31)]), np.int64(4)], {"index_type": np.int64}),
    Case("TopKV2", [np.float64([1, 5, 3]), np.int16(2)], {"index_type": np.int16}),
    Case("TopKV2", [np.float16([1, 5, 3]), np.int32(2)]),
    *(Case("InTopKV2", [_PREDICTIONS, np.int32([2, 0, 3, 1]), np.int32(k)]) for k in (1, 2, 3)),
    Case("InTopKV2", [_PREDICTIONS, np.int64([2, 9, -1, 1]), np.int64(3)]),
    Case("InTopK", [_PREDICTIONS, np.int32([1, 0, 3, 3])], {"k": 2}),
    Case("NthElement", [np.float32([[3, 1, 2], [9, 8, 8]]), np.int32(1)], grad=True),
    Case("NthElement", [np.float32([[3, 1, 2], [9, 8, 7]]), np.int32(0)], {"reverse": True}),
    Case("NthElement", [np.int32([3, 1, 2]), np.int32(2)]),
    Case(
        "TopK",
        [np.float32([[1.0, 3.0, 2.0], [4.0, 4.0, 0.0]])],
        {"k": 2},
        expected=[np.float32([[3.0, 2.0], [4.0, 4.0]]), np.int32([[1, 2], [0, 1]])],
        why="today's TensorFlow builds no such node",
    ),
]
