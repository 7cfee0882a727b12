"""Values as TensorProtos, TensorProtos as arrays, and what is known of a tensor before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft import proto
from regraft.ir.graph import Graph
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.constant import literal_value
from regraft.serde.tensor import tensor_from_proto, tensor_to_proto


def make_tensor_proto(
    values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False, allow_broadcast: bool = False
) -> Any:
    """The TensorProto that a Const node of these values carries; arguments and errors as of `tf.constant`."""
    if isinstance(values, proto.TensorProto):
        return values
    tensor = Builder(Graph()).constant(values, dtype, shape, "Const", verify_shape)
    return tensor_to_proto(tensor.op.attrs["value"])


def make_ndarray(tensor: Any) -> Any:
    """The array of a TensorProto, ours or TensorFlow's; strings are bytes in an array of objects."""
    return np.array(tensor_from_proto(tensor).array)


MakeNdarray = make_ndarray


def constant_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor where constants and static shapes say it, else None. It must not be written.

    partial  of a stack of which only parts are known, give an array of objects with Nones
    """
    if not isinstance(tensor, Tensor):
        return tensor
    if partial and tensor.op.type == "Pack" and tensor.op.attrs.get("axis", 0) == 0:
        parts = [constant_value(part, True) for part in tensor.op.inputs]
        if any(part is None for part in parts):
            return np.array(parts, object)
    value = literal_value(tensor)
    return value if value is None or value.ndim else value[()]


get_static_value = constant_value


def constant_value_as_shape(tensor: Any) -> Any:
    """A 1-D integer tensor read as a shape, of which as much is known as constants and static shapes say."""
    from regraft.base.shapes import TensorShape
    from regraft.opkit.constant import constant_sizes

    return TensorShape(constant_sizes(tensor))
