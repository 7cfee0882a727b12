"""Keys and values of a table from the lines of a text file."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError

WHOLE_LINE = -2
LINE_NUMBER = -1


def read_entries(
    lines: list[bytes],
    filename: str,
    keys: tuple[int, DType],
    values: tuple[int, DType],
    *,
    size: int,
    delimiter: bytes,
    offset: int,
) -> tuple[Any, Any]:
    """Keys and values, each given by (column, dtype); column -2 is the whole line, -1 its number.

    size    how many lines are read; all if it is -1
    offset  what is added to line numbers
    raises  InvalidArgumentError for too few lines or columns, and for a field that is no value of the dtype
    """
    for what, (column, dtype) in (("key_index", keys), ("value_index", values)):
        if column < WHOLE_LINE:
            raise InvalidArgumentError(f"Invalid {what}: {column}, it is a column, -2 (whole line) or -1 (line number)")
        if column == LINE_NUMBER and dtype.numpy.kind not in "iu":
            raise InvalidArgumentError(f"{what} -1, the number of the line, needs an integer table, not {dtype.name}")
    if size == 0 or size < -1:
        raise InvalidArgumentError(f"Invalid vocab_size: {size}, it is positive or -1 (all lines)")
    if size > len(lines):
        raise InvalidArgumentError(f"Invalid vocab_size in {filename}: expected {size} but got {len(lines)}")
    if size >= 0:
        lines = lines[:size]
    columns = max(keys[0], values[0]) + 1
    fields: list[list[bytes]] = []
    if columns > 0:
        for i, line in enumerate(lines):
            fields.append(line.split(delimiter))
            if len(fields[i]) < columns:
                raise InvalidArgumentError(
                    f"Invalid number of columns in {filename} line {i} ({line.decode(errors='replace')}) : expected at "
                    f"least {columns} got {len(fields[i])}"
                )
    return tuple(_column(lines, fields, column, dtype, offset) for column, dtype in (keys, values))


def _column(lines: list[bytes], fields: list[list[bytes]], column: int, dtype: DType, offset: int) -> Any:
    if column == LINE_NUMBER:
        return np.arange(offset, offset + len(lines), dtype=dtype.numpy)
    texts = lines if column == WHOLE_LINE else [row[column] for row in fields]
    out = np.empty(len(texts), dtype.numpy)
    if dtype.numpy.kind == "O":
        out[:] = texts
        return out
    convert = int if dtype.numpy.kind in "iu" else float
    for i, text in enumerate(texts):
        try:
            out[i] = convert(text)
        except (ValueError, OverflowError):
            shown = text.decode(errors="replace")
            raise InvalidArgumentError(f"Field {shown} in line {i} is not a valid {dtype.name}.") from None
    return out
