"""Special functions: error functions, gamma and beta functions, and their relatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.opkit.arrays import LazyModule, lax, on_host
from regraft.opkit.broadcast_gradient import gradient_args, reduced_always
from regraft.opkit.elementwise import broadcast, on_scipy, quiet
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge, same_as
from regraft.opkit.shapes import broadcast as broadcast_shape

jax_special: Any = LazyModule("jax.scipy.special")

# From so many elements on, importing SciPy costs less than calling Python's functions.
_MANY = 1 << 20


# Error functions


def _each(function: Callable[[float], float], x: Any) -> Any:
    """`function` of every element of a host value; SciPy's of that name where they are too many for a loop."""
    if x.size > _MANY:
        return on_scipy(function.__name__, x)
    values = np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size)
    return values.astype(x.dtype).reshape(x.shape)


@op("Erf", shape=same_as(0))
@quiet
def erf(x: Any) -> Any:
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    return _each(math.erf, x) if on_host(x) else lax.erf(x)


@erf.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [_bell(b, node, dy, 2 / math.sqrt(math.pi))]


@op("Erfc", shape=same_as(0))
@quiet
def erfc(x: Any) -> Any:
    """1 - erf(x)."""
    return _each(math.erfc, x) if on_host(x) else lax.erfc(x)


@erfc.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [_bell(b, node, dy, -2 / math.sqrt(math.pi))]


def _bell(b: Any, node: Any, dy: Any, scale: float) -> Any:
    factor = b.constant(scale, dy.dtype.base)
    with b.graph.control_dependencies([dy]):
        return dy * factor * b.Exp(-b.Square(b.conj(node.inputs[0])))


@op("Erfinv", shape=same_as(0), lax=True)
def erfinv(x: Any) -> Any:
    """The number whose erf is x."""
    return lax.erf_inv(x)


@erfinv.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    factor = b.constant(math.sqrt(math.pi) / 2, dy.dtype.base)
    with b.graph.control_dependencies([dy]):
        return [dy * factor * b.Exp(b.Square(node.outputs[0]))]


@op("Ndtri", shape=same_as(0), lax=True)
def ndtri(x: Any) -> Any:
    """The quantile x of the normal distribution."""
    return jax_special.ndtri(x)


@ndtri.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    factor = b.constant(math.sqrt(2 * math.pi), dy.dtype.base)
    with b.graph.control_dependencies([dy]):
        return [dy * factor * b.Exp(b.Square(node.outputs[0]) / 2.0)]


# Gamma and beta functions


@op("Lgamma", shape=same_as(0), lax=True)
def lgamma(x: Any) -> Any:
    """The logarithm of |gamma(x)|."""
    return lax.lgamma(x)


@lgamma.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Digamma(b.conj(node.inputs[0]))]


@op("Digamma", shape=same_as(0), lax=True)
def digamma(x: Any) -> Any:
    """The derivative of lgamma."""
    return lax.digamma(x)


@digamma.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        x = b.conj(node.inputs[0])
        return [dy * b.Polygamma(b.constant(1, x.dtype.base), x)]


@op("Polygamma", shape=broadcast_shape, lax=True)
def polygamma(a: Any, x: Any) -> Any:
    """The derivative of order a of digamma."""
    return lax.polygamma(*broadcast(a, x))


@polygamma.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    n, x = node.inputs
    shapes, axes = gradient_args(b, n, x)
    with b.graph.control_dependencies([dy]):
        by_x = b.Polygamma(b.conj(n) + 1, b.conj(x))
        return None, reduced_always(b, by_x * dy, axes[1], shapes[1])


@op("Zeta", shape=broadcast_shape, lax=True)
def zeta(x: Any, q: Any) -> Any:
    """The sum of (q + n)^-x for n = 0, 1, 2, ..."""
    return lax.zeta(*broadcast(x, q))


@zeta.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, q = node.inputs
    shapes, axes = gradient_args(b, x, q)
    with b.graph.control_dependencies([dy]):
        x, q = b.conj(x), b.conj(q)
        by_q = -x * b.Zeta(x + 1, q)
        return None, reduced_always(b, by_q * dy, axes[1], shapes[1])


@op("Igamma", shape=broadcast_shape, lax=True)
def igamma(a: Any, x: Any) -> Any:
    """The lower regularized incomplete gamma function P(a, x)."""
    return lax.igamma(*broadcast(a, x))


def _igamma_gradients(b: Any, node: Any, dy: Any) -> Any:
    a, x = node.inputs
    shapes, axes = gradient_args(b, a, x)
    with b.graph.control_dependencies([dy]):
        by_a = b.IgammaGradA(a, x)
        by_x = b.Exp(-x + (a - 1) * b.Log(x) - b.Lgamma(a))
        ga = reduced_always(b, by_a * dy, axes[0], shapes[0])
        return ga, reduced_always(b, by_x * dy, axes[1], shapes[1])


igamma.gradient(_igamma_gradients)


@op("Igammac", shape=broadcast_shape, lax=True)
def igammac(a: Any, x: Any) -> Any:
    """The upper regularized incomplete gamma function Q(a, x) = 1 - P(a, x)."""
    return lax.igammac(*broadcast(a, x))


@igammac.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    ga, gx = _igamma_gradients(b, node, dy)
    return -ga, -gx


@op("IgammaGradA", shape=broadcast_shape, lax=True)
def igamma_grad_a(a: Any, x: Any) -> Any:
    """The derivative of Igamma by a."""
    return lax.igamma_grad_a(*broadcast(a, x))


@op("RandomGammaGrad", shape=broadcast_shape, lax=True)
def random_gamma_grad(alpha: Any, sample: Any) -> Any:
    """The derivative by alpha of a sample of the gamma distribution with shape alpha."""
    return lax.random_gamma_grad(*broadcast(alpha, sample))


def _betainc_shape(c: ShapeContext) -> list[Sizes]:
    out: Sizes = ()
    for sizes in c.inputs:
        if sizes is None:
            return [None] if out == () else [out]
        if sizes != ():
            out = sizes if out == () else merge(c, out, sizes)
    return [out]


@op("Betainc", shape=_betainc_shape, lax=True)
def betainc(a: Any, b: Any, x: Any) -> Any:
    """The regularized incomplete beta function; each input is a scalar or of the one shape that the others have."""
    return lax.betainc(*broadcast(a, b, x))


@betainc.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    a, c, x = node.inputs
    shapes, axes = gradient_args(b, a, x)
    log_beta = b.Lgamma(a) + b.Lgamma(c) - b.Lgamma(a + c)
    by_x = b.Exp(_xlog1py(b, c - 1, -x) + b.Xlogy(a - 1, x) - log_beta)
    return None, None, reduced_always(b, by_x * dy, axes[1], shapes[1])


def _xlog1py(b: Any, x: Any, y: Any) -> Any:
    with b.graph.name_scope("xlog1py"):
        return b.Xlog1py(x, y)


# Integrals


@op("Dawsn", shape=same_as(0), runs=Runs.HOST)
def dawsn(x: Any) -> Any:
    """Dawson's integral."""
    return on_scipy("dawsn", x)


@dawsn.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * (1.0 - 2 * node.inputs[0] * node.outputs[0])]


@op("Expint", shape=same_as(0), runs=Runs.HOST)
def expint(x: Any) -> Any:
    """The exponential integral Ei(x)."""
    return on_scipy("expi", x)


@expint.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[0]
    with b.graph.control_dependencies([dy]):
        return [dy * b.Exp(x) / x]


@op("FresnelSin", shape=same_as(0), runs=Runs.HOST)
def fresnel_sin(x: Any) -> Any:
    """The integral of sin(pi t^2 / 2) from 0 to x."""
    return on_scipy("fresnel", x)[0]


@fresnel_sin.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Sin((math.pi / 2.0) * b.Square(node.inputs[0]))]


@op("FresnelCos", shape=same_as(0), runs=Runs.HOST)
def fresnel_cos(x: Any) -> Any:
    """The integral of cos(pi t^2 / 2) from 0 to x."""
    return on_scipy("fresnel", x)[1]


@fresnel_cos.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Cos((math.pi / 2.0) * b.Square(node.inputs[0]))]


@op("Spence", shape=same_as(0), runs=Runs.HOST)
def spence(x: Any) -> Any:
    """The integral of log(t) / (1 - t) from 1 to x."""
    return on_scipy("spence", x)


@spence.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[0]
    with b.graph.control_dependencies([dy]):
        by_x = b.Log(x) / (1 - x)
        by_x = b.Select(b.Equal(x, 1.0), -b.ones_like(x), by_x)
        return [dy * by_x]
