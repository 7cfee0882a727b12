"""Normalisation layers of tf.contrib.layers."""

from __future__ import annotations

from functools import partial
from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.train.averages import assign_moving_average
from regraft.v1 import _context, _layers_norm
from regraft.v1._array import identity, reshape, shape
from regraft.v1._math import rsqrt
from regraft.v1._nn_norm import (
    batch_normalization,
    fused_batch_norm,
    moments,
    normalize_moments,
    sufficient_statistics,
    weighted_moments,
)
from regraft.v1._variable_scope import get_variable_scope, variable_scope
from regraft.v1.contrib._arg_scope import add_arg_scope
from regraft.v1.contrib._layer_parts import (
    add_to_collections_once,
    check_data_format,
    constant_value,
    finished,
    get_variable_collections,
    smart_cond,
    variable_getter,
)
from regraft.v1.contrib._variables import model_variable
from regraft.variables.initializers import Ones, Zeros

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm"]

_PARTS = ("beta", "gamma", "moving_mean", "moving_variance")


def _initializer(name: str, given: Any) -> Any:
    found = (given or {}).get(name)
    if found is not None:
        return found
    return Ones() if name in ("gamma", "moving_variance") else Zeros()


class _Parameters:
    """Makes the variables of one layer."""

    def __init__(self, shape: Any, dtype: Any, collections: Any, trainable: bool, initializers: Any) -> None:
        self.shape, self.dtype, self.collections = shape, dtype, collections
        self.trainable, self.initializers = trainable, initializers

    def make(self, name: str, regularizer: Any = None, trainable: bool | None = None) -> Any:
        return model_variable(
            name,
            shape=self.shape,
            dtype=self.dtype,
            initializer=_initializer(name, self.initializers),
            regularizer=regularizer,
            collections=get_variable_collections(self.collections, name),
            trainable=self.trainable if trainable is None else trainable,
        )

    def averages(self) -> tuple[Any, Any]:
        """The moving mean and variance, which are never cut in parts."""
        with variable_scope(get_variable_scope()) as scope:
            scope.set_partitioner(None)
            return self.make("moving_mean", trainable=False), self.make("moving_variance", trainable=False)


class _Averages:
    """The moving averages of one layer, and how the batch moves them."""

    def __init__(self, variables: tuple[Any, Any], batch: tuple[Any, Any], decay: Any, zero_debias: bool) -> None:
        self.variables, self.batch, self.decay, self.zero_debias = variables, batch, decay, zero_debias

    def move(self) -> tuple[Any, Any]:
        mean, variance = self.variables
        return (
            assign_moving_average(mean, self.batch[0], self.decay, zero_debias=self.zero_debias),
            assign_moving_average(variance, self.batch[1], self.decay, zero_debias=False),
        )

    def moved(self, *values: Any) -> Any:
        """The values, behind the moves."""
        with _context.get_default_graph().control_dependencies(self.move()):
            found = tuple(identity(v) for v in values)
        return found if len(found) > 1 else found[0]

    def collect(self, is_training: Any, collections: Any) -> None:
        """Put the moves into the collections for updates."""
        graph = _context.get_default_graph()
        for update in smart_cond(is_training, self.move, lambda: self.variables):
            graph.add_to_collections(collections, update)


@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: Any = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Any = None,
    param_initializers: Any = None,
    param_regularizers: Any = None,
    updates_collections: Any = GraphKeys.UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: bool | None = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_decay: Any = 0.99,
    adjustment: Any = None,
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta along the channels.

    The mean and variance are the batch's while training, and moving averages of them else.

    center, scale        whether there is a beta, a gamma
    param_initializers   by "beta", "gamma", "moving_mean", "moving_variance"
    param_regularizers   by "beta", "gamma"
    updates_collections  where the operations that move the averages go; None to run them with the layer itself
    batch_weights        how often each item of the batch counts
    fused                False for single operations in place of the one op
    raises               ValueError for an undefined rank or number of channels, and for what does not go together;
                         NotImplementedError for `renorm` and `adjustment`
    """
    inputs = _context.builder().convert(inputs)
    rank = inputs.shape.rank
    plain = batch_weights is None and updates_collections == GraphKeys.UPDATE_OPS and not zero_debias_moving_mean
    can_fuse = batch_weights is None and not renorm and rank in (2, 4) and adjustment is None
    if fused is not False and can_fuse and (rank == 2 or not plain):
        return _fused(
            inputs,
            decay,
            (center, scale),
            epsilon,
            activation_fn,
            (param_initializers, param_regularizers or {}),
            updates_collections,
            is_training,
            reuse,
            (variables_collections, outputs_collections),
            trainable,
            data_format,
            zero_debias_moving_mean,
            scope,
        )
    check_data_format(data_format, ("NHWC", "NCHW"))
    with variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=variable_getter()) as sc:
        if plain:
            regularizers = param_regularizers or {}
            layer = _layers_norm.BatchNormalization(
                axis=1 if data_format == "NCHW" else -1,
                momentum=decay,
                epsilon=epsilon,
                center=center,
                scale=scale,
                **{f"{name}_initializer": _initializer(name, param_initializers) for name in _PARTS},
                beta_regularizer=regularizers.get("beta"),
                gamma_regularizer=regularizers.get("gamma"),
                trainable=trainable,
                renorm=renorm,
                renorm_clipping=renorm_clipping,
                renorm_momentum=renorm_decay,
                adjustment=adjustment,
                name=sc.name,
                _scope=sc,
                _reuse=reuse,
                fused=fused is not False,
            )
            outputs = layer(inputs, training=is_training)
            for name in ("moving_mean", "moving_variance", "beta", "gamma"):
                if getattr(layer, name) is not None:
                    add_to_collections_once(getattr(layer, name), variables_collections, name)
            return finished(outputs, sc, outputs_collections, activation_fn)
        if renorm:
            raise ValueError(
                "renorm is not supported with batch_weights, updates_collections or zero_debias_moving_mean"
            )
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        first = data_format == "NCHW"
        if batch_weights is not None:
            batch_weights = _context.builder().convert(batch_weights)
            inputs.shape[0:1].assert_is_compatible_with(batch_weights.shape)
            batch_weights = reshape(batch_weights, [-1] + [1] * (rank - 1))
        sizes = inputs.shape[1:2] if first else inputs.shape[-1:]
        if not sizes.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {sizes}.")
        parameters = _Parameters(sizes, inputs.dtype.base, variables_collections, trainable, param_initializers)
        beta = parameters.make("beta") if center else None
        gamma = parameters.make("gamma") if scale else None
        averages = parameters.averages()
        known = constant_value(is_training)
        mean, variance = averages
        if known is None or known:
            axes = [0, *range(2, rank)] if first else list(range(rank - 1))
            batch = _moments(inputs, axes, batch_weights, first)
            moves = _Averages(averages, batch, decay, zero_debias_moving_mean)
            if updates_collections is None:
                mean, variance = smart_cond(is_training, lambda: moves.moved(*batch), lambda: averages)
            else:
                moves.collect(is_training, updates_collections)
                mean, variance = smart_cond(is_training, lambda: batch, lambda: averages)
        if first:
            spread = [1, sizes.as_list()[0]] + [1] * (rank - 2)
            mean, variance = reshape(mean, spread), reshape(variance, spread)
            beta = None if beta is None else reshape(beta, spread)
            gamma = None if gamma is None else reshape(gamma, spread)
        outputs = batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        outputs.set_shape(inputs.shape)
        return finished(outputs, sc, outputs_collections, activation_fn)


def _moments(inputs: Any, axes: list[int], weights: Any, keep: bool) -> tuple[Any, Any]:
    if weights is None:
        mean, variance = moments(inputs, axes, keep_dims=True) if keep else moments(inputs, axes)
    elif keep:
        mean, variance = weighted_moments(inputs, axes, weights, keepdims=True)
    else:
        mean, variance = weighted_moments(inputs, axes, weights)
    return (reshape(mean, [-1]), reshape(variance, [-1])) if keep else (mean, variance)


def _fused(
    inputs: Any,
    decay: Any,
    uses: tuple[bool, bool],
    epsilon: float,
    activation_fn: Any,
    given: tuple[Any, dict[str, Any]],
    updates_collections: Any,
    is_training: Any,
    reuse: Any,
    collections: tuple[Any, Any],
    trainable: bool,
    data_format: str,
    zero_debias: bool,
    scope: Any,
) -> Any:
    """`batch_norm` as one op, where the layer of tf.layers can't be used."""
    first = check_data_format(data_format, ("NHWC", "NCHW")) == "channels_first"
    with variable_scope(scope, "BatchNorm", [inputs], reuse=reuse) as sc:
        b = _context.builder()
        original, rank = inputs, inputs.shape.rank
        if rank == 2:
            channels = inputs.shape.as_list()[-1]
            if channels is None:
                raise ValueError("`C` dimension must be known but is None")
            inputs = reshape(inputs, [-1, channels, 1, 1] if first else [-1, 1, 1, channels])
        sizes = inputs.shape[1:2] if first else inputs.shape[-1:]
        if not sizes.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name} has undefined `C` dimension {sizes}.")
        initializers, regularizers = given
        parameters = _Parameters(sizes, dtypes.float32, collections[0], trainable, initializers)
        center, scale = uses
        beta = (
            parameters.make("beta", regularizers.get("beta"))
            if center
            else b.constant(0.0, dtypes.float32, shape=sizes)
        )
        gamma = (
            parameters.make("gamma", regularizers.get("gamma"))
            if scale
            else b.constant(1.0, dtypes.float32, shape=sizes)
        )
        averages = parameters.averages()
        apply = partial(fused_batch_norm, inputs, gamma, beta, epsilon=epsilon, data_format=data_format)
        outputs, mean, variance = smart_cond(
            is_training,
            apply,
            lambda: apply(mean=averages[0], variance=averages[1], is_training=False),
        )
        known = constant_value(is_training)
        if known is None or known:
            moves = _Averages(averages, (mean, variance), decay, zero_debias)
            if updates_collections is None:
                before = outputs
                outputs = smart_cond(is_training, lambda: moves.moved(before), lambda: before)
            else:
                moves.collect(is_training, updates_collections)
        outputs.set_shape(inputs.shape)
        if rank == 2:
            dims = [-1 if d is None else d for d in original.shape.as_list()]
            outputs = reshape(outputs, dims if dims.count(-1) < 2 else shape(original))
        return finished(outputs, sc, collections[1], activation_fn)


@add_arg_scope
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    begin_norm_axis: int = 1,
    begin_params_axis: int = -1,
    scope: Any = None,
) -> Any:
    """Each item normalised over the axes from `begin_norm_axis` on; beta and gamma have those from `begin_params_axis`.

    raises  ValueError for an undefined rank, axes beyond it, and undefined sizes of the parameters
    """
    with variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as sc:
        inputs = _context.builder().convert(inputs)
        rank = inputs.shape.rank
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        start = begin_norm_axis + rank if begin_norm_axis < 0 else begin_norm_axis
        if begin_params_axis >= rank or start >= rank:
            raise ValueError(
                f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({start}) must be < rank(inputs) ({rank})"
            )
        sizes = inputs.shape[begin_params_axis:]
        if not sizes.is_fully_defined():
            raise ValueError(
                f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: {inputs.shape}"
            )
        kind = inputs.dtype.base
        parameters = _Parameters(sizes, kind, variables_collections, trainable, None)
        beta = parameters.make("beta") if center else None
        gamma = parameters.make("gamma") if scale else None
        mean, variance = moments(inputs, list(range(start, rank)), keep_dims=True)
        epsilon = 1e-3 if kind is dtypes.half else 1e-12
        outputs = batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        outputs.set_shape(inputs.shape)
        return finished(outputs, sc, outputs_collections, activation_fn)


@add_arg_scope
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Each channel of each item normalised by itself. ValueError for an undefined rank or number of channels."""
    inputs = _context.builder().convert(inputs)
    rank = inputs.shape.rank
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    first = check_data_format(data_format, ("NHWC", "NCHW")) == "channels_first"
    with variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as sc:
        axis = 1 if first else rank - 1
        sizes = inputs.shape[axis : axis + 1]
        if not sizes.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {sizes}.")
        parameters = _Parameters(sizes, inputs.dtype.base, variables_collections, trainable, param_initializers)

        def parameter(name: str) -> Any:
            found = parameters.make(name)
            return reshape(found, [1, *sizes.as_list()] + [1] * (rank - 2)) if first else found

        beta = parameter("beta") if center else None
        gamma = parameter("gamma") if scale else None
        axes = [a for a in range(1, rank) if a != axis]
        mean, variance = moments(inputs, axes, keep_dims=True)
        outputs = batch_normalization(inputs, mean, variance, beta, gamma, epsilon, name="instancenorm")
        return finished(outputs, sc, outputs_collections, activation_fn)


@add_arg_scope
def group_norm(
    inputs: Any,
    groups: int = 32,
    channels_axis: int = -1,
    reduction_axes: Any = (-3, -2),
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    mean_close_to_zero: bool = False,
) -> Any:
    """Groups of channels of each item normalised over `reduction_axes`.

    mean_close_to_zero  whether to compute the variance in a way that is faster, and wrong for a large mean
    raises              ValueError for undefined sizes, axes out of bounds, and channels that `groups` does not divide
    """
    inputs = _context.builder().convert(inputs)
    rank = inputs.shape.rank
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    if channels_axis > rank - 1:
        raise ValueError("Axis is out of bounds.")
    now = shape(inputs)
    static = inputs.shape.as_list()
    sizes = [now[i] if d is None else d for i, d in enumerate(static)]
    axis = channels_axis % rank
    channels = static[axis]
    if channels is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channel dimension: {axis}.")
    reduced = [a + rank if a < 0 else a for a in reduction_axes]
    for a in reduced:
        if a >= rank:
            raise ValueError("Axis is out of bounds.")
        if static[a] is None:
            raise ValueError(f"Inputs {inputs.name} has undefined dimensions {a}.")
        if a == axis:
            raise ValueError("reduction_axis must be mutually exclusive with channels_axis")
    if groups > channels:
        raise ValueError(f"Invalid groups {groups} for {channels} channels.")
    if channels % groups:
        raise ValueError(f"{channels} channels is not commensurate with {groups} groups.")
    split = [groups, channels // groups]
    spread = [1] * axis + split + [1] * (rank - axis - 1)
    inputs = reshape(inputs, sizes[:axis] + split + sizes[axis + 1 :])
    axes = [axis + 1, *(a + 1 if a > axis else a for a in reduced)]
    with variable_scope(scope, "GroupNorm", [inputs], reuse=reuse) as sc:
        parameters = _Parameters([channels], inputs.dtype.base, variables_collections, trainable, param_initializers)
        beta = reshape(parameters.make("beta"), spread) if center else None
        gamma = reshape(parameters.make("gamma"), spread) if scale else None
        if mean_close_to_zero:
            counts, means, squares, _ = sufficient_statistics(inputs, axes, keep_dims=True)
            mean, variance = normalize_moments(counts, means, squares, shift=None)
        else:
            mean, variance = moments(inputs, axes, keep_dims=True)
        gain = rsqrt(variance + epsilon)
        offset = -mean * gain
        if gamma is not None:
            gain *= gamma
            offset *= gamma
        if beta is not None:
            offset += beta
        outputs = reshape(inputs * gain + offset, sizes)
        return finished(outputs, sc, outputs_collections, activation_fn)
