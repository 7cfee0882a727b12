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

from regraft.base.errors import InvalidArgumentError
from regraft.opkit import random
from regraft.opkit.arrays import jnp, lax, on_host

Shape = tuple[int, ...]

OUTPUT_BLOCKS = 256
"""Blocks that a stateful op reserves for each element of its output, whatever it uses."""

_TRUNCATE_AT = 2.0


def sizes_of(shape: Any) -> Shape:
    """The `shape` input of a random op as a tuple. InvalidArgumentError for a negative size."""
    sizes = tuple(int(d) for d in shape)
    if any(d < 0 for d in sizes):
        raise InvalidArgumentError(f"Dimension {min(sizes)} must be >= 0 in shape {list(sizes)}")
    return sizes


def group_size(dtype: np.dtype[Any]) -> int:
    """Elements that one block fills."""
    return 2 if dtype.itemsize == 8 else 4


def _groups(shape: Shape, dtype: np.dtype[Any]) -> int:
    return -(-math.prod(shape) // group_size(dtype))


def _samples(key: Any, counter: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """As many samples as elements of up to 32 bits, one for each; in pairs, uint32 [..., 4], for wider ones."""
    if dtype.itemsize == 8:
        return random.blocks(key, counter, _groups(shape, dtype))
    return random.samples(key, counter, math.prod(shape))


def _shaped(flat: Any, shape: Shape) -> Any:
    return flat.reshape(-1)[: math.prod(shape)].reshape(shape)


def uniform(key: Any, counter: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Floats in [0, 1)."""
    return _shaped(random.uniform_from(_samples(key, counter, shape, dtype), dtype), shape)


def reserved_uniform(rng: random.Rng, shape: Shape, dtype: np.dtype[Any]) -> Callable[[], Any]:
    """Set the blocks of a stateful op aside; what is returned fills the tensor with floats in [0, 1)."""
    start = rng.reserve(OUTPUT_BLOCKS * math.prod(shape))
    return lambda: uniform(rng.key, start, shape, dtype)


def full_int(key: Any, counter: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Integers over the whole range of their type."""
    return _shaped(_integers(_samples(key, counter, shape, dtype), dtype), shape)


def _integers(words: Any, dtype: np.dtype[Any]) -> Any:
    return (random.join64(words) if dtype.itemsize == 8 else words).astype(dtype)


def uniform_int(key: Any, counter: Any, shape: Shape, low: Any, high: Any) -> Any:
    """Integers in [low, high): a sample modulo the width of the range, which need not be a power of two."""
    dtype = np.dtype(low.dtype)
    xp = np if on_host(key, counter, low, high) else jnp
    unsigned = np.dtype(f"u{dtype.itemsize}")
    bits = _integers(_samples(key, counter, shape, dtype), unsigned)
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
    groups = _groups(shape, dtype)
    xp = np if on_host(key, counter) else jnp
    if groups == 0:
        return xp.zeros(shape, dtype)
    if xp is jnp:
        return _shaped(_traced_groups(key, counter, groups, dtype).astype(dtype), shape)
    rows = 1 << 13
    parts = [
        _host_groups(key, counter, np.arange(i, min(i + rows, groups), dtype=np.uint64), dtype).astype(dtype)
        for i in range(0, groups, rows)
    ]
    return _shaped(np.concatenate(parts), shape)


def _stride(per_group: int) -> np.uint64:
    return np.uint64(OUTPUT_BLOCKS * per_group // 4)


def _host_groups(key: Any, counter: Any, at: Any, dtype: np.dtype[Any], count: int = 0) -> Any:
    """The groups `at`: `count` blocks of each are looked at, and more where they do not do."""
    per_group = group_size(dtype)
    count = count or (2 if per_group == 4 else 3)
    offsets = at[:, None] * _stride(per_group) + np.arange(count, dtype=np.uint64)
    normals = random.normal_pairs(random.blocks_at(key, counter, offsets).reshape(-1, 4 * count), dtype)
    inside = np.abs(normals) < _TRUNCATE_AT
    # A stable sort puts those that qualify first, in their order.
    order = np.argsort(~inside, axis=1, kind="stable")[:, :per_group]
    values = np.take_along_axis(normals, order, 1)
    short = inside.sum(axis=1) < per_group
    if short.any():
        values[short] = _host_groups(key, counter, at[short], dtype, 2 * count)
    return values


def _traced_groups(key: Any, counter: Any, groups: int, dtype: np.dtype[Any]) -> Any:
    """All groups, a block of each after another until every group is full."""
    per_group = group_size(dtype)
    first = jnp.arange(groups, dtype=np.uint64) * _stride(per_group)
    kind = np.dtype(np.float64 if per_group == 2 else np.float32)

    def body(state: tuple[Any, Any, list[Any]]) -> tuple[Any, Any, list[Any]]:
        block, have, values = state
        normals = random.normal_pairs(random.blocks_at(key, counter, first + block), dtype)
        for k in range(per_group):
            normal = normals[:, k]
            inside = jnp.abs(normal) < _TRUNCATE_AT
            values = [jnp.where(inside & (have == j), normal, value) for j, value in enumerate(values)]
            have = have + inside.astype(np.int32)
        return block + np.uint64(1), have, values

    start = (jnp.zeros((), np.uint64), jnp.zeros(groups, np.int32), [jnp.zeros(groups, kind)] * per_group)
    return jnp.stack(lax.while_loop(lambda state: jnp.min(state[1]) < per_group, body, start)[2], axis=-1)
