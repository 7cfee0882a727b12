"""Rows of `ops/array_select.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
ODD = MATRIX % 2 == 1
TEXT = np.array([b"a", b"bc"], object)

CASES = [
    Case("Select", [ODD, MATRIX, -MATRIX], grad=True),
    Case("Select", [np.array([True, False]), MATRIX, -MATRIX], grad=True),
    Case("Select", [np.array(False), MATRIX, -MATRIX], grad=True),
    Case("Select", [np.array(True), F(1), F(2)]),
    Case("Select", [np.array([True, False]), TEXT, TEXT[::-1]], compiled=False),
    Case("Select", [np.array([True, False]), np.array([1, 2]), np.array([3, 4])]),
    Case("Select", [np.array([True, False, True]), MATRIX, MATRIX], fails="."),
    Case("Select", [ODD, MATRIX, MATRIX[:1]], fails="."),
    Case("SelectV2", [ODD, MATRIX, -MATRIX], grad=True),
    Case("SelectV2", [ODD[:, :1], MATRIX, F(3)], grad=True),
    Case("SelectV2", [np.array(True), MATRIX[:1], MATRIX[:, :1]], grad=True),
    Case("SelectV2", [np.array([True, False]), TEXT, TEXT[:1]], compiled=False),
    Case("SelectV2", [np.array([True, False]), MATRIX, F(0)], fails="."),
    Case("Where", [ODD]),
    Case("Where", [MATRIX]),
    Case("Where", [np.array([[[2, 0]], [[0, -1]]])]),
    Case("Where", [np.array([False])]),
    Case("OneHot", [np.array([0, 2, -1, 5]), np.int32(3), F(1), F(0)]),
    Case("OneHot", [np.array([[0, 2]], np.int32), np.int32(3), np.float64(5), np.float64(-1)], {"axis": 0}),
    Case("OneHot", [np.array([[0, 2]], np.uint8), np.int32(4), np.int32(1), np.int32(0)], {"axis": 1}),
    Case("OneHot", [np.array(1), np.int32(2), np.array(True), np.array(False)]),
    Case("OneHot", [np.array([1]), np.int32(-2), F(1), F(0)], fails="."),
]
