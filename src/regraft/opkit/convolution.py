"""Convolution over any number of spatial axes, and its two gradients, as programs of XLA; in NumPy for host values.

Two lowerings. On GPUs and TPUs, XLA's native convolutions in the layout of the data. On CPUs, what was measured to be
fastest there (ResNet-50's shapes, batches of 1 to 32, against 210 GF/s of matrix products):

- 1x1 windows are matrix products in all three directions;
- a window on a small map with many channels is one product over the concatenated slices (im2col) of the padded input;
- the gradient towards the input of a convolution with strides is one product for each position of the filter, and so
  is that towards an input of a few channels;
- the gradient towards filters of a few input channels, without strides, is native: 90 GF/s, by oneDNN 70; that towards
  filters of a few output channels is a product;
- all else is done by oneDNN, where XLA carries it: 200 to 250 GF/s, and 160 to 240 towards filters, where native ones
  reach 70 to 190. Elsewhere a window on one channel is a product too, the gradients of a convolution with strides are
  products, and the rest native;
- convolutions in groups by oneDNN too, gradients with strides included: ResNeXt's (32 groups) take a fifth to a
  thirteenth of the native ones' time, and their gradients towards the filters 6 ms instead of 2 s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from regraft.opkit import host_convolution, onednn
from regraft.opkit.arrays import lax, on_host
from regraft.opkit.padding import Pads, extent
from regraft.opkit.platforms import on_cpu
from regraft.opkit.settled import settled

Sizes = tuple[int, ...]

# Up to this many places of a window (batch included), and from this many channels, slices are worth concatenating.
_FEW_PLACES = 512
_MANY_CHANNELS = 128
# oneDNN orders the filters anew at each call, which takes longer than concatenating slices where there are more than
# this many output channels to a place.
_MANY_OUT = 3
# Where output channels do not fill a vector register, and there are so many input channels to each, columns are made of
# the gradient towards the output.
_LANES = 16
_FEWER_OUT = 8
# From this many input channels, a matrix product for each position of the filter keeps a core busy.
_BUSY_CHANNELS = 16
# From this many input channels, the gradient of a strided convolution towards its input is not worth dilating; up to
# this many, it is not worth a convolution, nor is that towards the filters worth oneDNN.
_STRIDED_CHANNELS = 64
_FEW_CHANNELS = 4


@dataclass(frozen=True)
class Geometry:
    """How a window slides: a value for each spatial axis.

    strides        cells between two places of the window
    dilations      cells between two of its taps
    pads           (before, after): cells of zeros around the input
    channels_last  [batch, ..., channels] rather than [batch, channels, ...]
    """

    strides: Sizes
    dilations: Sizes
    pads: Pads
    channels_last: bool = True

    @property
    def axes(self) -> range:
        """The spatial axes of the data."""
        rank = len(self.strides)
        return range(1, 1 + rank) if self.channels_last else range(2, 2 + rank)

    @property
    def channel_axis(self) -> int:
        return len(self.strides) + 1 if self.channels_last else 1


def convolve(x: Any, filters: Any, geometry: Geometry) -> Any:
    """The convolution of `x` with `filters` [window..., in / groups, out], in the layout and dtype of `x`."""
    if on_host(x, filters):
        return host_convolution.convolve(x, filters, output_sizes(x.shape, filters.shape, geometry), geometry)
    groups = x.shape[geometry.channel_axis] // filters.shape[-2]
    if on_cpu():
        if not geometry.channels_last:
            return last_to_first(convolve(first_to_last(x), filters, flipped(geometry)))
        places = _places(x, filters, geometry)
        small = _is_small(places, filters.shape[-2])
        product = _is_plain_point(filters, geometry) or (small and filters.shape[-1] > _MANY_OUT * places)
        if not (product and groups == 1) and _by_onednn(x, x.shape, places, filters.shape, geometry):
            return through_onednn(x, filters, geometry, groups)
        if groups == 1 and (small or filters.shape[-2] == 1 or _is_point(filters, geometry)):
            return _product(x, filters, geometry)
    return native(x, filters, geometry, groups)


def input_gradient(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry) -> Any:
    """The gradient of `convolve` towards its input of shape `sizes`."""
    if on_host(filters, dy):
        return host_convolution.input_gradient(sizes, filters, dy, geometry)
    groups = sizes[geometry.channel_axis] // filters.shape[-2]
    if on_cpu():
        if not geometry.channels_last:
            sizes = (sizes[0], *sizes[2:], sizes[1])
            return last_to_first(input_gradient(sizes, filters, first_to_last(dy), flipped(geometry)))
        channels, strided = filters.shape[-2], max(geometry.strides) > 1
        places = math.prod(dy.shape[:-1])
        wanted = channels >= _STRIDED_CHANNELS if strided else channels <= _FEW_CHANNELS
        wanted = wanted or _is_point(filters, geometry)
        if (groups > 1 or not (wanted or strided)) and _by_onednn(dy, sizes, places, filters.shape, geometry):
            return input_gradient_through_onednn(sizes, filters, dy, geometry, groups)
        # Where zeros reach further than the window, XLA's native one is wrong or ends the process.
        if groups == 1 and (wanted or _is_small(places, channels) or not meets(filters.shape, geometry)):
            return _scattered_product(sizes, filters, dy, geometry)
    return native_input_gradient(sizes, filters, dy, geometry, groups)


def filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry) -> Any:
    """The gradient of `convolve` towards its filters of shape `sizes`."""
    if on_host(x, dy):
        return host_convolution.filter_gradient(x, sizes, dy, geometry)
    if 0 in (*x.shape, *dy.shape):
        return lax.full(sizes, zero_of(x))
    channels = x.shape[geometry.channel_axis]
    groups = channels // sizes[-2]
    if on_cpu():
        if not geometry.channels_last:
            return filter_gradient(first_to_last(x), sizes, first_to_last(dy), flipped(geometry))
        places, window = math.prod(dy.shape[:-1]), math.prod(sizes[:-2])
        small, strided = _is_small(places, channels), max(geometry.strides) > 1
        if groups == 1 and not strided and window > 1 and sizes[-1] < _LANES and sizes[-1] * _FEWER_OUT <= channels:
            return _filter_product_of_few(x, sizes, dy, geometry)
        wanted = groups > 1 or (window > 1 and (channels > _FEW_CHANNELS or strided))
        if wanted and _by_onednn(x, x.shape, places, sizes, geometry):
            return _onednn_filter_gradient(x, sizes, dy, geometry, groups)
        if groups == 1 and (small or (strided and channels >= _BUSY_CHANNELS) or window == 1):
            return _filter_products(x, sizes, dy, geometry, one=small)
    return native_filter_gradient(x, sizes, dy, geometry, groups)


def _is_plain_point(filters: Any, geometry: Geometry) -> bool:
    return _is_point(filters, geometry) and max(geometry.strides) == 1 and not any(map(any, geometry.pads))


def _by_onednn(value: Any, sizes: Sizes, places: int, filter_sizes: Sizes, geometry: Geometry) -> bool:
    """Whether oneDNN takes `value` for a convolution of an input of `sizes`, or for a gradient of it."""
    some = math.prod(sizes) > 0 and meets(filter_sizes, geometry)
    return some and onednn.convolves(places * math.prod(filter_sizes), value.dtype)


def meets(filter_sizes: Sizes, geometry: Geometry) -> bool:
    """Whether the window meets the input wherever it stands."""
    windows = zip(filter_sizes, geometry.dilations, geometry.pads, strict=False)
    return all(max(pad) < extent(k, d) for k, d, pad in windows)


def _is_small(places: int, channels: int) -> bool:
    return places <= _FEW_PLACES and channels >= _MANY_CHANNELS


def _is_point(filters: Any, geometry: Geometry) -> bool:
    return bool(math.prod(filters.shape[:-2]) == 1)


def _places(x: Any, filters: Any, geometry: Geometry) -> int:
    return int(x.shape[0]) * math.prod(output_sizes(x.shape, filters.shape, geometry))


def output_sizes(x_sizes: Any, filter_sizes: Any, geometry: Geometry) -> Sizes:
    """The spatial sizes of a convolution's result."""
    return tuple(
        (x_sizes[axis] + sum(pad) - extent(k, d)) // s + 1
        for axis, k, s, d, pad in zip(
            geometry.axes, filter_sizes, geometry.strides, geometry.dilations, geometry.pads, strict=False
        )
    )


def first_to_last(x: Any) -> Any:
    return lax.transpose(x, (0, *range(2, x.ndim), 1))


def last_to_first(x: Any) -> Any:
    return lax.transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def flipped(geometry: Geometry) -> Geometry:
    return Geometry(geometry.strides, geometry.dilations, geometry.pads)


# Matrix products, for data with channels last and one group.


def zero_of(x: Any) -> Any:
    """A scalar zero of the dtype of `x`."""
    return np.zeros((), x.dtype)


def slices(x: Any, window: Sizes, places: Sizes, geometry: Geometry) -> Iterator[tuple[Sizes, Any]]:
    """For each position in the window, in order: the cells of the padded `x` under it, [batch, places..., channels]."""
    rank = len(window)
    if any(p != (0, 0) for p in geometry.pads):
        x = lax.pad(x, zero_of(x), ((0, 0, 0), *((lo, hi, 0) for lo, hi in geometry.pads), (0, 0, 0)))
    if math.prod(window) > 1:
        x = settled(x)
    for position in product(*map(range, window)):
        start = [position[i] * geometry.dilations[i] for i in range(rank)]
        limit = [start[i] + (places[i] - 1) * geometry.strides[i] + 1 for i in range(rank)]
        full = [0, *start, 0], [x.shape[0], *limit, x.shape[-1]], [1, *geometry.strides, 1]
        whole = full[1] == list(x.shape) and max(full[2]) == 1 and not any(full[0])
        yield position, x if whole else lax.slice(x, *full)


def _rows(x: Any) -> Any:
    return lax.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _dot(a: Any, b: Any, contract: tuple[int, int], dtype: Any) -> Any:
    if onednn.multiplies(a.shape[1 - contract[0]], a.shape[contract[0]], b.shape[1 - contract[1]], a.dtype, b.dtype):
        return onednn.matmul(a, b, contract[0] == 0, contract[1] == 1)
    wide = np.float32 if dtype.itemsize == 2 else dtype
    out = lax.dot_general(a, b, (((contract[0],), (contract[1],)), ((), ())), preferred_element_type=wide)
    return out if out.dtype == dtype else lax.convert_element_type(out, dtype)


def _columns(x: Any, window: Sizes, places: Sizes, geometry: Geometry) -> Any:
    parts = [part for _, part in slices(x, window, places, geometry)]
    return _rows(parts[0] if len(parts) == 1 else lax.concatenate(parts, x.ndim - 1))


def _product(x: Any, filters: Any, geometry: Geometry) -> Any:
    places = output_sizes(x.shape, filters.shape, geometry)
    columns = _columns(x, filters.shape[:-2], places, geometry)
    out = _dot(columns, _rows(filters), (1, 0), x.dtype)
    return lax.reshape(out, (x.shape[0], *places, filters.shape[-1]))


def spread(parts: Iterable[tuple[Sizes, Any]], sizes: Sizes, window: Sizes, geometry: Geometry) -> Any:
    """Add each (position in the window, [batch, places..., channels]) to the cells of an input that lie there.

    The transpose of `slices`.
    """
    total: Any = None
    for position, part in parts:
        places = part.shape[1:-1]
        edges = []
        for i, stride in enumerate(geometry.strides):
            covered = extent(window[i], geometry.dilations[i]) + (places[i] - 1) * stride
            full = max(sizes[1 + i] + sum(geometry.pads[i]), covered)
            before = position[i] * geometry.dilations[i]
            edges.append((before, full - before - (places[i] - 1) * stride - 1, stride - 1))
        if any(any(e) for e in edges):
            part = lax.pad(part, zero_of(part), ((0, 0, 0), *edges, (0, 0, 0)))
        total = part if total is None else total + part
    low = [0, *(p[0] for p in geometry.pads), 0]
    high = [sizes[0], *(p[0] + n for p, n in zip(geometry.pads, sizes[1:-1], strict=True)), sizes[-1]]
    return total if not any(low) and tuple(high) == total.shape else lax.slice(total, low, high)


def _scattered_product(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry) -> Any:
    """A product for each position of the filter, spread over the padded input where that position lay, and summed."""
    window, rows = filters.shape[:-2], _rows(dy)

    def parts() -> Iterator[tuple[Sizes, Any]]:
        for position in product(*map(range, window)):
            one = filters if math.prod(window) == 1 else filters[tuple(slice(p, p + 1) for p in position)]
            part = _dot(rows, lax.reshape(one, filters.shape[-2:]), (1, 1), dy.dtype)
            yield position, lax.reshape(part, (*dy.shape[:-1], filters.shape[-2]))

    return spread(parts(), sizes, window, geometry)


def _filter_products(x: Any, sizes: Sizes, dy: Any, geometry: Geometry, one: bool) -> Any:
    window, places = sizes[:-2], dy.shape[1:-1]
    rows = _rows(dy)
    if one:
        out = _dot(_columns(x, window, places, geometry), rows, (0, 0), x.dtype)
    else:
        parts = [_dot(_rows(part), rows, (0, 0), x.dtype) for _, part in slices(x, window, places, geometry)]
        out = parts[0] if len(parts) == 1 else lax.concatenate(parts, 0)
    return lax.reshape(out, sizes)


def _filter_product_of_few(x: Any, sizes: Sizes, dy: Any, geometry: Geometry) -> Any:
    """One product over the columns of `dy`, as the window turned around slides over it: few channels, few columns."""
    window, rank = sizes[:-2], len(sizes) - 2
    around = Geometry(geometry.strides, geometry.dilations, _input_gradient_pads(x.shape, sizes, dy.shape, geometry))
    out = _dot(_rows(x), _columns(dy, window, x.shape[1:-1], around), (0, 0), x.dtype)
    turned = lax.rev(lax.reshape(out, (sizes[-2], *window, sizes[-1])), tuple(range(1, 1 + rank)))
    return lax.transpose(turned, (*range(1, 1 + rank), 0, 1 + rank))


# The gradients as convolutions: cells around what is convolved, below 0 where some are cut off.


def _input_gradient_pads(sizes: Sizes, filter_sizes: Sizes, dy_sizes: Sizes, geometry: Geometry) -> Pads:
    """Around `dy`, spread by the strides, over which the filters slide turned around."""
    pads = []
    for i, axis in enumerate(geometry.axes):
        window = extent(filter_sizes[i], geometry.dilations[i])
        before = window - 1 - geometry.pads[i][0]
        pads.append((before, sizes[axis] + window - 1 - extent(dy_sizes[axis], geometry.strides[i]) - before))
    return tuple(pads)


def filter_gradient_pads(x_sizes: Sizes, sizes: Sizes, dy_sizes: Sizes, geometry: Geometry) -> Pads:
    """Around the input, over which `dy` slides, spread by the strides."""
    pads = []
    for i, axis in enumerate(geometry.axes):
        before = geometry.pads[i][0]
        moves = extent(sizes[i], geometry.dilations[i]) - 1
        pads.append((before, moves + extent(dy_sizes[axis], geometry.strides[i]) - x_sizes[axis] - before))
    return tuple(pads)


def _turned(filters: Any, groups: int) -> Any:
    """The filters turned around, [window..., in, out / groups]."""
    rank = filters.ndim - 2
    filters = lax.rev(filters, tuple(range(rank)))
    if groups > 1:
        window, (inner, outer) = filters.shape[:-2], filters.shape[-2:]
        filters = lax.reshape(filters, (*window, inner, groups, outer // groups))
        filters = lax.transpose(filters, (*range(rank), rank + 1, rank, rank + 2))
        filters = lax.reshape(filters, (*window, groups * inner, outer // groups))
    return filters


# oneDNN's convolutions, for data with channels last.


def through_onednn(x: Any, filters: Any, geometry: Geometry, groups: int) -> Any:
    places = output_sizes(x.shape, filters.shape, geometry)
    return onednn.convolution(x, filters, places, geometry.strides, geometry.pads, geometry.dilations, groups=groups)


def input_gradient_through_onednn(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry, groups: int) -> Any:
    """The convolution of `dy`, spread by the strides, with the filters turned around."""
    rank = len(geometry.strides)
    pads = _input_gradient_pads(sizes, filters.shape, dy.shape, geometry)
    if max(geometry.strides) > 1:
        dy = lax.pad(dy, zero_of(dy), ((0, 0, 0), *((0, 0, s - 1) for s in geometry.strides), (0, 0, 0)))
    filters = _turned(filters, groups)
    return onednn.convolution(dy, filters, sizes[1:-1], (1,) * rank, pads, geometry.dilations, True, groups)


def _onednn_filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry, groups: int) -> Any:
    """A convolution whose channels are the images: `dy` slides over `x`.

    The channels of `x` lie between the cells of the last axis, and `dy` is spread by as many: what comes out lies as
    the filters do, in long rows, which oneDNN needs to be fast. In groups, where the window has gaps on that axis, or
    where rows would be short, the channels of `x` are the images of the convolution instead.
    """
    rank = len(geometry.strides)
    pads = filter_gradient_pads(x.shape, sizes, dy.shape, geometry)
    images, cells, channels = x.shape[0], x.shape[1:-1], sizes[-2]
    around = (*range(1, rank + 1), 0, rank + 1)
    if groups == 1 and geometry.dilations[-1] == 1 and channels > _FEW_CHANNELS:
        x = lax.transpose(x, (*range(1, rank + 2), 0))
        x = lax.reshape(x, (1, *cells[:-1], cells[-1] * channels, images))
        pads = (*pads[:-1], (pads[-1][0] * channels, pads[-1][1] * channels))
        places = (*sizes[: rank - 1], sizes[rank - 1] * channels)
        spread = (*geometry.strides[:-1], geometry.strides[-1] * channels)
        out = onednn.convolution(x, lax.transpose(dy, around), places, geometry.dilations, pads, spread)
        return lax.reshape(out, sizes)
    x = lax.reshape(x, (images, *cells, groups, channels))
    x = lax.transpose(x, (rank + 2, *range(1, rank + 2), 0))
    x = lax.reshape(x, (channels, *cells, groups * images))
    dy = lax.transpose(dy, around)
    out = onednn.convolution(x, dy, sizes[:-2], geometry.dilations, pads, geometry.strides, groups=groups)
    return lax.transpose(out, around)


# XLA's convolutions.


def _letters(rank: int) -> str:
    return "DHW"[3 - rank :]


def _data_spec(geometry: Geometry, batch: str = "N", channels: str = "C") -> str:
    spatial = _letters(len(geometry.strides))
    return f"{batch}{spatial}{channels}" if geometry.channels_last else f"{batch}{channels}{spatial}"


def _conv(x: Any, y: Any, strides: Sizes, pads: Any, specs: tuple[str, str, str], dtype: Any, **more: Any) -> Any:
    return lax.conv_general_dilated(
        x, y, strides, pads, dimension_numbers=specs, preferred_element_type=np.dtype(dtype), **more
    )


def native(x: Any, filters: Any, geometry: Geometry, groups: int) -> Any:
    data = _data_spec(geometry)
    return _conv(
        x,
        filters,
        geometry.strides,
        geometry.pads,
        (data, _letters(len(geometry.strides)) + "IO", data),
        x.dtype,
        rhs_dilation=geometry.dilations,
        feature_group_count=groups,
    )


def native_input_gradient(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry, groups: int) -> Any:
    rank = len(geometry.strides)
    pads = _input_gradient_pads(sizes, filters.shape, dy.shape, geometry)
    data = _data_spec(geometry)
    return _conv(
        dy,
        _turned(filters, groups),
        (1,) * rank,
        pads,
        (data, _letters(rank) + "OI", data),
        dy.dtype,
        lhs_dilation=geometry.strides,
        rhs_dilation=geometry.dilations,
        feature_group_count=groups,
    )


def native_filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry, groups: int) -> Any:
    rank = len(geometry.strides)
    return _conv(
        x,
        dy,
        geometry.dilations,
        filter_gradient_pads(x.shape, sizes, dy.shape, geometry),
        (_data_spec(geometry, "C", "N"), _data_spec(geometry, "I", "O"), _letters(rank) + "NC"),
        x.dtype,
        rhs_dilation=geometry.strides,
        batch_group_count=groups,
    )
