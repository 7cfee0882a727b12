"""Rows for running sums and products."""

import ml_dtypes
import numpy as np

from tests.ops.case import Case

X = np.array([[[-2.5, 1.5], [0.75, 3.0], [2.0, 2.0]], [[0.25, -0.5], [3.5, 3.0], [-1.0, 2.5]]], np.float32)
INTS = np.array([[7, -7, 3], [2, 5, -9]], np.int32)
WAYS = [{"exclusive": e, "reverse": r} for e in (False, True) for r in (False, True)]

CASES = [
    case
    for op in ("Cumsum", "Cumprod", "CumulativeLogsumexp")
    for case in (
        *[Case(op, [X, np.int32(1)], way, grad=True) for way in WAYS],
        Case(op, [X, np.int64(-1)], grad=True),
        Case(op, [X.astype(np.float64), np.int32(0)], grad=True),
        Case(op, [X.astype(np.float16), np.int32(1)]),
        Case(op, [np.zeros((2, 0), np.float32), np.int32(1)], {"exclusive": True}),
    )
]
CASES += [
    *[Case(op, [INTS, np.int32(0)], way) for op in ("Cumsum", "Cumprod") for way in WAYS],
    Case("Cumsum", [X.astype(ml_dtypes.bfloat16), np.int32(1)]),
    Case("Cumsum", [(X[0] + 1j * X[1]).astype(np.complex64), np.int32(0)]),
    Case("CumulativeLogsumexp", [np.array([-np.inf, -np.inf, 3.0, 1.0], np.float32), np.int32(0)]),
]
