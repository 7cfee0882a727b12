"""Special functions, each in a scope of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.v1._opening import opened

_BESSEL = {
    "bessel_i0": "The modified Bessel function of the first kind of order 0",
    "bessel_i0e": "The modified Bessel function of the first kind of order 0, times exp(-|x|)",
    "bessel_i1": "The modified Bessel function of the first kind of order 1",
    "bessel_i1e": "The modified Bessel function of the first kind of order 1, times exp(-|x|)",
    "bessel_k0": "The modified Bessel function of the second kind of order 0",
    "bessel_k0e": "The modified Bessel function of the second kind of order 0, times exp(x)",
    "bessel_k1": "The modified Bessel function of the second kind of order 1",
    "bessel_k1e": "The modified Bessel function of the second kind of order 1, times exp(x)",
    "bessel_j0": "The Bessel function of the first kind of order 0",
    "bessel_j1": "The Bessel function of the first kind of order 1",
    "bessel_y0": "The Bessel function of the second kind of order 0",
    "bessel_y1": "The Bessel function of the second kind of order 1",
    "dawsn": "Dawson's integral",
    "expint": "The exponential integral",
    "fresnel_cos": "Fresnel's cosine integral",
    "fresnel_sin": "Fresnel's sine integral",
    "spence": "The dilogarithm of 1 - x",
}


def _function(name: str, doc: str) -> Callable[..., Any]:
    op_type = "".join(part.capitalize() for part in name.split("_"))
    default = name

    def function(x: Any, name: str | None = None) -> Any:
        with opened(name, default, x) as (b, _):
            return b.op(op_type, x)

    function.__name__ = function.__qualname__ = default
    function.__doc__ = f"{doc}, element by element."
    return function


_FUNCTIONS = {name: _function(name, doc) for name, doc in _BESSEL.items()}

bessel_i0, bessel_i0e = _FUNCTIONS["bessel_i0"], _FUNCTIONS["bessel_i0e"]
bessel_i1, bessel_i1e = _FUNCTIONS["bessel_i1"], _FUNCTIONS["bessel_i1e"]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    raise AttributeError(f"module 'regraft.v1.math.special' has no attribute {name!r}")
