"""Rows of batch normalization.

BatchNormWithGlobalNormalization stands in graphs of old producers alone: here it is written out in NumPy, and
`test_removed_nn_ops.py` asks TensorFlow in such a graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Case

_RNG = np.random.default_rng(5)
EMPTY = np.zeros(0, np.float32)
# Outside of training, and for an empty batch, TensorFlow leaves the reserve spaces uninitialized.
GIVEN = (0, 1, 2)


def normal(*shape: int, dtype: Any = np.float32) -> Any:
    return (_RNG.standard_normal(shape) + 1).astype(dtype)


def positive(*shape: int, dtype: Any = np.float32) -> Any:
    return (_RNG.random(shape) + 0.5).astype(dtype)


def _forward(name: str) -> list[Case]:
    x, scale, offset, mean, variance = normal(2, 3, 4, 3), normal(3), normal(3), normal(3), positive(3)
    return [
        Case(name, [x, scale, offset, EMPTY, EMPTY], grad=True, grad_wrt=(0, 1, 2)),
        Case(name, [x, scale, offset, mean, variance], {"epsilon": 0.01}),
        Case(name, [x, scale, offset, mean, variance], {"exponential_avg_factor": 0.3}),
        Case(
            name,
            [x, scale, offset, mean, variance],
            {"is_training": False},
            grad=True,
            grad_wrt=(0, 1, 2),
            outputs=GIVEN,
        ),
        Case(name, [normal(1, 1, 1, 3), scale, offset, EMPTY, EMPTY]),
        Case(name, [normal(0, 2, 2, 3), scale, offset, EMPTY, EMPTY], outputs=GIVEN),
    ]


def _backward(name: str) -> list[Case]:
    more = [EMPTY] if name == "FusedBatchNormGradV3" else []
    inputs = [normal(2, 3, 4, 3), normal(2, 3, 4, 3), normal(3), normal(3), positive(3), *more]
    return [Case(name, inputs, {"epsilon": 0.01}), Case(name, inputs, {"is_training": False})]


_EPSILON = 0.001


def _global_inputs() -> list[Any]:
    return [normal(2, 3, 2, 3), normal(3), positive(3), normal(3), normal(3)]


def _removed(name: str, inputs: list[Any], scales: bool, expected: list[Any]) -> Case:
    return Case(
        name,
        inputs,
        {"variance_epsilon": _EPSILON, "scale_after_normalization": scales},
        expected=[e.astype(np.float32) for e in expected],
        why="written out in NumPy, in float64",
    )


def _global(scales: bool) -> Case:
    inputs = _global_inputs()
    t, m, v, beta, gamma = (i.astype(np.float64) for i in inputs)
    factor = (gamma if scales else 1) / np.sqrt(v + _EPSILON)
    return _removed("BatchNormWithGlobalNormalization", inputs, scales, [(t - m) * factor + beta])


def _global_gradient(scales: bool) -> Case:
    inputs = [*_global_inputs()[:4], normal(2, 3, 2, 3)]
    t, m, v, gamma, dy = (i.astype(np.float64) for i in inputs)
    inverse, axes = 1 / np.sqrt(v + _EPSILON), (0, 1, 2)
    factor = inverse * (gamma if scales else 1)
    along = (dy * (t - m)).sum(axes)
    gradients = [
        dy * factor,
        -dy.sum(axes) * factor,
        -0.5 * along * factor * inverse**2,
        dy.sum(axes),
        along * inverse if scales else np.zeros(3),
    ]
    return _removed("BatchNormWithGlobalNormalizationGrad", inputs, scales, gradients)


CASES = [
    *_forward("FusedBatchNorm"),
    *_forward("FusedBatchNormV2"),
    *_forward("FusedBatchNormV3"),
    *(
        Case(name, [normal(2, 3, 2, 3, dtype=np.float16), normal(3), normal(3), EMPTY, EMPTY])
        for name in ("FusedBatchNormV2", "FusedBatchNormV3")
    ),
    Case("FusedBatchNormV3", [normal(2, 2, 3, 2, 3), normal(3), normal(3), EMPTY, EMPTY], {"data_format": "NDHWC"}),
    Case(
        "FusedBatchNormV3",
        [normal(2, 2, 3, 2, 3), normal(3), normal(3), normal(3), positive(3)],
        {"data_format": "NDHWC", "is_training": False},
        grad=True,
        grad_wrt=(0, 1, 2),
        outputs=GIVEN,
    ),
    *(
        Case(
            "FusedBatchNormV3",
            [normal(*shape), normal(3), normal(3), normal(3), positive(3)],
            {"data_format": data_format, "is_training": training},
            grad=True,
            grad_wrt=(0, 1, 2),
            outputs=() if training else GIVEN,
        )
        for shape, data_format in (((2, 3, 2, 4), "NCHW"), ((2, 3, 2, 2, 4), "NCDHW"))
        for training in (True, False)
    ),
    *_backward("FusedBatchNormGrad"),
    *_backward("FusedBatchNormGradV2"),
    *_backward("FusedBatchNormGradV3"),
    Case(
        "FusedBatchNormGradV3",
        [normal(2, 3, 2, 4), normal(2, 3, 2, 4), normal(3), normal(3), positive(3), EMPTY],
        {"data_format": "NCHW"},
    ),
    Case(
        "FusedBatchNormGradV3",
        [normal(2, 3, 2, 2, 4), normal(2, 3, 2, 2, 4), normal(3), normal(3), positive(3), EMPTY],
        {"data_format": "NCDHW"},
    ),
    Case(
        "FusedBatchNormGradV3",
        [
            normal(2, 3, 2, 3, dtype=np.float16),
            normal(2, 3, 2, 3, dtype=np.float16),
            normal(3),
            normal(3),
            positive(3),
            EMPTY,
        ],
    ),
    *(_global(scales) for scales in (True, False)),
    *(_global_gradient(scales) for scales in (True, False)),
]
