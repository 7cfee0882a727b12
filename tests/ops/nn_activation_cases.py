"""Rows of the activations, their gradient ops and the bias ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(2)
SPECIAL = np.float32([np.nan, -np.inf, np.inf, -0.0, 0.0, -200, 200, 7, 3, -0.5, 6, 0.25])
GRADS = np.float32([1, 2, 3, 4, 5, 6, 7, 8, np.nan, -8, 9, np.inf])


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return _RNG.standard_normal(shape).astype(dtype)


def _with_gradient(name: str, gradient: str, attrs: dict[str, Any] | None = None) -> list[Case]:
    """The activation and its gradient op."""
    attrs = attrs or {}
    rows = [Case(name, [SPECIAL], attrs, grad=True), Case(name, [normal(0, 3)], attrs), Case(name, [normal()], attrs)]
    rows += [Case(name, [normal(3, 4, dtype=t)], attrs) for t in (np.float64, np.float16)]
    rows.append(Case(gradient, [GRADS, SPECIAL], attrs, grad=name != "Softsign"))
    rows += [Case(gradient, [normal(3, 4, dtype=t), normal(3, 4, dtype=t)], attrs) for t in (np.float64, np.float16)]
    return rows


_CHANNELS = [(2, 3), (2, 3, 4), (2, 3, 4, 5), (2, 3, 4, 2, 2)]

CASES = [
    *_with_gradient("Relu", "ReluGrad"),
    Case("Relu", [np.int32([[-3, 0], [4, 5]])]),
    Case("Relu", [np.uint8([0, 200])]),
    Case("ReluGrad", [np.int32([1, 2, 3]), np.int32([-3, 0, 4])]),
    *_with_gradient("Relu6", "Relu6Grad"),
    Case("Relu6", [np.int32([-3, 0, 4, 9])]),
    *_with_gradient("LeakyRelu", "LeakyReluGrad"),
    *_with_gradient("LeakyRelu", "LeakyReluGrad", {"alpha": 2.5}),
    *_with_gradient("Elu", "EluGrad"),
    *_with_gradient("Selu", "SeluGrad"),
    *_with_gradient("Softplus", "SoftplusGrad"),
    *_with_gradient("Softsign", "SoftsignGrad"),
    *(Case("BiasAdd", [normal(*s), normal(s[-1])], grad=True) for s in _CHANNELS),
    *(Case("BiasAdd", [normal(*s), normal(3)], {"data_format": "NCHW"}, grad=True) for s in _CHANNELS[1:]),
    Case("BiasAdd", [np.full((2, 3), 250, np.uint8), np.uint8([10, 1, 2])]),
    Case("BiasAdd", [normal(0, 3), normal(3)]),
    Case("BiasAdd", [normal(2, 3, dtype=np.float64), normal(3, dtype=np.float64)]),
    Case("BiasAddV1", [normal(2, 3), normal(3)], grad=True),
    Case("BiasAddV1", [normal(2, 2, 3), normal(3)], grad=True),
    *(Case("BiasAddGrad", [normal(*s)], grad=True) for s in _CHANNELS),
    *(Case("BiasAddGrad", [normal(*s)], {"data_format": "NCHW"}, grad=True) for s in _CHANNELS[1:]),
    Case("BiasAddGrad", [normal(0, 3)]),
    Case("BiasAddGrad", [np.int32([[1, 2], [3, 4]])]),
]
