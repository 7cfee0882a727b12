"""`tensor[...]`: the StridedSlice node, and its constants, that TensorFlow adds for Python's indexing."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from types import EllipsisType
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import Dimension
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder

_INDEX_TYPES = (dtypes.int16, dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)


class _Spec:
    """begin, end and strides as they grow, and the masks."""

    def __init__(self) -> None:
        self.begin: list[Any] = []
        self.end: list[Any] = []
        self.strides: list[Any] = []
        self.masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)

    def add(self, begin: Any, end: Any, stride: Any, *masks: str) -> None:
        for mask in masks:
            self.masks[mask] |= 1 << len(self.begin)
        self.begin.append(begin)
        self.end.append(end)
        self.strides.append(stride)


def getitem(b: Builder, tensor: Tensor, key: Any) -> Tensor:
    """`tensor[key]` for ints, scalar tensors, slices, `...` and None, alone or in a tuple.

    A bool tensor or array takes the elements where it is true, where `register_mask` said how.

    raises TypeError for any other index
    """
    if _masks and _is_mask(key):
        masked: Tensor = _masks[-1](tensor, key)
        return masked
    spec = _Spec()
    for item in key if isinstance(key, (list, tuple)) else [key]:
        if isinstance(item, slice):
            _add_slice(b, spec, item)
        elif isinstance(item, EllipsisType):
            spec.add(0, 0, 1, "ellipsis_mask")
        elif item is None:
            spec.add(0, 0, 1, "new_axis_mask")
        else:
            _check_index(item)
            end: Any = item + 1
            stride: Any = 1
            if isinstance(item, Tensor) and item.dtype.base in (dtypes.int16, dtypes.int64):
                stride = b.constant(1, item.dtype.base)
            spec.add(item, end, stride, "shrink_axis_mask")
    with b.graph.name_scope("strided_slice") as scope:
        if spec.begin:
            parts = [b.stack(part) for part in (spec.begin, spec.end, spec.strides)]
            if any(p.dtype.base is dtypes.int64 for p in parts):
                parts = [p if p.dtype.base is dtypes.int64 else b.op("Cast", p, DstT=dtypes.int64) for p in parts]
        else:
            parts = [b.constant([], dtypes.int32)] * 3
        out: Tensor = b.op("StridedSlice", tensor, *parts, name=scope, **spec.masks)
        return out


_masks: list[Callable[[Tensor, Any], Tensor]] = []


def register_mask(function: Callable[[Tensor, Any], Tensor]) -> None:
    """Say what `tensor[mask]` is: `function(tensor, mask)`."""
    _masks.append(function)


def _is_mask(key: Any) -> bool:
    if isinstance(key, Tensor):
        return key.dtype.base is dtypes.bool_
    return isinstance(key, np.ndarray) and key.dtype == np.bool_


def _add_slice(b: Builder, spec: _Spec, item: slice) -> None:
    kinds = [t.dtype.base for t in (item.start, item.stop, item.step) if isinstance(t, Tensor)]
    widest = [k for k in (dtypes.int64, dtypes.int32, dtypes.int16) if k in kinds]
    dtype = widest[0] if widest else None

    def given(bound: Any) -> bool:
        if bound is None or (isinstance(bound, Dimension) and bound.value is None):
            return False
        _check_index(bound)
        return True

    def filled(value: int) -> Any:
        return value if dtype is None else b.constant(value, dtype)

    masks = []
    start, stop, step = item.start, item.stop, item.step
    if not given(start):
        start = filled(0)
        masks.append("begin_mask")
    if not given(stop):
        stop = filled(0)
        masks.append("end_mask")
    if not given(step):
        step = filled(1)
    spec.add(start, stop, step, *masks)


def _check_index(index: Any) -> None:
    if isinstance(index, (numbers.Integral, Dimension)) and not isinstance(index, bool):
        return
    dtype = getattr(index, "dtype", None)
    if dtype is not None and as_dtype(dtype).base in _INDEX_TYPES:
        rank = index.shape.rank if isinstance(index, Tensor) else np.ndim(index)
        if rank != 1:
            return
    raise TypeError(
        "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are "
        f"valid indices, got {index!r}"
    )


def install(cls: type) -> None:
    """Give a class that stands for a tensor (it has `graph`) indexing."""
    setattr(cls, "__getitem__", lambda self, key: getitem(Builder(self.graph), Builder(self.graph).convert(self), key))
    # Without this Python would iterate by indexing, and never end.
    setattr(cls, "__iter__", _iterate)


def _iterate(self: Any) -> Any:
    raise TypeError(
        "Tensor objects are not iterable: iterating over a `tf.Tensor` is not allowed while a graph is built. Use "
        "tf.unstack where the size is known, else tf.map_fn."
    )


install(Tensor)
