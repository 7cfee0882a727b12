"""WAV files of 16-bit samples, written: RIFF with one `fmt ` and one `data` chunk."""

from __future__ import annotations

import struct


def encode(samples: bytes, channels: int, rate: int) -> bytes:
    """The file of interleaved little-endian 16-bit samples."""
    frame = 2 * channels
    head = struct.pack("<HHIIHH", 1, channels, rate, rate * frame, frame, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body
