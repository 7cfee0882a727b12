"""Changing parts of variables: scatter_update, scatter_nd_add and their kin."""

from __future__ import annotations

from typing import Any

from regraft.opkit.slices import IndexedSlices
from regraft.v1._array import concat, expand_dims, ones_like, reshape, shape
from regraft.v1._math import cast
from regraft.v1._opening import on, opened
from regraft.variables import ResourceVariable, Variable

__all__ = [
    "batch_scatter_update",
    "count_up_to",
    "scatter_add",
    "scatter_div",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_nd_add",
    "scatter_nd_sub",
    "scatter_nd_update",
    "scatter_sub",
    "scatter_update",
]


def _scatter(op_type: str, locking: bool, doc: str) -> Any:
    def function(ref: Any, indices: Any, updates: Any, use_locking: bool = locking, name: str | None = None) -> Any:
        b = on(ref)
        if isinstance(ref, ResourceVariable):
            updates = b.convert(updates, ref.dtype.base)
            return ref._unread(b.operation(f"Resource{op_type}", ref.handle, indices, updates, name=name))
        target = ref._ref() if hasattr(ref, "_ref") else ref
        return b.op(op_type, target, indices, updates, use_locking=use_locking, name=name)

    function.__doc__ = doc + " Gives the variable as it is then."
    return function


scatter_update = _scatter("ScatterUpdate", True, "Replace the rows at `indices`.")
scatter_add = _scatter("ScatterAdd", False, "Add to the rows at `indices`.")
scatter_sub = _scatter("ScatterSub", False, "Subtract from the rows at `indices`.")
scatter_mul = _scatter("ScatterMul", False, "Multiply the rows at `indices`.")
scatter_div = _scatter("ScatterDiv", False, "Divide the rows at `indices`.")
scatter_min = _scatter("ScatterMin", False, "Take the minimum with the rows at `indices`.")
scatter_max = _scatter("ScatterMax", False, "Take the maximum with the rows at `indices`.")
scatter_nd_update = _scatter("ScatterNdUpdate", True, "Replace the elements or slices at the index vectors.")
scatter_nd_add = _scatter("ScatterNdAdd", False, "Add to the elements or slices at the index vectors.")
scatter_nd_sub = _scatter("ScatterNdSub", False, "Subtract from the elements or slices at the index vectors.")


def batch_scatter_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None
) -> Any:
    """Replace, in each item of the batch, the slices at `indices`. ValueError for indices of unknown rank."""
    with opened(name, "", ref) as (b, _):
        indices = b.convert(indices, name="indices")
        sizes = shape(indices)
        ndims = indices.shape.rank
        if ndims is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        last: Any = expand_dims(indices, -1)
        parts = []
        for dim in range(ndims - 1):
            size = sizes[dim]
            spread: list[Any] = [1] * (ndims + 1)
            spread[dim] = size
            positions = cast(reshape(b.Range(0, size, 1), spread), last.dtype)
            parts.append(positions * ones_like(last))
        parts.append(last)
        return scatter_nd_update(ref, concat(parts, -1), updates, use_locking=use_locking)


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Any:
    """Add 1 to a variable, or fail with OutOfRangeError at `limit`; gives the value before."""
    if isinstance(ref, ResourceVariable):
        return on(ref).ResourceCountUpTo(ref.handle, limit=limit, T=ref.dtype.base, name=name)
    return on(ref).CountUpTo(ref._ref() if hasattr(ref, "_ref") else ref, limit=limit, name=name)


def _batch_scatter_update(variable: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Replace, in each item of the batch, the slices of an IndexedSlices."""
    if not isinstance(sparse_delta, IndexedSlices):
        raise TypeError(f"Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {sparse_delta}")
    return batch_scatter_update(variable, sparse_delta.indices, sparse_delta.values, use_locking, name)


setattr(Variable, "batch_scatter_update", _batch_scatter_update)
