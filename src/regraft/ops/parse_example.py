"""Serialized Examples to tensors: dense, padded, sparse and ragged features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes
from regraft.serde.example import Features, features_of

_NO_GRADIENT = "values from strings"
Array = np.ndarray[Any, Any]


def _name(dtype: DType) -> str:
    return "float" if dtype.name == "float32" else dtype.name


class _Batch:
    """The features of some Examples. `names` say in errors which one is meant."""

    def __init__(self, rows: list[Features], names: list[bytes], single: bool) -> None:
        self.rows = rows
        self._names = names
        self._single = single

    def _where(self, row: int) -> str:
        if self._single:
            return ""
        return f"Name: {self._names[row].decode(errors='replace') if self._names else '<unknown>'}, "

    def values(self, key: str, dtype: DType) -> list[Array | None]:
        """The feature of each Example, None where it is missing. InvalidArgumentError if it has another dtype."""
        out: list[Array | None] = []
        for i, row in enumerate(self.rows):
            found = row.get(key)
            if found is not None and found[0] is not dtype.base:
                at = "" if self._single else f", Index: {i}"
                raise InvalidArgumentError(
                    f"{self._where(i)}Key: {key}{at}.  Data types don't match. Data type: {_name(found[0])} but "
                    f"expected type: {_name(dtype)}"
                )
            out.append(None if found is None else found[1])
        return out

    def dense(self, key: str, dtype: DType, shape: TensorShape, default: Array) -> Array:
        """[batch, *shape]; an unknown first dimension is as long as the longest feature, padded with the default."""
        sizes = shape.sizes
        if sizes is None or None in sizes[1:]:
            raise InvalidArgumentError(f"dense_shape of {key!r} must be known but for its first dimension, is {shape}")
        values = self.values(key, dtype)
        if sizes and sizes[0] is None:
            return self._padded(key, dtype, [int(d or 0) for d in sizes[1:]], default, values)
        count = math.prod(int(d or 0) for d in sizes)
        out = np.empty((len(values), count), dtype.numpy)
        for i, found in enumerate(values):
            if found is None:
                if not default.size:
                    raise InvalidArgumentError(
                        f"{self._where(i)}Feature: {key} (data type: {_name(dtype)}) is required but could not be "
                        "found."
                    )
                out[i] = default.reshape(-1)
            elif len(found) != count:
                at = "" if self._single else f", Index: {i}"
                raise InvalidArgumentError(
                    f"{self._where(i)}Key: {key}{at}.  Number of {_name(dtype)} values != expected.  "
                    f"Values size: {len(found)} but output shape: {list(sizes)}"
                )
            else:
                out[i] = found
        return out.reshape(len(values), *(int(d or 0) for d in sizes))

    def _padded(self, key: str, dtype: DType, rest: list[int], default: Array, values: list[Array | None]) -> Array:
        if default.size != 1:
            raise InvalidArgumentError(
                f"the dense shape of {key!r} has a variable length, therefore its default must contain a single "
                f"element (the padding element). But its shape is: {list(default.shape)}"
            )
        step = math.prod(rest)
        lengths = [0 if v is None else len(v) for v in values]
        for i, length in enumerate(lengths):
            if step == 0 or length % step:
                raise InvalidArgumentError(
                    f"{self._where(i)}Key: {key}, Index: {i}.  Number of {_name(dtype)} values is not a multiple of "
                    f"stride length. Saw {length} values but output shape is: {[None, *rest]}"
                )
        out = np.full((len(values), max(lengths, default=0)), default.reshape(-1)[0], dtype.numpy)
        for i, found in enumerate(values):
            if found is not None:
                out[i, : len(found)] = found
        return out.reshape(len(values), max(lengths, default=0) // step, *rest)

    def sparse(self, key: str, dtype: DType) -> tuple[Array, Array, Array]:
        """Indices [n, 2], values, and shape [batch, longest]; without the batch dimension for a single Example."""
        values = [np.empty(0, dtype.numpy) if v is None else v for v in self.values(key, dtype)]
        lengths = np.array([len(v) for v in values], np.int64)
        joined = np.concatenate(values) if values else np.empty(0, dtype.numpy)
        columns = [np.arange(n, dtype=np.int64) for n in lengths]
        column = np.concatenate(columns) if columns else np.empty(0, np.int64)
        if self._single:
            return column[:, None], joined, lengths
        indices = np.column_stack([np.repeat(np.arange(len(values), dtype=np.int64), lengths), column])
        return indices, joined, np.array([len(values), lengths.max(initial=0)], np.int64)

    def ragged(self, key: str, dtype: DType, splits: DType) -> tuple[Array, Array]:
        """Values of all Examples, and where each one's end; no splits for a single Example."""
        _, joined, _ = self.sparse(key, dtype)
        if self._single:
            return joined, np.empty(0, splits.numpy)
        lengths = [0 if v is None else len(v) for v in self.values(key, dtype)]
        return joined, np.cumsum([0, *lengths]).astype(splits.numpy)


def _keys(values: Any) -> list[str]:
    return [v.decode() for v in np.asarray(values, object).reshape(-1).tolist()]


def _read(serialized: Any, names: Any, keys: Sequence[str]) -> _Batch:
    data = np.asarray(serialized, object)
    if data.ndim > 1:
        raise InvalidArgumentError(f"Input `serialized` must be a vector or a scalar, got shape {list(data.shape)}")
    wanted = set(keys)
    texts = np.asarray(names, object).reshape(-1).tolist()
    if texts and len(texts) != data.size:
        raise InvalidArgumentError(f"names must be empty or as long as serialized, {data.size}, got {len(texts)}")
    return _Batch([features_of(d, wanted) for d in data.reshape(-1).tolist()], texts, data.ndim == 0)


def _parsed(
    batch: _Batch,
    sparse: list[tuple[str, DType]],
    dense: list[tuple[str, DType, Any, Any]],
    single: bool,
) -> list[Any]:
    triples = [batch.sparse(key, dtype) for key, dtype in sparse]
    rows = [batch.dense(key, dtype, TensorShape(shape), np.asarray(value)) for key, dtype, shape, value in dense]
    return [*(t[i] for i in range(3) for t in triples), *(row[0] if single else row for row in rows)]


def _dense_shapes(c: ShapeContext, outer: tuple[Any, ...]) -> list[Sizes]:
    shapes = [TensorShape(s).sizes for s in c.attr("dense_shapes")]
    return [None if s is None else (*outer, *s) for s in shapes]


def _batch_shape(c: ShapeContext) -> list[Sizes]:
    count = c.attr("Nsparse")
    sizes = c.input(0)
    outer = (None,) if sizes is None else sizes
    return [(None, 2)] * count + [(None,)] * count + [(2,)] * count + _dense_shapes(c, outer)


@op("ParseExample", shape=_batch_shape, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def parse_example(
    serialized: Any,
    names: Any,
    sparse_keys: tuple[Any, ...],
    dense_keys: tuple[Any, ...],
    dense_defaults: tuple[Any, ...],
    *,
    sparse_types: tuple[DType, ...],
    Tdense: tuple[DType, ...],
    dense_shapes: tuple[Any, ...],
) -> Any:
    """The features of a batch of Examples.

    returns  indices, values and shape of each sparse feature, [batch, ...] of each dense one
    raises   InvalidArgumentError for a dense feature without default that is missing, for a wrong number of values,
             another dtype, and for bytes that are no Example
    """
    sparse, dense = [k for s in sparse_keys for k in _keys(s)], [k for d in dense_keys for k in _keys(d)]
    batch = _read(np.atleast_1d(serialized), names, [*sparse, *dense])
    wanted = list(zip(dense, Tdense, dense_shapes, dense_defaults, strict=True))
    return _parsed(batch, list(zip(sparse, sparse_types, strict=True)), wanted, False)


def _batch_shape_v2(c: ShapeContext) -> list[Sizes]:
    count, sizes = c.attr("num_sparse"), c.input(0)
    ragged = len(c.attr("ragged_value_types"))
    rank = None if sizes is None else len(sizes) + 1
    splits: Sizes = (None,) if sizes is None else (sizes[0] + 1 if sizes and sizes[0] is not None else None,)
    dense = [None] * len(c.attr("Tdense")) if sizes is None else _dense_shapes(c, sizes)
    out: list[Sizes] = [(None, rank)] * count + [(None,)] * count + [(rank,)] * count
    return [*out, *dense, *[(None,)] * ragged, *[splits] * ragged]


@op("ParseExampleV2", shape=_batch_shape_v2, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def parse_example_v2(
    serialized: Any,
    names: Any,
    sparse_keys: Any,
    dense_keys: Any,
    ragged_keys: Any,
    dense_defaults: tuple[Any, ...],
    *,
    Tdense: tuple[DType, ...],
    sparse_types: tuple[DType, ...],
    ragged_value_types: tuple[DType, ...],
    ragged_split_types: tuple[DType, ...],
    dense_shapes: tuple[Any, ...],
) -> Any:
    """ParseExample of a batch or of a single Example, with ragged features: their values, then their row splits."""
    sparse, dense, ragged = _keys(sparse_keys), _keys(dense_keys), _keys(ragged_keys)
    batch = _read(serialized, names, [*sparse, *dense, *ragged])
    single = np.ndim(serialized) == 0
    wanted = list(zip(dense, Tdense, dense_shapes, dense_defaults, strict=True))
    out = _parsed(batch, list(zip(sparse, sparse_types, strict=True)), wanted, single)
    pairs = [
        batch.ragged(key, dtype, splits)
        for key, dtype, splits in zip(ragged, ragged_value_types, ragged_split_types, strict=True)
    ]
    return [*out, *(p[0] for p in pairs), *(p[1] for p in pairs)]


def _single_shape(c: ShapeContext) -> list[Sizes]:
    count = c.attr("num_sparse")
    return [(None, 1)] * count + [(None,)] * count + [(1,)] * count + _dense_shapes(c, ())


@op("ParseSingleExample", shape=_single_shape, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def parse_single_example(
    serialized: Any,
    dense_defaults: tuple[Any, ...],
    *,
    sparse_keys: tuple[bytes, ...],
    dense_keys: tuple[bytes, ...],
    sparse_types: tuple[DType, ...],
    Tdense: tuple[DType, ...],
    dense_shapes: tuple[Any, ...],
) -> Any:
    """The features of one Example, without a batch dimension."""
    sparse, dense = [k.decode() for k in sparse_keys], [k.decode() for k in dense_keys]
    batch = _read(np.asarray(serialized, object).reshape(()), np.empty(0, object), [*sparse, *dense])
    wanted = list(zip(dense, Tdense, dense_shapes, dense_defaults, strict=True))
    return _parsed(batch, list(zip(sparse, sparse_types, strict=True)), wanted, True)
