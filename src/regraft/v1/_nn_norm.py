"""Moments and batch normalisation."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._array import rank, shape, squeeze, zeros_like
from regraft.v1._indexing import gather
from regraft.v1._math import add, cast, div_no_nan
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import reduce_mean, reduce_prod, reduce_sum

__all__ = [
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "fused_batch_norm",
    "moments",
    "normalize_moments",
    "sufficient_statistics",
    "weighted_moments",
]


def moments(
    x: Any, axes: Any, shift: Any = None, name: str | None = None, keep_dims: Any = None, keepdims: Any = None
) -> Any:
    """(mean, variance) over `axes`. `shift` is accepted and has no effect."""
    keep = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with opened(name, "moments", x, axes) as (b, _):
        half = x.dtype.base is dtypes.half if hasattr(x.dtype, "base") else x.dtype == "float16"
        y = cast(x, dtypes.float32) if half else x
        mean = reduce_mean(y, axes, True, name="mean")
        distance = b.SquaredDifference(y, b.StopGradient(mean))
        variance = reduce_mean(distance, axes, True, name="variance")
        if not keep:
            mean, variance = squeeze(mean, axes), squeeze(variance, axes)
        return (cast(mean, dtypes.half), cast(variance, dtypes.half)) if half else (mean, variance)


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, name: str | None = None, keep_dims: Any = None, keepdims: Any = None
) -> Any:
    """(mean, variance) over `axes`, with elements counted as often as their weight says."""
    keep = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with opened(name, "weighted_moments", x, frequency_weights, axes) as (b, _):
        x = b.convert(x, name="x")
        weights = b.convert(frequency_weights, name="frequency_weights")
        half = x.dtype.base is dtypes.half
        if half:
            x = cast(x, dtypes.float32)
        weights = cast(weights, x.dtype)
        total = reduce_sum(weights * x, axes, True, name="weighted_input_sum")
        spread = weights + zeros_like(x)
        count = reduce_sum(spread, axes, True, name="sum_of_weights")
        mean = div_no_nan(total, count)
        distance = reduce_sum(weights * b.SquaredDifference(x, mean), axes, True, name="weighted_distsq")
        variance = div_no_nan(distance, count)
        if not keep:
            mean, variance = squeeze(mean, axes), squeeze(variance, axes)
        return (cast(mean, dtypes.half), cast(variance, dtypes.half)) if half else (mean, variance)


def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keep_dims: Any = None, name: str | None = None, keepdims: Any = None
) -> Any:
    """(count, sum, sum of squares, shift) over `axes`: what `normalize_moments` takes."""
    axes = list(set(axes))
    keep = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with opened(name, "sufficient_statistics", x, shift) as (b, _):
        x = b.convert(x, name="x")
        sizes = x.shape.sizes
        if sizes is not None and all(sizes[d] is not None for d in axes):
            number = 1
            for d in axes:
                number *= sizes[d] or 0
            counts = b.constant(number, x.dtype.base)
        else:
            ranks = rank(x)
            positive = [axis + ranks if axis < 0 else axis for axis in axes]
            counts = reduce_prod(gather(cast(shape(x), x.dtype), positive), name="count")
        if shift is None:
            first, second = x, b.Square(x)
        else:
            shift = b.convert(shift, name="shift")
            first, second = b.Sub(x, shift), b.SquaredDifference(x, shift)
        first = reduce_sum(first, axes, keep, name="mean_ss")
        return counts, first, reduce_sum(second, axes, keep, name="var_ss"), shift


def normalize_moments(counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None) -> Any:
    """(mean, variance) from sufficient statistics."""
    with opened(name, "normalize", counts, mean_ss, variance_ss, shift) as (b, _):
        divisor = b.Reciprocal(counts, name="divisor")
        if shift is None:
            mean = shifted = b.Mul(mean_ss, divisor, name="mean")
        else:
            shifted = b.Mul(mean_ss, divisor, name="shifted_mean")
            mean = add(shifted, shift, name="mean")
        squares = b.Mul(variance_ss, divisor)
        return mean, b.Sub(squares, b.Square(shifted), name="variance")


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset."""
    with opened(name, "batchnorm", x, mean, variance, scale, offset) as (b, _):
        inverse = b.Rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse = inverse * scale
        scaled = x * cast(inverse, x.dtype)
        rest = -mean * inverse if offset is None else offset - mean * inverse
        return scaled + cast(rest, x.dtype)


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
    exponential_avg_factor: float = 1.0,
) -> Any:
    """(y, mean, variance): batch normalisation of images as one op.

    mean, variance  of the population; needed where not training, and for a moving average

    raises  ValueError where they are needed and missing
    """
    if (not is_training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or "
            f"`exponential_avg_factor` != 1.0. Received: `mean` {mean!r} and `variance` {variance!r}"
        )
    b = on(x, scale, offset)
    x, scale, offset = b.convert(x, name="input"), b.convert(scale, name="scale"), b.convert(offset, name="offset")
    mean = b.constant([]) if mean is None else mean
    variance = b.constant([]) if variance is None else variance
    y, running_mean, running_variance, *_ = b.FusedBatchNormV3(
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon=epsilon,
        exponential_avg_factor=exponential_avg_factor,
        data_format=data_format,
        is_training=is_training,
        name=name,
    )
    return y, running_mean, running_variance


def batch_norm_with_global_normalization(
    t: Any = None,
    m: Any = None,
    v: Any = None,
    beta: Any = None,
    gamma: Any = None,
    variance_epsilon: Any = None,
    scale_after_normalization: Any = None,
    name: str | None = None,
    input: Any = None,
    mean: Any = None,
    variance: Any = None,
) -> Any:
    """`batch_normalization`, scaled by `gamma` only where `scale_after_normalization` says so."""
    t, m, v = renamed("input", input, "t", t), renamed("mean", mean, "m", m), renamed("variance", variance, "v", v)
    return batch_normalization(t, m, v, beta, gamma if scale_after_normalization else None, variance_epsilon, name)
