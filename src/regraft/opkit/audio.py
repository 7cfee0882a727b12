"""Arithmetic of sound: windows, spectra, the mel scale, and the cepstrum that speech recognizers take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError

# What the logarithm is taken of at least.
_FLOOR = 1e-12


def spectrogram(samples: Any, window: int, stride: int) -> Any:
    """Squared magnitudes of the short-time Fourier transform, with a periodic Hann window.

    samples  [samples, channels]
    returns  float64 [channels, frames, bins]; bins = 1 + half the least power of two that is no less than `window`
    """
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    length = 1 << (window - 1).bit_length()
    count = max((len(samples) - window) // stride + 1, 0) if len(samples) >= window else 0
    if not count:
        return np.zeros((samples.shape[1], 0, length // 2 + 1))
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), window, axis=0)[::stride]
    spectrum = np.fft.rfft(frames.transpose(1, 0, 2) * hann, length)
    return spectrum.real**2 + spectrum.imag**2


def _mel(frequency: Any) -> Any:
    return 1127.0 * np.log1p(frequency / 700.0)


def mel_filters(bins: int, sample_rate: int, lower: float, upper: float, channels: int) -> Any:
    """Triangles on the mel scale between two frequencies: float64 [bins, channels].

    raises  InvalidArgumentError for frequencies and numbers that make none
    """
    if channels < 1 or sample_rate <= 0 or bins < 2 or lower < 0 or upper <= lower:
        raise InvalidArgumentError(
            f"mel filterbank of {channels} channels between {lower} and {upper} Hz, for {bins} bins at {sample_rate} Hz"
        )
    low, high = _mel(lower), _mel(upper)
    # The ends of the triangles: each begins where the one before it is highest.
    edges = low + (high - low) / (channels + 1) * np.arange(channels + 2)
    per_bin = 0.5 * sample_rate / (bins - 1)
    mels = _mel(np.arange(bins) * per_bin)
    number = np.arange(bins)
    inside = (number >= int(1.5 + lower / per_bin)) & (number <= int(upper / per_bin))
    rising = (mels[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels[:, None]) / (edges[2:] - edges[1:-1])
    return np.where(inside[:, None], np.clip(np.minimum(rising, falling), 0, None), 0)


def mfcc(spectrum: Any, sample_rate: int, lower: float, upper: float, channels: int, count: int) -> Any:
    """Mel-frequency cepstral coefficients, float64 [..., count], of squared magnitudes [..., bins]."""
    if not 0 < count <= channels:
        raise InvalidArgumentError(f"dct_coefficient_count {count} must be positive and no more than {channels}")
    filters = mel_filters(spectrum.shape[-1], sample_rate, lower, upper, channels)
    energies = np.log(np.maximum(np.sqrt(spectrum.astype(np.float64)) @ filters, _FLOOR))
    angles = np.arange(count)[:, None] * (np.pi / channels) * (np.arange(channels) + 0.5)
    return energies @ (math.sqrt(2 / channels) * np.cos(angles)).T
