"""Rows for comparisons and boolean algebra."""

import ml_dtypes
import numpy as np

from tests.ops.case import Case

X = np.array([[-2.5, 1.5, 0.75], [0.25, -0.5, 3.5]], np.float32)
Y = np.array([[-2.5, 2.0, 0.5], [0.25, -1.0, 4.0]], np.float32)
EDGES = np.array([-np.inf, -0.0, 0.0, 1.0, np.inf, np.nan], np.float32)
INTS = np.array([1, 2, 3], np.int64)
TEXT = np.array([b"a", b"bc", b"a"], object)
BOOLS = np.array([True, False])

CASES = [
    *[
        case
        for op in ("Less", "LessEqual", "Greater", "GreaterEqual", "Equal", "NotEqual")
        for case in (
            Case(op, [X, Y]),
            Case(op, [X, Y[0]]),
            Case(op, [X[:, :1], np.float32(0.25)]),
            Case(op, [EDGES[:, None], EDGES]),
            Case(op, [X.astype(ml_dtypes.bfloat16), Y.astype(ml_dtypes.bfloat16)]),
            Case(op, [INTS, INTS[::-1].copy()]),
            Case(op, [np.zeros((0, 3), np.float32), X[0]]),
        )
    ],
    *[
        case
        for op in ("Equal", "NotEqual")
        for case in (
            Case(op, [TEXT, np.array(b"a", object)], compiled=False),
            Case(op, [BOOLS, np.array(True)]),
            Case(op, [np.array([1j, 2], np.complex64), np.array([1j, 3], np.complex64)]),
            Case(op, [X[0], Y[0, :2]], {"incompatible_shape_error": False}),
            Case(op, [X, Y[0]], {"incompatible_shape_error": False}),
        )
    ],
    Case("ApproximateEqual", [X, X + np.array([0.1, 0.0, 1e-7], np.float32)]),
    Case("ApproximateEqual", [X, Y], {"tolerance": 0.75}),
    *[Case(op, [BOOLS[:, None], BOOLS]) for op in ("LogicalAnd", "LogicalOr")],
    *[Case(op, [BOOLS, np.array(True)]) for op in ("LogicalAnd", "LogicalOr")],
]
