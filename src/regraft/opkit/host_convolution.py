"""Convolution and its two gradients on NumPy arrays: products over columns, a piece that fits the cache at a time.

The columns of a place are the cells of the padded input under the window there, in the order of the filter's rows; 1x1
windows need none. All functions take groups, either layout and any number of spatial axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.opkit.elementwise import quiet
from regraft.opkit.padding import covered, extent

if TYPE_CHECKING:
    from regraft.opkit.convolution import Geometry

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]

# Columns of about so many bytes are made at a time.
_PIECE = 2 << 20


@quiet
def convolve(x: Any, filters: Any, places: Sizes, geometry: Geometry) -> Any:
    """`opkit.convolution.convolve` of host values, for a result of spatial sizes `places`."""
    wide, rows = _last(_wide(x), geometry), _wide(filters)
    groups = wide.shape[-1] // filters.shape[-2]
    parts = zip(_split(wide, groups), _split(rows, groups), strict=True)
    return _joined([_convolve(part, row, places, geometry) for part, row in parts], x.dtype, geometry)


@quiet
def input_gradient(sizes: Sizes, filters: Any, dy: Any, geometry: Geometry) -> Any:
    """`opkit.convolution.input_gradient` of host values."""
    if not geometry.channels_last:
        sizes = (sizes[0], *sizes[2:], sizes[1])
    groups, one = sizes[-1] // filters.shape[-2], (*sizes[:-1], filters.shape[-2])
    parts = zip(_split(_wide(filters), groups), _split(_last(_wide(dy), geometry), groups), strict=True)
    return _joined([_input_gradient(one, row, part, geometry) for row, part in parts], dy.dtype, geometry)


@quiet
def filter_gradient(x: Any, sizes: Sizes, dy: Any, geometry: Geometry) -> Any:
    """`opkit.convolution.filter_gradient` of host values."""
    wide, rows = _last(_wide(x), geometry), _last(_wide(dy), geometry)
    groups = wide.shape[-1] // sizes[-2]
    one = (*sizes[:-1], sizes[-1] // groups)
    parts = zip(_split(wide, groups), _split(rows, groups), strict=True)
    out = [_filter_gradient(part, one, row, geometry) for part, row in parts]
    return _joined(out, x.dtype, geometry, data=False)


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


def _last(x: Array, geometry: Geometry) -> Array:
    return x if geometry.channels_last else np.ascontiguousarray(np.moveaxis(x, 1, -1))


def _split(x: Array, groups: int) -> list[Array]:
    return [x] if groups == 1 else np.split(x, groups, -1)


def _joined(parts: list[Array], dtype: Any, geometry: Geometry, data: bool = True) -> Array:
    """The groups' results together, in the dtype and, for data, the layout of the operands."""
    out = parts[0] if len(parts) == 1 else np.concatenate(parts, -1)
    if data and not geometry.channels_last:
        out = np.ascontiguousarray(np.moveaxis(out, -1, 1))
    return out.astype(dtype, copy=False)


def _product(a: Array, b: Array, sizes: Sizes) -> Array:
    out: Array = np.matmul(a, b)
    return out.reshape(sizes)


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def _padded(x: Array, window: Sizes, places: Sizes, geometry: Geometry) -> Array:
    """`x` [batch, ..., channels] with the zeros around it that its places cover; what none covers is cut off."""
    edges = [(0, n) for n in x.shape]
    sizes = list(x.shape)
    for i, (stride, dilation, (low, _)) in enumerate(
        zip(geometry.strides, geometry.dilations, geometry.pads, strict=True), 1
    ):
        sizes[i] = max(0, (places[i - 1] - 1) * stride + extent(window[i - 1], dilation))
        edges[i] = (low, min(low + x.shape[i], sizes[i]))
    if all(edge == (0, n) for edge, n in zip(edges, sizes, strict=True)):
        return x[tuple(slice(0, n) for n in sizes)]
    out = np.zeros(sizes, x.dtype)
    to = tuple(slice(max(low, 0), high) for low, high in edges)
    out[to] = x[tuple(slice(max(-low, 0), high - low) for low, high in edges)]
    return out


def _under(x: Array, window: Sizes, places: Sizes, geometry: Geometry) -> Array:
    """A view of the padded `x`: [batch, places..., window..., channels]."""
    spatial = x.strides[1:-1]
    steps = [n * s for n, s in zip(spatial, geometry.strides, strict=True)]
    taps = [n * d for n, d in zip(spatial, geometry.dilations, strict=True)]
    return np.lib.stride_tricks.as_strided(
        x, (x.shape[0], *places, *window, x.shape[-1]), (x.strides[0], *steps, *taps, x.strides[-1]), writeable=False
    )


def _pieces(x: Array, window: Sizes, places: Sizes, geometry: Geometry) -> Iterator[tuple[Any, Array]]:
    """(index of some places, their columns as rows of a matrix); a matrix is overwritten by the next one."""
    x = _padded(x, window, places, geometry)
    depth = math.prod(window) * x.shape[-1]
    whole = math.prod(places) * depth * x.itemsize
    if math.prod(window) == 1:
        rows = x[tuple(slice(None, None, s) for s in (1, *geometry.strides, 1))]
        yield slice(None), rows.reshape(-1, depth)
        return
    view = _under(x, window, places, geometry)
    if whole <= _PIECE or not places:
        step = max(1, _PIECE // max(whole, 1))
        indices: list[Any] = [slice(n, n + step) for n in range(0, x.shape[0], step)]
    else:
        step = max(1, _PIECE * places[0] // whole)
        indices = [(n, slice(p, p + step)) for n in range(x.shape[0]) for p in range(0, places[0], step)]
    buffer = np.empty(0, x.dtype)
    for index in indices:
        part = view[index]
        if buffer.size < part.size:
            buffer = np.empty(part.size, x.dtype)
        columns = buffer[: part.size].reshape(part.shape)
        np.copyto(columns, part)
        yield index, columns.reshape(-1, depth)


def _convolve(x: Array, filters: Array, places: Sizes, geometry: Geometry) -> Array:
    out = np.empty((x.shape[0], *places, filters.shape[-1]), x.dtype)
    rows = _rows(filters)
    for index, columns in _pieces(x, filters.shape[:-2], places, geometry):
        part = out[index]
        np.matmul(columns, rows, out=part.reshape(-1, part.shape[-1]))
    return out


def _filter_gradient(x: Array, sizes: Sizes, dy: Array, geometry: Geometry) -> Array:
    total = None
    for index, columns in _pieces(x, sizes[:-2], dy.shape[1:-1], geometry):
        part = np.matmul(columns.T, _rows(dy[index]))
        total = part if total is None else np.add(total, part, out=total)
    return np.zeros(sizes, x.dtype) if total is None else total.reshape(sizes)


def _input_gradient(sizes: Sizes, filters: Array, dy: Array, geometry: Geometry) -> Array:
    window, places = filters.shape[:-2], dy.shape[1:-1]
    if max(geometry.strides) == 1 and math.prod(window) > 1:
        # A cell gathers from the window that lies mirrored around it.
        pads = tuple(
            (extent(k, d) - 1 - low, 0)
            for k, d, (low, _) in zip(window, geometry.dilations, geometry.pads, strict=True)
        )
        mirrored = np.flip(filters, tuple(range(len(window)))).swapaxes(-1, -2)
        return _convolve(dy, np.ascontiguousarray(mirrored), sizes[1:-1], replace(geometry, pads=pads))

    if math.prod(window) == max(geometry.strides) == 1 and sizes[1:-1] == places:
        return _product(_rows(dy), _rows(filters).T, sizes)

    def part(position: Sizes) -> Array:
        return _product(_rows(dy), filters[position].T, (*dy.shape[:-1], sizes[-1]))

    return _scatter(part, sizes, window, places, geometry)


def _scatter(part: Callable[[Sizes], Array], sizes: Sizes, window: Sizes, places: Sizes, geometry: Geometry) -> Array:
    """For each position in the window, `part` [batch, places..., channels] added to the cells that lie there."""
    out: Array | None = None
    for position in product(*map(range, window)):
        value = part(position)
        if out is None:
            out = np.zeros(sizes, value.dtype)
        index = [
            covered(n, p, *rest)
            for n, p, *rest in zip(
                sizes[1:-1], position, places, geometry.strides, geometry.dilations, geometry.pads, strict=True
            )
        ]
        cells = (slice(None), *(cell for cell, _ in index))
        taken = (slice(None), *(place for _, place in index))
        out[cells] += value[taken]
    assert out is not None
    return out
