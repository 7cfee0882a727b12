"""Changing rows of arrays by index, where an index may come up more than once and then counts in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from regraft.opkit.arrays import jnp, lax, on_host, static_shape

Step = Callable[[list[Any], list[Any]], Sequence[Any]]
"""(old rows of each array, inputs of those rows) -> new rows of each array."""


def occurrence(indices: Any) -> Any:
    """For each entry of a 1-D array, how often its value stands before it."""
    xp = np if on_host(indices) else jnp
    order = xp.argsort(indices, stable=True)
    ordered = indices[order]
    place = xp.arange(len(indices), dtype=np.int64) - xp.searchsorted(ordered, ordered, side="left").astype(np.int64)
    if xp is np:
        out = np.empty(len(indices), np.int64)
        out[order] = place
        return out
    return jnp.zeros(len(indices), place.dtype).at[order].set(place, unique_indices=True)


def update_rows(step: Step, arrays: Sequence[Any], indices: Any, inputs: Sequence[Any]) -> list[Any]:
    """The arrays after `step` was applied to the rows `indices`, one entry after another.

    arrays   [n, ...] each
    indices  [k]; on the host they must be in range, traced ones that are not are passed over
    inputs   [k, ...] each: what `step` takes beside the old rows

    Rows do not see each other, so all first occurrences are done at once, then all second ones, and so on.
    """
    if len(indices) == 0:
        return list(arrays)
    if not on_host(list(arrays), indices, list(inputs)):
        return _traced(step, arrays, indices, inputs)
    new = [np.array(a) for a in arrays]
    turn = occurrence(indices)
    for i in range(int(turn.max()) + 1):
        now = turn == i
        rows = indices[now]
        for array, values in zip(new, step([a[rows] for a in new], [x[now] for x in inputs]), strict=True):
            array[rows] = values
    return new


def _traced(step: Step, arrays: Sequence[Any], indices: Any, inputs: Sequence[Any]) -> list[Any]:
    size = static_shape(arrays[0])[0]
    indices = jnp.asarray(indices)
    inside = (indices >= 0) & (indices < size)
    turn = jnp.where(inside, occurrence(indices), -1)
    safe = jnp.where(inside, indices, 0)
    last = jnp.max(turn)
    given = [jnp.asarray(x) for x in inputs]

    def body(state: tuple[Any, list[Any]]) -> tuple[Any, list[Any]]:
        i, now = state
        targets = jnp.where(turn == i, indices, size)
        values = step([a[safe] for a in now], given)
        return i + 1, [a.at[targets].set(v, mode="drop") for a, v in zip(now, values, strict=True)]

    start = (jnp.zeros((), turn.dtype), [jnp.asarray(a) for a in arrays])
    return list(lax.while_loop(lambda state: state[0] <= last, body, start)[1])
