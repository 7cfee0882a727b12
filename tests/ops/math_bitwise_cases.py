"""Rows for operations on bits."""

import numpy as np

from tests.ops.case import Case

X = np.array([0, 1, 6, 77, -3, -128], np.int32)
Y = np.array([3, 5, 1, 40, -1, 2], np.int32)

CASES = [
    *[
        case
        for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "LeftShift", "RightShift")
        for case in (
            Case(op, [X, Y]),
            Case(op, [X[:, None].astype(np.int64), Y.astype(np.int64)]),
            Case(op, [X.astype(np.int8), Y.astype(np.int8)]),
            Case(op, [X.astype(np.uint8), np.uint8(3)]),
        )
    ],
    Case("PopulationCount", [X]),
    Case("PopulationCount", [X.astype(np.uint8).reshape(2, 3)]),
]
