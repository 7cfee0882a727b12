"""Sound from and into WAV files, and what speech recognizers make of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit import audio
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, scalar, with_rank
from regraft.wire import wav


def _wave(c: ShapeContext) -> list[Sizes]:
    sizes = []
    for name in ("desired_samples", "desired_channels"):
        asked = int(c.attr(name))
        if asked < -1 or (asked == 0 and name == "desired_channels"):
            raise c.fail(f"{name} must be positive or -1, got {asked}")
        sizes.append(None if asked < 0 else asked)
    return [tuple(sizes), ()]


@op("DecodeWav", shape=_wave, runs=Runs.HOST)
def decode_wav(contents: Any, *, desired_channels: int, desired_samples: int) -> Any:
    """The samples of a WAV file of 16 bits, float32 [samples, channels] from -1 to 1; and their rate, int32.

    The last channel stands for those that are asked for and not there, zeros for samples.
    """
    data, channels, rate = wav.decode(contents[()])
    found = np.frombuffer(data, "<i2").reshape(-1, channels)
    if desired_channels > 0:
        found = found[:, np.minimum(np.arange(desired_channels), channels - 1)]
    samples = found.astype(np.float32) / np.float32(32768)
    if desired_samples >= 0:
        samples = samples[:desired_samples]
        samples = np.pad(samples, ((0, desired_samples - len(samples)), (0, 0)))
    return samples, np.array(rate, np.int32)


@op("EncodeWav", shape=scalar, runs=Runs.HOST)
def encode_wav(audio: Any, sample_rate: Any) -> Any:
    """The WAV file, of 16 bits, of samples float32 [samples, channels] from -1 to 1; what lies outside is clipped."""
    if audio.ndim != 2 or not audio.shape[1]:
        raise InvalidArgumentError(f"audio must be [samples, channels], got {list(audio.shape)}")
    samples = np.rint(np.clip(audio.astype(np.float64) * 32768, -32768, 32767)).astype("<i2")
    return np.array(wav.encode(samples.tobytes(), audio.shape[1], int(sample_rate)), object)


def _spectra(c: ShapeContext) -> list[Sizes]:
    samples, channels = with_rank(c, c.input(0), 2)
    window, stride = int(c.attr("window_size")), int(c.attr("stride"))
    if window <= 1:
        raise c.fail(f"window size must be > 1, got {window}")
    if stride <= 0:
        raise c.fail(f"stride must be strictly positive, got {stride}")
    frames = None if samples is None else max((samples - window) // stride + 1, 0)
    return [(channels, frames, (1 << (window - 1).bit_length()) // 2 + 1)]


@op("AudioSpectrogram", shape=_spectra, runs=Runs.HOST)
def audio_spectrogram(input: Any, *, window_size: int, stride: int, magnitude_squared: bool) -> Any:
    """How loud each frequency is over time: float32 [channels, frames, bins] of samples [samples, channels]."""
    if input.ndim != 2:
        raise InvalidArgumentError(f"input must be 2-dimensional, got {list(input.shape)}")
    found = audio.spectrogram(input, window_size, stride)
    return (found if magnitude_squared else np.sqrt(found)).astype(np.float32)


def _coefficients(c: ShapeContext) -> list[Sizes]:
    channels, frames, _ = with_rank(c, c.input(0), 3)
    return [(channels, frames, int(c.attr("dct_coefficient_count")))]


@op("Mfcc", shape=_coefficients, runs=Runs.HOST)
def mfcc(
    spectrogram: Any,
    sample_rate: Any,
    *,
    upper_frequency_limit: float,
    lower_frequency_limit: float,
    filterbank_channel_count: int,
    dct_coefficient_count: int,
) -> Any:
    """Mel-frequency cepstral coefficients, float32 [channels, frames, coefficients], of squared magnitudes."""
    if spectrogram.ndim != 3:
        raise InvalidArgumentError(f"spectrogram must be 3-dimensional, got {list(spectrogram.shape)}")
    limits = (lower_frequency_limit, upper_frequency_limit)
    found = audio.mfcc(spectrogram, int(sample_rate), *limits, filterbank_channel_count, dct_coefficient_count)
    return found.astype(np.float32)
