"""Fourier and cosine transforms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.opkit import rfft_nodes
from regraft.v1._array import concat, expand_dims, pad, rank, roll, shape
from regraft.v1._indexing import gather, where
from regraft.v1._math import cast, exp, real, rsqrt, sqrt
from regraft.v1._math import complex as complex_
from regraft.v1._opening import on, opened
from regraft.v1._reduction import range as range_


def _transform(function: Callable[..., Any], axes: int, doc: str) -> Callable[..., Any]:
    def transform(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
        return function(on(input_tensor, fft_length), input_tensor, fft_length, axes, name)

    transform.__doc__ = f"{doc} over the last {axes} axes, cut or padded with zeros to `fft_length` ([{axes}])."
    return transform


rfft = _transform(rfft_nodes.rfft, 1, "The half of the spectrum of real numbers that says it all,")
rfft2d = _transform(rfft_nodes.rfft, 2, "The half of the spectrum of real numbers that says it all,")
rfft3d = _transform(rfft_nodes.rfft, 3, "The half of the spectrum of real numbers that says it all,")
irfft = _transform(rfft_nodes.irfft, 1, "The real numbers of which half the spectrum is given,")
irfft2d = _transform(rfft_nodes.irfft, 2, "The real numbers of which half the spectrum is given,")
irfft3d = _transform(rfft_nodes.irfft, 3, "The real numbers of which half the spectrum is given,")


def _shifted(default: str, doc: str) -> Callable[..., Any]:
    def half(sizes: Any) -> Any:
        return sizes // 2 if default == "fftshift" else -(sizes // 2)

    def shift(x: Any, axes: Any = None, name: str | None = None) -> Any:
        with opened(name, default) as (b, scope):
            x = b.convert(x)
            if axes is None:
                return roll(x, half(shape(x)), tuple(range(len(x.shape))), scope)
            if isinstance(axes, int):
                return roll(x, half(shape(x)[axes]), axes, scope)
            count = rank(x)
            axes = where(b.Less(axes, 0), axes + count, axes)
            return roll(x, half(gather(shape(x), axes)), axes, scope)

    shift.__doc__ = doc
    return shift


fftshift = _shifted("fftshift", "The spectrum with frequency 0 in the middle of the axes (all by default).")
ifftshift = _shifted("ifftshift", "The spectrum with frequency 0 back at the start of the axes (all by default).")


def _check(input: Any, kind: int, n: int | None, axis: int, norm: str | None) -> None:
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if kind not in (1, 2, 3, 4):
        raise ValueError("Types I, II, III and IV (I)DCT are supported.")
    if kind == 1 and norm == "ortho":
        raise ValueError("Normalization is not supported for the Type-I DCT.")
    if kind == 1 and input.shape[-1].value is not None and input.shape[-1].value < 2:
        raise ValueError("Type-I DCT requires the dimension to be greater than one.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")


def dct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Any:
    """The cosine transform of type 1 to 4 along the last axis, cut or padded with zeros to `n`.

    norm  None, or "ortho" for a matrix that is orthonormal
    """
    _check(input, type, n, axis, norm)
    return _dct(input, type, n, norm, name)


def idct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Any:
    """What `dct` of this type undoes, up to its scale without a norm."""
    _check(input, type, n, axis, norm)
    return _dct(input, {1: 1, 2: 3, 3: 2, 4: 4}[type], n, norm, name)


def _length(x: Any) -> Any:
    return x.shape[-1].value or shape(x)[-1]


def _dct(x: Any, kind: int, n: Any, norm: str | None, name: str | None) -> Any:
    with opened(name, "dct", x) as (b, _):
        x = b.convert(x)
        zero = b.convert(0.0, x.dtype.base)
        before = _length(x)
        if n is not None:
            x = _cut_or_padded(b, x, n, before)
        size = _length(x)
        count = cast(size, x.dtype)
        if kind == 1:
            return real(rfft(concat([x, x[..., -2:0:-1]], axis=-1)))
        if kind == 4:
            out = _dct(x, 2, 2 * size, None, None)[..., 1::2]
            return out * (math.sqrt(0.5) * rsqrt(count)) if norm == "ortho" else out
        if kind == 2:
            angle = -range_(count) * math.pi * 0.5 / count
            scale = 2.0 * exp(complex_(zero, angle))
            out = real(rfft(x, fft_length=[2 * size])[..., :size] * scale)
            if norm == "ortho":
                first = 0.5 * rsqrt(count)
                out = out * _weights(first, first * math.sqrt(2.0), size)
            return out
        if norm == "ortho":
            first = sqrt(count)
            x = x * _weights(first, first * math.sqrt(0.5), size)
        else:
            x = x * count
        scale = 2.0 * exp(complex_(zero, range_(count) * math.pi * 0.5 / count))
        return real(irfft(scale * complex_(x, zero), fft_length=[2 * size]))[..., :size]


def _weights(first: Any, others: Any, size: Any) -> Any:
    return pad(expand_dims(first, 0), [[0, size - 1]], constant_values=others)


def _cut_or_padded(b: Any, x: Any, n: Any, before: Any) -> Any:
    def cut() -> Any:
        return x[..., 0:n]

    def padded() -> Any:
        paddings: list[list[Any]] = [[0, 0] for _ in range(len(x.shape))]
        paddings[-1][1] = n - before
        return pad(x, b.convert(paddings, dtypes.int32))

    if isinstance(n, int) and isinstance(before, int):
        return cut() if n <= before else padded()
    from regraft.v1._control_flow import cond

    return cond(n <= before, cut, padded)
