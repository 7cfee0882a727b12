"""Pooling: the largest or the mean value in windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.v1._array import expand_dims, squeeze
from regraft.v1._nn_window import dilated, padding_of, sizes_of, strides_and_rate
from regraft.v1._opening import opened, renamed

__all__ = [
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "avg_pool_v2",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool_v2",
    "max_pool_with_argmax",
    "pool",
]


def _images(
    op_type: str, scope_name: str, value: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, name: Any
) -> Any:
    with opened(name, scope_name, value) as (b, scope):
        data_format = data_format or "NHWC"
        channel = 1 if data_format.startswith("NC") else 3
        window = sizes_of(ksize, 2, channel, "ksize")
        steps = sizes_of(strides, 2, channel, "strides")
        if op_type == "AvgPool":
            return b.AvgPool(value, ksize=window, strides=steps, padding=padding, data_format=data_format, name=scope)
        if isinstance(padding, (list, tuple)) and data_format == "NCHW_VECT_C":
            raise ValueError(
                f"`data_format='NCHW_VECT_C'` is not supported with explicit padding. Received: padding={padding}"
            )
        padding, explicit = padding_of(padding)
        if 0 in window:
            raise ValueError(f"`ksize` cannot be zero. Received: ksize={ksize}")
        return b.MaxPool(
            value,
            ksize=window,
            strides=steps,
            padding=padding,
            explicit_paddings=explicit,
            data_format=data_format,
            name=scope,
        )


def max_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Any:
    """The largest value in each window of images; `ksize` and `strides` for two or all four dimensions."""
    value = renamed("input", input, "value", value)
    return _images("MaxPool", "MaxPool", value, ksize, strides, padding, data_format, name)


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NHWC", name: str | None = None
) -> Any:
    """`max_pool`."""
    return _images("MaxPool", "MaxPool2d", input, ksize, strides, padding, data_format, name)


def avg_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Any:
    """The mean of each window of images; `ksize` and `strides` for two or all four dimensions."""
    value = renamed("input", input, "value", value)
    return _images("AvgPool", "AvgPool", value, ksize, strides, padding, data_format, name)


avg_pool2d = avg_pool


def _sequences(
    op_type: str, scope_name: str, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, name: Any
) -> Any:
    with opened(name, scope_name, input) as (b, scope):
        data_format = data_format or "NWC"
        channel = 1 if data_format.startswith("NC") else 2
        attrs = {
            "ksize": [1, *sizes_of(ksize, 1, channel, "ksize")],
            "strides": [1, *sizes_of(strides, 1, channel, "strides")],
            "data_format": "NHWC" if data_format == "NWC" else "NCHW",
        }
        if op_type == "MaxPool":
            padding, explicit = padding_of(padding, 3)
            attrs["explicit_paddings"] = [0, 0, *explicit] if padding == "EXPLICIT" else explicit
        at = 1 if data_format == "NWC" else 2
        input = expand_dims(input, at)
        return squeeze(b.op(op_type, input, padding=padding, name=scope, **attrs), at)


def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NWC", name: str | None = None
) -> Any:
    """The largest value in each window of sequences."""
    return _sequences("MaxPool", "MaxPool1d", input, ksize, strides, padding, data_format, name)


def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NWC", name: str | None = None
) -> Any:
    """The mean of each window of sequences."""
    return _sequences("AvgPool", "AvgPool1D", input, ksize, strides, padding, data_format, name)


def _volumes(op_type: str, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, name: Any) -> Any:
    with opened(name, op_type, input) as (b, scope):
        data_format = data_format or "NDHWC"
        channel = 1 if data_format.startswith("NC") else 4
        return b.op(
            op_type,
            input,
            ksize=sizes_of(ksize, 3, channel, "ksize"),
            strides=sizes_of(strides, 3, channel, "strides"),
            padding=padding,
            data_format=data_format,
            name=scope,
        )


def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NDHWC", name: str | None = None
) -> Any:
    """The largest value in each window of volumes."""
    return _volumes("MaxPool3D", input, ksize, strides, padding, data_format, name)


def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NDHWC", name: str | None = None
) -> Any:
    """The mean of each window of volumes."""
    return _volumes("AvgPool3D", input, ksize, strides, padding, data_format, name)


def _by_rank(kind: str, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, name: Any) -> Any:
    count = None if input.shape is None else len(input.shape) - 2
    if count not in (1, 2, 3):
        raise ValueError(f"`input.shape.rank` must be 3, 4 or 5. Received: input.shape={input.shape}")
    functions = (
        {1: max_pool1d, 2: max_pool2d, 3: max_pool3d} if kind == "max" else {1: avg_pool1d, 2: avg_pool, 3: avg_pool3d}
    )
    extra = {} if data_format is None else {"data_format": data_format}
    function: Any = functions[count]
    return function(input, ksize, strides, padding, name=name, **extra)


def max_pool_v2(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Any:
    """The largest value in each window, over as many spatial dimensions as the input has."""
    return _by_rank("max", input, ksize, strides, padding, data_format, name)


def avg_pool_v2(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Any:
    """The mean of each window, over as many spatial dimensions as the input has."""
    return _by_rank("avg", input, ksize, strides, padding, data_format, name)


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    Targmax: Any = None,
    name: str | None = None,
    output_dtype: Any = None,
    include_batch_in_index: bool = False,
) -> Any:
    """(values, positions in the flattened image) of the largest value in each window."""
    if data_format != "NHWC":
        raise ValueError(
            f"`data_format` values other than 'NHWC' are not supported. Received: data_format={data_format}"
        )
    from regraft.v1.raw_ops import add_op

    kind = renamed("output_dtype", output_dtype, "Targmax", Targmax)
    return add_op(
        "MaxPoolWithArgmax",
        {
            "input": input,
            "ksize": ksize,
            "strides": strides,
            "padding": padding,
            "Targmax": dtypes.int64 if kind is None else kind,
            "include_batch_in_index": include_batch_in_index,
        },
        name,
    )


def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    padding: str,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Any:
    """Pool over one, two or three spatial dimensions; `dilation_rate` puts holes into the windows.

    pooling_type  "MAX" or "AVG"
    """
    dilation_rate = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    with opened(name, f"{pooling_type.lower()}_pool", input) as (b, scope):
        input = b.convert(input, name="input")
        count = len(window_shape)
        if count not in (1, 2, 3):
            raise ValueError(
                f"`len(window_shape)` must be 1, 2, or 3. Received: window_shape={window_shape} of length {count}"
            )
        input.shape.with_rank(count + 2)
        steps, rate = strides_and_rate(count, strides, dilation_rate)
        if padding == "SAME" and np.any(rate > 1):
            raise ValueError(
                "pooling with 'SAME' padding is not implemented for `dilation_rate` > 1. "
                f"Received: padding={padding} and dilation_rate={rate}"
            )
        if np.any(steps > np.asarray(window_shape)):
            raise ValueError(
                "`strides` > `window_shape` not supported due to inconsistency between CPU and GPU implementations. "
                f"Received: strides={steps} and window_shape={window_shape}"
            )
        functions = {("MAX", 3): max_pool3d, ("AVG", 3): avg_pool3d, "MAX": max_pool, "AVG": avg_pool}
        function: Any = functions.get((pooling_type, count)) or functions.get(pooling_type)
        if function is None:
            raise ValueError(f"{count}-D {pooling_type} pooling is not supported.")
        first = data_format is not None and data_format.startswith("NC")
        window = [1, 1, *window_shape] if first else [1, *window_shape, 1]
        all_steps = [1, 1, *steps] if first else [1, *steps, 1]
        start = 2 if first else 1
        inner = data_format
        if count == 1:
            if data_format not in (None, "NWC", "NCW"):
                raise ValueError(f"data_format must be either 'NWC' or 'NCW'. Received: data_format={data_format}")
            inner = "NCHW" if first else "NHWC"
            window, all_steps = [1, *window], [1, *all_steps]

        def pooled(moved: Any, moved_padding: Any) -> Any:
            if count == 1:
                moved = expand_dims(moved, start)
            out = function(moved, window, all_steps, moved_padding, data_format=inner, name=scope)
            return squeeze(out, [start]) if count == 1 else out

        input = b.convert(input, name="input")
        return dilated(
            input, rate, padding, pooled, filter_shape=window_shape, spatial_dims=range(start, start + count)
        )
