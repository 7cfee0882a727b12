"""Random tensors that follow from seeds among the inputs: equal seeds, equal numbers.

The first generation takes a `seed` of two integers, which is encrypted into a key and a counter. The second takes key
and counter as they are, and the algorithm: 1 Philox, 2 ThreeFry, 3 whatever suits the device, which is Philox here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit import random_fill
from regraft.opkit.arrays import on_host
from regraft.opkit.random import PHILOX, join64, keyed_state, stateless_state
from regraft.opkit.random_shapes import keyed, seeded
from regraft.opkit.registry import op
from regraft.opkit.shapes import fixed

_NO_GRADIENT = "its inputs are integers"


def _check_range(minval: Any, maxval: Any, sizes: tuple[int, ...]) -> None:
    if on_host(minval, maxval) and 0 not in sizes and minval >= maxval:
        raise InvalidArgumentError(f"Need minval < maxval, got {minval} >= {maxval}")


@op("StatelessRandomUniform", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_uniform(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.uniform(*stateless_state(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomNormal", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_normal(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.normal(*stateless_state(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessTruncatedNormal", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_truncated_normal(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.truncated_normal(*stateless_state(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomUniformInt", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_uniform_int(shape: Any, seed: Any, minval: Any, maxval: Any) -> Any:
    sizes = random_fill.sizes_of(shape)
    _check_range(minval, maxval, sizes)
    return random_fill.uniform_int(*stateless_state(seed), sizes, minval, maxval)


@op("StatelessRandomUniformFullInt", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_uniform_full_int(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.full_int(*stateless_state(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomUniformV2", shape=keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_uniform_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.uniform(*keyed_state(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomNormalV2", shape=keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_normal_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.normal(*keyed_state(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessTruncatedNormalV2", shape=keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_truncated_normal_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.truncated_normal(*keyed_state(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomUniformIntV2", shape=keyed(4, 5), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_uniform_int_v2(shape: Any, key: Any, counter: Any, alg: Any, minval: Any, maxval: Any) -> Any:
    sizes = random_fill.sizes_of(shape)
    _check_range(minval, maxval, sizes)
    return random_fill.uniform_int(*keyed_state(key, counter, alg), sizes, minval, maxval)


@op("StatelessRandomUniformFullIntV2", shape=keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_uniform_full_int_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.full_int(*keyed_state(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomGetKeyCounter", shape=fixed((1,), (2,)))
def stateless_random_get_key_counter(seed: Any) -> Any:
    """The key and the counter that a seed stands for, as uint64."""
    key, counter = stateless_state(seed)
    return join64(key), join64(counter)


@op("StatelessRandomGetKeyCounterAlg", shape=fixed((1,), (2,), ()))
def stateless_random_get_key_counter_alg(seed: Any) -> Any:
    return (*stateless_random_get_key_counter(seed), np.array(PHILOX, np.int32))


@op("StatelessRandomGetAlg", shape=fixed(()))
def stateless_random_get_alg() -> Any:
    return np.array(PHILOX, np.int32)
