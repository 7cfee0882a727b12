"""Random values, and the seeds that make them repeatable."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.opkit import random_values
from regraft.v1 import _context
from regraft.v1._array import shape as shape_
from regraft.v1._opening import on, opened

__all__ = [
    "get_seed",
    "multinomial",
    "random_crop",
    "random_gamma",
    "random_normal",
    "random_poisson",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "truncated_normal",
]


def set_random_seed(seed: int | None) -> None:
    """Make the random ops of the default graph repeatable: each takes the next seed that follows from this one."""
    _context.get_default_graph().seed = seed


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The two seeds of a random op in the default graph.

    The graph's seed with the op's, or with a count of the ops that asked for one; (None, None) when neither is set.
    """
    return random_values.get_seed(_context.get_default_graph(), op_seed)


def _seeds(seed: Any) -> dict[str, int | None]:
    return random_values.seeds(_context.get_default_graph(), seed)


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Values from [minval, maxval), all equally likely; `maxval` is 1 for floats and must be given for integers."""
    b = on(shape, minval, maxval)
    return random_values.random_uniform(b, shape, minval, maxval, dtype, seed, name)


def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Values from a normal distribution."""
    b = on(shape, mean, stddev)
    return random_values.random_normal(b, shape, mean, stddev, dtype, seed, name)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Values from a normal distribution, none more than two standard deviations from the mean."""
    b = on(shape, mean, stddev)
    return random_values.truncated_normal(b, shape, mean, stddev, dtype, seed, name)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Any:
    """The slices along the first dimension in random order."""
    return on(value).RandomShuffle(value, name=name, **_seeds(seed))


def _drawn(default: str) -> Any:
    def multinomial(
        logits: Any, num_samples: Any, seed: int | None = None, name: str | None = None, output_dtype: Any = None
    ) -> Any:
        """[batch, num_samples] class numbers, drawn with the (unnormalised) log-probabilities of each row."""
        with opened(name, default, logits) as (b, _):
            logits = b.convert(logits, name="logits")
            kind = dtypes.int64 if output_dtype is None else as_dtype(output_dtype)
            if kind not in (dtypes.int32, dtypes.int64):
                raise ValueError(f"Argument `dtype` got invalid value {kind}. Accepted dtypes are int32 and int64.")
            return b.Multinomial(logits, num_samples, output_dtype=kind, **_seeds(seed))

    return multinomial


multinomial = _drawn("multinomial")


def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Any:
    """[batch, num_samples] class numbers, drawn with the (unnormalised) log-probabilities of each row."""
    return _drawn("categorical")(logits, num_samples, seed, name, dtype)


def random_gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """shape + shape(alpha) values from gamma distributions with the rate `beta`."""
    kind = as_dtype(dtype)
    with opened(name, "random_gamma", shape, alpha, beta) as (b, _):
        sizes = b.convert(shape, dtypes.int32, name="shape")
        alpha = b.convert(alpha, kind, name="alpha")
        rate = b.convert(1 if beta is None else beta, kind, name="beta")
        common = b.BroadcastArgs(shape_(alpha), shape_(rate))
        alpha = b.BroadcastTo(alpha, common)
        drawn = b.RandomGamma(sizes, alpha, **_seeds(seed))
        return b.Maximum(np.finfo(kind.numpy).tiny, drawn / rate)


def random_poisson(
    lam: Any, shape: Any, dtype: Any = dtypes.float32, seed: int | None = None, name: str | None = None
) -> Any:
    """shape + shape(lam) values from Poisson distributions."""
    with opened(name, "random_poisson", lam, shape) as (b, _):
        sizes = b.convert(shape, dtypes.int32, name="shape")
        return b.RandomPoissonV2(sizes, lam, dtype=as_dtype(dtype), **_seeds(seed))


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Any:
    """A block of `size` from a random place in `value`."""
    from regraft.v1._array import shape as shape_of
    from regraft.v1._assertion import Assert
    from regraft.v1._reduction import reduce_all

    with opened(name, "random_crop", value, size) as (b, scope):
        value = b.convert(value, name="value")
        size = b.convert(size, dtypes.int32, name="size")
        whole = shape_of(value)
        check = Assert(reduce_all(whole >= size), ["Need value.shape >= size, got ", whole, size], summarize=1000)
        whole = b.with_dependencies([check], whole)
        limit: Any = whole - size
        limit = limit + 1
        place = random_uniform(shape_of(whole), dtype=size.dtype, maxval=int(size.dtype.max), seed=seed) % limit
        return b.Slice(value, place, size, name=scope)
