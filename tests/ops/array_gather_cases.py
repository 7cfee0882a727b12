"""Rows of `ops/array_gather.py`."""

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


PAIRS = np.array([[0, 2], [1, 0]], np.int32)
ZERO = np.int32(0)

CASES = [
    Case("Gather", [MATRIX, ints(1, 0, 1)], grad=True),
    Case("Gather", [MATRIX, np.int64(1)], grad=True),
    Case("Gather", [CUBE, np.array([[1, 0], [1, 1]], np.int32)], grad=True),
    Case("Gather", [TEXT, ints(1)], compiled=False),
    Case("Gather", [MATRIX, ints(1, 2)], fails=r"indices\[1\] = 2 is not in \[0, 2\)"),
    Case("GatherV2", [MATRIX, ints(1, 0, 1), ZERO], grad=True),
    Case("GatherV2", [CUBE, longs(3, 0), np.int32(-1)], grad=True),
    Case("GatherV2", [CUBE, np.int32(2), np.int64(1)], grad=True),
    Case("GatherV2", [CUBE, PAIRS, np.int32(1)], {"batch_dims": 1}, grad=True),
    Case("GatherV2", [CUBE, PAIRS, np.int32(2)], {"batch_dims": 1}, grad=True),
    Case("GatherV2", [CUBE, PAIRS, np.int32(2)], {"batch_dims": -1}),
    Case("GatherV2", [CUBE, np.zeros((2, 3, 1), np.int64), np.int32(2)], {"batch_dims": 2}, grad=True),
    Case("GatherV2", [ints(5, 6), ints(1), ZERO]),
    Case("GatherV2", [MATRIX, ints(), ZERO], grad=True),
    Case("GatherV2", [MATRIX, ints(-1), ZERO], fails=r"indices\[0\] = -1 is not in \[0, 2\)"),
    Case("GatherV2", [MATRIX, ints(1), np.int32(2)], fails="."),
    Case("GatherNd", [CUBE, PAIRS], grad=True),
    Case("GatherNd", [CUBE, np.array([[1], [0]], np.int64)], grad=True),
    Case("GatherNd", [CUBE, np.array([[[1, 2, 3]]])], grad=True),
    Case("GatherNd", [MATRIX, np.zeros((2, 0), np.int32)]),
    Case("GatherNd", [TEXT, ints(1)], compiled=False),
    Case("GatherNd", [MATRIX, np.array([[1, 3], [0, 1]])], {"bad_indices_policy": "IGNORE"}, grad=True),
    Case("GatherNd", [MATRIX, np.array([[0, 1], [1, 3]])], fails=r"\[1, 3\] does not index into param"),
]
