"""Rows of `ops.random`: TensorFlow's CPU kernels give the same numbers, run after run of one session.

The tolerance is one unit in the last place of the largest number: logarithms and sines come from another library.
"""

from typing import Any

import ml_dtypes
import numpy as np

from tests.ops.case import Case

INT, LONG = np.int32, np.int64
HALF, BFLOAT, FLOAT, DOUBLE = np.float16, ml_dtypes.bfloat16, np.float32, np.float64
ULP = {HALF: 1e-3, BFLOAT: 8e-3, FLOAT: 1.2e-7, DOUBLE: 2.3e-16}


def sizes(*dims: int, dtype: Any = INT) -> Any:
    return np.array(dims, dtype)


def floats(name: str, shape: Any, dtype: Any, seed: int = 87654321, seed2: int = 7) -> Case:
    return Case(name, [shape], {"dtype": dtype, "seed": seed, "seed2": seed2}, rtol=ULP[dtype], runs=3)


def integers(shape: Any, low: Any, high: Any, seed: int = 3, seed2: int = 5) -> Case:
    return Case("RandomUniformInt", [shape, low, high], {"seed": seed, "seed2": seed2}, runs=3)


def shuffled(value: Any, seed: int = 3, seed2: int = 5) -> Case:
    return Case("RandomShuffle", [value], {"seed": seed, "seed2": seed2}, runs=3)


CASES: list[Case] = [
    *(
        floats(name, shape, dtype)
        for name in ("RandomUniform", "RandomStandardNormal", "TruncatedNormal")
        for shape, dtype in (
            (sizes(3, 7), FLOAT),
            (sizes(3, 7), DOUBLE),
            (sizes(9), HALF),
            (sizes(9, dtype=LONG), BFLOAT),
        )
    ),
    floats("RandomUniform", sizes(), FLOAT),
    floats("RandomUniform", sizes(2, 0), FLOAT),
    floats("RandomUniform", sizes(5), FLOAT, -1, -(2**63)),
    floats("RandomUniform", sizes(5), FLOAT, 0, 2**63 - 1),
    floats("RandomStandardNormal", sizes(100, 41), FLOAT),
    floats("TruncatedNormal", sizes(300, 201), FLOAT),
    floats("TruncatedNormal", sizes(100, 201), DOUBLE),
    floats("TruncatedNormal", sizes(0), FLOAT),
    integers(sizes(3, 7), np.array(-3, INT), np.array(5, INT)),
    integers(sizes(3, 7), np.array(-(2**31), INT), np.array(2**31 - 1, INT)),
    integers(sizes(9), np.array(-(2**63), LONG), np.array(2**62, LONG)),
    integers(sizes(0), np.array(0, INT), np.array(1, INT)),
    shuffled(np.arange(11, dtype=INT)),
    shuffled(np.arange(12, dtype=FLOAT).reshape(6, 2)),
    shuffled(np.array([[1.0, 2.0]], FLOAT)),
    shuffled(np.zeros((0, 3), FLOAT)),
    shuffled(np.array([b"a", b"b", b"c"], object)),
]
