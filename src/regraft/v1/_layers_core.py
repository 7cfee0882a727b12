"""Dense, Dropout and Flatten."""

from __future__ import annotations

import math
import numbers
from typing import Any

from regraft.base.shapes import TensorShape
from regraft.v1 import _context
from regraft.v1._array import expand_dims, identity, reshape, shape, transpose
from regraft.v1._layer import InputSpec, Layer, activation_of, smart_cond
from regraft.v1._linalg import matmul, tensordot
from regraft.v1._math import cast
from regraft.v1._nn_basic import bias_add
from regraft.v1._nn_basic import dropout as nn_dropout
from regraft.variables.initializers import Zeros

__all__ = ["Dense", "Dropout", "Flatten", "dense", "dropout", "flatten"]


class Dense(Layer):
    """activation(inputs @ kernel + bias), along the last dimension, which must be known.

    units  the size of the output's last dimension
    """

    def __init__(
        self,
        units: int,
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
        self.units = int(units)
        if self.units < 0:
            raise ValueError(f"Received an invalid value for `units`, expected a positive integer. Received: {units}")
        self.activation = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = Zeros() if bias_initializer is None else bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(min_ndim=2)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        last = TensorShape(input_shape).as_list()[-1]
        if last is None:
            raise ValueError(
                "The last dimension of the inputs to a Dense layer should be defined. Found None. "
                f"Full input shape received: {input_shape}"
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: last})
        self.kernel = self.add_weight(
            "kernel",
            [last, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            trainable=True,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                [self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                trainable=True,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        inputs = cast(inputs, self.dtype)
        ranks = inputs.shape.rank
        if ranks in (2, None):
            outputs = matmul(inputs, self.kernel)
        else:
            outputs = tensordot(inputs, self.kernel, [[ranks - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        if self.use_bias:
            outputs = bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        found: TensorShape = TensorShape(input_shape)[:-1].concatenate(self.units)
        return found


def dense(inputs: Any, units: int, *args: Any, name: str | None = None, reuse: Any = None, **kwargs: Any) -> Any:
    """Apply a new Dense layer, whose arguments it takes; `reuse` takes the variables of the one of this name."""
    if len(args) > 10:  # name and reuse follow the layer's own arguments
        name, reuse, args = args[10], (args[11] if len(args) > 11 else reuse), args[:10]
    layer: Any = Dense
    return layer(units, *args, name=name, _scope=name, _reuse=reuse, **kwargs)(inputs)


class Dropout(Layer):
    """`tf.nn.dropout` while training. `rate` is the probability that an element goes."""

    def __init__(
        self, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if isinstance(rate, (int, float)) and not 0 <= rate <= 1:
            raise ValueError(f"Invalid value {rate} received for `rate`, expected a value between 0 and 1.")
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def _noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None:
            return None
        sizes = shape(inputs)
        return _context.builder().convert([sizes[i] if d is None else d for i, d in enumerate(self.noise_shape)])

    def call(self, inputs: Any, training: Any = False) -> Any:  # type: ignore[override]  # takes one argument more
        if isinstance(self.rate, numbers.Real) and self.rate == 0:
            return identity(inputs)

        def dropped() -> Any:
            return nn_dropout(inputs, rate=self.rate, noise_shape=self._noise_shape(inputs), seed=self.seed)

        return smart_cond(training, dropped, lambda: identity(inputs))

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        return TensorShape(input_shape)


def dropout(
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: str | None = None,
) -> Any:
    """Apply a Dropout layer; `training` is a flag or a boolean tensor."""
    return Dropout(rate, noise_shape=noise_shape, seed=seed, name=name)(inputs, training=training)


class Flatten(Layer):
    """All dimensions but the first as one."""

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # takes nothing else
        sizes = inputs.shape.sizes
        if self.data_format == "channels_first" and sizes is not None and len(sizes) > 1:
            inputs = transpose(inputs, [0, *range(2, len(sizes)), 1])
            sizes = inputs.shape.sizes
        if sizes is not None and len(sizes) == 1:
            return expand_dims(inputs, axis=1)
        b = _context.builder()
        wanted: Any
        if sizes is not None and None not in sizes[1:]:
            wanted = b.constant([-1, math.prod(sizes[1:])])
        elif sizes is not None and sizes[0] is not None:
            wanted = b.constant([sizes[0], -1])
        else:
            wanted = [shape(inputs)[0], -1]
        return reshape(inputs, wanted)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        sizes = TensorShape(input_shape).as_list()
        rest = None if None in sizes[1:] else math.prod(d for d in sizes[1:] if d is not None)
        return TensorShape([sizes[0] if sizes else 1, rest])


def flatten(inputs: Any, name: str | None = None, data_format: str = "channels_last") -> Any:
    """Apply a Flatten layer."""
    return Flatten(name=name, data_format=data_format)(inputs)
