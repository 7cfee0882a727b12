"""Embeddings: rows of a matrix, or of one in parts, by number."""

from __future__ import annotations

import contextlib
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.opkit.slices import IndexedSlices
from regraft.v1._array import concat, rank, reshape, shape, size, stack
from regraft.v1._clip import clip_by_norm
from regraft.v1._indexing import gather
from regraft.v1._math import cast
from regraft.v1._opening import opened
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_sum
from regraft.variables import ResourceVariable
from regraft.variables.partitioned import PartitionedVariable

__all__ = ["embedding_lookup"]


def parts_of(params: Any) -> list[Any]:
    """The parameter's parts as a list. ValueError when there are none."""
    if params is None:
        raise ValueError("params must be specified")
    if isinstance(params, (list, tuple)) and not params:
        raise ValueError("Length of params is currently 0. Need at least one param.")
    if isinstance(params, PartitionedVariable):
        return list(params)
    return params if isinstance(params, list) else [params]


def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: float | None = None,
) -> Any:
    """The rows `ids` of `params`.

    params              a tensor or variable, or a list of parts
    partition_strategy  how ids are spread over several parts: "mod" (id modulo their number) or "div" (in runs)
    max_norm            scale rows down to at most this L2 norm
    """
    parts = parts_of(params)
    with opened(name, "embedding_lookup", parts, ids) as (b, scope):
        if not any(isinstance(p, ResourceVariable) for p in parts):
            parts = [
                p if isinstance(p, IndexedSlices) else b.convert(p, name=f"params_{i}") for i, p in enumerate(parts)
            ]
        ids = b.convert(ids, name="ids")
        if len(parts) == 1:
            with b.graph.colocate_with(_op_of(parts[0])):
                rows = _clipped(gather(parts[0], ids, name=scope), ids, max_norm)
            return b.Identity(rows)
        return _from_parts(b, parts, ids, partition_strategy, max_norm, scope)


def _op_of(param: Any) -> Any:
    return param.op


def _clipped(params: Any, ids: Any, max_norm: float | None) -> Any:
    if max_norm is None:
        return params
    ranks = [t.shape.rank for t in (ids, params)]
    known = all(ranks)
    ends = [r or rank(t) for r, t in zip(ranks, (ids, params), strict=True)]
    axes = list(range(ends[0], ends[1])) if known else range_(*ends)
    return clip_by_norm(params, max_norm, axes=axes)


def _from_parts(b: Any, parts: list[Any], ids: Any, strategy: str, max_norm: float | None, scope: str) -> Any:
    count = len(parts)
    flat = reshape(ids, [-1])
    places = range_(size(flat, out_type=dtypes.int32))
    if strategy == "mod":
        owner, row = flat % count, flat // count
    elif strategy == "div":
        owner, row = _in_runs(b, parts, flat, count)
    else:
        raise ValueError(f"Unrecognized partition strategy: {strategy}. Must be one of either `mod` or `div`.")
    owner = cast(owner, dtypes.int32)
    rows = b.DynamicPartition(row, owner, num_partitions=count)
    where = b.DynamicPartition(places, owner, num_partitions=count)
    found = []
    for part, wanted in zip(parts, rows, strict=True):
        with b.graph.device(None), b.graph.colocate_with(_op_of(part)):
            found.append(gather(part, wanted))
    out = b.ParallelDynamicStitch(where, found, name=scope)
    element: TensorShape = parts[0].shape[1:]
    for part in parts[1:]:
        element = element.merge_with(part.shape[1:])
    if element.known:
        tail: Any = element
    else:
        with b.graph.colocate_with(_op_of(parts[0])):
            whole = shape(parts[0])
        tail = whole[1:]
    out = reshape(out, concat([shape(ids), tail], 0))
    out.set_shape(ids.shape.concatenate(element))
    return _clipped(out, ids, max_norm)


def _in_runs(b: Any, parts: list[Any], flat: Any, count: int) -> tuple[Any, Any]:
    """(part, row in it) of each id, where the parts hold runs of ids, the longer ones first."""
    known: list[Any] = [p.shape.sizes[0] if p.shape.sizes else None for p in parts]
    total: Any
    if None not in known and sum(known):
        total = b.constant(sum(known), flat.dtype.base)
    else:
        lengths: list[Any] = []
        for part, length in zip(parts, known, strict=True):
            if length is None:
                with contextlib.ExitStack() as place:
                    place.enter_context(b.graph.colocate_with(_op_of(part)))
                    length = shape(part)[0]
            lengths.append(length)
        total = reduce_sum(cast(stack(lengths), flat.dtype))
    each, longer = total // count, total % count
    first = flat // (each + 1)
    owner = b.Maximum(first, (flat - longer) // each)
    in_longer = owner < longer
    row = flat % (each + 1)
    return owner, b.Select(in_longer, row, (flat - longer) % each)
