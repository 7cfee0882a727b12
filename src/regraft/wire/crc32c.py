"""CRC-32C (Castagnoli), plain and masked.

A checksum that is stored beside the bytes it covers is masked (rotated, then shifted by a constant), so that the
checksum of data with embedded checksums stays useful. Format: LevelDB's and TFRecord's.
"""

from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

_DELTA = 0xA282EAD8
_WORD = 0xFFFFFFFF

Bytes = bytes | bytearray | memoryview | npt.NDArray[Any]


def extend(crc: int, data: Bytes) -> int:
    """The checksum of (what `crc` is the checksum of) + `data`; `data` is any C-contiguous buffer and is not copied."""
    # The library takes bytes and arrays, no memoryview; NumPy makes no array of an empty buffer.
    if isinstance(data, np.ndarray):
        data = data.reshape(-1).view(np.uint8)
    elif not isinstance(data, bytes):
        data = np.frombuffer(data, np.uint8) if len(data) else b""
    return int(google_crc32c.extend(crc, data))


def value(data: Bytes) -> int:
    """The checksum of `data`."""
    return extend(0, data)


def mask(crc: int) -> int:
    """The form in which `crc` is stored."""
    return ((crc >> 15 | crc << 17) + _DELTA) & _WORD


def unmask(masked: int) -> int:
    """The inverse of `mask`."""
    rotated = (masked - _DELTA) & _WORD
    return (rotated >> 17 | rotated << 15) & _WORD


def masked(data: Bytes) -> int:
    """The checksum of `data` as it is stored."""
    return mask(value(data))
