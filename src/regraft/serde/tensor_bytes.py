"""Tensors as serialized TensorProtos, as ops that hand them on write them: elements raw, strings listed."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft import proto
from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.ir.attr import TensorValue
from regraft.serde.tensor import tensor_from_proto, tensor_to_proto


def raw_tensor_proto(array: np.ndarray[Any, Any], dtype: DType, message: Any = None) -> Any:
    """The TensorProto of an array with its elements as raw bytes; into `message` if given."""
    message = proto.TensorProto() if message is None else message
    if dtype.base is dtypes.string:
        return tensor_to_proto(TensorValue(dtype, array), message, listed=True)
    message.dtype = dtype.base.enum
    message.tensor_shape.SetInParent()
    for size in array.shape:
        message.tensor_shape.dim.add().size = size
    plain = array.dtype.newbyteorder("<") if array.dtype.kind in "iufc" else array.dtype
    message.tensor_content = np.ascontiguousarray(array, plain).tobytes()
    return message


def serialize_tensor(array: np.ndarray[Any, Any], dtype: DType) -> bytes:
    """The bytes of `raw_tensor_proto`."""
    data: bytes = raw_tensor_proto(array, dtype).SerializeToString()
    return data


def parse_tensor(data: bytes, dtype: DType) -> np.ndarray[Any, Any]:
    """The array in a serialized TensorProto. InvalidArgumentError for other bytes, and for another dtype."""
    try:
        message = proto.TensorProto.FromString(data)
    except proto.DecodeError as e:
        raise InvalidArgumentError(f"Could not parse `serialized` as TensorProto, {len(data)} bytes: {e}") from e
    value = tensor_from_proto(message)
    if value.dtype.base is not dtype.base:
        raise InvalidArgumentError(f"Type mismatch between parsed tensor ({value.dtype.name}) and dtype ({dtype.name})")
    return np.array(value.array)
