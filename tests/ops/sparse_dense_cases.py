"""Rows of `ops/sparse_dense.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32


def longs(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


A = [longs([0, 1], [1, 0], [1, 2]), F([1, 2, 3]), longs(2, 3)]
C = [A[0], np.array([1 + 2j, 2, 3 - 1j], np.complex64), A[2]]
ROW, MATRIX = F([2, 3, 4]), np.arange(1, 7, dtype=F).reshape(2, 3)
D34, D24 = np.arange(12, dtype=F).reshape(3, 4), np.arange(8, dtype=F).reshape(2, 4)

TO_DENSE = [
    Case("SparseToDense", [A[0], A[2], A[1], F(0)], grad=True, grad_wrt=(2, 3)),
    Case("SparseToDense", [A[0].astype(np.int32), np.int32([2, 3]), np.array([True] * 3), np.bool_(False)]),
    Case("SparseToDense", [longs(0, 2), longs(4), F(7), F(1)], grad=True, grad_wrt=(2, 3)),
    Case("SparseToDense", [longs(1)[0], longs(4), F(7), F(1)]),
    Case("SparseToDense", [longs(2, 1, 1), longs(4), F([5, 6, 7]), F(1)], {"validate_indices": False}),
    Case("SparseToDense", [np.zeros((0, 2), np.int64), longs(2, 2), F([]), F(1)]),
    Case(
        "SparseToDense",
        [longs(1, 2), longs(4), np.array([b"x", b"y"], object), np.array(b"-", object)],
        compiled=False,
        why="strings are never compiled",
    ),
    Case("SparseToDense", [longs(5), longs(3), F([1]), F(0)], fails=r"indices\[0\] = \[5\] is out of bounds"),
    Case("SparseToDense", [longs(1, 1), longs(3), F([1, 2]), F(0)], fails=r"indices\[1\] = \[1\] is repeated"),
    Case("SparseToDense", [longs(2, 1), longs(3), F([1, 2]), F(0)], fails=r"indices\[1\] = \[1\] is out of order"),
    Case(
        "SparseToDense", [longs([0, 1]), longs(3), F([1]), F(0)], fails="output_shape has incorrect number of elements"
    ),
    Case("SparseToDense", [longs(1), longs(3), F([1, 2]), F(0)], fails="sparse_values has incorrect shape"),
]

PRODUCTS = [
    Case("SparseTensorDenseMatMul", [*A, D34], grad=True, grad_wrt=(1, 3)),
    Case("SparseTensorDenseMatMul", [*A, D24], {"adjoint_a": True}, grad=True, grad_wrt=(1, 3)),
    Case("SparseTensorDenseMatMul", [*A, D34.T.copy()], {"adjoint_b": True}, grad=True, grad_wrt=(1, 3)),
    Case(
        "SparseTensorDenseMatMul",
        [*A, D24.T.copy()],
        {"adjoint_a": True, "adjoint_b": True},
        grad=True,
        grad_wrt=(1, 3),
    ),
    Case("SparseTensorDenseMatMul", [*C, (D24 + 1j).astype(np.complex64)], {"adjoint_a": True}),
    Case("SparseTensorDenseMatMul", [*C, (D34 + 1j).T.astype(np.complex64)], {"adjoint_b": True}),
    Case("SparseTensorDenseMatMul", [longs([0, 1], [0, 1]), np.int32([1, 5]), A[2], D34.astype(np.int32)]),
    Case(
        "SparseTensorDenseMatMul", [longs([0, 7]), F([1]), A[2], D34], fails=r"k \(7\) from index\[0,1\] out of bounds"
    ),
    Case("SparseTensorDenseMatMul", [*A, D24], fails="."),
]

CASES = [
    *TO_DENSE,
    *PRODUCTS,
    Case("SparseTensorDenseAdd", [*A, MATRIX], grad=True, grad_wrt=(1, 3)),
    Case("SparseTensorDenseAdd", [longs([0, 1], [0, 1]).astype(np.int32), F([1, 2]), np.int32([2, 3]), MATRIX]),
    Case("SparseTensorDenseAdd", [longs([0, 5]), F([1]), A[2], MATRIX], fails="invalid index on dimension 1"),
    Case("SparseTensorDenseAdd", [*A[:2], longs(2, 4), MATRIX], fails="Dimension 1 does not equal"),
    Case("SparseDenseCwiseAdd", [*A, MATRIX]),
    Case("SparseDenseCwiseAdd", [*A, ROW]),
    Case("SparseDenseCwiseMul", [*A, ROW], grad=True, grad_wrt=(1, 3)),
    Case("SparseDenseCwiseMul", [*A, F([[2], [3]])], grad=True, grad_wrt=(1, 3)),
    Case("SparseDenseCwiseMul", [*A, F(3)]),
    Case("SparseDenseCwiseMul", [*A, ROW[:2]], fails="broadcasts dense to sparse only"),
    Case("SparseDenseCwiseMul", [*A, MATRIX[None]], fails="broadcasts dense to sparse only"),
    Case("SparseDenseCwiseDiv", [*A, MATRIX], grad=True, grad_wrt=(1, 3)),
    Case("SparseDenseCwiseDiv", [A[0], np.int32([-7, 7, 9]), A[2], np.int32([2, 3, -4])]),
]
