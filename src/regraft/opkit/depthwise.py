"""Depthwise convolution, where each channel has filters of its own, and its two gradients, as programs of XLA.

On CPUs a sum of elementwise products over strided slices, which XLA fuses into one loop: a twentieth of the time of its
grouped convolutions there. On GPUs and TPUs the grouped convolutions.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from regraft.opkit.arrays import lax
from regraft.opkit.convolution import (
    Geometry,
    Sizes,
    first_to_last,
    flipped,
    last_to_first,
    native,
    native_filter_gradient,
    native_input_gradient,
    on_cpu,
    output_sizes,
    slices,
    spread,
)


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


def depthwise(x: Any, filters: Any, geometry: Geometry) -> Any:
    """Convolve each channel of `x` with its filters [window..., channels, multiplier] into `multiplier` channels."""
    if not on_cpu():
        return native(x, _grouped(filters), geometry, x.shape[geometry.channel_axis])
    if not geometry.channels_last:
        return last_to_first(depthwise(first_to_last(x), filters, flipped(geometry)))
    window, (channels, multiplier) = filters.shape[:-2], filters.shape[-2:]
    places = output_sizes(x.shape, filters.shape, geometry)
    sizes = (x.shape[0], *places, channels, multiplier)
    wide, filters, total = _wide(x), _wide(filters), None
    rank = len(sizes)
    for position, part in slices(wide, window, places, geometry):
        part = lax.broadcast_in_dim(part, sizes, range(rank - 1))
        part = part * lax.broadcast_in_dim(_at(filters, position), sizes, (rank - 2, rank - 1))
        total = part if total is None else total + part
    out = lax.reshape(total, (x.shape[0], *places, channels * multiplier))
    return lax.convert_element_type(out, x.dtype)


def depthwise_input_gradient(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry) -> Any:
    """The gradient of `depthwise` towards its input of shape `sizes`."""
    if not on_cpu():
        return native_input_gradient(sizes, _grouped(filters), dy, geometry, sizes[geometry.channel_axis])
    if not geometry.channels_last:
        sizes = (sizes[0], *sizes[2:], sizes[1])
        return last_to_first(depthwise_input_gradient(sizes, filters, first_to_last(dy), flipped(geometry)))
    window, multiplier = filters.shape[:-2], filters.shape[-1]
    rows, wide = _split(_wide(dy), multiplier), _wide(filters)
    rank = rows.ndim

    def part(position: Sizes) -> Any:
        scaled = rows * lax.broadcast_in_dim(_at(wide, position), rows.shape, (rank - 2, rank - 1))
        return lax.reduce_sum(scaled, (rank - 1,)) if multiplier > 1 else lax.squeeze(scaled, (rank - 1,))

    parts = ((position, part(position)) for position in product(*map(range, window)))
    return lax.convert_element_type(spread(parts, sizes, window, geometry), dy.dtype)


def depthwise_filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry) -> Any:
    """The gradient of `depthwise` towards its filters of shape `sizes`."""
    *window, channels, multiplier = sizes
    if not on_cpu():
        grouped = (*window, 1, channels * multiplier)
        return lax.reshape(native_filter_gradient(x, grouped, dy, geometry, channels), sizes)
    if not geometry.channels_last:
        return depthwise_filter_gradient(first_to_last(x), sizes, first_to_last(dy), flipped(geometry))
    rows = _split(_wide(dy), multiplier)
    rank, parts = rows.ndim, []
    for _, part in slices(_wide(x), tuple(window), dy.shape[1:-1], geometry):
        spread_part = lax.broadcast_in_dim(part, rows.shape, range(rank - 1))
        parts.append(lax.reduce_sum(spread_part * rows, tuple(range(rank - 2))))
    out = lax.reshape(lax.concatenate(parts, 0) if len(parts) > 1 else parts[0], sizes)
    return lax.convert_element_type(out, x.dtype)
