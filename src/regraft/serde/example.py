"""The features of `proto.Example` and `proto.SequenceExample`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft import proto
from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.wire import fields

Features = dict[str, tuple[DType, Sequence[Any]]]
FeatureLists = dict[str, list[tuple[DType, np.ndarray[Any, Any]] | None]]

# So few values are taken one by one: looking at them as a sequence costs more than that.
_FEW = 8
# So many are parsed together.
_SEVERAL = 4
_DTYPES = {"float_list": dtypes.float32, "int64_list": dtypes.int64, "bytes_list": dtypes.string}


def features_of(data: bytes, wanted: set[str]) -> Features:
    """(dtype, values) of those features of a serialized Example that are wanted and set.

    raises InvalidArgumentError for bytes that are no Example
    """
    try:
        message = proto.Example.FromString(data)
    except proto.DecodeError as e:
        raise InvalidArgumentError(f"Could not parse example input, value: {data[:80]!r}") from e
    return _read(message.features.feature, wanted)


def features_of_all(data: Sequence[bytes], wanted: set[str]) -> list[Features]:
    """`features_of` for each of several Examples, which are parsed as parts of one message.

    Each message takes memory of its own, and whenever some thousand of them have given it back, protobuf has glibc
    return all that is free to the system: a program that runs beside loses the pages in which it computes.
    """
    if len(data) < _SEVERAL:
        return [features_of(example, wanted) for example in data]
    try:
        found = proto.ExampleList.FromString(b"".join(fields.tagged(1, example) for example in data)).example
    except proto.DecodeError:
        return [features_of(example, wanted) for example in data]  # to say which one is none
    return [_read(example.features.feature, wanted) for example in found]


def sequences_of(data: bytes, context: set[str], lists: set[str]) -> tuple[Features, FeatureLists]:
    """The wanted features of a SequenceExample's context, and of each wanted list the features of its steps.

    raises InvalidArgumentError for bytes that are no SequenceExample
    """
    try:
        message = proto.SequenceExample.FromString(data)
    except proto.DecodeError as e:
        raise InvalidArgumentError(f"Could not parse example input, value: {data[:80]!r}") from e
    found = message.feature_lists.feature_list
    steps = {name: [_as_arrays(_values(f)) for f in found[name].feature] for name in lists if name in found}
    return _read(message.context.feature, context), steps


def _read(entries: Any, wanted: set[str]) -> Features:
    out: Features = {}
    for name in wanted:
        values = _values(entries[name]) if name in entries else None
        if values is not None:
            out[name] = values
    return out


def _values(feature: Any) -> tuple[DType, Sequence[Any]] | None:
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    return _DTYPES[kind], getattr(feature, kind).value


def as_array(dtype: DType, values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """The values of a feature as an array of its dtype."""
    if len(values) <= _FEW:
        return np.fromiter(values, dtype.numpy, len(values))
    array = np.empty(len(values), dtype.numpy)
    array[:] = values
    return array


def _as_arrays(found: tuple[DType, Sequence[Any]] | None) -> tuple[DType, np.ndarray[Any, Any]] | None:
    return None if found is None else (found[0], as_array(*found))
