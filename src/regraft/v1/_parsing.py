"""From serialized Examples, lines of CSV, raw bytes and JSON to tensors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from regraft.ir.node import Tensor
from regraft.v1._array import rank
from regraft.v1._assertion import Assert
from regraft.v1._graph_control import with_dependencies
from regraft.v1._math import equal
from regraft.v1._opening import on, opened, renamed
from regraft.v1._parsing_features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    SparseFeature,
    VarLenFeature,
    Wanted,
    batched,
)
from regraft.v1._sparse import merge
from regraft.v1._sparse_tensor import SparseTensor

_Sequences = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]

_OF_CONTEXT = (VarLenFeature, FixedLenFeature)
_OF_LISTS = (VarLenFeature, FixedLenSequenceFeature)


def parse_example(
    serialized: Any, features: Mapping[str, Any], name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """The features of a vector of serialized Examples, by their names.

    features  VarLenFeature and SparseFeature become sparse tensors, FixedLenFeature [batch, *shape],
              FixedLenSequenceFeature [batch, longest, *shape]
    raises    ValueError for features that contradict each other; InvalidArgumentError, when run, for an Example that
              lacks a feature or has another number of values
    """
    if not features:
        raise ValueError(f"Argument `features` cannot be None or falsy. Got {features}")
    features = batched(features)
    wanted = Wanted.of(features, (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature))
    with opened(name, "ParseExample", serialized, example_names) as (b, _):
        serialized = b.convert(serialized, name="serialized")
        indices, values, shapes, dense, *_ = b.ParseExampleV2(
            serialized,
            [] if example_names is None else example_names,
            list(wanted.sparse),
            list(wanted.dense),
            [],
            wanted.dense_defaults(),
            num_sparse=len(wanted.sparse),
            sparse_types=list(wanted.sparse.values()),
            ragged_value_types=[],
            ragged_split_types=[],
            dense_shapes=[shape for shape, _ in wanted.dense.values()],
            name=name,
        )
        found = _by_name(wanted, indices, values, shapes, dense)
    for key in sorted(features):
        feature = features[key]
        if isinstance(feature, SparseFeature):
            one = isinstance(feature.index_key, str)
            ids = found[feature.index_key] if one else [found[k] for k in feature.index_key]
            found[key] = merge(ids, found[feature.value_key], feature.size, already_sorted=feature.already_sorted)
    return {key: value for key, value in found.items() if key in features}


def _by_name(wanted: Wanted, indices: Any, values: Any, shapes: Any, dense: Any) -> dict[str, Any]:
    sparse = [SparseTensor(*three) for three in zip(indices, values, shapes, strict=True)]
    return dict(zip([*wanted.sparse, *wanted.dense], [*sparse, *dense], strict=True))


def parse_single_example(
    serialized: Any, features: Mapping[str, Any], name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """The features of one serialized Example, without a batch dimension."""
    if not features:
        raise ValueError(f"Invalid argument: features cannot be {'None' if features is None else 'empty'}.")
    with opened(name, "ParseSingleExample", serialized, example_names) as (b, _):
        serialized = _scalar(b.convert(serialized, name="serialized"), "serialized")
        return parse_example(serialized, features, name, example_names)


def _scalar(value: Tensor, name: str) -> Any:
    known = value.shape.rank
    if known is None:
        check = Assert(equal(rank(value), 0), [f"Input {name} must be a scalar"], name=f"{name.capitalize()}IsScalar")
        checked = with_dependencies([check], value, name=f"{name}Dependencies")
        checked.set_shape([])
        return checked
    if known:
        raise ValueError(f"Input {name} must be a scalar")
    return value


def parse_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_names: Any = None,
    name: str | None = None,
) -> _Sequences:
    """(context features, feature lists, lengths of the dense feature lists) of a vector of SequenceExamples."""
    if not (context_features or sequence_features):
        raise ValueError(
            "Both `context_features` and `sequence_features` argument are None, but at least one should have values."
        )
    context = Wanted.of(context_features, _OF_CONTEXT)
    lists = Wanted.of(sequence_features, _OF_LISTS)
    with opened(name, "ParseSequenceExample", serialized, example_names):
        return _sequences(serialized, example_names, context, lists, name)


def parse_single_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(context features, feature lists) of one serialized SequenceExample.

    FixedLenFeature of the context is [*shape], FixedLenSequenceFeature of a list [length, *shape], VarLenFeature sparse
    """
    if not (context_features or sequence_features):
        raise ValueError("Both context_features and sequence_features are None, but at least one should have values.")
    context = Wanted.of(context_features, _OF_CONTEXT)
    lists = Wanted.of(sequence_features, _OF_LISTS)
    with opened(name, "ParseSingleSequenceExample", serialized, example_name):
        with opened(name, "ParseSingleExample", serialized, example_name) as (b, _):
            serialized = _scalar(b.convert(serialized, name="serialized"), "serialized")
        found = _sequences(serialized, example_name, context, lists, name)
        return found[0], found[1]


def _sequences(serialized: Any, names: Any, context: Wanted, lists: Wanted, name: str | None) -> _Sequences:
    with opened(name, "ParseSequenceExample", serialized) as (b, _):
        for key, default in lists.defaults.items():
            if default is not None:
                raise ValueError(f"Value feature_list.dense_defaults[{key}] must be None")
        serialized = b.convert(serialized, name="serialized")
        out = b.ParseSequenceExampleV2(
            serialized,
            [] if names is None else names,
            list(context.sparse),
            list(context.dense),
            [],
            list(lists.sparse),
            list(lists.dense),
            [],
            [key in lists.defaults for key in lists.dense],
            context.dense_defaults(),
            Ncontext_sparse=len(context.sparse),
            Nfeature_list_sparse=len(lists.sparse),
            Nfeature_list_dense=len(lists.dense),
            context_sparse_types=list(context.sparse.values()),
            context_ragged_value_types=[],
            context_ragged_split_types=[],
            feature_list_dense_types=[dtype for _, dtype in lists.dense.values()],
            feature_list_sparse_types=list(lists.sparse.values()),
            feature_list_ragged_value_types=[],
            feature_list_ragged_split_types=[],
            context_dense_shapes=[shape for shape, _ in context.dense.values()],
            feature_list_dense_shapes=[shape for shape, _ in lists.dense.values()],
            name=name,
        )
        first = _by_name(context, *out[:4])
        second = _by_name(lists, *out[6:10])
        return first, second, dict(zip(lists.dense, out[10], strict=True))


def decode_raw(
    input_bytes: Any = None,
    out_type: Any = None,
    little_endian: bool = True,
    name: str | None = None,
    bytes: Any = None,
) -> Any:
    """The numbers whose bytes each string holds, [*shape, count]. ValueError without a type."""
    input_bytes = renamed("input_bytes", input_bytes, "bytes", bytes)
    if out_type is None:
        raise ValueError("decode_raw() missing 1 positional argument: 'out_type'")
    return on(input_bytes).DecodeRaw(input_bytes, out_type=out_type, little_endian=little_endian, name=name)


def decode_csv(
    records: Any,
    record_defaults: Any,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
    select_cols: Any = None,
) -> list[Any]:
    """The columns of lines of CSV, each of the type of its default; an empty default makes a column required.

    raises  ValueError for `select_cols` that do not grow, or that are not as many as the defaults
    """
    if select_cols is not None:
        if any(a >= b for a, b in itertools.pairwise(select_cols)):
            raise ValueError("select_cols is not strictly increasing.")
        if select_cols[0] < 0:
            raise ValueError("select_cols contains negative values.")
        if len(select_cols) != len(record_defaults):
            raise ValueError("Length of select_cols and record_defaults do not match.")
    columns: list[Any] = on(records, record_defaults).DecodeCSV(
        records,
        record_defaults,
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        select_cols=select_cols,
        name=name,
    )
    return columns


def decode_json_example(json_examples: Any, name: str | None = None) -> Any:
    """Serialized Examples of Examples written as JSON."""
    return on(json_examples).DecodeJSONExample(json_examples, name=name)


def serialize_tensor(tensor: Any, name: str | None = None) -> Any:
    """The tensor as a serialized TensorProto."""
    return on(tensor).SerializeTensor(tensor, name=name)
