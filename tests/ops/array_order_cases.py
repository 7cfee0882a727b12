"""Rows of `ops/array_order.py`."""

import numpy as np

from tests.ops.case import Case

F = np.float32
MATRIX = np.arange(6, dtype=F).reshape(2, 3)
CUBE = np.arange(24, dtype=F).reshape(2, 3, 4)
COMPLEX = (MATRIX + 1j * MATRIX[::-1]).astype(np.complex64)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def longs(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


CASES = [
    Case("Transpose", [CUBE, ints(2, 0, 1)], grad=True),
    Case("Transpose", [CUBE, longs(0, -1, 1)]),
    Case("Transpose", [F(3), ints()]),
    Case("Transpose", [MATRIX > 2, ints(1, 0)]),
    Case("Transpose", [MATRIX, ints(0, 0)], fails="1 is missing from"),
    Case("Transpose", [MATRIX, ints(0, 2)], fails="."),
    Case("Transpose", [MATRIX, ints(0)], fails="."),
    Case("ConjugateTranspose", [COMPLEX, ints(1, 0)], grad=True),
    Case("ConjugateTranspose", [MATRIX, ints(1, 0)], grad=True),
    Case("Reverse", [CUBE, np.array([True, False, True])], grad=True),
    Case("ReverseV2", [CUBE, ints(-1, 0)], grad=True),
    Case("ReverseV2", [CUBE, longs(1)]),
    Case("ReverseV2", [CUBE, ints()]),
    Case("ReverseV2", [CUBE, ints(0, -3)], fails="specified more than once"),
    Case("ReverseV2", [CUBE, ints(3)], fails="."),
    Case("ReverseSequence", [CUBE, longs(1, 3)], {"seq_dim": 1, "batch_dim": 0}, grad=True),
    Case("ReverseSequence", [CUBE, ints(1, 0, 2)], {"seq_dim": 0, "batch_dim": 1}),
    Case("ReverseSequence", [CUBE, ints(1, 0, 2)], {"seq_dim": 2, "batch_dim": 1}, grad=True),
    Case("ReverseSequence", [CUBE, longs(1, 4)], {"seq_dim": 1, "batch_dim": 0}, fails=r"seq_lens\(1\) > input.dims"),
    Case("Roll", [CUBE, ints(1, -2), ints(0, 2)], grad=True),
    Case("Roll", [CUBE, np.int32(7), np.int64(-2)], grad=True),
    Case("Roll", [CUBE, longs(1, 1), ints(1, 1)]),
    Case("Roll", [F(1), np.int32(1), np.int32(0)], fails="."),
]
