"""Rows of `ops.random_truncated`: the same numbers as TensorFlow's, run after run of one session."""

from typing import Any

import numpy as np

from tests.ops.case import Case

INF = float("inf")


def row(shape: list[int], mean: Any, stdev: Any, low: Any, high: Any, dtype: Any = np.float32) -> Case:
    parameters = [np.array(p, dtype) for p in (mean, stdev, low, high)]
    attrs = {"seed": 3, "seed2": 5}
    return Case("ParameterizedTruncatedNormal", [np.array(shape, np.int32), *parameters], attrs, runs=3)


CASES: list[Case] = [
    row([8], 0, 1, -2, 2),
    row([5, 50], 0, 1, -2, 2),
    row([8], [0], 1, -2, 2),
    row([3, 50], [0, 1, 2], [1, 2, 3], [-2, -2, -INF], [4, 4, 5]),
    row([2, 30], 0, 1, [1, -1], [1.2, 1]),
    row([2, 3, 15], 1, 2, [6, -9], [30, -7]),
    row([2, 40], 0, 1, [1, -INF], [INF, -3]),
    row([3, 20], [0], [1], [-2, 0.5, 1], [2, 0.75, 9], np.float64),
    row([3, 0], 0, 1, -2, 2),
]
