"""TensorArrays in their three versions. Reads and writes are ordered by `flow`, a float that carries nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.opkit.objects import Objects
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, no_outputs, scalar, unknown

_NOT_A_NUMBER = "a handle"


def _handle(c: ShapeContext) -> list[Sizes]:
    return [(2,)]


def _handle_and_flow(c: ShapeContext) -> list[Sizes]:
    return [(2,), ()]


def _made(objects: Objects, dtype: DType, size: Any, shape: Any, dynamic: bool, clear: bool, same: bool, n: Any) -> Any:
    return objects.tensor_array(
        dtype,
        size,
        element_shape=shape,
        dynamic=dynamic,
        clear_after_read=clear,
        identical=same,
        name=n.decode(),
    )


@op("TensorArray", "TensorArrayV2", shape=_handle, static="size", objects=True, no_gradient=_NOT_A_NUMBER)
def tensor_array(
    size: Any,
    *,
    dtype: DType,
    element_shape: Any,
    dynamic_size: bool,
    clear_after_read: bool,
    tensor_array_name: bytes,
    objects: Objects,
) -> Any:
    """A handle of a new TensorArray of `size` elements."""
    return _made(objects, dtype, size, element_shape, dynamic_size, clear_after_read, False, tensor_array_name)


@op("TensorArrayV3", shape=_handle_and_flow, static="size", objects=True, no_gradient=_NOT_A_NUMBER)
def tensor_array_v3(
    size: Any,
    *,
    dtype: DType,
    element_shape: Any,
    dynamic_size: bool,
    clear_after_read: bool,
    identical_element_shapes: bool,
    tensor_array_name: bytes,
    objects: Objects,
) -> Any:
    """A handle of a new TensorArray of `size` elements, and its first flow."""
    same = identical_element_shapes
    made = _made(objects, dtype, size, element_shape, dynamic_size, clear_after_read, same, tensor_array_name)
    return made, np.zeros((), np.float32)


@op("TensorArrayGrad", "TensorArrayGradV2", shape=_handle, objects=True, no_gradient=_NOT_A_NUMBER)
def tensor_array_grad(handle: Any, flow_in: Any, *, source: bytes) -> Any:
    """The TensorArray that adds up the gradients of `handle` for the computation `source`."""
    return handle.gradient(source)


@op("TensorArrayGradV3", shape=_handle_and_flow, objects=True, no_gradient=_NOT_A_NUMBER)
def tensor_array_grad_v3(handle: Any, flow_in: Any, *, source: bytes) -> Any:
    """The TensorArray that adds up the gradients of `handle` for the computation `source`, and its flow."""
    return handle.gradient(source), flow_in


@op(
    "TensorArrayGradWithShape",
    shape=_handle_and_flow,
    static="shape_to_prepend",
    objects=True,
    no_gradient=_NOT_A_NUMBER,
)
def tensor_array_grad_with_shape(handle: Any, flow_in: Any, shape_to_prepend: Any, *, source: bytes) -> Any:
    """As TensorArrayGradV3, with `shape_to_prepend` in front of the shape of each element."""
    return handle.gradient(source, tuple(shape_to_prepend)), flow_in


@op("TensorArrayWrite", "TensorArrayWriteV2", "TensorArrayWriteV3", shape=scalar, objects=True)
def tensor_array_write(handle: Any, index: Any, value: Any, flow_in: Any) -> Any:
    """Set element `index`, once. The flow behind the write."""
    handle.write(index, value)
    return flow_in


@op("TensorArrayRead", "TensorArrayReadV2", "TensorArrayReadV3", shape=unknown, objects=True)
def tensor_array_read(handle: Any, index: Any, flow_in: Any) -> Any:
    """Element `index`; zeros where it was not written and its shape is known."""
    return handle.read(index)


def _gathered(c: ShapeContext) -> list[Sizes]:
    shape = TensorShape(c.attr("element_shape")).sizes
    indices = c.input(1)
    return [None if shape is None else ((None if indices is None else indices[0]), *shape)]


@op("TensorArrayGather", "TensorArrayGatherV2", "TensorArrayGatherV3", shape=_gathered, objects=True)
def tensor_array_gather(handle: Any, indices: Any, flow_in: Any, *, element_shape: Any) -> Any:
    """The elements `indices`, stacked: [len(indices), ...element]."""
    return handle.gather(indices, element_shape)


@op("TensorArrayPack", shape=unknown, objects=True)
def tensor_array_pack(handle: Any, flow_in: Any, *, element_shape: Any) -> Any:
    """All elements, stacked."""
    return handle.stack(element_shape)


@op("TensorArrayScatter", "TensorArrayScatterV2", "TensorArrayScatterV3", shape=scalar, objects=True)
def tensor_array_scatter(handle: Any, indices: Any, value: Any, flow_in: Any) -> Any:
    """Set element `indices[i]` to row i of `value`."""
    handle.scatter(indices, value)
    return flow_in


@op("TensorArrayUnpack", shape=scalar, objects=True)
def tensor_array_unpack(handle: Any, value: Any, flow_in: Any) -> Any:
    """Set each element to its row of `value`."""
    handle.unstack(value)
    return flow_in


def _joined(c: ShapeContext) -> list[Sizes]:
    rest = TensorShape(c.attr("element_shape_except0")).sizes
    return [None if rest is None else (None, *rest), (None,)]


@op("TensorArrayConcat", "TensorArrayConcatV2", "TensorArrayConcatV3", shape=_joined, objects=True)
def tensor_array_concat(handle: Any, flow_in: Any, *, element_shape_except0: Any) -> Any:
    """All elements along their first dimension, and the length of each (int64)."""
    return handle.concat(element_shape_except0)


@op("TensorArraySplit", "TensorArraySplitV2", "TensorArraySplitV3", shape=scalar, objects=True)
def tensor_array_split(handle: Any, value: Any, lengths: Any, flow_in: Any) -> Any:
    """Set element i to the next `lengths[i]` rows of `value`."""
    handle.split(value, lengths)
    return flow_in


@op(
    "TensorArraySize",
    "TensorArraySizeV2",
    "TensorArraySizeV3",
    shape=scalar,
    metadata=("handle", "flow_in"),
    objects=True,
    no_gradient="an integer",
)
def tensor_array_size(handle: Any, flow_in: Any) -> Any:
    """The number of elements, int32."""
    return handle.size()


@op(
    "TensorArrayClose",
    "TensorArrayCloseV2",
    "TensorArrayCloseV3",
    shape=no_outputs,
    objects=True,
    no_gradient="no result",
)
def tensor_array_close(handle: Any) -> None:
    handle.close()
