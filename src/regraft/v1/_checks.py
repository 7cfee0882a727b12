"""Assertions about values, ranks, types and shapes: tf.assert_equal and its kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import as_shape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_value
from regraft.v1._array import rank as rank_of
from regraft.v1._array import shape
from regraft.v1._assertion import Assert
from regraft.v1._math import abs as abs_
from regraft.v1._opening import on, opened
from regraft.v1._reduction import reduce_all

__all__ = [
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_type",
    "ensure_shape",
    "is_numeric_tensor",
]


def _prefix(message: str | None) -> str:
    return f"{message}.  " if message else ""


# Values


def _compare(
    symbol: str,
    default: str,
    op_type: str,
    known: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Any:
    with opened(name, default, x, y, data) as (b, _):
        x, y = b.convert(x, name="x"), b.convert(y, name="y")
        if data is None:
            data = [
                f"Condition x {symbol} y did not hold element-wise:",
                f"x ({x.name}) = ",
                x,
                f"y ({y.name}) = ",
                y,
            ]
        if message is not None:
            data = [message, *data]
        condition = reduce_all(b.op(op_type, x, y))
        values = constant_value(x), constant_value(y)
        if values[0] is not None and values[1] is not None and not np.all(known(*values)):
            raise InvalidArgumentError("\n".join(_shown(item) for item in data))
        return Assert(condition, data, summarize=summarize)


def _shown(item: Any) -> str:
    value = constant_value(item) if isinstance(item, Tensor) else None
    return str(item if value is None else value)


def assert_equal(
    x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Any:
    """An operation that fails when an element of x is not that of y. InvalidArgumentError when that is known now."""
    with opened(name, "assert_equal", x, y, data) as (b, _):
        if x is y:
            return b.no_op()
    return _compare("==", "assert_equal", "Equal", np.equal, x, y, data, summarize, message, name)


def _comparison(symbol: str, default: str, op_type: str, known: Callable[[Any, Any], Any]) -> Any:
    def function(
        x: Any,
        y: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Any:
        return _compare(symbol, default, op_type, known, x, y, data, summarize, message, name)

    function.__name__ = function.__qualname__ = default
    function.__doc__ = (
        f"An operation that fails unless x {symbol} y for all elements. InvalidArgumentError when that is known now."
    )
    return function


assert_none_equal = _comparison("!=", "assert_none_equal", "NotEqual", np.not_equal)
assert_less = _comparison("<", "assert_less", "Less", np.less)
assert_less_equal = _comparison("<=", "assert_less_equal", "LessEqual", np.less_equal)
assert_greater = _comparison(">", "assert_greater", "Greater", np.greater)
assert_greater_equal = _comparison(">=", "assert_greater_equal", "GreaterEqual", np.greater_equal)


def _sign(default: str, symbol: str, comparison: Any, zero_first: bool, in_one: bool = False) -> Any:
    def function(
        x: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
    ) -> Any:
        with opened(name, default, x, data) as (b, _):
            x = b.convert(x, name="x")
            if data is None:
                said = [f"Condition x {symbol} 0 did not hold element-wise:", f"x ({x.name}) = "]
                data = [_prefix(message), *(["".join(said)] if in_one else said), x]
            zero = b.convert(0, x.dtype.base)
            pair = (zero, x) if zero_first else (x, zero)
            return comparison(*pair, data=data, summarize=summarize)

    function.__name__ = function.__qualname__ = default
    function.__doc__ = f"An operation that fails unless x {symbol} 0 for all elements."
    return function


assert_negative = _sign("assert_negative", "<", assert_less, False)
assert_positive = _sign("assert_positive", ">", assert_less, True)
assert_non_negative = _sign("assert_non_negative", ">=", assert_less_equal, True)
assert_non_positive = _sign("assert_non_positive", "<=", assert_less_equal, False, in_one=True)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An operation that fails unless |x - y| < atol + rtol * |y| for all elements; both are 10 eps unless given."""
    with opened(name, "assert_near", x, y, rtol, atol, data) as (b, _):
        x = b.convert(x, name="x")
        y = b.convert(y, x.dtype.base, name="y")
        kind = x.dtype.base.real_dtype
        eps = np.finfo(kind.numpy).eps
        rtol = b.convert(10 * eps if rtol is None else rtol, kind, name="rtol")
        atol = b.convert(10 * eps if atol is None else atol, kind, name="atol")
        if data is None:
            data = [
                _prefix(message),
                f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}",
                f"x ({x.name}) = ",
                x,
                f"y ({y.name}) = ",
                y,
            ]
        size = abs_(y)
        tolerance = atol + rtol * size
        distance = abs_(x - y)
        return Assert(reduce_all(b.Less(distance, tolerance)), data, summarize=summarize)


# Ranks


def _ranks(
    x: Tensor,
    ranks: list[Tensor],
    holds: Callable[[Any, list[Any]], bool],
    condition: Callable[[Any], Any],
    wanted: str,
    message: str | None,
    data: Any,
    summarize: int | None,
) -> Any:
    b = on(x)
    for one in ranks:
        assert_type(one, dtypes.int32)
    known = [constant_value(one) for one in ranks]
    if all(k is not None for k in known):
        numbers = [k for k in known if k is not None]
        if any(k.ndim != 0 for k in numbers):
            raise ValueError("Rank must be a scalar.")
        if x.shape.rank is not None:
            if not holds(x.shape.rank, [int(k) for k in numbers]):
                said = tuple(int(k) for k in numbers) if "in" in wanted else int(numbers[0])
                raise ValueError(
                    f"{_prefix(message)}Tensor {x.name} {wanted} {said}.  Received rank {x.shape.rank}, shape {x.shape}"
                )
            return b.no_op(name="static_checks_determined_all_ok")
    result = condition(rank_of(x))
    for one, value in zip(ranks, known, strict=True):
        if value is None:
            check = assert_rank(one, 0, data=["Rank must be a scalar. Received rank: ", one])
            result = b.with_dependencies([check], result)
    return Assert(result, data, summarize=summarize)


def _one_rank(default: str, wanted: str, op_type: str, holds: Callable[[Any, Any], bool]) -> Any:
    def function(
        x: Any,
        rank: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Any:
        with opened(name, default, x, rank, data) as (b, _):
            x = b.convert(x, name="x")
            rank = b.convert(rank, name="rank")
            if data is None:
                data = [_prefix(message), f"Tensor {x.name} {wanted}", rank, "Received shape: ", shape(x)]

            def condition(actual: Any) -> Any:
                return b.op(op_type, actual, rank)

            return _ranks(x, [rank], lambda a, r: holds(a, r[0]), condition, wanted, message, data, summarize)

    function.__name__ = function.__qualname__ = default
    function.__doc__ = f"An operation that fails unless x {wanted} `rank`. ValueError when that is known now."
    return function


assert_rank = _one_rank("assert_rank", "must have rank", "Equal", lambda actual, given: bool(actual == given))
assert_rank_at_least = _one_rank(
    "assert_rank_at_least", "must have rank at least", "GreaterEqual", lambda actual, given: bool(actual >= given)
)


def assert_rank_in(
    x: Any,
    ranks: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An operation that fails unless x has one of these ranks. ValueError when that is known now."""
    with opened(name, "assert_rank_in", x, *ranks, data) as (b, _):
        x = b.convert(x, name="x")
        given = [b.convert(one, name="rank") for one in ranks]
        wanted = "must have rank in"
        if data is None:
            data = [_prefix(message), f"Tensor {x.name} {wanted}", *given, "Received shape: ", shape(x)]

        def condition(actual: Any) -> Any:
            if not given:
                return b.convert(False)
            result = b.Equal(given[0], actual)
            for one in given[1:]:
                result = b.LogicalOr(result, b.Equal(one, actual))
            return result

        return _ranks(x, given, lambda actual, known: actual in known, condition, wanted, message, data, summarize)


# Types and shapes


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Any:
    """TypeError unless the tensor has this type."""
    with opened(name, "assert_type", tensor) as (b, _):
        wanted = as_dtype(tf_type)
        tensor = b.convert(tensor, name="tensor")
        if tensor.dtype is not wanted:
            raise TypeError(f"{_prefix(message)}{tensor.name} must be of type {wanted!r}; got {tensor.dtype!r}")
        return b.no_op(name="statically_determined_correct_type")


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Any:
    """TypeError unless the tensor has an integer type."""
    with opened(name, "assert_integer", x) as (b, _):
        x = b.convert(x, name="x")
        if not x.dtype.is_integer:
            raise TypeError(f'{_prefix(message)}Expected "x" to be integer type.  Found: {x.name} of dtype {x.dtype}')
        return b.no_op(name="statically_determined_was_integer")


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Any:
    """The tensor. ValueError unless it is known to be a scalar."""
    with opened(name, "assert_scalar", tensor) as (b, scope):
        tensor = b.convert(tensor, name=scope)
        if tensor.shape.rank != 0:
            raise ValueError(f"{_prefix(message)}Expected scalar shape for {tensor.name}, saw shape: {tensor.shape}.")
        return tensor


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> DType:
    """The one floating-point type of all tensors, float32 when there are none. ValueError when they differ."""
    kind = None if dtype is None else as_dtype(dtype)
    for tensor in tensors or ():
        if tensor is None:
            continue
        found = as_dtype(tensor.dtype).base
        if kind is not None and found is not kind:
            raise ValueError(f"{tensor}, type={found}, must be of the same type ({kind}).")
        kind = found
    if kind is None:
        return dtypes.float32
    if not kind.is_floating:
        raise ValueError(f"Expected floating point type, got {kind}.")
    return kind


def assert_proper_iterable(values: Any) -> None:
    """TypeError for a tensor, an array, a string, or what can't be iterated over."""
    if isinstance(values, (Tensor, np.ndarray, str, bytes)):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}')
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether this is a tensor of numbers."""
    if not isinstance(tensor, Tensor):
        return False
    kind = tensor.dtype.base
    return kind.is_floating or kind.is_integer or kind.is_complex or kind.is_quantized


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Any:
    """`x` with `shape` as its static shape; fails when it runs and has another."""
    return on(x).EnsureShape(x, shape=as_shape(shape), name=name)
