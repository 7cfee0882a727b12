"""Strings and integers as bytes that sort as the values do: the keys of tensor slices in checkpoints.

Numbers     a length byte, then that many bytes, most significant first
Strings     00 becomes 00 FF, FF becomes FF 00, and 00 01 ends the string
Signed      one to ten bytes; leading ones in the first tell how many follow, all bits inverted for negative values
"""

import re
from collections.abc import Sequence

_LONGEST = 10  # bytes of a signed 64-bit number
_SPECIAL = re.compile(rb"[\x00\xff]")
_ESCAPES = {b"\x00": b"\x00\xff", b"\xff": b"\xff\x00"}


def encode_number(value: int) -> bytes:
    """A number 0 <= value < 2**64."""
    if not 0 <= value < 1 << 64:
        raise ValueError(f"an unsigned number holds 0 to 2**64 - 1, not {value}")
    digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(digits)]) + digits


def encode_string(value: bytes) -> bytes:
    """Any bytes."""
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], value) + b"\x00\x01"


def encode_signed(value: int) -> bytes:
    """A number -2**63 <= value < 2**63."""
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"a signed number holds -2**63 to 2**63 - 1, not {value}")
    magnitude = ~value if value < 0 else value
    length = magnitude.bit_length() // 7 + 1
    code = value.to_bytes(_LONGEST, "big", signed=True)[_LONGEST - length :]
    # `length` ones at the top, over two bytes
    header = ((1 << length) - 1 << 16 - length).to_bytes(2, "big")
    first = code[0] ^ header[0]
    if length == 1:
        return bytes([first])
    return bytes([first, code[1] ^ header[1]]) + code[2:]


def encode_tensor_slice(name: bytes, extents: Sequence[tuple[int, int]]) -> bytes:
    """The key of a slice of tensor `name`; an extent is (start, length), and (0, -1) the whole dimension."""
    parts = [encode_number(0), encode_string(name), encode_number(len(extents))]
    for start, length in extents:
        parts.append(encode_signed(start))
        parts.append(encode_signed(length))
    return b"".join(parts)
