"""Local response normalization (Krizhevsky et al. 2012, section 3.3), across neighbouring channels."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from regraft.opkit.arrays import lax, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge, with_rank


def _cast(x: Any, dtype: Any) -> Any:
    if x.dtype == dtype:
        return x
    return x.astype(dtype) if on_host(x) else lax.convert_element_type(x, dtype)


_FEW_CHANNELS = 8
"""A radius up to which shifted additions, which XLA makes one loop of, are faster than a product."""


def _neighbours(x: Any, depth_radius: int) -> Any:
    """The sum over the channels at most `depth_radius` away."""
    sizes = static_shape(x)
    if not on_host(x) and depth_radius <= _FEW_CHANNELS:
        around = [(0, 0, 0)] * (len(sizes) - 1) + [(depth_radius, depth_radius, 0)]
        wide = lax.pad(x, np.float32(0), around)
        parts = [lax.slice_in_dim(wide, k, k + sizes[-1], axis=-1) for k in range(2 * depth_radius + 1)]
        return functools.reduce(lax.add, parts)
    number = np.arange(sizes[-1])
    band = (np.abs(number[:, None] - number) <= depth_radius).astype(np.float32)
    if on_host(x):
        return np.matmul(x, band)
    rank = len(sizes)
    return lax.dot_general(x, band, (((rank - 1,), (0,)), ((), ())), precision=lax.Precision.HIGHEST)


def _power(x: Any, exponent: float) -> Any:
    """x ** exponent for x near 1 and above; those of most models are roots, which take less time."""
    xp = np if on_host(x) else lax
    if exponent in (-0.5, -0.75):
        root = np.float32(1) / xp.sqrt(x)
        return root if exponent == -0.5 else root * xp.sqrt(root)
    value = np.float32(exponent)
    # XLA's own power is a slow call, and the logarithm loses nothing here.
    return np.power(x, value) if on_host(x) else lax.exp(value * lax.log(x))


@op("LRN", shape=lambda c: [with_rank(c, c.input(0), 4)])
@quiet
def lrn(input: Any, *, depth_radius: int, bias: float, alpha: float, beta: float) -> Any:
    """x / (bias + alpha * s)^beta, where s sums the squares of the channels at most depth_radius away.

    input    [batch, height, width, channels]
    differs  half and bfloat16 are computed in float32
    """
    x = _cast(input, np.float32)
    norm = np.float32(bias) + np.float32(alpha) * _neighbours(x * x, depth_radius)
    return _cast(x * _power(norm, -beta), input.dtype)


@lrn.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = {name: node.get_attr(name) for name in ("depth_radius", "bias", "alpha", "beta")}
    return [b.LRNGrad(dy, node.inputs[0], node.outputs[0], **attrs)]


def _gradient_shape(c: ShapeContext) -> list[Sizes]:
    return [with_rank(c, merge(c, merge(c, c.input(0), c.input(1)), c.input(2)), 4)]


@op("LRNGrad", shape=_gradient_shape)
@quiet
def lrn_grad(
    input_grads: Any,
    input_image: Any,
    output_image: Any,
    *,
    depth_radius: int,
    bias: float,
    alpha: float,
    beta: float,
) -> Any:
    """The gradient of LRN."""
    dy, x, y = (_cast(v, np.float32) for v in (input_grads, input_image, output_image))
    norm = np.float32(bias) + np.float32(alpha) * _neighbours(x * x, depth_radius)
    others = _neighbours(dy * y / norm, depth_radius)
    dx = dy * _power(norm, -beta) - np.float32(2 * alpha * beta) * x * others
    return _cast(dx, input_grads.dtype)
