"""Feature crosses: for each row the combinations of one feature of each column, as a string or as a hash of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.coordinates import check_sparse
from regraft.opkit.fingerprint import fingerprint64, joined_fingerprint
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes
from regraft.opkit.texts import text, vector

Columns = list[list[list[Any]]]

_LARGEST = (1 << 63) - 1


def _columns(indices: Sequence[Any], values: Sequence[Any], shapes: Sequence[Any], dense: Sequence[Any]) -> Columns:
    """The features of each row of each column: the sparse columns, then the dense ones."""
    columns: Columns = []
    rows: int | None = None
    for index, value, shape in zip(indices, values, shapes, strict=True):
        check_sparse(index, value, shape)
        if len(shape) != 2:
            raise InvalidArgumentError(f"shape should imply a 2D tensor, but got shape {shape.tolist()}")
        rows = int(shape[0]) if rows is None else rows
        if int(shape[0]) != rows:
            raise InvalidArgumentError(f"Expected batch size {rows}, got {int(shape[0])}")
        column: list[list[Any]] = [[] for _ in range(rows)]
        for row, item in zip(index[:, 0].tolist(), value.tolist(), strict=True):
            if not 0 <= row < rows:
                raise InvalidArgumentError(f"row {row} of a sparse column is out of bounds for batch size {rows}")
            column[row].append(item)
        columns.append(column)
    for matrix in dense:
        if matrix.ndim != 2:
            raise InvalidArgumentError(f"Dense inputs should be a matrix but received shape {list(matrix.shape)}")
        if rows is not None and len(matrix) != rows:
            raise InvalidArgumentError(f"Expected batch size {rows}, got {len(matrix)}")
        rows = len(matrix)
        columns.append(matrix.tolist())
    return columns


def _crossed(columns: Columns, combine: Callable[[tuple[Any, ...]], Any], dtype: DType) -> Any:
    """Indices, values and shape; the last column's feature changes first."""
    rows = [[combine(c) for c in itertools.product(*features)] for features in zip(*columns, strict=True)]
    indices = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    flat = [v for row in rows for v in row]
    values = vector(flat) if dtype is dtypes.string else np.array(flat, np.int64)
    shape = np.array([len(rows), max((len(row) for row in rows), default=0)], np.int64)
    return np.array(indices, np.int64).reshape(-1, 2), values, shape


def _written(feature: Any) -> bytes:
    return feature if isinstance(feature, bytes) else str(feature).encode()


def _hashed(key: int, num_buckets: int) -> Callable[[tuple[Any, ...]], int]:
    def combine(features: tuple[Any, ...]) -> int:
        total = key & (1 << 64) - 1
        for feature in features:
            number = fingerprint64(feature) if isinstance(feature, bytes) else feature
            total = joined_fingerprint(total, number)
        return total % (num_buckets or _LARGEST)

    return combine


def _shape(c: ShapeContext) -> list[Sizes]:
    return [(None, 2), (None,), (2,)]


@op("SparseCross", shape=_shape, runs=Runs.HOST, no_gradient="features")
def sparse_cross(
    indices: Any,
    values: Any,
    shapes: Any,
    dense_inputs: Any,
    *,
    num_buckets: int,
    hash_key: int,
    out_type: DType,
) -> Any:
    """Crosses as strings joined by "_X_", or, as int64, their hashes below `num_buckets` (0: below 2 ** 63 - 1)."""
    columns = _columns(indices, values, shapes, dense_inputs)
    if out_type is dtypes.string:
        return _crossed(columns, lambda features: b"_X_".join(map(_written, features)), out_type)
    return _crossed(columns, _hashed(hash_key, num_buckets), out_type)


@op("SparseFeatureCrossV2", shape=_shape, runs=Runs.HOST, no_gradient="features")
def sparse_feature_cross_v2(
    indices: Any, values: Any, shapes: Any, dense: Any, *, num_buckets: int, hash_key: int, out_type: DType
) -> Any:
    """What SparseCross was called in `tf.contrib`."""
    return sparse_cross(indices, values, shapes, dense, num_buckets=num_buckets, hash_key=hash_key, out_type=out_type)


@op("SparseCrossV2", shape=_shape, runs=Runs.HOST, no_gradient="features")
def sparse_cross_v2(indices: Any, values: Any, shapes: Any, dense_inputs: Any, sep: Any) -> Any:
    """Crosses as strings joined by `sep`."""
    columns = _columns(indices, values, shapes, dense_inputs)
    bound = text(sep)
    return _crossed(columns, lambda features: bound.join(map(_written, features)), dtypes.string)
