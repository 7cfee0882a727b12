"""Serialized SequenceExamples to tensors: features of the context, and lists of features with a step each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.base.shapes import TensorShape
from regraft.opkit.examples import Batch, type_name
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank
from regraft.serde.example import FeatureLists, sequences_of

_NO_GRADIENT = "values from strings"
Array = np.ndarray[Any, Any]


def _keys(values: Any) -> list[str]:
    return [v.decode() for item in values for v in np.asarray(item, object).reshape(-1).tolist()]


def _shown(shape: TensorShape) -> str:
    return f"[{','.join('?' if d is None else str(d) for d in shape.sizes or ())}]"


class _Lists:
    """The feature lists of some SequenceExamples. `names` say in errors which one is meant."""

    def __init__(self, rows: list[FeatureLists], names: list[bytes], single: bool) -> None:
        self._rows = rows
        self._names = names
        self._single = single

    def _where(self, row: int) -> str:
        return f"Name: {self._names[row].decode(errors='replace') if self._names else '<unknown>'}, "

    def _steps(self, row: int, key: str, dtype: DType) -> list[Array]:
        out = []
        for i, found in enumerate(self._rows[row].get(key, ())):
            if found is not None and found[0] is not dtype.base:
                raise InvalidArgumentError(
                    f"{self._where(row)}Feature list: {key}, Index: {i}.  Data types don't match. "
                    f"Expected type: {type_name(dtype)}"
                )
            out.append(np.empty(0, dtype.numpy) if found is None else found[1])
        return out

    def dense(self, key: str, dtype: DType, shape: TensorShape, may_miss: bool) -> tuple[Array, Array]:
        """Values [batch, longest, *shape], filled up with zeros or no characters, and lengths [batch]."""
        if not shape.known:
            raise InvalidArgumentError(f"the shape of feature list {key!r} must be known, is {shape}")
        sizes = [int(d or 0) for d in shape.as_list()]
        count = math.prod(sizes)
        steps = []
        for row, lists in enumerate(self._rows):
            if key not in lists and not may_miss:
                raise InvalidArgumentError(
                    f"{self._where(row)}Feature list '{key}' is required but could not be found.  Did you mean to "
                    "include it in feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?"
                )
            steps.append(self._steps(row, key, dtype))
            for i, values in enumerate(steps[-1]):
                if len(values) != count:
                    raise InvalidArgumentError(
                        f"{self._where(row)}Key: {key}, Index: {i}.  Number of values != expected.  "
                        f"values size: {len(values)} but output shape: {_shown(shape)}"
                    )
        lengths = np.array([len(s) for s in steps], np.int64)
        out = np.full((len(steps), int(lengths.max(initial=0)), count), _nothing(dtype), dtype.numpy)
        for row, rows in enumerate(steps):
            for i, values in enumerate(rows):
                out[row, i] = values
        return out.reshape(*out.shape[:2], *sizes), lengths

    def sparse(self, key: str, dtype: DType) -> tuple[Array, Array, Array]:
        """Indices [n, 3], values, and shape [batch, longest list, longest feature]; no batch for a single one."""
        steps = [self._steps(row, key, dtype) for row in range(len(self._rows))]
        places = [
            (row, i, j) for row, rows in enumerate(steps) for i, values in enumerate(rows) for j in range(len(values))
        ]
        flat = [values for rows in steps for values in rows]
        indices = np.array(places, np.int64).reshape(-1, 3)
        longest = max((len(values) for values in flat), default=0)
        shape = np.array([len(steps), max((len(rows) for rows in steps), default=0), longest], np.int64)
        values = np.concatenate(flat) if flat else np.empty(0, dtype.numpy)
        return (indices[:, 1:], values, shape[1:]) if self._single else (indices, values, shape)


def _nothing(dtype: DType) -> Any:
    return b"" if dtype.name == "string" else 0


def _parsed(
    serialized: Any,
    names: Any,
    context: tuple[list[tuple[str, DType]], list[tuple[str, DType, Any, Any]]],
    lists: tuple[list[tuple[str, DType]], list[tuple[str, DType, Any, bool]]],
) -> tuple[list[Any], list[Any], list[Any]]:
    """(outputs of the context, of the lists, lengths of the dense lists)."""
    data = np.asarray(serialized, object)
    if data.ndim > 1:
        raise InvalidArgumentError(f"Input `serialized` must be a vector or a scalar, got shape {list(data.shape)}")
    single = data.ndim == 0
    texts = np.asarray(names, object).reshape(-1).tolist()
    if texts and len(texts) != data.size:
        raise InvalidArgumentError(f"names must be empty or as long as serialized, {data.size}, got {len(texts)}")
    wanted = [{entry[0] for part in parts for entry in part} for parts in (context, lists)]
    found = [sequences_of(d, *wanted) for d in data.reshape(-1).tolist()]
    features = Batch([f for f, _ in found], texts, single)
    rows = _Lists([steps for _, steps in found], texts, single)
    first = [features.sparse(key, dtype) for key, dtype in context[0]]
    dense = [features.dense(key, dtype, TensorShape(s), np.asarray(value)) for key, dtype, s, value in context[1]]
    second = [rows.sparse(key, dtype) for key, dtype in lists[0]]
    filled = [rows.dense(key, dtype, TensorShape(s), may_miss) for key, dtype, s, may_miss in lists[1]]
    return (
        [*(t[i] for i in range(3) for t in first), *(d[0] if single else d for d in dense)],
        [*(t[i] for i in range(3) for t in second), *(v[0] if single else v for v, _ in filled)],
        [n[0] if single else n for _, n in filled],
    )


def _sparse_shapes(count: int, rank: int | None) -> list[Sizes]:
    out: list[Sizes] = [(None, rank)] * count
    return [*out, *[(None,)] * count, *[(rank,)] * count]


def _shapes(c: ShapeContext, sizes: Sizes, ragged: bool) -> list[Sizes]:
    rank = None if sizes is None else len(sizes)
    context = [TensorShape(s).sizes for s in c.attr("context_dense_shapes")]
    lists = [TensorShape(s).sizes for s in c.attr("feature_list_dense_shapes")]

    def below(head: tuple[Any, ...], shapes: list[Sizes]) -> list[Sizes]:
        return [None if sizes is None or s is None else (*sizes, *head, *s) for s in shapes]

    out = _sparse_shapes(c.attr("Ncontext_sparse"), None if rank is None else rank + 1)
    out += below((), context)
    splits: Sizes = (None,)
    if sizes is not None:
        splits = (sizes[0] + 1 if sizes and sizes[0] is not None else None,)
    if ragged:
        count = len(c.attr("context_ragged_value_types"))
        out += [(None,)] * count + [splits] * count
    out += _sparse_shapes(c.attr("Nfeature_list_sparse"), None if rank is None else rank + 2)
    out += below((None,), lists)
    out += [sizes] * len(lists)
    if ragged:
        count = len(c.attr("feature_list_ragged_value_types"))
        out += [(None,)] * count + [splits] * count + [(None,)] * count
    return out


def _shape_v2(c: ShapeContext) -> list[Sizes]:
    return _shapes(c, c.input(0), ragged=True)


@op("ParseSequenceExampleV2", shape=_shape_v2, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def parse_sequence_example_v2(
    serialized: Any,
    debug_name: Any,
    context_sparse_keys: Any,
    context_dense_keys: Any,
    context_ragged_keys: Any,
    feature_list_sparse_keys: Any,
    feature_list_dense_keys: Any,
    feature_list_ragged_keys: Any,
    feature_list_dense_missing_assumed_empty: Any,
    context_dense_defaults: tuple[Any, ...],
    *,
    context_sparse_types: tuple[DType, ...],
    Tcontext_dense: tuple[DType, ...],
    context_dense_shapes: tuple[Any, ...],
    feature_list_sparse_types: tuple[DType, ...],
    feature_list_dense_types: tuple[DType, ...],
    feature_list_dense_shapes: tuple[Any, ...],
) -> Any:
    """The features of a batch of SequenceExamples, or of a single one.

    raises  InvalidArgumentError for what is missing, of another type or number; UnimplementedError for ragged features
    """
    if np.size(context_ragged_keys) or np.size(feature_list_ragged_keys):
        raise UnimplementedError("ragged features of SequenceExamples are not supported")
    dense = _keys([context_dense_keys])
    list_keys = _keys([feature_list_dense_keys])
    may_miss = np.asarray(feature_list_dense_missing_assumed_empty).tolist()
    first, second, lengths = _parsed(
        serialized,
        debug_name,
        (
            list(zip(_keys([context_sparse_keys]), context_sparse_types, strict=True)),
            list(zip(dense, Tcontext_dense, context_dense_shapes, context_dense_defaults, strict=True)),
        ),
        (
            list(zip(_keys([feature_list_sparse_keys]), feature_list_sparse_types, strict=True)),
            list(zip(list_keys, feature_list_dense_types, feature_list_dense_shapes, may_miss, strict=True)),
        ),
    )
    return [*first, *second, *lengths]


def _shape_of_batch(c: ShapeContext) -> list[Sizes]:
    return _shapes(c, with_rank(c, c.input(0), 1), ragged=False)


@op("ParseSequenceExample", shape=_shape_of_batch, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def parse_sequence_example(
    serialized: Any,
    debug_name: Any,
    context_dense_defaults: tuple[Any, ...],
    *,
    feature_list_dense_missing_assumed_empty: tuple[bytes, ...],
    context_sparse_keys: tuple[bytes, ...],
    context_dense_keys: tuple[bytes, ...],
    feature_list_sparse_keys: tuple[bytes, ...],
    feature_list_dense_keys: tuple[bytes, ...],
    context_sparse_types: tuple[DType, ...],
    Tcontext_dense: tuple[DType, ...],
    context_dense_shapes: tuple[Any, ...],
    feature_list_sparse_types: tuple[DType, ...],
    feature_list_dense_types: tuple[DType, ...],
    feature_list_dense_shapes: tuple[Any, ...],
) -> Any:
    """The features of a batch of SequenceExamples."""
    may_miss = [key in feature_list_dense_missing_assumed_empty for key in feature_list_dense_keys]
    lists = _keys(feature_list_dense_keys)
    first, second, lengths = _parsed(
        serialized,
        debug_name,
        (
            list(zip(_keys(context_sparse_keys), context_sparse_types, strict=True)),
            list(
                zip(
                    _keys(context_dense_keys),
                    Tcontext_dense,
                    context_dense_shapes,
                    context_dense_defaults,
                    strict=True,
                )
            ),
        ),
        (
            list(zip(_keys(feature_list_sparse_keys), feature_list_sparse_types, strict=True)),
            list(zip(lists, feature_list_dense_types, feature_list_dense_shapes, may_miss, strict=True)),
        ),
    )
    return [*first, *second, *lengths]


def _shape_of_single(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 0)
    context = [TensorShape(s).sizes for s in c.attr("context_dense_shapes")]
    lists = [TensorShape(s).sizes for s in c.attr("feature_list_dense_shapes")]
    return [
        *_sparse_shapes(c.attr("Ncontext_sparse"), 1),
        *context,
        *_sparse_shapes(c.attr("Nfeature_list_sparse"), 2),
        *(None if s is None else (None, *s) for s in lists),
    ]


@op("ParseSingleSequenceExample", shape=_shape_of_single, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def parse_single_sequence_example(
    serialized: Any,
    feature_list_dense_missing_assumed_empty: Any,
    context_sparse_keys: tuple[Any, ...],
    context_dense_keys: tuple[Any, ...],
    feature_list_sparse_keys: tuple[Any, ...],
    feature_list_dense_keys: tuple[Any, ...],
    context_dense_defaults: tuple[Any, ...],
    debug_name: Any,
    *,
    context_sparse_types: tuple[DType, ...],
    Tcontext_dense: tuple[DType, ...],
    context_dense_shapes: tuple[Any, ...],
    feature_list_sparse_types: tuple[DType, ...],
    feature_list_dense_types: tuple[DType, ...],
    feature_list_dense_shapes: tuple[Any, ...],
) -> Any:
    """The features of one SequenceExample."""
    assumed = set(_keys([feature_list_dense_missing_assumed_empty]))
    lists = _keys(feature_list_dense_keys)
    may_miss = [key in assumed for key in lists]
    dense = _keys(context_dense_keys)
    first, second, _ = _parsed(
        np.asarray(serialized, object).reshape(()),
        debug_name if np.asarray(debug_name, object).reshape(-1).tolist() != [b""] else np.empty(0, object),
        (
            list(zip(_keys(context_sparse_keys), context_sparse_types, strict=True)),
            list(zip(dense, Tcontext_dense, context_dense_shapes, context_dense_defaults, strict=True)),
        ),
        (
            list(zip(_keys(feature_list_sparse_keys), feature_list_sparse_types, strict=True)),
            list(zip(lists, feature_list_dense_types, feature_list_dense_shapes, may_miss, strict=True)),
        ),
    )
    return [*first, *second]
