"""Serialized Examples to tensors: dense, padded, sparse and ragged features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.opkit.examples import Batch
from regraft.opkit.registry import Runs, op
from regraft.opkit.several import only_first
from regraft.opkit.shapes import ShapeContext, Sizes
from regraft.serde.example import features_of_all

_NO_GRADIENT = "values from strings"


def _keys(values: Any) -> list[str]:
    return [v.decode() for v in np.asarray(values, object).reshape(-1).tolist()]


def _read(serialized: Any, names: Any, keys: Sequence[str]) -> Batch:
    data = np.asarray(serialized, object)
    if data.ndim > 1:
        raise InvalidArgumentError(f"Input `serialized` must be a vector or a scalar, got shape {list(data.shape)}")
    wanted = set(keys)
    texts = np.asarray(names, object).reshape(-1).tolist()
    if texts and len(texts) != data.size:
        raise InvalidArgumentError(f"names must be empty or as long as serialized, {data.size}, got {len(texts)}")
    return Batch(features_of_all(data.reshape(-1).tolist(), wanted), texts, data.ndim == 0)


def _parsed(
    batch: Batch,
    sparse: list[tuple[str, DType]],
    dense: list[tuple[str, DType, Any, Any]],
    single: bool,
) -> list[Any]:
    triples = [batch.sparse(key, dtype) for key, dtype in sparse]
    rows = [batch.dense(key, dtype, TensorShape(shape), np.asarray(value)) for key, dtype, shape, value in dense]
    return [*(t[i] for i in range(3) for t in triples), *(row[0, ...] if single else row for row in rows)]


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


def _fits(serialized: Any, keys: Sequence[int], dense_shapes: tuple[Any, ...], rows: Sequence[Any]) -> bool:
    """Whether single Examples give what a batch of them does: one row each, as features of known shapes do."""
    if not only_first(rows) or serialized.ndim != 1 or any(keys):
        return False
    return all(TensorShape(shape).is_fully_defined() for shape in dense_shapes)


@parse_example_v2.rows
def _(*inputs: Any, rows: Sequence[Any], **attrs: Any) -> Any:
    serialized, names, sparse_keys, _, ragged_keys, _ = inputs
    if not _fits(serialized, (np.size(sparse_keys), np.size(ragged_keys), np.size(names)), attrs["dense_shapes"], rows):
        return None
    return parse_example_v2(*inputs, **attrs)


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
    one = np.asarray(serialized, object).reshape(())
    sparse, dense = [k.decode() for k in sparse_keys], [k.decode() for k in dense_keys]
    return _features(one, sparse, sparse_types, dense, Tdense, dense_shapes, dense_defaults)


@parse_single_example.rows
def _(serialized: Any, dense_defaults: tuple[Any, ...], *, rows: Sequence[Any], **attrs: Any) -> Any:
    if not _fits(serialized, (len(attrs["sparse_keys"]),), attrs["dense_shapes"], rows):
        return None
    dense = [k.decode() for k in attrs["dense_keys"]]
    return _features(serialized, [], (), dense, attrs["Tdense"], attrs["dense_shapes"], dense_defaults)


def _features(
    serialized: Any,
    sparse: list[str],
    sparse_types: tuple[DType, ...],
    dense: list[str],
    dense_types: tuple[DType, ...],
    dense_shapes: tuple[Any, ...],
    dense_defaults: tuple[Any, ...],
) -> list[Any]:
    """The features of nameless Examples: of a batch of them, or of a single one."""
    batch = _read(serialized, np.empty(0, object), [*sparse, *dense])
    wanted = list(zip(dense, dense_types, dense_shapes, dense_defaults, strict=True))
    return _parsed(batch, list(zip(sparse, sparse_types, strict=True)), wanted, np.ndim(serialized) == 0)
