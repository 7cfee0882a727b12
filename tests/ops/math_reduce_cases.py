"""Rows for reductions."""

import ml_dtypes
import numpy as np

from regraft.base.dtypes import int32, uint16
from tests.ops.case import Case

X = np.array([[[-2.5, 1.5], [0.75, 3.0], [2.0, 2.0]], [[0.25, -0.5], [3.5, 3.0], [-1.0, 2.5]]], np.float32)
EDGES = np.array([[1.0, np.nan, np.inf], [-np.inf, 2.0, -np.inf]], np.float32)
COMPLEX = np.array([[1 + 2j, -0.5 + 0.25j], [0.3 - 1j, 2]], np.complex64)
INTS = np.array([[7, -7, 3], [2, 5, -9]], np.int32)
EMPTY = np.zeros((0, 3), np.float32)


def axes(*values: int, dtype: type = np.int32) -> np.ndarray:
    return np.array(values, dtype)


def over_axes(op: str, grad: bool = True) -> list[Case]:
    """All axes, one, a negative one as a scalar, several, none; kept or not."""
    return [
        Case(op, [X, axes(0, 1, 2)], grad=grad),
        Case(op, [X, axes(1)], grad=grad),
        Case(op, [X, np.int32(-1)], grad=grad),
        Case(op, [X, axes(2, 0, dtype=np.int64)]),
        Case(op, [X, axes(1)], {"keep_dims": True}, grad=grad),
        Case(op, [X, axes(0, -1)], {"keep_dims": True}, grad=grad),
        Case(op, [X, axes()]),
        Case(op, [X.astype(np.float64), axes(0, 2)], grad=grad),
        Case(op, [X.astype(np.float16), axes(0, 1)]),
        Case(op, [X.astype(ml_dtypes.bfloat16), axes(0, 1)]),
        Case(op, [INTS, axes(0)]),
        Case(op, [INTS.astype(np.int64), axes(1)]),
        Case(op, [EMPTY, axes(0)]),
        Case(op, [EDGES, axes(1)]),
        Case(op, [np.float32(2.5), axes()], grad=grad),
    ]


BOOLS = np.array([[True, False, True], [True, False, False]])

CASES = [
    *over_axes("Sum"),
    Case("Sum", [COMPLEX, axes(1)]),
    Case("Sum", [np.array([100, 100], np.int8), axes(0)]),
    Case("Sum", [np.full(3000, 1, ml_dtypes.bfloat16), axes(0)]),
    *over_axes("Mean"),
    Case("Mean", [COMPLEX, axes(0)]),
    Case("Mean", [np.array([[-1, -2], [-4, -5]], np.int32), axes(1)]),
    Case("Mean", [np.zeros((0, 3), np.int32), axes(0)]),
    *over_axes("Prod"),
    Case("Prod", [COMPLEX, axes(0)]),
    *over_axes("Max"),
    Case("Max", [np.zeros((0, 3), np.int32), axes(0)]),
    Case("Max", [EDGES.astype(np.float16), axes(0)]),
    *over_axes("Min"),
    Case("Min", [np.zeros((0, 3), np.uint8), axes(0)]),
    *over_axes("EuclideanNorm"),
    Case("EuclideanNorm", [COMPLEX, axes(0)]),
    *[
        Case(op, [x, a], attrs)
        for op in ("Any", "All")
        for x, a, attrs in (
            (BOOLS, axes(0), {}),
            (BOOLS, axes(1, 0), {}),
            (BOOLS, np.int32(-1), {"keep_dims": True}),
            (BOOLS[:0], axes(0), {}),
        )
    ],
    *[
        case
        for op in ("ArgMax", "ArgMin")
        for case in (
            Case(op, [X, np.int32(1)], grad=True),
            Case(op, [X, np.int64(-1)], {"output_type": int32}),
            Case(op, [X[0, 0], np.int32(0)]),
            Case(op, [EDGES, np.int32(1)]),
            Case(op, [INTS, np.int32(0)]),
            Case(op, [BOOLS, np.int32(1)]),
            Case(op, [np.zeros((2, 0), np.float32), np.int32(0)]),
            Case(op, [X.astype(ml_dtypes.bfloat16), np.int32(2)]),
        )
    ],
    Case("ArgMax", [X, np.int32(0)], {"output_type": uint16}),
]
