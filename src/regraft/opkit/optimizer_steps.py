"""The update rules of the optimizers, each once: from (variable, slots, gradient, hyperparameters) to their new values.

They are elementwise, so the dense ops apply them to whole variables and the sparse ops to rows. All arrays have one
dtype. A step returns the new values in the order in which it takes the old ones.
"""

from __future__ import annotations

from typing import Any

from regraft.opkit.arrays import namespace
from regraft.opkit.host_pieces import in_pieces


def _rsqrt(x: Any) -> Any:
    return 1 / namespace(x).sqrt(x)


def _square(x: Any) -> Any:
    return x * x


@in_pieces
def gradient_descent(var: Any, alpha: Any, delta: Any) -> Any:
    return var - alpha * delta


@in_pieces
def momentum(var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, nesterov: bool) -> tuple[Any, Any]:
    """Polyak's momentum: the velocity is in units of the gradient. Nesterov's looks one step ahead."""
    accum = accum * momentum + grad
    step = grad * lr + accum * momentum * lr if nesterov else accum * lr
    return var - step, accum


@in_pieces
def keras_momentum(var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, nesterov: bool) -> tuple[Any, Any]:
    """As `momentum`, with the learning rate inside the velocity."""
    accum = accum * momentum - grad * lr
    return var + (accum * momentum - grad * lr if nesterov else accum), accum


@in_pieces
def adam(
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
    nesterov: bool,
) -> tuple[Any, ...]:
    """Adam (Kingma and Ba, 2015), in the form before section 2.1 with epsilon "hat"; with `vhat`, AMSGrad."""
    xp = namespace(var, m, v, grad, lr, beta1_power, beta2_power)
    alpha = lr * xp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m = m + (grad - m) * (1 - beta1)
    v = v + (_square(grad) - v) * (1 - beta2)
    if vhat is not None:
        vhat = xp.maximum(vhat, v)
        return var - m * alpha / (xp.sqrt(vhat) + epsilon), m, v, vhat
    towards = grad * (1 - beta1) + beta1 * m if nesterov else m
    return var - towards * alpha / (xp.sqrt(v) + epsilon), m, v


@in_pieces
def ada_max(
    var: Any, m: Any, v: Any, beta1_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any
) -> tuple[Any, ...]:
    """AdaMax: Adam with the infinity norm."""
    xp = namespace(var, m, v, grad, beta2)
    m = m + (grad - m) * (1 - beta1)
    v = xp.maximum(beta2 * v, xp.abs(grad))
    return var - lr / (1 - beta1_power) * (m / (v + epsilon)), m, v


@in_pieces
def adagrad(var: Any, accum: Any, lr: Any, grad: Any, update_slots: bool) -> tuple[Any, Any]:
    """Adagrad (Duchi et al., 2011)."""
    if update_slots:
        accum = accum + _square(grad)
    return var - grad * lr * _rsqrt(accum), accum


@in_pieces
def adagrad_v2(var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any, update_slots: bool) -> tuple[Any, Any]:
    """Adagrad with an epsilon under the fraction."""
    if update_slots:
        accum = accum + _square(grad)
    return var - grad * lr / (namespace(accum).sqrt(accum) + epsilon), accum


@in_pieces
def adagrad_da(
    var: Any, gradients: Any, squares: Any, grad: Any, lr: Any, l1: Any, l2: Any, global_step: Any
) -> tuple[Any, ...]:
    """Adagrad with dual averaging: the variable follows from the accumulators alone."""
    xp = namespace(var, gradients, squares, grad, l1)
    gradients = gradients + grad
    squares = squares + _square(grad)
    step = xp.asarray(global_step).astype(grad.dtype)
    shrunk = xp.sign(gradients) * xp.maximum(xp.abs(gradients) - l1 * step, 0)
    towards = xp.where(l1 > 0, shrunk, gradients)
    return -lr * towards / (l2 * step * lr + xp.sqrt(squares)), gradients, squares


@in_pieces
def adadelta(var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any) -> tuple[Any, ...]:
    """Adadelta (Zeiler, 2012)."""
    xp = namespace(var, accum, accum_update, grad, epsilon)
    accum = accum * rho + _square(grad) * (1 - rho)
    update = xp.sqrt(accum_update + epsilon) * _rsqrt(accum + epsilon) * grad
    return var - update * lr, accum, accum_update * rho + _square(update) * (1 - rho)


@in_pieces
def rms_prop(var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any) -> tuple[Any, ...]:
    """RMSProp (Tieleman and Hinton, 2012), epsilon under the root."""
    ms = ms + (_square(grad) - ms) * (1 - rho)
    mom = mom * momentum + grad * lr * _rsqrt(ms + epsilon)
    return var - mom, ms, mom


@in_pieces
def centered_rms_prop(
    var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> tuple[Any, ...]:
    """RMSProp normalised by the variance (Graves, 2013)."""
    ms = ms + (_square(grad) - ms) * (1 - rho)
    mg = mg + (grad - mg) * (1 - rho)
    mom = mom * momentum + grad * lr * _rsqrt(ms - _square(mg) + epsilon)
    return var - mom, mg, ms, mom


@in_pieces
def ftrl(
    var: Any,
    accum: Any,
    linear: Any,
    grad: Any,
    lr: Any,
    l1: Any,
    l2: Any,
    l2_shrinkage: Any,
    lr_power: Any,
    by_lr: bool,
) -> tuple[Any, ...]:
    """FTRL-Proximal (McMahan et al., 2013). `by_lr`: `linear` holds the paper's z times the learning rate."""
    xp = namespace(var, accum, linear, grad, lr, l1, lr_power)
    new_accum = accum + _square(grad)
    before, after = (xp.where(lr_power == -0.5, xp.sqrt(a), xp.power(a, -lr_power)) for a in (accum, new_accum))
    shrunk = grad if l2_shrinkage is None else grad + 2 * l2_shrinkage * var
    if by_lr:
        linear = linear + (shrunk * lr - (after - before) * var)
        bound, curvature = l1 * lr, after + 2 * l2 * lr
    else:
        linear = linear + (shrunk - (after - before) / lr * var)
        bound, curvature = l1, after / lr + 2 * l2
    return (xp.clip(linear, -bound, bound) - linear) / curvature, new_accum, linear


@in_pieces
def proximal_adagrad(var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any) -> tuple[Any, Any]:
    """Adagrad, then the proximal step of `proximal_gradient_descent` at each element's own rate."""
    accum = accum + _square(grad)
    rate = lr * _rsqrt(accum)
    return _proximal(var - grad * rate, rate, l1, l2), accum


@in_pieces
def proximal_gradient_descent(var: Any, alpha: Any, l1: Any, l2: Any, delta: Any) -> Any:
    """A gradient step, then shrinking by the L1 and L2 penalties (Duchi and Singer, 2009)."""
    return _proximal(var - delta * alpha, alpha, l1, l2)


def _proximal(var: Any, rate: Any, l1: Any, l2: Any) -> Any:
    xp = namespace(var, rate, l1)
    shrunk = xp.sign(var) * xp.maximum(xp.abs(var) - rate * l1, 0)
    return xp.where(l1 > 0, shrunk, var) / (1 + l2 * rate)


@in_pieces
def add_sign(var: Any, m: Any, lr: Any, alpha: Any, sign_decay: Any, beta: Any, grad: Any) -> tuple[Any, Any]:
    """AddSign (Bello et al., 2017): a larger step where the gradient agrees with its average."""
    xp = namespace(var, m, grad, beta)
    m = m * beta + grad * (1 - beta)
    return var - lr * (alpha + sign_decay * xp.sign(grad) * xp.sign(m)) * grad, m


@in_pieces
def power_sign(var: Any, m: Any, lr: Any, logbase: Any, sign_decay: Any, beta: Any, grad: Any) -> tuple[Any, Any]:
    """PowerSign (Bello et al., 2017): as `add_sign`, with the agreement in the exponent."""
    xp = namespace(var, m, grad, beta, logbase)
    m = m * beta + grad * (1 - beta)
    return var - lr * xp.exp(logbase * sign_decay * xp.sign(grad) * xp.sign(m)) * grad, m
