"""Base-128 integers, least significant group first, as protobuf and the table format write them."""

from typing import Protocol

from regraft.base.errors import DataLossError

MAX_BYTES = 10  # of a 64-bit value


class Octets(Protocol):
    """Bytes in any container: bytes, bytearray, or a memoryview of unsigned bytes."""

    def __getitem__(self, index: int, /) -> int: ...
    def __len__(self) -> int: ...


def encode(value: int) -> bytes:
    """The varint of `value`, 0 <= value < 2**64."""
    if not 0 <= value < 1 << 64:
        raise ValueError(f"a varint holds 0 to 2**64 - 1, not {value}")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(data: Octets, at: int) -> tuple[int, int]:
    """The varint that starts at `at`, and the position behind it.

    raises   DataLossError if `data` ends inside the varint, or it has more than 64 bits
    """
    start, end = at, min(len(data), at + MAX_BYTES)
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, at
        shift += 7
    else:
        if end - start < MAX_BYTES:
            raise DataLossError("a varint has no end", where=(f"byte {start} of {len(data)}",))
    raise DataLossError("a varint has more than 64 bits", where=(f"byte {start}",))
