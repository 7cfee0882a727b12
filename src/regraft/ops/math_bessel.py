"""Bessel functions of orders 0 and 1; an "e" behind the name scales by e^|x| (I) or e^x (K) to keep them finite."""

from __future__ import annotations

from typing import Any

from regraft.opkit.arrays import LazyModule, lax
from regraft.opkit.elementwise import on_scipy
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import same_as

jax_special: Any = LazyModule("jax.scipy.special")


def _scoped(b: Any, op_type: str, name: str, x: Any) -> Any:
    """TensorFlow's Python functions for these ops open a scope of their own around the node."""
    with b.graph.name_scope(name):
        return b.op(op_type, x)


@op("BesselI0", shape=same_as(0), lax=True)
def bessel_i0(x: Any) -> Any:
    """I0, the modified function of the first kind of order 0."""
    return jax_special.i0(x)


@bessel_i0.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * _scoped(b, "BesselI1", "bessel_i1", node.inputs[0])]


@op("BesselI0e", shape=same_as(0), lax=True)
def bessel_i0e(x: Any) -> Any:
    """e^-|x| I0(x)."""
    return lax.bessel_i0e(x)


@bessel_i0e.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[0], node.outputs[0]
    with b.graph.control_dependencies([dy]):
        return [dy * (_scoped(b, "BesselI1e", "bessel_i1e", x) - b.Sign(x) * y)]


@op("BesselI1", shape=same_as(0), lax=True)
def bessel_i1(x: Any) -> Any:
    """I1, the modified function of the first kind of order 1."""
    return jax_special.i1(x)


@bessel_i1.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [_with_limit(b, node, dy, 1.0, lambda x, y: _scoped(b, "BesselI0", "bessel_i0", x) - _quotient(b, y, x))]


@op("BesselI1e", shape=same_as(0), lax=True)
def bessel_i1e(x: Any) -> Any:
    """e^-|x| I1(x)."""
    return lax.bessel_i1e(x)


@bessel_i1e.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    def slope(x: Any, y: Any) -> Any:
        return _scoped(b, "BesselI0e", "bessel_i0e", x) - y * (b.Sign(x) + b.Reciprocal(x))

    return [_with_limit(b, node, dy, 0.5, slope)]


@op("BesselJ0", shape=same_as(0), runs=Runs.HOST)
def bessel_j0(x: Any) -> Any:
    """J0, the function of the first kind of order 0."""
    return on_scipy("j0", x)


@bessel_j0.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * -_scoped(b, "BesselJ1", "bessel_j1", node.inputs[0])]


@op("BesselJ1", shape=same_as(0), runs=Runs.HOST)
def bessel_j1(x: Any) -> Any:
    """J1, the function of the first kind of order 1."""
    return on_scipy("j1", x)


@bessel_j1.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [_with_limit(b, node, dy, 0.5, lambda x, y: _scoped(b, "BesselJ0", "bessel_j0", x) - _quotient(b, y, x))]


@op("BesselY0", shape=same_as(0), runs=Runs.HOST)
def bessel_y0(x: Any) -> Any:
    """Y0, the function of the second kind of order 0."""
    return on_scipy("y0", x)


@bessel_y0.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * -_scoped(b, "BesselY1", "bessel_y1", node.inputs[0])]


@op("BesselY1", shape=same_as(0), runs=Runs.HOST)
def bessel_y1(x: Any) -> Any:
    """Y1, the function of the second kind of order 1."""
    return on_scipy("y1", x)


@bessel_y1.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[0], node.outputs[0]
    with b.graph.control_dependencies([dy]):
        return [dy * (_scoped(b, "BesselY0", "bessel_y0", x) - _quotient(b, y, x))]


@op("BesselK0", shape=same_as(0), runs=Runs.HOST)
def bessel_k0(x: Any) -> Any:
    """K0, the modified function of the second kind of order 0."""
    return on_scipy("k0", x)


@bessel_k0.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * -_scoped(b, "BesselK1", "bessel_k1", node.inputs[0])]


@op("BesselK0e", shape=same_as(0), runs=Runs.HOST)
def bessel_k0e(x: Any) -> Any:
    """e^x K0(x)."""
    return on_scipy("k0e", x)


@bessel_k0e.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[0], node.outputs[0]
    with b.graph.control_dependencies([dy]):
        return [dy * (y - _scoped(b, "BesselK1e", "bessel_k1e", x))]


@op("BesselK1", shape=same_as(0), runs=Runs.HOST)
def bessel_k1(x: Any) -> Any:
    """K1, the modified function of the second kind of order 1."""
    return on_scipy("k1", x)


@bessel_k1.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[0], node.outputs[0]
    with b.graph.control_dependencies([dy]):
        return [dy * (-_scoped(b, "BesselK0", "bessel_k0", x) - _quotient(b, y, x))]


@op("BesselK1e", shape=same_as(0), runs=Runs.HOST)
def bessel_k1e(x: Any) -> Any:
    """e^x K1(x)."""
    return on_scipy("k1e", x)


@bessel_k1e.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs[0], node.outputs[0]
    with b.graph.control_dependencies([dy]):
        return [dy * (y * (1.0 - b.Reciprocal(x)) - _scoped(b, "BesselK0e", "bessel_k0e", x))]


def _quotient(b: Any, y: Any, x: Any) -> Any:
    return b.RealDiv(y, x, name="div")


def _with_limit(b: Any, node: Any, dy: Any, at_zero: float, slope: Any) -> Any:
    """dy times the slope, whose value at 0 the formula does not give."""
    x, y = node.inputs[0], node.outputs[0]
    with b.graph.control_dependencies([dy]):
        is_zero = b.Equal(x, 0.0)
        limit = b.cast(at_zero, x.dtype.base)
        return dy * b.SelectV2(is_zero, limit, slope(x, y))
