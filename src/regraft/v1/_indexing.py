"""Taking elements by position or by a condition: gather, slice, where, one_hot, boolean_mask, ..."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import as_shape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_value
from regraft.opkit.getitem import register_mask
from regraft.v1._array import (
    concat,
    meshgrid,
    ones,
    ones_like,
    rank,
    reshape,
    shape,
    squeeze,
    stack,
    transpose,
    unstack,
    zeros,
)
from regraft.v1._opening import on, opened, renamed

__all__ = [
    "batch_gather",
    "boolean_mask",
    "extract_image_patches",
    "gather",
    "gather_nd",
    "one_hot",
    "searchsorted",
    "setdiff1d",
    "slice",
    "strided_slice",
    "tensor_scatter_nd_update",
    "tensor_scatter_update",
    "unique",
    "unique_with_counts",
    "where",
    "where_v2",
]


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """The block of `size` that starts at `begin`; a size of -1 reaches to the end."""
    return on(input_, begin, size).Slice(input_, begin, size, name=name)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Any:
    """`input_[begin:end:strides]`; the bits of the masks stand for gaps, `...`, None and single numbers."""
    if strides is None:
        strides = ones_like(begin)
    masks = {
        "begin_mask": begin_mask,
        "end_mask": end_mask,
        "ellipsis_mask": ellipsis_mask,
        "new_axis_mask": new_axis_mask,
        "shrink_axis_mask": shrink_axis_mask,
    }
    sliced = on(input_, begin, end).StridedSlice(input_, begin, end, strides, name=name, **masks)
    if var is not None:

        def assign(value: Any, name: str | None = None) -> Any:
            return var._strided_slice_assign(
                begin=begin, end=end, strides=strides, value=value, name=name or "strided_slice_assign", **masks
            )

        sliced.assign = assign
    return sliced


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Any:
    """The slices of `params` along `axis` at `indices`. `validate_indices` is accepted and has no effect."""
    if axis is None:
        axis = batch_dims
    if _constant(axis) != 0:
        return on(params, indices).GatherV2(params, indices, axis, batch_dims=batch_dims, name=name)
    read = getattr(params, "sparse_read", None)
    if read is not None:
        return read(indices, name=name)
    return on(params, indices).GatherV2(params, indices, axis, name=name)


def _constant(value: Any) -> Any:
    return constant_value(value) if isinstance(value, Tensor) else value


def gather_nd(
    params: Any, indices: Any, name: str | None = None, batch_dims: Any = 0, bad_indices_policy: str = ""
) -> Any:
    """The elements or slices of `params` at the index vectors in the last dimension of `indices`."""
    known = _constant(batch_dims)
    if known is not None:
        batch_dims = int(known)
    policy = bad_indices_policy
    if isinstance(batch_dims, int) and batch_dims == 0:
        read = getattr(params, "gather_nd", None)
        if read is not None and policy in ("", "DEFAULT"):
            return read(indices, name=name)
        return on(params, indices).GatherNd(params, indices, bad_indices_policy=policy, name=name)
    return _batch_gather_nd(params, indices, batch_dims, name, policy)


def _batch_gather_nd(params: Any, indices: Any, batch_dims: int, name: str | None, policy: str) -> Any:
    """As a gather_nd with the positions of the batch put before each index vector."""
    with opened(name, "BatchGatherND", params, indices) as (b, _):
        indices = b.convert(indices, name="indices")
        params = b.convert(params, name="params")
        if not isinstance(batch_dims, int):
            raise TypeError(f"Argument `batch_dims` must be an int; got {batch_dims!r}")
        if batch_dims < 0:
            raise ValueError("gather_nd does not allow negative batch_dims.")
        for what, tensor in (("params", params), ("indices", indices)):
            if tensor.shape.rank is not None and batch_dims >= tensor.shape.rank:
                raise ValueError(f"batch_dims = {batch_dims} must be less than rank(`{what}`) = {tensor.shape.rank}")
        expand = batch_dims == 0
        if expand:
            params, indices, batch_dims = b.ExpandDims(params, 0), b.ExpandDims(indices, 0), 1
        params_shape, indices_shape = shape(params), shape(indices)
        batch_shape = params_shape[:batch_dims]
        batch_size = b.Prod(batch_shape, [0])
        inner_rank = rank(indices) - batch_dims - 1
        inner_shape = indices_shape[batch_dims:-1]
        ranges = [
            b.Cast(b.Range(0, b.Cast(n, DstT=dtypes.int32), 1), DstT=indices.dtype.base)
            for n in unstack(batch_shape, axis=0)
        ]
        flat = [reshape(x, (-1,)) for x in meshgrid(*ranges, indexing="ij")]
        grid = transpose(stack(flat, axis=0))
        grid_shape = shape(grid)
        grid = reshape(grid, concat([grid_shape[:1], ones(inner_rank, grid_shape.dtype), grid_shape[1:]], 0))
        grid = b.Tile(grid, concat(((1,), inner_shape, (1,)), 0))
        rows = reshape(indices, concat(([batch_size], indices_shape[batch_dims:]), 0))
        out = b.GatherNd(params, concat((grid, rows), -1), bad_indices_policy=policy)
        out = reshape(out, concat((batch_shape, shape(out)[1:]), 0))
        return squeeze(out, 0) if expand else out


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """For each item of the batch, the elements of `params` at `indices`."""
    with opened(name, "BatchGather", params, indices) as (b, _):
        indices = b.convert(indices, name="indices")
        params = b.convert(params, name="params")
        if indices.shape.rank is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        ranks, batch_dims = indices.shape.rank, indices.shape.rank - 1
        if params.shape.rank is not None and batch_dims >= params.shape.rank:
            raise ValueError(f"batch_dims = {batch_dims} must be less than rank(`params`) = {params.shape.rank}")
        indices_shape, params_shape = shape(indices), shape(params)
        kind = indices.dtype.base
        rows: Any = indices
        stride: Any = ones((), kind)
        sizes = b.Cast(params_shape, DstT=kind)
        for dim in range(batch_dims, 0, -1):
            count = sizes[dim - 1]
            stride = stride * sizes[dim]
            positions = b.Range(zeros((), kind), count, ones((), kind)) * stride
            spread = stack([1] * (dim - 1) + [count] + [1] * (ranks - dim), axis=0)
            rows = rows + reshape(positions, spread)
        flat_rows = reshape(rows, [-1])
        outer = params_shape[batch_dims + 1 :]
        inner = b.Prod(params_shape[: batch_dims + 1], [0])
        flat = reshape(params, concat([[inner], outer], 0))
        result = reshape(gather(flat, flat_rows), concat([indices_shape, outer], 0))
        known = indices.shape[:batch_dims].merge_with(params.shape[:batch_dims])
        result.set_shape(known.concatenate(indices.shape[batch_dims:]).concatenate(params.shape[batch_dims + 1 :]))
        return result


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Elements of `x` where the condition holds, else of `y`; without both the positions where it holds."""
    return _where(condition, x, y, name, "Select")


def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """`where`, with the three broadcast against each other."""
    return _where(condition, x, y, name, "SelectV2")


def _where(condition: Any, x: Any, y: Any, name: str | None, op_type: str) -> Any:
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is not None:
        return on(condition, x, y).op(op_type, condition, x, y, name=name)
    with opened(name, "Where", condition) as (b, scope):
        return b.Where(b.convert(condition, name="condition", preferred=dtypes.bool_), name=scope)


def boolean_mask(tensor: Any, mask: Any, name: str | None = "boolean_mask", axis: Any = None) -> Any:
    """The elements (or slices) of `tensor` where `mask`, of known rank, is true."""
    with opened(name, "boolean_mask", tensor, mask) as (b, _):
        tensor = b.convert(tensor, name="tensor")
        mask = b.convert(mask, name="mask")
        width = mask.shape.rank
        if width == 0:
            raise ValueError("mask cannot be scalar.")
        if width is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  "
                "E.g. shape=[None] is ok, but shape=None is not."
            )
        axis = 0 if axis is None else axis
        known = _constant(axis)
        static = tensor.shape
        if known is not None:
            axis = int(known)
            static[axis : axis + width].assert_is_compatible_with(mask.shape)
        leading = b.Prod(shape(tensor)[axis : axis + width], [0])
        flat = concat([shape(tensor)[:axis], [leading], shape(tensor)[axis + width :]], 0)
        tensor = reshape(tensor, flat)
        if known is not None:
            count = static[axis : axis + width].num_elements()
            tensor.set_shape(as_shape(static[:axis]).concatenate([count]).concatenate(static[axis + width :]))
        mask = reshape(mask, [-1])
        return gather(tensor, squeeze(where_v2(mask), axis=[1]), axis=axis)


register_mask(boolean_mask)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """A new dimension (the last, or at `axis`) of size `depth`: `on_value` at the index, `off_value` elsewhere."""
    with opened(name, "one_hot", indices, depth, on_value, off_value) as (b, scope):
        wanted = None if dtype is None else as_dtype(dtype).base
        given = [v if v is None else b.convert(v, preferred=wanted) for v in (on_value, off_value)]
        for tensor, which in zip(given, ("on_value", "off_value"), strict=True):
            if tensor is not None and wanted is not None and tensor.dtype.base is not wanted:
                raise TypeError(f"dtype {tensor.dtype.base} of {which} does not match dtype parameter {wanted}")
        kind = wanted or next((t.dtype.base for t in given if t is not None), dtypes.float32)
        hot = b.convert(1, kind, name="on_value") if given[0] is None else given[0]
        cold = b.convert(0, kind, name="off_value") if given[1] is None else given[1]
        if hot.dtype.base is not cold.dtype.base:
            raise TypeError(f"dtype {hot.dtype.base} of on_value does not match dtype {cold.dtype.base} of off_value")
        return b.OneHot(indices, depth, hot, cold, axis=-1 if axis is None else axis, name=scope)


def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """(values, index of each element in them) in the order of first appearance."""
    from regraft.v1.raw_ops import add_op

    return add_op("Unique", {"x": x, "out_idx": out_idx}, name)


def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """(values, index of each element in them, how often each value appears)."""
    from regraft.v1.raw_ops import add_op

    return add_op("UniqueWithCounts", {"x": x, "out_idx": out_idx}, name)


def setdiff1d(x: Any, y: Any, index_dtype: Any = dtypes.int32, name: str | None = None) -> Any:
    """(elements of x that are not in y, their positions in x)."""
    from regraft.v1.raw_ops import add_op

    return add_op("ListDiff", {"x": x, "y": y, "out_idx": index_dtype}, name)


def listdiff(x: Any, y: Any, out_idx: Any = None, name: str | None = None) -> Any:
    """(elements of x that are not in y, their positions in x)."""
    return setdiff1d(x, y, out_idx or dtypes.int32, name)


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
    """`tensor` with the elements or slices at the index vectors replaced."""
    return on(tensor, indices, updates).TensorScatterUpdate(tensor, indices, updates, name=name)


tensor_scatter_update = tensor_scatter_nd_update


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = dtypes.int32, name: str | None = None
) -> Any:
    """Where each value would go in its sorted row: before equal ones ("left") or behind them ("right")."""
    b = on(sorted_sequence, values)
    lengths = [_last(b, t) for t in (sorted_sequence, values)]
    rows, sought = reshape(sorted_sequence, [-1, lengths[0]]), reshape(values, [-1, lengths[1]])
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = '{side}'.")
    found = b.op("UpperBound" if side == "right" else "LowerBound", rows, sought, out_type=out_type, name=name)
    return reshape(found, b.shape(values, out_type=None))


def _last(b: Any, tensor: Any) -> Any:
    return b.shape(tensor, out_type=None)[-1]


def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    sizes: Any = None,
) -> Any:
    """Windows of the images, each laid out in the last dimension."""
    ksizes = renamed("sizes", sizes, "ksizes", ksizes)

    def four(value: Any) -> list[int]:
        return [int(v) for v in value]

    return on(images).ExtractImagePatches(
        images, ksizes=four(ksizes), strides=four(strides), rates=four(rates), padding=padding, name=name
    )
