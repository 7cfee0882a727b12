"""WAV files of 16-bit samples: RIFF with a `fmt ` and a `data` chunk. Other chunks are passed over."""

from __future__ import annotations

import struct

from regraft.base.errors import InvalidArgumentError


def encode(samples: bytes, channels: int, rate: int) -> bytes:
    """The file of interleaved little-endian 16-bit samples."""
    frame = 2 * channels
    head = struct.pack("<HHIIHH", 1, channels, rate, rate * frame, frame, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def decode(file: bytes) -> tuple[bytes, int, int]:
    """The interleaved little-endian 16-bit samples of a file, its number of channels, and its rate.

    raises  InvalidArgumentError for what is no such file, or is cut short
    """
    for wanted, at in ((b"RIFF", 0), (b"WAVE", 8)):
        found = _part(file, at, 4)
        if found != wanted:
            text = found.decode(errors="replace")
            raise InvalidArgumentError(f"Header mismatch: Expected {wanted.decode()} but found {text}")
    form: tuple[int, ...] = ()
    at = 12
    while True:
        name, size = _part(file, at, 4), int.from_bytes(_part(file, at + 4, 4), "little")
        at += 8
        if name == b"data":
            break
        if name == b"fmt ":
            form = struct.unpack("<HHIIHH", _part(file, at, 16))
        at += size + size % 2
    if not form:
        raise InvalidArgumentError("WAV file without a format")
    kind, channels, rate, _, frame, bits = form
    if kind != 1:
        raise InvalidArgumentError(f"Bad audio format for WAV: Expected 1 (PCM), but got {kind}")
    if bits != 16:
        raise InvalidArgumentError(f"Can only read 16-bit WAV files, but received {bits}")
    if not channels or frame != 2 * channels:
        raise InvalidArgumentError(f"WAV file of {channels} channels with {frame} bytes for a sample of each")
    return _part(file, at, size - size % frame), channels, rate


def _part(file: bytes, at: int, size: int) -> bytes:
    if len(file) < at + size:
        raise InvalidArgumentError("Data too short when trying to read string", where=(f"byte {at} of {len(file)}",))
    return file[at : at + size]
