"""Convolutions over two spatial axes, with their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.conv2d import check_gradient, geometry, layout, spatial_dims
from regraft.opkit.convolution import convolve, filter_gradient, input_gradient
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank

_CONV_ATTRS = ("dilations", "strides", "padding", "explicit_paddings", "use_cudnn_on_gpu", "data_format")


def _conv_shape(c: ShapeContext) -> list[Sizes]:
    x, filters = with_rank(c, c.input(0), 4), with_rank(c, c.input(1), 4)
    data_format = c.attr("data_format")
    channels, wanted = x[3 if data_format == b"NHWC" else 1], filters[2]
    if channels is not None and wanted is not None and (wanted == 0 or channels % wanted):
        raise c.fail(f"Depth of input ({channels}) is not a multiple of input depth of filter ({wanted})")
    return [layout(data_format, x[0], spatial_dims(c, x, filters), filters[3])]


def check_channels(channels: int, filter_sizes: Sequence[int]) -> None:
    """InvalidArgumentError unless the filters' input channels divide the data's into groups that their outputs fit."""
    inner, outer = filter_sizes[-2], filter_sizes[-1]
    if inner <= 0 or channels % inner or outer % (channels // inner):
        raise InvalidArgumentError(
            f"input depth must be evenly divisible by filter depth: {channels} vs {inner} (with {outer} filters)"
        )


@op("Conv2D", shape=_conv_shape, costly=True)
def conv2d(
    input: Any,
    filter: Any,
    *,
    strides: Any,
    padding: bytes,
    explicit_paddings: Any,
    data_format: bytes,
    dilations: Any,
) -> Any:
    """Convolve a batch of images with a bank of filters.

    input    [batch, height, width, in] for NHWC, [batch, in, height, width] for NCHW
    filter   [h, w, in / groups, out]
    returns  [batch, out_h, out_w, out] in the same layout
    raises   InvalidArgumentError if the filter's depth does not divide the input's
    differs  half and bfloat16 accumulate in float32; NCHW runs on the CPU too
    """
    check_channels(input.shape[3 if data_format == b"NHWC" else 1], filter.shape)
    g = geometry(input.shape, filter.shape, strides, padding, explicit_paddings, data_format, dilations)
    return convolve(input, filter, g)


@conv2d.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, filters = node.inputs
    attrs = {name: node.get_attr(name) for name in _CONV_ATTRS}
    x_shape, filter_shape = b.ShapeN([x, filters])
    return [
        b.Conv2DBackpropInput(x_shape, filters, dy, **attrs),
        b.Conv2DBackpropFilter(x, filter_shape, dy, **attrs),
    ]


def _input_gradient_shape(c: ShapeContext) -> list[Sizes]:
    # TensorFlow believes the gradient about the batch, and input_sizes about the rest.
    sizes, dy = c.sizes(0), with_rank(c, c.input(2), 4)
    if sizes is not None and len(sizes) == 2:
        return [layout(c.attr("data_format"), dy[0], sizes, with_rank(c, c.input(1), 4)[2])]
    return [(dy[0], *with_rank(c, sizes, 4)[1:])]


def input_sizes_of(sizes: Any, filter_sizes: Sequence[int], batch: int, data_format: bytes) -> tuple[int, ...]:
    """The full shape that `input_sizes` stands for: all four dimensions, or height and width alone."""
    values = tuple(int(n) for n in sizes)
    if len(values) == 2:
        return tuple(layout(data_format, batch, values, filter_sizes[2]))  # type: ignore[arg-type]  # all are known here
    if len(values) != 4:
        raise InvalidArgumentError(f"input_sizes must have 4 (or 2) elements, got {list(values)}")
    return values


@op("Conv2DBackpropInput", shape=_input_gradient_shape, static="input_sizes", costly=True)
def conv2d_backprop_input(
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
    """The gradient of Conv2D towards its input, whose shape is `input_sizes`; also known as transposed convolution."""
    sizes = input_sizes_of(input_sizes, filter.shape, out_backprop.shape[0], data_format)
    check_channels(sizes[3 if data_format == b"NHWC" else 1], filter.shape)
    g = geometry(sizes, filter.shape, strides, padding, explicit_paddings, data_format, dilations)
    check_gradient(out_backprop.shape, sizes, filter.shape, g)
    return input_gradient(sizes, filter, out_backprop, g)


@conv2d_backprop_input.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    _, filters, dy = node.inputs
    attrs = {name: node.get_attr(name) for name in _CONV_ATTRS}
    return [
        None,
        b.Conv2DBackpropFilter(grad, b.shape(filters), dy, **attrs),
        b.Conv2D(grad, filters, **attrs),
    ]


def _filter_gradient_shape(c: ShapeContext) -> list[Sizes]:
    return [with_rank(c, c.sizes(1), 4)]


@op("Conv2DBackpropFilter", shape=_filter_gradient_shape, static="filter_sizes", costly=True)
def conv2d_backprop_filter(
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
    """The gradient of Conv2D towards its filters, whose shape is `filter_sizes`."""
    sizes = tuple(int(n) for n in filter_sizes)
    check_channels(input.shape[3 if data_format == b"NHWC" else 1], sizes)
    g = geometry(input.shape, sizes, strides, padding, explicit_paddings, data_format, dilations)
    check_gradient(out_backprop.shape, input.shape, sizes, g)
    return filter_gradient(input, sizes, out_backprop, g)


@conv2d_backprop_filter.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    x, _, dy = node.inputs
    attrs = {name: node.get_attr(name) for name in _CONV_ATTRS}
    return [
        b.Conv2DBackpropInput(b.shape(x), grad, dy, **attrs),
        None,
        b.Conv2D(x, grad, **attrs),
    ]
