"""Scattering: slices of an array replaced, or combined with what was there, at given indices.

Out-of-range indices are InvalidArgumentError on the host. A compiled program can't raise, and passes over them.
Where an index comes up more than once, "update" keeps the last value, and the others combine all of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, namespace, on_host, shape_text, static_shape
from regraft.opkit.rows import update_rows
from regraft.opkit.strided import NEW, Masks, spans

_UFUNCS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "min": np.minimum, "max": np.maximum}
_AT = {"update": "set", "add": "add", "mul": "multiply", "min": "min", "max": "max"}


def check_indices(indices: Any, size: int, name: str = "indices") -> None:
    """InvalidArgumentError for the first index outside [0, size), where the indices are known."""
    if not on_host(indices):
        return
    indices = np.asarray(indices)
    bad = (indices < 0) | (indices >= size)
    if bad.any():
        at = np.unravel_index(int(np.argmax(bad)), bad.shape) if bad.ndim else ()
        place = f"[{','.join(str(int(i)) for i in at)}]" if at else ""
        raise InvalidArgumentError(f"{name}{place} = {indices[at]} is not in [0, {size})")


def scatter_rows(how: str, old: Any, indices: Any, updates: Any) -> Any:
    """`old` with `updates[i]` combined into row `indices[i]`: how is update, add, sub, mul, div, min or max.

    old      [n, ...]
    indices  [*batch]
    updates  [*batch, ...], or a scalar for every row
    """
    shape, at = static_shape(old), static_shape(indices)
    if not shape:
        raise InvalidArgumentError("params must be at least 1-D, got shape []")
    if static_shape(updates) not in ((), (*at, *shape[1:])):
        raise InvalidArgumentError(
            "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], "
            f"got updates.shape {shape_text(updates)}, indices.shape {shape_text(indices)}, "
            f"params.shape {shape_text(old)}"
        )
    check_indices(indices, shape[0])
    count = math.prod(at)
    xp = namespace(old, indices, updates)
    rows = xp.broadcast_to(xp.asarray(updates), (*at, *shape[1:])).reshape((count, *shape[1:]))
    return combine(how, old, xp.asarray(indices).reshape(-1), rows)


def combine(how: str, old: Any, indices: Any, rows: Any) -> Any:
    """`scatter_rows` for 1-D indices that have been checked, and a row for each."""
    if how == "div":
        (new,) = update_rows(lambda was, by: [_divide(was[0], by[0])], [old], indices, [rows])
        return new
    if on_host(old, indices, rows):
        new = np.array(old)
        if how == "update":
            new[indices] = rows
        else:
            _UFUNCS[how].at(new, indices, rows)
        return new
    size = static_shape(old)[0]
    indices = jnp.asarray(indices)
    # JAX would count negative indices from the end.
    indices = jnp.where(indices < 0, size, indices)
    if how == "sub":
        how, rows = "add", -rows
    return getattr(jnp.asarray(old).at[indices], _AT[how])(rows, mode="drop")


def _divide(x: Any, y: Any) -> Any:
    """Division as in C: integers round towards zero."""
    xp = namespace(x, y)
    if x.dtype.kind not in "iu":
        return x / y
    if xp is np and not np.all(y):
        raise InvalidArgumentError("updates must not contain 0")
    quotient = xp.abs(x) // xp.abs(y)
    return xp.where((x < 0) != (y < 0), -quotient, quotient).astype(x.dtype)


def scatter_nd(how: str, old: Any, indices: Any, updates: Any, ignore: bool = False) -> Any:
    """`old` with `updates[i]` combined into the slice `old[indices[i]]`, an index being a vector.

    old      [d0, ..., dn]
    indices  [*batch, k], k at most the rank of `old`
    updates  [*batch, dk, ..., dn]
    ignore   pass over indices that are out of range
    """
    shape, where = static_shape(old), static_shape(indices)
    if not where:
        raise InvalidArgumentError("indices must be at least 1-D, got shape []")
    batch, depth = where[:-1], where[-1]
    if depth > len(shape):
        raise InvalidArgumentError(
            f"The inner most dimension of indices.shape={list(where)} must have size <= params.dims()={len(shape)}"
        )
    got = static_shape(updates)
    if got[: len(batch)] != batch:
        k = len(batch)
        raise InvalidArgumentError(
            f"Dimensions [0,{k}) of indices[shape={shape_text(indices)}] must match dimensions [0,{k}) of "
            f"updates[shape={shape_text(updates)}]"
        )
    if got[len(batch) :] != shape[depth:]:
        raise InvalidArgumentError(
            f"Dimensions [{depth},{len(shape)}) of input[shape={shape_text(old)}] must match dimensions "
            f"[{len(batch)},{len(got)}) of updates[shape={shape_text(updates)}]"
        )
    xp = namespace(old, indices, updates)
    flat = xp.asarray(indices).reshape((math.prod(batch), depth))
    limits = np.array(shape[:depth], flat.dtype)
    inside = xp.all((flat >= 0) & (flat < limits), axis=1)
    slices = math.prod(shape[:depth])
    rest = shape[depth:]
    rows = xp.asarray(updates).reshape((len(flat), *rest))
    strides = np.array([math.prod(shape[i + 1 : depth]) for i in range(depth)], flat.dtype)
    linear = xp.sum(flat * strides, axis=1, dtype=flat.dtype)
    if xp is np:
        if not inside.all() and not ignore:
            i = int(np.argmin(inside))
            at = np.unravel_index(i, batch) if batch else ()
            place = f"[{','.join(str(int(j)) for j in at)}]" if batch else ""
            raise InvalidArgumentError(
                f"indices{place} = [{', '.join(map(str, flat[i]))}] does not index into shape {shape_text(old)}"
            )
        linear, rows = linear[inside], rows[inside]
    else:
        linear = xp.where(inside, linear, slices)
    return combine(how, xp.asarray(old).reshape((slices, *rest)), linear, rows).reshape(shape)


def assign_strided(old: Any, begin: Any, end: Any, strides: Any, value: Any, masks: Masks) -> Any:
    """`old` with `old[begin:end:strides] = value` done, the value broadcast to the slice."""
    shape = static_shape(old)
    layout, parts = spans(shape, [int(i) for i in begin], [int(i) for i in end], [int(i) for i in strides], masks)
    where = tuple(part.as_slice() for part in parts)
    sizes = tuple(part.size for part in parts)
    seen = tuple(1 if source == NEW else sizes[source] for source in layout.gather)
    xp = namespace(old, value)
    try:
        spread = xp.broadcast_to(xp.asarray(value), seen).reshape(sizes)
    except ValueError:
        raise InvalidArgumentError(
            f"cannot assign a value of shape {shape_text(value)} to a slice of shape {list(seen)}"
        ) from None
    if xp is np:
        new = np.array(old)
        new[where] = spread
        return new
    return jnp.asarray(old).at[where].set(spread)
