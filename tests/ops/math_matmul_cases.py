"""Rows for products of matrices."""

import ml_dtypes
import numpy as np

from regraft.base.dtypes import bfloat16, int32
from tests.ops.case import Case

A = np.array([[1.5, -2.0, 0.5], [0.25, 3.0, -1.0]], np.float32)
B = np.array([[2.0, -1.0, 0.5, 0.75], [1.0, 0.0, -3.0, 1.5], [-0.5, 4.0, 1.0, 2.0]], np.float32)
COMPLEX_A = (A + 1j * A[::-1]).astype(np.complex64)
COMPLEX_B = (B - 0.5j * B[::-1]).astype(np.complex64)
X = np.stack([A, 2 * A, A - 1]).astype(np.float32)
Y = np.stack([B, B - 2, 0.5 * B]).astype(np.float32)
BOTH = [(False, False), (False, True), (True, False), (True, True)]


def factors(x: np.ndarray, y: np.ndarray, first: bool, second: bool) -> list[np.ndarray]:
    """The factors in the form that transposing brings back to x and y."""
    return [np.swapaxes(x, -1, -2).copy() if first else x, np.swapaxes(y, -1, -2).copy() if second else y]


def transposed(
    op: str, x: np.ndarray, y: np.ndarray, names: tuple[str, str], grad: bool = True, **attrs: object
) -> list[Case]:
    return [Case(op, factors(x, y, s, t), {names[0]: s, names[1]: t, **attrs}, grad=grad) for s, t in BOTH]


T = ("transpose_a", "transpose_b")
ADJ = ("adj_x", "adj_y")

CASES = [
    *transposed("MatMul", A, B, T),
    *transposed("MatMul", COMPLEX_A, COMPLEX_B, T, grad=False),
    Case("MatMul", [A.astype(np.float64), B.astype(np.float64)], grad=True),
    Case("MatMul", [A.astype(np.float16), B.astype(np.float16)]),
    Case("MatMul", [A.astype(ml_dtypes.bfloat16), B.astype(ml_dtypes.bfloat16)]),
    Case("MatMul", [A.astype(np.int32), B.astype(np.int32)]),
    Case("MatMul", [np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32)]),
    Case("MatMul", [np.zeros((0, 3), np.float32), B]),
    *transposed("SparseMatMul", A, B, T),
    *transposed("SparseMatMul", A, B, T, a_is_sparse=True),
    Case("SparseMatMul", [A.astype(ml_dtypes.bfloat16), B], {"b_is_sparse": True}),
    Case("SparseMatMul", [A.astype(ml_dtypes.bfloat16), B.astype(ml_dtypes.bfloat16)]),
    *transposed("BatchMatMul", X, Y, ADJ),
    *transposed("BatchMatMul", COMPLEX_A[None], COMPLEX_B[None], ADJ, grad=False),
    Case("BatchMatMul", [A, B], grad=True),
    Case("BatchMatMul", [np.zeros((0, 2, 3), np.float32), np.zeros((0, 3, 4), np.float32)]),
    *transposed("BatchMatMulV2", X, Y, ADJ),
    *transposed("BatchMatMulV2", X, B, ADJ),
    *transposed("BatchMatMulV2", A, Y, ADJ),
    *transposed("BatchMatMulV2", np.stack([X, -X]), Y[:1], ADJ),
    *transposed("BatchMatMulV2", COMPLEX_A[None], COMPLEX_B, ADJ, grad=False),
    Case("BatchMatMulV2", [A, B], grad=True),
    Case("BatchMatMulV2", [X.astype(np.float16), Y.astype(np.float16)]),
    Case("BatchMatMulV2", [X.astype(np.int64), Y.astype(np.int64)]),
    Case("BatchMatMulV3", [X.astype(np.int8), Y.astype(np.int8)], {"Tout": int32}),
    Case("BatchMatMulV3", [X.astype(np.uint8), Y.astype(np.int8)], {"Tout": int32}),
    Case("BatchMatMulV3", [X.astype(ml_dtypes.bfloat16), B.astype(np.int8)], {"Tout": bfloat16}),
]
