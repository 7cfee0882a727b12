"""Maxima over windows with the places they were found at, and the gradients that go there."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.opkit.arrays import jnp, lax, static_shape
from regraft.opkit.padding import output_size
from regraft.opkit.pooling import check_output, max_pool_positions, window_of
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank


def _shape(c: ShapeContext) -> list[Sizes]:
    x = with_rank(c, c.input(0), 4)
    ksize, strides = c.attr("ksize"), c.attr("strides")
    try:
        sizes = tuple(output_size(n, k, s, c.attr("padding")) for n, k, s in zip(x, ksize, strides, strict=True))
    except ValueError as e:
        raise c.fail(str(e)) from None
    return [sizes] * c.output_count


@op("MaxPoolWithArgmax", shape=_shape, lax=True)
def max_pool_with_argmax(
    input: Any, *, ksize: Any, strides: Any, padding: bytes, include_batch_in_index: bool, Targmax: DType
) -> Any:
    """The largest value in each window, and the flat index of its first cell.

    input    [batch, height, width, channels]
    returns  values; indices ((batch * height + y) * width + x) * channels + c, without the batch unless asked for
    """
    sizes = static_shape(input)
    values, at = max_pool_positions(input, window_of(sizes, ksize, strides, padding))
    if not include_batch_in_index:
        at = at - lax.broadcasted_iota(np.int64, at.shape, 0) * np.int64(np.prod(sizes[1:]))
    return values, lax.convert_element_type(at, Targmax.numpy)


@max_pool_with_argmax.gradient
def _(b: Any, node: Any, dy: Any, _argmax: Any) -> Any:
    names = ("ksize", "strides", "padding", "include_batch_in_index")
    attrs = {name: node.get_attr(name) for name in names}
    return [b.MaxPoolGradWithArgmax(node.inputs[0], dy, node.outputs[1], **attrs)]


@op("MaxPoolGradWithArgmax", shape=lambda c: [with_rank(c, c.input(0), 4)], metadata="input", lax=True)
def max_pool_grad_with_argmax(
    input: Any, grad: Any, argmax: Any, *, ksize: Any, strides: Any, padding: bytes, include_batch_in_index: bool
) -> Any:
    """The gradient of MaxPoolWithArgmax: each entry of `grad` is added to the cell that `argmax` names."""
    sizes = static_shape(input)
    window = window_of(sizes, ksize, strides, padding)
    check_output("grad", grad.shape, sizes, window)
    check_output("argmax", argmax.shape, sizes, window)
    at = lax.convert_element_type(argmax, np.int64)
    if not include_batch_in_index:
        at = at + lax.broadcasted_iota(np.int64, at.shape, 0) * np.int64(np.prod(sizes[1:]))
    flat = jnp.zeros(int(np.prod(sizes)), grad.dtype)
    flat = flat.at[lax.reshape(at, (at.size,))].add(lax.reshape(grad, (grad.size,)), mode="drop")
    return lax.reshape(flat, sizes)
