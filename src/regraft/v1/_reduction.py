"""Reductions over axes, positions of extremes, cumulative sums, segments, sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_value
from regraft.v1._array import concat, matrix_diag_part, ones, rank, reshape, shape, transpose, zeros
from regraft.v1._math import cast
from regraft.v1._opening import on, opened, renamed

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "sort",
    "sparse_segment_mean",
    "sparse_segment_sqrt_n",
    "sparse_segment_sum",
    "trace",
    "unsorted_segment_mean",
    "unsorted_segment_sqrt_n",
    "range",
    "linspace",
    "lin_space",
]


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Any:
    """start, start + delta, ... below `limit`; with one argument 0, 1, ... below it."""
    if limit is None:
        start, limit = 0, start
    with opened(name, "Range", start, limit, delta) as (b, scope):
        wanted = None if dtype is None else as_dtype(dtype)
        ends = [
            v if isinstance(v, Tensor) else b.convert(v, wanted, name=n)
            for v, n in ((start, "start"), (limit, "limit"), (delta, "delta"))
        ]
        if wanted is None:
            order = [dtypes.int32, dtypes.int64, dtypes.half, dtypes.bfloat16, dtypes.float32, dtypes.float64]
            wanted = max((t.dtype.base for t in ends), key=order.index)
        return b.Range(*(cast(t, wanted) for t in ends), name=scope)


def lin_space(start: Any, stop: Any, num: Any, name: str | None = None, axis: Any = 0) -> Any:
    """`num` values at equal distances from start to stop, both included; tensors give a new dimension at `axis`."""
    from regraft.v1._linspace import linspace_nd

    return linspace_nd(start, stop, num, name, axis)


linspace = lin_space


def reduction_axes(x: Any, axis: Any) -> Any:
    """What a reduction takes as its axes: all of them for None, as a constant where their number is known."""
    if axis is not None:
        return axis
    known = getattr(getattr(x, "shape", None), "rank", None)
    if known:
        return on(x).constant(np.arange(known, dtype=np.int32))
    return range(0, rank(x))


def _reduce(op_type: str, x: Any, axis: Any, keepdims: Any, name: str | None) -> Any:
    keepdims = bool(keepdims)
    out = on(x).op(op_type, x, reduction_axes(x, axis), keep_dims=keepdims, name=name)
    return _scalar_at_least(out, axis, keepdims)


def _scalar_at_least(out: Any, axis: Any, keepdims: bool) -> Any:
    if axis is None and not keepdims and not out.shape.known:
        out.set_shape(())
    return out


def _reduction(op_type: str, name: str, doc: str) -> Any:
    def function(
        input_tensor: Any,
        axis: Any = None,
        keepdims: Any = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: Any = None,
    ) -> Any:
        axis = renamed("axis", axis, "reduction_indices", reduction_indices)
        return _reduce(op_type, input_tensor, axis, renamed("keepdims", keepdims, "keep_dims", keep_dims), name)

    function.__doc__ = f"{doc} over `axis`, or over everything; `keepdims` leaves dimensions of size 1."
    function.__name__ = function.__qualname__ = name
    return function


reduce_sum = _reduction("Sum", "reduce_sum", "The sum")
reduce_mean = _reduction("Mean", "reduce_mean", "The mean")
reduce_prod = _reduction("Prod", "reduce_prod", "The product")
reduce_max = _reduction("Max", "reduce_max", "The largest element")
reduce_min = _reduction("Min", "reduce_min", "The smallest element")
reduce_all = _reduction("All", "reduce_all", "Whether all elements are true")
reduce_any = _reduction("Any", "reduce_any", "Whether an element is true")


def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The root of the sum of squares over `axis`, or over everything."""
    return _reduce("EuclideanNorm", input_tensor, axis, keepdims, name)


def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
) -> Any:
    """log(sum(exp(x))) over `axis`, or over everything, without overflow."""
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    with opened(name, "ReduceLogSumExp", input_tensor) as (b, scope):
        largest = reduce_max(input_tensor, axis, True)
        largest = b.StopGradient(b.SelectV2(b.IsFinite(largest), largest, 0))
        result = b.Log(reduce_sum(b.Exp(b.Sub(input_tensor, largest)), axis, keepdims))
        if not keepdims:
            largest = reshape(largest, b.Shape(result))
        with opened(scope, "Add", result) as (b, inner):
            result = b.AddV2(result, largest, name=inner)
        return _scalar_at_least(result, axis, keepdims)


def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The mean of the squared distances from the mean, over `axis` or everything. TypeError for integers."""
    with opened(name or "reduce_variance", "", input_tensor) as (b, _):
        x = b.convert(input_tensor)
        means = reduce_mean(x, axis, True)
        if means.dtype.is_integer:
            raise TypeError(f"Input must be either real or complex. Received integer type {means.dtype}.")
        distance: Any = x - means
        if distance.dtype.is_complex:
            squared = b.Real(b.Mul(b.Conj(distance), distance), Tout=distance.dtype.real_dtype)
        else:
            squared = b.Square(distance)
        return reduce_mean(squared, axis, keepdims)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The root of `reduce_variance`."""
    with opened(name or "reduce_std", "", input_tensor) as (b, _):
        return b.Sqrt(reduce_variance(b.convert(input_tensor), axis, keepdims))


def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: Any = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
    input: Any = None,
) -> Any:
    """How many elements are not zero, over `axis` or everything."""
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    x = renamed("input_tensor", input_tensor, "input", input)
    axis = renamed("axis", axis, "reduction_indices", reduction_indices)
    with opened(name, "count_nonzero", x) as (b, _):
        x = b.convert(x, name="input")
        counted = x if x.dtype.base is dtypes.bool_ else b.NotEqual(x, zeros([], x.dtype))
        return cast(reduce_sum(cast(counted, dtypes.int64), axis, keepdims), dtype)


def argmax(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64
) -> Any:
    """The position of the largest element along `axis` (0); the first of equal ones."""
    axis = renamed("axis", axis, "dimension", dimension)
    axis = 0 if axis is None else axis
    if hasattr(axis, "dtype"):
        small = (dtypes.int8, dtypes.uint8, dtypes.int16, dtypes.uint16)
        kind = as_dtype(axis.dtype)
        if kind not in (*small, dtypes.int32, dtypes.int64):
            raise TypeError(f"axis tensor dtypes {axis.dtype} is not supported")
        if kind in small:
            axis = cast(axis, dtypes.int32)
    elif not isinstance(axis, int):
        raise TypeError("axis must be int or Tensor with integer datatype")
    return on(input).ArgMax(input, axis, output_type=output_type, name=name)


def argmin(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64
) -> Any:
    """The position of the smallest element along `axis` (0); the first of equal ones."""
    axis = renamed("axis", axis, "dimension", dimension)
    return on(input).ArgMin(input, 0 if axis is None else axis, output_type=output_type, name=name)


def trace(x: Any, name: str | None = None) -> Any:
    """The sums of the main diagonals of matrices."""
    with opened(name, "Trace", x) as (b, scope):
        return reduce_sum(matrix_diag_part(b.convert(x, name="x")), [-1], name=scope)


def _cumulative(op_type: str, scope_name: str, doc: str) -> Any:
    def function(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
        with opened(name, scope_name, x) as (b, scope):
            x = b.convert(x, name="x")
            return b.op(op_type, x, axis, exclusive=exclusive, reverse=reverse, name=scope)

    function.__doc__ = f"{doc} up to each position along `axis`."
    return function


cumsum = _cumulative("Cumsum", "Cumsum", "The sums")
cumprod = _cumulative("Cumprod", "Cumprod", "The products")
cumulative_logsumexp = _cumulative("CumulativeLogsumexp", "CumulativeLogsumexp", "log(sum(exp(x)))")


# Segments


def _segment_sizes(b: Any, data: Tensor, segment_ids: Tensor, num_segments: Any) -> Any:
    count = b.convert(num_segments)
    each = b.ones(b.shape(segment_ids, out_type=None), data.dtype)
    found = b.UnsortedSegmentSum(each, segment_ids, count)
    first = count[None]
    more: Any = rank(data) - rank(segment_ids)
    spread = concat([first, ones([more], count.dtype)], 0)
    return b.Maximum(reshape(found, spread), 1)


def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """The mean of each segment of `data`; 0 for an empty one."""
    with opened(name, "UnsortedSegmentMean", data) as (b, _):
        data, segment_ids = b.convert(data), b.convert(segment_ids)
        sizes = _segment_sizes(b, data, segment_ids, num_segments)
        return b.UnsortedSegmentSum(data, segment_ids, num_segments) / sizes


def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """The sum of each segment of `data`, divided by the root of its size."""
    with opened(name, "UnsortedSegmentSqrtN", data) as (b, _):
        data, segment_ids = b.convert(data), b.convert(segment_ids)
        sizes = _segment_sizes(b, data, segment_ids, num_segments)
        return b.UnsortedSegmentSum(data, segment_ids, num_segments) / b.Sqrt(sizes)


def _sparse_segment(op_type: str, doc: str) -> Any:
    def function(
        data: Any,
        indices: Any,
        segment_ids: Any,
        name: str | None = None,
        num_segments: Any = None,
        sparse_gradient: bool = False,
    ) -> Any:
        b = on(data, indices, segment_ids, num_segments)
        if num_segments is None:
            return b.op(op_type, data, indices, segment_ids, sparse_gradient=sparse_gradient, name=name)
        return b.op(
            f"{op_type}WithNumSegments",
            data,
            indices,
            segment_ids,
            num_segments,
            sparse_gradient=sparse_gradient,
            name=name,
        )

    function.__doc__ = f"{doc} of the rows data[indices[i]] that belong to each segment."
    return function


sparse_segment_sum = _sparse_segment("SparseSegmentSum", "The sum")
sparse_segment_mean = _sparse_segment("SparseSegmentMean", "The mean")
sparse_segment_sqrt_n = _sparse_segment("SparseSegmentSqrtN", "The sum, divided by the root of the number,")


# Sorting


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """The elements in order along `axis`."""
    with opened(name, "sort", values):
        return _sorted(values, axis, direction, indices=False)


def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Any:
    """The positions that put the elements in order along `axis`; equal ones stay in their order."""
    with opened(name, "argsort", values):
        return _sorted(values, axis, direction, indices=True)


def _sorted(values: Any, axis: Any, direction: str, indices: bool) -> Any:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(
            f"Argument `direction` should be one of ASCENDING, DESCENDING. Received: direction={direction}"
        )
    b = on(values, axis)
    along = b.convert(axis, name="axis")
    known = constant_value(along)
    if along.shape.rank not in (None, 0) or known is None:
        raise ValueError(f"Argument `axis` must be a constant scalar. Received: axis={axis}.")
    values = b.convert(values, name="values")
    if direction == "DESCENDING":
        return _descending(values, int(known), indices)
    kind = values.dtype
    if kind.is_unsigned:
        flipped = _descending(kind.max - values, int(known), indices)
        return flipped if indices else kind.max - flipped
    if kind.is_integer:
        flipped = _descending(-values - 1, int(known), indices)
        return flipped if indices else -flipped - 1
    flipped = _descending(-values, int(known), indices)
    return flipped if indices else -flipped


def _descending(values: Tensor, axis: int, indices: bool) -> Any:
    b = on(values)
    count = shape(values)[axis]
    ranks = rank(values)
    known = values.shape.rank
    order: Any = None
    if axis != -1 and axis + 1 != known:
        if known is not None:
            axis %= known
            order = b.constant(
                np.r_[np.arange(axis), [known - 1], np.arange(axis + 1, known - 1), [axis]], name="transposition"
            )
        else:
            at: Any = axis + ranks if axis < 0 else axis
            order = b.TensorScatterUpdate(range(ranks), [[at], [ranks - 1]], [ranks - 1, at])
    sorted_values, positions = b.TopKV2(values if order is None else transpose(values, order), count)
    result = positions if indices else sorted_values
    return result if order is None else transpose(result, order)
