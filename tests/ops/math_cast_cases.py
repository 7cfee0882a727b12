"""Rows for Cast."""

import ml_dtypes
import numpy as np

from regraft.base import dtypes
from tests.ops.case import Case

FLOATS = np.array([[0.0, -0.0, 1.7, -1.7], [2.5, 100.25, 1.0078124, -3.0]], np.float32)
INTS = np.array([0, 1, -1, 127, 300, 70000, -2147483648], np.int32)
COMPLEX = np.array([1 + 2j, 0, 2j], np.complex64)
LARGE = np.array([1.5, -2.0, 1e300])
HALVES = (dtypes.half, dtypes.bfloat16)
EDGES = np.array([np.nan, np.inf, -np.inf, 70000.0, 1e-8], np.float32)
SIGNED = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
INTEGERS = (*SIGNED, dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)
FLOATING = (dtypes.half, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)

CASES = [
    *[Case("Cast", [np.abs(FLOATS)], {"DstT": t}) for t in INTEGERS],
    *[Case("Cast", [FLOATS], {"DstT": t}) for t in (*SIGNED, dtypes.uint8, dtypes.bool_)],
    *[Case("Cast", [FLOATS], {"DstT": t}, grad=True) for t in FLOATING],
    *[Case("Cast", [INTS], {"DstT": t}) for t in (*INTEGERS, *FLOATING, dtypes.bool_)],
    *[Case("Cast", [EDGES], {"DstT": t}) for t in (dtypes.half, dtypes.bfloat16, dtypes.float64, dtypes.bool_)],
    *[Case("Cast", [x], {"DstT": t, "Truncate": True}) for x in (FLOATS, EDGES) for t in HALVES],
    *[Case("Cast", [np.array([True, False])], {"DstT": t}) for t in (dtypes.int32, dtypes.float32, dtypes.bfloat16)],
    *[Case("Cast", [COMPLEX], {"DstT": t}) for t in (dtypes.float32, dtypes.int32, dtypes.complex128, dtypes.bool_)],
    *[Case("Cast", [LARGE], {"DstT": t}) for t in (dtypes.float32, dtypes.half, dtypes.complex64)],
    *[
        Case("Cast", [FLOATS.astype(s)], {"DstT": t}, grad=True)
        for s in (np.float16, ml_dtypes.bfloat16)
        for t in (dtypes.float32, dtypes.half, dtypes.bfloat16, dtypes.int32)
    ],
    Case("Cast", [np.float32(2.5)], {"DstT": dtypes.int64}),
    Case("Cast", [np.zeros((0, 2), np.int32)], {"DstT": dtypes.float32}),
]
