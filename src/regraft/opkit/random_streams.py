"""Rejection sampling with a stream of random doubles for each element of the output.

An element's stream starts `OUTPUT_BLOCKS` behind that of the element before it, so that what one element uses does not
move another. Uniforms and normals come in pairs, a block each, and the second of a pair is handed out first.

Everything here is written once for NumPy and for traced arrays: elements that are done go on, masked, until all are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from regraft.opkit import random
from regraft.opkit.arrays import jnp, lax, on_host
from regraft.opkit.random_fill import OUTPUT_BLOCKS

_DOUBLE = np.dtype(np.float64)


class Pairs(NamedTuple):
    """The last pair drawn by each element, and how many of it are left."""

    first: Any
    second: Any
    left: Any


class Streams(NamedTuple):
    """The streams of all elements: their key, the counters of their next blocks, and pairs in use."""

    key: Any
    counter: Any
    offset: Any
    uniforms: Pairs
    normals: Pairs


def start(key: Any, counter: Any, count: int) -> Streams:
    """The streams of `count` elements."""
    xp = np if on_host(key, counter) else jnp
    empty = Pairs(xp.zeros(count), xp.zeros(count), xp.zeros(count, np.int32))
    return Streams(key, counter, xp.arange(count, dtype=np.uint64) * np.uint64(OUTPUT_BLOCKS), empty, empty)


def uniform(streams: Streams, where: Any) -> tuple[Any, Streams]:
    """A double in [0, 1) for each element of the mask `where`."""
    value, pairs, offset = _next(streams, streams.uniforms, where, lambda w: random.uniform_from(w, _DOUBLE))
    return value, streams._replace(offset=offset, uniforms=pairs)


def normal(streams: Streams, where: Any) -> tuple[Any, Streams]:
    """A standard normal for each element of the mask `where`."""
    value, pairs, offset = _next(streams, streams.normals, where, lambda w: random.normal_pairs(w, _DOUBLE))
    return value, streams._replace(offset=offset, normals=pairs)


def _next(streams: Streams, pairs: Pairs, where: Any, draw: Callable[[Any], Any]) -> tuple[Any, Pairs, Any]:
    xp = np if on_host(streams.offset) else jnp
    empty = where & (pairs.left == 0)
    fresh = draw(random.blocks_at(streams.key, streams.counter, streams.offset))
    first = xp.where(empty, fresh[:, 0], pairs.first)
    second = xp.where(empty, fresh[:, 1], pairs.second)
    left = xp.where(empty, np.int32(2), pairs.left)
    value = xp.where(left == 2, second, first)
    return value, Pairs(first, second, left - where.astype(np.int32)), streams.offset + empty.astype(np.uint64)


def repeat(attempt: Callable[[Any, Any], tuple[Any, Any]], done: Any, state: Any) -> Any:
    """The state after `attempt(done, state)` -> (done, state) was called until all elements are done."""
    if on_host(done):
        while not done.all():
            done, state = attempt(done, state)
        return state
    return lax.while_loop(lambda s: ~jnp.all(s[0]), lambda s: attempt(*s), (done, state))[1]
