"""Python's operators on tensors: `x + 1` adds the nodes that TensorFlow adds for it. Installed when `opkit` is used.

The binary ones open a name scope ("add", "mul", ...) in which a Python number becomes a constant "x" or "y".
"""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.conversion import conversion_for

_BINARY = {
    "add": "AddV2",
    "sub": "Sub",
    "mul": "Mul",
    "floordiv": "FloorDiv",
    "mod": "FloorMod",
    "pow": "Pow",
    "and": "LogicalAnd",
    "or": "LogicalOr",
    "xor": "LogicalXor",
}
_LOGIC = {"and": "BitwiseAnd", "or": "BitwiseOr", "xor": "BitwiseXor"}
_UNARY = {"neg": "Neg", "abs": "Abs", "invert": "LogicalNot"}
_COMPARISONS = {"lt": "Less", "le": "LessEqual", "gt": "Greater", "ge": "GreaterEqual"}


class NoArrayError(NotImplementedError, TypeError):
    """NumPy was asked to make an array of a tensor."""


def binary(b: Builder, name: str, x: Any, y: Any) -> Tensor:
    """`x <name> y` as the operator does it; either may be a Python value."""
    found: Tensor
    with b.graph.name_scope(name) as scope:
        x_is_tensor = isinstance(x, Tensor) or conversion_for(x) is not None
        if x_is_tensor:
            x = b.convert(x, name="x")
            if name in _LOGIC and x.dtype.base is not dtypes.bool_:
                found = b.op(_LOGIC[name], x, y)
                return found
            y = b.convert(y, x.dtype.base, name="y")
        else:
            y = b.convert(y, name="y")
            x = b.convert(x, y.dtype.base, name="x")
        if name == "truediv":
            return _truediv(b, x, y, scope)
        op_type = _BINARY[name]
        if name == "add" and x.dtype.base is dtypes.string:
            op_type = "Add"
        if name in _LOGIC and x.dtype.base is not dtypes.bool_:
            found = b.op(_LOGIC[name], x, y)
            return found
        if name == "xor":
            either = b.op("LogicalOr", x, y)
            both = b.op("LogicalNot", b.op("LogicalAnd", x, y))
            found = b.op("LogicalAnd", either, both, name=scope)
            return found
        found = b.op(op_type, x, y, name=scope)
        return found


_DIVIDES_AS = {
    dtypes.uint8: dtypes.float32,
    dtypes.int8: dtypes.float32,
    dtypes.uint16: dtypes.float32,
    dtypes.int16: dtypes.float32,
    dtypes.uint32: dtypes.float64,
    dtypes.int32: dtypes.float64,
    dtypes.uint64: dtypes.float64,
    dtypes.int64: dtypes.float64,
}


def _truediv(b: Builder, x: Tensor, y: Tensor, scope: str) -> Tensor:
    wider = _DIVIDES_AS.get(x.dtype.base)
    if wider is not None:
        x, y = b.cast(x, wider), b.cast(y, wider)
    out: Tensor = b.op("RealDiv", x, y, name=scope)
    return out


def _operand(value: Any) -> bool:
    return not hasattr(value, "_regraft_sparse_operand")


def install(cls: type) -> None:
    """Give a class that stands for a tensor (it has `graph`) Python's operators."""

    def forward(name: str) -> Any:
        def method(self: Any, other: Any) -> Any:
            if not _operand(other):
                return NotImplemented
            return binary(Builder(self.graph), name, self, other)

        return method

    def backward(name: str) -> Any:
        def method(self: Any, other: Any) -> Any:
            return binary(Builder(self.graph), name, other, self)

        return method

    for name in (*_BINARY, "truediv"):
        setattr(cls, f"__{name}__", forward(name))
        setattr(cls, f"__r{name}__", backward(name))
    setattr(cls, "__div__", forward("truediv"))

    def unary(op_type: str, default: str | None) -> Any:
        def method(self: Any) -> Any:
            b = Builder(self.graph)
            x = b.convert(self)
            if op_type == "LogicalNot" and x.dtype.base is not dtypes.bool_:
                return b.op("Invert", x)
            if op_type == "Abs" and x.dtype.is_complex:
                return b.op("ComplexAbs", x, Tout=x.dtype.real_dtype)
            return b.op(op_type, x, name=default)

        return method

    for name, op_type in _UNARY.items():
        setattr(cls, f"__{name}__", unary(op_type, None))

    def comparison(op_type: str) -> Any:
        def method(self: Any, other: Any) -> Any:
            return Builder(self.graph).op(op_type, self, other)

        return method

    for name, op_type in _COMPARISONS.items():
        setattr(cls, f"__{name}__", comparison(op_type))
    setattr(cls, "__matmul__", lambda self, other: Builder(self.graph).matmul(self, other, name="matmul"))
    setattr(cls, "__rmatmul__", lambda self, other: Builder(self.graph).matmul(other, self, name="matmul"))

    def no_bool(self: Any) -> bool:
        raise TypeError(
            "Using a `tf.Tensor` as a Python `bool` is not allowed: its value is known only when a session runs it. "
            "Use `if t is not None:` to test whether there is a tensor, and tf.cond to choose by its value."
        )

    setattr(cls, "__bool__", no_bool)

    def no_array(self: Any, dtype: Any = None, copy: Any = None) -> Any:
        raise NoArrayError(
            f"Cannot convert a symbolic tf.Tensor ({self.name}) to a numpy array: a value is known only when a session "
            "runs it. Use tf's functions on it, or fetch it with session.run"
        )

    setattr(cls, "__array__", no_array)
    setattr(cls, "__array_priority__", 100)


install(Tensor)
