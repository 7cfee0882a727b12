"""Values as V1 checkpoints hold them: the typed lists of a TensorProto, packed."""

import math
from typing import Any

import ml_dtypes
import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import DataLossError, UnimplementedError
from regraft.checkpoint.arrays import Array
from regraft.wire import fields

_FLOAT, _DOUBLE, _INT, _STRING, _SCOMPLEX, _INT64, _BOOL, _DCOMPLEX, _HALF = 5, 6, 7, 8, 9, 10, 11, 12, 13
# The field of TensorProto for each dtype, and the type of the numbers in it where they are of fixed width.
_FIXED: dict[DType, tuple[int, np.dtype[Any]]] = {
    dtypes.float32: (_FLOAT, np.dtype("<f4")),
    dtypes.float64: (_DOUBLE, np.dtype("<f8")),
    dtypes.complex64: (_SCOMPLEX, np.dtype("<c8")),
    dtypes.complex128: (_DCOMPLEX, np.dtype("<c16")),
}
_VARINTS = {
    dtypes.int32: _INT,
    dtypes.uint8: _INT,
    dtypes.int16: _INT,
    dtypes.int8: _INT,
    dtypes.uint16: _INT,
    dtypes.qint8: _INT,
    dtypes.quint8: _INT,
    dtypes.qint32: _INT,
    dtypes.qint16: _INT,
    dtypes.quint16: _INT,
    dtypes.int64: _INT64,
    dtypes.bool_: _BOOL,
    dtypes.half: _HALF,
    dtypes.bfloat16: _HALF,
}
# TensorFlow's V1 writer has no encoding for these, so neither have we.
_READ_ONLY = frozenset({dtypes.qint16, dtypes.quint16, dtypes.bfloat16})
_AS_BITS = {dtypes.half: np.dtype(np.float16), dtypes.bfloat16: np.dtype(ml_dtypes.bfloat16)}


def decode(tensor: memoryview, dtype: DType, count: int, where: str) -> Array:
    """The `count` values in a serialized TensorProto, flat; possibly a read-only view of its bytes.

    raises   DataLossError if it holds another number of them; UnimplementedError for a dtype that V1 does not know
    """
    number = _field_of(dtype)
    contents = [(kind, content) for field, kind, content in fields.split(tensor) if field == number]
    if dtype == dtypes.string:
        values = np.empty(len(contents), object)
        for index, (_, content) in enumerate(contents):
            values[index] = bytes(content)
    elif dtype in _FIXED:
        stored = _FIXED[dtype][1]
        parts = [content for _, content in contents]
        joined = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
        if len(joined) % stored.itemsize:
            raise DataLossError(f"{len(joined):,} bytes are no whole number of {dtype.name} values", where=(where,))
        values = np.frombuffer(joined, stored) if len(joined) else np.empty(0, stored)
    else:
        joined = memoryview(b"".join(content for _, content in contents))
        wide = fields.decode_varints(joined)
        if dtype in _AS_BITS:
            values = wide.astype(np.uint16).view(_AS_BITS[dtype])
        else:
            values = wide.astype(dtype.numpy)
    if len(values) != count:
        raise DataLossError(f"{len(values):,} values are stored where the shape asks for {count:,}", where=(where,))
    return values


def encode(values: Array, dtype: DType) -> bytes:
    """`values` as a serialized TensorProto. UnimplementedError for a dtype that V1 does not know."""
    number = _field_of(dtype)
    flat = values.reshape(-1)
    if dtype == dtypes.string:
        return b"".join(fields.tagged(number, value) for value in flat)
    if not len(flat):
        return b""
    if dtype in _READ_ONLY:
        raise _unknown(dtype)
    if dtype in _FIXED:
        return fields.tagged(number, flat.astype(_FIXED[dtype][1], copy=False).tobytes())
    if dtype in _AS_BITS:
        flat = flat.view(np.uint16)
    return fields.tagged(number, fields.encode_varints(flat))


def smallest_size(dtype: DType, shape: tuple[int, ...]) -> int:
    """The fewest bytes that a tensor can take in a file: a lower bound that no compression goes below."""
    each = _FIXED[dtype][1].itemsize if dtype in _FIXED else 1
    return math.prod(shape) * each // 32


def _field_of(dtype: DType) -> int:
    if dtype == dtypes.string:
        return _STRING
    if dtype in _FIXED:
        return _FIXED[dtype][0]
    if dtype in _VARINTS:
        return _VARINTS[dtype]
    raise _unknown(dtype)


def _unknown(dtype: DType) -> UnimplementedError:
    return UnimplementedError(f"V1 checkpoints have no form for {dtype.name} tensors", hint="write a V2 checkpoint")
