"""Rows of `ops.training_dense`: each op as ref and as resource, over three steps."""

from typing import Any

import numpy as np

from tests.ops.case import Case

F = np.float32

VAR = np.array([[1.5, -0.25, 0.0], [-2.0, 0.125, 3.0]])
SLOT = np.array([[0.5, 0.25, 0.0], [0.1, 2.0, 0.75]])
SQUARES = np.array([[0.5, 0.25, 0.1], [0.1, 2.0, 0.75]])
GRAD = np.array([[0.5, -1.0, 0.0], [0.25, 2.0, -0.75]])


def row(name: str, *inputs: Any, dtype: Any = F, ref: bool = True, resource: bool = True, **attrs: Any) -> list[Case]:
    """The op on refs and on resources; numbers become scalars of `dtype`, int64 arrays stay."""
    arrays = [v if isinstance(v, np.ndarray) and v.dtype == np.int64 else np.asarray(v, dtype) for v in inputs]
    names = [f"Apply{name}"] * ref + [f"ResourceApply{name}"] * resource
    return [Case(n, arrays, attrs, runs=3) for n in names]


STEP = np.array(2, np.int64)
ADAM = (0.9, 0.999, 0.01, 0.9, 0.999, 1e-8, GRAD)
EMPTY = np.zeros((0, 2))
C = np.complex64

CASES: list[Case] = [
    *row("GradientDescent", VAR, 0.1, GRAD),
    *row("Momentum", VAR, SLOT, 0.1, GRAD, 0.9),
    *row("Momentum", VAR, SLOT, 0.1, GRAD, 0.9, use_nesterov=True, resource=False),
    *row("KerasMomentum", VAR, SLOT, 0.1, GRAD, 0.9, ref=False),
    *row("KerasMomentum", VAR, SLOT, 0.1, GRAD, 0.9, ref=False, use_nesterov=True),
    *row("Adam", VAR, SLOT, SQUARES, *ADAM),
    *row("Adam", VAR, SLOT, SQUARES, *ADAM, use_nesterov=True, resource=False),
    *row("AdamWithAmsgrad", VAR, SLOT, SQUARES, SQUARES[::-1], *ADAM, ref=False),
    *row("AdaMax", VAR, SLOT, SQUARES, 0.9, 0.01, 0.9, 0.999, 1e-2, GRAD),
    *row("Adagrad", VAR, SQUARES, 0.1, GRAD),
    *row("Adagrad", VAR, SQUARES, 0.1, GRAD, update_slots=False, resource=False),
    *row("AdagradV2", VAR, SQUARES, 0.1, 0.01, GRAD),
    *row("AdagradV2", VAR, SQUARES, 0.1, 0.01, GRAD, update_slots=False, resource=False),
    *row("AdagradDA", VAR, SLOT, SQUARES, GRAD, 0.1, 0.2, 0.3, STEP),
    *row("AdagradDA", VAR, SLOT, SQUARES, GRAD, 0.1, 0.0, 0.3, STEP, resource=False),
    *row("Adadelta", VAR, SQUARES, SQUARES[::-1], 0.1, 0.9, 0.01, GRAD),
    *row("RMSProp", VAR, SQUARES, SLOT, 0.1, 0.9, 0.5, 0.01, GRAD),
    *row("CenteredRMSProp", VAR, SLOT / 4, SQUARES + 0.5, SLOT, 0.1, 0.9, 0.5, 0.01, GRAD),
    *row("Ftrl", VAR, SQUARES, SLOT, GRAD, 0.1, 0.2, 0.3, -0.5),
    *row("Ftrl", VAR, SQUARES, SLOT, GRAD, 0.1, 0.2, 0.3, -0.75, resource=False),
    *row("Ftrl", VAR, SQUARES, SLOT, GRAD, 0.1, 0.2, 0.3, -0.5, multiply_linear_by_lr=True, resource=False),
    *row("FtrlV2", VAR, SQUARES, SLOT, GRAD, 0.1, 0.2, 0.3, 0.4, -0.5),
    *row("FtrlV2", VAR, SQUARES, SLOT, GRAD, 0.1, 0.2, 0.3, 0.4, -0.75, resource=False),
    *row("FtrlV2", VAR, SQUARES, SLOT, GRAD, 0.1, 0.2, 0.3, 0.4, -0.5, multiply_linear_by_lr=True, resource=False),
    *row("ProximalAdagrad", VAR, SQUARES, 0.1, 0.2, 0.3, GRAD),
    *row("ProximalAdagrad", VAR, SQUARES, 0.1, 0.0, 0.3, GRAD, resource=False),
    *row("ProximalGradientDescent", VAR, 0.1, 0.2, 0.3, GRAD),
    *row("ProximalGradientDescent", VAR, 0.1, 0.0, 0.3, GRAD, resource=False),
    *row("AddSign", VAR, SLOT, 0.1, 1.0, 0.9, 0.9, GRAD),
    *row("PowerSign", VAR, SLOT, 0.1, 2.7, 0.9, 0.9, GRAD),
    *row("GradientDescent", VAR, 0.1, GRAD, dtype=np.float64),
    *row("GradientDescent", 1.5, 0.1, 0.5),
    *row("GradientDescent", EMPTY, 0.1, EMPTY),
    *row("GradientDescent", VAR, 0.1, GRAD, dtype=np.float16),
    *row("GradientDescent", VAR + 1j, 0.1, GRAD - 2j, dtype=C),
    *row("Momentum", VAR, SLOT, 0.1, GRAD, 0.9, dtype=np.float64),
    *row("Momentum", VAR, SLOT, 0.1, GRAD, 0.9, dtype=np.float16),
    *row("Adam", VAR, SLOT, SQUARES, 0.9, 0.999, 0.01, 0.9, 0.999, 1e-8, GRAD, dtype=np.float64),
    *row("Adam", VAR, SLOT, SQUARES, 0.9, 0.5, 0.01, 0.9, 0.5, 1e-2, GRAD, dtype=np.float16),
    *row("Ftrl", VAR, SQUARES, SLOT, GRAD, 0.1, 0.2, 0.3, -0.5, dtype=np.float64),
    *row("RMSProp", VAR, SQUARES, SLOT, 0.1, 0.9, 0.5, 0.01, GRAD, dtype=np.float64),
]
