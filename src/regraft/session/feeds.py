"""From the values of a feed_dict to arrays of the fed tensors' dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.ir.node import Tensor

_INTS = (int, np.integer)


def feed_array(tensor: Tensor, value: Any) -> Any:
    """The array to feed to `tensor`.

    raises  TypeError for a Tensor as a value, or an int that the dtype can't hold
            ValueError for a shape that the tensor's static shape excludes
    """
    dtype = tensor.dtype.base
    if type(value) is np.ndarray and value.dtype == dtype.numpy and value.dtype.kind != "O":
        array = value
    else:
        array = _array(tensor, value)
        if dtype in (dtypes.resource, dtypes.variant):
            return array
    sizes = tensor.shape.sizes
    if sizes is None or sizes == array.shape:
        return array
    if len(sizes) != array.ndim or any(d is not None and d != n for d, n in zip(sizes, array.shape, strict=True)):
        raise ValueError(
            f"Cannot feed value of shape {array.shape} for Tensor {tensor.name}, which has shape {tensor.shape}"
        )
    return array


def _array(tensor: Tensor, value: Any) -> Any:
    if isinstance(value, Tensor):
        raise TypeError(
            "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, "
            f"lists, numpy ndarrays, or TensorHandles. For reference, the tensor object was {value} which was passed "
            f"to the argument `feed_dict` with key {tensor}."
        )
    dtype = tensor.dtype.base
    if dtype in (dtypes.resource, dtypes.variant):
        return value
    return _strings(tensor, value) if dtype is dtypes.string else _numbers(tensor, value)


def _numbers(tensor: Tensor, value: Any) -> np.ndarray[Any, Any]:
    dtype = tensor.dtype.base.numpy
    if isinstance(value, _INTS) and not isinstance(value, bool):
        try:
            same = bool(dtype.type(value) == value)
        except OverflowError:
            same = False
        if not same:
            raise TypeError(
                f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type {dtype.type}. "
                "Try explicitly setting the type of the feed tensor to a larger type (e.g. int64)."
            )
    try:
        return np.asarray(value, dtype=dtype)
    except (ValueError, TypeError) as e:
        raise type(e)(f"cannot feed a value of type {type(value).__name__} for Tensor {tensor.name}: {e}") from e


def _strings(tensor: Tensor, value: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(value, dtype=object) if not isinstance(value, (str, bytes)) else np.array(value, object)
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        item = array[index]
        if not isinstance(item, (str, bytes)):
            raise TypeError(
                f"Type of feed value {item} with type {type(item)} is not compatible with Tensor type string: "
                f"cannot feed {tensor.name} with it. Give a str or bytes."
            )
        out[index] = item.encode() if isinstance(item, str) else bytes(item)
    return out
