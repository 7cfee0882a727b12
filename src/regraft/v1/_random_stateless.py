"""Random values that a seed of two numbers alone determines: equal arguments give equal values in every run."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.ir.node import Tensor
from regraft.opkit.random_values import shape_tensor
from regraft.v1._opening import on, opened

__all__ = [
    "stateless_categorical",
    "stateless_multinomial",
    "stateless_normal",
    "stateless_truncated_normal",
    "stateless_uniform",
]

_ALGORITHMS = {"philox": 1, "threefry": 2, "auto_select": 3}
_FLOATS = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)
_INTS = (dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64)


def _algorithm(alg: Any) -> int:
    if alg not in _ALGORITHMS:
        raise ValueError(f"alg must be one of {', '.join(_ALGORITHMS)}, got {alg!r}")
    return _ALGORITHMS[alg]


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: str = "auto_select",
) -> Tensor:
    """Values from [minval, maxval), all equally likely.

    seed    two integers
    maxval  1 for floats; integers of all values where it is None, and `minval` too
    """
    kind = as_dtype(dtype)
    if kind not in _FLOATS + _INTS:
        raise ValueError(f"Argument `dtype` got invalid value {kind}. Accepted dtypes are {_FLOATS + _INTS}.")
    if kind.is_integer and (minval is None) != (maxval is None):
        raise ValueError(
            f"For integer `dtype` argument {kind}, argument `minval` and `maxval` must be both None or not None. Got "
            f"`minval`={minval} and `maxval`={maxval}."
        )
    if minval is not None and kind in (dtypes.uint32, dtypes.uint64):
        raise ValueError(f"Argument `dtype` got invalid value {kind} when argument `minval` is not None.")
    maxval = 1 if maxval is None and not kind.is_integer else maxval
    number = _algorithm(alg)
    result: Tensor
    low: Any
    high: Any
    with opened(name, "stateless_random_uniform", shape, seed, minval, maxval) as (b, scope):
        sizes = shape_tensor(b, shape)
        if minval is None:
            key, counter = b.StatelessRandomGetKeyCounter(seed)
            result = b.StatelessRandomUniformFullIntV2(sizes, key, counter, number, dtype=kind, name=scope)
            return result
        low, high = b.convert(minval, kind, name="min"), b.convert(maxval, kind, name="max")
        key, counter = b.StatelessRandomGetKeyCounter(seed)
        if kind.is_integer:
            result = b.StatelessRandomUniformIntV2(sizes, key, counter, number, low, high, name=scope)
            return result
        drawn = b.StatelessRandomUniformV2(sizes, key, counter, number, dtype=kind)
        result = b.AddV2(drawn * (high - low), low, name=scope)
    return result


def _normal(op_type: str, default: str) -> Any:
    def drawn(
        shape: Any,
        seed: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = dtypes.float32,
        name: str | None = None,
        alg: str = "auto_select",
    ) -> Tensor:
        kind, number = as_dtype(dtype), _algorithm(alg)
        with opened(name, default, shape, seed, mean, stddev) as (b, scope):
            sizes = shape_tensor(b, shape)
            centre, width = b.convert(mean, kind, name="mean"), b.convert(stddev, kind, name="stddev")
            key, counter = b.StatelessRandomGetKeyCounter(seed)
            result: Tensor = b.AddV2(b.op(op_type, sizes, key, counter, number, dtype=kind) * width, centre, name=scope)
        return result

    drawn.__name__ = drawn.__qualname__ = default.replace("random_", "")
    drawn.__doc__ = "Values from a normal distribution" + (
        ", none more than two standard deviations from the mean." if "Truncated" in op_type else "."
    )
    return drawn


stateless_normal = _normal("StatelessRandomNormalV2", "stateless_random_normal")
stateless_truncated_normal = _normal("StatelessTruncatedNormalV2", "stateless_truncated_normal")


def stateless_multinomial(
    logits: Any, num_samples: Any, seed: Any, output_dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """[batch, num_samples] class numbers, drawn with the (unnormalised) log-probabilities of each row."""
    return _classes("stateless_multinomial", logits, num_samples, seed, output_dtype, name)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """`stateless_multinomial`, by its newer name."""
    return _classes("stateless_categorical", logits, num_samples, seed, dtype, name)


def _classes(default: str, logits: Any, num_samples: Any, seed: Any, dtype: Any, name: str | None) -> Tensor:
    with opened(name, default, logits, seed):
        logits = on(logits).convert(logits, name="logits")
        result: Tensor = on(logits).StatelessMultinomial(logits, num_samples, seed, output_dtype=as_dtype(dtype))
    return result
