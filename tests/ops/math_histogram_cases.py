"""Rows for counting."""

import numpy as np

from regraft.base.dtypes import int64
from tests.ops.case import Case

ARR = np.array([1, 1, 3, 7], np.int32)
MATRIX = ARR.reshape(2, 2)
SIZE = np.int32(5)
NO_WEIGHTS = np.zeros(0, np.float32)
WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
VALUES = np.array([[-1.0, 0.0, 1.5], [2.0, 5.0, 15.0]], np.float32)

CASES = [
    Case("Bincount", [ARR, SIZE, NO_WEIGHTS]),
    Case("Bincount", [ARR, SIZE, WEIGHTS]),
    Case("Bincount", [ARR, np.int32(8), WEIGHTS.astype(np.int64)]),
    Case("Bincount", [ARR[:0], np.int32(0), NO_WEIGHTS]),
    *[
        case
        for binary in (False, True)
        for case in (
            Case("DenseBincount", [ARR, SIZE, NO_WEIGHTS], {"binary_output": binary}),
            Case("DenseBincount", [MATRIX, SIZE, NO_WEIGHTS], {"binary_output": binary}),
            Case(
                "DenseBincount",
                [MATRIX.astype(np.int64), np.int64(8), WEIGHTS.reshape(2, 2)],
                {"binary_output": binary},
            ),
        )
    ],
    Case("HistogramFixedWidth", [VALUES, np.array([0.0, 5.0], np.float32), np.int32(5)]),
    Case("HistogramFixedWidth", [VALUES.astype(np.float64), np.array([0.0, 5.0]), np.int32(3)], {"dtype": int64}),
    Case("HistogramFixedWidth", [VALUES.astype(np.int32), np.array([0, 5], np.int32), np.int32(3)]),
    *[
        Case("Bucketize", [x], {"boundaries": [0.0, 10.0, 100.0]})
        for x in (VALUES * 10, (VALUES * 10).astype(np.float64), np.array([-5, 10000, 150, 10, 5, 100]), VALUES[:0])
    ],
    Case("Bucketize", [VALUES], {"boundaries": []}),
]
