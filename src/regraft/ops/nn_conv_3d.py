"""Convolutions over three spatial axes, with their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.conv2d import check_gradient
from regraft.opkit.convolution import Geometry, convolve, filter_gradient, input_gradient
from regraft.opkit.padding import all_pads, extent, output_size
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank

_ATTRS = ("dilations", "strides", "padding", "data_format")


def _axes(data_format: bytes) -> tuple[range, int]:
    """The spatial axes, and that of the channels."""
    return (range(1, 4), 4) if data_format == b"NDHWC" else (range(2, 5), 1)


def _geometry(
    x: Sequence[int], filters: Sequence[int], strides: Any, padding: bytes, data_format: bytes, dilations: Any
) -> Geometry:
    axes, channel = _axes(data_format)
    for name, values in (("strides", strides), ("dilations", dilations)):
        if len(values) != 5 or values[0] != 1 or values[channel] != 1:
            raise InvalidArgumentError(f"{name} in the batch and depth dimensions must be 1, got {list(values)}")
    if filters[3] <= 0 or x[channel] % filters[3] or filters[4] % (x[channel] // filters[3]):
        raise InvalidArgumentError(
            f"input depth must be evenly divisible by filter depth: {x[channel]} vs {filters[3]}"
        )
    three = [tuple(int(v[a]) for a in axes) for v in (strides, dilations)]
    windows = [extent(k, d) for k, d in zip(filters[:3], three[1], strict=True)]
    pads = all_pads([x[a] for a in axes], windows, three[0], padding)
    return Geometry(three[0], three[1], pads, data_format == b"NDHWC")


def _conv_shape(c: ShapeContext) -> list[Sizes]:
    x, filters = with_rank(c, c.input(0), 5), with_rank(c, c.input(1), 5)
    axes, channel = _axes(c.attr("data_format"))
    channels, inner = x[channel], filters[3]
    if channels is not None and inner is not None and (inner == 0 or channels % inner):
        raise c.fail(f"Depth of input ({channels}) is not a multiple of input depth of filter ({inner})")
    spatial = []
    for i, axis in enumerate(axes):
        k = filters[i]
        window = None if k is None else extent(k, c.attr("dilations")[axis])
        try:
            spatial.append(output_size(x[axis], window, c.attr("strides")[axis], c.attr("padding")))
        except ValueError as e:
            raise c.fail(str(e)) from None
    return [(x[0], *spatial, filters[4]) if channel == 4 else (x[0], filters[4], *spatial)]


@op("Conv3D", shape=_conv_shape, costly=True)
def conv3d(input: Any, filter: Any, *, strides: Any, padding: bytes, data_format: bytes, dilations: Any) -> Any:
    """Convolve a batch of volumes with a bank of filters.

    input    [batch, depth, height, width, in] for NDHWC, [batch, in, depth, height, width] for NCDHW
    filter   [d, h, w, in / groups, out]
    returns  [batch, out_d, out_h, out_w, out] in the same layout
    """
    return convolve(input, filter, _geometry(input.shape, filter.shape, strides, padding, data_format, dilations))


@conv3d.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, filters = node.inputs
    attrs = {name: node.get_attr(name) for name in _ATTRS}
    x_shape, filter_shape = b.ShapeN([x, filters])
    return [
        b.Conv3DBackpropInputV2(x_shape, filters, dy, **attrs),
        b.Conv3DBackpropFilterV2(x, filter_shape, dy, **attrs),
    ]


def _input_gradient(
    sizes: Any, filters: Any, dy: Any, strides: Any, padding: bytes, data_format: bytes, dilations: Any
) -> Any:
    sizes = tuple(int(n) for n in sizes)
    g = _geometry(sizes, filters.shape, strides, padding, data_format, dilations)
    check_gradient(dy.shape, sizes, filters.shape, g)
    return input_gradient(sizes, filters, dy, g)


def _filter_gradient(
    x: Any, sizes: Any, dy: Any, strides: Any, padding: bytes, data_format: bytes, dilations: Any
) -> Any:
    sizes = tuple(int(n) for n in sizes)
    g = _geometry(x.shape, sizes, strides, padding, data_format, dilations)
    check_gradient(dy.shape, x.shape, sizes, g)
    return filter_gradient(x, sizes, dy, g)


@op("Conv3DBackpropInputV2", shape=lambda c: [with_rank(c, c.sizes(0), 5)], static="input_sizes", costly=True)
def conv3d_backprop_input_v2(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    *,
    strides: Any,
    padding: bytes,
    data_format: bytes,
    dilations: Any,
) -> Any:
    """The gradient of Conv3D towards its input, whose shape is `input_sizes`."""
    return _input_gradient(input_sizes, filter, out_backprop, strides, padding, data_format, dilations)


@conv3d_backprop_input_v2.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    _, filters, dy = node.inputs
    attrs = {name: node.get_attr(name) for name in _ATTRS}
    return [
        None,
        b.Conv3DBackpropFilterV2(grad, b.shape(filters), dy, **attrs),
        b.Conv3D(grad, filters, **attrs),
    ]


@op("Conv3DBackpropFilterV2", shape=lambda c: [with_rank(c, c.sizes(1), 5)], static="filter_sizes", costly=True)
def conv3d_backprop_filter_v2(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    *,
    strides: Any,
    padding: bytes,
    data_format: bytes,
    dilations: Any,
) -> Any:
    """The gradient of Conv3D towards its filters, whose shape is `filter_sizes`."""
    return _filter_gradient(input, filter_sizes, out_backprop, strides, padding, data_format, dilations)


@conv3d_backprop_filter_v2.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    x, _, dy = node.inputs
    attrs = {name: node.get_attr(name) for name in _ATTRS}
    return [
        b.Conv3DBackpropInputV2(b.shape(x), grad, dy, **attrs),
        None,
        b.Conv3D(x, grad, **attrs),
    ]
