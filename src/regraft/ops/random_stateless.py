"""Random tensors that follow from seeds among the inputs: equal seeds, equal numbers.

The first generation takes a `seed` of two integers, which is encrypted into a key and a counter. The second takes key
and counter as they are, and the algorithm: 1 Philox, 2 ThreeFry, 3 whatever suits the device, which is Philox here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.opkit import random_fill
from regraft.opkit.arrays import jnp, on_host, static_shape
from regraft.opkit.random import join64, split64, stateless_state
from regraft.opkit.registry import op
from regraft.opkit.shapes import Rule, ShapeContext, Sizes, fixed, merge_dim, with_rank

_PHILOX, _AUTO = 1, 3
_NO_GRADIENT = "its inputs are integers"


def seeded(c: ShapeContext) -> list[Sizes]:
    """The output has the shape that input 0 gives; input 1 is a seed."""
    (length,) = with_rank(c, c.input(1), 1)
    merge_dim(c, length, 2)
    return [c.sizes(0)]


def _keyed(*scalars: int) -> Rule:
    """The output has the shape that input 0 gives; inputs 1 to 3 are key, counter and algorithm."""

    def rule(c: ShapeContext) -> list[Sizes]:
        (length,) = with_rank(c, c.input(1), 1)
        merge_dim(c, length, 1)
        with_rank(c, c.input(2), 1)
        for i in (3, *scalars):
            with_rank(c, c.input(i), 0)
        return [c.sizes(0)]

    return rule


def _from_seed(seed: Any) -> tuple[Any, Any]:
    if static_shape(seed) != (2,):
        raise InvalidArgumentError(f"seed must have shape [2], not {list(static_shape(seed))}")
    return stateless_state(seed)


def _from_key(key: Any, counter: Any, alg: Any) -> tuple[Any, Any]:
    if int(alg) not in (_PHILOX, _AUTO):
        raise UnimplementedError(f"Unsupported algorithm id: {int(alg)}; Regraft has Philox (1, or 3 to choose)")
    if static_shape(key) != (1,) or static_shape(counter)[:1] < (2,):
        raise InvalidArgumentError(
            f"Philox takes a key of shape [1] and a counter of shape [2], got {list(static_shape(key))} and "
            f"{list(static_shape(counter))}"
        )
    xp = np if on_host(key, counter) else jnp
    return split64(xp, xp.asarray(key)), split64(xp, xp.asarray(counter)[:2])


def _check_range(minval: Any, maxval: Any, sizes: tuple[int, ...]) -> None:
    if on_host(minval, maxval) and 0 not in sizes and minval >= maxval:
        raise InvalidArgumentError(f"Need minval < maxval, got {minval} >= {maxval}")


@op("StatelessRandomUniform", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_uniform(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.uniform(*_from_seed(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomNormal", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_normal(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.normal(*_from_seed(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessTruncatedNormal", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_truncated_normal(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.truncated_normal(*_from_seed(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomUniformInt", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_uniform_int(shape: Any, seed: Any, minval: Any, maxval: Any) -> Any:
    sizes = random_fill.sizes_of(shape)
    _check_range(minval, maxval, sizes)
    return random_fill.uniform_int(*_from_seed(seed), sizes, minval, maxval)


@op("StatelessRandomUniformFullInt", shape=seeded, static="shape", no_gradient=_NO_GRADIENT)
def stateless_random_uniform_full_int(shape: Any, seed: Any, *, dtype: DType) -> Any:
    return random_fill.full_int(*_from_seed(seed), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomUniformV2", shape=_keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_uniform_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.uniform(*_from_key(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomNormalV2", shape=_keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_normal_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.normal(*_from_key(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessTruncatedNormalV2", shape=_keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_truncated_normal_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.truncated_normal(*_from_key(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomUniformIntV2", shape=_keyed(4, 5), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_uniform_int_v2(shape: Any, key: Any, counter: Any, alg: Any, minval: Any, maxval: Any) -> Any:
    sizes = random_fill.sizes_of(shape)
    _check_range(minval, maxval, sizes)
    return random_fill.uniform_int(*_from_key(key, counter, alg), sizes, minval, maxval)


@op("StatelessRandomUniformFullIntV2", shape=_keyed(), static=("shape", "alg"), no_gradient=_NO_GRADIENT)
def stateless_random_uniform_full_int_v2(shape: Any, key: Any, counter: Any, alg: Any, *, dtype: DType) -> Any:
    return random_fill.full_int(*_from_key(key, counter, alg), random_fill.sizes_of(shape), dtype.numpy)


@op("StatelessRandomGetKeyCounter", shape=fixed((1,), (2,)))
def stateless_random_get_key_counter(seed: Any) -> Any:
    """The key and the counter that a seed stands for, as uint64."""
    key, counter = _from_seed(seed)
    return join64(key), join64(counter)


@op("StatelessRandomGetKeyCounterAlg", shape=fixed((1,), (2,), ()))
def stateless_random_get_key_counter_alg(seed: Any) -> Any:
    return (*stateless_random_get_key_counter(seed), np.array(_PHILOX, np.int32))


@op("StatelessRandomGetAlg", shape=fixed(()))
def stateless_random_get_alg() -> Any:
    return np.array(_PHILOX, np.int32)
