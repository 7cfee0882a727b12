"""Grey-scale dilation (max-plus convolution) of images, with its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import as_dtype
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import lax
from regraft.opkit.convolution import Geometry, output_sizes, slices, spread
from regraft.opkit.padding import all_pads, extent, output_size
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, with_rank


def _shape(c: ShapeContext) -> list[Sizes]:
    x, filters = with_rank(c, c.input(0), 4), with_rank(c, c.input(1), 3)
    dims = []
    for axis in (1, 2):
        k = filters[axis - 1]
        window = None if k is None else extent(k, c.attr("rates")[axis])
        try:
            dims.append(output_size(x[axis], window, c.attr("strides")[axis], c.attr("padding")))
        except ValueError as e:
            raise c.fail(str(e)) from None
    return [(x[0], *dims, merge_dim(c, x[3], filters[2]))]


def _geometry(x: Any, filters: Any, strides: Any, rates: Any, padding: bytes) -> Geometry:
    if x.shape[3] != filters.shape[2]:
        raise InvalidArgumentError(f"input and filter must have the same depth: {x.shape[3]} vs {filters.shape[2]}")
    two, apart = tuple(strides[1:3]), tuple(rates[1:3])
    windows = [extent(k, r) for k, r in zip(filters.shape[:2], apart, strict=True)]
    return Geometry(two, apart, all_pads(x.shape[1:3], windows, two, padding))


def _sums(x: Any, filters: Any, g: Geometry) -> Any:
    """For each position of the filter: whether it lies on the input, and input + filter; the lowest value where not."""
    places = output_sizes(x.shape, filters.shape, g)
    sizes = (x.shape[0], *places, x.shape[3])
    lowest = lax.full(sizes, as_dtype(x.dtype).min, x.dtype)
    inside = lax.full((1, *x.shape[1:3], 1), True, bool)
    pads = ((0, 0, 0), *((lo, hi, 0) for lo, hi in g.pads), (0, 0, 0))
    inside = lax.pad(inside, np.bool_(False), pads)
    bare = Geometry(g.strides, g.dilations, ((0, 0), (0, 0)))
    masks = slices(inside, filters.shape[:2], places, bare)
    for (position, part), (_, mask) in zip(slices(x, filters.shape[:2], places, g), masks, strict=True):
        row = lax.broadcast_in_dim(filters[position], sizes, (3,))
        yield position, lax.select(lax.broadcast_in_dim(mask, sizes, range(4)), part + row, lowest)


@op("Dilation2D", shape=_shape, lax=True)
def dilation2d(input: Any, filter: Any, *, strides: Any, rates: Any, padding: bytes) -> Any:
    """The largest sum of input and filter in each window.

    input    [batch, height, width, depth]
    filter   [h, w, depth]
    """
    total = None
    for _, part in _sums(input, filter, _geometry(input, filter, strides, rates, padding)):
        total = part if total is None else lax.max(total, part)
    return total


@dilation2d.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    attrs = {name: node.get_attr(name) for name in ("strides", "rates", "padding")}
    x, filters = node.inputs
    return [b.Dilation2DBackpropInput(x, filters, dy, **attrs), b.Dilation2DBackpropFilter(x, filters, dy, **attrs)]


def _winners(x: Any, filters: Any, dy: Any, g: Geometry) -> Any:
    """For each position of the filter: `dy` where that position has the first of the largest sums, else 0."""
    best = number = None
    for i, (_, part) in enumerate(_sums(x, filters, g)):
        if best is None:
            best, number = part, lax.full(part.shape, 0, np.int32)
            continue
        better = lax.lt(best, part)
        best = lax.select(better, part, best)
        number = lax.select(better, lax.full(part.shape, i, np.int32), number)
    for i, position in enumerate(np.ndindex(*filters.shape[:2])):
        yield position, lax.select(lax.eq(number, lax.full(dy.shape, i, np.int32)), dy, lax.full(dy.shape, 0, dy.dtype))


@op("Dilation2DBackpropInput", shape=lambda c: [c.input(0)], lax=True)
def dilation2d_backprop_input(
    input: Any, filter: Any, out_backprop: Any, *, strides: Any, rates: Any, padding: bytes
) -> Any:
    """The gradient of Dilation2D towards its input: each entry goes to the first of the largest sums."""
    g = _geometry(input, filter, strides, rates, padding)
    return spread(_winners(input, filter, out_backprop, g), input.shape, filter.shape[:2], g)


@op("Dilation2DBackpropFilter", shape=lambda c: [c.input(1)], lax=True)
def dilation2d_backprop_filter(
    input: Any, filter: Any, out_backprop: Any, *, strides: Any, rates: Any, padding: bytes
) -> Any:
    """The gradient of Dilation2D towards its filter."""
    g = _geometry(input, filter, strides, rates, padding)
    rows = [lax.reduce_sum(part, (0, 1, 2)) for _, part in _winners(input, filter, out_backprop, g)]
    return lax.reshape(lax.concatenate(rows, 0), filter.shape)
