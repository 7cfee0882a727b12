"""Complex numbers and their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.opkit.arrays import lax, namespace, on_host
from regraft.opkit.broadcast_gradient import reduce_gradients
from regraft.opkit.elementwise import broadcast, quiet, unary
from regraft.opkit.registry import op
from regraft.opkit.shapes import broadcast as broadcast_shape
from regraft.opkit.shapes import same_as


@op("Real", shape=same_as(0))
def real(input: Any) -> Any:
    """The real part."""
    return unary(input, np.real, "real")


@real.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [_complex(b, dy, b.constant(0, dy.dtype.base))]


@op("Imag", shape=same_as(0))
def imag(input: Any) -> Any:
    """The imaginary part."""
    return unary(input, np.imag, "imag")


@imag.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [_complex(b, b.constant(0, dy.dtype.base), dy)]


@op("Conj", shape=same_as(0))
def conj(input: Any) -> Any:
    """The complex conjugate."""
    return unary(input, np.conj, "conj")


@conj.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.conj(dy)]


@op("Complex", shape=broadcast_shape)
def make_complex(real: Any, imag: Any) -> Any:
    """real + i imag."""
    real, imag = broadcast(real, imag)
    if not on_host(real, imag):
        return lax.complex(real, imag)
    out = np.empty(np.shape(real), np.complex64 if real.dtype == np.float32 else np.complex128)
    out.real, out.imag = real, imag
    return out


@make_complex.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    gx = b.Real(dy, Tout=x.dtype.base)
    gy = b.Imag(dy, Tout=y.dtype.base)
    return reduce_gradients(b, x, y, gx, gy)


@op("ComplexAbs", shape=same_as(0))
def complex_abs(x: Any) -> Any:
    """The distance from 0."""
    return unary(x, np.abs, "abs")


@complex_abs.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    y = node.outputs[0]
    direction = _complex(b, dy, b.zeros_like(dy)) * node.inputs[0]
    return [b.DivNoNan(direction, _complex(b, y, b.zeros_like(y)), name="div_no_nan")]


@op("Angle", shape=same_as(0))
@quiet
def angle(input: Any) -> Any:
    """The angle of the complex number, in radians."""
    xp = namespace(input)
    return xp.arctan2(xp.imag(input), xp.real(input))


@angle.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[0]
    with b.graph.control_dependencies([dy]):
        re = b.Real(x, Tout=x.dtype.real_dtype)
        im = b.Imag(x, Tout=x.dtype.real_dtype)
        z = b.Reciprocal(_complex(b, im, re))
        zero = b.constant(0, dy.dtype.base)
        return [-_complex(b, dy, zero) * z]


def _complex(b: Any, re: Any, im: Any) -> Any:
    return b.Complex(re, im, Tout="complex64" if re.dtype.base.name == "float32" else "complex128")
