"""The fields of lines of CSV, and the values that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.numerals import number


def csv_value(field: bytes, dtype: DType, default: Any, na_value: bytes, which: str, where: str) -> Any:
    """The value of a field; the default, a tensor of one element or none, for one without content.

    which, where  the field and its record, for messages
    raises        InvalidArgumentError for what is no number, or without content where there is no default
    """
    if field in (b"", na_value):
        if not np.size(default):
            raise InvalidArgumentError(f"{which} is required but missing in {where}!")
        return np.asarray(default).reshape(-1)[0]
    value = field if dtype.numpy.kind == "O" else number(field, dtype)
    if value is None:
        name = {"float32": "float", "float64": "double"}.get(dtype.name, dtype.name)
        raise InvalidArgumentError(f"{which} in {where} is not a valid {name}: {field.decode(errors='replace')}")
    return value


def csv_fields(record: bytes, delimiter: bytes, quotes: bool) -> list[bytes]:
    """The fields of one line. InvalidArgumentError for quotes and line ends where none can be."""
    if not record:
        return []
    if not quotes:
        return record.split(delimiter)
    out: list[bytes] = []
    at = 0
    while at <= len(record):
        if record[at : at + 1] == b'"':
            field, at = _quoted(record, at + 1, delimiter)
        else:
            end = record.find(delimiter, at)
            end = len(record) if end < 0 else end
            field, at = record[at:end], end
            if any(c in field for c in (b'"', b"\n", b"\r")):
                raise InvalidArgumentError("Unquoted fields cannot have quotes/CRLFs inside")
        out.append(field)
        at += 1
    return out


def _quoted(record: bytes, at: int, delimiter: bytes) -> tuple[bytes, int]:
    """The field whose opening quote stands before `at`, and where it ends."""
    parts = []
    while True:
        end = record.find(b'"', at)
        if end < 0:
            raise InvalidArgumentError("Quoted field has to end with quote followed by delim or end")
        parts.append(record[at:end])
        following = record[end + 1 : end + 2]
        if following in (b"", delimiter):
            return b"".join(parts), end + 1
        if following != b'"':
            raise InvalidArgumentError("Quote inside a string has to be escaped by another quote")
        parts.append(b'"')
        at = end + 2
