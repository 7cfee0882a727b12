"""Rows for Einsum."""

import ml_dtypes
import numpy as np

from tests.ops.case import Case

A = np.array([[1.5, -2.0, 0.5], [0.25, 3.0, -1.0]], np.float32)
B = np.array([[2.0, -1.0, 0.5, 0.75], [1.0, 0.0, -3.0, 1.5], [-0.5, 4.0, 1.0, 2.0]], np.float32)
SQUARE = B[:, :3].copy()
X = np.stack([A, 2 * A, A - 1]).astype(np.float32)
Y = np.stack([B, B - 2, 0.5 * B]).astype(np.float32)


def row(equation: str, *inputs: np.ndarray, grad: bool = True) -> Case:
    return Case("Einsum", [list(inputs)], {"equation": equation}, grad=grad)


CASES = [
    row("ij->ji", A),
    row("ij->", A),
    row("ij->i", A),
    row("aij->ja", X),
    row("ii->i", SQUARE),
    row("ii->", SQUARE),
    row("i->ii", SQUARE[0]),
    row("...ij->...ji", X),
    row("ij,jk->ik", A, B),
    row("ij,jk->ki", A, B),
    row("bij,bjk->bik", X, Y),
    row("bij,jk->bik", X, B),
    row("ij,kl->ijkl", A, B),
    row("ij,ij->", A, A),
    row("abc,cd->ad", X, B),
    row("...ij,...jk->...ik", X, Y),
    row("...ij,...jk->...ik", X, B),
    row("...ij,jk->...ik", X, B),
    row("ij,jk->ik", A.astype(np.float64), B.astype(np.float64)),
    row("ij,jk->ik", A.astype(np.float16), B.astype(np.float16), grad=False),
    row("ij,jk->ik", A.astype(ml_dtypes.bfloat16), B.astype(ml_dtypes.bfloat16), grad=False),
    row("ij,jk->ik", A.astype(np.complex64) * 1j, B.astype(np.complex64), grad=False),
    row("ij,jk->ik", A[:, :0], B[:0], grad=False),
]
