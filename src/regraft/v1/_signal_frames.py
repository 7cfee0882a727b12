"""Signals in overlapping frames, and the transforms that work on them: STFT, MDCT, mel spectra."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.ir.node import Tensor
from regraft.opkit.constant import literal_value
from regraft.v1._array import concat, expand_dims, pad, rank, reshape, shape, size, split, transpose, zeros, zeros_like
from regraft.v1._control_flow import while_loop
from regraft.v1._indexing import gather, strided_slice, where
from regraft.v1._math import cast, ceil, equal, pow, rsqrt
from regraft.v1._opening import opened
from regraft.v1._reduction import lin_space, reduce_sum
from regraft.v1._reduction import range as range_
from regraft.v1._signal_fft import dct, irfft, rfft
from regraft.v1._signal_windows import hann_window, vorbis_window

__all__ = [
    "frame",
    "inverse_mdct",
    "inverse_stft",
    "inverse_stft_window_fn",
    "linear_to_mel_weight_matrix",
    "mdct",
    "mfccs_from_log_mel_spectrograms",
    "overlap_and_add",
    "stft",
]

_MEL_BREAK_HERTZ = 700.0
_MEL_HIGH_Q = 1127.0

Window = Callable[..., Any]


def _scalar(b: Any, value: Any, name: str) -> Any:
    tensor = b.convert(value, name=name)
    tensor.shape.assert_has_rank(0)
    return tensor


def _known(tensor: Any) -> Any:
    """The value of a tensor that is a constant, as a Python number where it is one; else the tensor."""
    value = literal_value(tensor)
    return tensor if value is None else value


def _gcd(a: Any, b: Any) -> Any:
    with opened(None, "gcd", a, b) as (build, _):
        x, y = build.convert(a), build.convert(b)
        known_x, known_y = literal_value(x), literal_value(y)
        if known_x is not None and known_y is not None:
            return build.convert(math.gcd(int(known_x), int(known_y)))
        out = while_loop(
            lambda _, rest: build.Greater(rest, zeros_like(rest)),
            lambda whole, rest: [rest, whole % rest],
            [x, y],
            back_prop=False,
        )
        return out[0]


def _frame_shape(signal: Tensor, frame_length: Any, frame_step: Any, pad_end: bool, axis: Any) -> Any:
    length, step, at = literal_value(frame_length), literal_value(frame_step), literal_value(axis)
    sizes = signal.shape.sizes
    if sizes is None:
        return None
    if at is None:
        return [None] * (len(sizes) + 1)
    place = int(at)
    count = None
    along = sizes[place]
    if along is not None and step is not None:
        if pad_end:
            count = max(0, -(-along // int(step)))
        elif length is not None:
            count = max(0, (along - int(length) + int(step)) // int(step))
    return [*sizes[:place], count, None if length is None else int(length), *sizes[place:][1:]]


def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: Any = -1,
    name: str | None = None,
) -> Any:
    """Frames of `frame_length` samples, `frame_step` apart: `axis` becomes two, frames and samples.

    pad_end  whether frames that stick out are there, filled up with `pad_value`
    """
    with opened(name, "frame", signal, frame_length, frame_step, pad_value) as (b, _):
        signal = b.convert(signal, name="signal")
        frame_length, frame_step = (
            b.convert(frame_length, name="frame_length"),
            b.convert(frame_step, name="frame_step"),
        )
        axis = b.convert(axis, name="axis")
        signal.shape.with_rank_at_least(1)
        for scalar in (frame_length, frame_step, axis):
            scalar.shape.assert_has_rank(0)
        known = _frame_shape(signal, frame_length, frame_step, pad_end, axis)
        sizes, at = _known(shape(signal)), _known(axis)
        outer: Any
        inner: Any
        if not isinstance(sizes, Tensor) and not isinstance(at, Tensor):
            at = range(len(sizes))[int(at)]
            outer, along, inner = sizes[:at], int(sizes[at]), sizes[at + 1 :]
        else:
            count = rank(signal)
            at = range_(count)[at]
            outer, along, inner = split(sizes, [at, 1, count - 1 - at])
            along = reshape(along, [])
        outer_count, inner_count = size(outer), size(inner)
        if pad_end:
            pad_value = b.convert(pad_value, signal.dtype.base)
            pad_value.shape.assert_has_rank(0)
            frames = -(-along // frame_step)
            missing = b.Maximum(0, frame_length + frame_step * (frames - 1) - along)
            paddings = concat(
                [
                    zeros([outer_count, 2], missing.dtype.base),
                    b.convert([[0, missing]]),
                    zeros([inner_count, 2], missing.dtype.base),
                ],
                0,
            )
            signal = pad(signal, paddings, constant_values=pad_value)
            sizes = shape(signal)
            along = sizes[at]
        else:
            least = b.constant(0, frame_length.dtype.base)
            frames = b.Maximum(least, 1 + (along - frame_length) // frame_step)
        piece = _known(_gcd(frame_length, frame_step))
        per_frame, per_hop, pieces = frame_length // piece, frame_step // piece, along // piece
        taken = concat([outer, [pieces * piece], inner], 0)
        cut = concat([outer, [pieces, piece], inner], 0)
        subframes = reshape(strided_slice(signal, zeros_like(sizes), taken), cut)
        first = reshape(range_(frames, dtype=frame_length.dtype) * per_hop, [frames, 1])
        selector = first + reshape(range_(per_frame, dtype=frame_length.dtype), [1, per_frame])
        outer = b.convert(outer)
        inner = b.convert(inner, outer.dtype.base)
        middle = b.convert([frames, frame_length], outer.dtype.base)
        out = reshape(gather(subframes, selector, axis=at), concat([outer, middle, inner], 0))
        if known:
            out.set_shape(known)
        return out


def _power_of_two(b: Any, value: Any) -> Any:
    known = literal_value(value)
    if known is not None:
        return b.constant(int(2 ** np.ceil(np.log(known) / np.log(2.0))), value.dtype.base)
    return cast(pow(2.0, ceil(b.Log(cast(value, dtypes.float32)) / b.Log(2.0))), value.dtype)


def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Window | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Any:
    """The spectra of windowed frames, [..., frames, fft_length // 2 + 1].

    fft_length  by default the next power of two
    window_fn   (frame_length, dtype=) -> weights, or None
    """
    with opened(name, "stft", signals, frame_length, frame_step) as (b, _):
        signals = b.convert(signals, name="signals")
        signals.shape.with_rank_at_least(1)
        frame_length, frame_step = _scalar(b, frame_length, "frame_length"), _scalar(b, frame_step, "frame_step")
        if fft_length is None:
            fft_length = _power_of_two(b, frame_length)
        else:
            fft_length = b.convert(fft_length, name="fft_length")
        frames = frame(signals, frame_length, frame_step, pad_end=pad_end)
        if window_fn is not None:
            frames = frames * window_fn(frame_length, dtype=frames.dtype)
        return rfft(frames, [fft_length])


def inverse_stft_window_fn(frame_step: Any, forward_window_fn: Window = hann_window, name: str | None = None) -> Window:
    """The window with which `inverse_stft` undoes an `stft` of this step and window."""

    def window(frame_length: Any, dtype: Any) -> Any:
        with opened(name, "inverse_stft_window_fn") as (b, _):
            step = _scalar(b, frame_step, "frame_step")
            frame_length = _scalar(b, frame_length, "frame_length")
            forward = forward_window_fn(frame_length, dtype=dtype)
            power = b.Square(forward)
            overlaps = -(-frame_length // step)
            power = pad(power, [(0, overlaps * step - frame_length)])
            power = reduce_sum(reshape(power, [overlaps, step]), 0, keepdims=True)
            power = reshape(b.Tile(power, [overlaps, 1]), [overlaps * step])
            power = power[:frame_length]
            return where(equal(power, 0.0), zeros_like(forward), forward / power)

    return window


def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Window | None = hann_window,
    name: str | None = None,
) -> Any:
    """The signals of which spectra of frames are given, [..., samples]."""
    with opened(name, "inverse_stft", stfts) as (b, _):
        stfts = b.convert(stfts, name="stfts")
        stfts.shape.with_rank_at_least(2)
        frame_length, frame_step = _scalar(b, frame_length, "frame_length"), _scalar(b, frame_step, "frame_step")
        fft_length = _power_of_two(b, frame_length) if fft_length is None else _scalar(b, fft_length, "fft_length")
        frames = _of_length(b, irfft(stfts, [fft_length]), frame_length)
        if window_fn is not None:
            frames = frames * window_fn(frame_length, dtype=stfts.dtype.real_dtype)
        return overlap_and_add(frames, frame_step)


def _of_length(b: Any, frames: Any, frame_length: Any) -> Any:
    """The frames cut or padded to their length."""
    known, sizes = literal_value(frame_length), frames.shape.sizes
    if known is None or sizes is None or sizes[-1] is None:
        frames = frames[..., :frame_length]
        count, now = rank(frames), shape(frames)
        outer = zeros([count - 1, 2], frame_length.dtype.base)
        frames = pad(frames, concat([outer, [[0, b.Maximum(0, frame_length - now[-1])]]], 0))
    elif sizes[-1] > known:
        frames = frames[..., : int(known)]
    elif sizes[-1] < known:
        frames = pad(frames, [[0, 0]] * (len(sizes) - 1) + [[0, int(known) - sizes[-1]]])
    if known is not None and frames.shape.rank is not None:
        frames.set_shape([None] * (frames.shape.rank - 1) + [int(known)])
    return frames


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Any:
    """The sum of frames [..., frames, samples] that stand `frame_step` apart."""
    with opened(name, "overlap_and_add", signal, frame_step) as (b, _):
        signal = b.convert(signal, name="signal")
        signal.shape.with_rank_at_least(2)
        step = _scalar(b, frame_step, "frame_step")
        if not step.dtype.is_integer:
            raise ValueError(f"frame_step must be an integer. Got {step.dtype}")
        step = _known(step)
        sizes = _known(shape(signal))
        outer = sizes[:-2]
        count = _known(size(outer))

        def whole(tail: list[Any]) -> Any:
            return concat([outer, tail], 0)

        length, frames = sizes[-1], sizes[-2]
        out_length = length + step * (frames - 1)
        last = None if signal.shape.sizes is None else signal.shape.sizes[-1]
        if not isinstance(step, Tensor) and last is not None and step == last:
            return reshape(signal, whole([out_length]), name="fast_path")
        segments = -(-length // step)
        paddings = [[0, segments], [0, segments * step - length]]
        signal = pad(signal, concat([zeros([count, 2], dtypes.int32), paddings], 0))
        signal = reshape(signal, whole([frames + segments, segments, step]))
        order = concat([range_(count), count + np.array([1, 0, 2], np.int32)], 0)
        signal = transpose(signal, _known(order))
        signal = reshape(signal, whole([(frames + segments) * segments, step]))
        signal = signal[..., : (frames + segments - 1) * segments, :]
        signal = reshape(signal, whole([segments, frames + segments - 1, step]))
        signal = reduce_sum(signal, -3)
        signal = reshape(signal, whole([(frames + segments - 1) * step]))
        return signal[..., :out_length]


def mdct(
    signals: Any,
    frame_length: Any,
    window_fn: Window | None = vorbis_window,
    pad_end: bool = False,
    norm: str | None = None,
    name: str | None = None,
) -> Any:
    """The modified cosine transform of frames that overlap by half, [..., frames, frame_length // 2]."""
    with opened(name, "mdct", signals, frame_length) as (b, _):
        signals = b.convert(signals, name="signals")
        signals.shape.with_rank_at_least(1)
        frame_length = _scalar(b, frame_length, "frame_length")
        known = literal_value(frame_length)
        if known is None:
            step = frame_length // 2
        else:
            if known % 4:
                raise ValueError("The frame length must be a multiple of 4.")
            step = b.convert(int(known) // 2, frame_length.dtype.base)
        frames = frame(signals, frame_length, step, pad_end=pad_end)
        frames = frames * (1.0 / np.sqrt(2) if window_fn is None else window_fn(frame_length, dtype=frames.dtype))
        parts = split(frames, 4, axis=-1)
        first = -b.ReverseV2(parts[2], [-1]) - parts[3]
        second = parts[0] - b.ReverseV2(parts[1], [-1])
        return dct(concat((first, second), axis=-1), type=4, norm=norm)


def inverse_mdct(
    mdcts: Any, window_fn: Window | None = vorbis_window, norm: str | None = None, name: str | None = None
) -> Any:
    """The signals of which modified cosine transforms are given."""
    with opened(name, "inverse_mdct", mdcts) as (b, _):
        mdcts = b.convert(mdcts, name="mdcts")
        mdcts.shape.with_rank_at_least(2)
        half = cast(mdcts.shape[-1], dtypes.int32)
        if norm is None:
            inner = 0.5 / cast(half, mdcts.dtype) * dct(mdcts, type=4)
        else:
            inner = dct(mdcts, type=4, norm=norm)
        a, c = split(inner, 2, axis=-1)
        frames = concat((c, -b.ReverseV2(c, [-1]), -b.ReverseV2(a, [-1]), -a), axis=-1)
        frames = frames * (1.0 / np.sqrt(2) if window_fn is None else window_fn(2 * half, dtype=mdcts.dtype))
        return overlap_and_add(frames, half)


def _hertz_to_mel(hertz: Any) -> Any:
    with opened(None, "hertz_to_mel", hertz) as (b, _):
        hertz = b.convert(hertz)
        return _MEL_HIGH_Q * b.Log(1.0 + hertz / _MEL_BREAK_HERTZ)


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Any:
    """The matrix [num_spectrogram_bins, num_mel_bins] from linear frequencies to triangles on the mel scale.

    raises  ValueError for edges that are no range below half the sample rate
    """
    with opened(name, "linear_to_mel_weight_matrix") as (b, scope):
        kind = as_dtype(dtype)
        if isinstance(sample_rate, Tensor):
            sample_rate = _known(sample_rate)
        _check_mel(num_mel_bins, sample_rate, lower_edge_hertz, upper_edge_hertz)
        if not kind.is_floating:
            raise ValueError(f"dtype must be a floating point type. Got: {kind}")
        rate = cast(sample_rate, kind, name="sample_rate")
        lower = b.convert(lower_edge_hertz, kind, name="lower_edge_hertz")
        upper = b.convert(upper_edge_hertz, kind, name="upper_edge_hertz")
        zero = b.convert(0.0, kind)
        linear = lin_space(zero, rate / 2.0, num_spectrogram_bins)[1:]
        bins = expand_dims(_hertz_to_mel(linear), 1)
        edges = lin_space(_hertz_to_mel(lower), _hertz_to_mel(upper), num_mel_bins + 2)
        triangles = frame(edges, frame_length=3, frame_step=1)
        left, center, right = (reshape(t, [1, num_mel_bins]) for t in split(triangles, 3, axis=1))
        rising = (bins - left) / (center - left)
        falling = (right - bins) / (right - center)
        return pad(b.Maximum(zero, b.Minimum(rising, falling)), [[1, 0], [0, 0]], name=scope)


def _check_mel(bins: int, rate: Any, lower: float, upper: float) -> None:
    if bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {bins}")
    if lower < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {lower}")
    if lower >= upper:
        raise ValueError(f"lower_edge_hertz {lower:.1f} >= upper_edge_hertz {upper:.1f}")
    if isinstance(rate, Tensor):
        return
    if rate <= 0.0:
        raise ValueError(f"sample_rate must be positive. Got: {rate}")
    if upper > rate / 2:
        raise ValueError(
            "upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). "
            f"Got {upper} for sample_rate: {rate}"
        )


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Any:
    """The cepstral coefficients of the logarithms of mel spectra."""
    with opened(name, "mfccs_from_log_mel_spectrograms", log_mel_spectrograms) as (b, _):
        spectra = b.convert(log_mel_spectrograms)
        sizes = spectra.shape.sizes
        if sizes and sizes[-1] is not None:
            bins: Any = sizes[-1]
            if bins == 0:
                raise ValueError(f"num_mel_bins must be positive. Got: {spectra}")
        else:
            bins = shape(spectra)[-1]
        transformed = dct(spectra, type=2)
        return transformed * rsqrt(cast(bins, transformed.dtype) * 2.0)
