"""Arrays that tensors are read into: aligned, of the dtype that the file names, and the checks before they are made."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from regraft import proto
from regraft.base.dtypes import DType, as_dtype, string
from regraft.base.errors import DataLossError

Array = npt.NDArray[Any]

ALIGNMENT = 64  # XLA takes a host buffer as it is, without a copy, if it is aligned so


def aligned_empty(shape: Sequence[int], dtype: npt.DTypeLike) -> Array:
    """An uninitialised C-contiguous array whose first element is aligned to 64 bytes."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    room = np.empty(size + ALIGNMENT, np.uint8)
    skip = -int(room.__array_interface__["data"][0]) % ALIGNMENT
    return room[skip : skip + size].view(kind).reshape(shape)


def new_array(shape: Sequence[int], dtype: DType) -> Array:
    """An array to read a tensor into; of objects for strings."""
    return np.empty(shape, object) if dtype == string else aligned_empty(shape, dtype.numpy)


def as_octets(array: Array) -> npt.NDArray[np.uint8]:
    """The bytes of a C-contiguous array, in place."""
    return array.reshape(-1).view(np.uint8)


def stored_dtype(number: int, where: str) -> DType:
    """The dtype behind an enum number in a file. DataLossError if there is none such."""
    try:
        dtype = as_dtype(number)
    except TypeError as e:
        raise DataLossError(f"dtype {number} is no TensorFlow dtype", where=(where,)) from e
    if dtype.is_ref:
        raise DataLossError(f"dtype {dtype.name} is a reference, which no file holds", where=(where,))
    return dtype


def stored_shape(message: proto.TensorShapeProto, where: str) -> tuple[int, ...]:
    """The shape in a file. DataLossError if it has unknown or negative sizes."""
    shape = tuple([dim.size for dim in message.dim])
    if message.unknown_rank or (shape and min(shape) < 0):
        raise DataLossError(f"shape {list(shape)} is not fully known", where=(where,))
    return shape
