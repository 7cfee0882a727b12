"""Convolutional layers of tf.contrib.layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from regraft.v1 import _context, _plain
from regraft.v1 import _layers_conv as core
from regraft.v1._nn_basic import bias_add
from regraft.v1._nn_conv import depthwise_conv2d
from regraft.v1._opening import on
from regraft.v1._variable_scope import variable_scope
from regraft.v1.contrib._arg_scope import add_arg_scope
from regraft.v1.contrib._initializers import xavier_initializer
from regraft.v1.contrib._layer_parts import (
    add_to_collections_once,
    channel_dimension,
    check_data_format,
    finished,
    get_variable_collections,
    last_dimension,
    two_element_tuple,
    variable_getter,
)
from regraft.v1.contrib._variables import model_variable
from regraft.variables.initializers import Zeros

__all__ = [
    "conv1d",
    "conv2d",
    "conv2d_in_plane",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "convolution",
    "convolution1d",
    "convolution2d",
    "convolution2d_in_plane",
    "convolution2d_transpose",
    "convolution3d",
    "convolution3d_transpose",
    "separable_conv2d",
    "separable_convolution2d",
]

relu = _plain.function("nn.relu")

_FORMATS = (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW")


class _Conv1D(core.Conv1D):
    op_name = "conv1d"


_BY_RANK = {3: _Conv1D, 4: core.Conv2D, 5: core.Conv3D}
_NAMES = {"bias": "biases", "kernel": "weights"}


@add_arg_scope
def convolution(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    conv_dims: int | None = None,
) -> Any:
    """Convolve sequences, images or volumes with new variables "weights" and "biases", normalise, and activate.

    rate                   the distance between the elements of the kernel
    normalizer_fn          called with `normalizer_params`, in place of biases
    biases_initializer     None for no biases
    variables_collections  for all variables, or by "weights" and "biases"
    conv_dims              how many spatial dimensions the inputs must have; None for as many as they have
    raises                 ValueError for another rank, or an unknown data_format
    """
    if data_format not in _FORMATS:
        raise ValueError(f"Invalid data_format: {data_format!r}")
    with variable_scope(scope, "Conv", [inputs], reuse=reuse, custom_getter=variable_getter(_NAMES)) as sc:
        inputs = _context.builder().convert(inputs)
        rank = inputs.shape.rank
        if conv_dims is not None and conv_dims + 2 != rank:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {rank}")
        if rank not in _BY_RANK:
            raise ValueError(f"Convolution not supported for input with rank {rank}")
        layer = _BY_RANK[rank](
            filters=num_outputs,
            kernel_size=kernel_size,
            strides=stride,
            padding=padding,
            data_format="channels_first" if data_format and data_format.startswith("NC") else "channels_last",
            dilation_rate=rate,
            use_bias=bool(not normalizer_fn and biases_initializer),
            kernel_initializer=weights_initializer,
            bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer,
            bias_regularizer=biases_regularizer,
            trainable=trainable,
            name=sc.name,
            dtype=inputs.dtype.base,
            _scope=sc,
            _reuse=reuse,
        )
        outputs = layer(inputs)
        _collect_variables(layer, variables_collections)
        return finished(outputs, sc, outputs_collections, activation_fn, normalizer_fn, normalizer_params)


def _collect_variables(layer: Any, collections: Any) -> None:
    add_to_collections_once(layer.kernel, collections, "weights")
    if layer.bias is not None:
        add_to_collections_once(layer.bias, collections, "biases")


def _of_dims(conv_dims: int) -> Callable[..., Any]:
    signature = inspect.signature(convolution)
    parameters = [p for p in signature.parameters.values() if p.name != "conv_dims"]

    def function(*args: Any, **kwargs: Any) -> Any:
        return convolution(*args, conv_dims=conv_dims, **kwargs)

    function.__name__ = function.__qualname__ = f"convolution{conv_dims}d"
    function.__doc__ = f"`convolution` of inputs with {conv_dims} spatial dimensions."
    setattr(function, "__signature__", signature.replace(parameters=parameters))
    return add_arg_scope(function)


convolution1d = _of_dims(1)
convolution2d = _of_dims(2)
convolution3d = _of_dims(3)


def _biased(
    outputs: Any,
    channels: int,
    data_format: str,
    initializer: Any,
    regularizer: Any,
    collections: Any,
    trainable: bool,
) -> Any:
    """The outputs plus new biases."""
    biases = model_variable(
        "biases",
        shape=[channels],
        dtype=outputs.dtype.base,
        initializer=initializer,
        regularizer=regularizer,
        collections=get_variable_collections(collections, "biases"),
        trainable=trainable,
    )
    return bias_add(outputs, biases, data_format=data_format)


@add_arg_scope
def convolution2d_in_plane(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """Convolve each channel of images with one and the same kernel."""
    with variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as sc:
        strides = two_element_tuple(stride)
        channels = last_dimension(inputs.shape, min_rank=4)
        weights = model_variable(
            "weights",
            shape=[*two_element_tuple(kernel_size), 1, 1],
            dtype=inputs.dtype.base,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            collections=get_variable_collections(variables_collections, "weights"),
            trainable=trainable,
        )
        outputs = depthwise_conv2d(inputs, on(weights).Tile(weights, [1, 1, channels, 1]), [1, *strides, 1], padding)
        if normalizer_fn is None and biases_initializer is not None:
            given = biases_initializer, biases_regularizer, variables_collections, trainable
            outputs = _biased(outputs, channels, "NHWC", *given)
        return finished(outputs, sc, outputs_collections, activation_fn, normalizer_fn, normalizer_params)


def _transposed(name: str, default: str, layer_class: Any, formats: tuple[str, str]) -> Callable[..., Any]:
    def function(
        inputs: Any,
        num_outputs: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: str = "SAME",
        data_format: str = formats[0],
        activation_fn: Any = relu,
        normalizer_fn: Any = None,
        normalizer_params: Any = None,
        weights_initializer: Any = xavier_initializer(),
        weights_regularizer: Any = None,
        biases_initializer: Any = Zeros(),
        biases_regularizer: Any = None,
        reuse: Any = None,
        variables_collections: Any = None,
        outputs_collections: Any = None,
        trainable: bool = True,
        scope: Any = None,
    ) -> Any:
        with variable_scope(scope, default, [inputs], reuse=reuse, custom_getter=variable_getter(_NAMES)) as sc:
            order = check_data_format(data_format, formats)
            inputs = _context.builder().convert(inputs)
            layer = layer_class(
                filters=num_outputs,
                kernel_size=kernel_size,
                strides=stride,
                padding=padding,
                data_format=order,
                use_bias=bool(not normalizer_fn and biases_initializer),
                kernel_initializer=weights_initializer,
                bias_initializer=biases_initializer,
                kernel_regularizer=weights_regularizer,
                bias_regularizer=biases_regularizer,
                trainable=trainable,
                name=sc.name,
                dtype=inputs.dtype.base,
                _scope=sc,
                _reuse=reuse,
            )
            outputs = layer(inputs)
            _collect_variables(layer, variables_collections)
            return finished(outputs, sc, outputs_collections, activation_fn, normalizer_fn, normalizer_params)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "The transpose of a convolution: from smaller to larger. The arguments are `convolution`'s."
    return add_arg_scope(function)


convolution2d_transpose = _transposed(
    "convolution2d_transpose", "Conv2d_transpose", core.Conv2DTranspose, ("NHWC", "NCHW")
)
convolution3d_transpose = _transposed(
    "convolution3d_transpose", "Conv3d_transpose", core.Conv3DTranspose, ("NDHWC", "NCDHW")
)


@add_arg_scope
def separable_convolution2d(
    inputs: Any,
    num_outputs: int | None,
    kernel_size: Any,
    depth_multiplier: int = 1,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    rate: Any = 1,
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    pointwise_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = Zeros(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A depthwise convolution of images, then one with 1x1 kernels unless `num_outputs` is None."""
    order = check_data_format(data_format, ("NHWC", "NCHW"))
    names = {"bias": "biases", "depthwise_kernel": "depthwise_weights", "pointwise_kernel": "pointwise_weights"}
    with variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse, custom_getter=variable_getter(names)) as sc:
        inputs = _context.builder().convert(inputs)
        if num_outputs is not None:
            layer = core.SeparableConv2D(
                filters=num_outputs,
                kernel_size=kernel_size,
                strides=stride,
                padding=padding,
                data_format=order,
                dilation_rate=two_element_tuple(rate),
                depth_multiplier=depth_multiplier,
                use_bias=bool(not normalizer_fn and biases_initializer),
                depthwise_initializer=weights_initializer,
                pointwise_initializer=weights_initializer if pointwise_initializer is None else pointwise_initializer,
                bias_initializer=biases_initializer,
                depthwise_regularizer=weights_regularizer,
                pointwise_regularizer=weights_regularizer,
                bias_regularizer=biases_regularizer,
                trainable=trainable,
                name=sc.name,
                dtype=inputs.dtype.base,
                _scope=sc,
                _reuse=reuse,
            )
            outputs = layer(inputs)
            add_to_collections_once(layer.depthwise_kernel, variables_collections, "weights")
            add_to_collections_once(layer.pointwise_kernel, variables_collections, "weights")
            if layer.bias is not None:
                add_to_collections_once(layer.bias, variables_collections, "biases")
            return finished(outputs, sc, outputs_collections, activation_fn, normalizer_fn, normalizer_params)
        strides = two_element_tuple(stride)
        channels = channel_dimension(inputs.shape, order, min_rank=4)
        weights = model_variable(
            "depthwise_weights",
            shape=[*two_element_tuple(kernel_size), channels, depth_multiplier],
            dtype=inputs.dtype.base,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            trainable=trainable,
            collections=get_variable_collections(variables_collections, "weights"),
        )
        outputs = depthwise_conv2d(
            inputs,
            weights,
            [1, 1, *strides] if data_format == "NCHW" else [1, *strides, 1],
            padding,
            rate=two_element_tuple(rate),
            data_format=data_format,
        )
        if normalizer_fn is None and biases_initializer is not None:
            given = biases_initializer, biases_regularizer, variables_collections, trainable
            outputs = _biased(outputs, depth_multiplier * channels, data_format, *given)
        return finished(outputs, sc, outputs_collections, activation_fn, normalizer_fn, normalizer_params)


conv1d = convolution1d
conv2d = convolution2d
conv3d = convolution3d
conv2d_in_plane = convolution2d_in_plane
conv2d_transpose = convolution2d_transpose
conv3d_transpose = convolution3d_transpose
separable_conv2d = separable_convolution2d
