"""Convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.shapes import Dimension, TensorShape, as_shape
from regraft.ir.node import Tensor
from regraft.v1._array import batch_to_space, concat, expand_dims, shape, space_to_batch, squeeze
from regraft.v1._math import is_tensor_like
from regraft.v1._nn_window import dilated, over_batches, padding_of, sizes_of, strides_and_rate
from regraft.v1._opening import on, opened, renamed

__all__ = [
    "atrous_conv2d",
    "atrous_conv2d_transpose",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "convolution",
    "depthwise_conv2d",
    "depthwise_conv2d_native",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input",
    "dilation2d",
    "erosion2d",
    "separable_conv2d",
]

_ONES = (1, 1, 1, 1)


def _rank_of(value: Any) -> int | None:
    known = getattr(value, "shape", None)
    return known.rank if isinstance(known, TensorShape) else np.ndim(value)


def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool | None = True,
    data_format: str | None = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
    filters: Any = None,
) -> Any:
    """Convolve images with a bank of filters.

    input      [batch, height, width, in] (NHWC) or [batch, in, height, width] (NCHW); more batch dimensions may lead
    filter     [height, width, in, out]
    strides    of all four dimensions, of the two spatial ones, or one number
    padding    "SAME", "VALID", or a pair [before, after] for each dimension
    """
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = padding_of(padding)
    data_format = data_format or "NHWC"
    channel = 1 if data_format.startswith("NC") else 3
    attrs = {
        "strides": sizes_of(strides, 2, channel, "strides"),
        "padding": padding,
        "use_cudnn_on_gpu": use_cudnn_on_gpu,
        "explicit_paddings": explicit,
        "data_format": data_format,
        "dilations": sizes_of(dilations, 2, channel, "dilations"),
    }
    ndims = _rank_of(input)
    if ndims is None or ndims < 5:
        return on(input, filter).Conv2D(input, filter, name=name, **attrs)
    return over_batches(input, lambda flat: on(flat).Conv2D(flat, filter, **attrs), 3, name)


def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Any:
    """Convolve sequences [batch, width, in] (NWC) or [batch, in, width] (NCW) with filters [width, in, out]."""
    value = renamed("input", input, "value", value)
    with opened(name, "conv1d", value, filters) as (b, scope):
        if data_format in (None, "NHWC", "NWC"):
            data_format, at, channel = "NHWC", -3, 2
        elif data_format in ("NCHW", "NCW"):
            data_format, at, channel = "NCHW", -2, 1
        else:
            raise ValueError(f"`data_format` must be 'NWC' or 'NCW'. Received: data_format={data_format}")
        attrs = {
            "strides": [1, *sizes_of(stride, 1, channel, "stride")],
            "padding": padding,
            "use_cudnn_on_gpu": use_cudnn_on_gpu,
            "data_format": data_format,
            "dilations": [1, *sizes_of(dilations, 1, channel, "dilations")],
        }
        value, filters = expand_dims(value, at), expand_dims(filters, 0)
        if value.shape.rank is None or value.shape.rank < 5:
            out = b.Conv2D(value, filters, name=scope, **attrs)
        else:
            out = over_batches(value, lambda flat: on(flat).Conv2D(flat, filters, **attrs), 3, scope)
        return squeeze(out, [at])


def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Any:
    """Convolve volumes [batch, depth, height, width, in] with filters [depth, height, width, in, out]."""
    filter = renamed("filters", filters, "filter", filter)
    return on(input, filter).Conv3D(
        input, filter, strides=strides, padding=padding, data_format=data_format, dilations=dilations, name=name
    )


def convolution(
    input: Any,
    filter: Any = None,
    padding: Any = None,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Any:
    """Convolve over one, two or three spatial dimensions; `dilation_rate` puts holes between a filter's taps."""
    filter = renamed("filters", filters, "filter", filter)
    rate = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    if not is_tensor_like(filter):
        with opened("convolution_internal", "", filter, input) as (b, _):
            filter = b.convert(filter, name="filters")
    if not is_tensor_like(input):
        with opened("convolution_internal", "", filter, input) as (b, _):
            input = b.convert(input, name="input")
    known = filter.shape.rank or input.shape.rank
    if not known:
        raise ValueError("One of `input.shape.rank` or `filters.shape.rank` must be known.")
    count = known - 2
    batch_dims = input.shape.rank - count - 1 if input.shape.rank else 1
    if count not in (1, 2, 3):
        raise ValueError(f"`num_spatial_dims` must be 1, 2, or 3. Received: num_spatial_dims={count}.")
    last = data_format is None or data_format in ("NWC", "NHWC", "NDHWC")
    channel = batch_dims + count if last else batch_dims
    rates = sizes_of(rate, count, channel, "dilations")
    steps = sizes_of(strides, count, channel, "strides")
    with opened(name, "convolution", input, filter) as (b, scope):
        if rate is None or all(r == 1 for r in rates):
            return _plain_convolution(b, count, input, filter, steps, padding, data_format, rates, scope)
        cut = slice(2, None) if channel == 1 else slice(1, -1)
        return _dilated_convolution(input, filter, padding, steps[cut], rates[cut], scope, data_format, count)


def _plain_convolution(
    b: Any,
    count: int,
    input: Any,
    filter: Any,
    strides: list[Any],
    padding: Any,
    data_format: str | None,
    dilations: list[Any],
    name: str,
) -> Any:
    if count == 1:
        return conv1d(input, filter, strides, padding, data_format=data_format, dilations=dilations, name=name)
    op_type = "Conv2D" if count == 2 else "Conv3D"
    attrs = {"strides": strides, "padding": padding, "data_format": data_format, "dilations": dilations}
    if input.shape.rank is None or input.shape.rank < count + 3:
        return b.op(op_type, input, filter, name=name, **attrs)
    return over_batches(input, lambda flat: on(flat).op(op_type, flat, filter, **attrs), count + 1, name)


def _dilated_convolution(
    input: Any, filter: Any, padding: Any, strides: Any, rate: Any, name: str, data_format: str | None, count: int
) -> Any:
    batch_dims = 1 if input.shape.rank is None else input.shape.rank - count - 1
    if batch_dims < 1:
        raise ValueError(f"`input` of shape {input.shape} has no batch dimension beside {count} spatial ones")
    channels_first = data_format is not None and data_format.startswith("NC")
    first = batch_dims + 1 if channels_first else batch_dims
    if input.shape.rank is not None and filter.shape.rank is not None:
        have = input.shape.sizes[batch_dims if channels_first else count + batch_dims]
        want = filter.shape.sizes[count]
        if have is not None and want and have % want:
            raise ValueError(
                "The number of input channels is not divisible by the corresponding number of output filters. "
                f"Received: input.shape={input.shape} with {have} channels and filters.shape={filter.shape} with "
                f"{want} output filters."
            )
    strides, rate = strides_and_rate(count, strides, rate)

    def convolve(moved: Any, moved_padding: Any) -> Any:
        if count == 1:
            return conv1d(moved, filter, strides[0], moved_padding, data_format=data_format or "NWC", name=name)
        all_strides = [1, 1, *strides] if channels_first else [1, *strides, 1]
        if count == 2:
            return conv2d(moved, filter, all_strides, moved_padding, data_format=data_format, name=name)
        return conv3d(moved, filter, all_strides, moved_padding, data_format=data_format or "NDHWC", name=name)

    return dilated(
        input,
        rate,
        padding,
        convolve,
        filter_shape=as_shape(filter.shape),
        spatial_dims=range(first, first + count),
        data_format=data_format,
        batch_dims=batch_dims,
        filter=filter,
    )


def atrous_conv2d(value: Any, filters: Any, rate: Any, padding: Any, name: str | None = None) -> Any:
    """Convolve images with filters that have holes: `rate` pixels from tap to tap."""
    return convolution(value, filters, padding, dilation_rate=np.broadcast_to(rate, (2,)), name=name)


# Depthwise


def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Any:
    """Convolve each channel with filters of its own, [height, width, in, multiplier]: in * multiplier channels."""
    padding, explicit = padding_of(padding)
    return on(input, filter).DepthwiseConv2dNative(
        input,
        filter,
        strides=strides,
        padding=padding,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Any:
    """`depthwise_conv2d_native`, with holes between the taps where `rate` is above 1."""
    rate = renamed("dilations", dilations, "rate", rate)
    with opened(name, "depthwise", input, filter) as (b, scope):
        input, filter = b.convert(input, name="tensor_in"), b.convert(filter, name="filter_in")
        return dilated(
            input,
            [1, 1] if rate is None else rate,
            padding,
            lambda moved, p: depthwise_conv2d_native(moved, filter, strides, p, data_format, name=scope),
            filter_shape=shape(filter),
            data_format=data_format,
        )


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Any:
    """A depthwise convolution, and one with 1x1 filters that mixes the channels."""
    rate = renamed("dilations", dilations, "rate", rate)
    with opened(name, "separable_conv2d", input, depthwise_filter, pointwise_filter) as (b, scope):
        input = b.convert(input, name="tensor_in")
        deep = b.convert(depthwise_filter, name="depthwise_filter")
        point = b.convert(pointwise_filter, name="pointwise_filter")
        first, second = point.shape.with_rank(4).as_list()[:2]
        if first not in (None, 1) or second not in (None, 1):
            raise ValueError(f"pointwise_filter must be [1, 1, in, out], got shape {point.shape}")
        out = dilated(
            input,
            [1, 1] if rate is None else rate,
            padding,
            lambda moved, p: depthwise_conv2d_native(moved, deep, strides, p, data_format, name="depthwise"),
            filter_shape=shape(deep),
            data_format=data_format,
        )
        return conv2d(out, point, [1, 1, 1, 1], "VALID", data_format=data_format, name=scope)


# Transposed


def conv2d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Any:
    """The gradient of conv2d with respect to its input, as a layer: filters are [height, width, out, in]."""
    value = renamed("input", input, "value", value)
    filter = renamed("filters", filters, "filter", filter)
    with opened(name, "conv2d_transpose", value, filter, output_shape) as (b, scope):
        data_format = data_format or "NHWC"
        channel = 1 if data_format.startswith("NC") else 3
        steps = sizes_of(strides, 2, channel, "strides")
        rates = sizes_of(dilations, 2, channel, "dilations")
        padding, explicit = padding_of(padding)
        return b.Conv2DBackpropInput(
            output_shape,
            filter,
            value,
            strides=steps,
            padding=padding,
            explicit_paddings=explicit,
            data_format=data_format,
            dilations=rates,
            name=scope,
        )


def conv3d_transpose(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Any:
    """The gradient of conv3d with respect to its input, as a layer."""
    filter = renamed("filters", filters, "filter", filter)
    value = renamed("input", input, "value", value)
    with opened(name, "conv3d_transpose", value, filter, output_shape) as (b, scope):
        data_format = data_format or "NDHWC"
        channel = 1 if data_format.startswith("NC") else 4
        return b.Conv3DBackpropInputV2(
            output_shape,
            filter,
            value,
            strides=sizes_of(strides, 3, channel, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=sizes_of(dilations, 3, channel, "dilations"),
            name=scope,
        )


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """The gradient of conv1d with respect to its input, as a layer."""
    with opened(name, "conv1d_transpose", input, filters, output_shape) as (b, scope):
        if data_format in (None, "NWC"):
            inner, at, channel = "NHWC", 1, 2
        elif data_format == "NCW":
            inner, at, channel = "NCHW", 2, 1
        else:
            raise ValueError(f"`data_format` must be 'NWC' or 'NCW'. Received: data_format={data_format}")
        steps = [1, *sizes_of(strides, 1, channel, "stride")]
        rates = [1, *sizes_of(dilations, 1, channel, "dilations")]
        input, filters = expand_dims(input, at), expand_dims(filters, 0)
        sizes: Any = output_shape if isinstance(output_shape, Tensor) else list(output_shape)
        sizes = concat([sizes[:at], [1], sizes[at:]], 0)
        out = b.Conv2DBackpropInput(
            sizes, filters, input, strides=steps, padding=padding, data_format=inner, dilations=rates, name=scope
        )
        return squeeze(out, at)


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Any:
    """The gradient of atrous_conv2d with respect to its input, as a layer."""
    with opened(name, "atrous_conv2d_transpose", value, filters, output_shape) as (b, _):
        value, filters = b.convert(value, name="value"), b.convert(filters, name="filters")
        if rate < 1:
            raise ValueError(f"`rate` cannot be less than one. Received: rate={rate}")
        if not Dimension(value.shape.sizes[3]).is_compatible_with(filters.shape.sizes[3]):
            raise ValueError(
                "`value` channel count must be compatible with `filters` input channel count. "
                f"Received: value.shape={value.shape} and filters.shape={filters.shape}"
            )
        if rate == 1:
            return conv2d_transpose(value, filters, output_shape, [1, 1, 1, 1], padding, "NHWC")
        wanted = b.convert(output_shape, name="output_shape")
        if not wanted.shape.is_compatible_with([4]):
            raise ValueError(f"`output_shape` must have shape (4,). Received: output_shape={wanted.shape}")
        if padding == "SAME":
            window: Any = filters.shape.as_list() if filters.shape.known else shape(filters)
            height, width = window[0], window[1]
            more = [height + (height - 1) * (rate - 1) - 1, width + (width - 1) * (rate - 1) - 1]
            before = [m // 2 for m in more]
            after = [m - f for m, f in zip(more, before, strict=True)]
        elif padding == "VALID":
            before = after = [0, 0]
        else:
            raise ValueError(f"`padding` must be either 'VALID' or 'SAME'. Received: padding={padding}")
        whole = [output_shape[i + 1] + before[i] + after[i] for i in (0, 1)]
        extra = [(rate - w % rate) % rate for w in whole]
        value = space_to_batch(value, [[0, extra[0]], [0, extra[1]]], rate)
        sizes = [
            rate * rate * output_shape[0],
            (whole[0] + extra[0]) // rate,
            (whole[1] + extra[1]) // rate,
            output_shape[3],
        ]
        value = b.Conv2DBackpropInput(sizes, filters, value, strides=[1, 1, 1, 1], padding="VALID", data_format="NHWC")
        crops = [[before[i], after[i] + extra[i]] for i in (0, 1)]
        return batch_to_space(value, crops, rate)


# The ops of gradients


def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Any:
    """The gradient of conv2d with respect to its filters."""
    padding, explicit = padding_of(padding)
    return on(input, out_backprop).Conv2DBackpropFilter(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
    filters: Any = None,
) -> Any:
    """The gradient of conv2d with respect to its input."""
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = padding_of(padding)
    return on(filter, out_backprop).Conv2DBackpropInput(
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def depthwise_conv2d_native_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Any:
    """The gradient of depthwise_conv2d_native with respect to its input."""
    padding, explicit = padding_of(padding)
    return on(filter, out_backprop).DepthwiseConv2dNativeBackpropInput(
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def depthwise_conv2d_native_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Any:
    """The gradient of depthwise_conv2d_native with respect to its filters."""
    padding, explicit = padding_of(padding)
    return on(input, out_backprop).DepthwiseConv2dNativeBackpropFilter(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


depthwise_conv2d_backprop_input = depthwise_conv2d_native_backprop_input
depthwise_conv2d_backprop_filter = depthwise_conv2d_native_backprop_filter


# Morphology


def dilation2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Any:
    """The largest sum of a pixel and the filter's value there, over a window in each channel."""
    filter = renamed("filters", filters, "filter", filter)
    rates = renamed("dilations", dilations, "rates", rates)
    return on(input, filter).Dilation2D(input, filter, strides=strides, rates=rates, padding=padding, name=name)


def erosion2d(value: Any, kernel: Any, strides: Any, rates: Any, padding: Any, name: str | None = None) -> Any:
    """The smallest difference of a pixel and the kernel's value there, over a window in each channel."""
    with opened(name, "erosion2d", value, kernel) as (b, scope):
        negated = b.Neg(value)
        mirrored = b.ReverseV2(kernel, [0, 1])
        out = b.Dilation2D(negated, mirrored, strides=strides, rates=rates, padding=padding, name=scope)
        return b.Neg(out)
