"""Rows for inverses, determinants, Cholesky factors and systems of equations."""

import numpy as np

from tests.ops.case import Case

A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.25, -1.0, 2.0]], np.float32)
SYMMETRIC = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.5, -0.5, 2.0]], np.float32)
BATCH = np.stack([A, A.T + 1]).astype(np.float32)
RHS = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]], np.float32)
COMPLEX = (A + 1j * np.triu(A)).astype(np.complex64)
HERMITIAN = (SYMMETRIC + 0.25j * (np.triu(A, 1) - np.triu(A, 1).T)).astype(np.complex64)
TALL = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, -1.0]], np.float32)
EMPTY = np.zeros((0, 0), np.float32)
DIAGONALS = np.array([[1.0, 2.0, 0.0], [4.0, 5.0, 6.0], [0.0, 1.0, -1.0]], np.float32)


def wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64)


CASES = [
    *[
        case
        for op in ("MatrixInverse", "MatrixDeterminant", "LogMatrixDeterminant")
        for case in (
            Case(op, [A], grad=True),
            Case(op, [wide(BATCH)], grad=True),
            Case(op, [COMPLEX]),
            Case(op, [EMPTY]),
        )
    ],
    Case("MatrixInverse", [COMPLEX], {"adjoint": True}),
    Case("MatrixInverse", [A], {"adjoint": True}, grad=True),
    Case("LogMatrixDeterminant", [np.array([[1.0, 2.0], [2.0, 4.0]], np.float32)]),
    Case("Cholesky", [SYMMETRIC], grad=True),
    Case("Cholesky", [wide(np.stack([SYMMETRIC, 2 * SYMMETRIC]))], grad=True),
    Case("Cholesky", [HERMITIAN]),
    Case("Cholesky", [np.tril(SYMMETRIC)]),
    Case("CholeskyGrad", [np.tril(A), A.T.copy()]),
    Case("CholeskyGrad", [wide(np.tril(BATCH)), wide(BATCH)]),
    *[
        case
        for adjoint in (False, True)
        for case in (
            Case("MatrixSolve", [A, RHS], {"adjoint": adjoint}, grad=True),
            Case("MatrixSolve", [wide(BATCH), wide(np.stack([RHS, -RHS]))], {"adjoint": adjoint}, grad=True),
            Case("MatrixSolve", [COMPLEX, RHS.astype(np.complex64)], {"adjoint": adjoint}),
            *[
                case
                for lower in (False, True)
                for way in [{"lower": lower, "adjoint": adjoint}]
                for case in (
                    Case("MatrixTriangularSolve", [A, RHS], way, grad=True),
                    Case("MatrixTriangularSolve", [wide(BATCH), wide(RHS)], way, grad=True),
                    Case("MatrixTriangularSolve", [A, np.stack([RHS, -RHS])], way, grad=True),
                    Case("MatrixTriangularSolve", [COMPLEX, RHS.astype(np.complex64)], way),
                    Case("BandedTriangularSolve", [DIAGONALS[1:] if lower else DIAGONALS[:2], RHS], way),
                )
            ],
        )
    ],
    Case("MatrixSolveLs", [TALL, RHS, np.float64(0.1)]),
    Case("MatrixSolveLs", [TALL.T.copy(), RHS[:2], np.float64(0.1)]),
    Case("MatrixSolveLs", [wide(TALL), wide(RHS), np.float64(0.0)], {"fast": False}),
    Case("TridiagonalMatMul", [DIAGONALS[:1], DIAGONALS[1:2], DIAGONALS[2:], RHS]),
    Case("TridiagonalSolve", [DIAGONALS, RHS]),
    # The names of TensorFlow before 0.9, which today's refuses to build; expected by NumPy.
    *(
        Case(f"Batch{op}", inputs, attrs, expected=[expected], why="today's TensorFlow builds no such node")
        for op, inputs, attrs, expected in (
            ("MatrixDeterminant", [BATCH], {}, np.linalg.det(BATCH).astype(np.float32)),
            ("MatrixInverse", [BATCH], {}, np.linalg.inv(BATCH)),
            ("MatrixSolve", [A, RHS], {}, np.linalg.solve(A, RHS)),
            ("MatrixTriangularSolve", [A, RHS], {}, np.linalg.solve(np.tril(A), RHS)),
            ("Cholesky", [SYMMETRIC], {}, np.linalg.cholesky(SYMMETRIC)),
        )
    ),
]
