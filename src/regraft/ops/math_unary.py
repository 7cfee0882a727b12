"""Elementwise functions of one tensor: signs, powers, exponentials, trigonometry, rounding, and their gradient ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.opkit.arrays import jnp, lax, namespace, on_host
from regraft.opkit.elementwise import quiet, unary
from regraft.opkit.registry import op
from regraft.opkit.shapes import merged, same_as

# Signs


@op("Neg", shape=same_as(0), elementwise=True, surplus="keeps")
def neg(x: Any) -> Any:
    """-x; unsigned integers wrap."""
    return unary(x, np.negative, "neg")


@neg.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [-dy]


@op("Abs", shape=same_as(0), elementwise=True)
def absolute(x: Any) -> Any:
    """|x|; the smallest integer stays what it is."""
    return unary(x, np.abs, "abs")


@absolute.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [dy * b.Sign(node.inputs[0])]


@op("Sign", shape=same_as(0), elementwise=True)
@quiet
def sign(x: Any) -> Any:
    """-1, 0 or 1; x / |x| for complex numbers."""
    if not on_host(x):
        return lax.sign(x)
    if x.dtype.kind == "c":
        size = np.abs(x)
        return np.asarray(np.where(size == 0, 0, x / np.where(size == 0, 1, size)).astype(x.dtype))
    return np.asarray(np.sign(x))


@sign.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.zeros_like(node.inputs[0])]


# Powers


@op("Square", shape=same_as(0), elementwise=True, surplus="keeps")
def square(x: Any) -> Any:
    """x * x."""
    return unary(x, np.square, "square")


@square.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        x = b.conj(node.inputs[0])
        two = b.constant(2.0, x.dtype)
        return [b.Mul(dy, b.Mul(x, two))]


@op("Sqrt", shape=same_as(0), elementwise=True, surplus="keeps")
def sqrt(x: Any) -> Any:
    """The square root; nan below 0."""
    return unary(x, np.sqrt, "sqrt")


@sqrt.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.SqrtGrad(node.outputs[0], dy)]


@op("SqrtGrad", shape=merged())
@quiet
def sqrt_grad(y: Any, dy: Any) -> Any:
    """dy / (2 conj(y)), with y the forward output; 0 where dy is 0."""
    xp = namespace(y, dy)
    half = np.asarray(0.5, dy.dtype)
    return xp.where(dy == 0, dy, half * dy / xp.conj(y)).astype(dy.dtype)


@sqrt_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        ga = dy / node.inputs[0]
        return [-b.conj(ga) * node.outputs[0], 0.5 * ga]


@op("Rsqrt", shape=same_as(0), elementwise=True, surplus="keeps")
@quiet
def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    if on_host(x):
        return np.asarray(np.asarray(1, x.dtype) / np.sqrt(x))
    return lax.rsqrt(x)


@rsqrt.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.RsqrtGrad(node.outputs[0], dy)]


@op("RsqrtGrad", shape=merged())
@quiet
def rsqrt_grad(y: Any, dy: Any) -> Any:
    """-dy conj(y)^3 / 2, with y the forward output; 0 where dy is 0."""
    xp = namespace(y, dy)
    y = xp.conj(y)
    return xp.where(dy == 0, dy, np.asarray(-0.5, dy.dtype) * dy * (y * y * y)).astype(dy.dtype)


@rsqrt_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    a, upstream = node.inputs
    with b.graph.control_dependencies([dy]):
        a, dy_conj = b.conj(a), b.conj(dy)
        return [-1.5 * dy_conj * upstream * b.Square(a), b.RsqrtGrad(a, dy)]


@op("Reciprocal", "Inv", shape=same_as(0), elementwise=True)
@quiet
def reciprocal(x: Any) -> Any:
    """1 / x."""
    return np.asarray(np.asarray(1, x.dtype) / x) if on_host(x) else lax.reciprocal(x)


@reciprocal.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.ReciprocalGrad(node.outputs[0], dy)]


@op("ReciprocalGrad", "InvGrad", shape=merged())
@quiet
def reciprocal_grad(y: Any, dy: Any) -> Any:
    """-dy conj(y)^2, with y the forward output."""
    y = namespace(y).conj(y)
    return -y * y * dy


@reciprocal_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    a, upstream = node.inputs
    with b.graph.control_dependencies([dy]):
        a, dy_conj = b.conj(a), b.conj(dy)
        return [dy_conj * -2.0 * upstream * a, b.ReciprocalGrad(a, dy)]


# Exponentials and logarithms


@op("Exp", shape=same_as(0), elementwise=True)
def exp(x: Any) -> Any:
    """e^x."""
    return unary(x, np.exp, "exp")


@exp.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.conj(node.outputs[0])]


@op("Expm1", shape=same_as(0), elementwise=True)
def expm1(x: Any) -> Any:
    """e^x - 1, precise near 0."""
    return unary(x, np.expm1, "expm1")


@expm1.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Exp(b.conj(node.inputs[0]))]


@op("Log", shape=same_as(0), elementwise=True)
def log(x: Any) -> Any:
    """The natural logarithm: -inf at 0, nan below."""
    return unary(x, np.log, "log")


@log.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Reciprocal(b.conj(node.inputs[0]))]


@op("Log1p", shape=same_as(0), elementwise=True)
def log1p(x: Any) -> Any:
    """log(1 + x), precise near 0."""
    return unary(x, np.log1p, "log1p")


@log1p.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Reciprocal(1 + b.conj(node.inputs[0]))]


@op("Tanh", shape=same_as(0), elementwise=True)
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return unary(x, np.tanh, "tanh")


@tanh.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [b.TanhGrad(b.conj(node.outputs[0]), dy)]


@op("TanhGrad", shape=merged())
@quiet
def tanh_grad(y: Any, dy: Any) -> Any:
    """dy * (1 - y^2), with y the forward output."""
    return dy * (np.asarray(1, y.dtype) - y * y)


@tanh_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        a, upstream = b.conj(node.inputs[0]), b.conj(node.inputs[1])
        return [dy * -2.0 * upstream * a, b.TanhGrad(a, dy)]


@op("Sigmoid", shape=same_as(0), elementwise=True)
@quiet
def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    if not on_host(x):
        return lax.logistic(x)
    one = np.asarray(1, x.dtype)
    return np.asarray(one / (one + np.exp(-x)))


@sigmoid.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [b.SigmoidGrad(b.conj(node.outputs[0]), dy)]


@op("SigmoidGrad", shape=merged())
@quiet
def sigmoid_grad(y: Any, dy: Any) -> Any:
    """dy * y * (1 - y), with y the forward output."""
    return dy * y * (np.asarray(1, y.dtype) - y)


@sigmoid_grad.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        a, upstream = b.conj(node.inputs[0]), b.conj(node.inputs[1])
        gb = dy * upstream
        return [gb - 2.0 * gb * a, b.SigmoidGrad(a, dy)]


# Trigonometry


@op("Sin", shape=same_as(0), elementwise=True)
def sin(x: Any) -> Any:
    """The sine of an angle in radians."""
    return unary(x, np.sin, "sin")


@sin.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Cos(b.conj(node.inputs[0]))]


@op("Cos", shape=same_as(0), elementwise=True)
def cos(x: Any) -> Any:
    """The cosine of an angle in radians."""
    return unary(x, np.cos, "cos")


@cos.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        x = b.conj(node.inputs[0])
        return [-dy * b.Sin(x)]


@op("Tan", shape=same_as(0), elementwise=True)
def tan(x: Any) -> Any:
    """The tangent of an angle in radians."""
    return unary(x, np.tan, "tan")


@tan.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [b.Square(b.Reciprocal(b.Cos(b.conj(node.inputs[0])))) * dy]


def _reciprocal_root(b: Any, node: Any, dy: Any) -> Any:
    """1 / sqrt(1 - x^2)."""
    squared = b.Square(b.conj(node.inputs[0]))
    one = b.constant(1, dy.dtype)
    return b.Reciprocal(b.Sqrt(b.Sub(one, squared)))


@op("Asin", shape=same_as(0), elementwise=True)
def asin(x: Any) -> Any:
    """The arcsine, in radians."""
    return unary(x, np.arcsin, "asin")


@asin.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * _reciprocal_root(b, node, dy)]


@op("Acos", shape=same_as(0), elementwise=True)
def acos(x: Any) -> Any:
    """The arccosine, in radians."""
    return unary(x, np.arccos, "acos")


@acos.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        root = _reciprocal_root(b, node, dy)
        return [-dy * root]


@op("Atan", shape=same_as(0), elementwise=True)
def atan(x: Any) -> Any:
    """The arctangent, in radians."""
    return unary(x, np.arctan, "atan")


@atan.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        squared = b.Square(b.conj(node.inputs[0]))
        one = b.constant(1, dy.dtype)
        return [dy * b.Reciprocal(b.AddV2(one, squared, name="Add"))]


@op("Sinh", shape=same_as(0), elementwise=True)
def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    return unary(x, np.sinh, "sinh")


@sinh.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Cosh(b.conj(node.inputs[0]))]


@op("Cosh", shape=same_as(0), elementwise=True)
def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    return unary(x, np.cosh, "cosh")


@cosh.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy * b.Sinh(b.conj(node.inputs[0]))]


@op("Asinh", shape=same_as(0), elementwise=True)
def asinh(x: Any) -> Any:
    """The inverse hyperbolic sine."""
    return unary(x, np.arcsinh, "asinh")


@asinh.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy / b.Cosh(b.conj(node.outputs[0]))]


@op("Acosh", shape=same_as(0), elementwise=True)
def acosh(x: Any) -> Any:
    """The inverse hyperbolic cosine; nan below 1."""
    return unary(x, np.arccosh, "acosh")


@acosh.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        return [dy / b.Sinh(b.conj(node.outputs[0]))]


@op("Atanh", shape=same_as(0), elementwise=True)
def atanh(x: Any) -> Any:
    """The inverse hyperbolic tangent."""
    return unary(x, np.arctanh, "atanh")


@atanh.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    with b.graph.control_dependencies([dy]):
        squared = b.Square(b.conj(node.inputs[0]))
        one = b.constant(1, dy.dtype)
        return [dy * b.Reciprocal(b.Sub(one, squared))]


# Rounding


def no_input_gradient(b: Any, node: Any, dy: Any) -> Any:
    """The gradient is nowhere anything but 0: TensorFlow gives None."""
    return [None]


@op("Floor", shape=same_as(0), elementwise=True, mask="rounds")
def floor(x: Any) -> Any:
    """The largest integer that is not above x."""
    return unary(x, np.floor, "floor")


floor.gradient(no_input_gradient)


@op("Ceil", shape=same_as(0), elementwise=True)
def ceil(x: Any) -> Any:
    """The smallest integer that is not below x."""
    return unary(x, np.ceil, "ceil")


ceil.gradient(no_input_gradient)


@op("Round", "Rint", shape=same_as(0), elementwise=True)
def rint(x: Any) -> Any:
    """The nearest integer, the even one of two equally near.

    differs  integers stay what they are, where the kernel of TensorFlow 2.21 makes them all 0
    """
    if x.dtype.kind in "iu":
        return x
    return np.asarray(np.rint(x)) if on_host(x) else jnp.rint(x)


rint.gradient(no_input_gradient)


# Tests


@op("IsNan", shape=same_as(0), elementwise=True)
def is_nan(x: Any) -> Any:
    """Whether x is no number."""
    return np.asarray(np.isnan(x)) if on_host(x) else x != x


@op("IsInf", shape=same_as(0), elementwise=True)
def is_inf(x: Any) -> Any:
    """Whether x is inf or -inf."""
    return namespace(x).isinf(x)


@op("IsFinite", shape=same_as(0), elementwise=True)
def is_finite(x: Any) -> Any:
    """Whether x is neither infinite nor nan."""
    return unary(x, np.isfinite, "is_finite")


@op("LogicalNot", shape=same_as(0), elementwise=True, no_gradient="bool result")
def logical_not(x: Any) -> Any:
    """Whether x is False."""
    return unary(x, np.logical_not, "bitwise_not")


@op("Invert", shape=same_as(0), elementwise=True, no_gradient="integer result")
def invert(x: Any) -> Any:
    """All bits of x flipped."""
    return unary(x, np.invert, "bitwise_not")
