"""Activations, softmax, dropout, normalisation by length, and other small pieces of tf.nn."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape, as_shape
from regraft.ir.node import Tensor
from regraft.opkit import random_values
from regraft.opkit.constant import constant_value
from regraft.v1._array import concat, rank, shape, size, transpose, zeros
from regraft.v1._linalg import matmul
from regraft.v1._math import cast, complex, imag, is_tensor_like, pow, real
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_sum

__all__ = [
    "bias_add",
    "crelu",
    "dropout",
    "gelu",
    "in_top_k",
    "l2_normalize",
    "leaky_relu",
    "log_softmax",
    "relu6",
    "relu_layer",
    "softmax",
    "softplus",
    "top_k",
    "xw_plus_b",
    "zero_fraction",
]


def softplus(features: Any, name: str | None = None) -> Any:
    """log(exp(x) + 1)."""
    return on(features).Softplus(features, name=name)


def relu6(features: Any, name: str | None = None) -> Any:
    """min(max(x, 0), 6)."""
    with opened(name, "Relu6", features) as (b, scope):
        return b.Relu6(b.convert(features, name="features"), name=scope)


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Any:
    """x where it is positive, else alpha * x."""
    with opened(name, "LeakyRelu", features, alpha) as (b, scope):
        features = b.convert(features, name="features")
        if features.dtype.is_integer:
            features = cast(features, dtypes.float32)
        if isinstance(alpha, np.ndarray):
            alpha = alpha.item()
        return b.LeakyRelu(features, alpha=alpha, name=scope)


def crelu(features: Any, name: str | None = None, axis: int = -1) -> Any:
    """relu of x and of -x, side by side along `axis`."""
    with opened(name, "CRelu", features) as (b, scope):
        features = b.convert(features, name="features")
        return b.Relu(concat([features, -features], axis, name=scope))


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """x times the probability that a standard normal value is below it."""
    with opened(name, "Gelu", features) as (b, _):
        x: Any = b.convert(features, name="features")
        if not x.dtype.is_floating:
            raise ValueError(f"`features.dtype` must be a floating point tensor. Received: features.dtype={x.dtype}")
        if approximate:
            coefficient = cast(0.044715, x.dtype)
            half: Any = 0.5 * x
            inner = 0.7978845608028654 * (x + coefficient * pow(x, 3))
            return half * (1.0 + b.Tanh(inner))
        half = 0.5 * x
        return half * b.Erfc(-x * cast(0.7071067811865476, x.dtype))


# Softmax


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along `axis` (the last)."""
    axis = renamed("axis", axis, "dim", dim)
    return _along_last("Softmax", logits, -1 if axis is None else axis, name)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """x - log(sum(exp(x))) along `axis` (the last)."""
    axis = renamed("axis", axis, "dim", dim)
    return _along_last("LogSoftmax", logits, -1 if axis is None else axis, name)


def _along_last(op_type: str, inputs: Any, dim: Any, name: str | None) -> Any:
    """The op, which works along the last dimension, along `dim`."""
    b = on(inputs)
    inputs = b.convert(inputs)
    known = inputs.shape
    if not isinstance(dim, Tensor) and (dim == -1 or (known.rank is not None and dim == known.rank - 1)):
        return b.op(op_type, inputs, name=name)
    number = constant_value(dim) if isinstance(dim, Tensor) else dim
    if number is not None and not -known.rank <= number < known.rank:
        raise InvalidArgumentError(
            f"`dim` must be in the range [{-known.rank}, {known.rank}) where {known.rank} is the number of dimensions "
            f"in the input. Received: dim={number}"
        )
    ndims = rank(inputs)
    if isinstance(dim, Tensor):
        dim = b.Select(b.Less(dim, 0), dim + ndims, dim)
    elif dim < 0:
        dim = dim + ndims
    whole = rank(inputs)
    axis = dim % known.rank
    out = b.op(op_type, _swapped(inputs, axis, b.Sub(whole, 1)))
    out = _swapped(out, axis, b.Sub(whole, 1), name)
    out.set_shape(known)
    return out


def _swapped(tensor: Any, axis: Any, last: Any, name: str | None = "transpose") -> Any:
    order = [range_(axis), [last], range_(axis + 1, last), [axis]]
    return transpose(tensor, concat(order, 0), name=name)


# Sums and products


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """`bias`, a vector, added to the channels of `value`."""
    with opened(name, "BiasAdd", value, bias) as (b, scope):
        if data_format is not None:
            if data_format.startswith("NC"):
                data_format = "NCHW"
            elif data_format.startswith("N") and data_format.endswith("C"):
                data_format = "NHWC"
            else:
                raise ValueError(
                    f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}"
                )
        value = b.convert(value, name="input")
        bias = b.convert(bias, value.dtype.base, name="bias")
        return b.BiasAdd(value, bias, data_format=data_format, name=scope)


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """x @ weights + biases."""
    with opened(name, "xw_plus_b", x, weights, biases) as (b, scope):
        x, weights = b.convert(x, name="x"), b.convert(weights, name="weights")
        biases = b.convert(biases, name="biases")
        return bias_add(matmul(x, weights), biases, name=scope)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """relu(x @ weights + biases)."""
    with opened(name, "relu_layer", x, weights, biases) as (b, scope):
        x, weights = b.convert(x, name="x"), b.convert(weights, name="weights")
        biases = b.convert(biases, name="biases")
        return b.Relu(bias_add(matmul(x, weights), biases), name=scope)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Any:
    """x / sqrt(max(sum(x**2), epsilon)) along `axis`."""
    axis = renamed("axis", axis, "dim", dim)
    with opened(name, "l2_normalize", x) as (b, scope):
        x = b.convert(x, name="x")
        if x.dtype.is_complex:
            squares = b.Square(real(x))
            squares = squares + b.Square(imag(x))
            total = real(reduce_sum(squares, axis, True))
            inverse = b.Rsqrt(b.Maximum(total, epsilon))
            parts = (b.Mul(real(x), inverse), b.Mul(imag(x), inverse))
            return complex(*parts, name=scope)
        total = reduce_sum(b.Square(x), axis, True)
        return b.Mul(x, b.Rsqrt(b.Maximum(total, epsilon)), name=scope)


def zero_fraction(value: Any, name: str | None = None) -> Any:
    """The fraction of elements that are zero."""
    from regraft.v1._control_flow import cond

    with opened(name, "zero_fraction", value) as (b, _):
        value = b.convert(value, name="value")
        count: Any = size(value, out_type=dtypes.int64)

        def nonzero(kind: Any) -> Any:
            with opened("count_nonzero", "", value) as (b, _):
                different = b.NotEqual(value, zeros([], value.dtype))
                return reduce_sum(cast(different, kind), name="nonzero_count")

        found = cond(
            count <= int(dtypes.int32.max),
            lambda: cast(nonzero(dtypes.int32), dtypes.int64),
            lambda: nonzero(dtypes.int64),
        )
        with opened("counts_to_fraction", ""):
            missing = cast(count - found, dtypes.float32)
            fraction = missing / cast(count, dtypes.float32)
        return b.Identity(fraction, name="fraction")


# Dropout


def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Any:
    """`x` with elements set to zero at random, and the others scaled up so that the sum is expected to stay.

    keep_prob    probability that an element stays; or
    rate         probability that it goes, a number in [0, 1) or a scalar tensor
    noise_shape  shape of the choice, which is broadcast against `x`
    """
    try:
        kept = None if keep_prob is None else 1.0 - keep_prob
    except TypeError:
        raise ValueError(
            f"`keep_prob` must be a floating point number or Tensor. Received: keep_prob={keep_prob}"
        ) from None
    rate = renamed("rate", rate, "keep_prob", kept)
    if rate is None:
        raise ValueError(f"`rate` must be provided. Received: rate={rate}")
    with opened(name, "dropout", x) as (b, _):
        number = isinstance(rate, numbers.Real)
        if number and not 0 <= rate < 1:
            raise ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
        x = b.convert(x, name="x")
        kind = x.dtype.base
        if not kind.is_floating:
            raise ValueError(
                f"`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype={kind}"
            )
        if number and rate == 0:
            random_values.get_seed(b.graph, seed)  # counted, so that other ops keep their seeds
            return x
        if number:
            scaled = b.Mul(x, b.convert(1 / (1 - rate), kind))
        elif is_tensor_like(rate):
            rate = _rate(b, rate, kind)
            scaled = b.RealDiv(x, b.Sub(b.constant(1, kind), rate))
        else:
            raise ValueError(f"`rate` must be a scalar or scalar tensor. Received: rate={rate}")
        noise = random_values.random_uniform(b, _noise_shape(x, noise_shape), 0, None, kind, seed)
        out = b.SelectV2(noise >= rate, scaled, b.constant(0, kind))
        out.set_shape(x.shape)
        return out


def _rate(b: Any, rate: Any, kind: Any) -> Any:
    if rate.shape.rank not in (None, 0):
        raise ValueError(f"Shape {rate.shape} must have rank 0")
    if rate.dtype.base is kind:
        return rate
    raise ValueError(
        f"`x.dtype` must be compatible with `rate.dtype`. Received: x.dtype={kind} and rate.dtype={rate.dtype}"
    )


def _noise_shape(x: Any, noise_shape: Any) -> Any:
    if noise_shape is None:
        return shape(x)
    if isinstance(noise_shape, Tensor):
        return noise_shape
    try:
        wanted = as_shape(noise_shape).sizes
    except (TypeError, ValueError):
        return noise_shape
    known = x.shape.sizes
    if known is not None and wanted is not None and len(known) == len(wanted):
        return TensorShape([k if w is None else w for k, w in zip(known, wanted, strict=True)])
    return noise_shape


# Best ones


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None) -> Any:
    """(values, indices) of the `k` largest elements along the last dimension."""
    from regraft.v1.raw_ops import add_op

    return add_op("TopKV2", {"input": input, "k": k, "sorted": sorted, "index_type": index_type}, name)


def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Any:
    """Whether each target is among the `k` classes with the highest predictions."""
    with opened(name, "in_top_k", predictions, targets) as (b, _):
        return b.InTopKV2(predictions, targets, k, name=name)
