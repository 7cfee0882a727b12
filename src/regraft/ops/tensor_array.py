"""TensorArrays in their three versions. Reads and writes are ordered by `flow`, a float that carries nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.opkit.objects import Objects
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge, no_outputs, scalar, unknown
from regraft.opkit.tensor_array_nodes import TensorArray, gradient_source

_NOT_A_NUMBER = "a handle"
_FORWARDS_HANDLE = ("Enter", "Identity", "Switch", "TensorArrayGradV3")


def _gradient_of(b: Any, node: Any, source: Any, flow: Any, dtype: str) -> Any:
    """The TensorArray of the gradients of the one that `node` works on, for the call that `source` was made in."""
    version = node.type[-2:] if node.type[-2] == "V" else ""
    source = gradient_source(source.name)
    forward = TensorArray(
        b,
        node.get_attr(dtype),
        handle=node.inputs[0],
        flow=flow,
        colocate_with_first_write_call=False,
        version=version,
    )
    return forward.grad(source, flow=flow)


def _read_gradient(b: Any, node: Any, grad: Any) -> Any:
    """For an op that reads. Its flow comes first, so that the TensorArray has its final size."""
    return _gradient_of(b, node, grad, node.inputs[-1], "dtype")


def _written_gradient(b: Any, node: Any, flow: Any) -> tuple[Any, Any]:
    """For an op that writes: the TensorArray of the gradients, once the write is done, and the flow to go on with."""
    source = flow
    done = b.identity(node.outputs[0], name="flow_out")
    with b.graph.control_dependencies([done]):
        flow = b.identity(flow, name="write_barrier")
    return _gradient_of(b, node, source, flow, "T"), flow


def _handle(c: ShapeContext) -> list[Sizes]:
    return [(2,)]


def _handle_and_flow(c: ShapeContext) -> list[Sizes]:
    return [(2,), ()]


def _element(c: ShapeContext) -> Sizes:
    """What is known of the shape of the elements of input 0, where its TensorArray was made to keep to one."""
    op = c.tensor(0).op
    while op.type in _FORWARDS_HANDLE:
        op = op.inputs[0].op
    if op.type != "TensorArrayV3":
        return None
    shape = TensorShape(op.attrs["element_shape"])
    return shape.sizes if shape.is_fully_defined() or op.attrs["identical_element_shapes"] else None


def _element_written(c: ShapeContext) -> list[Sizes]:
    merge(c, _element(c), c.input(2))
    return [()]


def _elements_written(c: ShapeContext) -> list[Sizes]:
    values = c.input(2)
    if values is not None:
        merge(c, _element(c), values[1:])
    return [()]


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


@op("TensorArrayWrite", "TensorArrayWriteV2", "TensorArrayWriteV3", shape=_element_written, objects=True)
def tensor_array_write(handle: Any, index: Any, value: Any, flow_in: Any) -> Any:
    """Set element `index`, once. The flow behind the write."""
    handle.write(index, value)
    return flow_in


@tensor_array_write.gradient
def _(b: Any, node: Any, flow: Any) -> Any:
    gradient, flow = _written_gradient(b, node, flow)
    return [None, None, gradient.read(node.inputs[1]), flow]


@op("TensorArrayRead", "TensorArrayReadV2", "TensorArrayReadV3", shape=lambda c: [_element(c)], objects=True)
def tensor_array_read(handle: Any, index: Any, flow_in: Any) -> Any:
    """Element `index`; zeros where it was not written and its shape is known."""
    return handle.read(index)


@tensor_array_read.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    return [None, None, _read_gradient(b, node, grad).write(node.inputs[1], grad).flow]


def _gathered(c: ShapeContext) -> list[Sizes]:
    element = _element(c)
    indices = c.input(1)
    return [None if element is None else ((None if indices is None else indices[0]), *element)]


@op("TensorArrayGather", "TensorArrayGatherV2", "TensorArrayGatherV3", shape=_gathered, objects=True)
def tensor_array_gather(handle: Any, indices: Any, flow_in: Any, *, element_shape: Any) -> Any:
    """The elements `indices`, stacked: [len(indices), ...element]."""
    return handle.gather(indices, element_shape)


@tensor_array_gather.gradient
def _(b: Any, node: Any, grad: Any) -> Any:
    return [None, None, _read_gradient(b, node, grad).scatter(node.inputs[1], grad).flow]


@op("TensorArrayPack", shape=unknown, objects=True)
def tensor_array_pack(handle: Any, flow_in: Any, *, element_shape: Any) -> Any:
    """All elements, stacked."""
    return handle.stack(element_shape)


@op("TensorArrayScatter", "TensorArrayScatterV2", "TensorArrayScatterV3", shape=_elements_written, objects=True)
def tensor_array_scatter(handle: Any, indices: Any, value: Any, flow_in: Any) -> Any:
    """Set element `indices[i]` to row i of `value`."""
    handle.scatter(indices, value)
    return flow_in


@tensor_array_scatter.gradient
def _(b: Any, node: Any, flow: Any) -> Any:
    gradient, flow = _written_gradient(b, node, flow)
    return [None, None, gradient.gather(node.inputs[1]), flow]


@op("TensorArrayUnpack", shape=scalar, objects=True)
def tensor_array_unpack(handle: Any, value: Any, flow_in: Any) -> Any:
    """Set each element to its row of `value`."""
    handle.unstack(value)
    return flow_in


def _joined(c: ShapeContext) -> list[Sizes]:
    return [None, (None,)]


@op("TensorArrayConcat", "TensorArrayConcatV2", "TensorArrayConcatV3", shape=_joined, objects=True)
def tensor_array_concat(handle: Any, flow_in: Any, *, element_shape_except0: Any) -> Any:
    """All elements along their first dimension, and the length of each (int64)."""
    return handle.concat(element_shape_except0)


@tensor_array_concat.gradient
def _(b: Any, node: Any, grad: Any, grad_of_lengths: Any) -> Any:
    return [None, _read_gradient(b, node, grad).split(grad, node.outputs[1]).flow]


@op("TensorArraySplit", "TensorArraySplitV2", "TensorArraySplitV3", shape=scalar, objects=True)
def tensor_array_split(handle: Any, value: Any, lengths: Any, flow_in: Any) -> Any:
    """Set element i to the next `lengths[i]` rows of `value`."""
    handle.split(value, lengths)
    return flow_in


@tensor_array_split.gradient
def _(b: Any, node: Any, flow: Any) -> Any:
    gradient, flow = _written_gradient(b, node, flow)
    return [None, gradient.concat(), None, flow]


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
