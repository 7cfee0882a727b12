"""Apply*: an optimizer's step on whole variables, for refs and for resources.

The gradient and every slot have the variable's shape and dtype; rates and other hyperparameters are scalars of it. The
formulas stand in `opkit.optimizer_steps`.
"""

from __future__ import annotations

from typing import Any

from regraft.base.errors import InvalidArgumentError
from regraft.opkit import optimizer_steps as steps
from regraft.opkit.arrays import shape_text, static_shape
from regraft.opkit.registry import op
from regraft.opkit.variable_shapes import dense


def _check(var: Any, **others: Any) -> None:
    """InvalidArgumentError unless the slots and the gradient have the variable's shape."""
    shape = static_shape(var)
    for name, value in others.items():
        if static_shape(value) != shape:
            raise InvalidArgumentError(f"var and {name} do not have the same shape {list(shape)} {shape_text(value)}")


@op("ApplyGradientDescent", "ResourceApplyGradientDescent", shape=dense(1, 2), writes="var")
def apply_gradient_descent(var: Any, alpha: Any, delta: Any) -> Any:
    _check(var, delta=delta)
    return steps.gradient_descent(var, alpha, delta)


@op("ApplyMomentum", "ResourceApplyMomentum", shape=dense(2, 3), writes=("var", "accum"))
def apply_momentum(var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, *, use_nesterov: bool) -> Any:
    _check(var, accum=accum, grad=grad)
    return steps.momentum(var, accum, lr, grad, momentum, use_nesterov)


@op("ResourceApplyKerasMomentum", shape=dense(2, 3), writes=("var", "accum"))
def resource_apply_keras_momentum(
    var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, *, use_nesterov: bool
) -> Any:
    _check(var, accum=accum, grad=grad)
    return steps.keras_momentum(var, accum, lr, grad, momentum, use_nesterov)


@op("ApplyAdam", "ResourceApplyAdam", shape=dense(3, 9), writes=("var", "m", "v"))
def apply_adam(
    var: Any,
    m: Any,
    v: Any,
    beta1_power: Any,
    beta2_power: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    grad: Any,
    *,
    use_nesterov: bool,
) -> Any:
    _check(var, m=m, v=v, grad=grad)
    return steps.adam(var, m, v, None, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad, use_nesterov)


@op("ResourceApplyAdamWithAmsgrad", shape=dense(4, 10), writes=("var", "m", "v", "vhat"))
def resource_apply_adam_with_amsgrad(
    var: Any,
    m: Any,
    v: Any,
    vhat: Any,
    beta1_power: Any,
    beta2_power: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    grad: Any,
) -> Any:
    _check(var, m=m, v=v, vhat=vhat, grad=grad)
    return steps.adam(var, m, v, vhat, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad, False)


@op("ApplyAdaMax", "ResourceApplyAdaMax", shape=dense(3, 8), writes=("var", "m", "v"))
def apply_ada_max(
    var: Any, m: Any, v: Any, beta1_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any
) -> Any:
    _check(var, m=m, v=v, grad=grad)
    return steps.ada_max(var, m, v, beta1_power, lr, beta1, beta2, epsilon, grad)


@op("ApplyAdagrad", "ResourceApplyAdagrad", shape=dense(2, 3), writes=("var", "accum"))
def apply_adagrad(var: Any, accum: Any, lr: Any, grad: Any, *, update_slots: bool) -> Any:
    _check(var, accum=accum, grad=grad)
    return steps.adagrad(var, accum, lr, grad, update_slots)


@op("ApplyAdagradV2", "ResourceApplyAdagradV2", shape=dense(2, 4), writes=("var", "accum"))
def apply_adagrad_v2(var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any, *, update_slots: bool) -> Any:
    _check(var, accum=accum, grad=grad)
    return steps.adagrad_v2(var, accum, lr, epsilon, grad, update_slots)


@op(
    "ApplyAdagradDA",
    "ResourceApplyAdagradDA",
    shape=dense(3, 3),
    writes=("var", "gradient_accumulator", "gradient_squared_accumulator"),
)
def apply_adagrad_da(
    var: Any,
    gradient_accumulator: Any,
    gradient_squared_accumulator: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    global_step: Any,
) -> Any:
    slots = (gradient_accumulator, gradient_squared_accumulator)
    _check(var, gradient_accumulator=slots[0], gradient_squared_accumulator=slots[1], grad=grad)
    return steps.adagrad_da(var, *slots, grad, lr, l1, l2, global_step)


@op("ApplyAdadelta", "ResourceApplyAdadelta", shape=dense(3, 6), writes=("var", "accum", "accum_update"))
def apply_adadelta(var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any) -> Any:
    _check(var, accum=accum, accum_update=accum_update, grad=grad)
    return steps.adadelta(var, accum, accum_update, lr, rho, epsilon, grad)


@op("ApplyRMSProp", "ResourceApplyRMSProp", shape=dense(3, 7), writes=("var", "ms", "mom"))
def apply_rms_prop(var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any) -> Any:
    _check(var, ms=ms, mom=mom, grad=grad)
    return steps.rms_prop(var, ms, mom, lr, rho, momentum, epsilon, grad)


@op("ApplyCenteredRMSProp", "ResourceApplyCenteredRMSProp", shape=dense(4, 8), writes=("var", "mg", "ms", "mom"))
def apply_centered_rms_prop(
    var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> Any:
    _check(var, mg=mg, ms=ms, mom=mom, grad=grad)
    return steps.centered_rms_prop(var, mg, ms, mom, lr, rho, momentum, epsilon, grad)


@op("ApplyFtrl", "ResourceApplyFtrl", shape=dense(3, 3), writes=("var", "accum", "linear"))
def apply_ftrl(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    lr_power: Any,
    *,
    multiply_linear_by_lr: bool,
) -> Any:
    _check(var, accum=accum, linear=linear, grad=grad)
    return steps.ftrl(var, accum, linear, grad, lr, l1, l2, None, lr_power, multiply_linear_by_lr)


@op("ApplyFtrlV2", "ResourceApplyFtrlV2", shape=dense(3, 3), writes=("var", "accum", "linear"))
def apply_ftrl_v2(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    l2_shrinkage: Any,
    lr_power: Any,
    *,
    multiply_linear_by_lr: bool,
) -> Any:
    _check(var, accum=accum, linear=linear, grad=grad)
    return steps.ftrl(var, accum, linear, grad, lr, l1, l2, l2_shrinkage, lr_power, multiply_linear_by_lr)


@op("ApplyProximalAdagrad", "ResourceApplyProximalAdagrad", shape=dense(2, 5), writes=("var", "accum"))
def apply_proximal_adagrad(var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any) -> Any:
    _check(var, accum=accum, grad=grad)
    return steps.proximal_adagrad(var, accum, lr, l1, l2, grad)


@op("ApplyProximalGradientDescent", "ResourceApplyProximalGradientDescent", shape=dense(1, 4), writes="var")
def apply_proximal_gradient_descent(var: Any, alpha: Any, l1: Any, l2: Any, delta: Any) -> Any:
    _check(var, delta=delta)
    return steps.proximal_gradient_descent(var, alpha, l1, l2, delta)


@op("ApplyAddSign", "ResourceApplyAddSign", shape=dense(2, 6), writes=("var", "m"))
def apply_add_sign(var: Any, m: Any, lr: Any, alpha: Any, sign_decay: Any, beta: Any, grad: Any) -> Any:
    _check(var, m=m, grad=grad)
    return steps.add_sign(var, m, lr, alpha, sign_decay, beta, grad)


@op("ApplyPowerSign", "ResourceApplyPowerSign", shape=dense(2, 6), writes=("var", "m"))
def apply_power_sign(var: Any, m: Any, lr: Any, logbase: Any, sign_decay: Any, beta: Any, grad: Any) -> Any:
    _check(var, m=m, grad=grad)
    return steps.power_sign(var, m, lr, logbase, sign_decay, beta, grad)
