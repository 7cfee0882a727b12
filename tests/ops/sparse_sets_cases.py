"""Rows of `ops/sparse_sets.py`."""

import numpy as np

from tests.ops.case import Case


def longs(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


S1 = [longs([0, 0], [0, 1], [2, 0]), longs(5, 3, 1), longs(3, 2)]
S2 = [longs([0, 0], [1, 0]), longs(3, 4), longs(3, 1)]
D1, D2 = longs([1, 2], [3, 3]), longs([2, 4, 4], [7, 3, 8])
D3 = longs([1, 2], [3, 3], [0, 0])
WORDS = np.array([[b"b", b"a"], [b"c", b"c"]], object)

CASES = [
    case
    for how in ("a-b", "b-a", "intersection", "union")
    for case in (
        Case("SparseToSparseSetOperation", [*S1, *S2], {"set_operation": how}),
        Case("DenseToDenseSetOperation", [D1, D2], {"set_operation": how}),
        Case("DenseToSparseSetOperation", [D3, *S2], {"set_operation": how}),
    )
] + [
    Case("DenseToDenseSetOperation", [WORDS, WORDS[::-1].copy()], {"set_operation": "union"}),
    Case("DenseToDenseSetOperation", [D1[None], D2[None]], {"set_operation": "union"}),
    Case("DenseToDenseSetOperation", [longs(1), longs(2)], {"set_operation": "union"}, fails="rank"),
    Case("DenseToDenseSetOperation", [D1, longs([1, 2])], {"set_operation": "union"}, fails="Mismatched shapes|."),
    Case("SetSize", [longs([0, 0], [0, 1], [2, 0]), longs(5, 5, 1), longs(3, 2)]),
]
