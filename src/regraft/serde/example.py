"""The features of `proto.Example`, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft import proto
from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError

Features = dict[str, tuple[DType, np.ndarray[Any, Any]]]

_DTYPES = {"float_list": dtypes.float32, "int64_list": dtypes.int64, "bytes_list": dtypes.string}


def features_of(data: bytes, wanted: set[str]) -> Features:
    """(dtype, values) of those features of a serialized Example that are wanted and set.

    raises InvalidArgumentError for bytes that are no Example
    """
    try:
        message = proto.Example.FromString(data)
    except proto.DecodeError as e:
        raise InvalidArgumentError(f"Could not parse example input, value: {data[:80]!r}") from e
    entries = message.features.feature
    out: Features = {}
    for name in wanted:
        if name not in entries:
            continue
        kind = entries[name].WhichOneof("kind")
        if kind is None:
            continue
        dtype = _DTYPES[kind]
        values = getattr(entries[name], kind).value
        array = np.empty(len(values), dtype.numpy)
        array[:] = values
        out[name] = (dtype, array)
    return out
