"""Windows: weights for the samples of a frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.opkit.constant import literal_value
from regraft.v1._array import concat, ones
from regraft.v1._math import cast, exp, pow, sqrt
from regraft.v1._opening import opened
from regraft.v1._reduction import cumsum
from regraft.v1._reduction import range as range_
from regraft.v1._special import bessel_i0e

__all__ = ["hamming_window", "hann_window", "kaiser_bessel_derived_window", "kaiser_window", "vorbis_window"]


def _floating(dtype: Any) -> DType:
    kind = as_dtype(dtype)
    if not kind.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {kind}")
    return kind


def _length(b: Any, window_length: Any, name: str | None = None) -> Any:
    length = b.convert(window_length, dtypes.int32, name=name)
    length.shape.assert_has_rank(0)
    return length


def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """The Kaiser window, narrower for larger `beta`."""
    with opened(name, "kaiser_window") as (b, _):
        kind = _floating(dtype)
        length = _length(b, window_length)
        if literal_value(length) == 1:
            return ones([1], kind)
        half = (cast(length, dtypes.float32) - 1.0) / 2.0
        places = cast(range_(-half, half + 0.1, dtype=dtypes.float32), kind)
        beta = cast(beta, kind)
        one = cast(1.0, kind)
        half = cast(half, kind)
        bend = beta * sqrt(b.Relu(one - b.Square(places / half)))
        return exp(bend - beta) * (bessel_i0e(bend) / bessel_i0e(beta))


def kaiser_bessel_derived_window(
    window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None
) -> Any:
    """The window whose squares are running sums of a Kaiser window."""
    with opened(name, "kaiser_bessel_derived_window") as (b, _):
        kind = _floating(dtype)
        length = _length(b, window_length)
        sums = cumsum(kaiser_window(length // 2 + 1, beta, kind))
        half = sqrt(sums[:-1] / sums[-1])
        return concat((half, half[::-1]), axis=0)


def vorbis_window(window_length: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """The window of the Vorbis codec."""
    with opened(name, "vorbis_window") as (b, _):
        kind = _floating(dtype)
        length = _length(b, window_length)
        places = cast(range_(length), kind)
        return b.Sin(np.pi / 2.0 * pow(b.Sin(np.pi / cast(length, kind) * (places + 0.5)), 2.0))


def hann_window(window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """The Hann window: a raised cosine that ends in 0."""
    return _raised_cosine(name, "hann_window", window_length, periodic, dtype, 0.5, 0.5)


def hamming_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Any:
    """The Hamming window: a raised cosine that ends above 0."""
    return _raised_cosine(name, "hamming_window", window_length, periodic, dtype, 0.54, 0.46)


def _raised_cosine(
    name: str | None, default: str, window_length: Any, periodic: Any, dtype: Any, level: float, swing: float
) -> Any:
    kind = _floating(dtype)
    with opened(name, default, window_length, periodic) as (b, _):
        length = _length(b, window_length, "window_length")
        known = literal_value(length)
        if known == 1:
            return ones([1], kind)
        periodic = cast(b.convert(periodic, dtypes.bool_, name="periodic"), dtypes.int32)
        even = 1 - length % 2
        n = cast(length + periodic * even - 1, kind)
        count = cast(range_(length), kind)
        angle = b.constant(2 * np.pi, kind) * count / n

        def window() -> Any:
            return cast(level - swing * b.Cos(angle), kind)

        if known is not None:
            return window()
        from regraft.v1._control_flow import cond

        return cond(b.Equal(length, 1), lambda: ones([length], kind), window)
