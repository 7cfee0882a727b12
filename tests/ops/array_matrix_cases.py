"""Rows of `ops/array_matrix.py`."""

from typing import Any

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(1, 13, dtype=F).reshape(3, 4)
BATCH = np.arange(24, dtype=F).reshape(2, 3, 4)
LINES = np.arange(6, dtype=F).reshape(2, 3)
ALIGNED = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")
ZERO, ONE, FREE = np.int32(0), np.int32(1), np.int32(-1)
BAND = np.array([-1, 2], np.int32)
WIDE = np.arange(24, dtype=F).reshape(2, 4, 3)

# TensorFlow takes a size that is not known for the number -1, and refuses or gets nonsense.
NO_PARTIAL: dict[str, Any] = {
    "modes": ("known", "constants", "unknown rank"),
    "why": "TensorFlow takes unknown sizes for -1",
}
KNOWN: dict[str, Any] = {"modes": ("known", "constants"), "why": "the gradient needs the shape of the diagonal"}

CASES = [
    Case("MatrixDiag", [LINES], grad=True),
    Case("MatrixDiag", [np.array([1, 2])]),
    Case("MatrixDiagV2", [LINES, ONE, FREE, FREE, F(9)], grad=True, **NO_PARTIAL),
    *[
        Case("MatrixDiagV3", [WIDE, BAND, np.int32(3), np.int32(4), F(9)], {"align": a}, grad=True, **NO_PARTIAL)
        for a in ALIGNED
    ],
    Case("MatrixDiagV3", [LINES, np.int32(-2), FREE, np.int32(3), F(0)], grad=True, **NO_PARTIAL),
    Case("MatrixDiagV3", [LINES, ZERO, np.int32(5), FREE, F(0)]),
    Case("MatrixDiagV3", [LINES > 2, ZERO, FREE, FREE, np.array(True)]),
    Case("MatrixDiagV3", [LINES, ZERO, np.int32(2), FREE, F(0)], fails="."),
    Case("MatrixDiagPart", [BATCH], grad=True),
    Case("MatrixDiagPart", [BATCH[:, :, :3]], grad=True),
    Case("MatrixDiagPartV2", [BATCH, BAND, F(9)], grad=True, **NO_PARTIAL),
    *[Case("MatrixDiagPartV3", [BATCH, BAND, F(9)], {"align": a}, grad=True, **NO_PARTIAL) for a in ALIGNED],
    Case("MatrixDiagPartV3", [BATCH, np.array([2], np.int32), F(9)], grad=True),
    Case("MatrixDiagPartV3", [MATRIX, np.int32(4), F(9)], fails="out of bound"),
    Case("MatrixSetDiag", [BATCH, LINES], grad=True),
    Case("MatrixSetDiagV2", [BATCH, LINES, ONE], grad=True, **KNOWN),
    *[Case("MatrixSetDiagV3", [BATCH, -WIDE, BAND], {"align": a}, grad=True, **KNOWN) for a in ALIGNED],
    Case("MatrixSetDiagV3", [MATRIX, F([1, 2]), np.int32(-1)]),
    Case("MatrixSetDiagV3", [MATRIX, F([1, 2]), ZERO], fails="."),
    Case("MatrixBandPart", [BATCH, np.int64(0), np.int64(-1)], grad=True),
    Case("MatrixBandPart", [BATCH, np.int64(1), np.int64(0)]),
    Case("MatrixBandPart", [MATRIX.astype(np.int32), np.int32(-1), np.int32(1)]),
    Case("MatrixBandPart", [MATRIX, np.int32(4), np.int32(1)], fails="num_lower must be negative or less or equal"),
    Case("Diag", [LINES], grad=True),
    Case("Diag", [np.array([1, 2])]),
    Case("DiagPart", [np.arange(36, dtype=F).reshape(2, 3, 2, 3)], grad=True),
    Case("DiagPart", [np.arange(9).reshape(3, 3)]),
    Case("DiagPart", [LINES], fails="."),
    # The names of TensorFlow before 0.9, which today's refuses to build.
    *(
        Case(op, inputs, expected=[np.float32(expected)], why="today's TensorFlow builds no such node")
        for op, inputs, expected in (
            ("BatchMatrixDiag", [np.float32([1, 2])], [[1, 0], [0, 2]]),
            ("BatchMatrixDiagPart", [np.float32([[1, 2], [3, 4]])], [1, 4]),
            ("BatchMatrixSetDiag", [np.float32([[1, 2], [3, 4]]), np.float32([5, 6])], [[5, 2], [3, 6]]),
            ("BatchMatrixBandPart", [np.float32([[1, 2], [3, 4]]), np.int64(0), np.int64(-1)], [[1, 2], [0, 4]]),
        )
    ),
]
