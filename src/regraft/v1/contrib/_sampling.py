"""Drawing from distributions as tf.contrib.seq2seq does: a shape of draws for each distribution of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.v1 import _context
from regraft.v1._array import concat, pad, rank, reshape, shape, transpose
from regraft.v1._graph import convert_to_tensor, name_scope
from regraft.v1._math import cast, equal
from regraft.v1._random import multinomial, random_uniform
from regraft.v1._reduction import reduce_prod

__all__ = ["bernoulli_sample", "categorical_sample"]


def _drawn(draw: Callable[[Any], Any], sample_shape: Any, name: str | None = None) -> Any:
    """`draw(n)` [n, ...] in the form [*sample_shape, ...]."""
    with name_scope(name, "call_sampler", [sample_shape]):
        sizes = convert_to_tensor(sample_shape, dtypes.int32, name="sample_shape")
        scalar = cast(equal(rank(sizes), 0), dtypes.int32)
        sizes = reshape(sizes, pad(shape(sizes), paddings=[[scalar, 0]], constant_values=1))
        samples = draw(reduce_prod(sizes))
        return reshape(samples, concat([sizes, shape(samples)[1:]], 0))


def bernoulli_sample(
    probs: Any = None, logits: Any = None, dtype: Any = dtypes.int32, sample_shape: Any = (), seed: int | None = None
) -> Any:
    """Ones with the probability `probs`, or sigmoid(`logits`), else zeros: [*sample_shape, *batch]."""
    if probs is None:
        probs = _context.builder().Sigmoid(logits, name="probs")
    else:
        probs = convert_to_tensor(probs, name="probs")
    batch = shape(probs)

    def draw(n: Any) -> Any:
        uniform = random_uniform(concat([[n], batch], 0), seed=seed, dtype=probs.dtype)
        return cast(_context.builder().Less(uniform, probs), dtype)

    return _drawn(draw, sample_shape)


def categorical_sample(logits: Any, dtype: Any = dtypes.int32, sample_shape: Any = (), seed: int | None = None) -> Any:
    """Class numbers with the log-probabilities in the last dimension of `logits`: [*sample_shape, *batch]."""
    logits = convert_to_tensor(logits, name="logits")
    classes = shape(logits)[-1]
    batch = shape(logits)[:-1]

    def draw(n: Any) -> Any:
        rows = logits if logits.shape.rank == 2 else reshape(logits, [-1, classes])
        kind = dtypes.int64 if logits.dtype.size > 4 else dtypes.int32
        draws = multinomial(rows, n, seed=seed, output_dtype=kind)
        return cast(reshape(transpose(draws), concat([[n], batch], 0)), dtype)

    return _drawn(draw, sample_shape)
