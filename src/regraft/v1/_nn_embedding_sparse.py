"""Embeddings of sparse ids: for each row the embeddings of its ids added up, weighted or not."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import UNKNOWN, TensorShape
from regraft.ir.node import Tensor
from regraft.v1._array import concat, expand_dims, ones, ones_like, rank, reshape, shape, size, stack, zeros_like
from regraft.v1._indexing import gather, unique, where
from regraft.v1._indexing import slice as slice_
from regraft.v1._math import cast, div_no_nan, pow, sqrt
from regraft.v1._nn_embedding import embedding_lookup, parts_of
from regraft.v1._opening import on, opened
from regraft.v1._reduction import reduce_prod, sparse_segment_mean, sparse_segment_sqrt_n, sparse_segment_sum
from regraft.v1._sparse import fill_empty_rows, retain
from regraft.v1._sparse import reshape_ as sparse_reshape
from regraft.v1._sparse_tensor import SparseTensor, parts
from regraft.variables import ResourceVariable

__all__ = ["embedding_lookup_sparse", "safe_embedding_lookup_sparse"]

_COMBINERS = {"sum": sparse_segment_sum, "mean": sparse_segment_mean, "sqrtn": sparse_segment_sqrt_n}


def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: float | None = None,
    allow_fast_lookup: bool = False,
) -> Any:
    """For each row of `sp_ids` its ids' rows of `params`, combined.

    sp_ids             int64 ids; no row without one
    sp_weights         weights at the same places, or None
    combiner           "sum", "mean" (over the weights) or "sqrtn" (over the root of their squares); by default "mean"
    allow_fast_lookup  look up each id by itself, even with weights, where the graph is smaller that way
    raises             ValueError for another combiner, TypeError for ids or weights that are not sparse
    """
    combiner = combiner or "mean"
    if combiner not in _COMBINERS:
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    tables = parts_of(params)
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError(f"sp_ids must be SparseTensor, got {type(sp_ids)}")
    if sp_weights is not None:
        if not isinstance(sp_weights, SparseTensor):
            raise TypeError(f"sp_weights must be either None or SparseTensor,got {type(sp_weights)}")
        for a, b in zip(parts(sp_ids), parts(sp_weights), strict=True):
            a.shape.assert_is_compatible_with(b.shape)
    with opened(name, "embedding_lookup_sparse", tables, *parts(sp_ids)) as (build, scope):
        rows: Any = sp_ids.indices[:, 0]  # type: ignore[index]  # installed
        ids = sp_ids.values
        if len(tables) == 1 and not isinstance(tables[0], (Tensor, ResourceVariable)):
            tables = [build.convert(tables[0], name="params")]
        one = len(tables) == 1 and not isinstance(tables[0], ResourceVariable) and max_norm is None
        direct = one and tables[0].device == rows.device and (allow_fast_lookup or sp_weights is None)
        if direct:
            found, order = tables[0], ids
        else:
            distinct, order = unique(ids)
            found = embedding_lookup(tables, distinct, partition_strategy, max_norm=max_norm)
        if sp_weights is None:
            sparse_gradient = direct and not allow_fast_lookup
            return _COMBINERS[combiner](found, order, rows, name=scope, sparse_gradient=sparse_gradient)
        return _weighted(build, found, order, cast(rows, dtypes.int32), sp_weights.values, combiner, scope)


def _weighted(b: Any, found: Any, order: Any, rows: Any, weights: Any, combiner: str, scope: str) -> Any:
    found = gather(found, order)
    kind = found.dtype.base
    if kind in (dtypes.half, dtypes.bfloat16):
        found = cast(found, dtypes.float32)
    weights = cast(weights, found.dtype.base)
    extra = expand_dims(rank(found) - 1, 0)
    before = shape(weights)
    whole = concat([before, ones(extra, before.dtype)], 0)
    known = weights.shape
    weights = reshape(weights, whole)
    if found.shape.rank is not None:
        weights.set_shape(known.concatenate([1] * (found.shape.rank - 1)))
    found = found * weights
    if combiner == "sum":
        out = b.SegmentSum(found, rows, name=scope)
    else:
        total = b.SegmentSum(found, rows)
        if combiner == "mean":
            norm = b.SegmentSum(weights, rows)
        else:
            norm = sqrt(b.SegmentSum(pow(weights, 2), rows))
        out = div_no_nan(total, norm, name=scope)
    return cast(out, kind)


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str = "mean",
    default_id: int | None = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: float | None = None,
    allow_fast_lookup: bool = False,
) -> Any:
    """`embedding_lookup_sparse` of ids of any rank, without ids below 0 and weights that are not above 0.

    default_id  the id of rows without one; by default their result is 0
    returns     [*shape of the ids without its last dimension, width]
    """
    if embedding_weights is None or (isinstance(embedding_weights, (list, tuple)) and not embedding_weights):
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    tables = parts_of(embedding_weights)
    dtype = None if sparse_weights is None else sparse_weights.dtype
    build = on(*parts(sparse_ids))
    tables = [
        w if isinstance(w, ResourceVariable) and dtype in (None, w.dtype) else build.convert(w, dtype) for w in tables
    ]
    extra = () if sparse_weights is None else parts(sparse_weights)
    with opened(name, "embedding_lookup", tables, *parts(sparse_ids), *extra) as (_, scope):
        whole = sparse_ids.dense_shape
        known = whole.shape[0].value
        count = size(whole) if known is None else known
        flat = [reduce_prod(slice_(whole, [0], [count - 1])), gather(whole, count - 1)]
        sparse_ids = sparse_reshape(sparse_ids, flat)
        if sparse_weights is not None:
            sparse_weights = SparseTensor(sparse_ids.indices, sparse_weights.values, sparse_ids.dense_shape)
        sparse_ids, sparse_weights = _valid_ids(sparse_ids, sparse_weights)
        if combiner != "sum" and sparse_weights is not None:
            valid = on(sparse_weights.values).Greater(sparse_weights.values, 0)
            sparse_ids, sparse_weights = retain(sparse_ids, valid), retain(sparse_weights, valid)
        sparse_ids, empty = fill_empty_rows(sparse_ids, default_id or 0)
        if sparse_weights is not None:
            sparse_weights, _unused = fill_empty_rows(sparse_weights, 1.0)
        result = embedding_lookup_sparse(
            tables,
            sparse_ids,
            sparse_weights,
            combiner=combiner,
            partition_strategy=partition_strategy,
            name=None if default_id is None else scope,
            max_norm=max_norm,
            allow_fast_lookup=allow_fast_lookup,
        )
        if default_id is None:
            flags = on(empty).Tile(reshape(empty, [-1, 1]), stack([1, shape(result)[1]]))
            result = where(flags, zeros_like(result), result, name=scope)
        head = slice_(cast(whole, dtypes.int32), [0], [count - 1])
        out = reshape(result, concat([head, slice_(shape(result), [1], [-1])], 0))
        outer = UNKNOWN if known is None else TensorShape([None] * (known - 1))
        out.set_shape(outer.concatenate(result.shape[1:]))
        return out


def _valid_ids(ids: SparseTensor, weights: Any) -> tuple[SparseTensor, Any]:
    valid = on(ids.values).GreaterEqual(ids.values, 0)
    if weights is None:
        return retain(ids, valid), None
    valid = on(valid).LogicalAnd(valid, ones_like(weights.values, dtypes.bool_))
    return retain(ids, valid), retain(weights, valid)
