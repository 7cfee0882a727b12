"""Fake quantization: values rounded to those that a quantized tensor of a range would hold, and its gradients.

The range is nudged until zero is one of these values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit.arrays import namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge, merge_dim, same_as, with_rank

_HALF = np.float32(0.5)


def _nudged(low: Any, high: Any, bits: int, narrow: bool) -> tuple[Any, Any, Any]:
    """(lowest value, highest value, step) of a range with zero in it; of 0 to 1 for a range of zero alone."""
    xp = namespace(low, high)
    high = xp.where((low == 0) & (high == 0), np.float32(1), high)
    first, last = np.float32(1 if narrow else 0), np.float32(2**bits - 1)
    step = (high - low) / (last - first)
    zero = first - low / step
    zero = xp.where(zero < first, first, xp.where(zero > last, last, xp.floor(zero + _HALF)))
    return (first - zero) * step, (last - zero) * step, step


def _quantized(x: Any, low: Any, high: Any, bits: int, narrow: bool) -> Any:
    xp = namespace(x, low, high)
    empty = (low == 0) & (high == 0)
    lowest, highest, step = _nudged(low, high, bits, narrow)
    per_step = np.float32(1) / step
    offset = namespace(low, high).floor(-lowest * per_step + _HALF)
    shifted = xp.minimum(xp.maximum(x, lowest), highest) - lowest
    out = xp.floor(shifted * per_step - offset + _HALF) * step
    return xp.where(empty, np.float32(0), out).astype(np.float32)


def _gradients(dy: Any, x: Any, low: Any, high: Any, bits: int, narrow: bool, axes: Any) -> tuple[Any, Any, Any]:
    xp = namespace(dy, x, low, high)
    empty = (low == 0) & (high == 0)
    lowest, highest, _ = _nudged(low, high, bits, narrow)
    zero = np.float32(0)
    below, above = (x < lowest) & ~empty, (x > highest) & ~empty
    inside = xp.where(empty | ((x >= lowest) & (x <= highest)), dy, zero)
    sums = [xp.sum(xp.where(part, dy, zero), axis=axes, dtype=np.float32) for part in (below, above)]
    return inside, sums[0], sums[1]


def _check_range(low: Any, high: Any) -> None:
    if on_host(low, high) and np.any(np.asarray(low) > np.asarray(high)):
        raise InvalidArgumentError(f"min has to be smaller than max, was: {low} > {high}")


def _ends(low: float, high: float) -> tuple[Any, Any]:
    if not low < high:
        raise InvalidArgumentError(f"min has to be smaller than max, was: {low} >= {high}")
    return np.float32(low), np.float32(high)


@op("FakeQuantWithMinMaxArgs", shape=same_as(0))
@quiet
def fake_quant_with_min_max_args(inputs: Any, *, min: float, max: float, num_bits: int, narrow_range: bool) -> Any:
    return _quantized(inputs, *_ends(min, max), num_bits, narrow_range)


_SETTINGS = ("num_bits", "narrow_range")


@fake_quant_with_min_max_args.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    attrs = {name: node.get_attr(name) for name in ("min", "max", *_SETTINGS)}
    return [b.FakeQuantWithMinMaxArgsGradient(dy, node.inputs[0], **attrs)]


@op("FakeQuantWithMinMaxArgsGradient", shape=lambda c: [merge(c, c.input(0), c.input(1))])
@quiet
def fake_quant_with_min_max_args_gradient(
    gradients: Any, inputs: Any, *, min: float, max: float, num_bits: int, narrow_range: bool
) -> Any:
    """The gradients where the inputs are inside the range, else 0."""
    return _gradients(gradients, inputs, *_ends(min, max), num_bits, narrow_range, None)[0]


def _scalar_ends(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(1), 0)
    with_rank(c, c.input(2), 0)
    return [c.input(0)]


@op("FakeQuantWithMinMaxVars", shape=_scalar_ends)
@quiet
def fake_quant_with_min_max_vars(inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool) -> Any:
    """InvalidArgumentError if the range is upside down."""
    _check_range(min, max)
    return _quantized(inputs, min, max, num_bits, narrow_range)


@fake_quant_with_min_max_vars.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    attrs = {name: node.get_attr(name) for name in _SETTINGS}
    return list(b.FakeQuantWithMinMaxVarsGradient(dy, *node.inputs, **attrs))


def _scalar_gradients(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(2), 0)
    with_rank(c, c.input(3), 0)
    return [merge(c, c.input(0), c.input(1)), (), ()]


@op("FakeQuantWithMinMaxVarsGradient", shape=_scalar_gradients)
@quiet
def fake_quant_with_min_max_vars_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Any:
    """The gradients inside the range; their sums below it and above it."""
    _check_range(min, max)
    return _gradients(gradients, inputs, min, max, num_bits, narrow_range, None)


def _channel_ends(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 1)
    last = None if sizes is None else sizes[-1]
    low, high = with_rank(c, c.input(1), 1), with_rank(c, c.input(2), 1)
    last = merge_dim(c, merge_dim(c, last, low[0]), high[0])
    return [None if sizes is None else (*sizes[:-1], last)]


def _check_channels(inputs: Any, *ends: Any) -> None:
    shape = static_shape(inputs)
    for name, end in zip(("min", "max"), ends, strict=True):
        if not shape or static_shape(end) != (shape[-1],):
            raise InvalidArgumentError(
                f"{name} has incorrect size, expected {shape[-1] if shape else 'a vector'} was {static_shape(end)}"
            )


@op("FakeQuantWithMinMaxVarsPerChannel", shape=_channel_ends)
@quiet
def fake_quant_with_min_max_vars_per_channel(
    inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Any:
    """A range for each place of the last axis."""
    _check_channels(inputs, min, max)
    _check_range(min, max)
    return _quantized(inputs, min, max, num_bits, narrow_range)


@fake_quant_with_min_max_vars_per_channel.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    attrs = {name: node.get_attr(name) for name in _SETTINGS}
    return list(b.FakeQuantWithMinMaxVarsPerChannelGradient(dy, *node.inputs, **attrs))


def _channel_gradients(c: ShapeContext) -> list[Sizes]:
    sizes = merge(c, at_least_rank(c, c.input(0), 1), at_least_rank(c, c.input(1), 1))
    last = None if sizes is None else sizes[-1]
    low, high = with_rank(c, c.input(2), 1), with_rank(c, c.input(3), 1)
    last = merge_dim(c, merge_dim(c, last, low[0]), high[0])
    return [None if sizes is None else (*sizes[:-1], last), (last,), (last,)]


@op("FakeQuantWithMinMaxVarsPerChannelGradient", shape=_channel_gradients)
@quiet
def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Any:
    """The gradients inside the range; for each place of the last axis their sums below it and above it."""
    _check_channels(inputs, min, max)
    _check_range(min, max)
    axes = tuple(range(len(static_shape(inputs)) - 1))
    return _gradients(gradients, inputs, min, max, num_bits, narrow_range, axes)
