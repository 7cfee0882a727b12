"""Layers of tf.contrib.layers without weights: pooling, flattening, softmax; and layers in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.v1 import _context, _layers_core, _layers_pool
from regraft.v1._array import concat, meshgrid, ones, reshape, shape, transpose
from regraft.v1._checks import assert_rank_at_least
from regraft.v1._graph import name_scope
from regraft.v1._indexing import gather_nd, one_hot, strided_slice, where
from regraft.v1._math import div, not_equal, sqrt, to_int64
from regraft.v1._nn_basic import softmax as nn_softmax
from regraft.v1._nn_pool import pool as nn_pool
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_max, reduce_sum
from regraft.v1._sparse_tensor import SparseTensor
from regraft.v1._variable_scope import variable_scope
from regraft.v1.contrib._arg_scope import add_arg_scope
from regraft.v1.contrib._layer_parts import (
    check_data_format,
    collect_named_outputs,
    get_variable_collections,
    last_dimension,
    n_positive_integers,
)
from regraft.v1.contrib._variables import model_variable
from regraft.variables.initializers import Constant, Ones

__all__ = [
    "avg_pool2d",
    "avg_pool3d",
    "bucketize",
    "dense_to_sparse",
    "flatten",
    "images_to_sequence",
    "max_pool2d",
    "max_pool3d",
    "maxout",
    "one_hot_encoding",
    "pool",
    "repeat",
    "sequence_to_images",
    "softmax",
    "spatial_softmax",
    "stack",
    "unit_norm",
]

# Pooling


def _pooling(name: str, default: str, layer_class: Any, formats: tuple[str, str]) -> Callable[..., Any]:
    def function(
        inputs: Any,
        kernel_size: Any,
        stride: Any = 2,
        padding: str = "VALID",
        data_format: str = formats[0],
        outputs_collections: Any = None,
        scope: Any = None,
    ) -> Any:
        order = check_data_format(data_format, formats)
        with name_scope(scope, default, [inputs]) as sc:
            layer = layer_class(pool_size=kernel_size, strides=stride, padding=padding, data_format=order, _scope=sc)
            return collect_named_outputs(outputs_collections, sc, layer(_context.builder().convert(inputs)))

    function.__name__ = function.__qualname__ = name
    what = "largest" if name.startswith("max") else "mean"
    function.__doc__ = f"The {what} value in windows of `kernel_size`, one every `stride`."
    return add_arg_scope(function)


avg_pool2d = _pooling("avg_pool2d", "AvgPool2D", _layers_pool.AveragePooling2D, ("NHWC", "NCHW"))
avg_pool3d = _pooling("avg_pool3d", "AvgPool3D", _layers_pool.AveragePooling3D, ("NDHWC", "NCDHW"))
max_pool2d = _pooling("max_pool2d", "MaxPool2D", _layers_pool.MaxPooling2D, ("NHWC", "NCHW"))
max_pool3d = _pooling("max_pool3d", "MaxPool3D", _layers_pool.MaxPooling3D, ("NDHWC", "NCDHW"))


@add_arg_scope
def pool(
    inputs: Any,
    kernel_size: Any,
    pooling_type: str,
    padding: str = "VALID",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    stride: Any = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """`tf.nn.pool`: "AVG" or "MAX" over all spatial dimensions. ValueError for a rank below 3."""
    with name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as sc:
        inputs = _context.builder().convert(inputs)
        rank = inputs.shape.rank
        if rank is None:
            raise ValueError("Rank of inputs must be known")
        if rank < 3:
            raise ValueError("Rank of inputs must be >= 3")
        output = nn_pool(
            inputs,
            window_shape=n_positive_integers(rank - 2, kernel_size),
            pooling_type=pooling_type,
            padding=padding,
            data_format=data_format,
            dilation_rate=n_positive_integers(rank - 2, dilation_rate),
            strides=n_positive_integers(rank - 2, stride),
            name=sc,
        )
        return collect_named_outputs(outputs_collections, sc, output)


# Form


@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """All dimensions but the first as one."""
    with name_scope(scope, "Flatten", [inputs]) as sc:
        outputs = _layers_core.flatten(_context.builder().convert(inputs))
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def inner_flatten(inputs: Any, new_rank: int, output_collections: Any = None, scope: Any = None) -> Any:
    """The last dimensions as one, so that `new_rank` are left."""
    with name_scope(scope, "InnerFlatten", [inputs, new_rank]) as sc:
        inputs = _context.builder().convert(inputs)
        enough = assert_rank_at_least(inputs, new_rank, message="inputs has rank less than new_rank")
        with inputs.graph.control_dependencies([enough]):
            outer = strided_slice(shape(inputs), [0], [new_rank - 1])
            outputs = reshape(inputs, concat((outer, [-1]), 0))
        sizes = inputs.shape.sizes
        if sizes is not None:
            inner: int | None = 1
            for d in sizes[new_rank - 1 :]:
                inner = None if d is None or inner is None else inner * d
            outputs.set_shape([*sizes[: new_rank - 1], inner])
    return collect_named_outputs(output_collections, sc, outputs)


@add_arg_scope
def one_hot_encoding(
    labels: Any,
    num_classes: int,
    on_value: Any = 1.0,
    off_value: Any = 0.0,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """`tf.one_hot`."""
    with name_scope(scope, "OneHotEncoding", [labels, num_classes]) as sc:
        labels = _context.builder().convert(labels)
        if labels.dtype is dtypes.int32:
            labels = to_int64(labels)
        outputs = one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def dense_to_sparse(tensor: Any, eos_token: Any = 0, outputs_collections: Any = None, scope: Any = None) -> Any:
    """The sparse tensor of what is not `eos_token`."""
    with variable_scope(scope, "dense_to_sparse", [tensor]) as sc:
        b = _context.builder()
        tensor = b.convert(tensor)
        indices = where(not_equal(tensor, b.constant(eos_token, tensor.dtype.base)))
        values = gather_nd(tensor, indices)
        outputs = SparseTensor(indices, values, shape(tensor, out_type=dtypes.int64))
        return collect_named_outputs(outputs_collections, sc.name, outputs)


def bucketize(input_tensor: Any, boundaries: Any, name: str | None = None) -> Any:
    """Which of the ranges between boundaries, in order, each number is in. TypeError where they are no list."""
    return on(input_tensor).Bucketize(input_tensor, boundaries=boundaries, name=name)


@add_arg_scope
def images_to_sequence(
    inputs: Any, data_format: str = "NHWC", outputs_collections: Any = None, scope: Any = None
) -> Any:
    """[width, batch * height, channels]: the columns of images as steps of time."""
    first = check_data_format(data_format, ("NHWC", "NCHW")) == "channels_first"
    with name_scope(scope, "ImagesToSequence", [inputs]) as sc:
        inputs = _context.builder().convert(inputs)
        if first:
            inputs = transpose(inputs, [0, 2, 3, 1])
        _, _, width, depth = inputs.shape.as_list()
        sizes = shape(inputs)
        batch, height = sizes[0], sizes[1]
        turned = transpose(inputs, [2, 0, 1, 3])
        return collect_named_outputs(outputs_collections, sc, reshape(turned, [width, batch * height, depth]))


@add_arg_scope
def sequence_to_images(
    inputs: Any,
    height: int,
    output_data_format: str = "channels_last",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """Images again from what `images_to_sequence` made of them."""
    with name_scope(scope, "SequenceToImages", [inputs]) as sc:
        inputs = _context.builder().convert(inputs)
        width, rows, depth = inputs.shape.as_list()
        images = reshape(inputs, [width, -1 if rows is None else rows // height, height, depth])
        order = [1, 3, 2, 0] if output_data_format == "channels_first" else [1, 2, 0, 3]
        return collect_named_outputs(outputs_collections, sc, transpose(images, order))


# In a row


def _scope_name(layer: Any, otherwise: str) -> str:
    named = getattr(layer, "func", layer) if not hasattr(layer, "__name__") else layer
    return str(getattr(named, "__name__", otherwise))


def repeat(inputs: Any, repetitions: int, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """`layer`, applied `repetitions` times with the same arguments, in scopes with a number."""
    scope = kwargs.pop("scope", None)
    with variable_scope(scope, "Repeat", [inputs]):
        outputs = _context.builder().convert(inputs)
        name = scope or _scope_name(layer, "repeat")
        for i in range(repetitions):
            outputs = layer(outputs, *args, **{**kwargs, "scope": f"{name}_{i + 1}"})
        return outputs


def stack(inputs: Any, layer: Any, stack_args: Any, **kwargs: Any) -> Any:
    """`layer`, applied once for each of `stack_args`, its next arguments. ValueError where that is no list or tuple."""
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    with variable_scope(scope, "Stack", [inputs]):
        outputs = _context.builder().convert(inputs)
        name = scope or _scope_name(layer, "stack")
        for i, given in enumerate(stack_args):
            args = given if isinstance(given, (list, tuple)) else [given]
            outputs = layer(outputs, *args, **{**kwargs, "scope": f"{name}_{i + 1}"})
        return outputs


# Values


@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """`tf.nn.softmax` along the last dimension, which must be known."""
    with variable_scope(scope, "softmax", [logits]):
        flat = reshape(logits, [-1, last_dimension(logits.shape, min_rank=2)])
        predictions = reshape(nn_softmax(flat), shape(logits))
        predictions.set_shape(logits.shape)
        return predictions


@add_arg_scope
def spatial_softmax(
    features: Any,
    temperature: Any = None,
    name: str | None = None,
    variables_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
) -> Any:
    """[batch, 2 * channels]: where in the image each channel is strong, as expected coordinates from -1 to 1.

    temperature  the initial value of the variable by which features are divided; None for 1
    """
    first = check_data_format(data_format, ("NHWC", "NCHW")) == "channels_first"
    with variable_scope(name, "spatial_softmax"):
        sizes = shape(features)
        static = features.shape
        height, width = (sizes[2], sizes[3]) if first else (sizes[1], sizes[2])
        channels = static.as_list()[1 if first else 3]
        if channels is None:
            raise ValueError(
                "The num_channels dimension of the inputs to `spatial_softmax` should be defined. Found `None`."
            )
        with name_scope("spatial_softmax_op", "spatial_softmax_op", [features]):
            b = on(features)
            x, y = meshgrid(b.LinSpace(-1.0, 1.0, height), b.LinSpace(-1.0, 1.0, width), indexing="ij")
            x, y = reshape(x, [height * width]), reshape(y, [height * width])
            divisor = model_variable(
                "temperature",
                shape=(),
                dtype=dtypes.float32,
                initializer=Ones() if temperature is None else Constant(temperature),
                collections=get_variable_collections(variables_collections, "temperature") if trainable else None,
                trainable=trainable,
            )
            if not first:
                features = transpose(features, [0, 3, 1, 2])
            attention = nn_softmax(reshape(features, [-1, height * width]) / divisor)
            expected = [reduce_sum(at * attention, [1], keepdims=True) for at in (x, y)]
            keypoints = reshape(concat(expected, 1), [-1, channels * 2])
            keypoints.set_shape([None, channels * 2])
    return keypoints


@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """Vectors along `dim` scaled to the length 1. ValueError for an unknown rank or a `dim` outside it."""
    with variable_scope(scope, "UnitNorm", [inputs]):
        rank = inputs.shape.rank
        if not rank:
            raise ValueError("The input rank must be known.")
        if not 0 <= dim < rank:
            raise ValueError("dim must be positive but smaller than the input rank.")
        lengths = sqrt(epsilon + reduce_sum(on(inputs).Square(inputs), dim, True))
        multiples = [ones([dim], dtypes.int32)] if dim > 0 else []
        multiples.append(strided_slice(shape(inputs), [dim], [dim + 1]))
        if dim < rank - 1:
            multiples.append(ones([rank - 1 - dim], dtypes.int32))
        return div(inputs, on(lengths).Tile(lengths, concat(multiples, 0)))


@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """The largest of each group of channels, `num_units` in all. ValueError where they do not divide."""
    with variable_scope(scope, "MaxOut", [inputs]):
        inputs = _context.builder().convert(inputs)
        sizes: list[Any] = inputs.shape.as_list()
        channels = sizes[axis]
        if channels % num_units:
            raise ValueError(f"number of features({channels}) is not a multiple of num_units({num_units})")
        sizes[axis] = num_units
        sizes = [shape(inputs)[i] if d is None else d for i, d in enumerate(sizes)]
        return reduce_max(reshape(inputs, [*sizes, channels // num_units]), -1, keepdims=False)
