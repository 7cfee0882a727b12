"""Python functions as ops: they run on the host, with NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes as types
from regraft.base.dtypes import DType, as_dtype
from regraft.base.errors import (
    InternalError,
    InvalidArgumentError,
    OpError,
    OutOfRangeError,
    ResourceExhaustedError,
    UnimplementedError,
    UnknownError,
)
from regraft.opkit.py_functions import function_of
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import unknown

_STATUS: tuple[tuple[type[Exception], type[OpError]], ...] = (
    (ValueError, InvalidArgumentError),
    (TypeError, InvalidArgumentError),
    (StopIteration, OutOfRangeError),
    (MemoryError, ResourceExhaustedError),
    (NotImplementedError, UnimplementedError),
)


class HostTensor(np.ndarray[Any, Any]):
    """What a `py_function` gets for a tensor: an array that has `.numpy()` too."""

    def numpy(self) -> Any:
        return np.asarray(self)[()]


@op("PyFunc", "PyFuncStateless", shape=unknown, runs=Runs.HOST, pure=False, blocking=True, no_gradient="Python")
def py_func(input: tuple[Any, ...], *, token: bytes, Tout: tuple[DType, ...]) -> tuple[Any, ...]:
    """What the function behind the token returns.

    raises  InvalidArgumentError where no function is bound, and for results of other number or dtype than `Tout` says;
            for errors of the function the status class that TensorFlow gives them
    """
    return _called(token, [_plain(x) for x in input], Tout)


@op("EagerPyFunc", shape=unknown, runs=Runs.HOST, pure=False, blocking=True)
def eager_py_func(input: tuple[Any, ...], *, token: bytes, Tout: tuple[DType, ...]) -> tuple[Any, ...]:
    """What the function behind the token returns; see `py_func`. Results are cast to `Tout`."""
    arguments = [x if x.dtype == object else np.asarray(x).view(HostTensor) for x in map(np.asarray, input)]
    return _called(token, arguments, Tout, cast=True)


def _plain(value: Any) -> Any:
    """An array as it is, a scalar as NumPy's (a string as bytes)."""
    array = np.array(value)  # the function may write to it
    return array if array.ndim else array[()]


def _called(token: bytes, arguments: list[Any], wanted: tuple[DType, ...], cast: bool = False) -> tuple[Any, ...]:
    function = function_of(token)
    try:
        result = function(*arguments)
    except Exception as e:
        kind = next((status for error, status in _STATUS if isinstance(e, error)), UnknownError)
        raise kind(f"{type(e).__name__}: {e}", where=(f"Python function {_name(function)}",)) from e
    results = () if result is None else tuple(result) if isinstance(result, (list, tuple)) else (result,)
    if len(results) != len(wanted):
        raise InvalidArgumentError(
            f"{_name(function)} returns {len(results)} values, but expects to see {len(wanted)} values.",
            hint="a list or tuple counts as one value for each element: return a NumPy array for one",
        )
    pairs = enumerate(zip(results, wanted, strict=True))
    return tuple(_converted(value, dtype, i, function, cast) for i, (value, dtype) in pairs)


def _converted(value: Any, wanted: DType, index: int, function: Any, cast: bool) -> Any:
    array = np.asarray(value, wanted.numpy if cast and wanted.base is not types.string else None)
    if array.dtype.kind in "SU":
        # NumPy's own strings lose zeros at their ends: those of a list or scalar are taken one by one.
        array = np.asarray(value, object)
    if array.dtype == object and wanted.base is types.string:
        return _strings(array, index, function)
    if array.dtype == object:
        raise InternalError(
            f"the {index}-th value returned by {_name(function)} is a {type(value).__name__}, which is no array of "
            f"{wanted.name}"
        )
    found = as_dtype(array.dtype)
    if found is not wanted.base:
        raise InvalidArgumentError(
            f"{index}-th value returned by {_name(function)} is {found.name}, but expects {wanted.name}",
            hint=f"return np.asarray(value, np.{wanted.name}), or ask py_func for tf.{found.name}",
        )
    return np.ascontiguousarray(array).reshape(array.shape)


def _strings(array: Any, index: int, function: Any) -> Any:
    out = np.empty(array.shape, object)
    for place in np.ndindex(array.shape):
        item = array[place]
        if not isinstance(item, (str, bytes)):
            raise InternalError(f"the {index}-th value returned by {_name(function)} has {item!r} among its strings")
        out[place] = item.encode() if isinstance(item, str) else bytes(item)
    return out


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", None) or type(function).__name__
