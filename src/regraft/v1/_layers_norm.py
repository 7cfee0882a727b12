"""Batch normalisation with moving averages."""

from __future__ import annotations

from functools import partial
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.v1 import _context
from regraft.v1._array import reshape
from regraft.v1._layer import InputSpec, Layer, known_bool, smart_cond
from regraft.v1._math import cast
from regraft.v1._nn_norm import batch_normalization as nn_batch_normalization
from regraft.v1._nn_norm import fused_batch_norm, moments
from regraft.v1._variables import assign_sub
from regraft.variables import VariableAggregation, VariableSynchronization
from regraft.variables.initializers import Ones, Zeros

__all__ = ["BatchNormalization", "batch_normalization"]


class BatchNormalization(Layer):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta along `axis`.

    The mean and variance are the batch's while training, and moving averages of them else. The operations that move
    the averages are in the collection UPDATE_OPS: the training step must run them.

    momentum   what stays of the moving averages in each step
    center     whether there is a beta
    scale      whether there is a gamma
    fused      whether to use the one op; None for where it can be used, with images and volumes
    raises     NotImplementedError for `renorm`, `virtual_batch_size` and `adjustment`
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: Any = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = None,
        gamma_initializer: Any = None,
        moving_mean_initializer: Any = None,
        moving_variance_initializer: Any = None,
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        for value, what in ((renorm, "renorm"), (virtual_batch_size, "virtual_batch_size"), (adjustment, "adjustment")):
            if value:
                raise NotImplementedError(f"tf.layers.BatchNormalization: `{what}` is not supported; leave it out")
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
        self.axis: list[int] = [axis] if isinstance(axis, int) else list(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = Zeros() if beta_initializer is None else beta_initializer
        self.gamma_initializer = Ones() if gamma_initializer is None else gamma_initializer
        self.moving_mean_initializer = Zeros() if moving_mean_initializer is None else moving_mean_initializer
        self.moving_variance_initializer = (
            Ones() if moving_variance_initializer is None else moving_variance_initializer
        )
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint
        self.fused = True if fused is None else fused
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None
        self._param_shape: tuple[int, ...] = ()
        self._data_format = ""

    @property
    def _param_dtype(self) -> Any:
        narrow = self.dtype in (dtypes.half, dtypes.bfloat16)
        return dtypes.float32 if narrow else self.dtype or dtypes.float32

    def build(self, input_shape: Any) -> None:
        sizes = TensorShape(input_shape).as_list()
        ndims = len(sizes)
        if any(not -ndims <= a < ndims for a in self.axis) or len({a % ndims for a in self.axis}) != len(self.axis):
            raise ValueError(f"Invalid value for `axis` argument. Received: axis={self.axis} for input of rank {ndims}")
        self.axis = [a % ndims for a in self.axis]
        self.fused = bool(self.fused) and ndims in (4, 5) and self._can_be_fused()
        if self.fused:
            formats = {(1, 4): "NCHW", (3, 4): "NHWC", (1, 5): "NCDHW", (4, 5): "NDHWC"}
            self._data_format = formats.get((self.axis[0], ndims), "")
            if not self._data_format:
                raise ValueError(
                    f"Unsupported axis. The use of `fused=True` is only possible with axis 1 or {ndims - 1} "
                    f"for {ndims}D input tensors. Received: axis={tuple(self.axis)}"
                )
        if any(sizes[a] is None for a in self.axis):
            raise ValueError(
                f"Input has undefined `axis` dimension. Received input with shape {tuple(sizes)} and "
                f"axis={tuple(self.axis)}"
            )
        lengths = {a: int(sizes[a] or 0) for a in self.axis}
        self.input_spec = InputSpec(ndim=ndims, axes=dict(lengths))
        if len(lengths) == 1:
            self._param_shape = (lengths[self.axis[0]],)
        else:
            self._param_shape = tuple(lengths.get(i, 1) for i in range(ndims))
        if self.scale:
            self.gamma = self._parameter("gamma")
        if self.center:
            self.beta = self._parameter("beta")
        partitioner = None if self._scope is None else self._scope.partitioner
        try:
            if self._scope is not None:
                self._scope.set_partitioner(None)
            self.moving_mean = self._average("moving_mean")
            self.moving_variance = self._average("moving_variance")
        finally:
            if self._scope is not None:
                self._scope.set_partitioner(partitioner)
        self.built = True

    def _can_be_fused(self) -> bool:
        return (
            len(self.axis) == 1
            and self.axis[0] in (1, 3, 4)
            and self.dtype in (dtypes.half, dtypes.bfloat16, dtypes.float32, None)
        )

    def _parameter(self, name: str) -> Any:
        return self.add_weight(
            name,
            self._param_shape,
            self._param_dtype,
            getattr(self, f"{name}_initializer"),
            getattr(self, f"{name}_regularizer"),
            True,
            getattr(self, f"{name}_constraint"),
        )

    def _average(self, name: str) -> Any:
        return self.add_weight(
            name,
            self._param_shape,
            self._param_dtype,
            getattr(self, f"{name}_initializer"),
            trainable=False,
            synchronization=VariableSynchronization.ON_READ,
            aggregation=VariableAggregation.MEAN,
        )

    def call(self, inputs: Any, training: Any = False) -> Any:  # type: ignore[override]  # takes one argument more
        inputs = cast(inputs, self.dtype)
        if self.fused:
            return self._fused(inputs, training)
        kind = inputs.dtype.base
        if kind in (dtypes.half, dtypes.bfloat16):
            inputs = cast(inputs, dtypes.float32)
        known = inputs.shape
        ndims = len(known)
        axes = [i for i in range(ndims) if i not in self.axis]
        spread = [1] * ndims
        spread[self.axis[0]] = known.as_list()[self.axis[0]]

        def broadcast(value: Any) -> Any:
            if value is not None and len(value.shape) != ndims and axes != list(range(ndims - 1)):
                return reshape(value, spread)
            return value

        scale, offset = broadcast(self.gamma), broadcast(self.beta)
        if known_bool(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            mean, variance = self._moved(inputs, axes, training)
        mean, variance = cast(mean, inputs.dtype), cast(variance, inputs.dtype)
        offset = None if offset is None else cast(offset, inputs.dtype)
        scale = None if scale is None else cast(scale, inputs.dtype)
        outputs = nn_batch_normalization(inputs, broadcast(mean), broadcast(variance), offset, scale, self.epsilon)
        if kind in (dtypes.half, dtypes.bfloat16):
            outputs = cast(outputs, kind)
        outputs.set_shape(known)
        return outputs

    def _moved(self, inputs: Any, axes: list[int], training: Any) -> tuple[Any, Any]:
        """The batch's mean and variance, or the averages where it does not train; with updates of the averages."""
        b = _context.builder()
        found = moments(cast(inputs, self._param_dtype), axes, keep_dims=len(self.axis) > 1)
        moved = []
        for batch, average in zip(found, (self.moving_mean, self.moving_variance), strict=True):
            moved.append(smart_cond(training, partial(_same, batch), partial(b.convert, average)))
        for average, value in zip((self.moving_mean, self.moving_variance), moved, strict=True):
            move = partial(self._move, average, value, self.momentum)
            self.add_update(partial(smart_cond, training, move, partial(_same, average)))
        mean, variance = moved
        return mean, variance

    def _move(self, variable: Any, value: Any, momentum: Any) -> Any:
        """variable -= (variable - value) * (1 - momentum)."""
        graph = _context.get_default_graph()
        with graph.name_scope("AssignMovingAvg") as scope, graph.colocate_with(variable):
            b = _context.builder()
            decay = b.convert(1.0 - momentum, name="decay")
            decay = cast(decay, variable.dtype.base)
            change = (variable - cast(value, variable.dtype.base)) * decay
            return assign_sub(variable, change, name=scope)

    def _fused(self, inputs: Any, training: Any) -> Any:
        b = _context.builder()
        kind, sizes = self._param_dtype, self._param_shape
        beta = self.beta if self.center else b.constant(0.0, kind, shape=sizes)
        gamma = self.gamma if self.scale else b.constant(1.0, kind, shape=sizes)

        def apply(is_training: bool) -> Any:
            return fused_batch_norm(
                inputs,
                gamma,
                beta,
                mean=self.moving_mean,
                variance=self.moving_variance,
                epsilon=self.epsilon,
                is_training=is_training,
                data_format=self._data_format,
            )

        output, mean, variance = smart_cond(training, lambda: apply(True), lambda: apply(False))
        known = known_bool(training)
        if known is not False:
            if known is None:
                momentum = smart_cond(training, lambda: self.momentum, lambda: 1.0)
            else:
                momentum = b.convert(self.momentum)
            self.add_update(lambda: self._move(self.moving_mean, mean, momentum))
            self.add_update(lambda: self._move(self.moving_variance, variance, momentum))
        return output

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        return TensorShape(input_shape)


def _same(value: Any) -> Any:
    return value


def batch_normalization(
    inputs: Any,
    axis: Any = -1,
    momentum: Any = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = None,
    gamma_initializer: Any = None,
    moving_mean_initializer: Any = None,
    moving_variance_initializer: Any = None,
    beta_regularizer: Any = None,
    gamma_regularizer: Any = None,
    beta_constraint: Any = None,
    gamma_constraint: Any = None,
    training: Any = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_momentum: float = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Any = None,
) -> Any:
    """Apply a BatchNormalization layer; `training` is a flag or a boolean tensor."""
    layer = BatchNormalization(
        axis,
        momentum,
        epsilon,
        center,
        scale,
        beta_initializer,
        gamma_initializer,
        moving_mean_initializer,
        moving_variance_initializer,
        beta_regularizer,
        gamma_regularizer,
        beta_constraint,
        gamma_constraint,
        renorm,
        renorm_clipping,
        renorm_momentum,
        fused,
        trainable,
        virtual_batch_size,
        adjustment,
        name,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs, training=training)
