"""What is written into a checkpoint: named arrays, and parts of tensors."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from regraft.base.dtypes import DType, as_dtype, resource, string, variant
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.checkpoint.arrays import Array
from regraft.checkpoint.slices import ShapeAndSlice, TensorSlice, bracketed


@dataclass(frozen=True)
class Item:
    """A tensor to write.

    value  an array, or whatever NumPy makes one of; bytes or str for strings
    dtype  where the array does not tell: quantized types are plain integers to NumPy
    part   which part of the tensor `value` is; None for all of it
    """

    name: str
    value: Any
    dtype: DType | None = None
    part: ShapeAndSlice | None = None


Tensors = Mapping[str, Any] | Iterable[Item]


def items_of(tensors: Tensors) -> Iterator[Item]:
    """The items of either form, one at a time: an iterator may produce its arrays as they are asked for."""
    if isinstance(tensors, Mapping):
        for name, value in tensors.items():
            yield Item(name, value)
    else:
        yield from tensors


@dataclass(frozen=True)
class Prepared:
    """An item checked: `array` is C-contiguous in this machine's byte order, or an object array of bytes."""

    name: str
    array: Array
    dtype: DType
    shape: tuple[int, ...]  # of the whole tensor
    part: TensorSlice | None  # None for the whole


def prepare(item: Item) -> Prepared:
    """Check an item and bring its array into the form that is written.

    raises   InvalidArgumentError if array, dtype and part do not fit together;
             UnimplementedError for variants and resources, which have no bytes
    """
    array = np.asarray(item.value)
    if array.dtype.kind in "SU" and not isinstance(item.value, np.ndarray):
        array = np.array(item.value, object)  # NumPy's own strings lose zeros at their end
    dtype = _dtype_of(item, array)
    if dtype in (resource, variant):
        raise UnimplementedError(f"{item.name!r} is a {dtype.name} tensor, which has no bytes to save")
    if dtype == string:
        array = _as_bytes(item.name, array)
    else:
        if array.dtype.newbyteorder("=") != dtype.numpy:
            raise InvalidArgumentError(f"{item.name!r} is {array.dtype.name} and cannot be saved as {dtype.name}")
        array = np.ascontiguousarray(array, dtype.numpy).reshape(array.shape)
    if item.part is None:
        return Prepared(item.name, array, dtype, array.shape, None)
    shape, part = item.part.shape, item.part.slice
    if part.shape_in(shape) != array.shape:
        raise InvalidArgumentError(
            "Slice in shape_and_slice specification does not match the shape of the tensor to  save:"
            f" {item.part}, tensor: {bracketed(array.shape)}",
            where=(repr(item.name),),
        )
    return Prepared(item.name, array, dtype, shape, part)


def _dtype_of(item: Item, array: Array) -> DType:
    if item.dtype is not None:
        return item.dtype.base
    try:
        return as_dtype(array.dtype.newbyteorder("="))
    except TypeError as e:
        raise InvalidArgumentError(f"{item.name!r} is {array.dtype.name}, which no checkpoint holds") from e


def _as_bytes(name: str, array: Array) -> Array:
    encoded = np.empty(array.size, object)
    for index, value in enumerate(array.reshape(-1).tolist()):
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, bytes):
            raise InvalidArgumentError(
                f"{name!r} holds {type(value).__name__}, where a string tensor holds bytes or str"
            )
        encoded[index] = value
    return encoded.reshape(array.shape)
