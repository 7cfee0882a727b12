"""Operations on sets: each row along the last dimension is one. Values of a result stand in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.coordinates import check_sparse, first_outside
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, at_least_rank, merge_dim, with_rank

Rows = dict[tuple[int, ...], set[Any]]

_OPERATIONS = {
    "a-b": lambda a, b: a - b,
    "b-a": lambda a, b: b - a,
    "intersection": lambda a, b: a & b,
    "union": lambda a, b: a | b,
}


def _operation(name: bytes) -> Any:
    found = _OPERATIONS.get(name.decode().lower())
    if found is None:
        raise InvalidArgumentError(f"Invalid set_operation {name.decode()!r}: one of {', '.join(_OPERATIONS)}")
    return found


def _of_dense(values: Any) -> tuple[Rows, tuple[int, ...]]:
    if values.ndim < 2:
        raise InvalidArgumentError(f"Shape {list(values.shape)} has rank {values.ndim} < 2")
    outer = values.shape[:-1]
    return {place: set(values[place].tolist()) for place in np.ndindex(outer)}, outer


def _of_sparse(indices: Any, values: Any, shape: Any, ordered: bool) -> tuple[Rows, tuple[int, ...]]:
    check_sparse(indices, values, shape)
    if len(shape) < 2:
        raise InvalidArgumentError(f"Shape {shape.tolist()} has rank {len(shape)} < 2")
    bad = first_outside(indices, shape)
    if bad is not None:
        raise InvalidArgumentError(f"indices[{bad}] = {indices[bad].tolist()} is out of bounds for {shape.tolist()}")
    places = [tuple(index) for index in indices.tolist()]
    if ordered:
        for i in range(1, len(places)):
            if places[i] <= places[i - 1]:
                what = "repeated" if places[i] == places[i - 1] else "out of order"
                raise InvalidArgumentError(f"indices[{i}] = {list(places[i])} is {what}")
    rows: Rows = {}
    for place, value in zip(places, values.tolist(), strict=True):
        rows.setdefault(place[:-1], set()).add(value)
    return rows, tuple(int(d) for d in shape[:-1])


def _combined(a: tuple[Rows, tuple[int, ...]], b: tuple[Rows, tuple[int, ...]], how: Any, dtype: Any) -> Any:
    if a[1] != b[1]:
        raise InvalidArgumentError(f"Mismatched shapes {list(a[1])} vs {list(b[1])}")
    places: Iterable[tuple[int, ...]] = sorted({*a[0], *b[0]})
    indices: list[tuple[int, ...]] = []
    values: list[Any] = []
    most = 0
    for place in places:
        found = sorted(how(a[0].get(place, set()), b[0].get(place, set())))
        indices.extend((*place, i) for i in range(len(found)))
        values.extend(found)
        most = max(most, len(found))
    out = np.empty(len(values), dtype)
    out[:] = values
    return np.array(indices, np.int64).reshape(len(values), len(a[1]) + 1), out, np.array([*a[1], most], np.int64)


def _result(rank: Dim) -> list[Sizes]:
    return [(None, rank), (None,), (rank,)]


def _rank_of(c: ShapeContext, index: int) -> Dim:
    sizes = at_least_rank(c, c.input(index), 2)
    return None if sizes is None else len(sizes)


def _sparse_rank(c: ShapeContext, at: int) -> Dim:
    indices, shape = with_rank(c, c.input(at), 2), with_rank(c, c.input(at + 2), 1)
    with_rank(c, c.input(at + 1), 1)
    return merge_dim(c, indices[1], shape[0], 1)


def _dense_to_dense(c: ShapeContext) -> list[Sizes]:
    a, b = c.input(0), c.input(1)
    rank = merge_dim(c, _rank_of(c, 0), _rank_of(c, 1))
    if a is not None and b is not None:
        for x, y in zip(a[:-1], b[:-1], strict=True):
            merge_dim(c, x, y)
    return _result(rank)


@op("DenseToDenseSetOperation", shape=_dense_to_dense, runs=Runs.HOST, no_gradient="sets")
def dense_to_dense_set_operation(set1: Any, set2: Any, *, set_operation: bytes) -> Any:
    """`set_operation` ("a-b", "b-a", "intersection", "union") of the rows of both, as a sparse tensor."""
    return _combined(_of_dense(set1), _of_dense(set2), _operation(set_operation), set1.dtype)


def _dense_to_sparse(c: ShapeContext) -> list[Sizes]:
    return _result(merge_dim(c, _rank_of(c, 0), _sparse_rank(c, 1)))


@op("DenseToSparseSetOperation", shape=_dense_to_sparse, runs=Runs.HOST, no_gradient="sets")
def dense_to_sparse_set_operation(
    set1: Any, set2_indices: Any, set2_values: Any, set2_shape: Any, *, set_operation: bytes, validate_indices: bool
) -> Any:
    """`set_operation` of the rows of a dense and a sparse tensor."""
    second = _of_sparse(set2_indices, set2_values, set2_shape, validate_indices)
    return _combined(_of_dense(set1), second, _operation(set_operation), set1.dtype)


def _sparse_to_sparse(c: ShapeContext) -> list[Sizes]:
    return _result(merge_dim(c, _sparse_rank(c, 0), _sparse_rank(c, 3)))


@op("SparseToSparseSetOperation", shape=_sparse_to_sparse, runs=Runs.HOST, no_gradient="sets")
def sparse_to_sparse_set_operation(
    set1_indices: Any,
    set1_values: Any,
    set1_shape: Any,
    set2_indices: Any,
    set2_values: Any,
    set2_shape: Any,
    *,
    set_operation: bytes,
    validate_indices: bool,
) -> Any:
    """`set_operation` of the rows of two sparse tensors."""
    first = _of_sparse(set1_indices, set1_values, set1_shape, validate_indices)
    second = _of_sparse(set2_indices, set2_values, set2_shape, validate_indices)
    return _combined(first, second, _operation(set_operation), set1_values.dtype)


@op("SetSize", shape=lambda c: [None], runs=Runs.HOST, no_gradient="an integer")
def set_size(set_indices: Any, set_values: Any, set_shape: Any, *, validate_indices: bool) -> Any:
    """How many distinct values each row has, int32."""
    rows, outer = _of_sparse(set_indices, set_values, set_shape, validate_indices)
    out = np.zeros(outer, np.int32)
    for place, values in rows.items():
        out[place] = len(values)
    return out
