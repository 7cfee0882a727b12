"""Reductions over segments of rows: sorted ids (SegmentSum, ...) and any ids (UnsortedSegmentSum, ...)."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation
from regraft.opkit import segments
from regraft.opkit.builder import Builder
from regraft.opkit.registry import Kernel, Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge, with_rank

# Sorted ids. How many segments there are depends on the ids, so these run on the host.


def _sorted_shape(c: ShapeContext) -> list[Sizes]:
    data = at_least_rank(c, c.input(0), 1)
    with_rank(c, c.input(1), 1)
    return [None if data is None else (None, *data[1:])]


def _sorted(name: str, how: str) -> Kernel:
    @op(name, shape=_sorted_shape, runs=Runs.HOST)
    def kernel(data: Any, segment_ids: Any) -> Any:
        return segments.reduce_sorted(how, data, segment_ids)

    return kernel


segment_sum = _sorted("SegmentSum", "sum")
segment_mean = _sorted("SegmentMean", "mean")
segment_prod = _sorted("SegmentProd", "prod")
segment_min = _sorted("SegmentMin", "min")
segment_max = _sorted("SegmentMax", "max")


@segment_sum.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.gather(dy, node.inputs[1]), None]


@segment_mean.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    data, ids = node.inputs
    rank: Any = b.rank(data)
    count = b.shape(ids)
    rest = b.ones(b.expand_dims(rank - 1, 0), dtype=count.dtype.base)
    ones = b.ones(b.concat([count, rest], 0), dtype=dy.dtype.base)
    return [b.gather(dy / b.SegmentSum(ones, ids), ids), None]


@segment_min.gradient
@segment_max.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    data, ids = node.inputs
    zeros = b.zeros_like(data, dtype=data.dtype)
    found = b.Equal(data, b.gather(node.outputs[0], ids))
    holders = b.SegmentSum(b.cast(found, dy.dtype.base), ids)
    share = dy / holders
    return [b.SelectV2(found, b.gather(share, ids), zeros), None]


@segment_prod.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    data, ids = node.inputs
    is_zero = b.Equal(data, 0)
    zeros = b.SegmentSum(b.cast(is_zero, dtypes.int32), ids)
    # A segment with two zeros has no gradient at all.
    dy = b.SelectV2(b.Greater(zeros, 1), b.zeros_like(dy), dy)
    factors: Any = b.SelectV2(is_zero, b.ones_like(data), data)
    others = b.SegmentProd(factors, ids)
    product: Any = b.gather(node.outputs[0], ids)
    others = b.gather(others, ids)
    partial = b.SelectV2(is_zero, others, product / factors)
    spread: Any = b.gather(dy, ids)
    return [spread * partial, None]


# Any ids, and as many segments as are asked for.


def _unsorted_shape(c: ShapeContext) -> list[Sizes]:
    data, ids = c.input(0), c.input(1)
    with_rank(c, c.input(2), 0)
    count = c.value(2)
    if ids is None:
        return [None]
    if data is None:
        return [None]
    if len(data) < len(ids):
        raise c.fail(f"Shape must be at least rank {len(ids)} but is rank {len(data)}")
    merge(c, data[: len(ids)], ids)
    if count is not None and count < 0:
        raise c.fail(f"Dimension size, given by scalar input 2, must be non-negative but is {int(count)}")
    return [(None if count is None else int(count), *data[len(ids) :])]


def _unsorted(name: str, how: str) -> Kernel:
    @op(name, shape=_unsorted_shape, static="num_segments", surplus="sums" if how == "sum" else "")
    def kernel(data: Any, segment_ids: Any, num_segments: Any) -> Any:
        return segments.reduce_unsorted(how, data, segment_ids, int(num_segments))

    return kernel


unsorted_segment_sum = _unsorted("UnsortedSegmentSum", "sum")
unsorted_segment_prod = _unsorted("UnsortedSegmentProd", "prod")
unsorted_segment_min = _unsorted("UnsortedSegmentMin", "min")
unsorted_segment_max = _unsorted("UnsortedSegmentMax", "max")


def _gathered(b: Builder, params: Any, ids: Any, clipped: Any = None, kept: Any = None) -> tuple[Any, Any, Any]:
    """`params` at ids, zeros where an id is negative; also the ids with 0 for those, and the mask of the others."""
    if clipped is None:
        clipped = b.Maximum(ids, b.zeros_like(ids))
    found = b.gather(params, clipped)
    if kept is None:
        kept = b.GreaterEqual(ids, 0)
        shape = b.shape(kept)
        found_rank: Any = b.rank(found)
        ones = b.ones([found_rank - b.rank(kept)], dtype=shape.dtype.base)
        kept = b.reshape(kept, b.concat([shape, ones], 0))
        kept = kept & b.ones_like(found, dtype=dtypes.bool_)
    zeros = b.zeros_like(found)
    return b.SelectV2(kept, found, zeros), clipped, kept


@unsorted_segment_sum.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [_gathered(b, dy, node.inputs[1])[0], None, None]


@unsorted_segment_min.gradient
@unsorted_segment_max.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    data, ids, count = node.inputs
    outputs, clipped, kept = _gathered(b, node.outputs[0], ids)
    found = b.LogicalAnd(b.Equal(data, outputs), kept)
    holders = b.UnsortedSegmentSum(b.cast(found, dy.dtype.base), ids, count)
    share = dy / holders
    spread, _, _ = _gathered(b, share, None, clipped, kept)
    return [b.SelectV2(found, spread, b.zeros_like(spread)), None, None]


@unsorted_segment_prod.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    data, ids, count = node.inputs
    is_zero = b.Equal(data, 0)
    zeros = b.UnsortedSegmentSum(b.cast(is_zero, dtypes.int32), ids, count)
    # A segment with two zeros has no gradient at all.
    dy = b.SelectV2(b.Greater(zeros, 1), b.zeros_like(dy), dy)
    factors = b.SelectV2(is_zero, b.ones_like(data), data)
    others = b.UnsortedSegmentProd(factors, ids, count)
    clipped = b.Maximum(ids, b.zeros_like(ids))
    product: Any = b.gather(node.outputs[0], clipped)
    others = b.gather(others, clipped)
    # TensorFlow divides by the zeros too, and does not look at what comes of it.
    partial = b.SelectV2(is_zero, others, product / data)
    spread: Any = _gathered(b, dy, ids, clipped)[0]
    return [spread * partial, None, None]
