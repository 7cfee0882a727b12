"""Protobuf's own wire format, for messages whose packed numbers are too many for message classes.

A list of floats in a message class becomes one Python object a value; here it becomes an array.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from regraft.base.errors import DataLossError
from regraft.wire import varint

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}


def split(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Number, wire type and content of each field, in file order; a varint's content is its bytes.

    raises   DataLossError if the message is cut short, or a wire type is none of the four
    """
    for number, kind, _, start, end in places(message):
        yield number, kind, message[start:end]


def places(message: varint.Octets) -> Iterator[tuple[int, int, int, int, int]]:
    """Number and wire type of each field, where it starts, and where its content starts and ends. Raises as `split`."""
    at = 0
    while at < len(message):
        start = at
        tag, at = varint.decode(message, at)
        number, kind = tag >> 3, tag & 7
        content_at = at
        if kind == BYTES:
            length, content_at = varint.decode(message, at)
            at = content_at + length
        elif kind == VARINT:
            _, at = varint.decode(message, at)
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise DataLossError(f"field {number} has wire type {kind}", where=(f"byte {start} of a message",))
        if at > len(message):
            raise DataLossError(
                f"field {number} ends {at - len(message):,} bytes behind its message",
                where=(f"byte {start} of a message",),
            )
        yield number, kind, start, content_at, at


def tagged(number: int, content: bytes | memoryview) -> bytes:
    """A field of wire type BYTES."""
    return _head(number, len(content)) + content


@lru_cache(maxsize=1024)
def _head(number: int, length: int) -> bytes:
    return varint.encode(number << 3 | BYTES) + varint.encode(length)


def decode_varints(packed: memoryview) -> npt.NDArray[np.uint64]:
    """All varints in `packed`, one behind another."""
    data = np.frombuffer(packed, np.uint8) if len(packed) else np.empty(0, np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        raise DataLossError("packed numbers end inside a varint", where=(f"byte {len(data)} of a field",))
    starts = np.concatenate([np.zeros(1, ends.dtype), ends[:-1] + 1]) if len(ends) else ends
    lengths = ends - starts + 1
    longest = int(lengths.max(initial=0))
    if longest > varint.MAX_BYTES:
        raise DataLossError("a varint has more than 64 bits", where=("packed numbers of a field",))
    values = np.zeros(len(ends), np.uint64)
    for group in range(longest):
        has = lengths > group
        part = data[starts[has] + group].astype(np.uint64) & np.uint64(0x7F)
        values[has] |= part << np.uint64(7 * group)
    return values


def encode_varints(values: npt.NDArray[Any]) -> bytes:
    """Integers of any type as packed varints; negative ones take ten bytes, as those of int32 and int64 fields do."""
    rest = values.astype(np.uint64) if values.dtype.kind == "u" else values.astype(np.int64).view(np.uint64)
    lengths = np.ones(len(rest), np.int64)
    for group in range(1, varint.MAX_BYTES):
        lengths += rest >> np.uint64(7 * group) != 0
    starts = np.cumsum(lengths) - lengths
    out = np.empty(int(lengths.sum()), np.uint8)
    for group in range(int(lengths.max(initial=0))):
        has = lengths > group
        part = (rest[has] >> np.uint64(7 * group)).astype(np.uint8) & np.uint8(0x7F)
        out[starts[has] + group] = part | (lengths[has] > group + 1).astype(np.uint8) << np.uint8(7)
    return out.tobytes()
