"""Filling a tensor with random numbers from a counter on, laid out as TensorFlow's CPU kernels lay it out.

The output is cut into groups of as many elements as one block gives: four, or two where the element is 64 bits wide.
Group i starts at block i; where a group may need any number of blocks, at block i times 256 per four elements.

Every function takes (key, counter, shape, dtype), NumPy or traced, and returns an array of this shape and dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.opkit import random
from regraft.opkit.arrays import jnp, lax, on_host

Shape = tuple[int, ...]

OUTPUT_BLOCKS = 256
"""Blocks that a stateful op reserves for each element of its output, whatever it uses."""

_TRUNCATE_AT = 2.0


def group_size(dtype: np.dtype[Any]) -> int:
    """Elements that one block fills."""
    return 2 if dtype.itemsize == 8 else 4


def _groups(shape: Shape, dtype: np.dtype[Any]) -> int:
    return -(-math.prod(shape) // group_size(dtype))


def _shaped(flat: Any, shape: Shape) -> Any:
    return flat.reshape(-1)[: math.prod(shape)].reshape(shape)


def uniform(key: Any, counter: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Floats in [0, 1)."""
    return _shaped(random.uniform_from(random.blocks(key, counter, _groups(shape, dtype)), dtype), shape)


def full_int(key: Any, counter: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Integers over the whole range of their type."""
    words = random.blocks(key, counter, _groups(shape, dtype))
    return _shaped(_integers(words, dtype), shape)


def _integers(words: Any, dtype: np.dtype[Any]) -> Any:
    return (random.join64(words) if dtype.itemsize == 8 else words).astype(dtype)


def uniform_int(key: Any, counter: Any, shape: Shape, low: Any, high: Any) -> Any:
    """Integers in [low, high): a sample modulo the width of the range, which need not be a power of two."""
    dtype = np.dtype(low.dtype)
    xp = np if on_host(key, counter, low, high) else jnp
    unsigned = np.dtype(f"u{dtype.itemsize}")
    bits = _integers(random.blocks(key, counter, _groups(shape, dtype)), unsigned)
    with np.errstate(over="ignore"):
        width = xp.asarray(high).astype(unsigned) - xp.asarray(low).astype(unsigned)
        return _shaped((xp.asarray(low).astype(unsigned) + bits % width).astype(dtype), shape)


def normal(key: Any, counter: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Standard normals."""
    words = random.blocks(key, counter, _groups(shape, dtype))
    return _shaped(_in_chunks(lambda w: random.normal_pairs(w, dtype).astype(dtype), words), shape)


def _in_chunks(function: Callable[[Any], Any], words: Any, rows: int = 1 << 14) -> Any:
    if not on_host(words) or len(words) <= rows:
        return function(words)
    return np.concatenate([function(words[i : i + rows]) for i in range(0, len(words), rows)])


def truncated_normal(key: Any, counter: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Standard normals of magnitude below 2: each group takes the first that qualify of its own stream of samples."""
    per_group = group_size(dtype)
    groups = _groups(shape, dtype)
    stride = OUTPUT_BLOCKS * per_group // 4
    few, many = (2, 8) if per_group == 4 else (3, 8)

    def attempt(at: Any, count: int) -> tuple[Any, Any]:
        """The groups `at`, looking at `count` blocks of each: their values, and whether there were enough."""
        xp = np if on_host(key, counter, at) else jnp
        offsets = at[:, None] * np.uint64(stride) + xp.arange(count, dtype=np.uint64)
        words = random.blocks_at(key, counter, offsets).reshape(-1, 4 * count)
        return _first_below(random.normal_pairs(words, dtype), per_group)

    if groups == 0:
        return (np if on_host(key, counter) else jnp).zeros(shape, dtype)
    if on_host(key, counter):
        parts = []
        for i in range(0, groups, 1 << 13):
            at = np.arange(i, min(i + (1 << 13), groups), dtype=np.uint64)
            values, enough = attempt(at, few)
            if not enough.all():
                values[~enough] = attempt(at[~enough], many)[0]
            parts.append(values.astype(dtype))
        return _shaped(np.concatenate(parts), shape)
    at = jnp.arange(groups, dtype=np.uint64)
    values, enough = attempt(at, few)
    values = lax.cond(jnp.all(enough), lambda: values, lambda: attempt(at, many)[0])
    return _shaped(values.astype(dtype), shape)


def _first_below(normals: Any, count: int) -> tuple[Any, Any]:
    """The first `count` of each row that are inside the limit, and whether the row has that many."""
    xp = np if on_host(normals) else jnp
    inside = xp.abs(normals) < normals.dtype.type(_TRUNCATE_AT)
    place = xp.cumsum(inside, axis=-1, dtype=np.int32)
    picked = [
        xp.sum(xp.where(inside & (place == i + 1), normals, xp.zeros((), normals.dtype)), axis=-1) for i in range(count)
    ]
    return xp.stack(picked, axis=-1).astype(normals.dtype), place[:, -1] >= count
