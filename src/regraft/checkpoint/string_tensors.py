"""String tensors as V2 data files hold them.

A varint length for each string, the masked checksum of all lengths, then the strings. The checksum covers the lengths
as fixed-width integers: 4 bytes, 8 for a length past 2**32 - 1. The entry's checksum covers those, the 4 bytes of the
first checksum as they stand in the file, and the strings.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from regraft.base.errors import DataLossError
from regraft.wire import crc32c, varint

_CHECKSUM_SIZE = 4
_WORD = 0xFFFFFFFF


def _fixed(lengths: list[int], order: str) -> bytes:
    if max(lengths, default=0) <= _WORD:
        return struct.pack(f"{order}{len(lengths)}I", *lengths)
    return b"".join(struct.pack(f"{order}{'I' if length <= _WORD else 'Q'}", length) for length in lengths)


def encode(values: list[bytes]) -> tuple[list[bytes], int]:
    """The bytes that hold `values`, in parts, and their checksum, not masked."""
    lengths = [len(value) for value in values]
    checked = _fixed(lengths, "<")
    checksum = struct.pack("<I", crc32c.masked(checked))
    crc = crc32c.value(checked + checksum)
    for value in values:
        crc = crc32c.extend(crc, value)
    return [b"".join(map(varint.encode, lengths)) + checksum, *values], crc


def decode(data: memoryview, count: int, where: str, big_endian: bool = False) -> tuple[npt.NDArray[Any], int]:
    """The `count` strings in `data`, as an object array of bytes, and the checksum that was computed.

    raises   DataLossError if `data` does not hold that many, or the lengths' own checksum is wrong
    """
    if count + _CHECKSUM_SIZE > len(data):
        raise DataLossError(
            f"string tensor of {count:,} elements in {len(data):,} bytes: each length takes one, and 4 their checksum",
            where=(where,),
        )
    order = ">" if big_endian else "<"
    lengths = []
    at = 0
    for _ in range(count):
        length, at = varint.decode(data, at)
        lengths.append(length)
    strings_at = at + _CHECKSUM_SIZE
    if strings_at + sum(lengths) != len(data):
        raise DataLossError(
            f"string lengths add up to {sum(lengths):,} bytes, where {len(data) - strings_at:,} are stored",
            where=(where,),
        )
    checked = _fixed(lengths, order)
    (stored,) = struct.unpack_from(f"{order}I", data, at)
    computed = crc32c.masked(checked)
    if stored != computed:
        raise DataLossError(
            f"The length checksum does not match: expected {stored:08} but actual is {computed:08}", where=(where,)
        )
    crc = crc32c.extend(crc32c.value(checked), data[at:])
    values = np.empty(count, object)
    at = strings_at
    for index, length in enumerate(lengths):
        values[index] = bytes(data[at : at + length])
        at += length
    return values, crc
