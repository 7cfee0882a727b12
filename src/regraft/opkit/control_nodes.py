"""The nodes of v1 control flow: each function adds one of them, for a reference where it gets one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.getitem import getitem
from regraft.opkit.slices import IndexedSlices


def switch(b: Builder, data: Any, pred: Any, name: str | None = None) -> tuple[Any, Any]:
    """(`data` where `pred` is false, `data` where it is true); of the two one is alive."""
    with b.graph.name_scope(name or "Switch") as scope:
        if not isinstance(data, IndexedSlices):
            data = b.convert(data, name="data", as_ref=True)
        pred = b.convert(pred, name="pred")
        if isinstance(data, Tensor):
            false, true = b.op("Switch", data, pred, name=scope)
            return false, true
        values, indices = b.op("Switch", data.values, pred), b.op("Switch", data.indices, pred)
        shape = (None, None) if data.dense_shape is None else b.op("Switch", data.dense_shape, pred)
        return IndexedSlices(values[0], indices[0], shape[0]), IndexedSlices(values[1], indices[1], shape[1])


def switch_beside(b: Builder, data: Any, pred: Tensor, name: str = "Switch") -> tuple[Any, Any]:
    """`switch` in the colocation group of `data` alone, which may be a reference."""
    if not isinstance(data, IndexedSlices):
        data = b.convert(data, name="data")
    with b.graph.colocate_with(data.op, ignore_existing=True):
        if isinstance(data, Tensor) and data.dtype.is_ref:
            false, true = b.op("RefSwitch", data, pred, name=name)
            return false, true
        return switch(b, data, pred, name=name)


def merge(b: Builder, inputs: Sequence[Any], name: str | None = None) -> tuple[Any, Tensor]:
    """(the input that is alive, its position); slices where one of them is."""
    with b.graph.name_scope(name or "Merge") as scope:
        values = [v if isinstance(v, IndexedSlices) else b.convert(v, as_ref=True) for v in inputs]
        if all(isinstance(v, Tensor) for v in values):
            op_type = "RefMerge" if all(v.dtype.is_ref for v in values) else "Merge"
            value, index = b.op(op_type, values, name=scope)
            return value, index
        slices = as_slices_list(b, values)
        if len({s.dense_shape is None for s in slices}) > 1:
            raise ValueError("Either all IndexedSlices to merge have a dense_shape, or none")
        rows = [
            (s.values, s.indices) if s.dense_shape is None else (s.values, s.indices, s.dense_shape) for s in slices
        ]
        merged = [b.op("Merge", list(column)) for column in zip(*rows, strict=True)]
        return IndexedSlices(*[value for value, _ in merged]), merged[0][1]


def as_slices(b: Builder, value: Any) -> IndexedSlices:
    """All rows of a tensor as slices, whose shape is worked out when they run."""
    if isinstance(value, IndexedSlices):
        return value
    shape = b.shape(value, optimize=False)
    return IndexedSlices(value, b.range(0, getitem(b, shape, 0)), shape)


def as_slices_list(b: Builder, values: Sequence[Any]) -> list[IndexedSlices]:
    """The values as slices, with indices of one dtype."""
    slices = [as_slices(b, v) for v in values]
    narrow = [s for s in slices if s.indices.dtype.base is dtypes.int32]
    if not narrow or len(narrow) == len(slices):
        return slices
    return [
        IndexedSlices(s.values, b.cast(s.indices, dtypes.int64), s.dense_shape)
        if s.indices.dtype.base is dtypes.int32
        else s
        for s in slices
    ]


def enter(
    b: Builder,
    value: Any,
    frame: str,
    is_constant: bool = False,
    parallel_iterations: int = 10,
    keep_shape: bool = True,
    name: str | None = None,
) -> Any:
    """`value` inside a loop's frame: in its first iteration, or in all of them if it is constant."""
    attrs = {"frame_name": frame, "is_constant": is_constant, "parallel_iterations": parallel_iterations}
    if isinstance(value, IndexedSlices):

        def one(part: Tensor) -> Tensor:
            tensor: Tensor = enter(b, part, frame, is_constant, parallel_iterations, keep_shape, name)
            return tensor

        shape = None if value.dense_shape is None else one(value.dense_shape)
        return IndexedSlices(one(value.values), one(value.indices), shape)
    tensor = b.convert(value, as_ref=True)
    entered: Tensor = b.op("RefEnter" if tensor.dtype.is_ref else "Enter", tensor, name=name, **attrs)
    if keep_shape:
        entered.set_shape(tensor.shape)
    return entered


def exit(b: Builder, tensor: Tensor, name: str | None = None) -> Tensor:
    """`tensor` outside the loop's frame, after the last iteration."""
    left: Tensor = b.op("RefExit" if tensor.dtype.is_ref else "Exit", tensor, name=name)
    return left


def next_iteration(b: Builder, tensor: Tensor, name: str | None = None) -> Tensor:
    """`tensor` in the next iteration of its loop."""
    after: Tensor = b.op("RefNextIteration" if tensor.dtype.is_ref else "NextIteration", tensor, name=name)
    return after


def add_back_edge(b: Builder, merged: Tensor, value: Any, check_shape: bool = True) -> Tensor:
    """Close a loop: what `merged` is in the next iteration. ValueError if its shape would be less specific then."""
    after = next_iteration(b, b.convert(value))
    if check_shape and not at_most(after.shape.sizes, merged.shape.sizes):
        source = merged.op.inputs[0].op.inputs[0]
        raise ValueError(
            f"Input tensor {source.name!r} enters the loop with shape {source.shape}, but has shape {after.shape} "
            "after one iteration. To allow the shape to vary across iterations, use the `shape_invariants` argument of "
            "tf.while_loop to specify a less-specific shape."
        )
    b.graph.update_input(merged.op, 1, after)
    return after


def at_most(shape: Any, invariant: Any) -> bool:
    """Whether each dimension that the invariant knows is that dimension of the shape."""
    if invariant is None:
        return True
    if shape is None or len(shape) != len(invariant):
        return False
    return all(wanted is None or wanted == dim for dim, wanted in zip(shape, invariant, strict=True))
