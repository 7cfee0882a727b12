"""Depthwise convolution and its two gradients on NumPy arrays: a product for each position of the window, summed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.opkit.elementwise import quiet
from regraft.opkit.padding import covered

if TYPE_CHECKING:
    from regraft.opkit.convolution import Geometry

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]
Index = tuple[slice, ...]


@quiet
def depthwise(x: Any, filters: Any, places: Sizes, geometry: Geometry) -> Any:
    """`opkit.depthwise.depthwise` of host values, for a result of spatial sizes `places`."""
    if not geometry.channels_last:
        return _first(depthwise(_last(x), filters, places, replace(geometry, channels_last=True)))
    wide, rows = _wide(x), _wide(filters)
    out = np.zeros((x.shape[0], *places, *filters.shape[-2:]), wide.dtype)
    for total, image in zip(out, wide, strict=True):
        for position, cells, taken in _positions(image.shape[:-1], filters.shape[:-2], places, geometry):
            total[taken] += image[cells][..., None] * rows[position]
    return out.reshape(x.shape[0], *places, -1).astype(x.dtype, copy=False)


@quiet
def depthwise_input_gradient(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry) -> Any:
    """`opkit.depthwise.depthwise_input_gradient` of host values."""
    if not geometry.channels_last:
        last = (sizes[0], *sizes[2:], sizes[1])
        return _first(depthwise_input_gradient(last, filters, _last(dy), replace(geometry, channels_last=True)))
    rows = _wide(filters)
    gradients = _wide(dy).reshape(*dy.shape[:-1], *filters.shape[-2:])
    out = np.zeros(sizes, rows.dtype)
    for total, image in zip(out, gradients, strict=True):
        for position, cells, taken in _positions(sizes[1:-1], filters.shape[:-2], dy.shape[1:-1], geometry):
            total[cells] += np.sum(image[taken] * rows[position], -1)
    return out.astype(dy.dtype, copy=False)


@quiet
def depthwise_filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry) -> Any:
    """`opkit.depthwise.depthwise_filter_gradient` of host values."""
    if not geometry.channels_last:
        return depthwise_filter_gradient(_last(x), sizes, _last(dy), replace(geometry, channels_last=True))
    wide = _wide(x)
    gradients = _wide(dy).reshape(*dy.shape[:-1], *sizes[-2:])
    out = np.zeros(sizes, wide.dtype)
    for image, gradient in zip(wide, gradients, strict=True):
        for position, cells, taken in _positions(image.shape[:-1], sizes[:-2], dy.shape[1:-1], geometry):
            products = image[cells][..., None] * gradient[taken]
            out[position] += np.sum(products, tuple(range(products.ndim - 2)))
    return out.astype(x.dtype, copy=False)


def _positions(sizes: Sizes, window: Sizes, places: Sizes, geometry: Geometry) -> Iterator[tuple[Sizes, Index, Index]]:
    """For each position of the window: the cells of an image that it meets, and the places where it does."""
    for position in product(*map(range, window)):
        axes = zip(sizes, position, places, geometry.strides, geometry.dilations, geometry.pads, strict=True)
        cells, taken = zip(*(covered(*axis) for axis in axes), strict=True)
        yield position, cells, taken


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


def _last(x: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def _first(x: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))
