"""Rows of softmax, the cross entropies and the L2 loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(3)
INF = float("inf")


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


_LABELS = np.float32([[0, 0, 1], [0.5, 0.5, 0], [0.2, 0.3, 0.1]])

CASES = [
    *(Case(name, [normal(4, 5)], grad=True) for name in ("Softmax", "LogSoftmax")),
    *(Case(name, [normal(2, 3, 4)], grad=True) for name in ("Softmax", "LogSoftmax")),
    *(Case(name, [normal(5)]) for name in ("Softmax", "LogSoftmax")),
    *(Case(name, [normal(0, 3)]) for name in ("Softmax", "LogSoftmax")),
    *(Case(name, [normal(3, 0)]) for name in ("Softmax", "LogSoftmax")),
    *(Case(name, [np.float32([[1000, 0, -1000], [-INF, 1, 2], [INF, 1, 2]])]) for name in ("Softmax", "LogSoftmax")),
    *(Case(name, [normal(4, 5, dtype=t)]) for name in ("Softmax", "LogSoftmax") for t in (np.float64, np.float16)),
    Case("SoftmaxCrossEntropyWithLogits", [normal(3, 3), _LABELS], grad=True),
    Case("SoftmaxCrossEntropyWithLogits", [normal(1, 3), _LABELS]),
    Case("SoftmaxCrossEntropyWithLogits", [normal(3, 1), _LABELS]),
    Case("SoftmaxCrossEntropyWithLogits", [normal(3, 3), _LABELS[:1]]),
    Case("SoftmaxCrossEntropyWithLogits", [normal(0, 3), normal(0, 3)]),
    Case("SoftmaxCrossEntropyWithLogits", [normal(2, 0), normal(2, 0)]),
    Case("SoftmaxCrossEntropyWithLogits", [np.float32([[-INF, 2, 3]]), np.float32([[0, 0, 1]])]),
    Case("SoftmaxCrossEntropyWithLogits", [normal(3, 3, dtype=np.float64), _LABELS.astype(np.float64)]),
    Case("SoftmaxCrossEntropyWithLogits", [normal(3, 3, dtype=np.float16), _LABELS.astype(np.float16)]),
    Case("SparseSoftmaxCrossEntropyWithLogits", [normal(3, 4), np.int32([3, 0, 1])], grad=True),
    Case("SparseSoftmaxCrossEntropyWithLogits", [normal(3, 4), np.int64([3, 0, 1])], grad=True),
    Case("SparseSoftmaxCrossEntropyWithLogits", [np.float32([[-INF, 2, 3], [1000, 0, -1000]]), np.int32([1, 2])]),
    Case("SparseSoftmaxCrossEntropyWithLogits", [normal(0, 4), np.zeros(0, np.int32)]),
    Case("SparseSoftmaxCrossEntropyWithLogits", [normal(2, 4, dtype=np.float64), np.int32([3, 0])]),
    Case("SparseSoftmaxCrossEntropyWithLogits", [normal(2, 4, dtype=np.float16), np.int32([3, 0])]),
    Case("L2Loss", [normal(3, 4)], grad=True),
    Case("L2Loss", [normal()], grad=True),
    Case("L2Loss", [normal(2, 0)]),
    Case("L2Loss", [normal(5, dtype=np.float64)]),
    Case("L2Loss", [normal(5, dtype=np.float16)]),
]
