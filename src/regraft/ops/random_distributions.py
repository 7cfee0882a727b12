"""Random numbers by other laws: categorical (Multinomial), gamma, Poisson."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation, Tensor
from regraft.opkit import random_fill, random_rejection
from regraft.opkit.arrays import jax, jnp, namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.random import Rng, blocks, keyed_state, stateless_state, uniform_from
from regraft.opkit.random_shapes import keyed, seeded
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank


def _sampled(c: ShapeContext) -> list[Sizes]:
    """[batch, num_samples] for logits [batch, classes]."""
    batch, _ = with_rank(c, c.input(0), 2)
    with_rank(c, c.input(1), 0)
    count = c.value(1)
    return [(batch, None if count is None else int(count))]


def _categorical(key: Any, counter: Any, logits: Any, num_samples: Any, dtype: np.dtype[Any]) -> Any:
    """For each row of logits, `num_samples` classes: where a uniform times the total falls among the running sums.

    The uniforms follow each other through all rows, two samples of 32 bits each. Infinite logits count as no chance.
    """
    if len(static_shape(logits)) != 2:
        raise InvalidArgumentError(f"logits should be a matrix, got shape {list(static_shape(logits))}")
    rows, classes = static_shape(logits)
    count = int(num_samples)
    if count < 0:
        raise InvalidArgumentError(f"num_samples should be nonnegative, got {count}")
    if rows and count and not classes:
        raise InvalidArgumentError("num_classes should be positive, got 0")
    xp = namespace(key, counter, logits)
    if rows * count == 0:
        return xp.zeros((rows, count), dtype)
    finite = xp.isfinite(logits)
    wide = xp.asarray(logits).astype(np.float64)
    top = xp.max(xp.where(finite, wide, -np.inf), axis=1, keepdims=True)
    sums = xp.cumsum(xp.where(finite, xp.exp(xp.where(finite, wide - top, 0.0)), 0.0), axis=1)
    words = blocks(key, counter, -(-rows * count // 2)).reshape(-1)[: 2 * rows * count]
    sought = uniform_from(words, np.dtype(np.float64)).reshape(rows, count) * sums[:, -1:]
    if xp is np:
        return np.array([np.searchsorted(s, x, side="right") for s, x in zip(sums, sought, strict=True)], dtype)
    return jax.vmap(lambda s, x: jnp.searchsorted(s, x, side="right"))(sums, sought).astype(dtype)


@op("Multinomial", shape=_sampled, static="num_samples", random=True, no_gradient="integer result")
def multinomial(logits: Any, num_samples: Any, *, output_dtype: DType, rng: Rng) -> Any:
    """Classes drawn with the chances exp(logits)."""
    rows = static_shape(logits)[0] if static_shape(logits) else 0
    start = rng.reserve(random_fill.OUTPUT_BLOCKS * rows * 2 * (-(-int(num_samples) // 4) * 4))
    return _categorical(rng.key, start, logits, num_samples, output_dtype.numpy)


@op("StatelessMultinomial", shape=_sampled, static="num_samples", no_gradient="integer result")
def stateless_multinomial(logits: Any, num_samples: Any, seed: Any, *, output_dtype: DType) -> Any:
    return _categorical(*stateless_state(seed), logits, num_samples, output_dtype.numpy)


def _sample_by_parameter(c: ShapeContext) -> list[Sizes]:
    """The shape that input 0 gives, then the shape of input 1."""
    sizes, parameter = c.sizes(0), c.input(1)
    return [None if sizes is None or parameter is None else (*sizes, *parameter)]


def _each(parameter: Any, samples: int) -> Any:
    """Each parameter `samples` times, as float64 [n * samples]."""
    xp = namespace(parameter)
    return xp.repeat(xp.asarray(parameter).astype(np.float64).reshape(-1), samples)


def _samples_first(values: Any, parameters: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    return values.reshape(parameters, -1).T.reshape(shape).astype(dtype)


@op("RandomGamma", shape=_sample_by_parameter, static="shape", random=True)
def random_gamma(shape: Any, alpha: Any, *, rng: Rng) -> Any:
    """Gamma(alpha, 1) variates of shape `shape` for each alpha."""
    sizes = random_fill.sizes_of(shape)
    parameters, samples = math.prod(static_shape(alpha)), math.prod(sizes)
    start = rng.reserve(random_fill.OUTPUT_BLOCKS * parameters * samples)
    if parameters * samples == 0:
        return namespace(rng.key).zeros((*sizes, *static_shape(alpha)), alpha.dtype)
    values = random_rejection.gamma(rng.key, start, _each(alpha, samples))
    return _samples_first(values, parameters, (*sizes, *static_shape(alpha)), np.dtype(alpha.dtype))


def _with_leading_ones(b: Builder, x: Tensor, count: Tensor) -> Tensor:
    ones = b.ones([count], np.int32)
    return b.reshape(x, b.concat([ones, b.shape(x)], 0))


@random_gamma.gradient
def _(b: Builder, node: Operation, dy: Any) -> Any:
    shape, alpha = node.inputs
    with b.graph.control_dependencies([dy]):
        dimensions = b.shape(shape)[0]  # type: ignore[index]  # installed
        partial = b.RandomGammaGrad(_with_leading_ones(b, alpha, dimensions), node.outputs[0])
        return [None, b.reduce_sum(dy * partial, b.range(dimensions))]


def _stateless_gamma(key: Any, counter: Any, shape: Any, alpha: Any) -> Any:
    sizes, parameters = random_fill.sizes_of(shape), static_shape(alpha)
    if sizes[len(sizes) - len(parameters) :] != parameters:
        raise InvalidArgumentError(
            f"Shape passed in must end with broadcasted shape: {list(sizes)}, {list(parameters)}"
        )
    if math.prod(sizes) == 0:
        return namespace(key).zeros(sizes, alpha.dtype)
    values = random_rejection.gamma(key, counter, _each(alpha, math.prod(sizes) // math.prod(parameters)))
    return _samples_first(values, math.prod(parameters), sizes, np.dtype(alpha.dtype))


def _stateless_gamma_gradient(b: Builder, node: Operation, alpha: Tensor, dy: Any) -> Tensor:
    dimensions = b.shape(node.inputs[0])[0] - b.rank(alpha)  # type: ignore[index]  # installed
    partial = b.RandomGammaGrad(_with_leading_ones(b, alpha, dimensions), node.outputs[0])
    return b.reduce_sum(dy * partial, b.range(dimensions))


@op("StatelessRandomGammaV2", shape=seeded, static="shape")
def stateless_random_gamma_v2(shape: Any, seed: Any, alpha: Any) -> Any:
    """Gamma(alpha, 1) variates of shape `shape`, which ends with the shape of alpha."""
    return _stateless_gamma(*stateless_state(seed), shape, alpha)


@stateless_random_gamma_v2.gradient
def _(b: Builder, node: Operation, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [None, None, _stateless_gamma_gradient(b, node, node.inputs[2], dy)]


@op("StatelessRandomGammaV3", shape=keyed(), static=("shape", "alg"))
def stateless_random_gamma_v3(shape: Any, key: Any, counter: Any, alg: Any, alpha: Any) -> Any:
    return _stateless_gamma(*keyed_state(key, counter, alg), shape, alpha)


@stateless_random_gamma_v3.gradient
def _(b: Builder, node: Operation, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [None, None, None, None, _stateless_gamma_gradient(b, node, node.inputs[4], dy)]


def _poisson(key: Any, counter: Any, sizes: tuple[int, ...], rate: Any, dtype: np.dtype[Any]) -> Any:
    parameters, samples = math.prod(static_shape(rate)), math.prod(sizes)
    most = float(np.iinfo(dtype).max if dtype.kind in "iu" else np.finfo(dtype).max)
    if on_host(rate) and not np.all(np.asarray(rate) >= 0):
        raise InvalidArgumentError("rate of a Poisson distribution must not be negative")
    if parameters * samples == 0:
        return namespace(key).zeros((*sizes, *static_shape(rate)), dtype)
    values = random_rejection.poisson(key, counter, _each(rate, samples), most)
    return _samples_first(values, parameters, (*sizes, *static_shape(rate)), dtype)


@op("RandomPoissonV2", shape=_sample_by_parameter, static="shape", random=True)
def random_poisson_v2(shape: Any, rate: Any, *, dtype: DType, rng: Rng) -> Any:
    """Poisson variates of shape `shape` for each rate."""
    sizes = random_fill.sizes_of(shape)
    start = rng.reserve(random_fill.OUTPUT_BLOCKS * math.prod(static_shape(rate)) * math.prod(sizes))
    return _poisson(rng.key, start, sizes, rate, dtype.numpy)


@op("StatelessRandomPoisson", shape=seeded, static="shape", no_gradient="integer result")
def stateless_random_poisson(shape: Any, seed: Any, lam: Any, *, dtype: DType) -> Any:
    """Poisson variates of shape `shape`, which ends with the shape of `lam`."""
    sizes, parameters = random_fill.sizes_of(shape), static_shape(lam)
    if sizes[len(sizes) - len(parameters) :] != parameters:
        raise InvalidArgumentError(
            f"Shape passed in must end with broadcasted shape: {list(sizes)}, {list(parameters)}"
        )
    return _poisson(*stateless_state(seed), sizes[: len(sizes) - len(parameters)], lam, dtype.numpy)
