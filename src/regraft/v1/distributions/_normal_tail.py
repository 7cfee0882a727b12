"""The area under the normal curve, and its logarithm far out, where the area itself underflows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.v1._array import zeros_like
from regraft.v1._math import abs as absolute
from regraft.v1._opening import opened

# Between these, log(ndtr(x)) is exact enough by itself; TensorFlow's numbers.
_BOUNDS = {dtypes.float64: (np.float64(-20), np.float64(8)), dtypes.float32: (np.float32(-10), np.float32(5))}


def ndtr(x: Any, name: str = "ndtr") -> Any:
    """The probability that a standard normal value is below x."""
    with opened(name, name, x) as (b, _):
        x = b.convert(x, name="x")
        _bounds(x)
        return _ndtr(b, x)


def _bounds(x: Any) -> tuple[Any, Any]:
    if x.dtype.base not in _BOUNDS:
        raise TypeError(f"x.dtype={x.dtype} is not supported: float32 and float64 are")
    return _BOUNDS[x.dtype.base]


def _ndtr(b: Any, x: Any) -> Any:
    half = b.constant(0.5 * np.sqrt(2.0), x.dtype.base, name="half_sqrt_2")
    w = x * half
    z = absolute(w)
    near = b.Less(z, half)
    inner = 1.0 + b.Erf(w)
    right = b.Greater(w, 0.0)
    above = 2.0 - b.Erfc(z)
    y = b.SelectV2(near, inner, b.SelectV2(right, above, b.Erfc(z)))
    return 0.5 * y


def log_ndtr(x: Any, series_order: int = 3, name: str = "log_ndtr") -> Any:
    """log(ndtr(x)), by a series of `series_order` terms far to the left."""
    with opened(name, name, x) as (b, _):
        x = b.convert(x, name="x")
        lower, upper = _bounds(x)
        above = b.Greater(x, upper)
        far = -_ndtr(b, -x)
        between = b.Greater(x, lower)
        middle = b.Log(_ndtr(b, b.Maximum(x, lower)))
        return b.SelectV2(above, far, b.SelectV2(between, middle, _log_lower(b, b.Minimum(x, lower), series_order)))


def _log_lower(b: Any, x: Any, order: int) -> Any:
    scale = -0.5 * b.Square(x) - b.Log(-x) - 0.5 * np.log(2.0 * np.pi)
    return scale + b.Log(_series(b, x, order))


def _series(b: Any, x: Any, order: int) -> Any:
    """1 - 1/x^2 + 3/x^4 - 15/x^6 ..."""
    kind = x.dtype.base.numpy
    squares: Any = b.Square(x)
    even: Any = zeros_like(x)
    odd: Any = zeros_like(x)
    powers = squares
    for n in range(1, order + 1):
        y = np.array(math.prod(range(2 * n - 1, 1, -2)), kind) / powers
        if n % 2:
            odd += y
        else:
            even += y
        powers *= squares
    return 1.0 + even - odd
