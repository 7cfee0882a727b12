"""Convolutional layers."""

from __future__ import annotations

from typing import Any

from regraft.base.shapes import TensorShape
from regraft.v1._array import expand_dims, reshape, shape, squeeze, stack, transpose
from regraft.v1._layer import InputSpec, Layer, activation_of, several
from regraft.v1._nn_basic import bias_add
from regraft.v1._nn_conv import conv2d_transpose as nn_conv2d_transpose
from regraft.v1._nn_conv import conv3d_transpose as nn_conv3d_transpose
from regraft.v1._nn_conv import convolution
from regraft.v1._nn_conv import separable_conv2d as nn_separable_conv2d
from regraft.v1._nn_window import over_batches
from regraft.variables.initializers import Zeros

__all__ = [
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "SeparableConv1D",
    "SeparableConv2D",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "separable_conv1d",
    "separable_conv2d",
]


def checked(value: str, name: str, allowed: tuple[str, ...]) -> str:
    """`value` in lower case. ValueError unless it is allowed."""
    if value.lower() not in allowed:
        raise ValueError(f"The `{name}` argument must be one of {', '.join(allowed)}. Received: {value}")
    return value.lower()


def op_format(data_format: str, ndim: int) -> str:
    """The ops' name of "channels_last" or "channels_first" for tensors of this rank."""
    spatial = {3: "W", 4: "HW", 5: "DHW"}[ndim]
    return f"N{spatial}C" if data_format == "channels_last" else f"NC{spatial}"


def output_length(length: int | None, window: int, padding: str, stride: int, dilation: int = 1) -> int | None:
    """How many windows fit along a dimension."""
    if length is None:
        return None
    if padding == "valid":
        length = length - (window + (window - 1) * (dilation - 1)) + 1
    return (length + stride - 1) // stride


class _Conv(Layer):
    """activation(convolution(inputs, kernel) + bias) over `rank` spatial dimensions."""

    rank = 2
    op_name: str | None = None  # of the convolution; the class's name where it is None

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = int(filters)
        if self.filters <= 0:
            raise ValueError(
                f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={filters}."
            )
        self.kernel_size = several(kernel_size, self.rank, "kernel_size")
        self.strides = several(strides, self.rank, "strides")
        self.padding = checked(padding, "padding", ("valid", "same"))
        self.data_format = checked(data_format, "data_format", ("channels_first", "channels_last"))
        self.dilation_rate = several(dilation_rate, self.rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.activation = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = Zeros() if bias_initializer is None else bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(min_ndim=self.rank + 2)
        self.kernel: Any = None
        self.bias: Any = None

    @property
    def _first(self) -> bool:
        return self.data_format == "channels_first"

    def _channels(self, input_shape: Any) -> int:
        """The size of the channel dimension. ValueError when it is not known."""
        axis = -1 - self.rank if self._first else -1
        found = TensorShape(input_shape).as_list()[axis]
        if found is None:
            raise ValueError(
                "The channel dimension of the inputs should be defined. "
                f"The input_shape received is {input_shape}, where axis {axis} (0-based) is the channel dimension, "
                "which found to be `None`."
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: found})
        return found

    def _add_kernel(self, name: str, sizes: Any, kind: str = "kernel") -> Any:
        return self.add_weight(
            name,
            list(sizes),
            initializer=getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
            trainable=True,
        )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._add_kernel("kernel", (*self.kernel_size, channels, self.filters))
        if self.use_bias:
            self.bias = self._add_kernel("bias", (self.filters,), "bias")
        self.built = True

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        data_format = op_format(self.data_format, self.rank + 2)
        outputs = convolution(
            inputs,
            self.kernel,
            strides=list(self.strides),
            padding=self.padding.upper(),
            dilations=list(self.dilation_rate),
            data_format=data_format,
            name=self.op_name or type(self).__name__,
        )
        if self.use_bias:
            ranks = outputs.shape.rank
            if self.rank == 1 and self._first:
                outputs = outputs + reshape(self.bias, (1, self.filters, 1))
            elif ranks is not None and ranks > self.rank + 2:
                outputs = over_batches(
                    outputs, lambda o: bias_add(o, self.bias, data_format=data_format), self.rank + 1, None
                )
            else:
                outputs = bias_add(outputs, self.bias, data_format=data_format)
        if inputs.shape.rank:
            outputs.set_shape(self.compute_output_shape(inputs.shape))
        return self._activated(outputs)

    def _activated(self, outputs: Any) -> Any:
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        sizes = TensorShape(input_shape).as_list()
        batch = len(sizes) - self.rank - 1
        spatial = sizes[batch + 1 :] if self._first else sizes[batch:-1]
        found = [
            output_length(length, self.kernel_size[i], self.padding, self.strides[i], self.dilation_rate[i])
            for i, length in enumerate(spatial)
        ]
        if any(f is not None and f <= 0 for f in found):
            raise ValueError(
                f"One of the dimensions in the output is <= 0 due to downsampling in {self.name}. Consider increasing "
                f"the input size. Received input shape {sizes}"
            )
        if self._first:
            return TensorShape([*sizes[:batch], self.filters, *found])
        return TensorShape([*sizes[:batch], *found, self.filters])


class Conv1D(_Conv):
    """A convolution of sequences, [batch, width, channels]."""

    rank = 1


class Conv2D(_Conv):
    """A convolution of images, [batch, height, width, channels]."""

    rank = 2


class Conv3D(_Conv):
    """A convolution of volumes, [batch, depth, height, width, channels]."""

    rank = 3


class _Separable(_Conv):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = None,
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = depthwise_initializer
        self.pointwise_initializer = pointwise_initializer
        self.depthwise_regularizer = depthwise_regularizer
        self.pointwise_regularizer = pointwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.pointwise_constraint = pointwise_constraint
        self.depthwise_kernel: Any = None
        self.pointwise_kernel: Any = None

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        deep = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._add_kernel("depthwise_kernel", deep, "depthwise")
        point = (*(1,) * self.rank, self.depth_multiplier * channels, self.filters)
        self.pointwise_kernel = self._add_kernel("pointwise_kernel", point, "pointwise")
        if self.use_bias:
            self.bias = self._add_kernel("bias", (self.filters,), "bias")
        self.built = True


class SeparableConv2D(_Separable):
    """A depthwise convolution of images, and one with 1x1 filters that mixes the channels."""

    rank = 2

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        data_format = op_format(self.data_format, 4)
        outputs = nn_separable_conv2d(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=(1, 1, *self.strides) if self._first else (1, *self.strides, 1),
            padding=self.padding.upper(),
            rate=self.dilation_rate,
            data_format=data_format,
        )
        if self.use_bias:
            outputs = bias_add(outputs, self.bias, data_format=data_format)
        return self._activated(outputs)


class SeparableConv1D(_Separable):
    """A depthwise convolution of sequences, and one with filters of width 1 that mixes the channels."""

    rank = 1

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        data_format = op_format(self.data_format, 4)
        at = 2 if self._first else 1
        inputs = expand_dims(inputs, at)
        deep, point = expand_dims(self.depthwise_kernel, 0), expand_dims(self.pointwise_kernel, 0)
        outputs = nn_separable_conv2d(
            inputs,
            deep,
            point,
            strides=(1, 1, *self.strides * 2) if self._first else (1, *self.strides * 2, 1),
            padding=self.padding.upper(),
            rate=(1, *self.dilation_rate),
            data_format=data_format,
        )
        if self.use_bias:
            outputs = bias_add(outputs, self.bias, data_format=data_format)
        return self._activated(squeeze(outputs, [at]))


class _Transposed(_Conv):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            1,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )

    def build(self, input_shape: Any) -> None:
        if len(TensorShape(input_shape)) != self.rank + 2:
            raise ValueError(f"Inputs should have rank {self.rank + 2}. Received input_shape={input_shape}.")
        channels = self._channels(input_shape)
        self.kernel = self._add_kernel("kernel", (*self.kernel_size, self.filters, channels))
        if self.use_bias:
            self.bias = self._add_kernel("bias", (self.filters,), "bias")
        self.built = True

    def _length(self, length: Any, dim: int) -> Any:
        if length is None:
            return None
        if self.padding == "valid":
            return length * self.strides[dim] + max(self.kernel_size[dim] - self.strides[dim], 0)
        return length * self.strides[dim]

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        sizes = TensorShape(input_shape).as_list()
        spatial = sizes[2:] if self._first else sizes[1:-1]
        found = [self._length(length, i) for i, length in enumerate(spatial)]
        if self._first:
            return TensorShape([sizes[0], self.filters, *found])
        return TensorShape([sizes[0], *found, self.filters])

    def _finished(self, outputs: Any, inputs: Any) -> Any:
        if inputs.shape.rank:
            outputs.set_shape(self.compute_output_shape(inputs.shape))
        if self.use_bias:
            outputs = bias_add(outputs, self.bias, data_format=op_format(self.data_format, 4))
        return self._activated(outputs)


class Conv2DTranspose(_Transposed):
    """The transpose of a convolution of images: from a smaller one to a larger one."""

    rank = 2

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        sizes = shape(inputs)
        batch = sizes[0]
        axes = (2, 3) if self._first else (1, 2)
        known = inputs.shape.sizes
        lengths = [sizes[a] if known is None or known[a] is None else known[a] for a in axes]
        found = [self._length(length, i) for i, length in enumerate(lengths)]
        if self._first:
            # The op knows images with channels last alone where there is no GPU.
            wanted = stack((batch, self.filters, *found))
            moved = transpose(inputs, (0, 2, 3, 1))
            wanted = stack((wanted[0], wanted[2], wanted[3], wanted[1]))
        else:
            wanted, moved = stack((batch, *found, self.filters)), inputs
        _ = wanted[0]  # TensorFlow asks whether the batch size is None, and leaves the question in the graph
        outputs = nn_conv2d_transpose(
            moved, self.kernel, wanted, (1, *self.strides, 1), padding=self.padding.upper(), data_format="NHWC"
        )
        if self._first:
            outputs = transpose(outputs, (0, 3, 1, 2))
        return self._finished(outputs, inputs)


class Conv3DTranspose(_Transposed):
    """The transpose of a convolution of volumes: from a smaller one to a larger one."""

    rank = 3

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        sizes = shape(inputs)
        batch = sizes[0]
        lengths = [sizes[a] for a in ((2, 3, 4) if self._first else (1, 2, 3))]
        found = [self._length(length, i) for i, length in enumerate(lengths)]
        wanted = stack((batch, self.filters, *found) if self._first else (batch, *found, self.filters))
        outputs = nn_conv3d_transpose(
            inputs,
            self.kernel,
            wanted,
            (1, 1, *self.strides) if self._first else (1, *self.strides, 1),
            data_format=op_format(self.data_format, 5),
            padding=self.padding.upper(),
        )
        return self._finished(outputs, inputs)


def _function(layer: Any, own: int) -> Any:
    """The function that applies a new layer; it takes the layer's arguments, of which `own` precede name and reuse."""

    def function(inputs: Any, *args: Any, name: str | None = None, reuse: Any = None, **kwargs: Any) -> Any:
        if len(args) > own:
            name, reuse, args = args[own], (args[own + 1] if len(args) > own + 1 else reuse), args[:own]
        return layer(*args, name=name, _scope=name, _reuse=reuse, **kwargs)(inputs)

    function.__doc__ = (
        f"Apply a new {layer.__name__} layer, whose arguments it takes; `reuse` takes the variables of the one of this "
        "name."
    )
    return function


conv1d = _function(Conv1D, 16)
conv2d = _function(Conv2D, 16)
conv3d = _function(Conv3D, 16)
separable_conv1d = _function(SeparableConv1D, 20)
separable_conv2d = _function(SeparableConv2D, 20)
conv2d_transpose = _function(Conv2DTranspose, 15)
conv3d_transpose = _function(Conv3DTranspose, 15)
