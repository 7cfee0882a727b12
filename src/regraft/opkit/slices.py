"""IndexedSlices: rows of a dense tensor, by index. The gradient of a gather, applied without filling in zeros."""

from __future__ import annotations

from typing import Any

from regraft.base.dtypes import DType
from regraft.base.shapes import TensorShape
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit import constant
from regraft.opkit.builder import Builder
from regraft.opkit.conversion import register_conversion
from regraft.opkit.getitem import getitem


class IndexedSlices:
    """The rows `values[i]` of a tensor of `dense_shape` at `indices[i]`; indices may repeat, and then rows add up.

    values       [n, ...]
    indices      [n] integers
    dense_shape  1-D integers, or None when it is not known
    """

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None) -> None:
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    @property
    def values(self) -> Tensor:
        return self._values

    @property
    def indices(self) -> Tensor:
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        return TensorShape(None if self._dense_shape is None else constant.constant_sizes(self._dense_shape))

    def get_shape(self) -> TensorShape:
        return self.shape

    @property
    def name(self) -> str:
        return self._values.name

    @property
    def device(self) -> str:
        return self._values.device

    @property
    def op(self) -> Operation:
        return self._values.op

    @property
    def _indexed_slices_op(self) -> Operation:
        return self._values.op

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def graph(self) -> Graph:
        return self._values.graph

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self.values, self.indices, self.dense_shape)  # type: ignore[operator]  # installed

    def __repr__(self) -> str:
        dense = "" if self._dense_shape is None else f", dense_shape={self._dense_shape}"
        return f"IndexedSlices(indices={self._indices}, values={self._values}{dense})"


def _to_tensor(value: IndexedSlices, dtype: Any, name: str | None, as_ref: bool) -> Any:
    if value.dense_shape is None:
        raise ValueError(
            f"Tensor conversion requested for IndexedSlices for {value.name!r} without dense_shape: its size is unknown"
        )
    b = Builder(value.graph)
    return b.UnsortedSegmentSum(value.values, value.indices, getitem(b, value.dense_shape, 0), name=name)


register_conversion(IndexedSlices, _to_tensor)
