"""Batch normalization: the fused ops, their gradients, and the old op with given moments."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit import host_norm
from regraft.opkit.arrays import lax, on_host, static_shape
from regraft.opkit.elementwise import broadcast_to, quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, merge_dim, with_rank
from regraft.opkit.sums import sum_over

_FIRST = (b"NCHW", b"NCDHW")


def _cast(x: Any, dtype: Any) -> Any:
    if x.dtype == dtype:
        return x
    return x.astype(dtype) if on_host(x) else lax.convert_element_type(x, dtype)


class _Channels:
    """Sums over all axes but that of the channels, and vectors of channels spread over the data."""

    def __init__(self, x: Any, data_format: bytes) -> None:
        self.sizes = static_shape(x)
        rank = len(self.sizes)
        if rank not in (4, 5):
            raise InvalidArgumentError(f"input must be 4 or 5-dimensional, got {list(self.sizes)}")
        self.axis = 1 if data_format in _FIRST else rank - 1
        self.axes = tuple(a for a in range(rank) if a != self.axis)
        self.channels = self.sizes[self.axis]
        self.count = int(np.prod([self.sizes[a] for a in self.axes]))
        self.in_pieces = on_host(x) and self.axis == rank - 1

    def sum(self, x: Any) -> Any:
        if self.in_pieces:
            return host_norm.channel_sums(x)
        return np.sum(x, self.axes, dtype=x.dtype) if on_host(x) else sum_over(x, self.axes)

    def mean(self, x: Any) -> Any:
        if not self.count:
            return np.full(self.channels, np.nan, np.float32)
        return self.sum(x) * np.float32(1.0 / self.count)

    def normalized(self, x: Any, mean: Any, scale: Any, offset: Any, epsilon: Any) -> tuple[Any, Any]:
        """The variance about `mean`, and x with mean 0 and variance 1, scaled and shifted."""
        if self.in_pieces and self.count:
            variance = host_norm.square_sums(x, mean) * np.float32(1.0 / self.count)
            return variance, host_norm.scaled(x, mean, _rsqrt(variance + epsilon) * scale, offset)
        centered = x - self.spread(mean)
        variance = self.mean(centered * centered)
        return variance, centered * self.spread(_rsqrt(variance + epsilon) * scale) + self.spread(offset)

    def spread(self, vector: Any) -> Any:
        if on_host(vector):
            return vector.reshape((-1,) + (1,) * (len(self.sizes) - 1 - self.axis))
        return lax.broadcast_in_dim(vector, self.sizes, (self.axis,))

    def check(self, **vectors: Any) -> None:
        for name, vector in vectors.items():
            if static_shape(vector) != (self.channels,):
                raise InvalidArgumentError(
                    f"{name} must have the same number of elements as the channels of x, "
                    f"got {list(static_shape(vector))} and {self.channels}"
                )


def _rsqrt(x: Any) -> Any:
    return np.reciprocal(np.sqrt(x)) if on_host(x) else lax.rsqrt(x)


def _zeros(channels: int) -> Any:
    return np.zeros(channels, np.float32)


def _channel_axis(c: ShapeContext, rank: int) -> int:
    return 1 if c.attr("data_format") in _FIRST else rank - 1


def _rank(c: ShapeContext) -> int:
    return 5 if len(c.attr("data_format")) == 5 else 4


def _vectors(c: ShapeContext, channels: Dim, indices: tuple[int, ...]) -> Dim:
    for i in indices:
        channels = merge_dim(c, channels, with_rank(c, c.input(i), 1)[0])
    return channels


def _forward_shape(c: ShapeContext) -> list[Sizes]:
    rank = _rank(c)
    x = with_rank(c, c.input(0), rank)
    axis = _channel_axis(c, rank)
    channels = _vectors(c, x[axis], (1, 2) if c.attr("is_training") else (1, 2, 3, 4))
    y = (*x[:axis], channels, *x[axis + 1 :])
    return [y, (channels,), (channels,), (channels,), (channels,), None][: c.output_count]


def _normalize(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    epsilon: float,
    average: float,
    data_format: bytes,
    is_training: bool,
) -> tuple[Any, ...]:
    """y, the mean and variance to be kept, and the two that the gradient takes."""
    data = _Channels(x, data_format)
    data.check(scale=scale, offset=offset)
    dtype, wide = x.dtype, _cast(x, np.float32)
    if is_training:
        batch_mean = data.mean(wide)
        batch_variance, y = data.normalized(wide, batch_mean, scale, offset, np.float32(epsilon))
        kept_mean = batch_mean
        kept_variance = batch_variance * np.float32(data.count / max(data.count - 1, 1))
        if average != 1.0:
            new, old = np.float32(average), np.float32(1) - np.float32(average)
            kept_mean = old * mean + new * kept_mean
            kept_variance = old * variance + new * kept_variance
        if not data.count:
            batch_mean = batch_variance = _zeros(data.channels)
        return _cast(y, dtype), kept_mean, kept_variance, batch_mean, batch_variance
    data.check(mean=mean, variance=variance)
    factor = _rsqrt(variance + np.float32(epsilon)) * scale
    # Spread as scale and shift: two operations for each element, not three.
    shift = offset - mean * factor
    y = (
        host_norm.scaled(wide, None, factor, shift)
        if data.in_pieces
        else wide * data.spread(factor) + data.spread(shift)
    )
    return _cast(y, dtype), mean, variance, _zeros(data.channels), _zeros(data.channels)


@op("FusedBatchNorm", "FusedBatchNormV2", shape=_forward_shape)
@quiet
def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    *,
    epsilon: float,
    exponential_avg_factor: float,
    data_format: bytes,
    is_training: bool,
) -> Any:
    """Normalize each channel: by the batch's moments in training, by the given ones otherwise.

    x        [batch, height, width, channels] for NHWC, [batch, channels, height, width] for NCHW
    others   [channels]; in training, mean and variance count only where exponential_avg_factor is below 1
    returns  y; mean and variance (with Bessel's correction) to be kept, averaged with the given ones by the factor;
             mean and variance (without it) for the gradient, 0 outside of training
    """
    return _normalize(x, scale, offset, mean, variance, epsilon, exponential_avg_factor, data_format, is_training)


@op("FusedBatchNormV3", shape=_forward_shape)
@quiet
def fused_batch_norm_v3(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    *,
    epsilon: float,
    exponential_avg_factor: float,
    data_format: bytes,
    is_training: bool,
) -> Any:
    """FusedBatchNorm, also for volumes (NDHWC, NCDHW), with one more output that nothing here needs: a scalar 0."""
    out = _normalize(x, scale, offset, mean, variance, epsilon, exponential_avg_factor, data_format, is_training)
    return (*out, np.zeros((), np.float32))


def _gradient(b: Any, node: Any, dy: Any, op_type: str) -> list[Any]:
    x, scale = node.inputs[:2]
    data_format, is_training = node.get_attr("data_format"), node.get_attr("is_training")
    more = [node.outputs[5]] if op_type == "FusedBatchNormGradV3" else []
    epsilon = node.get_attr("epsilon")
    if is_training:
        moments, target, permute = (node.outputs[3], node.outputs[4]), data_format, None
    else:
        moments = (node.inputs[3], node.inputs[4])
        target = b"NDHWC" if len(data_format) == 5 else b"NHWC"
        permute = data_format in _FIRST
    rank = len(data_format)
    if permute:
        last = [0, *range(2, rank), 1]
        x, dy = b.transpose(x, last), b.transpose(dy, last)
    dx, dscale, doffset, _, _ = b.op(
        op_type, dy, x, scale, *moments, *more, epsilon=epsilon, data_format=target, is_training=is_training
    )
    if permute:
        dx = b.transpose(dx, [0, rank - 1, *range(1, rank - 1)])
    return [dx, dscale, doffset, None, None]


@fused_batch_norm.gradient
def _(b: Any, node: Any, dy: Any, *_rest: Any) -> Any:
    return _gradient(b, node, dy, "FusedBatchNormGradV2" if node.type == "FusedBatchNormV2" else "FusedBatchNormGrad")


@fused_batch_norm_v3.gradient
def _(b: Any, node: Any, dy: Any, *_rest: Any) -> Any:
    return _gradient(b, node, dy, "FusedBatchNormGradV3")


def _gradient_shape(c: ShapeContext) -> list[Sizes]:
    rank = _rank(c)
    dy, x = with_rank(c, c.input(0), rank), with_rank(c, c.input(1), rank)
    axis = _channel_axis(c, rank)
    channels = _vectors(c, merge_dim(c, dy[axis], x[axis]), (2, 3, 4))
    dx = (*dy[:axis], channels, *dy[axis + 1 :])
    return [dx, (channels,), (channels,), (0,), (0,)]


def _denormalize(
    dy: Any, x: Any, scale: Any, mean: Any, variance: Any, epsilon: float, data_format: bytes, is_training: bool
) -> tuple[Any, ...]:
    data = _Channels(x, data_format)
    data.check(scale=scale, mean=mean, variance=variance)
    dtype, dy = x.dtype, _cast(dy, np.float32)
    inverse = _rsqrt(variance + np.float32(epsilon))
    wide = _cast(x, np.float32)
    factor = scale * inverse
    if data.in_pieces and is_training:
        doffset, along = host_norm.gradient_sums(dy, wide, mean)
        part = np.float32(1.0 / max(data.count, 1))
        dx = host_norm.gradient(dy, wide, mean, doffset * part, along * (inverse * inverse * part), factor)
        return _cast(dx, dtype), along * inverse, doffset, _zeros(0), _zeros(0)
    centered = wide - data.spread(mean)
    doffset = data.sum(dy)
    along = data.sum(dy * centered)
    if is_training:
        part = np.float32(1.0 / max(data.count, 1))
        slope = along * (inverse * inverse * part)
        dx = (dy - data.spread(doffset * part) - centered * data.spread(slope)) * data.spread(factor)
    else:
        dx = dy * data.spread(factor)
    return _cast(dx, dtype), along * inverse, doffset, _zeros(0), _zeros(0)


@op("FusedBatchNormGrad", "FusedBatchNormGradV2", shape=_gradient_shape)
@quiet
def fused_batch_norm_grad(
    y_backprop: Any,
    x: Any,
    scale: Any,
    reserve_space_1: Any,
    reserve_space_2: Any,
    *,
    epsilon: float,
    data_format: bytes,
    is_training: bool,
) -> Any:
    """The gradients of FusedBatchNorm towards x, scale and offset, and two empty vectors.

    reserve_space_1, reserve_space_2  [channels]: the batch's mean and variance in training, the given ones otherwise
    """
    return _denormalize(y_backprop, x, scale, reserve_space_1, reserve_space_2, epsilon, data_format, is_training)


@op("FusedBatchNormGradV3", shape=_gradient_shape)
@quiet
def fused_batch_norm_grad_v3(
    y_backprop: Any,
    x: Any,
    scale: Any,
    reserve_space_1: Any,
    reserve_space_2: Any,
    reserve_space_3: Any,
    *,
    epsilon: float,
    data_format: bytes,
    is_training: bool,
) -> Any:
    """The gradients of FusedBatchNormV3; see FusedBatchNormGrad. reserve_space_3 is not read."""
    return _denormalize(y_backprop, x, scale, reserve_space_1, reserve_space_2, epsilon, data_format, is_training)


def _global_shape(c: ShapeContext) -> list[Sizes]:
    x = with_rank(c, c.input(0), 4)
    return [(*x[:3], _vectors(c, x[3], (1, 2, 3, 4)))]


@op("BatchNormWithGlobalNormalization", shape=_global_shape)
@quiet
def batch_norm_with_global_normalization(
    t: Any, m: Any, v: Any, beta: Any, gamma: Any, *, variance_epsilon: float, scale_after_normalization: bool
) -> Any:
    """(t - m) / sqrt(v + epsilon), times gamma if so asked, plus beta; t is [batch, height, width, channels]."""
    factor = _rsqrt(v + np.asarray(variance_epsilon, t.dtype))
    if scale_after_normalization:
        factor = factor * gamma
    sizes = static_shape(t)
    return (t - broadcast_to(m, sizes)) * broadcast_to(factor, sizes) + broadcast_to(beta, sizes)


@batch_norm_with_global_normalization.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    t, m, v, _, gamma = node.inputs
    attrs = {name: node.get_attr(name) for name in ("variance_epsilon", "scale_after_normalization")}
    return list(b.BatchNormWithGlobalNormalizationGrad(t, m, v, gamma, dy, **attrs))


def _global_gradient_shape(c: ShapeContext) -> list[Sizes]:
    x, dy = with_rank(c, c.input(0), 4), with_rank(c, c.input(4), 4)
    channels = _vectors(c, merge_dim(c, x[3], dy[3]), (1, 2, 3))
    return [(*x[:3], channels), *([(channels,)] * 4)]


@op("BatchNormWithGlobalNormalizationGrad", shape=_global_gradient_shape)
@quiet
def batch_norm_with_global_normalization_grad(
    t: Any, m: Any, v: Any, gamma: Any, backprop: Any, *, variance_epsilon: float, scale_after_normalization: bool
) -> Any:
    """The gradients towards t, m, v, beta and gamma; that towards gamma is 0 where it does not scale."""
    sizes, axes = static_shape(t), (0, 1, 2)

    def total(x: Any) -> Any:
        return np.sum(x, axes, dtype=x.dtype) if on_host(x) else lax.reduce_sum(x, axes)

    inverse = _rsqrt(v + np.asarray(variance_epsilon, t.dtype))
    factor = inverse * gamma if scale_after_normalization else inverse
    dbeta = total(backprop)
    along = total(backprop * (t - broadcast_to(m, sizes)))
    dv = along * factor * inverse * inverse * np.asarray(-0.5, t.dtype)
    dgamma = along * inverse if scale_after_normalization else along * np.asarray(0, t.dtype)
    return backprop * broadcast_to(factor, sizes), -dbeta * factor, dv, dbeta, dgamma
