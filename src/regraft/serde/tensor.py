"""TensorProto to TensorValue and back.

A tensor's elements stand either in `tensor_content`, raw and little-endian, or in the repeated field of their type. A
repeated field may be short: its last value fills the rest, and an empty one stands for zeros.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from regraft import proto
from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.errors import DataLossError, InvalidArgumentError
from regraft.ir.attr import TensorValue
from regraft.wire import fields, varint

Array = npt.NDArray[Any]

_FIELD: dict[DType, str] = {
    dtypes.half: "half_val",
    dtypes.bfloat16: "half_val",
    dtypes.float32: "float_val",
    dtypes.float64: "double_val",
    dtypes.string: "string_val",
    dtypes.complex64: "scomplex_val",
    dtypes.complex128: "dcomplex_val",
    dtypes.int64: "int64_val",
    dtypes.bool_: "bool_val",
    dtypes.uint32: "uint32_val",
    dtypes.uint64: "uint64_val",
    dtypes.resource: "resource_handle_val",
    dtypes.variant: "variant_val",
} | {t: "float8_val" for t in dtypes.ALL if t.name.startswith("float8")}
_DEFAULT_FIELD = "int_val"

# What TensorFlow writes element by element although it is of fixed size, and what it never writes raw.
_NEVER_RAW = {dtypes.bool_, dtypes.complex64, dtypes.complex128, dtypes.uint16, dtypes.string, dtypes.resource}
_NEVER_RAW |= {dtypes.variant, dtypes.int4, dtypes.uint4, dtypes.int2, dtypes.uint2}

# Longer lists are decoded from the wire form, into an array rather than one object a value.
_LONG = 1024
_MOST_ELEMENTS = 1 << 40


def tensor_from_proto(message: Any) -> TensorValue:
    """The value of a `proto.TensorProto`, or of TensorFlow's own. The array may be read-only; it is never copied twice.

    raises  InvalidArgumentError if the shape is not fully known, the type has no elements, or there are more values
            than the shape holds; DataLossError if the bytes do not fit the shape
    """
    if message.dtype == 0:
        raise InvalidArgumentError("a constant tensor has no dtype (DT_INVALID)")
    try:
        dtype = as_dtype(message.dtype)
    except TypeError as e:
        raise InvalidArgumentError(f"a constant tensor has an unknown type: {e}") from e
    shape = _shape(message)
    content: bytes = message.tensor_content
    if content:
        return TensorValue(dtype, _from_content(content, dtype, shape))
    return _from_values(message, dtype, shape)


def _shape(message: Any) -> tuple[int, ...]:
    shape_message = message.tensor_shape
    shape = tuple(d.size for d in shape_message.dim)
    if shape_message.unknown_rank or any(d < 0 for d in shape):
        raise InvalidArgumentError(f"a constant tensor has the unknown shape {list(shape)}")
    if math.prod(shape) > _MOST_ELEMENTS:
        raise InvalidArgumentError(f"a constant tensor of shape {list(shape)} has more elements than any machine holds")
    return shape


def _from_content(content: bytes, dtype: DType, shape: tuple[int, ...]) -> Array:
    if dtype.base is dtypes.string:
        return _strings_from_content(content, shape)
    if dtype.numpy.kind == "O":
        raise InvalidArgumentError(f"a constant tensor of dtype {dtype.name} has raw bytes as its content")
    wanted = math.prod(shape) * dtype.numpy.itemsize
    if len(content) != wanted:
        raise DataLossError(
            f"a constant tensor of dtype {dtype.name} and shape {list(shape)} has {len(content):,} bytes of content, "
            f"not {wanted:,}"
        )
    array = np.frombuffer(content, dtype.numpy.newbyteorder("<") if dtype.numpy.kind in "iufc" else dtype.numpy)
    return array.reshape(shape)


def _strings_from_content(content: bytes, shape: tuple[int, ...]) -> Array:
    """All lengths as varints, then all strings."""
    count, at = math.prod(shape), 0
    if count > len(content):
        raise DataLossError(f"{len(content):,} bytes of content are too few for {count:,} strings")
    data = memoryview(content)
    lengths = []
    for _ in range(count):
        length, at = varint.decode(data, at)
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise DataLossError(f"strings of {sum(lengths):,} bytes in {len(content) - at:,} bytes of content")
    array = np.empty(count, object)
    for i, length in enumerate(lengths):
        array[i] = content[at : at + length]
        at += length
    return array.reshape(shape)


def _from_values(message: Any, dtype: DType, shape: tuple[int, ...]) -> TensorValue:
    base = dtype.base
    field = _FIELD.get(base, _DEFAULT_FIELD)
    values = getattr(message, field)
    if base.numpy.kind == "O":
        array = np.empty(len(values), object)
        array[:] = list(values)
        blank: Any = b"" if base is dtypes.string else None
        kept = None if base is dtypes.string else message
        return TensorValue(dtype, _filled(array, shape, blank), kept)
    numpy = base.numpy
    if field == "float8_val":
        array = np.frombuffer(values, np.uint8).view(numpy)
    elif field == "half_val":
        array = _numbers(message, field, values, np.dtype(np.uint16)).view(numpy)
    elif field in ("scomplex_val", "dcomplex_val"):
        parts = _numbers(message, field, values, np.dtype(np.float32 if base is dtypes.complex64 else np.float64))
        if len(parts) % 2:
            raise DataLossError(f"a complex constant has {len(parts)} parts, an odd number")
        array = parts.view(numpy)
    else:
        array = _numbers(message, field, values, numpy)
    return TensorValue(dtype, _filled(array, shape, 0))


def _numbers(message: Any, field: str, values: Any, numpy: np.dtype[Any]) -> Array:
    if len(values) <= _LONG:
        wide = np.array(list(values), np.uint64 if field == "uint64_val" else None) if len(values) else np.empty(0)
        return wide.astype(numpy)
    number = message.DESCRIPTOR.fields_by_name[field].number
    parts = []
    for tag, kind, content in fields.split(memoryview(message.SerializeToString())):
        if tag == number and kind == fields.BYTES:
            if field in ("float_val", "scomplex_val"):
                parts.append(np.frombuffer(content, "<f4"))
            elif field in ("double_val", "dcomplex_val"):
                parts.append(np.frombuffer(content, "<f8"))
            else:
                unsigned = fields.decode_varints(content)
                parts.append(unsigned if field.startswith("uint") else unsigned.view(np.int64))
    return np.concatenate(parts).astype(numpy, copy=False)


def _filled(values: Array, shape: tuple[int, ...], blank: Any) -> Array:
    """Values laid out in `shape`. One value for many elements stays one: the array is a view of it."""
    count = math.prod(shape)
    if len(values) == count:
        return values.reshape(shape)
    if not count:
        # TensorFlow passes over the values there: its zeros([0], string) writes one.
        return values[:0].reshape(shape)
    if len(values) > count:
        raise InvalidArgumentError(f"a constant tensor of shape {list(shape)} has {len(values):,} values")
    if len(values) == 0:
        values = np.array([blank], values.dtype)
    if len(values) == 1:
        return np.broadcast_to(values.reshape(()), shape)
    array = np.empty(count, values.dtype)
    array[: len(values)] = values
    array[len(values) :] = values[-1]
    return array.reshape(shape)


def tensor_to_proto(value: TensorValue, message: Any = None, listed: bool = False) -> Any:
    """The `proto.TensorProto` of a value, encoded as TensorFlow's `make_tensor_proto` does; into `message` if given.

    listed  element by element, never as raw bytes: the form of default values in OpDefs

    raises  InvalidArgumentError for elements that no message can hold
    """
    if message is None:
        message = proto.TensorProto()
    if value.proto is not None:
        message.MergeFromString(value.proto.SerializeToString())
        return message
    base = value.dtype.base
    array = np.asarray(value.array)
    message.dtype = value.dtype.enum
    shape = message.tensor_shape  # a scalar has an empty shape, not none
    shape.SetInParent()
    for size in array.shape:
        shape.dim.add().size = size
    if array.size > 1 and not any(array.strides):
        array = array[(slice(0, 1),) * array.ndim]
    elif array.size > 1 and base not in _NEVER_RAW and not listed:
        message.tensor_content = np.ascontiguousarray(array, _little(base.numpy)).tobytes()
        return message
    _put_values(message, base, array.ravel())
    return message


def _little(numpy: np.dtype[Any]) -> np.dtype[Any]:
    return numpy.newbyteorder("<") if numpy.kind in "iufc" else numpy


def _put_values(message: Any, base: DType, flat: Array) -> None:
    field = _FIELD.get(base, _DEFAULT_FIELD)
    if base in (dtypes.resource, dtypes.variant):
        if len(flat):
            raise InvalidArgumentError(f"a value of dtype {base.name} cannot be written into a graph")
        return
    if field == "string_val":
        message.string_val.extend([v if isinstance(v, bytes) else str(v).encode() for v in flat])
        return
    flat = np.ascontiguousarray(flat, base.numpy)
    if field == "float8_val":
        message.float8_val = flat.tobytes()
    elif field == "half_val":
        message.half_val.extend(flat.view(np.uint16).tolist())
    elif field in ("scomplex_val", "dcomplex_val"):
        getattr(message, field).extend(flat.view(np.float32 if base is dtypes.complex64 else np.float64).tolist())
    elif base.numpy.kind == "V" or base.name.endswith(("int4", "int2")):
        message.int_val.extend(flat.astype(np.int32).tolist())
    else:
        getattr(message, field).extend(flat.tolist())


__all__ = ["tensor_from_proto", "tensor_to_proto"]
