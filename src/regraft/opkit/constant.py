"""Values that follow from constants and static shapes alone, without running anything.

`constant_value` folds a small sub-graph with the kernels themselves on NumPy arrays. `constant_sizes` goes further for
tensors that hold a shape: it keeps the dimensions that are known where others are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.base.errors import OpError
from regraft.opkit import registry
from regraft.opkit.call import call_kernel

if TYPE_CHECKING:
    from regraft.ir.node import Operation, Tensor

Sizes = "tuple[Dim, ...] | None"

# Larger intermediate values are not worth holding for a static shape.
_MOST_ELEMENTS = 4096
_MOST_DEPTH = 200

# The ops that TensorFlow's Python code folds, beside those that read shapes.
_LITERAL_OPS = frozenset(
    {
        *("Range", "Cast", "Concat", "ConcatV2", "Pack", "Unpack", "Split", "Equal", "NotEqual"),
        *("StopGradient", "Identity", "CheckNumericsV2"),
    }
)
_SHAPE_OPS = frozenset({"Shape", "ShapeN", "Size", "Rank"})


def constant_value(tensor: Tensor, _depth: int = 0) -> np.ndarray[Any, Any] | None:
    """The value of `tensor` if constants and static shapes determine it, else None. The array must not be written."""
    op = tensor.op
    if op.type == "Const":
        value: np.ndarray[Any, Any] = op.attrs["value"].array
        return value
    if _depth > _MOST_DEPTH or op.type == "PlaceholderWithDefault":
        return None
    if op.type in _SHAPE_OPS:
        return _shape_value(tensor)
    spec = registry.lookup(op.type)
    if spec is None or not spec.pure or spec.session or spec.lax or spec.kernel is None or not op.inputs:
        return None
    if spec.runs is registry.Runs.HOST and any(not (t.dtype.is_integer or t.dtype.is_bool) for t in op.inputs):
        return None  # of what stays on the host only arithmetic of shapes folds, nothing that could decode or read
    if tensor.dtype.is_ref or any(t.dtype.is_ref for t in op.inputs):
        return None
    if not all(_may_be_small(t) for t in (tensor, *op.inputs)):
        return None
    inputs = []
    for t in op.inputs:
        known = constant_value(t, _depth + 1)
        if known is None or known.size > _MOST_ELEMENTS:
            return None
        inputs.append(known)
    try:
        outputs = call_kernel(spec, op, inputs)
    except OpError:
        return None  # it will fail when it runs, if ever it does
    return np.asarray(outputs[tensor.value_index])


def literal_value(tensor: Tensor) -> np.ndarray[Any, Any] | None:
    """What TensorFlow's own Python code (`tf.get_static_value`) sees of a tensor: less than `constant_value` does.

    Gradient rules ask it where the nodes that they add depend on the answer.
    """
    op = tensor.op
    if op.type == "Const" or (op.type in _SHAPE_OPS and op.type != "ShapeN"):
        return constant_value(tensor)
    if op.type == "Fill":
        value = literal_value(op.inputs[1])
        return np.full(tensor.shape.as_list(), value) if value is not None and tensor.shape.known else None
    spec = registry.lookup(op.type)
    if op.type not in _LITERAL_OPS or spec is None or not op.inputs or op.attrs.get("axis", 0) != 0:
        return None
    values = []
    for t in op.inputs:
        known = literal_value(t)
        if known is None:
            return None
        values.append(known)
    return np.asarray(call_kernel(spec, op, values)[tensor.value_index])


def _may_be_small(tensor: Tensor) -> bool:
    """Whether nothing says that the tensor is too large. One of unknown size is measured when it is there."""
    count = tensor.shape.num_elements()
    return count is None or count <= _MOST_ELEMENTS


def _shape_value(tensor: Tensor) -> np.ndarray[Any, Any] | None:
    op = tensor.op
    shape = op.inputs[tensor.value_index if op.type == "ShapeN" else 0].shape
    if op.type == "Rank":
        return None if shape.rank is None else np.array(shape.rank, np.int32)
    if not shape.known:
        return None
    dtype = tensor.dtype.numpy
    return np.array(shape.num_elements() if op.type == "Size" else shape.sizes, dtype)


def constant_sizes(tensor: Tensor, _depth: int = 0) -> Any:
    """A 1-D integer tensor read as a shape: a tuple with None where a dimension is unknown (or -1), None for all."""
    from regraft.base.shapes import TensorShape

    op = tensor.op
    if _depth > _MOST_DEPTH:
        return None
    if op.type == "Shape":
        return op.inputs[0].shape.sizes
    value = constant_value(tensor)
    if value is not None:
        if value.ndim == 0:
            return None
        return tuple(None if d < 0 else int(d) for d in value)
    if op.type in ("Cast", "Identity"):
        return constant_sizes(op.inputs[0], _depth + 1)
    if op.type == "Pack" and op.attrs.get("axis", 0) == 0:
        return tuple(_dim(t) for t in op.inputs)
    if op.type in ("ConcatV2", "Concat"):
        parts = op.inputs[:-1] if op.type == "ConcatV2" else op.inputs[1:]
        out: tuple[Any, ...] = ()
        for part in parts:
            sizes = constant_sizes(part, _depth + 1)
            if sizes is None:
                return None
            out += tuple(sizes)
        return out
    if op.type == "StridedSlice":
        sliced = _sliced(op, _depth)
        if sliced is not None:
            return sliced
    length = TensorShape(tensor.shape).sizes
    if length is not None and len(length) == 1 and length[0] is not None:
        return (None,) * length[0]
    return None


def _dim(tensor: Tensor) -> Any:
    """A scalar tensor read as a dimension: an int, or None when it is not known."""
    value = constant_value(tensor)
    if value is not None and value.ndim == 0:
        return None if value < 0 else int(value)
    op = tensor.op
    if op.type == "StridedSlice":
        sliced = _sliced(op, 0, to_scalar=True)
        if isinstance(sliced, int):
            return sliced
    if op.type in ("Cast", "Identity"):
        return _dim(op.inputs[0])
    return None


def _sliced(op: Operation, depth: int, to_scalar: bool = False) -> Any:
    begin, end, stride = (constant_value(t) for t in op.inputs[1:])
    if begin is None or end is None or stride is None or begin.shape != (1,):
        return None
    if op.attrs.get("ellipsis_mask", 0) or op.attrs.get("new_axis_mask", 0):
        return None
    source = constant_sizes(op.inputs[0], depth + 1)
    if source is None:
        return None
    if op.attrs.get("shrink_axis_mask", 0):
        index = int(begin[0])
        if not to_scalar or not -len(source) <= index < len(source):
            return None
        return source[index]
    start = None if op.attrs.get("begin_mask", 0) & 1 else int(begin[0])
    stop = None if op.attrs.get("end_mask", 0) & 1 else int(end[0])
    return tuple(source[start : stop : int(stride[0])])
