"""SparseApply*: an optimizer's step on some rows of variables, for refs and for resources.

`grad` [k, ...] holds a gradient for each row in `indices` [k]. A row that comes up twice is stepped twice, in order.
The formulas stand in `opkit.optimizer_steps`.

differs  a compiled step passes over indices that are out of range; TensorFlow stops there
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit import optimizer_steps as steps
from regraft.opkit.arrays import on_host, shape_text, static_shape
from regraft.opkit.registry import op
from regraft.opkit.rows import update_rows
from regraft.opkit.variable_shapes import sparse


def _step_rows(step: Callable[..., Any], variables: tuple[Any, ...], grad: Any, indices: Any) -> list[Any]:
    """The variables after `step(*rows, gradient)` on each of the rows."""
    shape = static_shape(variables[0])
    if not shape:
        raise InvalidArgumentError("var must be at least 1 dimensional")
    for other in variables[1:]:
        if static_shape(other) != shape:
            raise InvalidArgumentError(
                f"var and its slots do not have the same shape: {list(shape)} and {shape_text(other)}"
            )
    if static_shape(grad) != (*static_shape(indices), *shape[1:]) or len(static_shape(indices)) != 1:
        raise InvalidArgumentError(
            "grad must be the same size as indices in the first dimension, and as var in the others: "
            f"grad {shape_text(grad)}, indices {shape_text(indices)}, var {list(shape)}"
        )
    if on_host(indices):
        bad = (indices < 0) | (indices >= shape[0])
        if bad.any():
            i = int(np.argmax(bad))
            raise InvalidArgumentError(f"Index {indices[i]} at offset {i} in indices is out of range [0, {shape[0]})")
    return update_rows(lambda old, given: step(*old, given[0]), variables, indices, [grad])


@op("SparseApplyMomentum", "ResourceSparseApplyMomentum", shape=sparse(2, 3), writes=("var", "accum"), surplus="drops")
def sparse_apply_momentum(
    var: Any, accum: Any, lr: Any, grad: Any, indices: Any, momentum: Any, *, use_nesterov: bool
) -> Any:
    def step(var: Any, accum: Any, grad: Any) -> Any:
        return steps.momentum(var, accum, lr, grad, momentum, use_nesterov)

    return _step_rows(step, (var, accum), grad, indices)


@op("ResourceSparseApplyKerasMomentum", shape=sparse(2, 3), writes=("var", "accum"))
def resource_sparse_apply_keras_momentum(
    var: Any, accum: Any, lr: Any, grad: Any, indices: Any, momentum: Any, *, use_nesterov: bool
) -> Any:
    def step(var: Any, accum: Any, grad: Any) -> Any:
        return steps.keras_momentum(var, accum, lr, grad, momentum, use_nesterov)

    return _step_rows(step, (var, accum), grad, indices)


@op("SparseApplyAdagrad", "ResourceSparseApplyAdagrad", shape=sparse(2, 3), writes=("var", "accum"), surplus="drops")
def sparse_apply_adagrad(var: Any, accum: Any, lr: Any, grad: Any, indices: Any, *, update_slots: bool) -> Any:
    def step(var: Any, accum: Any, grad: Any) -> Any:
        return steps.adagrad(var, accum, lr, grad, update_slots)

    return _step_rows(step, (var, accum), grad, indices)


@op(
    "SparseApplyAdagradV2", "ResourceSparseApplyAdagradV2", shape=sparse(2, 4), writes=("var", "accum"), surplus="drops"
)
def sparse_apply_adagrad_v2(
    var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any, indices: Any, *, update_slots: bool
) -> Any:
    def step(var: Any, accum: Any, grad: Any) -> Any:
        return steps.adagrad_v2(var, accum, lr, epsilon, grad, update_slots)

    return _step_rows(step, (var, accum), grad, indices)


@op(
    "SparseApplyAdagradDA",
    "ResourceSparseApplyAdagradDA",
    shape=sparse(3, 3),
    writes=("var", "gradient_accumulator", "gradient_squared_accumulator"),
)
def sparse_apply_adagrad_da(
    var: Any,
    gradient_accumulator: Any,
    gradient_squared_accumulator: Any,
    grad: Any,
    indices: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    global_step: Any,
) -> Any:
    def step(var: Any, gradients: Any, squares: Any, grad: Any) -> Any:
        return steps.adagrad_da(var, gradients, squares, grad, lr, l1, l2, global_step)

    return _step_rows(step, (var, gradient_accumulator, gradient_squared_accumulator), grad, indices)


@op(
    "SparseApplyAdadelta",
    "ResourceSparseApplyAdadelta",
    shape=sparse(3, 6),
    writes=("var", "accum", "accum_update"),
)
def sparse_apply_adadelta(
    var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any, indices: Any
) -> Any:
    def step(var: Any, accum: Any, accum_update: Any, grad: Any) -> Any:
        return steps.adadelta(var, accum, accum_update, lr, rho, epsilon, grad)

    return _step_rows(step, (var, accum, accum_update), grad, indices)


@op(
    "SparseApplyRMSProp", "ResourceSparseApplyRMSProp", shape=sparse(3, 7), writes=("var", "ms", "mom"), surplus="drops"
)
def sparse_apply_rms_prop(
    var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any, indices: Any
) -> Any:
    def step(var: Any, ms: Any, mom: Any, grad: Any) -> Any:
        return steps.rms_prop(var, ms, mom, lr, rho, momentum, epsilon, grad)

    return _step_rows(step, (var, ms, mom), grad, indices)


@op(
    "SparseApplyCenteredRMSProp",
    "ResourceSparseApplyCenteredRMSProp",
    shape=sparse(4, 8),
    writes=("var", "mg", "ms", "mom"),
)
def sparse_apply_centered_rms_prop(
    var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any, indices: Any
) -> Any:
    def step(var: Any, mg: Any, ms: Any, mom: Any, grad: Any) -> Any:
        return steps.centered_rms_prop(var, mg, ms, mom, lr, rho, momentum, epsilon, grad)

    return _step_rows(step, (var, mg, ms, mom), grad, indices)


@op(
    "SparseApplyFtrl", "ResourceSparseApplyFtrl", shape=sparse(3, 3), writes=("var", "accum", "linear"), surplus="drops"
)
def sparse_apply_ftrl(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    indices: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    lr_power: Any,
    *,
    multiply_linear_by_lr: bool,
) -> Any:
    def step(var: Any, accum: Any, linear: Any, grad: Any) -> Any:
        return steps.ftrl(var, accum, linear, grad, lr, l1, l2, None, lr_power, multiply_linear_by_lr)

    return _step_rows(step, (var, accum, linear), grad, indices)


@op(
    "SparseApplyFtrlV2",
    "ResourceSparseApplyFtrlV2",
    shape=sparse(3, 3),
    writes=("var", "accum", "linear"),
    surplus="drops",
)
def sparse_apply_ftrl_v2(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    indices: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    l2_shrinkage: Any,
    lr_power: Any,
    *,
    multiply_linear_by_lr: bool,
) -> Any:
    def step(var: Any, accum: Any, linear: Any, grad: Any) -> Any:
        return steps.ftrl(var, accum, linear, grad, lr, l1, l2, l2_shrinkage, lr_power, multiply_linear_by_lr)

    return _step_rows(step, (var, accum, linear), grad, indices)


@op(
    "SparseApplyProximalAdagrad",
    "ResourceSparseApplyProximalAdagrad",
    shape=sparse(2, 5),
    writes=("var", "accum"),
    surplus="drops",
)
def sparse_apply_proximal_adagrad(var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any, indices: Any) -> Any:
    def step(var: Any, accum: Any, grad: Any) -> Any:
        return steps.proximal_adagrad(var, accum, lr, l1, l2, grad)

    return _step_rows(step, (var, accum), grad, indices)


@op(
    "SparseApplyProximalGradientDescent",
    "ResourceSparseApplyProximalGradientDescent",
    shape=sparse(1, 4),
    writes="var",
)
def sparse_apply_proximal_gradient_descent(var: Any, alpha: Any, l1: Any, l2: Any, grad: Any, indices: Any) -> Any:
    def step(var: Any, grad: Any) -> Any:
        return (steps.proximal_gradient_descent(var, alpha, l1, l2, grad),)

    return _step_rows(step, (var,), grad, indices)
