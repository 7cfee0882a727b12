"""Rows of `ops/audio.py`."""

import struct

import numpy as np

from tests.ops.case import Case

SAMPLES = np.array([0, 1, -1, 32767, -32768, 100], "<i2")


def wave(channels: int = 1, bits: int = 16, kind: int = 1, between: bytes = b"") -> np.ndarray:
    """A WAV file, as a scalar string."""
    form = struct.pack("<HHIIHH", kind, channels, 8000, 8000 * channels * 2, channels * bits // 8, bits)
    parts = b"WAVEfmt " + struct.pack("<I", 16) + form + between + b"data" + struct.pack("<I", 12) + SAMPLES.tobytes()
    return np.array(b"RIFF" + struct.pack("<I", len(parts)) + parts, object)


MONO, STEREO = wave(), wave(2)
CUT = np.array(MONO[()][:50], object)
NOISE = np.random.default_rng(0).standard_normal((100, 2)).astype(np.float32)
SPECTRUM = np.abs(np.random.default_rng(1).standard_normal((2, 3, 257))).astype(np.float32)
OUTSIDE = np.array([[0, 0.5], [1, -1], [2, -2], [1 / 32768, 1e-5], [0.5 / 32767, 1.5 / 32767]], np.float32)

CASES = [
    *(Case("DecodeWav", [file]) for file in (MONO, STEREO, wave(between=b"LIST" + struct.pack("<I", 4) + b"abcd"))),
    *(Case("DecodeWav", [MONO], {"desired_channels": 2, "desired_samples": count}) for count in (-1, 4, 8)),
    *(Case("DecodeWav", [STEREO], {"desired_channels": count}) for count in (1, 3)),
    Case("DecodeWav", [wave(bits=8)], {}, fails="Can only read 16-bit WAV files, but received 8"),
    Case("DecodeWav", [wave(kind=3)], {}, fails="Bad audio format for WAV: Expected 1"),
    Case("DecodeWav", [CUT], {}, fails="Data too short when trying to read string"),
    Case("DecodeWav", [np.array(b"x" * 20, object)], {}, fails="Header mismatch: Expected RIFF but found xxxx"),
    Case("EncodeWav", [OUTSIDE, np.int32(16000)]),
    Case("AudioSpectrogram", [NOISE], {"window_size": 20, "stride": 8}),
    Case("AudioSpectrogram", [NOISE], {"window_size": 16, "stride": 16, "magnitude_squared": True}),
    Case("AudioSpectrogram", [NOISE], {"window_size": 2, "stride": 1}),
    Case("AudioSpectrogram", [NOISE[:3]], {"window_size": 20, "stride": 1}),
    Case("Mfcc", [SPECTRUM, np.int32(16000)]),
    Case(
        "Mfcc",
        [SPECTRUM, np.int32(8000)],
        {
            "upper_frequency_limit": 3000.0,
            "lower_frequency_limit": 100.0,
            "filterbank_channel_count": 20,
            "dct_coefficient_count": 7,
        },
    ),
]
