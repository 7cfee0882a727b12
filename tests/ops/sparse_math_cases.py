"""Rows of `ops/sparse_math.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32


def longs(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


A = [longs([0, 1], [1, 0], [1, 2]), F([1, 2, 3]), longs(2, 3)]
B = [longs([0, 0], [1, 0]), F([5, -2]), longs(2, 3)]
CUBE = [longs([0, 0, 1], [0, 1, 1], [1, 0, 0], [1, 0, 2]), F([1, 2, 3, 4]), longs(2, 2, 3)]
NEGATIVE = [longs([0, 1], [1, 0]), np.int32([-1, -2]), longs(3, 2)]

REDUCED = [
    case
    for how in ("Sum", "Max")
    for case in (
        *(
            Case(
                f"SparseReduce{how}",
                [*A, np.array(axes, np.int32)],
                {"keep_dims": keep},
                grad=how == "Sum",
                grad_wrt=(1,),
            )
            for axes in ([0], [-1], [0, 1], [])
            for keep in (False, True)
        ),
        Case(f"SparseReduce{how}", [*NEGATIVE, np.int32([1])]),
        Case(f"SparseReduce{how}", [*CUBE, np.int32([0, 2])]),
        Case(f"SparseReduce{how}", [*A, np.int32([5])], fails="Invalid reduction dimension"),
        *(
            Case(f"SparseReduce{how}Sparse", [*A, np.array(axes, np.int32)], {"keep_dims": keep})
            for axes in ([0], [0, 1])
            for keep in (False, True)
        ),
    )
]

CASES = [
    *REDUCED,
    *(Case("SparseAdd", [*A, *B, F(t)], grad=t == 0, grad_wrt=(1, 4)) for t in (0, 0.5, 2)),
    Case("SparseAdd", [*A, np.zeros((0, 2), np.int64), F([]), A[2], F(0)]),
    Case("SparseAdd", [longs([0], [0], [1]), F([1, 2, 3]), longs(4), longs([0], [2]), F([5, 6]), longs(4), F(0)]),
    Case("SparseAdd", [*A, *B[:2], longs(2, 4), F(0)], fails="shapes do not match"),
    Case("SparseAddGrad", [F([1, 2, 3]), A[0], B[0], longs([0, 0], [0, 1], [1, 2])]),
    Case("SparseSparseMaximum", [*A, *B]),
    Case("SparseSparseMinimum", [*A, *B]),
    Case("SparseSoftmax", A, grad=True, grad_wrt=(1,)),
    Case("SparseSoftmax", CUBE),
    Case("SparseSoftmax", [longs([0]), F([1]), longs(2)], fails="Input should have rank >= 2"),
]
