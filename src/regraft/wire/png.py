"""PNG images, written: https://www.w3.org/TR/png/"""

from __future__ import annotations

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Colour types by number of channels: grey, grey with alpha, RGB, RGB with alpha.
_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}


def encode(pixels: bytes, height: int, width: int, channels: int, level: int = 6, bits: int = 8) -> bytes:
    """The file of an image of 8 or 16 bits a channel; `pixels` is row by row, of 16 bits the high ones first.

    raises  ValueError for sizes that do not fit
    """
    if channels not in _COLOURS:
        raise ValueError(f"an image has 1 to 4 channels, not {channels}")
    row = width * channels * bits // 8
    if len(pixels) != height * row:
        raise ValueError(f"{height} x {width} pixels of {channels} x {bits} bits are not {len(pixels)} bytes")
    # Each row stands behind the number of its filter: 0, none.
    filtered = b"".join(b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row)) if row else b""
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOURS[channels], 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(filtered, level)), (b"IEND", b"")
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
