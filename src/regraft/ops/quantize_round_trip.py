"""Rounding to the multiples of a step that a quantized tensor would hold, in floating point, with its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import namespace, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge, merge_dim, with_rank


def _spread(ends: Any, rank: int, axis: int) -> Any:
    """A vector along `axis` of an array of `rank`; scalars as they are."""
    if axis < 0 or not static_shape(ends):
        return ends
    return ends.reshape((-1,) + (1,) * (rank - 1 - axis))


def _quantized(
    x: Any,
    low: Any,
    high: Any,
    signed: bool,
    bits: int,
    given: bool,
    half_up: bool,
    narrow: bool,
    axis: int,
) -> Any:
    xp, dtype = namespace(x, low, high), x.dtype
    if not 1 <= bits < (63 if signed else 64):
        raise InvalidArgumentError(f"num_bits is out of range: {bits} with signed_input {signed}")
    rank = len(static_shape(x))
    if given:
        if on_host(low, high) and np.any(low > high):
            raise InvalidArgumentError(f"Invalid range: input_min {low} > input_max {high}")
        low, high = _spread(low, rank, axis), _spread(high, rank, axis)
    else:
        axes = tuple(a for a in range(rank) if a != axis) if axis >= 0 else None
        low, high = (f(x, axis=axes, keepdims=axis >= 0) for f in (xp.min, xp.max))
    first = np.asarray((-(2 ** (bits - 1)) + narrow) if signed else 0, dtype)[()]
    last = np.asarray(2 ** (bits - 1) - 1 if signed else 2**bits - 1, dtype)[()]
    most = np.asarray(np.finfo(np.float32).max if dtype.itemsize >= 4 else np.finfo(np.float16).max, dtype)[()]
    by_low = xp.where(first * low > 0, first / low, most)
    by_high = xp.where(last * high > 0, last / high, most)
    lower = by_low < by_high
    inverse = xp.where(lower, low / (first if first else np.asarray(1, dtype)[()]), high / last)
    scale = xp.where(lower, by_low, by_high)
    if given:
        low, high = xp.where(lower, low, first * inverse), xp.where(lower, last * inverse, high)
        x = xp.minimum(xp.maximum(x, low), high)
    scaled = x * scale
    rounded = xp.floor(scaled + np.asarray(0.5, dtype)[()]) if half_up else xp.round(scaled)
    return (rounded * inverse).astype(dtype)


def _quantize_shape(c: ShapeContext) -> list[Sizes]:
    axis, x = c.attr("axis", -1), c.input(0)
    low, high = c.input(1), c.input(2)
    if axis < 0:
        with_rank(c, low, 0)
        with_rank(c, high, 0)
        return [x]
    x = at_least_rank(c, x, axis + 1)
    count = merge_dim(c, with_rank(c, low, 1)[0], with_rank(c, high, 1)[0])
    if x is not None:
        merge_dim(c, x[axis], count)
    return [x]


@op("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV4", shape=_quantize_shape)
@quiet
def quantize_and_dequantize(
    input: Any,
    input_min: Any,
    input_max: Any,
    *,
    signed_input: bool,
    num_bits: int,
    range_given: bool,
    round_mode: bytes,
    narrow_range: bool,
    axis: int,
) -> Any:
    """x rounded to multiples of the step that 2^num_bits integers around 0 need to span the range.

    input_min, input_max  the range: scalars, or vectors along `axis`; the input's own range unless range_given
    """
    half_up = round_mode == b"HALF_UP"
    return _quantized(input, input_min, input_max, signed_input, num_bits, range_given, half_up, narrow_range, axis)


@quantize_and_dequantize.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    if node.type == "QuantizeAndDequantizeV2":
        return [dy, None, None]
    return list(b.QuantizeAndDequantizeV4Grad(dy, *node.inputs, axis=node.get_attr("axis")))


@op("QuantizeAndDequantizeV3", shape=_quantize_shape, static="num_bits")
@quiet
def quantize_and_dequantize_v3(
    input: Any,
    input_min: Any,
    input_max: Any,
    num_bits: Any,
    *,
    signed_input: bool,
    range_given: bool,
    narrow_range: bool,
    axis: int,
) -> Any:
    """QuantizeAndDequantizeV2 with the number of bits as an input."""
    return _quantized(input, input_min, input_max, signed_input, int(num_bits), range_given, False, narrow_range, axis)


@quantize_and_dequantize_v3.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [dy, None, None, None]


def _v4_gradient_shape(c: ShapeContext) -> list[Sizes]:
    x, low, high = merge(c, c.input(0), c.input(1)), c.input(2), c.input(3)
    rank = 0 if c.attr("axis") < 0 else 1
    return [x, with_rank(c, low, rank), with_rank(c, high, rank)]


@op("QuantizeAndDequantizeV4Grad", shape=_v4_gradient_shape)
@quiet
def quantize_and_dequantize_v4_grad(gradients: Any, input: Any, input_min: Any, input_max: Any, *, axis: int) -> Any:
    """The gradient where the input lies in the range, and zeros for the ends of the range."""
    xp = namespace(gradients, input, input_min, input_max)
    rank = len(static_shape(input))
    low, high = _spread(input_min, rank, axis), _spread(input_max, rank, axis)
    kept = xp.where((input >= low) & (input <= high), gradients, np.asarray(0, gradients.dtype)[()])
    return kept, xp.zeros_like(input_min), xp.zeros_like(input_max)
