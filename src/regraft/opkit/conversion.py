"""From Python values to constants: the dtype TensorFlow would choose, and the array that goes into a Const node."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.shapes import Dimension, TensorShape
from regraft.ir.attr import TensorValue

_INT32 = np.iinfo(np.int32)


def to_array(
    value: Any, dtype: DType | None = None, preferred: DType | None = None
) -> tuple[np.ndarray[Any, Any], DType]:
    """The array and dtype of a Python value.

    Python ints are int32 (int64 where they do not fit), floats float32, complex complex128, and so are the int64 and
    float64 that NumPy makes of a list; NumPy arrays, and scalars by themselves, keep their dtype. `dtype` forces the
    type: TypeError when that would change the kind of the value (a float where an int is wanted); `preferred` is tried
    first and given up without complaint.
    """
    if value is None:
        raise ValueError("None values not supported.")
    if preferred is not None and dtype is None:
        try:
            return to_array(value, preferred)
        except (TypeError, ValueError, OverflowError):
            pass
    if isinstance(value, TensorValue):
        return value.array, value.dtype
    if isinstance(value, TensorShape):
        value = _shape_as_list(value)
        if dtype is None:
            dtype = dtypes.int32 if all(d <= _INT32.max for d in value) else dtypes.int64
        return np.array(value, dtype.numpy), dtype
    if isinstance(value, Dimension):
        value = value.value
    if isinstance(value, DType):
        value = value.enum
    if dtype is not None:
        return _forced(value, dtype), dtype
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        found = dtypes.as_dtype(array.dtype)
        return (_strings(array) if found is dtypes.string else array), found
    array = _array(value)
    if array.dtype.kind in "USO":
        return _strings(array), dtypes.string
    if hasattr(value, "__array__"):
        return array, dtypes.as_dtype(array.dtype)
    if array.dtype == np.float64:
        return array.astype(np.float32), dtypes.float32
    if array.dtype == np.int64 and not (array.size and (array.max() > _INT32.max or array.min() < _INT32.min)):
        return array.astype(np.int32), dtypes.int32
    return array, dtypes.as_dtype(array.dtype)


def _shape_as_list(shape: TensorShape) -> list[int]:
    if shape.sizes is None or None in shape.sizes:
        raise ValueError(f"Cannot convert a partially known TensorShape {shape} to a Tensor.")
    return [d for d in shape.sizes if d is not None]


def _array(value: Any) -> np.ndarray[Any, Any]:
    if isinstance(value, (str, bytes)):
        return np.array(value.encode() if isinstance(value, str) else value, object)
    try:
        array = np.array(_plain(value))
    except ValueError as e:
        raise ValueError(f"Can't convert non-rectangular Python sequence to Tensor: {value!r}") from e
    if array.dtype.kind in "US" and isinstance(value, (list, tuple)):
        odd = next((v for v in _leaves(value) if not isinstance(v, (str, bytes, np.ndarray))), None)
        if odd is not None:
            raise TypeError(f"Cannot convert {value!r} to Tensor: {odd!r} is no string, as other elements are")
    if array.dtype == object and not all(isinstance(v, (str, bytes)) for v in array.flat):
        odd = next(v for v in array.flat if not isinstance(v, (str, bytes)))
        raise TypeError(
            f"Failed to convert elements of {value!r} to Tensor. Consider casting elements to a supported type: "
            f"{odd!r} is a {type(odd).__name__}"
        )
    return array


def _plain(value: Any) -> Any:
    """Nested lists with bytes kept whole (NumPy would strip trailing zeros) and dimensions as numbers."""
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value] if not _all_text(value) else _text_array(value)
    if isinstance(value, Dimension):
        return value.value
    if hasattr(value, "__array__") and not isinstance(value, np.ndarray):
        return np.asarray(value)
    return value


def _all_text(value: Any) -> bool:
    return bool(value) and all(isinstance(v, (str, bytes)) for v in value)


def _text_array(value: Any) -> np.ndarray[Any, Any]:
    out = np.empty(len(value), object)
    out[:] = value
    return out


def _strings(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        item = array[index]
        out[index] = item.encode() if isinstance(item, str) else bytes(item)
    return out


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from _leaves(v)
    else:
        yield value


def _forced(value: Any, dtype: DType) -> np.ndarray[Any, Any]:
    base = dtype.base
    if base is dtypes.string:
        array = _array(value) if not isinstance(value, np.ndarray) else value
        if array.dtype.kind not in "USO" and array.size:
            raise TypeError(f"Expected string, but got {value!r} of type {type(value).__name__!r}.")
        return _strings(array)
    if base.numpy.kind == "O":
        raise TypeError(f"a constant of dtype {base.name} cannot be made from {type(value).__name__}")
    if isinstance(value, (np.ndarray, np.generic)):
        if np.asarray(value).dtype.kind in "USO" and np.asarray(value).dtype != base.numpy:
            raise TypeError(f"Expected {base.name}, but got {value!r} of type {type(value).__name__!r}.")
        return np.asarray(value).astype(base.numpy)
    for leaf in _leaves(value):
        if not _fits(leaf, base):
            raise TypeError(f"Expected {base.name}, but got {leaf!r} of type {type(leaf).__name__!r}.")
    array = _array(value)
    if base.is_integer and array.dtype.kind in "iu" and array.size:
        low, high = int(base.min), int(base.max)
        if int(array.max()) > high or int(array.min()) < low:
            raise TypeError(f"Cannot convert {value!r} to {base.name}: it does not fit into {low}..{high}")
    return array.astype(base.numpy)


def _fits(leaf: Any, base: DType) -> bool:
    if leaf is None or isinstance(leaf, (str, bytes)):
        return False
    if isinstance(leaf, (np.ndarray, np.generic)) or hasattr(leaf, "__array__"):
        kind = np.asarray(leaf).dtype.kind
        return kind not in "USO" and not (kind in "fc" and (base.is_integer or base.is_bool))
    if isinstance(leaf, Dimension):
        return leaf.value is not None
    if isinstance(leaf, bool):
        return base.is_bool
    if base.is_bool:
        return False
    if isinstance(leaf, numbers.Integral):
        return True
    if isinstance(leaf, numbers.Real):
        return base.is_floating or base.is_complex
    if isinstance(leaf, numbers.Complex):
        return base.is_complex
    return False


# Objects that stand for tensors: variables, sparse values, whatever a program registers.

Conversion = Callable[..., Any]
_CONVERSIONS: list[tuple[int, int, Any, Conversion]] = []


def register_conversion(types: Any, function: Conversion, priority: int = 100) -> None:
    """Make `function(value, dtype, name, as_ref)` the way from `types` to tensors; lower priority goes first."""
    if not callable(function):
        raise TypeError("conversion_func must be callable.")
    _CONVERSIONS.append((priority, len(_CONVERSIONS), types, function))
    _CONVERSIONS.sort(key=lambda c: c[:2])


def conversion_for(value: Any) -> Conversion | None:
    """The registered conversion for this object, or None."""
    for _, _, types, function in _CONVERSIONS:
        if isinstance(value, types):
            return function
    return None
