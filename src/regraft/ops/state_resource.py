"""Variables behind resource handles: VarHandleOp, reads, assignments, gathers and scatters."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, OutOfRangeError
from regraft.ir.node import Operation, Tensor
from regraft.opkit import gather, scatter
from regraft.opkit.arrays import shape_text, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.registry import Control, Runs, control_op, op
from regraft.opkit.shapes import ShapeContext, Sizes, no_outputs, scalar
from regraft.opkit.slices import IndexedSlices
from regraft.opkit.strided import Masks
from regraft.opkit.variable_shapes import assigned, counter, scattered, scattered_nd, unchanged, variable

control_op("VarHandleOp", shape=scalar, control=Control.VARIABLE, module=__name__)
control_op("VarIsInitializedOp", shape=scalar, control=Control.INITIALIZED, no_gradient="not a number", module=__name__)
control_op("DestroyResourceOp", shape=no_outputs, control=Control.DESTROY, module=__name__)


@op("ReadVariableOp", shape=unchanged, reads="resource")
def read_variable_op(resource: Any) -> Any:
    return resource


@read_variable_op.gradient
def _(b: Builder, node: Operation, dy: Any) -> Any:
    return [dy]


def _shape_of_variable(c: ShapeContext) -> list[Sizes]:
    sizes = variable(c, 0)
    return [(None if sizes is None else len(sizes),)]


@op("VariableShape", shape=_shape_of_variable, reads="input", metadata="input", no_gradient="integer result")
def variable_shape(input: Any, *, out_type: DType) -> Any:
    return np.array(static_shape(input), out_type.numpy)


@op("AssignVariableOp", shape=assigned, writes="resource", blind="resource")
def assign_variable_op(resource: Any, value: Any, *, validate_shape: bool) -> Any:
    if validate_shape and resource is not None and static_shape(resource) != static_shape(value):
        raise InvalidArgumentError(
            "Trying to assign to variable with tensor with wrong shape. "
            f"Expected {shape_text(resource)} got {shape_text(value)}"
        )
    return value


def _check_equal(resource: Any, value: Any) -> None:
    if static_shape(resource) != static_shape(value):
        raise InvalidArgumentError(
            f"Cannot update variable with shape {shape_text(resource)} using a Tensor with shape "
            f"{shape_text(value)}, shapes must be equal."
        )


@op("AssignAddVariableOp", shape=assigned, writes="resource")
def assign_add_variable_op(resource: Any, value: Any) -> Any:
    _check_equal(resource, value)
    return resource + value


@op("AssignSubVariableOp", shape=assigned, writes="resource")
def assign_sub_variable_op(resource: Any, value: Any) -> Any:
    _check_equal(resource, value)
    return resource - value


@op("ResourceCountUpTo", shape=counter, runs=Runs.HOST, writes="resource")
def resource_count_up_to(resource: Any, *, limit: int, T: DType) -> Any:
    """The counter before it is raised by one. OutOfRangeError when it stands at `limit`."""
    if resource >= limit:
        raise OutOfRangeError(f"Reached limit of {limit}")
    return np.asarray(resource + 1, T.numpy), np.asarray(resource)


def _gathered(c: ShapeContext) -> list[Sizes]:
    sizes, indices, batch_dims = variable(c, 0), c.input(1), c.attr("batch_dims")
    if batch_dims < 0:
        raise c.fail(f"batch_dims is negative ({batch_dims})")
    if sizes is None or indices is None:
        return [None]
    if not sizes:
        raise c.fail("Shape must be at least rank 1 but is rank 0")
    return [(*sizes[:batch_dims], *indices[batch_dims:], *sizes[batch_dims + 1 :])]


@op("ResourceGather", shape=_gathered, reads="resource")
def resource_gather(resource: Any, indices: Any, *, batch_dims: int) -> Any:
    """Rows of the variable: `resource[indices]`."""
    return gather.gather(resource, indices, batch_dims, batch_dims)


def _variable_shape(b: Builder, node: Operation) -> Tensor:
    """The shape of the variable that input 0 is the handle of: a constant where it is known."""
    sizes = variable(ShapeContext(node), 0)
    if sizes is None or None in sizes:
        shape: Tensor = b.VariableShape(node.inputs[0])
        return shape
    return b.constant(np.array(sizes, np.int32))


@resource_gather.gradient
def _(b: Builder, node: Operation, dy: Any) -> Any:
    indices = node.inputs[1]
    dense_shape = _variable_shape(b, node)
    size = b.expand_dims(b.size(indices), 0)
    values = b.reshape(dy, b.concat([size, dense_shape[1:]], 0))  # type: ignore[index]  # installed
    return [IndexedSlices(values, b.reshape(indices, size), dense_shape), None]


def _gathered_nd(c: ShapeContext) -> list[Sizes]:
    sizes, indices = variable(c, 0), c.input(1)
    if sizes is None or indices is None:
        return [None]
    if not indices:
        raise c.fail("Shape must be at least rank 1 but is rank 0")
    depth = indices[-1]
    if depth is None:
        return [None]
    if depth > len(sizes):
        raise c.fail(f"indices.shape[-1] must be <= params.rank, but saw {depth} and {len(sizes)}")
    return [(*indices[:-1], *sizes[depth:])]


@op("ResourceGatherNd", shape=_gathered_nd, reads="resource")
def resource_gather_nd(resource: Any, indices: Any) -> Any:
    """Slices of the variable, an index being a vector."""
    return gather.gather_nd(resource, indices)


# Rows by index.


@op("ResourceScatterUpdate", shape=scattered, writes="resource", surplus="drops")
def resource_scatter_update(resource: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("update", resource, indices, updates)


@op("ResourceScatterAdd", shape=scattered, writes="resource", surplus="drops")
def resource_scatter_add(resource: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("add", resource, indices, updates)


@op("ResourceScatterSub", shape=scattered, writes="resource", surplus="drops")
def resource_scatter_sub(resource: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("sub", resource, indices, updates)


@op("ResourceScatterMul", shape=scattered, writes="resource", surplus="drops")
def resource_scatter_mul(resource: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("mul", resource, indices, updates)


@op("ResourceScatterDiv", shape=scattered, writes="resource", surplus="drops")
def resource_scatter_div(resource: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("div", resource, indices, updates)


@op("ResourceScatterMin", shape=scattered, writes="resource", surplus="drops")
def resource_scatter_min(resource: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("min", resource, indices, updates)


@op("ResourceScatterMax", shape=scattered, writes="resource", surplus="drops")
def resource_scatter_max(resource: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("max", resource, indices, updates)


# Slices by index vectors.


@op("ResourceScatterNdUpdate", shape=scattered_nd, writes="ref")
def resource_scatter_nd_update(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("update", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ResourceScatterNdAdd", shape=scattered_nd, writes="ref")
def resource_scatter_nd_add(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("add", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ResourceScatterNdSub", shape=scattered_nd, writes="ref")
def resource_scatter_nd_sub(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("sub", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ResourceScatterNdMin", shape=scattered_nd, writes="ref")
def resource_scatter_nd_min(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("min", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ResourceScatterNdMax", shape=scattered_nd, writes="ref")
def resource_scatter_nd_max(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("max", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ResourceStridedSliceAssign", shape=unchanged, static=("begin", "end", "strides"), writes="ref")
def resource_strided_slice_assign(
    ref: Any,
    begin: Any,
    end: Any,
    strides: Any,
    value: Any,
    *,
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
) -> Any:
    """`ref[begin:end:strides] = value`, the value broadcast to the slice."""
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return scatter.assign_strided(ref, begin, end, strides, value, masks)
