"""The fields of thousands of small messages at once, as columns of numbers: an object for each would cost too much.

Everything here reads bytes that a message class has taken already, so lengths are true. What the usual writer of
protobuf never does (a tag of two bytes, a field that is no BYTES) is not decoded here: the answer is None then, and
the caller reads the messages one by one.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from regraft.wire import varint
from regraft.wire.fields import BYTES

Column = npt.NDArray[np.signedinteger[Any]]
Octets = npt.NDArray[np.uint8]

_FIRST = 1 << 3 | BYTES

_AT_ONCE = 1 << 16
"""Bytes that are looked at together: few enough to use the same memory again and again."""

_FEW = 64
"""So few messages are read one by one: a step over all of them costs as much as this many by hand."""


@dataclass(frozen=True)
class Fields:
    """BYTES fields of many messages, in no order but that a later field of one message comes later.

    tag      number << 3 | wire type
    message  which message a field belongs to
    start, end  of its content
    """

    tag: Octets
    message: Column
    start: Column
    end: Column

    def of(self, tag: int) -> Fields:
        """The fields with this tag."""
        return self.at(np.flatnonzero(self.tag == tag))

    def in_order(self) -> Fields:
        """The fields as they lie in the bytes."""
        return self.at(np.argsort(self.start, kind="stable"))

    def at(self, rows: Column) -> Fields:
        """These of the fields."""
        return Fields(self.tag[rows], self.message[rows], self.start[rows], self.end[rows])


def leading(data: bytes, octets: Octets, at: int, end: int, tag: int) -> tuple[Column, Column]:
    """Where the contents of the fields start and end that stand first in data[at:end] and have this one-byte tag.

    octets  the bytes of `data`
    """
    places, starts, behind = _alike(octets, at, end, tag)
    # Where each of these ends as the next begins, all are fields if the first is.
    breaks = np.append(np.flatnonzero(behind[:-1] != places[1:]), len(places) - 1)
    found: list[tuple[Column, Column]] = [(starts[:0], starts[:0])]
    while at < end and data[at] == tag:
        first = bisect_left(places, at)
        if first < len(places) and places[first] == at:
            last = breaks[bisect_left(breaks, first)]
            found.append((starts[first : last + 1], behind[first : last + 1]))
            at = int(behind[last])
        else:
            length, at = varint.decode(data, at + 1)
            found.append((np.array([at]), np.array([at + length])))
            at += length
    return np.concatenate([start for start, _ in found]), np.concatenate([stop for _, stop in found])


def _alike(octets: Octets, at: int, end: int, tag: int) -> tuple[Column, Column, Column]:
    """What looks like a field with this tag that holds a message which begins with its field 1: place, start, end.

    Only lengths of one or two bytes are looked for.
    """
    found: list[Column] = []
    for first in range(at, end, _AT_ONCE):
        window = octets[first : min(first + _AT_ONCE, end) + 3]
        is_tag, is_first = window == tag, window == _FIRST
        found.append(first + np.flatnonzero(is_tag[:-3] & (is_first[2:-1] | is_first[3:])))
    places = np.concatenate(found) if found else np.empty(0, np.int64)
    low, high = octets[places + 1].astype(np.int64), octets[places + 2].astype(np.int64)
    long = low > 127
    fits = np.where(long, (high < 128) & (octets[places + 3] == _FIRST), high == _FIRST)
    starts = places + 2 + long
    ends = starts + np.where(long, low - 128 + (high << 7), low)
    return places[fits], starts[fits], ends[fits]


def fields_of(octets: Octets, starts: Column, ends: Column) -> Fields | None:
    """The fields of the messages octets[starts[i]:ends[i]]; None where one of them is no BYTES with a one-byte tag.

    All messages are gone through together, a field of each at a time.
    """
    # Half the memory is half the time that its first touch takes.
    size = np.int32 if len(octets) < 1 << 31 else np.int64
    rows: Column = np.flatnonzero(starts < ends).astype(size)
    at: Column = starts[rows].astype(size)
    end: Column = ends[rows].astype(size)
    tags: list[Octets] = []
    messages: list[Column] = []
    contents: list[Column] = []
    behind: list[Column] = []
    while len(rows) > _FEW:
        tag = octets[at]
        if ((tag & 0x87) != BYTES).any():
            return None
        start = at + 1
        length = lengths(octets, start)
        at = start + length
        tags.append(tag)
        messages.append(rows)
        contents.append(start)
        behind.append(at)
        left = np.flatnonzero(at < end)
        if len(left) < len(rows):
            rows, at, end = rows[left], at[left], end[left]
    rest = _one_by_one(octets, rows, at, end)
    if rest is None:
        return None
    tags.append(rest.tag)
    messages.append(rest.message)
    contents.append(rest.start)
    behind.append(rest.end)
    return Fields(np.concatenate(tags), np.concatenate(messages), np.concatenate(contents), np.concatenate(behind))


def lengths(octets: Octets, at: Column) -> Column:
    """The varints at these places, each moved (in place) behind its own."""
    byte = octets[at]
    at += 1
    length = byte.astype(at.dtype) & 127
    rows = np.flatnonzero(byte > 127)
    shift = 7
    while len(rows):
        byte = octets[at[rows]]
        at[rows] += 1
        length[rows] |= (byte.astype(at.dtype) & 127) << shift
        rows = rows[byte > 127]
        shift += 7
    return length


def _one_by_one(octets: Octets, rows: Column, at: Column, end: Column) -> Fields | None:
    tags: list[int] = []
    messages: list[int] = []
    contents: list[int] = []
    behind: list[int] = []
    for row, place, stop in zip(rows.tolist(), at.tolist(), end.tolist(), strict=True):
        data = octets[place:stop].tobytes()
        i = 0
        while i < len(data):
            tag = data[i]
            if tag & 0x87 != BYTES:
                return None
            length = data[i + 1]
            if length < 128:
                i += 2
            else:
                length, i = varint.decode(data, i + 1)
            tags.append(tag)
            messages.append(row)
            contents.append(place + i)
            i += length
            behind.append(place + i)
    columns = (np.array(column, rows.dtype) for column in (messages, contents, behind))
    return Fields(np.array(tags, np.uint8), *columns)


def heads(octets: Octets, fields: Fields) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each field as one number, lowest byte first; what follows a shorter one included."""
    first = np.zeros(len(fields.start), np.uint64)
    last = len(octets) - 8
    whole = fields.start <= last
    if last >= 0:
        anywhere: npt.NDArray[np.uint64] = np.ndarray((last + 1,), "<u8", octets.data, strides=(1,))
        first[whole] = anywhere[fields.start[whole]]
    for row in np.flatnonzero(~whole).tolist():
        first[row] = int.from_bytes(octets[fields.start[row] :].tobytes(), "little")
    return first


def begins_with(octets: Octets, fields: Fields, first: npt.NDArray[np.uint64], content: bytes) -> Column:
    """The rows of the fields whose content begins with these bytes; `first` is their `heads`."""
    head, rest = content[:8], content[8:]
    mask = np.uint64((1 << 8 * len(head)) - 1)
    rows = np.flatnonzero((first & mask) == np.uint64(int.from_bytes(head, "little")))
    rows = rows[fields.end[rows] - fields.start[rows] >= len(content)]
    for i, byte in enumerate(rest, 8):
        rows = rows[octets[fields.start[rows] + i] == byte]
    return rows


__all__ = ["Column", "Fields", "Octets", "begins_with", "fields_of", "heads", "leading", "lengths"]
