"""Gathering: slices of an array at given indices.

Out-of-range indices are InvalidArgumentError on the host. A compiled program can't raise: it gives zeros for them, as
TensorFlow does on accelerators.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, on_host, shape_text, static_shape
from regraft.opkit.scatter import check_indices


def gather(params: Any, indices: Any, axis: int = 0, batch_dims: int = 0) -> Any:
    """`params` along `axis` at `indices`, the first `batch_dims` axes of both going together.

    params   [*batch, *middle, n, *rest], with n at `axis`, which is not negative and not below `batch_dims`
    indices  [*batch, *picked]
    returns  [*batch, *middle, *picked, *rest]
    """
    shape, at = static_shape(params), static_shape(indices)
    if axis >= len(shape):
        raise InvalidArgumentError(f"params must be at least {axis + 1}-D, got shape {list(shape)}")
    if shape[:batch_dims] != at[:batch_dims]:
        raise InvalidArgumentError(
            f"params.shape[:batch_dims] should be equal to indices.shape[:batch_dims], got {list(shape)} and {list(at)}"
        )
    check_indices(indices, shape[axis])
    if on_host(params, indices):
        if not batch_dims:
            return np.take(params, indices, axis)
    else:
        indices = jnp.asarray(indices)
        # JAX would count negative indices from the end.
        indices = jnp.where(indices < 0, jnp.asarray(shape[axis], indices.dtype), indices)
        params = jnp.asarray(params)
        if not batch_dims:
            return jnp.take(params, indices, axis, mode="fill", fill_value=0)
    batch, middle = math.prod(shape[:batch_dims]), math.prod(shape[batch_dims:axis])
    rest, count = math.prod(shape[axis + 1 :]), math.prod(at[batch_dims:])
    flat = params.reshape((batch, middle, shape[axis], rest))
    which = (
        np.arange(batch)[:, None, None],
        np.arange(middle)[None, :, None],
        indices.reshape((batch, 1, count)),
    )
    out = flat[which] if on_host(flat, indices) else flat.at[which].get(mode="fill", fill_value=0)
    return out.reshape((*shape[:axis], *at[batch_dims:], *shape[axis + 1 :]))


def gather_nd(params: Any, indices: Any) -> Any:
    """Slices of `params`, an index being a vector.

    params   [d0, ..., dn]
    indices  [*batch, k], k at most the rank of `params`
    returns  [*batch, dk, ..., dn]
    """
    shape, at = static_shape(params), static_shape(indices)
    if not at:
        raise InvalidArgumentError("indices must be at least a vector")
    depth = at[-1]
    if depth > len(shape):
        raise InvalidArgumentError(
            f"index innermost dimension length must be <= params rank; saw: {depth} vs. {len(shape)}"
        )
    host = on_host(params, indices)
    xp = np if host else jnp
    flat = xp.asarray(indices).reshape((math.prod(at[:-1]), depth))
    inside = xp.all((flat >= 0) & (flat < np.array(shape[:depth], flat.dtype)), axis=1)
    if host and not inside.all():
        i = int(np.argmin(inside))
        where = np.unravel_index(i, at[:-1]) if len(at) > 1 else ()
        place = f"[{','.join(str(int(j)) for j in where)}]" if where else ""
        raise InvalidArgumentError(
            f"indices{place} = [{', '.join(map(str, flat[i]))}] does not index into param shape {shape_text(params)}"
        )
    rows = math.prod(shape[:depth])
    strides = np.array([math.prod(shape[i + 1 : depth]) for i in range(depth)], flat.dtype)
    linear = xp.sum(flat * strides, axis=1, dtype=flat.dtype)
    table = xp.asarray(params).reshape((rows, *shape[depth:]))
    if host:
        out = table[linear]
    else:
        out = jnp.take(table, jnp.where(inside, linear, rows), 0, mode="fill", fill_value=0)
    return out.reshape((*at[:-1], *shape[depth:]))
