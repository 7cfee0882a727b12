"""Rows of quantizing and dequantizing in one op."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

X = np.float32([[-7, -6.01, -1, -0.3, 0], [0.02, 0.5, 1.7, 5.99, 9]])
G = np.float32([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
LOW, HIGH = np.float32([-6, -2, -0.5, 0.1, -4]), np.float32([6, 1, 0.7, 2, -1])


def _scalars(low: float, high: float) -> list[Any]:
    return [np.float32(low), np.float32(high)]


_QUANTIZE: list[dict[str, Any]] = [
    {},
    {"range_given": True},
    {"range_given": True, "signed_input": False, "num_bits": 5},
    {"signed_input": False},
    {"narrow_range": True, "num_bits": 3},
    {"range_given": True, "round_mode": "HALF_UP", "num_bits": 3},
]

CASES = [
    *(Case("QuantizeAndDequantizeV2", [X, *_scalars(-2, 3)], attrs, grad=True) for attrs in _QUANTIZE),
    Case("QuantizeAndDequantizeV2", [np.abs(X), *_scalars(0.5, 3)], {"signed_input": False, "range_given": True}),
    Case("QuantizeAndDequantizeV2", [X.astype(np.float64), np.float64(-2), np.float64(3)]),
    *(
        Case("QuantizeAndDequantizeV3", [X, *_scalars(-4, 3), np.int32(bits)], attrs, grad=True, grad_wrt=(0, 1, 2))
        for bits, attrs in ((8, {}), (4, {"range_given": False}), (5, {"signed_input": False}))
    ),
    *(Case("QuantizeAndDequantizeV4", [X, *_scalars(-2, 3)], attrs, grad=True) for attrs in _QUANTIZE[:3]),
    Case("QuantizeAndDequantizeV4Grad", [G, X, *_scalars(-2, 3)]),
    Case("QuantizeAndDequantizeV4Grad", [G, X, LOW, HIGH], {"axis": 1}),
]
