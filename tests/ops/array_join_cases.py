"""Rows of `ops/array_join.py`."""

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


CASES = [
    Case("Concat", [np.int32(0), [MATRIX, MATRIX[:1] + 10]], grad=True),
    Case("ConcatV2", [[MATRIX, MATRIX[:1] + 10], np.int32(0)], grad=True),
    Case("ConcatV2", [[CUBE, CUBE[:, :, :2], CUBE[:, :, 2:]], np.int64(-1)]),
    Case("ConcatV2", [[CUBE, CUBE[:, :, :2]], np.int32(-1)], grad=True),
    Case("ConcatV2", [[MATRIX[:, i % 3 : i % 3 + 1] for i in range(17)], np.int32(1)], grad=True),
    Case("ConcatV2", [[np.zeros((0, 3)), np.ones((2, 3))], np.int32(0)]),
    Case("ConcatV2", [[TEXT, TEXT], np.int32(0)], compiled=False),
    Case("ConcatV2", [[ints(1), ints(2, 3)], np.int32(0)]),
    Case("ConcatV2", [[MATRIX, MATRIX[:1]], np.int32(1)], fails="Dimension"),
    Case("ConcatV2", [[MATRIX, MATRIX], np.int32(2)], fails="."),
    Case("ConcatOffset", [np.int32(1), [ints(2, 2, 7), ints(2, 3, 7), ints(2, 9, 7)]]),
    Case("ConcatOffset", [np.int32(-1), [longs(2, 2), longs(2, 3)]]),
    Case("ConcatOffset", [np.int32(1), [ints(2, 2, 7), ints(3, 2, 7)]], fails="All dimensions except 1 must match"),
    Case("ParallelConcat", [[MATRIX[:1], MATRIX[1:]]], {"shape": [2, 3]}),
    Case("Pack", [[MATRIX, MATRIX + 1]], grad=True),
    Case("Pack", [[MATRIX, MATRIX + 1]], {"axis": -1}, grad=True),
    Case("Pack", [[F(1), F(2), F(3)]], grad=True),
    Case("Pack", [[TEXT, TEXT]], compiled=False),
    Case("Pack", [[np.int32(2), np.int32(3)]]),
    Case("Pack", [[MATRIX, MATRIX[:1]]], fails="Shapes of all inputs must match"),
    Case("Unpack", [CUBE], {"num": 3, "axis": 1}, grad=True),
    Case("Unpack", [MATRIX], {"num": 2}, grad=True),
    Case("Unpack", [ints(4, 5)], {"num": 2}),
    Case("Unpack", [TEXT], {"num": 2}, compiled=False),
    Case("Unpack", [MATRIX], {"num": 3}, fails="."),
    Case("Split", [np.int32(1), CUBE], {"num_split": 3}, grad=True),
    Case("Split", [np.int32(-1), CUBE], {"num_split": 1}, grad=True),
    Case("Split", [np.int32(0), TEXT], {"num_split": 2}, compiled=False),
    Case("Split", [np.int32(2), CUBE], {"num_split": 3}, fails="evenly"),
    Case("SplitV", [CUBE, ints(1, 3), np.int32(2)], {"num_split": 2}, grad=True),
    Case("SplitV", [CUBE, longs(1, -1, 2), np.int32(-1)], {"num_split": 3}, grad=True),
    Case("SplitV", [CUBE, ints(3), np.int32(1)], {"num_split": 1}),
    Case("SplitV", [CUBE, ints(1, 1), np.int32(1)], {"num_split": 2}, fails="."),
    Case("Tile", [MATRIX, ints(2, 3)], grad=True),
    Case("Tile", [MATRIX, longs(1, 0)], grad=True),
    Case("Tile", [F(3), ints()]),
    Case("Tile", [ints(7, 8), ints(2)]),
    Case("Tile", [TEXT, ints(2)], compiled=False),
    Case("Tile", [MATRIX, ints(1, -1)], fails="."),
    Case("Tile", [MATRIX, ints(1)], fails="."),
]
