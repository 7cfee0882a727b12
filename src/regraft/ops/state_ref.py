"""Variables behind refs: VariableV2, Assign, and the ops that change a variable in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.opkit import scatter
from regraft.opkit.arrays import shape_text, static_shape
from regraft.opkit.registry import Control, Runs, control_op, op
from regraft.opkit.shapes import ShapeContext, Sizes, from_attr, merge, same_as, scalar
from regraft.opkit.strided import Masks
from regraft.opkit.variable_shapes import assigned, counter, scattered, scattered_nd, unchanged


def _old_variable(c: ShapeContext) -> list[Sizes]:
    """In files of the op `Variable` a scalar shape says that the shape is not known."""
    return [TensorShape(c.attr("shape")).sizes or None]


control_op("VariableV2", "TemporaryVariable", shape=from_attr("shape"), control=Control.VARIABLE, module=__name__)
control_op("Variable", shape=_old_variable, control=Control.VARIABLE, module=__name__)
control_op("DestroyTemporaryVariable", shape=same_as(0), control=Control.DESTROY, module=__name__)
control_op("IsVariableInitialized", shape=scalar, control=Control.INITIALIZED, module=__name__)


def _assigned(c: ShapeContext) -> list[Sizes]:
    if not c.attr("validate_shape", True):
        return [c.input(1)]
    return [merge(c, c.input(0), c.input(1))]


@op("Assign", shape=_assigned, writes="ref", blind="ref", no_gradient="changes a variable")
def assign(ref: Any, value: Any, *, validate_shape: bool) -> Any:
    """The variable is `value` from now on."""
    if validate_shape and ref is not None and static_shape(ref) != static_shape(value):
        raise InvalidArgumentError(
            "Assign requires shapes of both tensors to match. "
            f"lhs shape= {shape_text(ref)} rhs shape= {shape_text(value)}"
        )
    return value


def _check_equal(ref: Any, value: Any) -> None:
    if static_shape(ref) != static_shape(value):
        raise InvalidArgumentError(
            f"Parameters and update must be the same size: variable {shape_text(ref)}, update {shape_text(value)}"
        )


@op("AssignAdd", shape=assigned, writes="ref", no_gradient="changes a variable")
def assign_add(ref: Any, value: Any) -> Any:
    _check_equal(ref, value)
    return ref + value


@op("AssignSub", shape=assigned, writes="ref", no_gradient="changes a variable")
def assign_sub(ref: Any, value: Any) -> Any:
    _check_equal(ref, value)
    return ref - value


@op("CountUpTo", shape=counter, runs=Runs.HOST, writes="ref")
def count_up_to(ref: Any, *, limit: int, T: DType) -> Any:
    """The counter before it is raised by one. OutOfRangeError when it stands at `limit`."""
    if ref >= limit:
        raise OutOfRangeError(f"Reached limit of {limit}")
    return np.asarray(ref + 1, T.numpy), np.asarray(ref)


# Rows by index.


@op("ScatterUpdate", shape=scattered, writes="ref", surplus="drops")
def scatter_update(ref: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("update", ref, indices, updates)


@op("ScatterAdd", shape=scattered, writes="ref", surplus="drops", no_gradient="changes a variable")
def scatter_add(ref: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("add", ref, indices, updates)


@op("ScatterSub", shape=scattered, writes="ref", surplus="drops", no_gradient="changes a variable")
def scatter_sub(ref: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("sub", ref, indices, updates)


@op("ScatterMul", shape=scattered, writes="ref", surplus="drops", no_gradient="changes a variable")
def scatter_mul(ref: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("mul", ref, indices, updates)


@op("ScatterDiv", shape=scattered, writes="ref", surplus="drops", no_gradient="changes a variable")
def scatter_div(ref: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("div", ref, indices, updates)


@op("ScatterMin", shape=scattered, writes="ref", surplus="drops")
def scatter_min(ref: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("min", ref, indices, updates)


@op("ScatterMax", shape=scattered, writes="ref", surplus="drops")
def scatter_max(ref: Any, indices: Any, updates: Any) -> Any:
    return scatter.scatter_rows("max", ref, indices, updates)


# Slices by index vectors.


@op("ScatterNdUpdate", shape=scattered_nd, writes="ref", no_gradient="changes a variable")
def scatter_nd_update(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("update", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ScatterNdAdd", shape=scattered_nd, writes="ref", no_gradient="changes a variable")
def scatter_nd_add(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("add", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ScatterNdSub", shape=scattered_nd, writes="ref", no_gradient="changes a variable")
def scatter_nd_sub(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("sub", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ScatterNdMin", shape=scattered_nd, writes="ref")
def scatter_nd_min(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("min", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("ScatterNdMax", shape=scattered_nd, writes="ref")
def scatter_nd_max(ref: Any, indices: Any, updates: Any, *, bad_indices_policy: bytes) -> Any:
    return scatter.scatter_nd("max", ref, indices, updates, bad_indices_policy == b"IGNORE")


@op("StridedSliceAssign", shape=unchanged, static=("begin", "end", "strides"), writes="ref")
def strided_slice_assign(
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
