"""IndexedSlices made dense, as gradient rules do that need a tensor."""

from __future__ import annotations

from typing import Any

from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.getitem import getitem
from regraft.opkit.slices import IndexedSlices


def to_tensor(b: Builder, value: Any) -> Tensor:
    """A Tensor as it is, IndexedSlices as an UnsortedSegmentSum. ValueError when their dense shape is not known."""
    if not isinstance(value, IndexedSlices):
        return b.convert(value)
    if value.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {value!r}")
    rows = getitem(b, value.dense_shape, 0)
    out: Tensor = b.UnsortedSegmentSum(value.values, value.indices, rows)
    return out
