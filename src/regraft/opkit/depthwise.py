"""Depthwise convolution, where each channel has filters of its own, and its two gradients, as programs of XLA; in
NumPy for host values.

On CPUs, where many multiplications are to be made, oneDNN's convolutions with a group for each channel, each of one
channel: half to two thirds of the time of what else is done there (MobileNet's sizes, 2 cores), which is a sum of
elementwise products over strided slices, fused by XLA into one loop: a twentieth of the time of its grouped
convolutions. On GPUs and TPUs the grouped convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from regraft.opkit import host_depthwise, onednn
from regraft.opkit.arrays import lax, on_host
from regraft.opkit.convolution import (
    Geometry,
    Sizes,
    filter_gradient_pads,
    first_to_last,
    flipped,
    input_gradient_through_onednn,
    last_to_first,
    meets,
    native,
    native_filter_gradient,
    native_input_gradient,
    output_sizes,
    slices,
    spread,
    through_onednn,
)
from regraft.opkit.padding import extent
from regraft.opkit.platforms import on_cpu
from regraft.opkit.settled import settled
from regraft.opkit.sums import sum_over

_MANY = 8
"""From so many additions on, the gradient towards the filters makes them in a loop."""

_CELLS = 1 << 15
"""Images are added together that have no more cells than this: with one sum for each position of a window, they stay in
a core's cache."""


def _at(filters: Any, position: Sizes) -> Any:
    """The filters' values at one position, [channels, multiplier]."""
    one = lax.slice(filters, (*position, 0, 0), (*(p + 1 for p in position), *filters.shape[-2:]))
    return lax.reshape(one, filters.shape[-2:])


def _grouped(filters: Any) -> Any:
    """[..., channels, multiplier] as the filters of a convolution with a group for each channel."""
    *window, channels, multiplier = filters.shape
    return lax.reshape(filters, (*window, 1, channels * multiplier))


def _wide(x: Any) -> Any:
    return lax.convert_element_type(x, np.float32) if x.dtype.itemsize == 2 else x


def _split(x: Any, multiplier: int) -> Any:
    """[..., channels * multiplier] as [..., channels, multiplier]."""
    return lax.reshape(x, (*x.shape[:-1], x.shape[-1] // multiplier, multiplier))


def _each(rows: Any) -> list[Any]:
    """[..., multiplier] one after another: XLA's sum over neighbours in memory would not be vectorised."""
    return [lax.index_in_dim(rows, m, rows.ndim - 1, keepdims=False) for m in range(rows.shape[-1])]


def _repeated(x: Any, multiplier: int) -> Any:
    """[..., channels] with every channel so many times, next to each other."""
    if multiplier == 1:
        return x
    out = lax.broadcast_in_dim(x, (*x.shape, multiplier), range(x.ndim))
    return lax.reshape(out, (*x.shape[:-1], x.shape[-1] * multiplier))


def _by_onednn(x_sizes: Sizes, out_sizes: Sizes, filter_sizes: Sizes, geometry: Geometry, dtype: Any) -> bool:
    some = math.prod(x_sizes) > 0 and meets(filter_sizes, geometry)
    return some and onednn.convolves_channels(math.prod(out_sizes) * math.prod(filter_sizes[:-2]), dtype)


def depthwise(x: Any, filters: Any, geometry: Geometry) -> Any:
    """Convolve each channel of `x` with its filters [window..., channels, multiplier] into `multiplier` channels."""
    if on_host(x, filters):
        return host_depthwise.depthwise(x, filters, output_sizes(x.shape, filters.shape, geometry), geometry)
    if not on_cpu():
        return native(x, _grouped(filters), geometry, x.shape[geometry.channel_axis])
    if not geometry.channels_last:
        return last_to_first(depthwise(first_to_last(x), filters, flipped(geometry)))
    window, (channels, multiplier) = filters.shape[:-2], filters.shape[-2:]
    places = output_sizes(x.shape, filters.shape, geometry)
    sizes = (x.shape[0], *places, channels, multiplier)
    if _by_onednn(x.shape, sizes, filters.shape, geometry, x.dtype):
        return through_onednn(_repeated(x, multiplier), _grouped(filters), geometry, channels * multiplier)
    wide, filters, total = _wide(x), _wide(filters), None
    rank = len(sizes)
    for position, part in slices(wide, window, places, geometry):
        part = lax.broadcast_in_dim(part, sizes, range(rank - 1))
        part = part * lax.broadcast_in_dim(_at(filters, position), sizes, (rank - 2, rank - 1))
        total = part if total is None else total + part
    out = lax.reshape(total, (x.shape[0], *places, channels * multiplier))
    return settled(lax.convert_element_type(out, x.dtype))


def depthwise_input_gradient(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry) -> Any:
    """The gradient of `depthwise` towards its input of shape `sizes`."""
    if on_host(filters, dy):
        return host_depthwise.depthwise_input_gradient(sizes, filters, dy, geometry)
    if not on_cpu():
        return native_input_gradient(sizes, _grouped(filters), dy, geometry, sizes[geometry.channel_axis])
    if not geometry.channels_last:
        sizes = (sizes[0], *sizes[2:], sizes[1])
        return last_to_first(depthwise_input_gradient(sizes, filters, first_to_last(dy), flipped(geometry)))
    window, multiplier = filters.shape[:-2], filters.shape[-1]
    if _by_onednn(sizes, dy.shape, filters.shape, geometry, dy.dtype):
        repeated = (*sizes[:-1], dy.shape[-1])
        out = input_gradient_through_onednn(repeated, _grouped(filters), dy, geometry, dy.shape[-1])
        return reduce(lax.add, _each(_split(out, multiplier)))
    rows, wide = _split(_wide(dy), multiplier), _wide(filters)
    gradients = _each(rows)

    def scaled(cells: Any, position: Sizes, m: int) -> Any:
        one = lax.index_in_dim(_at(wide, position), m, 1, keepdims=False)
        return cells * lax.broadcast_in_dim(one, cells.shape, (cells.ndim - 1,))

    if all(stride == 1 for stride in geometry.strides):
        # Every cell of the input gathers from the window that lies mirrored around it.
        mirrored = _mirrored(sizes, window, dy.shape, geometry)
        parts = [
            scaled(part, tuple(n - 1 - p for n, p in zip(window, position, strict=True)), m)
            for m, gradient in enumerate(gradients)
            for position, part in slices(gradient, window, sizes[1:-1], mirrored)
        ]
        total = reduce(lax.add, parts)
    else:
        positions = product(*map(range, window))
        shares = ((p, reduce(lax.add, [scaled(g, p, m) for m, g in enumerate(gradients)])) for p in positions)
        total = spread(shares, sizes, window, geometry)
    return settled(lax.convert_element_type(total, dy.dtype))


def _mirrored(sizes: Sizes, window: Sizes, places: Sizes, geometry: Geometry) -> Geometry:
    """How the window slides over the gradient, of shape `places`, so that it has a place for each cell of the input."""
    pads = []
    for i, (low, _) in enumerate(geometry.pads):
        reach = extent(window[i], geometry.dilations[i]) - 1
        before = reach - low
        pads.append((before, reach + sizes[1 + i] - places[1 + i] - before))
    return Geometry(geometry.strides, geometry.dilations, tuple(pads))


def depthwise_filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry) -> Any:
    """The gradient of `depthwise` towards its filters of shape `sizes`."""
    if on_host(x, dy):
        return host_depthwise.depthwise_filter_gradient(x, sizes, dy, geometry)
    *window, channels, multiplier = sizes
    if not on_cpu():
        grouped = (*window, 1, channels * multiplier)
        return lax.reshape(native_filter_gradient(x, grouped, dy, geometry, channels), sizes)
    if not geometry.channels_last:
        return depthwise_filter_gradient(first_to_last(x), sizes, first_to_last(dy), flipped(geometry))
    if _plain(geometry) and _by_onednn(x.shape, dy.shape, sizes, geometry, x.dtype):
        return _onednn_filter_gradient(x, sizes, dy, geometry)
    wide, rows = _wide(x), _split(settled(_wide(dy)), multiplier)

    def products(x: Any, rows: Any) -> list[Any]:
        parts = slices(x, tuple(window), rows.shape[1:-2], geometry)
        return [lax.broadcast_in_dim(part, rows.shape, range(rows.ndim - 1)) * rows for _, part in parts]

    # A few images at a time into sums as large as these: XLA's sum over leading axes is not vectorised.
    some = _images_at_a_time(rows.shape)

    def add(i: Any, sums: Sequence[Any]) -> list[Any]:
        images = (lax.dynamic_slice_in_dim(v, i * np.int32(some), some, 0) for v in (wide, rows))
        return [total + one for total, one in zip(sums, products(*images), strict=True)]

    sums = [lax.full((some, *rows.shape[1:]), 0, rows.dtype)] * math.prod(window)
    times = rows.shape[0] // some
    if times < _MANY:
        sums = reduce(lambda sums, i: add(i, sums), map(np.int32, range(times)), sums)
    else:
        sums = lax.fori_loop(np.int32(0), np.int32(times), add, sums)
    parts = [sum_over(total, tuple(range(rows.ndim - 2))) for total in sums]
    out = lax.reshape(lax.concatenate(parts, 0) if len(parts) > 1 else parts[0], sizes)
    return lax.convert_element_type(out, x.dtype)


def _images_at_a_time(sizes: Sizes) -> int:
    """How many images of a batch make a sum large enough that adding to it is what takes the time."""
    of_one = math.prod(sizes[1:])
    return next((n for n in range(sizes[0], 1, -1) if sizes[0] % n == 0 and n * of_one <= _CELLS), 1)


def _onednn_filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry) -> Any:
    """For plain windows: `dy` slides over `x`, with the images as one more spatial axis that it covers as a whole."""
    x, channels = _repeated(x, sizes[-1]), dy.shape[-1]
    pads = filter_gradient_pads(x.shape, sizes, dy.shape, geometry)
    x = lax.reshape(x, (1, *x.shape))
    dy = lax.reshape(dy, (*dy.shape[:-1], 1, channels))
    ones = (1,) * (len(pads) + 1)
    out = onednn.convolution(x, dy, (1, *sizes[:-2]), ones, ((0, 0), *pads), ones, groups=channels)
    return lax.reshape(out, sizes)


def _plain(geometry: Geometry) -> bool:
    """Without strides and dilations, which oneDNN has no fast convolutions for over three axes."""
    return max(*geometry.strides, *geometry.dilations) == 1
