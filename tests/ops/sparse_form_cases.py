"""Rows of `ops/sparse_form.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32


def longs(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


A = [longs([0, 1], [1, 0], [1, 2]), F([1, 2, 3]), longs(2, 3)]
B = [longs([0, 0], [1, 0]), F([5, -2]), longs(2, 3)]
WORDS = np.array([b"x", b"y", b"z"], object)
NONE = [np.zeros((0, 2), np.int64), F([]), longs(2, 2)]
SHUFFLED = [longs([1, 0], [0, 1], [1, 0]), F([1, 2, 3]), longs(2, 2)]

CASES = [
    Case("SparseReorder", SHUFFLED, grad=True, grad_wrt=(1,)),
    Case("SparseReorder", [SHUFFLED[0], WORDS, SHUFFLED[2]]),
    Case("SparseReorder", NONE),
    Case("SparseReshape", [A[0], A[2], longs(3, -1)]),
    Case("SparseReshape", [A[0], A[2], longs(6)]),
    Case("SparseReshape", [NONE[0], longs(0, 2), longs(0, 3)]),
    Case("SparseReshape", [A[0], A[2], longs(4, -1)], fails="requires a multiple of 4"),
    Case("SparseReshape", [A[0], A[2], longs(-1, -1)], fails="only one output dimension may be -1"),
    Case("SparseReshape", [A[0], A[2], longs(4, 2)], fails="6 dense values, but the requested shape has 8"),
    *(Case("SparseConcat", [[A[0], B[0]], [A[1], B[1]], [A[2], B[2]]], {"concat_dim": d}) for d in (0, 1, -1)),
    Case("SparseConcat", [[A[0], A[0]], [WORDS, WORDS], [A[2], A[2]]], {"concat_dim": 1}),
    Case("SparseConcat", [[A[0], B[0]], [A[1], B[1]], [A[2], longs(2, 4)]], {"concat_dim": 0}, fails="must match"),
    Case("SparseSlice", [*A, longs(0, 1), longs(5, 1)], grad=True, grad_wrt=(1,)),
    Case("SparseSlice", [*A, longs(3, 1), longs(5, 1)]),
    Case("SparseSliceGrad", [F([7]), A[0], longs(0, 1), longs([0, 0])]),
    Case("SparseSplit", [np.int64(1), *A], {"num_split": 2}),
    Case("SparseSplit", [np.int64(0), *A], {"num_split": 2}),
    Case("SparseSplit", [np.int64(1), *A], {"num_split": 5}, fails="Input num_split should be between 1"),
    Case("SparseFillEmptyRows", [longs([0, 1], [2, 0], [2, 1]), A[1], longs(4, 2), F(9)], grad=True, grad_wrt=(1, 3)),
    Case("SparseFillEmptyRows", [longs([2, 1], [0, 0], [2, 0]), WORDS, longs(4, 2), np.array(b"-", object)]),
    Case("SparseFillEmptyRows", [*NONE, F(9)]),
    Case("SparseFillEmptyRows", [NONE[0], NONE[1], longs(0, 2), F(9)]),
    Case(
        "SparseFillEmptyRows", [longs([7, 1]), F([1]), longs(4, 2), F(9)], fails=r"indices\(0, 0\) is invalid: 7 >= 4"
    ),
    Case("SparseFillEmptyRowsGrad", [longs(0, 2, 3), F([1, 10, 100, 1000, 10000])]),
]
