"""Rows of `ops.training_sparse`: each op as ref and as resource, over two steps, with a row that comes up twice."""

from typing import Any

import numpy as np

from tests.ops.case import Case

VAR = np.array([[1.5, -0.25, 0.0], [-2.0, 0.125, 3.0], [0.5, 0.25, -1.0], [4.0, -1.0, 0.125]])
SLOT = np.array([[0.5, 0.25, 0.0], [0.1, 2.0, 0.75], [-0.5, 1.0, 0.25], [1.0, 1.0, 1.0]])
SQUARES = np.array([[0.5, 0.25, 0.1], [0.1, 2.0, 0.75], [1.0, 0.5, 0.25], [0.3, 0.4, 0.5]])
GRAD = np.array([[0.5, -1.0, 0.0], [0.25, 2.0, -0.75], [1.0, -0.5, 0.125]])
INDICES = np.array([2, 0, 2], np.int32)


def row(
    name: str, *inputs: Any, dtype: Any = np.float32, ref: bool = True, resource: bool = True, **attrs: Any
) -> list[Case]:
    """The op on refs and on resources; numbers become arrays of `dtype`, integer arrays stay."""
    arrays = [v if isinstance(v, np.ndarray) and v.dtype.kind == "i" else np.asarray(v, dtype) for v in inputs]
    names = [f"SparseApply{name}"] * ref + [f"ResourceSparseApply{name}"] * resource
    return [Case(n, arrays, attrs, runs=2) for n in names]


def column(*inputs: Any) -> list[Any]:
    """The same on vectors, for which TensorFlow has code of its own."""
    return [v[:, 0] if isinstance(v, np.ndarray) and v.ndim == 2 else v for v in inputs]


STEP = np.array(2, np.int64)
MOMENTUM = (VAR, SLOT, 0.1, GRAD, INDICES, 0.9)
ADAGRAD = (VAR, SQUARES, 0.1, GRAD, INDICES)
ADAGRAD_V2 = (VAR, SQUARES, 0.1, 0.01, GRAD, INDICES)
ADAGRAD_DA = (VAR, SLOT, SQUARES, GRAD, INDICES, 0.1, 0.2, 0.3, STEP)
ADADELTA = (VAR, SQUARES, SQUARES[::-1], 0.1, 0.9, 0.01, GRAD, INDICES)
RMS_PROP = (VAR, SQUARES, SLOT, 0.1, 0.9, 0.5, 0.01, GRAD, INDICES)
CENTERED = (VAR, SLOT / 4, SQUARES + 0.5, SLOT, 0.1, 0.9, 0.5, 0.01, GRAD, INDICES)
FTRL = (VAR, SQUARES, SLOT, GRAD, INDICES, 0.1, 0.2, 0.3, -0.5)
FTRL_V2 = (VAR, SQUARES, SLOT, GRAD, INDICES, 0.1, 0.2, 0.3, 0.4, -0.5)
PROXIMAL_ADAGRAD = (VAR, SQUARES, 0.1, 0.2, 0.3, GRAD, INDICES)
PROXIMAL = (VAR, 0.1, 0.2, 0.3, GRAD, INDICES)

CASES: list[Case] = [
    *row("Momentum", *MOMENTUM),
    *row("Momentum", *MOMENTUM, resource=False, use_nesterov=True),
    *row("Momentum", *MOMENTUM[:4], INDICES.astype(np.int64), 0.9, dtype=np.float64, ref=False),
    *row("Momentum", VAR, SLOT, 0.1, GRAD[:0], INDICES[:0], 0.9, ref=False),
    *row("KerasMomentum", *MOMENTUM, ref=False),
    *row("KerasMomentum", *MOMENTUM, ref=False, use_nesterov=True),
    *row("Adagrad", *ADAGRAD),
    *row("Adagrad", *column(*ADAGRAD), ref=False),
    *row("Adagrad", *ADAGRAD, resource=False, update_slots=False),
    *row("AdagradV2", *ADAGRAD_V2),
    *row("AdagradV2", *column(*ADAGRAD_V2), ref=False),
    *row("AdagradV2", *ADAGRAD_V2, resource=False, update_slots=False),
    *row("AdagradDA", *ADAGRAD_DA),
    *row("AdagradDA", *column(*ADAGRAD_DA), ref=False),
    *row("AdagradDA", VAR, SLOT, SQUARES, GRAD, INDICES, 0.1, 0.0, 0.3, STEP, resource=False),
    *row("Adadelta", *ADADELTA),
    *row("RMSProp", *RMS_PROP),
    *row("CenteredRMSProp", *CENTERED),
    *row("Ftrl", *FTRL),
    *row("Ftrl", *column(*FTRL), ref=False),
    *row("Ftrl", *FTRL[:-1], -0.75, ref=False),
    *row("Ftrl", *FTRL, resource=False, multiply_linear_by_lr=True),
    *row("FtrlV2", *FTRL_V2),
    *row("FtrlV2", *column(*FTRL_V2), ref=False),
    *row("FtrlV2", *FTRL_V2[:-1], -0.75, ref=False),
    *row("FtrlV2", *FTRL_V2, resource=False, multiply_linear_by_lr=True),
    *row("ProximalAdagrad", *PROXIMAL_ADAGRAD),
    *row("ProximalAdagrad", *column(*PROXIMAL_ADAGRAD), ref=False),
    *row("ProximalAdagrad", VAR, SQUARES, 0.1, 0.0, 0.3, GRAD, INDICES, ref=False),
    *row("ProximalGradientDescent", *PROXIMAL),
    *row("ProximalGradientDescent", *column(*PROXIMAL), ref=False),
    *row("ProximalGradientDescent", VAR, 0.1, 0.0, 0.3, GRAD, INDICES, ref=False),
]
