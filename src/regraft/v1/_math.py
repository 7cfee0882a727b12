"""Arithmetic, rounding, comparison, casts and complex numbers, element by element."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit import operators
from regraft.opkit.conversion import conversion_for
from regraft.opkit.slices import IndexedSlices
from regraft.v1._opening import on, opened
from regraft.v1._sparse_tensor import SparseTensor

__all__ = [
    "abs",
    "accumulate_n",
    "acos",
    "add",
    "add_n",
    "angle",
    "cast",
    "ceil",
    "complex",
    "conj",
    "div",
    "div_no_nan",
    "divide",
    "equal",
    "exp",
    "floor",
    "floordiv",
    "imag",
    "log_sigmoid",
    "logical_xor",
    "multiply",
    "not_equal",
    "pow",
    "real",
    "round",
    "rsqrt",
    "saturate_cast",
    "scalar_mul",
    "sigmoid",
    "sign",
    "sqrt",
    "subtract",
    "to_bfloat16",
    "to_complex128",
    "to_complex64",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
    "truediv",
    "polyval",
    "multiply_no_nan",
    "reciprocal_no_nan",
    "xdivy",
    "xlog1py",
    "erfinv",
    "erfcinv",
    "ndtri",
]


def is_tensor_like(value: Any) -> bool:
    """Whether `value` is a tensor, or an object with a way of its own to become one."""
    return isinstance(value, (Tensor, IndexedSlices)) or conversion_for(value) is not None


def _pair(b: Any, x: Any, y: Any, strict: bool = False) -> tuple[Tensor, Tensor]:
    """Both operands as tensors named x and y; `y` takes the type of `x` where it has none of its own."""
    x = b.convert(x, name="x")
    kind = x.dtype.base
    y = b.convert(y, kind, name="y") if strict else b.convert(y, name="y", preferred=kind)
    if y.dtype.base is not kind:
        raise TypeError(f"`x` and `y` must have the same dtype, got {x.dtype!r} != {y.dtype!r}.")
    return x, y


def add(x: Any, y: Any, name: str | None = None) -> Any:
    """x + y, element by element; strings are joined."""
    with opened(name, "Add", x) as (b, scope):
        x, y = _pair(b, x, y)
        return b.op("Add" if x.dtype.base is dtypes.string else "AddV2", x, y, name=scope)


def subtract(x: Any, y: Any, name: str | None = None) -> Any:
    """x - y, element by element."""
    return on(x, y).Sub(x, y, name=name)


def multiply(x: Any, y: Any, name: str | None = None) -> Any:
    """x * y, element by element."""
    return on(x, y).Mul(x, y, name=name)


def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y as Python divides: integers give floats."""
    if name is not None:
        return truediv(x, y, name)
    b = on(x, y)
    if not is_tensor_like(x):
        x = b.convert(x, y.dtype.base if is_tensor_like(y) else None)
    return operators.binary(b, "truediv", x, y)


def truediv(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y as Python 3 divides: integers give floats (float32 for 8 and 16 bits, else float64)."""
    with opened(name, "truediv", x, y) as (b, scope):
        x, y = _floats(b, *_pair(b, x, y))
        return b.RealDiv(x, y, name=scope)


def _floats(b: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    kind = x.dtype.base
    if kind.is_integer:
        wide = dtypes.float32 if kind.size < 4 else dtypes.float64
        return b.cast(x, wide), b.cast(y, wide)
    if not (kind.is_floating or kind.is_complex):
        raise TypeError(f"Invalid dtype {kind!r} in __truediv__.")
    return x, y


def div(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y as Python 2 divides: integers give the floor."""
    with opened(name, "div", x, y) as (b, scope):
        x, y = _pair(b, x, y, strict=True)
        kind = x.dtype
        return b.op("RealDiv" if kind.is_floating or kind.is_complex else "FloorDiv", x, y, name=scope)


def div_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y, and 0 where y is 0."""
    with opened(name, "div_no_nan", x, y) as (b, scope):
        if not is_tensor_like(x) and is_tensor_like(y):
            y = b.convert(y, name="y")
            x = b.convert(x, y.dtype.base, name="x")
        x, y = _floats(b, *_pair(b, x, y))
        return b.DivNoNan(x, y, name=scope)


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    """x * y, and 0 where y is 0 even if x is infinite or not a number."""
    with opened(name, "multiply_no_nan", x, y) as (b, scope):
        x, y = _pair(b, x, y, strict=True)
        return b.MulNoNan(x, y, name=scope)


def floordiv(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y rounded down."""
    with opened(name, "floordiv", x, y) as (b, scope):
        return b.FloorDiv(x, y, name=scope)


def pow(x: Any, y: Any, name: str | None = None) -> Any:
    """x to the power y."""
    with opened(name, "Pow", x) as (b, scope):
        return b.Pow(x, y, name=scope)


def abs(x: Any, name: str | None = None) -> Any:
    """The absolute value; the modulus of complex numbers."""
    with opened(name, "Abs", x) as (b, scope):
        x = b.convert(x, name="x")
        if x.dtype.is_complex:
            return b.ComplexAbs(x, Tout=x.dtype.real_dtype, name=scope)
        return b.Abs(x, name=scope)


def sign(x: Any, name: str | None = None) -> Any:
    """-1, 0 or 1; x / |x| for complex numbers."""
    b = on(x)
    x = b.convert(x)
    if x.dtype.is_complex:
        size = b.ComplexAbs(x, Tout=x.dtype.real_dtype)
        return b.DivNoNan(x, b.cast(size, x.dtype), name=name)
    return b.Sign(x, name=name)


def round(x: Any, name: str | None = None) -> Any:
    """The nearest integer, halves to even; integers are returned as they are."""
    b = on(x)
    x = b.convert(x, name="x")
    return x if x.dtype.is_integer else b.Round(x, name=name)


def _unary(op_type: str, doc: str) -> Any:
    def function(x: Any, name: str | None = None) -> Any:
        return on(x).op(op_type, x, name=name)

    function.__doc__ = doc
    function.__name__ = function.__qualname__ = op_type.lower()
    return function


ceil = _unary("Ceil", "The smallest integer that is not below x.")
floor = _unary("Floor", "The largest integer that is not above x.")
sqrt = _unary("Sqrt", "The square root.")
rsqrt = _unary("Rsqrt", "1 / sqrt(x).")
exp = _unary("Exp", "e to the power x.")
acos = _unary("Acos", "The angle whose cosine is x.")


def sigmoid(x: Any, name: str | None = None) -> Any:
    """1 / (1 + exp(-x))."""
    with opened(name, "Sigmoid", x) as (b, scope):
        return b.Sigmoid(b.convert(x, name="x"), name=scope)


def log_sigmoid(x: Any, name: str | None = None) -> Any:
    """log(1 / (1 + exp(-x)))."""
    with opened(name, "LogSigmoid", x) as (b, scope):
        negated = b.Neg(b.convert(x, name="x"))
        return b.Neg(b.Softplus(negated), name=scope)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """scalar * x for a scalar; `x` may be IndexedSlices. ValueError when `scalar` is none."""
    b = on(scalar, x)
    scalar = b.convert(scalar, as_dtype(x.dtype).base, name="scalar")
    if scalar.shape.rank != 0:
        raise ValueError(f"The input scalar must be a 0-D value. Received shape {scalar.shape}.")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(b.Mul(scalar, x.values, name=name), x.indices, x.dense_shape)
    return b.Mul(scalar, x, name=name)


def equal(x: Any, y: Any, name: str | None = None) -> Any:
    """x == y, element by element."""
    return on(x, y).Equal(x, y, name=name)


def not_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """x != y, element by element."""
    return on(x, y).NotEqual(x, y, name=name)


def logical_xor(x: Any, y: Any, name: str | None = "LogicalXor") -> Any:
    """Whether exactly one of x and y is true."""
    b = on(x, y)
    either = b.LogicalOr(x, y)
    return b.LogicalAnd(either, b.LogicalNot(b.LogicalAnd(x, y)), name=name)


def _summands(b: Any, inputs: Any) -> list[Any]:
    if isinstance(inputs, (Tensor, str)) or not isinstance(inputs, Iterable):
        raise ValueError(
            "Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape."
        )
    summands = [i if isinstance(i, IndexedSlices) else b.convert(i) for i in inputs]
    if not summands:
        raise ValueError(
            "Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape."
        )
    return summands


def add_n(inputs: Any, name: str | None = None) -> Any:
    """The sum of a list of tensors of one shape."""
    b = on(inputs)
    summands = _summands(b, inputs)
    if len(summands) > 1:
        return b.AddN(summands, name=name)
    (only,) = summands
    if isinstance(only, IndexedSlices):
        only = b.convert(only)
    return b.Identity(only, name=name) if name else only


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Any:
    """The sum of a list of tensors of one shape and type, which may be stated."""
    if not inputs or not isinstance(inputs, (list, tuple)):
        raise ValueError("inputs must be a list of at least one Tensor with the same dtype and shape")
    summands = _summands(on(inputs), inputs)
    known = TensorShape(shape)
    for summand in summands:
        if summand.dtype.base is not summands[0].dtype.base:
            raise ValueError("inputs must be a list of at least one Tensor with the same dtype and shape")
        known = known.merge_with(summand.shape)
    if tensor_dtype is not None and as_dtype(tensor_dtype) is not summands[0].dtype:
        raise TypeError(f"tensor_dtype is {tensor_dtype}, but input is of type {summands[0].dtype}")
    return add_n(summands, name)


# Types


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` with elements of another type; `x` itself when it has that type. Floats are cut off to make integers."""
    wanted = as_dtype(dtype).base
    if isinstance(x, Tensor) and x.dtype is wanted:
        return x
    if getattr(x, "dtype", None) is wanted and _is_resource_variable(x):
        return x
    with opened(name, "Cast", x) as (b, scope):
        if isinstance(x, IndexedSlices):
            return IndexedSlices(cast(x.values, wanted, scope), x.indices, x.dense_shape)
        if isinstance(x, SparseTensor):
            values = cast(x.values, wanted, scope)
            return x if values is x.values else x.with_values(values)
        x = b.convert(x, name="x")
        return x if x.dtype.base is wanted else b.Cast(x, DstT=wanted, name=scope)


def _is_resource_variable(x: Any) -> bool:
    handle = getattr(x, "handle", None)
    return isinstance(handle, Tensor) and handle.dtype.base is dtypes.resource


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Any:
    """`value` as `dtype`, cut off at the ends of what `dtype` can hold."""
    with opened(name, "saturate_cast", value) as (b, scope):
        value = b.convert(value, name="value")
        wanted = as_dtype(dtype).base
        if value.dtype.is_complex:
            if wanted.is_complex:
                inner, outer = value.dtype.real_dtype, wanted.real_dtype
                if inner.max > outer.max:
                    low, high = (np.array(v + v * 1j, value.dtype.numpy) for v in (outer.min, outer.max))
                    value = b.ClipByValue(value, b.constant(low), b.constant(high), name="clamp")
                return cast(value, wanted, scope)
            value = real(value)
        low, high = _limits(value.dtype.base, wanted.real_dtype)
        value = b.ClipByValue(value, b.constant(low), b.constant(high), name="clamp")
        return cast(value, wanted, scope)


def _limits(inner: DType, outer: DType) -> tuple[Any, Any]:
    """The ends of what both types hold, as values of `inner` that do not round past the ends of `outer`."""
    kind = inner.numpy.type
    wide = np.promote_types(inner.numpy, outer.numpy)
    low, high = kind(np.maximum(inner.min, outer.min)), kind(np.minimum(float(inner.max), float(outer.max)))
    ends = np.array([low, outer.min], wide)
    if ends[0] < ends[1]:
        low = np.nextafter(low, kind(0), dtype=kind)
    ends = np.array([high, outer.max], wide)
    if ends[0] > ends[1]:
        high = np.nextafter(high, kind(0), dtype=kind)
    return low, high


def _caster(name: str, dtype: DType) -> Any:
    def function(x: Any, name: str | None = name) -> Any:
        return cast(x, dtype, name)

    function.__doc__ = f"`x` as {dtype.name}; see `cast`."
    return function


to_float = _caster("ToFloat", dtypes.float32)
to_double = _caster("ToDouble", dtypes.float64)
to_int32 = _caster("ToInt32", dtypes.int32)
to_int64 = _caster("ToInt64", dtypes.int64)
to_bfloat16 = _caster("ToBFloat16", dtypes.bfloat16)
to_complex64 = _caster("ToComplex64", dtypes.complex64)
to_complex128 = _caster("ToComplex128", dtypes.complex128)


# Complex numbers


def complex(real: Any, imag: Any, name: str | None = None) -> Any:
    """real + imag * i, for two float32 or two float64 tensors."""
    b = on(real, imag)
    real, imag = b.convert(real, name="real"), b.convert(imag, name="imag")
    with opened(name, "Complex", real, imag) as (b, scope):
        kinds = {dtypes.float32: dtypes.complex64, dtypes.float64: dtypes.complex128}
        if real.dtype is not imag.dtype or real.dtype not in kinds:
            raise TypeError(
                f"The `real` and `imag` components have incorrect types: {real.dtype.name} {imag.dtype.name}. "
                "Both must be float32 or both float64."
            )
        return b.Complex(real, imag, Tout=kinds[real.dtype], name=scope)


def _is_number(kind: DType) -> bool:
    return kind.is_floating or kind.is_integer or kind.is_complex or kind.is_quantized


def real(input: Any, name: str | None = None) -> Any:
    """The real part; a real tensor as it is."""
    with opened(name, "Real", input) as (b, scope):
        input = b.convert(input, name="input")
        if input.dtype.is_complex:
            return b.Real(input, Tout=input.dtype.real_dtype, name=scope)
        if not _is_number(input.dtype):
            raise TypeError(f"input must be a numeric tensor, but got tensor with dtype {input.dtype}")
        return input


def imag(input: Any, name: str | None = None) -> Any:
    """The imaginary part; zeros for a real tensor."""
    with opened(name, "Imag", input) as (b, scope):
        input = b.convert(input, name="input")
        if input.dtype.is_complex:
            return b.Imag(input, Tout=input.dtype.real_dtype, name=scope)
        return b.zeros_like(input)


def angle(input: Any, name: str | None = None) -> Any:
    """The argument of a complex number; 0 or pi for a real one."""
    with opened(name, "Angle", input) as (b, scope):
        input = b.convert(input, name="input")
        if input.dtype.is_complex:
            return b.Angle(input, Tout=input.dtype.real_dtype, name=scope)
        below = input < 0
        one: Any = b.ones_like(input)
        straight = np.pi * one
        return b.Select(below, straight, b.zeros_like(input))


def conj(x: Any, name: str | None = None) -> Any:
    """The complex conjugate; a real tensor as it is."""
    if isinstance(x, Tensor) and (x.dtype.is_floating or x.dtype.is_integer):
        return x
    with opened(name, "Conj", x) as (b, scope):
        x = b.convert(x, name="x")
        if x.dtype.is_complex or x.dtype.base is dtypes.variant:
            return b.Conj(x, name=scope)
        if not _is_number(x.dtype):
            raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype!r}.")
        return x


# Special functions


def polyval(coeffs: list[Any], x: Any, name: str | None = None) -> Any:
    """The polynomial with these coefficients, highest power first, at x."""
    if not isinstance(coeffs, list):
        raise ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    with opened(name, "polyval", coeffs, x) as (b, scope):
        x = b.convert(x, name="x")
        if not coeffs:
            return b.zeros_like(x, name=scope)
        tensors = [b.convert(c, name=f"coeff_{i}") for i, c in enumerate(coeffs)]
        total: Any = tensors[0]
        for coefficient in tensors[1:]:
            total = coefficient + total * x
        return total


def reciprocal_no_nan(x: Any, name: str | None = None) -> Any:
    """1 / x, and 0 where x is 0."""
    with opened(name, "reciprocal_no_nan", x) as (b, scope):
        x = b.convert(x, name="x")
        return b.DivNoNan(b.constant(1, x.dtype.base, name="one"), x, name=scope)


def _scoped(op_type: str, scope_name: str, doc: str) -> Any:
    """A function whose op stands in a scope of its own."""

    def function(*inputs: Any, name: str | None = None) -> Any:
        with opened(name, scope_name, *inputs) as (b, _):
            return b.op(op_type, *inputs)

    function.__doc__ = doc
    function.__name__ = function.__qualname__ = scope_name
    return function


xdivy = _scoped("Xdivy", "xdivy", "x / y, and 0 where x is 0.")
xlog1py = _scoped("Xlog1py", "xlog1py", "x * log(1 + y), and 0 where x is 0.")
erfinv = _scoped("Erfinv", "erfinv", "The inverse of erf.")
ndtri = _scoped("Ndtri", "ndtri", "The quantile function of the standard normal distribution.")


def erfcinv(x: Any, name: str | None = None) -> Any:
    """The inverse of erfc."""
    with opened(name, "erfcinv", x) as (b, _):
        x = b.convert(x, name="start")
        return -ndtri(0.5 * x) * np.sqrt(0.5)
