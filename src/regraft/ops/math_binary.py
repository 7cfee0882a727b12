"""Elementwise arithmetic of two tensors that broadcast, and sums of many of one shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, lax, namespace, on_host, static_shape
from regraft.opkit.broadcast_gradient import equal_and_known, gradient_args, reduce_gradients, reduced_always
from regraft.opkit.elementwise import binary, broadcast, incompatible, quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge, same_as
from regraft.opkit.shapes import broadcast as broadcast_shape
from regraft.opkit.tensor_lists import Optional, TensorList

# Sums and products


@op("Add", "AddV2", shape=broadcast_shape, elementwise=True, mask="adds")
def add(x: Any, y: Any) -> Any:
    """x + y; strings are joined (Add alone)."""
    return binary(x, y, np.add, "add")


@add.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    if equal_and_known(x, y, dy):
        return dy, dy
    return reduce_gradients(b, x, y, dy, dy)


@op("Sub", shape=broadcast_shape, elementwise=True, surplus="keeps")
def sub(x: Any, y: Any) -> Any:
    """x - y."""
    return binary(x, y, np.subtract, "sub")


@sub.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    if equal_and_known(x, y, dy):
        return dy, -dy
    return reduce_gradients(b, x, y, dy, -dy)


@op("Mul", shape=broadcast_shape, elementwise=True, surplus="keeps", mask="scales")
def mul(x: Any, y: Any) -> Any:
    """x * y."""
    return binary(x, y, np.multiply, "mul")


@mul.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    if equal_and_known(x, y, dy) and dy.dtype.base.name in ("int32", "float32"):
        return b.Mul(dy, y), b.Mul(dy, x)
    gx = b.Mul(dy, b.conj(y))
    gy = b.Mul(b.conj(x), dy)
    return reduce_gradients(b, x, y, gx, gy)


@op("MulNoNan", shape=broadcast_shape, elementwise=True)
@quiet
def mul_no_nan(x: Any, y: Any) -> Any:
    """x * y, and 0 wherever y is 0, be x infinite or nan."""
    x, y = broadcast(x, y)
    return namespace(x, y).where(y == 0, np.zeros((), y.dtype), x * y)


@mul_no_nan.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    gx, gy = b.MulNoNan(dy, y), b.MulNoNan(x, dy)
    if equal_and_known(x, y, dy):
        return gx, gy
    return reduce_gradients(b, x, y, gx, gy)


@op("SquaredDifference", shape=broadcast_shape, elementwise=True)
@quiet
def squared_difference(x: Any, y: Any) -> Any:
    """(x - y)^2, with a conjugate for complex numbers."""
    x, y = broadcast(x, y)
    d = x - y
    return d * namespace(d).conj(d) if d.dtype.kind == "c" else d * d


@squared_difference.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    with b.graph.control_dependencies([dy]):
        twice = b.Mul(b.convert(2.0, x.dtype.base, name="scalar"), dy)
        gx = twice * (x - y)
    if equal_and_known(x, y, dy):
        return gx, -gx
    return reduce_gradients(b, x, y, gx, -gx)


def all_merged(c: ShapeContext) -> list[Sizes]:
    """All inputs have one shape, which is the output's."""
    out: Sizes = None
    for i in reversed(range(len(c))):
        out = merge(c, c.input(i), out)
    return [out]


@op("AddN", shape=all_merged)
def add_n(inputs: Any) -> Any:
    """The sum of tensors of one shape."""
    total = inputs[0]
    for value in inputs[1:]:
        if isinstance(total, (TensorList, Optional)):
            total = total.plus(value)
            continue
        if static_shape(value) != static_shape(total):
            raise InvalidArgumentError(
                f"Inputs to operation AddN must have the same size and shape. "
                f"Input 0: {list(static_shape(total))} != input: {list(static_shape(value))}"
            )
        total = binary(total, value, np.add, "add")
    return total


@add_n.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [dy] * len(node.inputs)


def _shape_of_sum(c: ShapeContext) -> list[Sizes]:
    from regraft.base.shapes import TensorShape

    return [merge(c, TensorShape(c.attr("shape")).sizes, all_merged(c)[0])]


@op("AccumulateNV2", shape=_shape_of_sum)
def accumulate_n(inputs: Any) -> Any:
    """The sum of tensors of one shape."""
    return add_n(inputs)


@accumulate_n.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [dy] * len(node.inputs)


# Quotients


def _check_divisor(y: Any) -> None:
    if on_host(y) and y.dtype.kind in "iu" and not np.all(y):
        raise InvalidArgumentError("Integer division by zero")


def _truncated(x: Any, y: Any) -> Any:
    """x / y of integers, rounded towards 0."""
    _check_divisor(y)
    if on_host(x, y):
        try:
            return np.asarray(np.floor_divide(x - np.fmod(x, y), y))
        except ValueError as e:
            raise incompatible(x, y) from e
    return lax.div(*broadcast(x, y))


def _real_div(x: Any, y: Any) -> Any:
    return binary(x, y, np.divide, "div")


@op("RealDiv", shape=broadcast_shape, elementwise=True, surplus="keeps")
def real_div(x: Any, y: Any) -> Any:
    """x / y of floats or complex numbers."""
    return _real_div(x, y)


@real_div.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    cx, cy = b.conj(x), b.conj(y)
    gx = b.RealDiv(dy, cy)
    gy = dy * b.RealDiv(b.RealDiv(-cx, cy), cy)
    return reduce_gradients(b, x, y, gx, gy)


@op("Div", shape=broadcast_shape, elementwise=True)
@quiet
def div(x: Any, y: Any) -> Any:
    """x / y; of integers, rounded towards 0.

    raises  InvalidArgumentError for an integer divided by 0
    differs  compiled, an integer divided by 0 is -1
    """
    return _truncated(x, y) if x.dtype.kind in "iu" else _real_div(x, y)


@div.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    cx, cy = b.conj(x), b.conj(y)
    gx = dy / cy
    gy = dy * ((-cx / cy) / cy)
    return reduce_gradients(b, x, y, gx, gy)


@op("DivNoNan", shape=broadcast_shape, elementwise=True)
@quiet
def div_no_nan(x: Any, y: Any) -> Any:
    """x / y, and 0 wherever y is 0."""
    xp = namespace(x, y)
    x, y = broadcast(x, y)
    zero = y == 0
    return xp.where(zero, np.zeros((), x.dtype), x / xp.where(zero, np.ones((), y.dtype), y))


@div_no_nan.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = (b.conj(t) for t in node.inputs)
    gx = b.DivNoNan(dy, y, name="div_no_nan")
    gy = dy * b.DivNoNan(b.DivNoNan(-x, y, name="div_no_nan"), y, name="div_no_nan")
    return reduce_gradients(b, x, y, gx, gy)


@op("TruncateDiv", shape=broadcast_shape, elementwise=True)
@quiet
def truncate_div(x: Any, y: Any) -> Any:
    """x / y rounded towards 0. Raises and differs as Div."""
    if x.dtype.kind in "iu":
        return _truncated(x, y)
    return namespace(x, y).trunc(_real_div(x, y))


@truncate_div.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return None, None


@op("FloorDiv", shape=broadcast_shape, elementwise=True)
@quiet
def floor_div(x: Any, y: Any) -> Any:
    """x / y rounded down. Raises and differs as Div."""
    if x.dtype.kind not in "iu":
        quotient = _real_div(x, y)
        return np.floor(quotient) if on_host(quotient) else lax.floor(quotient)
    _check_divisor(y)
    if on_host(x, y):
        return binary(x, y, np.floor_divide, "div")
    x, y = broadcast(x, y)
    quotient = lax.div(x, y)
    if x.dtype.kind == "u":
        return quotient
    inexact = lax.ne(lax.mul(quotient, y), x)
    down = lax.bitwise_and(inexact, lax.lt(lax.bitwise_xor(x, y), lax.full_like(x, 0)))
    return lax.sub(quotient, lax.convert_element_type(down, x.dtype))


@floor_div.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return None, None


@op("FloorMod", shape=broadcast_shape, elementwise=True)
@quiet
def floor_mod(x: Any, y: Any) -> Any:
    """x - y * floor(x / y): the remainder with the sign of y. Raises as Div; compiled, x mod 0 of integers is x."""
    _check_divisor(y)
    if on_host(x, y):
        return binary(x, y, np.mod, "rem")
    x, y = broadcast(x, y)
    rest = lax.rem(x, y)
    if x.dtype.kind == "u":
        return rest
    zero = lax.full_like(rest, 0)
    wrong = lax.bitwise_and(lax.ne(rest, zero), lax.ne(lax.lt(rest, zero), lax.lt(y, zero)))
    return lax.select(wrong, lax.add(rest, y), rest)


@floor_mod.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    quotient = b.FloorDiv(x, y)
    gy = dy * b.Neg(quotient)
    return reduce_gradients(b, x, y, dy, gy)


@op("Mod", "TruncateMod", shape=broadcast_shape, elementwise=True)
def truncate_mod(x: Any, y: Any) -> Any:
    """The remainder of x / y rounded towards 0: it has the sign of x. Raises as Div; compiled, x mod 0 is x."""
    _check_divisor(y)
    return binary(x, y, np.fmod, "rem")


# Powers and logarithms


@op("Pow", shape=broadcast_shape, elementwise=True, surplus="keeps")
@quiet
def power(x: Any, y: Any) -> Any:
    """x to the power of y.

    raises   InvalidArgumentError for an integer to a negative power
    differs  compiled, an integer to a negative power is not told from one to the power of 0
    """
    if x.dtype.kind in "iu":
        if on_host(y) and y.dtype.kind == "i" and np.any(y < 0):
            raise InvalidArgumentError("Integers to negative integer powers are not allowed")
        if not on_host(x, y):
            return _integer_power(*broadcast(x, y))
    elif on_host(x, y) and y.size == 1 and y.ndim <= x.ndim and y.item() in (2, 3):
        # NumPy's power is a call of the C library for each element.
        return np.asarray(x * x if y.item() == 2 else x * x * x)
    return binary(x, y, np.power, "pow")


def _integer_power(x: Any, y: Any) -> Any:
    """By squaring: the product wraps as that of TensorFlow's loop does."""

    def step(state: Any) -> Any:
        result, base, exponent = state
        odd = lax.ne(lax.bitwise_and(exponent, lax.full_like(exponent, 1)), lax.full_like(exponent, 0))
        result = lax.select(odd, lax.mul(result, base), result)
        return result, lax.mul(base, base), lax.shift_right_logical(exponent, lax.full_like(exponent, 1))

    exponent = lax.max(y, lax.full_like(y, 0))
    start = (lax.full_like(x, 1), jnp.asarray(x), exponent)
    return lax.while_loop(lambda state: jnp.any(state[2] != 0), step, start)[0]


@power.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    cx, cy = b.conj(x), b.conj(y)
    gx = dy * cy * b.Pow(cx, cy - 1)
    mask = b.NotEqual(cx, 0) if x.dtype.is_complex else cx > 0
    safe = b.Select(mask, cx, b.ones_like(x))
    log_x = b.Select(mask, b.Log(safe), b.zeros_like(x))
    gy = dy * b.conj(node.outputs[0]) * log_x
    return reduce_gradients(b, x, y, gx, gy)


def _unless_zero(x: Any, value: Any) -> Any:
    return namespace(x, value).where(x == 0, np.zeros((), x.dtype), value)


def _where_not_zero(b: Any, node: Any) -> Any:
    """1 where the first input is not 0, else 0."""
    x = node.inputs[0]
    return b.cast(b.NotEqual(x, b.cast(0.0, x.dtype)), x.dtype)


@op("Xdivy", shape=broadcast_shape, elementwise=True)
@quiet
def xdivy(x: Any, y: Any) -> Any:
    """x / y, and 0 wherever x is 0."""
    x, y = broadcast(x, y)
    return _unless_zero(x, x / y)


@xdivy.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    shapes, axes = gradient_args(b, x, y)
    with b.graph.control_dependencies([dy]):
        by_x = b.Xdivy(_where_not_zero(b, node), y)
        by_y = b.Xdivy(b.Neg(x), y**2)
        return _scaled(b, shapes, axes, by_x, by_y, dy)


@op("Xlogy", shape=broadcast_shape, elementwise=True)
@quiet
def xlogy(x: Any, y: Any) -> Any:
    """x * log(y), and 0 wherever x is 0."""
    x, y = broadcast(x, y)
    return _unless_zero(x, x * namespace(x, y).log(y))


@xlogy.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    shapes, axes = gradient_args(b, x, y)
    with b.graph.control_dependencies([dy]):
        by_x = b.Xlogy(_where_not_zero(b, node), y)
        by_y = b.Xdivy(x, y)
        return _scaled(b, shapes, axes, by_x, by_y, dy)


@op("Xlog1py", shape=broadcast_shape, elementwise=True)
@quiet
def xlog1py(x: Any, y: Any) -> Any:
    """x * log(1 + y), and 0 wherever x is 0."""
    x, y = broadcast(x, y)
    return _unless_zero(x, x * namespace(x, y).log1p(y))


@xlog1py.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    shapes, axes = gradient_args(b, x, y)
    with b.graph.control_dependencies([dy]):
        by_x = b.Xlog1py(_where_not_zero(b, node), y)
        by_y = b.Xdivy(x, y + 1.0)
        return _scaled(b, shapes, axes, by_x, by_y, dy)


def _scaled(b: Any, shapes: Any, axes: Any, by_x: Any, by_y: Any, dy: Any) -> Any:
    gx = reduced_always(b, by_x * dy, axes[0], shapes[0])
    return gx, reduced_always(b, by_y * dy, axes[1], shapes[1])


# Choices and angles


@op("Maximum", shape=broadcast_shape, elementwise=True, surplus="keeps")
def maximum(x: Any, y: Any) -> Any:
    """The larger of x and y; nan where either is nan."""
    return binary(x, y, np.maximum, "max")


@maximum.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return _chosen(b, node, dy, b.GreaterEqual)


@op("Minimum", shape=broadcast_shape, elementwise=True, surplus="keeps")
def minimum(x: Any, y: Any) -> Any:
    """The smaller of x and y; nan where either is nan."""
    return binary(x, y, np.minimum, "min")


@minimum.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return _chosen(b, node, dy, b.LessEqual)


def _chosen(b: Any, node: Any, dy: Any, is_first: Any) -> Any:
    x, y = node.inputs
    zeros = b.zeros_like(dy)
    mask = is_first(x, y)
    gx = b.SelectV2(mask, dy, zeros)
    gy = b.SelectV2(mask, zeros, dy)
    return reduce_gradients(b, x, y, gx, gy)


@op("Atan2", shape=broadcast_shape, elementwise=True)
def atan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y), in radians."""
    return binary(y, x, np.arctan2, "atan2")


@atan2.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    y, x = node.inputs
    with b.graph.control_dependencies([dy]):
        inverse = dy / (b.Square(y) + b.Square(x))
        gy = x * inverse
        gx = -y * inverse
        return reduce_gradients(b, y, x, gy, gx)


@op("NextAfter", shape=broadcast_shape, elementwise=True)
def next_after(x1: Any, x2: Any) -> Any:
    """The number next to x1 in the direction of x2."""
    return binary(x1, x2, np.nextafter, "nextafter")


@next_after.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    shapes, axes = gradient_args(b, x, y)
    with b.graph.control_dependencies([dy]):
        by_x = b.ones(shapes[0], x.dtype)
        by_y = b.zeros(shapes[1], y.dtype)
        return _scaled(b, shapes, axes, by_x, by_y, dy)


def _cross_shape(c: ShapeContext) -> list[Sizes]:
    out = merge(c, c.input(0), c.input(1))
    if out is not None:
        if not out:
            raise c.fail("Shape must be at least rank 1 but is rank 0")
        if out[-1] not in (None, 3):
            raise c.fail(f"Dimension must be 3 but is {out[-1]}")
    return [out]


@op("Cross", shape=_cross_shape)
def cross(a: Any, b: Any) -> Any:
    """The cross product of vectors [..., 3]."""
    xp = namespace(a, b)
    (a0, a1, a2), (b0, b1, b2) = ([v[..., i] for i in range(3)] for v in (a, b))
    return xp.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)


@cross.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    u, v = node.inputs
    return b.Cross(v, dy), b.Cross(dy, u)


@op("ClipByValue", shape=same_as(0))
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    """t, but no less than the minimum and no more than the maximum: scalars, or of the shape of t."""
    shapes = [static_shape(v) for v in (t, clip_value_min, clip_value_max)]
    if any(s not in ((), shapes[0]) for s in shapes[1:]):
        raise InvalidArgumentError(
            "clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. "
            f"input shape: {list(shapes[0])} clip_value_min shape: {list(shapes[1])} "
            f"clip_value_max shape: {list(shapes[2])}"
        )
    return binary(binary(t, clip_value_max, np.minimum, "min"), clip_value_min, np.maximum, "max")


@clip_by_value.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, low, high = node.inputs
    shape_x, shape_low, shape_high = b.shape(x), b.shape(low), b.shape(high)
    zeros = b.zeros(b.shape(dy), dy.dtype)
    below, above = b.Less(x, low), b.Greater(x, high)
    _, low_axes = b.BroadcastGradientArgs(shape_x, shape_low)
    _, high_axes = b.BroadcastGradientArgs(shape_x, shape_high)
    gx = b.Select(b.LogicalOr(below, above), zeros, dy)
    g_low, g_high = b.Select(below, dy, zeros), b.Select(above, dy, zeros)
    g_low = b.reshape(b.reduce_sum(g_low, low_axes), shape_low)
    g_high = b.reshape(b.reduce_sum(g_high, high_axes), shape_high)
    return gx, g_low, g_high
