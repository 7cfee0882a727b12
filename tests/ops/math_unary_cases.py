"""Rows for elementwise functions of one tensor."""

import ml_dtypes
import numpy as np

from tests.ops.case import Case

X = np.array([[-2.5, -1.5, -0.3], [0.25, 0.5, 3.5]], np.float32)
POSITIVE = np.array([0.25, 0.5, 1.0, 3.5], np.float32)
UNIT = np.array([-0.9, -0.3, 0.1, 0.7], np.float32)
ABOVE_ONE = np.array([1.5, 2.0, 7.0], np.float32)
EDGES = np.array([-np.inf, -1.0, -0.0, 0.0, 1.0, np.inf, np.nan], np.float32)
HALF_EDGES = EDGES.astype(np.float16)
COMPLEX = np.array([1 + 2j, -0.5 + 0.25j, 0.3 - 1j], np.complex64)
INTS = np.array([-7, -1, 0, 3], np.int32)
DY = np.array([[0.5, -1.0, 0.0], [2.0, 0.25, 3.0]], np.float32)


def floating(op: str, x: np.ndarray = X, is_complex: bool = True) -> list[Case]:
    """A row for each class of dtype, the infinities, a scalar and no elements."""
    rows = [
        Case(op, [x], grad=True),
        Case(op, [x.astype(np.float64)]),
        Case(op, [x.astype(np.float16)]),
        Case(op, [x.astype(ml_dtypes.bfloat16)]),
        Case(op, [EDGES]),
        Case(op, [np.float32(0.5) if x is not ABOVE_ONE else np.float32(1.5)]),
        Case(op, [np.zeros((0, 3), np.float32)]),
    ]
    return [*rows, Case(op, [COMPLEX])] if is_complex else rows


def of_output(op: str) -> list[Case]:
    """Rows for the ops that turn a forward output and its gradient into the gradient of the input."""
    return [
        Case(op, [X, DY], grad=True),
        Case(op, [X.astype(np.float64), DY.astype(np.float64)]),
        Case(op, [X.astype(np.float16), DY.astype(np.float16)]),
        Case(op, [COMPLEX, COMPLEX[::-1].copy()]),
        Case(op, [np.float32(0.0), np.float32(0.0)]),
    ]


CASES = [
    *floating("Neg"),
    Case("Neg", [INTS]),
    *floating("Abs", is_complex=False),
    Case("Abs", [np.array([-128, -3, 5], np.int8)]),
    *floating("Sign"),
    Case("Sign", [INTS]),
    *floating("Square"),
    Case("Square", [INTS]),
    *floating("Sqrt", POSITIVE),
    *floating("Rsqrt", POSITIVE),
    *floating("Reciprocal"),
    *floating("Inv"),
    *floating("Exp"),
    *floating("Expm1"),
    *floating("Log", POSITIVE),
    *floating("Log1p", POSITIVE),
    *floating("Tanh"),
    *floating("Sigmoid"),
    *floating("Sin"),
    *floating("Cos"),
    *floating("Tan"),
    *floating("Asin", UNIT),
    *floating("Acos", UNIT),
    *floating("Atan"),
    *floating("Sinh"),
    *floating("Cosh"),
    *floating("Asinh"),
    *floating("Acosh", ABOVE_ONE),
    *floating("Atanh", UNIT),
    *of_output("SqrtGrad"),
    *of_output("RsqrtGrad"),
    *of_output("ReciprocalGrad"),
    *of_output("InvGrad"),
    *of_output("TanhGrad"),
    *of_output("SigmoidGrad"),
    *floating("Floor", is_complex=False),
    *floating("Ceil", is_complex=False),
    *[Case("Rint", [x], grad=True) for x in (X, X.astype(np.float64), EDGES)],
    *floating("Round", is_complex=False),
    *[Case(op, [x]) for op in ("IsNan", "IsInf", "IsFinite") for x in (EDGES, HALF_EDGES, np.float64(1.0))],
    Case("IsNan", [EDGES.astype(ml_dtypes.bfloat16)]),
    Case("LogicalNot", [np.array([[True, False]])]),
    Case("Invert", [INTS]),
    Case("Invert", [np.array([0, 1, 255], np.uint8)]),
]
