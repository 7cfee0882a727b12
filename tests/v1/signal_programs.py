"""Programs of tf.signal, tf.sets and tf.quantization, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def fourier(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 4, 6], name="x")
    free = tf.placeholder(tf.float32, [None, None, None], name="free")
    tf.fft(tf.cast(x, tf.complex64))
    tf.signal.ifft2d(tf.cast(x, tf.complex64), name="mine")
    tf.signal.rfft(x)
    tf.spectral.rfft(x, [9], name="longer")
    tf.signal.rfft2d(free)
    tf.signal.rfft3d(free, [2, 4, 4])
    z = tf.placeholder(tf.complex64, [2, 4, 6], name="z")
    tf.signal.irfft(z)
    tf.signal.irfft2d(z, [4, 10])
    tf.signal.irfft(tf.placeholder(tf.complex64, [None, None]))
    tf.signal.fftshift(x)
    tf.signal.ifftshift(x, 1)
    tf.signal.fftshift(x, [1, -1], name="some")


@program
def cosine(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 6], name="x")
    free = tf.placeholder(tf.float32, [None, None], name="free")
    for kind in (1, 2, 3, 4):
        tf.signal.dct(x, kind)
        tf.spectral.idct(free, kind)
        if kind > 1:
            tf.signal.dct(free, kind, norm="ortho", name="mine")
    tf.signal.dct(x, n=4)
    tf.signal.dct(x, n=9)


@program
def windows(tf: Any) -> None:
    n = tf.placeholder(tf.int32, [], name="n")
    for name in ("hann_window", "hamming_window"):
        getattr(tf.signal, name)(8)
        getattr(tf.signal, name)(n, periodic=False, name="mine")
    for name in ("vorbis_window", "kaiser_window", "kaiser_bessel_derived_window"):
        getattr(tf.signal, name)(8)
        getattr(tf.signal, name)(n, dtype=tf.float64)
    tf.signal.hann_window(1)


@program
def frames(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 20], name="x")
    free = tf.placeholder(tf.float32, [None, None], name="free")
    step = tf.placeholder(tf.int32, [], name="step")
    tf.signal.frame(x, 6, 4)
    tf.signal.frame(x, 6, 4, pad_end=True, pad_value=1, axis=0, name="mine")
    tf.signal.frame(free, 6, 4)
    tf.signal.frame(free, 6, step, pad_end=True)
    tf.signal.overlap_and_add(tf.placeholder(tf.float32, [2, 3, 6]), 4)
    tf.signal.overlap_and_add(tf.placeholder(tf.float32, [2, 3, 6]), 6)
    tf.signal.overlap_and_add(tf.placeholder(tf.float32, [None, None, 6]), step)


@program
def spectra(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 64], name="x")
    free = tf.placeholder(tf.float32, [None, None], name="free")
    s = tf.signal.stft(x, 16, 8)
    tf.signal.stft(free, 12, 4, fft_length=20, window_fn=None, pad_end=True, name="mine")
    tf.signal.inverse_stft(s, 16, 8)
    tf.signal.inverse_stft(s, 16, 8, window_fn=tf.signal.inverse_stft_window_fn(8))
    m = tf.signal.mdct(x, 16)
    tf.signal.inverse_mdct(m, norm="ortho")
    mel = tf.signal.linear_to_mel_weight_matrix(10, 9, 8000)
    tf.signal.linear_to_mel_weight_matrix(name="mine")
    tf.signal.mfccs_from_log_mel_spectrograms(tf.tensordot(tf.abs(s), mel, 1))


@program
def sets(tf: Any) -> None:
    a = tf.sparse_placeholder(tf.int64, [3, None])
    b = tf.sparse_placeholder(tf.int64, [3, None])
    dense = tf.placeholder(tf.int64, [3, 2])
    tf.sets.set_size(a)
    tf.sets.set_intersection(a, b)
    tf.sets.set_union(dense, b)
    tf.sets.set_difference(a, dense)
    tf.sets.difference(dense, dense, aminusb=False, validate_indices=False)
    tf.sets.intersection(np.array([[1, 2]]), tf.constant([[2, 3]], tf.int64))
