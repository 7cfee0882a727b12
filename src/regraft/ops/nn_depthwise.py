"""Depthwise convolution over two spatial axes, with its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.conv2d import check_gradient, geometry, layout, spatial_dims
from regraft.opkit.depthwise import depthwise, depthwise_filter_gradient, depthwise_input_gradient
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, with_rank

_ATTRS = ("dilations", "strides", "padding", "explicit_paddings", "data_format")


def _shape(c: ShapeContext) -> list[Sizes]:
    x, filters = with_rank(c, c.input(0), 4), with_rank(c, c.input(1), 4)
    data_format = c.attr("data_format")
    channels = merge_dim(c, x[3 if data_format == b"NHWC" else 1], filters[2])
    out = None if channels is None or filters[3] is None else channels * filters[3]
    return [layout(data_format, x[0], spatial_dims(c, x, filters), out)]


def _check(x_sizes: Sequence[int], filter_sizes: Sequence[int], data_format: bytes) -> None:
    channels = x_sizes[3 if data_format == b"NHWC" else 1]
    if channels != filter_sizes[2]:
        raise InvalidArgumentError(
            f"input and filter must have the same depth: {channels} vs {filter_sizes[2]} "
            f"(input {list(x_sizes)}, filter {list(filter_sizes)})"
        )


@op("DepthwiseConv2dNative", shape=_shape, costly=True)
def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    *,
    strides: Any,
    padding: bytes,
    explicit_paddings: Any,
    data_format: bytes,
    dilations: Any,
) -> Any:
    """Convolve each channel with filters of its own.

    input    [batch, height, width, in] for NHWC, [batch, in, height, width] for NCHW
    filter   [h, w, in, multiplier]
    returns  [batch, out_h, out_w, in * multiplier] in the same layout
    differs  half and bfloat16 accumulate in float32; NCHW runs on the CPU too
    """
    _check(input.shape, filter.shape, data_format)
    g = geometry(input.shape, filter.shape, strides, padding, explicit_paddings, data_format, dilations)
    return depthwise(input, filter, g)


@depthwise_conv2d_native.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, filters = node.inputs
    attrs = {name: node.get_attr(name) for name in _ATTRS}
    return [
        b.DepthwiseConv2dNativeBackpropInput(b.shape(x), filters, dy, **attrs),
        b.DepthwiseConv2dNativeBackpropFilter(x, b.shape(filters), dy, **attrs),
    ]


@op(
    "DepthwiseConv2dNativeBackpropInput",
    shape=lambda c: [with_rank(c, c.sizes(0), 4)],
    static="input_sizes",
    costly=True,
)
def depthwise_conv2d_native_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    *,
    strides: Any,
    padding: bytes,
    explicit_paddings: Any,
    data_format: bytes,
    dilations: Any,
) -> Any:
    """The gradient of DepthwiseConv2dNative towards its input, whose shape is `input_sizes`."""
    sizes = tuple(int(n) for n in input_sizes)
    _check(sizes, filter.shape, data_format)
    g = geometry(sizes, filter.shape, strides, padding, explicit_paddings, data_format, dilations)
    check_gradient(out_backprop.shape, sizes, filter.shape, g)
    return depthwise_input_gradient(sizes, filter, out_backprop, g)


@depthwise_conv2d_native_backprop_input.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    _, filters, dy = node.inputs
    attrs = {name: node.get_attr(name) for name in _ATTRS}
    return [
        None,
        b.DepthwiseConv2dNativeBackpropFilter(grad, b.shape(filters), dy, **attrs),
        b.DepthwiseConv2dNative(grad, filters, **attrs),
    ]


@op(
    "DepthwiseConv2dNativeBackpropFilter",
    shape=lambda c: [with_rank(c, c.sizes(1), 4)],
    static="filter_sizes",
    costly=True,
)
def depthwise_conv2d_native_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    *,
    strides: Any,
    padding: bytes,
    explicit_paddings: Any,
    data_format: bytes,
    dilations: Any,
) -> Any:
    """The gradient of DepthwiseConv2dNative towards its filters, whose shape is `filter_sizes`."""
    sizes = tuple(int(n) for n in filter_sizes)
    _check(input.shape, sizes, data_format)
    g = geometry(input.shape, sizes, strides, padding, explicit_paddings, data_format, dilations)
    check_gradient(out_backprop.shape, input.shape, sizes, g)
    return depthwise_filter_gradient(input, sizes, out_backprop, g)


@depthwise_conv2d_native_backprop_filter.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    x, _, dy = node.inputs
    attrs = {name: node.get_attr(name) for name in _ATTRS}
    return [
        b.DepthwiseConv2dNativeBackpropInput(b.shape(x), grad, dy, **attrs),
        None,
        b.DepthwiseConv2dNative(x, grad, **attrs),
    ]
