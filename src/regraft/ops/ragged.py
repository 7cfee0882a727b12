"""Ragged rows: values of all rows one behind the other, and splits that say where each row ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.base.shapes import TensorShape
from regraft.opkit.constant import constant_sizes
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, product, with_rank

Array = np.ndarray[Any, Any]


def _checked(splits: Array, count: int) -> Array:
    """InvalidArgumentError unless the splits cut `count` entries into rows."""
    if splits.ndim != 1 or not len(splits) or splits[0] != 0 or splits[-1] != count or (np.diff(splits) < 0).any():
        raise InvalidArgumentError(f"Invalid splits {splits.tolist()}: they must grow from 0 to {count}")
    return splits


def _range_shape(c: ShapeContext) -> list[Sizes]:
    rows: Dim = None
    for sizes in c.inputs:
        if sizes is not None and len(sizes) > 1:
            raise c.fail(f"Shape must be at most rank 1 but is rank {len(sizes)}")
        if sizes and sizes[0] is not None:
            if rows is not None and rows != sizes[0]:
                raise c.fail(f"Dimensions must be equal, but are {rows} and {sizes[0]}")
            rows = sizes[0]
    if rows is None and all(sizes == () for sizes in c.inputs):
        rows = 1
    return [(None if rows is None else rows + 1,), (None,)]


@op("RaggedRange", shape=_range_shape, runs=Runs.HOST, no_gradient="a range")
def ragged_range(starts: Any, limits: Any, deltas: Any, *, Tsplits: DType) -> Any:
    """A range a row, from starts to limits in steps of deltas; scalars stand for all rows.

    raises InvalidArgumentError for vectors of different lengths, and for steps of 0
    """
    given = [np.asarray(v) for v in (starts, limits, deltas)]
    lengths = {len(v) for v in given if v.ndim}
    if len(lengths) > 1:
        raise InvalidArgumentError("starts, limits, and deltas must have the same shape")
    rows = lengths.pop() if lengths else 1
    columns = [np.broadcast_to(v, (rows,)) for v in given]
    if (columns[2] == 0).any():
        raise InvalidArgumentError("Requires delta != 0")
    dtype = given[0].dtype
    values = []
    for start, limit, delta in zip(*columns, strict=True):
        count = int(max(0, np.ceil((np.float64(limit) - np.float64(start)) / np.float64(delta))))
        values.append((start + np.arange(count, dtype=dtype) * delta).astype(dtype))
    splits = np.cumsum([0, *(len(v) for v in values)]).astype(Tsplits.numpy)
    return splits, np.concatenate(values) if values else np.zeros(0, dtype)


def _gather_shape(c: ShapeContext) -> list[Sizes]:
    count = c.attr("PARAMS_RAGGED_RANK")
    for i in range(count):
        with_rank(c, c.input(i), 1)
    values = c.input(count)
    return [*[(None,)] * c.attr("OUTPUT_RAGGED_RANK"), None if values is None else (None, *values[1:])]


@op("RaggedGather", shape=_gather_shape, runs=Runs.HOST)
def ragged_gather(
    params_nested_splits: tuple[Any, ...], params_dense_values: Any, indices: Any, *, Tsplits: DType
) -> Any:
    """The rows `indices` of a ragged tensor: the splits of the result, outermost first, then its values.

    raises InvalidArgumentError for a row that is not there
    """
    wanted = np.asarray(indices)
    splits = [np.asarray(s) for s in params_nested_splits]
    values = np.asarray(params_dense_values)
    for i, level in enumerate(splits):
        _checked(level, len(splits[i + 1]) - 1 if i + 1 < len(splits) else len(values))
    rows = wanted.reshape(-1)
    count = len(splits[0]) - 1
    outside = np.flatnonzero((rows < 0) | (rows >= count))
    if len(outside):
        raise InvalidArgumentError(f"indices[{outside[0]}] = {rows[outside[0]]} is not in [0, {count})")
    out = []
    for axis in range(1, wanted.ndim):
        size = int(np.prod(wanted.shape[:axis]))
        out.append(np.arange(size + 1) * wanted.shape[axis])
    for level in splits:
        lengths = level[rows + 1] - level[rows]
        out.append(np.concatenate([[0], np.cumsum(lengths)]))
        parts = [np.arange(level[row], level[row + 1]) for row in rows]
        rows = np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)
    return [*(s.astype(Tsplits.numpy) for s in out), values[rows]]


def _to_sparse_shape(c: ShapeContext) -> list[Sizes]:
    count = c.attr("RAGGED_RANK")
    for i in range(count):
        with_rank(c, c.input(i), 1)
    values = c.input(count)
    rank = None if values is None else count + len(values)
    entries = None if values is None else product(values)
    return [(entries, rank), (entries,), (rank,)]


@op("RaggedTensorToSparse", shape=_to_sparse_shape, runs=Runs.HOST)
def ragged_tensor_to_sparse(rt_nested_splits: tuple[Any, ...], rt_dense_values: Any) -> Any:
    """The ragged tensor as a sparse one."""
    splits, values = [np.asarray(s) for s in rt_nested_splits], np.asarray(rt_dense_values)
    places, sizes = _places(splits, len(values))
    inner_shape = (math.prod(values.shape[1:]), values.ndim - 1)
    inner = np.array(list(np.ndindex(*values.shape[1:])), np.int64).reshape(inner_shape)
    indices = np.hstack([np.repeat(places, len(inner), axis=0), np.tile(inner, (len(places), 1))])
    return indices.astype(np.int64), values.reshape(-1), np.array([*sizes, *values.shape[1:]], np.int64)


def _places(splits: list[Array], count: int) -> tuple[Array, list[int]]:
    """(for each entry its place along the ragged dimensions, [count, levels + 1]; how long each is at most)."""
    rows = np.arange(len(splits[0]) - 1)[:, None]
    sizes = [len(rows)]
    for i, level in enumerate(splits):
        _checked(level, len(splits[i + 1]) - 1 if i + 1 < len(splits) else count)
        lengths = np.diff(level)
        column = [np.arange(n) for n in lengths]
        last = np.concatenate(column) if column else np.zeros(0, np.int64)
        rows = np.hstack([np.repeat(rows, lengths, axis=0), last[:, None]])
        sizes.append(int(lengths.max(initial=0)))
    return rows.astype(np.int64), sizes


def _to_tensor_shape(c: ShapeContext) -> list[Sizes]:
    kinds = c.attr("row_partition_types")
    depth = len(kinds) - (b"FIRST_DIM_SIZE" in kinds)
    values = c.input(1)
    wanted = constant_sizes(c.tensor(0)) if c.input(0) != () else None
    known = None if values is None else (*(None,) * (depth + 1), *values[1:])
    if wanted is None or known is None:
        return [known if wanted is None else wanted]
    if len(wanted) != len(known):
        raise c.fail(f"rt_input.shape and shape={TensorShape(wanted)} are incompatible: their ranks differ")
    return [tuple(k if w is None else w for w, k in zip(wanted, known, strict=True))]


@op("RaggedTensorToTensor", shape=_to_tensor_shape, runs=Runs.HOST)
def ragged_tensor_to_tensor(
    shape: Any,
    values: Any,
    default_value: Any,
    row_partition_tensors: tuple[Any, ...],
    *,
    row_partition_types: tuple[bytes, ...],
) -> Any:
    """The ragged tensor as a dense one: cut to `shape` where that is known, filled up with the default elsewhere.

    row_partition_types  "FIRST_DIM_SIZE" then "VALUE_ROWIDS", or "ROW_SPLITS"
    """
    values, default = np.asarray(values), np.asarray(default_value)
    splits = _all_splits([np.asarray(t) for t in row_partition_tensors], row_partition_types)
    places, sizes = _places(splits, len(values))
    wanted = np.asarray(shape).reshape(-1).tolist()
    found = [*sizes, *values.shape[1:]]
    if wanted and len(wanted) != 1 and len(wanted) != len(found):
        raise InvalidArgumentError(f"shape {wanted} and a ragged tensor of {len(found)} dimensions are incompatible")
    full = found if np.ndim(shape) == 0 else [f if w < 0 else w for w, f in zip(wanted, found, strict=True)]
    if full[len(sizes) :] != list(values.shape[1:]):
        raise InvalidArgumentError(f"shape {wanted} and values of shape {list(values.shape)} are incompatible")
    out = np.empty(full, values.dtype)
    out[...] = default
    fits = (places < np.array(full[: len(sizes)])).all(axis=1)
    out[tuple(places[fits].T)] = values[fits]
    return out


def _all_splits(tensors: list[Array], kinds: tuple[bytes, ...]) -> list[Array]:
    """The row splits of each ragged dimension."""
    if kinds and kinds[0] == b"FIRST_DIM_SIZE":
        count = int(tensors[0])
        out: list[Array] = []
        for kind, ids in zip(kinds[1:], tensors[1:], strict=True):
            if kind != b"VALUE_ROWIDS":
                raise UnimplementedError(f"row partition {kind.decode()} behind FIRST_DIM_SIZE")
            lengths = np.bincount(ids, minlength=count)
            out.append(np.concatenate([[0], np.cumsum(lengths)]))
            count = len(ids)
        return out
    odd = next((kind for kind in kinds if kind != b"ROW_SPLITS"), None)
    if odd is not None or not kinds:
        raise InvalidArgumentError(f"Unsupported row partition type: {(odd or b'none').decode()}")
    return tensors
