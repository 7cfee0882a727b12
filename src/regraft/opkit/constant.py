"""Values that follow from constants and static shapes alone, without running anything.

`constant_value` folds a small sub-graph with the kernels themselves on NumPy arrays. `constant_sizes` goes further for
tensors that hold a shape: it keeps the dimensions that are known where others are not. Both know as much as the shape
inference of TensorFlow's graphs does, and no more. `literal_value` knows what its Python code does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from regraft.base.errors import OpError
from regraft.base.shapes import TensorShape
from regraft.opkit import registry
from regraft.opkit.call import call_kernel

if TYPE_CHECKING:
    from regraft.ir.node import Operation, Tensor

Dim = int | None
Sizes = tuple[Dim, ...] | None

# Larger intermediate values are not worth holding for a static shape.
_MOST_ELEMENTS = 4096
_MOST_DEPTH = 200

_FORWARDS_HANDLE = frozenset({"Identity", "Enter", "Switch", "Merge", "RefSwitch", "RefEnter", "RefIdentity", "Exit"})

_SHAPE_OPS = frozenset({"Shape", "ShapeN", "Size", "Rank"})

# The ops that TensorFlow's Python code folds, beside those that read shapes.
_LITERAL_OPS = frozenset(
    {
        *("Range", "Cast", "Concat", "ConcatV2", "Pack", "Unpack", "Split", "Equal", "NotEqual"),
        *("StopGradient", "Identity", "CheckNumericsV2"),
    }
)


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
    if op.type in ("StridedSlice", "Unpack"):
        dim = _dim_of_shape(tensor)
        if dim is not None:
            return np.array(dim, tensor.dtype.numpy)
    spec = registry.lookup(op.type)
    if spec is None or spec.kernel is None or not spec.pure or spec.lax or not op.inputs:
        return None
    definition = op.graph.op_def(op.type)
    if definition is None or definition.is_stateful:
        return None
    if tensor.dtype.is_ref or any(t.dtype.is_ref for t in op.inputs) or not _small(op):
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
        # The op is wrong, and says so when it runs.
        return None
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


def _small(op: Operation) -> bool:
    """Whether nothing that goes in or comes out is known to be large."""
    for t in (*op.inputs, *op.outputs):
        count = t._shape.num_elements() if t._shape is not None else None
        if count is not None and count > _MOST_ELEMENTS:
            return False
    return True


def _shape_value(tensor: Tensor) -> np.ndarray[Any, Any] | None:
    op = tensor.op
    shape = op.inputs[tensor.value_index if op.type == "ShapeN" else 0].shape
    if op.type == "Rank":
        return None if shape.rank is None else np.array(shape.rank, np.int32)
    if not shape.known:
        return None
    dtype = tensor.dtype.numpy
    return np.array(shape.num_elements() if op.type == "Size" else shape.sizes, dtype)


def _dim_of_shape(tensor: Tensor) -> Dim:
    """The dimension that `tensor` is: `shape(x)[i]`, or one of `unstack(shape(x))`. None where it is something else."""
    op = tensor.op
    source = op.inputs[0]
    if source.op.type != "Shape":
        return None
    sizes = _shape_of(source)
    if sizes is None:
        return None
    if op.type == "Unpack":
        return sizes[tensor.value_index] if tensor.value_index < len(sizes) else None
    masks = {name: op.attrs.get(f"{name}_mask", 0) for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    if masks != {"begin": 0, "end": 0, "ellipsis": 0, "new_axis": 0, "shrink_axis": 1}:
        return None
    # TensorFlow looks at constants only here, not at what folds to one.
    begin = constant_value(op.inputs[1]) if op.inputs[1].op.type == "Const" else None
    if begin is None or begin.shape != (1,) or not -len(sizes) <= begin[0] < len(sizes):
        return None
    return sizes[int(begin[0])]


def _shape_of(tensor: Tensor) -> Sizes:
    """The static shape that a Shape or ShapeN node reads."""
    op = tensor.op
    sizes: Sizes = op.inputs[tensor.value_index if op.type == "ShapeN" else 0].shape.sizes
    return sizes


def handle_sizes(tensor: Tensor) -> Sizes:
    """The static shape of the variable that a resource handle stands for."""
    for _ in range(1000):
        op = tensor.op
        shape = op.attrs.get("shape")
        if op.type in ("VarHandleOp", "VariableV2", "Variable", "TemporaryVariable") and shape is not None:
            sizes: Sizes = TensorShape(shape).sizes
            return sizes
        outer = op.graph.source(tensor)
        if outer is not None:
            tensor = outer
        elif not op.inputs or op.type not in _FORWARDS_HANDLE:
            break
        else:
            tensor = op.inputs[0]
    return None


def constant_sizes(tensor: Tensor, _depth: int = 0) -> Sizes:
    """A 1-D integer tensor read as a shape: a tuple with None where a dimension is unknown (or -1), None for all.

    raises ValueError for a negative dimension other than -1
    """
    op = tensor.op
    if _depth > _MOST_DEPTH:
        return None
    if op.type in ("Shape", "ShapeN"):
        return _shape_of(tensor)
    if op.type == "VariableShape":
        return handle_sizes(op.inputs[0])
    if op.type == "Cast":
        return constant_sizes(op.inputs[0], _depth + 1)
    if op.type == "Pack" and op.attrs.get("axis", 0) == 0:
        return tuple(_dim(t) for t in op.inputs)
    if op.type in ("ConcatV2", "Concat"):
        parts = op.inputs[:-1] if op.type == "ConcatV2" else op.inputs[1:]
        out: tuple[Dim, ...] = ()
        for part in parts:
            sizes = constant_sizes(part, _depth + 1)
            if sizes is None:
                return None
            out += sizes
        return out
    value = constant_value(tensor)
    if value is not None:
        if value.ndim == 0:
            return None
        return tuple(None if d < 0 else int(d) for d in value)
    if op.type == "StridedSlice":
        found, sliced = _sliced(op, _depth)
        if found:
            return sliced
    length = tensor.shape.sizes
    if length is not None and len(length) == 1 and length[0] is not None:
        return (None,) * length[0]
    return None


def _dim(tensor: Tensor) -> Dim:
    """A scalar tensor read as a dimension: an int, or None when it is not known."""
    value = constant_value(tensor)
    return int(value) if value is not None and value.ndim == 0 and value >= 0 else None


def _sliced(op: Operation, depth: int) -> tuple[bool, Sizes]:
    """(Whether the slice is understood, its sizes) for a range of a vector of which something may be known."""
    begin, end, stride = (constant_value(t) for t in op.inputs[1:])
    if begin is None or end is None or stride is None or not begin.shape == end.shape == stride.shape == (1,):
        return False, None
    if any(op.attrs.get(f"{name}_mask", 0) for name in ("ellipsis", "new_axis", "shrink_axis")):
        return False, None
    source = constant_sizes(op.inputs[0], depth + 1)
    if source is None:
        return True, None
    start = None if op.attrs.get("begin_mask", 0) & 1 else int(begin[0])
    stop = None if op.attrs.get("end_mask", 0) & 1 else int(end[0])
    return True, tuple(source[start : stop : int(stride[0])])
