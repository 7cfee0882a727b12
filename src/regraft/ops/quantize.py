"""Simulated quantization, as quantization-aware training does it: FakeQuant*."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit.arrays import namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge, merge_dim, same_as, with_rank

_F = np.float32


def _levels(num_bits: int, narrow_range: bool) -> tuple[Any, Any]:
    if not 2 <= num_bits <= 16:
        raise InvalidArgumentError(f"num_bits must be between 2 and 16, inclusive, got {num_bits}")
    return _F(1 if narrow_range else 0), _F((1 << num_bits) - 1)


def _nudged(xp: Any, low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any]:
    """(lowest, highest, step) of the levels, moved so that zero is one of them."""
    bottom, top = _levels(num_bits, narrow_range)
    scale = (high - low) / (top - bottom)
    zero = bottom - low / scale
    # Halves go away from zero; what is rounded here is not negative.
    zero = xp.where(zero < bottom, bottom, xp.where(zero > top, top, xp.floor(zero + _F(0.5))))
    return (bottom - zero) * scale, (top - zero) * scale, scale


def _quantized(x: Any, low: Any, high: Any, num_bits: int, narrow_range: bool) -> Any:
    xp = namespace(x, low, high)
    with np.errstate(all="ignore"):
        first, last, scale = _nudged(xp, low, high, num_bits, narrow_range)
        clamped = xp.maximum(xp.minimum(x, last), first)
        inverse = _F(1) / scale
        zero = xp.floor(-first * inverse + _F(0.5))
        out = xp.floor((clamped - first) * inverse - zero + _F(0.5)) * scale
        return xp.where((low == 0) & (high == 0), xp.zeros_like(x), out).astype(x.dtype)


def _masks(x: Any, low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any, Any]:
    """(inside, below, above, nothing to quantize) for each element."""
    xp = namespace(x, low, high)
    with np.errstate(all="ignore"):
        first, last, _ = _nudged(xp, low, high, num_bits, narrow_range)
        return (x >= first) & (x <= last), x < first, x > last, (low == 0) & (high == 0)


def _check_range(low: Any, high: Any) -> None:
    if on_host(low, high) and not np.all((low <= 0) & (high >= 0) & (low <= high)):
        raise InvalidArgumentError(f"min must not be positive and max not negative, got {low} and {high}")


# Limits from attributes.


@op("FakeQuantWithMinMaxArgs", shape=same_as(0))
def fake_quant_with_min_max_args(inputs: Any, *, min: float, max: float, num_bits: int, narrow_range: bool) -> Any:
    """The inputs moved to the nearest of 2 ** num_bits levels between `min` and `max`."""
    if min >= max:
        raise InvalidArgumentError(f"min has to be smaller than max, was: {min} >= {max}")
    return _quantized(inputs, _F(min), _F(max), num_bits, narrow_range)


@fake_quant_with_min_max_args.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    attrs = {name: node.get_attr(name) for name in ("min", "max", "num_bits", "narrow_range")}
    return [b.FakeQuantWithMinMaxArgsGradient(dy, node.inputs[0], **attrs)]


@op("FakeQuantWithMinMaxArgsGradient", shape=same_as(0), no_gradient="not defined by TensorFlow")
def fake_quant_with_min_max_args_gradient(
    gradients: Any, inputs: Any, *, min: float, max: float, num_bits: int, narrow_range: bool
) -> Any:
    """The gradient where the input lies between the limits, zero outside."""
    inside, _, _, _ = _masks(inputs, _F(min), _F(max), num_bits, narrow_range)
    return gradients * inside.astype(gradients.dtype)


# Limits from tensors: one for all, or one for each channel (the last dimension).


def _limits_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(1), 0)
    with_rank(c, c.input(2), 0)
    return [c.input(0)]


def _channel_limits_shape(c: ShapeContext) -> list[Sizes]:
    x = at_least_rank(c, c.input(0), 1)
    low = with_rank(c, c.input(1), 1)
    high = with_rank(c, c.input(2), 1)
    if x is None:
        return [None]
    last = merge_dim(c, merge_dim(c, x[-1], low[0]), high[0])
    return [(*x[:-1], last)]


def _limits_grad_shape(c: ShapeContext) -> list[Sizes]:
    x = merge(c, c.input(0), c.input(1))
    with_rank(c, c.input(2), 0)
    with_rank(c, c.input(3), 0)
    return [x, (), ()]


def _channel_limits_grad_shape(c: ShapeContext) -> list[Sizes]:
    x = merge(c, at_least_rank(c, c.input(0), 1), c.input(1))
    low, high = with_rank(c, c.input(2), 1), with_rank(c, c.input(3), 1)
    last = merge_dim(c, low[0], high[0])
    if x is None:
        return [None, (last,), (last,)]
    last = merge_dim(c, x[-1], last)
    return [(*x[:-1], last), (last,), (last,)]


@op("FakeQuantWithMinMaxVars", shape=_limits_shape)
def fake_quant_with_min_max_vars(inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool) -> Any:
    """FakeQuantWithMinMaxArgs with limits that are scalars. Both zero make everything zero."""
    _check_range(min, max)
    return _quantized(inputs, min, max, num_bits, narrow_range)


@fake_quant_with_min_max_vars.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    attrs = {name: node.get_attr(name) for name in ("num_bits", "narrow_range")}
    return list(b.FakeQuantWithMinMaxVarsGradient(dy, *node.inputs, **attrs))


@op("FakeQuantWithMinMaxVarsPerChannel", shape=_channel_limits_shape)
def fake_quant_with_min_max_vars_per_channel(
    inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Any:
    """FakeQuantWithMinMaxVars with limits [channels] for each element of the last dimension."""
    if static_shape(inputs)[-1:] != static_shape(min) or static_shape(min) != static_shape(max):
        raise InvalidArgumentError(
            f"min and max have incorrect size, expected {static_shape(inputs)[-1:]}, got {static_shape(min)} "
            f"and {static_shape(max)}"
        )
    _check_range(min, max)
    return _quantized(inputs, min, max, num_bits, narrow_range)


@fake_quant_with_min_max_vars_per_channel.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    attrs = {name: node.get_attr(name) for name in ("num_bits", "narrow_range")}
    return list(b.FakeQuantWithMinMaxVarsPerChannelGradient(dy, *node.inputs, **attrs))


def _limit_gradients(
    gradients: Any, inputs: Any, low: Any, high: Any, num_bits: int, narrow_range: bool, axes: tuple[int, ...]
) -> tuple[Any, Any, Any]:
    inside, below, above, nothing = _masks(inputs, low, high, num_bits, narrow_range)
    xp = namespace(gradients, inputs, low, high)
    zeros = xp.zeros_like(gradients)
    dx = xp.where(nothing | inside, gradients, zeros)
    d_low = xp.sum(xp.where(below & ~nothing, gradients, zeros), axis=axes, dtype=gradients.dtype)
    d_high = xp.sum(xp.where(above & ~nothing, gradients, zeros), axis=axes, dtype=gradients.dtype)
    return dx, d_low, d_high


@op("FakeQuantWithMinMaxVarsGradient", shape=_limits_grad_shape, no_gradient="not defined by TensorFlow")
def fake_quant_with_min_max_vars_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Any:
    """(inputs, min, max): what lies outside the limits gives its gradient to the limit."""
    axes = tuple(range(len(static_shape(inputs))))
    return _limit_gradients(gradients, inputs, min, max, num_bits, narrow_range, axes)


@op(
    "FakeQuantWithMinMaxVarsPerChannelGradient",
    shape=_channel_limits_grad_shape,
    no_gradient="not defined by TensorFlow",
)
def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Any:
    """The same with limits for each channel."""
    axes = tuple(range(len(static_shape(inputs)) - 1))
    return _limit_gradients(gradients, inputs, min, max, num_bits, narrow_range, axes)
