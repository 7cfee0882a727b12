"""Rows of `ops.random_stateless`. The tolerance is one unit in the last place of the largest number."""

from typing import Any

import ml_dtypes
import numpy as np

from tests.ops.case import Case

INT, LONG, UINT, ULONG = np.int32, np.int64, np.uint32, np.uint64
HALF, BFLOAT, FLOAT, DOUBLE = np.float16, ml_dtypes.bfloat16, np.float32, np.float64
ULP = {HALF: 1e-3, BFLOAT: 8e-3, FLOAT: 1.2e-7, DOUBLE: 2.3e-16}

SHAPE = np.array([3, 7], INT)
SEED = np.array([-3, 2**40], LONG)
KEY = np.array([2**63 + 5], ULONG)
COUNTER = np.array([2**64 - 2, 7], ULONG)
PHILOX, AUTO = np.array(1, INT), np.array(3, INT)


def pair(name: str, *inputs: Any, rtol: float | None = None, **attrs: Any) -> list[Case]:
    """The op by seed, and by key and counter."""
    return [
        Case(name, [SHAPE, SEED, *inputs], attrs, rtol=rtol),
        Case(f"{name}V2", [SHAPE, KEY, COUNTER, PHILOX, *inputs], attrs, rtol=rtol),
    ]


def bounds(low: int, high: int, dtype: Any) -> list[Any]:
    return [np.array(low, dtype), np.array(high, dtype)]


CASES: list[Case] = [
    *(
        case
        for name in ("StatelessRandomUniform", "StatelessRandomNormal", "StatelessTruncatedNormal")
        for dtype in (FLOAT, DOUBLE, HALF, BFLOAT)
        for case in pair(name, dtype=dtype, rtol=ULP[dtype])
    ),
    Case("StatelessRandomUniform", [np.array([], INT), np.array([-1, 7], INT)], rtol=ULP[FLOAT]),
    Case("StatelessRandomUniformV2", [SHAPE, KEY, COUNTER, AUTO], {"dtype": FLOAT}, rtol=ULP[FLOAT]),
    *pair("StatelessRandomUniformInt", *bounds(-5, 17, INT)),
    *pair("StatelessRandomUniformInt", *bounds(-(2**62), 2**63 - 1, LONG)),
    *pair("StatelessRandomUniformFullInt", dtype=INT),
    *pair("StatelessRandomUniformFullInt", dtype=LONG),
    *pair("StatelessRandomUniformFullInt", dtype=UINT),
    *pair("StatelessRandomUniformFullInt", dtype=ULONG),
    Case("StatelessRandomGetKeyCounter", [SEED]),
    Case("StatelessRandomGetKeyCounter", [np.array([-3, 7], INT)]),
    Case("StatelessRandomGetKeyCounterAlg", [SEED]),
    Case("StatelessRandomGetAlg"),
]
