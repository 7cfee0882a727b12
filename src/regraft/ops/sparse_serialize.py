"""Sparse tensors in one piece: as serialized strings, as variants, and kept in the session under a number.

A sparse tensor in one piece is a row of three: indices, values, shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.coordinates import check_sparse
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import made, shared
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank
from regraft.serde.tensor_bytes import parse_tensor, serialize_tensor

Sparse = tuple[Any, Any, Any]

_KIND = "map of sparse tensors"


def _ranks(c: ShapeContext) -> None:
    with_rank(c, c.input(0), 2)
    with_rank(c, c.input(1), 1)
    with_rank(c, c.input(2), 1)


def _checked(indices: Any, values: Any, shape: Any) -> Sparse:
    indices, values, shape = np.asarray(indices), np.asarray(values), np.asarray(shape)
    check_sparse(indices, values, shape)
    return indices, values, shape


def _one_piece(sparse: Sparse, out_type: DType, values_type: DType) -> Any:
    row = np.empty(3, object)
    for i, (part, dtype) in enumerate(zip(sparse, (dtypes.int64, values_type, dtypes.int64), strict=True)):
        row[i] = part if out_type is dtypes.variant else serialize_tensor(part, dtype)
    return row


def _slices(indices: Any, values: Any, shape: Any) -> list[Sparse]:
    """What stands at each place of the first dimension."""
    indices, values, shape = _checked(indices, values, shape)
    if len(shape) < 2:
        raise InvalidArgumentError(f"Rank of input SparseTensor should be > 1, but saw rank: {len(shape)}")
    first = indices[:, 0]
    outside = np.flatnonzero((first < 0) | (first >= shape[0]))
    if len(outside):
        raise InvalidArgumentError(
            f"Received unexpected column 0 value in input SparseTensor: {first[outside[0]]} < 0 or >= N (= {shape[0]})"
        )
    return [(indices[first == i, 1:], values[first == i], shape[1:]) for i in range(int(shape[0]))]


def _serialized_one(c: ShapeContext) -> list[Sizes]:
    _ranks(c)
    return [(3,)]


@op("SerializeSparse", shape=_serialized_one, runs=Runs.HOST, no_gradient="strings")
def serialize_sparse(sparse_indices: Any, sparse_values: Any, sparse_shape: Any, *, T: DType, out_type: DType) -> Any:
    """The sparse tensor in one piece, [3]."""
    return _one_piece(_checked(sparse_indices, sparse_values, sparse_shape), out_type, T)


def _serialized_many(c: ShapeContext) -> list[Sizes]:
    _ranks(c)
    return [(None, 3)]


@op("SerializeManySparse", shape=_serialized_many, runs=Runs.HOST, no_gradient="strings")
def serialize_many_sparse(
    sparse_indices: Any, sparse_values: Any, sparse_shape: Any, *, T: DType, out_type: DType
) -> Any:
    """What stands at each place of the first dimension in one piece, [places, 3]."""
    slices = _slices(sparse_indices, sparse_values, sparse_shape)
    return np.array([_one_piece(s, out_type, T) for s in slices], object).reshape(len(slices), 3)


def _parsed(row: Any, dtype: DType) -> Sparse:
    parts: list[Any] = []
    for piece, wanted in zip(row.tolist(), (dtypes.int64, dtype, dtypes.int64), strict=True):
        parts.append(parse_tensor(piece, wanted) if isinstance(piece, bytes) else piece)
    indices, values, shape = _checked(*parts)
    if values.dtype != dtype.numpy:
        raise InvalidArgumentError(f"Requested SparseTensor of type {dtype.name} but the values are {values.dtype}")
    return indices, values, shape


def _joined(pieces: list[Sparse], outer: tuple[int, ...], dtype: DType) -> Sparse:
    """Sparse tensors of one rank below the dimensions `outer`; the shape has room for the largest."""
    if not pieces:
        raise InvalidArgumentError("no serialized sparse tensors, no sparse tensor: its rank is unknown")
    rank = len(pieces[0][2])
    for i, (_, _, shape) in enumerate(pieces):
        if len(shape) != rank:
            raise InvalidArgumentError(
                f"Inconsistent shape across SparseTensors: rank prior to SparseTensor[{i}] was: {rank} but rank of "
                f"SparseTensor[{i}] is: {len(shape)}"
            )
    rows = []
    for place, (indices, _, _) in zip(np.ndindex(*outer), pieces, strict=True):
        rows.append(np.hstack([np.tile(np.array(place, np.int64), (len(indices), 1)), indices]))
    most = np.max([shape for _, _, shape in pieces], axis=0)
    values = np.concatenate([np.asarray(v, dtype.numpy) for _, v, _ in pieces])
    return (
        np.concatenate(rows).astype(np.int64).reshape(-1, len(outer) + rank),
        values,
        np.array([*outer, *most], np.int64),
    )


def _deserialized_many(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 2)
    return [(None, None), (None,), (None,)]


@op("DeserializeManySparse", shape=_deserialized_many, runs=Runs.HOST, no_gradient="strings")
def deserialize_many_sparse(serialized_sparse: Any, *, dtype: DType) -> Any:
    """One sparse tensor of serialized ones [n, 3], stacked along a new first dimension."""
    if serialized_sparse.ndim != 2 or serialized_sparse.shape[1] != 3:
        raise InvalidArgumentError(
            f"Serialized sparse should have 3 columns but received shape {list(serialized_sparse.shape)}"
        )
    return _joined([_parsed(row, dtype) for row in serialized_sparse], serialized_sparse.shape[:1], dtype)


def _deserialized(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    if sizes is not None and (not sizes or sizes[-1] not in (3, None)):
        raise c.fail("The last dimension of serialized sparse tensors must be 3")
    return [(None, None), (None,), (None,)]


@op("DeserializeSparse", shape=_deserialized, runs=Runs.HOST, no_gradient="strings")
def deserialize_sparse(serialized_sparse: Any, *, dtype: DType) -> Any:
    """One sparse tensor of serialized ones [..., 3], which stand at the places of the dimensions before."""
    serialized = np.asarray(serialized_sparse)
    if serialized.ndim < 1 or serialized.shape[-1] != 3:
        raise InvalidArgumentError(
            f"Serialized sparse should have 3 as the last dimension but received shape {list(serialized.shape)}"
        )
    pieces = [_parsed(row, dtype) for row in serialized.reshape(-1, 3)]
    if serialized.ndim == 1:
        return pieces[0]
    return _joined(pieces, serialized.shape[:-1], dtype)


class SparseTensors:
    """Sparse tensors by number, each taken out once."""

    def __init__(self) -> None:
        self._held: dict[int, Sparse] = {}
        self._next = 0

    def add(self, sparse: Sparse) -> int:
        number, self._next = self._next, self._next + 1
        self._held[number] = sparse
        return number

    def take(self, number: int) -> Sparse:
        found = self._held.pop(number, None)
        if found is None:
            raise InvalidArgumentError(f"Unable to find SparseTensor: {number} in map")
        return found


def _map(session: Any, container: bytes, shared_name: bytes, node: str) -> SparseTensors:
    name = shared(container, shared_name, node)
    made(session, _KIND, name, SparseTensors)
    held: SparseTensors = session.resources[_KIND, name]
    return held


def _number(c: ShapeContext) -> list[Sizes]:
    _ranks(c)
    return [()]


@op("AddSparseToTensorsMap", shape=_number, runs=Runs.HOST, session=True, no_gradient="a number")
def add_sparse_to_tensors_map(
    sparse_indices: Any,
    sparse_values: Any,
    sparse_shape: Any,
    *,
    container: bytes,
    shared_name: bytes,
    session: Any,
    node: str,
) -> Any:
    """The number under which the session keeps the sparse tensor."""
    sparse = _checked(sparse_indices, sparse_values, sparse_shape)
    return np.int64(_map(session, container, shared_name, node).add(sparse))


def _numbers(c: ShapeContext) -> list[Sizes]:
    _ranks(c)
    return [(None,)]


@op("AddManySparseToTensorsMap", shape=_numbers, runs=Runs.HOST, session=True, no_gradient="numbers")
def add_many_sparse_to_tensors_map(
    sparse_indices: Any,
    sparse_values: Any,
    sparse_shape: Any,
    *,
    container: bytes,
    shared_name: bytes,
    session: Any,
    node: str,
) -> Any:
    """The numbers under which the session keeps what stands at each place of the first dimension."""
    held = _map(session, container, shared_name, node)
    return np.array([held.add(s) for s in _slices(sparse_indices, sparse_values, sparse_shape)], np.int64)


def _taken(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 1)
    return [(None, None), (None,), (None,)]


@op("TakeManySparseFromTensorsMap", shape=_taken, runs=Runs.HOST, session=True, no_gradient="a number goes in")
def take_many_sparse_from_tensors_map(
    sparse_handles: Any, *, dtype: DType, container: bytes, shared_name: bytes, session: Any, node: str
) -> Any:
    """The sparse tensors kept under these numbers, stacked along a new first dimension, and given up."""
    held = _map(session, container, shared_name, node)
    pieces = [held.take(int(number)) for number in np.asarray(sparse_handles)]
    return _joined(pieces, (len(pieces),), dtype)
