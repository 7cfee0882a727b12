"""Activations, elementwise and each with its gradient op, and the addition of a bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import lax, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge_dim, merged, same_as, with_rank
from regraft.opkit.sums import sum_over


def _scalar(x: Any, value: float) -> Any:
    """`value` in the dtype of `x`."""
    return np.asarray(value, x.dtype)[()]


def _where(condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, x, y) if on_host(condition, x, y) else lax.select(condition, x, y)


def _keep(condition: Any, x: Any) -> Any:
    """x where the condition holds and 0 elsewhere."""
    if on_host(condition, x):
        return np.where(condition, x, _scalar(x, 0))
    return lax.select(condition, x, lax.full(x.shape, 0, x.dtype))


def _apply(name: str, x: Any) -> Any:
    return getattr(np, name)(x) if on_host(x) else getattr(lax, name)(x)


# Relu and its kin. Where nothing passes the gradient is 0 even if inf or nan comes in, as on TensorFlow's GPUs; its CPU
# kernels multiply by 0 and get nan.


@op("Relu", shape=same_as(0), elementwise=True)
def relu(features: Any) -> Any:
    """max(x, 0); nan stays."""
    zero = _scalar(features, 0)
    return np.maximum(features, zero) if on_host(features) else lax.max(features, zero)


@relu.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.ReluGrad(dy, node.outputs[0])]


@op("ReluGrad", shape=merged())
@quiet
def relu_grad(gradients: Any, features: Any) -> Any:
    """The gradient where the features (or the activations, which tell the same) are above 0."""
    return _keep(features > _scalar(features, 0), gradients)


@relu_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[1]
    return [b.ReluGrad(dy, x), b.zeros_like(x)]


@op("Relu6", shape=same_as(0), elementwise=True)
def relu6(features: Any) -> Any:
    """min(max(x, 0), 6); nan stays."""
    zero, six = _scalar(features, 0), _scalar(features, 6)
    if on_host(features):
        return np.minimum(np.maximum(features, zero), six)
    return lax.min(lax.max(features, zero), six)


@relu6.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.Relu6Grad(dy, node.outputs[0])]


@op("Relu6Grad", shape=merged())
@quiet
def relu6_grad(gradients: Any, features: Any) -> Any:
    """The gradient where the features (or activations) are between 0 and 6."""
    inside = (features > _scalar(features, 0)) & (features < _scalar(features, 6))
    return _keep(inside, gradients)


@relu6_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[1]
    return [b.Relu6Grad(dy, x), b.zeros_like(x)]


@op("LeakyRelu", shape=same_as(0))
@quiet
def leaky_relu(features: Any, *, alpha: float) -> Any:
    """x above 0, alpha * x elsewhere."""
    return _where(features > _scalar(features, 0), features, features * _scalar(features, alpha))


@leaky_relu.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.LeakyReluGrad(dy, node.inputs[0], alpha=node.get_attr("alpha"))]


@op("LeakyReluGrad", shape=merged())
@quiet
def leaky_relu_grad(gradients: Any, features: Any, *, alpha: float) -> Any:
    """The gradient, times alpha where the features are not above 0."""
    return _where(features > _scalar(features, 0), gradients, gradients * _scalar(gradients, alpha))


@leaky_relu_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[1]
    return [b.LeakyReluGrad(dy, x, alpha=node.get_attr("alpha")), b.zeros_like(x)]


# Exponential units


@op("Elu", shape=same_as(0), elementwise=True)
@quiet
def elu(features: Any) -> Any:
    """x, or exp(x) - 1 below 0."""
    return _where(features < _scalar(features, 0), _apply("expm1", features), features)


@elu.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.EluGrad(dy, node.outputs[0])]


@op("EluGrad", shape=merged())
@quiet
def elu_grad(gradients: Any, outputs: Any) -> Any:
    """The gradient, times (y + 1) where the activation y is below 0."""
    return _where(outputs < _scalar(outputs, 0), (outputs + _scalar(outputs, 1)) * gradients, gradients)


@elu_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    y = node.inputs[1]
    first = b.EluGrad(dy, y)
    below = b.Less(y, 0)
    return [first, b.Select(below, dy * node.inputs[0], b.zeros_like(y))]


# Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, appendix 1
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


@op("Selu", shape=same_as(0))
@quiet
def selu(features: Any) -> Any:
    """scale * x, or scale * alpha * (exp(x) - 1) below 0."""
    below = _scalar(features, _SELU_SCALE_ALPHA) * _apply("expm1", features)
    return _where(features < _scalar(features, 0), below, _scalar(features, _SELU_SCALE) * features)


@selu.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.SeluGrad(dy, node.outputs[0])]


@op("SeluGrad", shape=merged())
@quiet
def selu_grad(gradients: Any, outputs: Any) -> Any:
    """The gradient times scale, or times (y + scale * alpha) where the activation y is below 0."""
    below = gradients * (outputs + _scalar(outputs, _SELU_SCALE_ALPHA))
    return _where(outputs < _scalar(outputs, 0), below, gradients * _scalar(outputs, _SELU_SCALE))


@selu_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    y = node.inputs[1]
    first = b.SeluGrad(dy, y)
    below = b.Less(y, 0.0)
    return [first, b.Select(below, dy * node.inputs[0], b.zeros_like(y))]


# Soft


@op("Softplus", shape=same_as(0))
@quiet
def softplus(features: Any) -> Any:
    """log(exp(x) + 1), without overflow."""
    zero = _scalar(features, 0)
    above = np.maximum(features, zero) if on_host(features) else lax.max(features, zero)
    return above + _apply("log1p", _apply("exp", -_apply("abs", features)))


@softplus.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [dy * b.Sigmoid(node.inputs[0])]


@op("SoftplusGrad", shape=merged())
@quiet
def softplus_grad(gradients: Any, features: Any) -> Any:
    """The gradient / (exp(-x) + 1)."""
    return gradients / (_apply("exp", -features) + _scalar(features, 1))


@softplus_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    grad, x = node.inputs
    with b.graph.control_dependencies([dy]):
        first = b.SoftplusGrad(dy, x)
        return [first, dy * grad / (b.Exp(-x) + 2.0 + b.Exp(x))]


@op("Softsign", shape=same_as(0))
@quiet
def softsign(features: Any) -> Any:
    """x / (|x| + 1)."""
    return features / (_apply("abs", features) + _scalar(features, 1))


@softsign.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.SoftsignGrad(dy, node.inputs[0])]


@op("SoftsignGrad", shape=merged())
@quiet
def softsign_grad(gradients: Any, features: Any) -> Any:
    """The gradient / (|x| + 1)^2."""
    below = _apply("abs", features) + _scalar(features, 1)
    return gradients / (below * below)


# Bias


def channel_axis(rank: int, data_format: bytes) -> int:
    """The axis of the channels: 1 for NCHW, the last for NHWC."""
    return 1 if data_format == b"NCHW" else rank - 1


def _bias_add_shape(c: ShapeContext) -> list[Sizes]:
    first = c.attr("data_format") == b"NCHW"
    value, bias = at_least_rank(c, c.input(0), 3 if first else 2), with_rank(c, c.input(1), 1)
    if value is None:
        return [None]
    axis = 1 if first else len(value) - 1
    try:
        channels = merge_dim(c, value[axis], bias[0])
    except ValueError:
        raise c.fail(f"Dimensions must be equal, but are {value[axis]} and {bias[0]}") from None
    return [(*value[:axis], channels, *value[axis + 1 :])]


def _bias_add(value: Any, bias: Any, axis: int) -> Any:
    sizes = static_shape(value)
    if len(sizes) < 2 or static_shape(bias) != (sizes[axis],):
        raise InvalidArgumentError(
            f"Must provide as many biases as the last dimension of the input tensor (dimension {axis}): "
            f"{list(static_shape(bias))} vs. {list(sizes)}"
        )
    if on_host(value, bias):
        return value + np.reshape(bias, (-1,) + (1,) * (len(sizes) - 1 - axis))
    return lax.add(value, lax.broadcast_in_dim(bias, sizes, (axis,)))


@op("BiasAdd", shape=_bias_add_shape)
@quiet
def bias_add(value: Any, bias: Any, *, data_format: bytes) -> Any:
    """value + bias along the channels.

    value  [batch, ..., channels], or [batch, channels, ...] for NCHW
    bias   [channels]
    """
    return _bias_add(value, bias, channel_axis(len(static_shape(value)), data_format))


@bias_add.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [dy, b.BiasAddGrad(dy, data_format=node.attrs.get("data_format"))]


@op("BiasAddV1", shape=_bias_add_shape)
@quiet
def bias_add_v1(value: Any, bias: Any) -> Any:
    """value + bias along the last axis."""
    return _bias_add(value, bias, len(static_shape(value)) - 1)


@bias_add_v1.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [dy, b.reduce_sum(dy, b.range(b.rank(dy) - 1))]


def _bias_add_grad_shape(c: ShapeContext) -> list[Sizes]:
    first = c.attr("data_format") == b"NCHW"
    dy = at_least_rank(c, c.input(0), 3 if first else 2)
    return [(None,) if dy is None else (dy[1 if first else -1],)]


@op("BiasAddGrad", shape=_bias_add_grad_shape)
@quiet
def bias_add_grad(out_backprop: Any, *, data_format: bytes) -> Any:
    """The sum over all axes but that of the channels."""
    rank = len(static_shape(out_backprop))
    axis = channel_axis(rank, data_format)
    axes = tuple(a for a in range(rank) if a != axis)
    if on_host(out_backprop):
        return np.sum(out_backprop, axes, dtype=out_backprop.dtype)
    return sum_over(out_backprop, axes)


@bias_add_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    shape, bias_shape = b.shape(node.inputs[0]), b.shape(dy)
    if node.attrs.get("data_format") == b"NCHW":
        expanded = b.concat([b.ones_like(shape[:1]), bias_shape, b.ones_like(shape[2:])], 0)
        tiles = b.concat([shape[:1], [1], shape[2:]], 0)
    else:
        expanded = b.concat([b.ones_like(shape[:-1]), bias_shape], 0)
        tiles = b.concat([shape[:-1], [1]], 0)
    return [b.Tile(b.reshape(dy, expanded), tiles)]
