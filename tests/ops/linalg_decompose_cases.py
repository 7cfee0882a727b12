"""Rows for decompositions. Signs of vectors are free, so rows with vectors are matrices whose vectors are unit ones."""

import numpy as np

from regraft.base.dtypes import complex64, int64
from tests.ops.case import Case

A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.25, -1.0, 2.0]], np.float32)
TALL = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, -1.0]], np.float32)
DIAGONAL = np.diag(np.array([1.0, 2.0, 5.0], np.float32))
DESCENDING = np.diag(np.array([5.0, 2.0, 1.0], np.float32))

CASES = [
    Case("Qr", [A]),
    Case("Qr", [TALL]),
    Case("Qr", [TALL], {"full_matrices": True}),
    Case("Qr", [TALL.T.copy()]),
    Case("Qr", [np.stack([TALL, -TALL]).astype(np.float64)]),
    Case("Svd", [DESCENDING]),
    Case("Svd", [np.stack([DESCENDING, 2 * DESCENDING]).astype(np.float64)], {"full_matrices": True}),
    Case("SelfAdjointEigV2", [DIAGONAL], grad=True),
    Case("SelfAdjointEigV2", [np.stack([DIAGONAL, 2 * DIAGONAL]).astype(np.float64)]),
    Case("Eig", [DIAGONAL], {"Tout": complex64}),
    Case("Lu", [A]),
    Case("Lu", [np.stack([A, A[::-1]]).astype(np.float64)], {"output_idx_type": int64}),
    Case("MatrixLogarithm", [A.astype(np.complex64)]),
    Case("MatrixSquareRoot", [A], rtol=1e-4, why="the iteration that TensorFlow uses loses digits"),
    Case("MatrixSquareRoot", [np.stack([A, 2 * A]).astype(np.float64)], rtol=1e-8),
    # The names of TensorFlow before 0.9, which today's refuses to build.
    Case(
        "BatchSelfAdjointEigV2",
        [np.float32([[1.0, 0.0], [0.0, 3.0]])],
        expected=[np.float32([1.0, 3.0]), np.eye(2, dtype=np.float32)],
        why="today's TensorFlow builds no such node",
    ),
    Case(
        "BatchSvd",
        [np.float32([[3.0, 0.0], [0.0, 2.0]])],
        expected=[np.float32([3.0, 2.0]), np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)],
        why="today's TensorFlow builds no such node",
    ),
]
