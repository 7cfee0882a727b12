"""Rows of `ops/array_pad.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
CUBE = np.arange(24, dtype=F).reshape(2, 3, 4)
SOME = np.array([[1, 0], [2, 1]], np.int32)
EDGE = np.array([[1, 1], [2, 1]])

CASES = [
    Case("Pad", [MATRIX, SOME], grad=True),
    Case("Pad", [CUBE, np.array([[0, 0], [1, 2], [0, 0]])], grad=True),
    Case("Pad", [np.zeros((0, 2), np.int32), SOME]),
    Case("Pad", [F(1), np.zeros((0, 2), np.int32)]),
    Case("Pad", [MATRIX, SOME - 1], fails="addings must be non-negative"),
    Case("Pad", [CUBE, SOME], fails="."),
    Case("PadV2", [MATRIX, SOME, F(9)], grad=True),
    Case("PadV2", [MATRIX > 2, SOME.astype(np.int64), np.array(True)]),
    Case("MirrorPad", [MATRIX, EDGE], {"mode": "REFLECT"}, grad=True),
    Case("MirrorPad", [MATRIX, EDGE.astype(np.int32)], {"mode": "SYMMETRIC"}, grad=True),
    Case("MirrorPad", [MATRIX, np.array([[2, 2], [0, 0]])], {"mode": "SYMMETRIC"}),
    Case("MirrorPad", [MATRIX, np.array([[2, 0], [0, 0]])], {"mode": "REFLECT"}, fails="paddings must be less than"),
    Case("MirrorPadGrad", [np.arange(24, dtype=F).reshape(4, 6), EDGE], {"mode": "REFLECT"}, grad=True),
    Case("MirrorPadGrad", [np.arange(24, dtype=F).reshape(4, 6), EDGE], {"mode": "SYMMETRIC"}),
]
