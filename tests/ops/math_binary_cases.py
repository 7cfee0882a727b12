"""Rows for elementwise arithmetic of two tensors."""

import ml_dtypes
import numpy as np

from tests.ops.case import Case

X = np.array([[-2.5, 1.5, 0.75], [0.25, -0.5, 3.5]], np.float32)
Y = np.array([[1.5, -2.0, 0.5], [4.0, 1.25, -3.0]], np.float32)
POSITIVE = np.abs(X)
ROW = np.array([2.0, -0.5, 1.5], np.float32)
COLUMN = np.array([[2.0], [-3.0]], np.float32)
ZEROS = np.array([[0.0, 1.5, 0.0], [2.0, 0.0, -1.0]], np.float32)
EDGES = np.array([-np.inf, -1.0, 0.0, 1.0, np.inf, np.nan], np.float32)
COMPLEX = np.array([1 + 2j, -0.5 + 0.25j, 0.3 - 1j], np.complex64)
INTS = np.array([7, -7, 7, -7, 6, 0], np.int32)
DIVISORS = np.array([2, 2, -2, -2, 3, 5], np.int32)


def broadcasting(op: str, x: np.ndarray = X, y: np.ndarray = Y, is_complex: bool = True) -> list[Case]:
    """Rows for equal shapes, for each way in which an input is repeated, each class of dtype, and no elements."""
    row, column = (y[0] if y is not Y else ROW), (y[:, :1] if y is not Y else COLUMN)
    rows = [
        Case(op, [x, y], grad=True),
        Case(op, [x, row], grad=True),
        Case(op, [x[:, :1], y], grad=True),
        Case(op, [x[:, None, 0], column[:, 0]], grad=True),
        Case(op, [x[0], column], grad=True),
        Case(op, [x, y[0, 0]], grad=True),
        Case(op, [x[:1, :1], y[0, :1]], grad=True),
        Case(op, [x.astype(np.float64), y.astype(np.float64)], grad=True),
        Case(op, [x.astype(np.float16), y.astype(np.float16)]),
        Case(op, [x.astype(ml_dtypes.bfloat16), y.astype(ml_dtypes.bfloat16)]),
        Case(op, [np.zeros((0, 3), np.float32), row]),
    ]
    return [*rows, Case(op, [COMPLEX, COMPLEX[::-1].copy()])] if is_complex else rows


def pairs(op: str) -> Case:
    """All pairs of zeros, ones, infinities and nan."""
    return Case(op, [EDGES[:, None], EDGES])


CASES = [
    *broadcasting("Add"),
    Case("Add", [INTS, DIVISORS]),
    Case("Add", [np.array([b"a", b"bc"], object), np.array(b"d", object)], compiled=False),
    *broadcasting("AddV2"),
    Case("AddV2", [INTS.astype(np.uint8), DIVISORS.astype(np.uint8)]),
    *broadcasting("Sub"),
    Case("Sub", [INTS.astype(np.int64), DIVISORS.astype(np.int64)]),
    *broadcasting("Mul"),
    Case("Mul", [INTS, DIVISORS]),
    pairs("Mul"),
    *broadcasting("MulNoNan"),
    pairs("MulNoNan"),
    *broadcasting("SquaredDifference"),
    *broadcasting("RealDiv"),
    pairs("RealDiv"),
    *broadcasting("Div"),
    Case("Div", [INTS, DIVISORS]),
    Case("Div", [np.array([7, 200], np.uint8), np.array([2, 7], np.uint8)]),
    *broadcasting("DivNoNan"),
    pairs("DivNoNan"),
    Case("TruncateDiv", [INTS, DIVISORS], grad=True, grad_wrt=(0,)),
    Case("TruncateDiv", [X, Y], grad=True),
    Case("TruncateDiv", [np.array([7, 200], np.uint8), np.array([2, 7], np.uint8)]),
    Case("FloorDiv", [INTS, DIVISORS]),
    Case("FloorDiv", [INTS[:, None].astype(np.int64), DIVISORS.astype(np.int64)]),
    Case("FloorDiv", [np.array([7, 200], np.uint8), np.array([2, 7], np.uint8)]),
    Case("FloorDiv", [X, Y], grad=True),
    pairs("FloorDiv"),
    *broadcasting("FloorMod", is_complex=False),
    Case("FloorMod", [INTS, DIVISORS]),
    Case("FloorMod", [np.array([7, 200], np.uint8), np.array([2, 7], np.uint8)]),
    pairs("FloorMod"),
    Case("Mod", [INTS, DIVISORS]),
    Case("Mod", [X, Y]),
    pairs("Mod"),
    Case("TruncateMod", [INTS, DIVISORS]),
    Case("TruncateMod", [X, Y]),
    *broadcasting("Pow", POSITIVE, Y),
    Case("Pow", [INTS, np.abs(DIVISORS)]),
    Case("Pow", [np.array(2, np.int64), np.array([0, 10, 62, 64], np.int64)]),
    pairs("Pow"),
    *broadcasting("Xdivy", ZEROS, Y),
    pairs("Xdivy"),
    *broadcasting("Xlogy", ZEROS, POSITIVE),
    pairs("Xlogy"),
    *broadcasting("Xlog1py", ZEROS, POSITIVE),
    pairs("Xlog1py"),
    *broadcasting("Maximum", is_complex=False),
    Case("Maximum", [INTS, DIVISORS]),
    pairs("Maximum"),
    *broadcasting("Minimum", is_complex=False),
    Case("Minimum", [INTS.astype(np.int64), DIVISORS.astype(np.int64)]),
    pairs("Minimum"),
    *broadcasting("Atan2", is_complex=False),
    pairs("Atan2"),
    Case("NextAfter", [X, Y], grad=True),
    Case("NextAfter", [X, ROW], grad=True),
    Case("NextAfter", [X.astype(np.float64), Y.astype(np.float64)]),
    Case("Cross", [X, Y], grad=True),
    Case("Cross", [INTS[:3], DIVISORS[:3]]),
    Case("AddN", [[X, Y, X]], grad=True),
    Case("AddN", [[X]], grad=True),
    Case("AddN", [[INTS, DIVISORS]]),
    Case("AddN", [[COMPLEX, COMPLEX]]),
    Case("AddN", [[np.float64(1.0), np.float64(2.0)]], grad=True),
    Case("AccumulateNV2", [[X, Y]], {"shape": [2, 3]}, grad=True),
    Case("ClipByValue", [X, np.float32(-1.0), np.float32(1.0)], grad=True),
    Case("ClipByValue", [X, Y - 1, np.float32(2.0)], grad=True),
    Case("ClipByValue", [X, Y - 1, Y + 1], grad=True),
    Case("ClipByValue", [INTS, np.int32(-3), np.int32(3)]),
]
