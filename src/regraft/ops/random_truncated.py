"""ParameterizedTruncatedNormal: normals of any mean and deviation between any bounds.

Robert, "Simulation of truncated normal variables" (1995). Which of three proposals is drawn from depends on where the
bounds lie. The rows of the output follow each other through one stream of blocks, each from a fresh block on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base.errors import InternalError, InvalidArgumentError
from regraft.opkit import random_fill
from regraft.opkit.arrays import static_shape
from regraft.opkit.random import Rng, blocks_at, normal_pairs, uniform_from
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes

_MOST_TRIES = 1000
# With this many deviations of room on the far side of the mean, plain normals are accepted often enough.
_ROOM = 1.3

# Elements that share a stretch of the stream where all of the output has one law.
_SCALAR_ROW = 100


def _drawn(c: ShapeContext) -> list[Sizes]:
    for i in range(1, 5):
        sizes = c.input(i)
        if sizes is not None and len(sizes) > 1:
            raise c.fail(f"Shape must be at most rank 1 but is rank {len(sizes)}")
    return [c.sizes(0)]


@op(
    "ParameterizedTruncatedNormal",
    shape=_drawn,
    runs=Runs.HOST,
    random=True,
    no_gradient="not differentiable",
)
def parameterized_truncated_normal(shape: Any, means: Any, stdevs: Any, minvals: Any, maxvals: Any, *, rng: Rng) -> Any:
    """Normals inside (minvals, maxvals), each parameter a scalar or one for each row of the output.

    raises InvalidArgumentError for a deviation that is not positive, bounds that are not in order, or both infinite
    """
    sizes = random_fill.sizes_of(shape)
    if not sizes:
        raise InvalidArgumentError("Shape passed in must be at least 1-D, got []")
    dtype = np.dtype(means.dtype)
    rows, samples = sizes[0], math.prod(sizes[1:])
    parameters = []
    for name, value in (("means", means), ("stdevs", stdevs), ("minvals", minvals), ("maxvals", maxvals)):
        if static_shape(value) not in ((), (1,), (rows,)):
            raise InvalidArgumentError(f"{name} must be a scalar or have {rows} elements, got {np.size(value)}")
        parameters.append(np.broadcast_to(np.asarray(value).reshape(-1), (rows,)))
    count = rows * samples
    if np.size(means) == np.size(stdevs) == 1 and np.ndim(minvals) == np.ndim(maxvals) == 0:
        # One law for all: the rows of the stream need not be those of the output.
        samples = _SCALAR_ROW
        rows = -(-count // samples)
    start = rng.reserve(rows * _MOST_TRIES * (samples + 3) // 2)
    out = np.empty(count, dtype)
    used = 0
    for i in range(rows if count else 0):
        part = out[i * samples : (i + 1) * samples]
        part[:], blocks = _row(rng.key, start, used, len(part), *(p[min(i, len(p) - 1)] for p in parameters))
        used += blocks
    return out.reshape(sizes)


def _row(key: Any, start: Any, at: int, samples: int, mean: Any, stdev: Any, low: Any, high: Any) -> tuple[Any, int]:
    """The samples of a row whose stream starts `at` blocks behind `start`, and how many blocks they took."""
    if not (stdev > 0 and low < high and (np.isfinite(low) or np.isfinite(high))):
        raise InvalidArgumentError(f"Invalid parameters: stdev {stdev}, bounds {low} and {high}")
    if (np.isinf(low) and low < 0) or high < mean:
        low, high, stdev = high, low, -stdev
    bottom, top = (low - mean) / stdev, (high - mean) / stdev
    draw, per_step = _proposal(bottom, top, np.dtype(mean.dtype))
    values: list[Any] = []
    have = steps = 0
    want = max(4, samples // 2)
    while have < samples:
        if steps > 2 * _MOST_TRIES * (samples + 3):
            raise InternalError("TruncatedNormal randn rejection sampler exceeded maximum iterations")
        offsets = np.arange(at + steps * per_step, at + (steps + want) * per_step, dtype=np.uint64)
        proposed, accepted = draw(blocks_at(key, start, offsets))
        in_step = accepted.sum(axis=1)
        total = have + np.cumsum(in_step)
        if total[-1] >= samples:
            want = int(np.argmax(total >= samples)) + 1
        values.append(proposed[:want][accepted[:want]])
        have = int(total[min(want, len(total)) - 1])
        steps += want
    return (np.concatenate(values)[:samples] * stdev + mean), steps * per_step


def _proposal(bottom: Any, top: Any, dtype: np.dtype[Any]) -> tuple[Callable[[Any], tuple[Any, Any]], int]:
    """A function from blocks to (proposals, whether each is accepted), step by step; and the blocks of a step."""
    one = dtype.type
    root = np.sqrt(bottom * bottom + one(4))
    if (bottom < -_ROOM and top >= 0) or (top > _ROOM and bottom <= 0):

        def plain(words: Any) -> tuple[Any, Any]:
            z = normal_pairs(words, dtype).astype(dtype)
            return z, (z >= bottom) & (z <= top)

        return plain, 1
    if top - bottom < one(2) * np.exp(one(0.5) + bottom * (bottom - root) / one(4)) / (bottom + root):
        most = one(0) if bottom < 0 else bottom * bottom

        def flat(words: Any) -> tuple[Any, Any]:
            u = uniform_from(words, dtype)
            z = u[0::2] * (top - bottom) + bottom
            return z, u[1::2] <= np.exp((most - z * z) / one(2))

        return flat, 2
    rate = (bottom + root) / one(2)

    def exponential(words: Any) -> tuple[Any, Any]:
        u = uniform_from(words, dtype)
        with np.errstate(divide="ignore"):
            z = -np.log(u[:, 0::2]) / rate + bottom
        x = rate - z
        return z, (u[:, 1::2] <= np.exp(-x * x / one(2))) & (z < top)

    return exponential, 1
