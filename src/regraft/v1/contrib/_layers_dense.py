"""Fully connected layers, biases and dropout of tf.contrib.layers."""

from __future__ import annotations

import functools
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context, _layers_core, _plain
from regraft.v1._array import reshape, shape, stack, unstack
from regraft.v1._linalg import matmul
from regraft.v1._nn_basic import bias_add as nn_bias_add
from regraft.v1._nn_basic import relu6 as nn_relu6
from regraft.v1._variable_scope import get_variable, variable_scope
from regraft.v1.contrib._arg_scope import add_arg_scope
from regraft.v1.contrib._initializers import xavier_initializer
from regraft.v1.contrib._layer_parts import (
    add_to_collections_once,
    check_data_format,
    finished,
    get_variable_collections,
    known_dimension,
    variable_getter,
)
from regraft.v1.contrib._variables import model_variable
from regraft.variables.initializers import Zeros

__all__ = [
    "bias_add",
    "dropout",
    "elu",
    "fully_connected",
    "legacy_fully_connected",
    "legacy_linear",
    "legacy_relu",
    "linear",
    "relu",
    "relu6",
]

nn_relu = _plain.function("nn.relu")
nn_elu = _plain.function("nn.elu")


@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Any = nn_relu,
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
    """inputs @ weights + biases along the last dimension, normalised and activated.

    normalizer_fn          called with `normalizer_params`, in place of biases
    biases_initializer     None for no biases
    variables_collections  for all variables, or by "weights" and "biases"
    raises                 ValueError unless `num_outputs` is an int
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be one of [<class 'int'>], got {type(num_outputs)}.")
    getter = variable_getter({"bias": "biases", "kernel": "weights"})
    with variable_scope(scope, "fully_connected", [inputs], reuse=reuse, custom_getter=getter) as sc:
        inputs = _context.builder().convert(inputs)
        layer = _layers_core.Dense(
            units=num_outputs,
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
        add_to_collections_once(layer.kernel, variables_collections, "weights")
        if layer.bias is not None:
            add_to_collections_once(layer.bias, variables_collections, "biases")
        return finished(outputs, sc, outputs_collections, activation_fn, normalizer_fn, normalizer_params)


@add_arg_scope
def bias_add(
    inputs: Any,
    activation_fn: Any = None,
    initializer: Any = Zeros(),
    regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """A new variable "biases" added to the channels. ValueError for NCHW with another rank than 4."""
    check_data_format(data_format, ("NHWC", "NCHW"))
    with variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as sc:
        inputs = _context.builder().convert(inputs)
        if inputs.shape.rank is None:
            raise ValueError("Dims of shape must be known but is None")
        if inputs.shape.rank != 4 and data_format == "NCHW":
            raise ValueError("Data format NCHW only supports 4D Tensor")
        biases = model_variable(
            "biases",
            shape=[known_dimension(inputs.shape, 1 if data_format == "NCHW" else -1)],
            dtype=inputs.dtype.base,
            initializer=initializer,
            regularizer=regularizer,
            collections=get_variable_collections(variables_collections, "biases"),
            trainable=trainable,
        )
        outputs = nn_bias_add(inputs, biases, data_format=data_format)
        return finished(outputs, sc, outputs_collections, activation_fn)


@add_arg_scope
def dropout(
    inputs: Any,
    keep_prob: Any = 0.5,
    noise_shape: Any = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: int | None = None,
) -> Any:
    """While training, elements set to zero with the probability 1 - keep_prob, and the others scaled up."""
    with variable_scope(scope, "Dropout", [inputs], custom_getter=variable_getter()) as sc:
        inputs = _context.builder().convert(inputs)
        layer = _layers_core.Dropout(rate=1 - keep_prob, noise_shape=noise_shape, seed=seed, name=sc.name, _scope=sc)
        return finished(layer(inputs, training=is_training), sc, outputs_collections)


def legacy_fully_connected(
    x: Any,
    num_output_units: int,
    activation_fn: Any = None,
    weight_init: Any = xavier_initializer(),
    bias_init: Any = Zeros(),
    name: str | None = None,
    weight_collections: Any = (GraphKeys.WEIGHTS,),
    bias_collections: Any = (GraphKeys.BIASES,),
    output_collections: Any = (GraphKeys.ACTIVATIONS,),
    trainable: bool = True,
    weight_regularizer: Any = None,
    bias_regularizer: Any = None,
) -> Any:
    """activation(x @ weights + bias) as the first releases made it, in the collections WEIGHTS, BIASES, ACTIVATIONS."""
    with variable_scope(name, "fully_connected", [x]):
        x = _context.builder().convert(x)
        units = known_dimension(x.shape, -1, min_rank=2)
        weights = get_variable(
            "weights",
            shape=[units, num_output_units],
            dtype=x.dtype.base,
            initializer=weight_init,
            collections=[*dict.fromkeys([*(weight_collections or ()), GraphKeys.GLOBAL_VARIABLES])],
            regularizer=weight_regularizer,
            trainable=trainable,
        )
        sizes = x.shape.as_list()
        y = matmul(x if len(sizes) == 2 else reshape(x, [-1, units]), weights)
        if bias_init is not None:
            bias = get_variable(
                "bias",
                shape=[num_output_units],
                dtype=x.dtype.base,
                initializer=bias_init,
                collections=[*dict.fromkeys([*(bias_collections or ()), GraphKeys.GLOBAL_VARIABLES])],
                regularizer=bias_regularizer,
                trainable=trainable,
            )
            y = nn_bias_add(y, bias)
        if len(sizes) > 2:
            y = reshape(y, stack([*unstack(shape(x))[:-1], num_output_units]))
            y.set_shape([*sizes[:-1], num_output_units])
        if activation_fn is not None:
            y = activation_fn(y)
        _context.get_default_graph().add_to_collections([*(output_collections or ()), GraphKeys.ACTIVATIONS], y)
        return y


elu = functools.partial(fully_connected, activation_fn=nn_elu)
relu = functools.partial(fully_connected, activation_fn=nn_relu)
relu6 = functools.partial(fully_connected, activation_fn=nn_relu6)
linear = functools.partial(fully_connected, activation_fn=None)
legacy_relu = functools.partial(legacy_fully_connected, activation_fn=nn_relu)
legacy_linear = functools.partial(legacy_fully_connected, activation_fn=None)
