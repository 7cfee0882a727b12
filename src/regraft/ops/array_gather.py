"""Reading slices by index: Gather and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation, Tensor
from regraft.opkit import dense, gather
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.axes import normalize_axis
from regraft.opkit.builder import Builder
from regraft.opkit.constant import literal_value
from regraft.opkit.getitem import getitem
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge_dim, with_rank
from regraft.opkit.slices import IndexedSlices


def _gather_shape(c: ShapeContext) -> list[Sizes]:
    params, indices = at_least_rank(c, c.input(0), 1), c.input(1)
    return [None if params is None or indices is None else indices + params[1:]]


@op("Gather", shape=_gather_shape)
def gather_rows(params: Any, indices: Any) -> Any:
    """Rows of `params`.

    raises   InvalidArgumentError for an index out of range
    differs  in a compiled program such a row is zeros
    """
    return gather.gather(params, indices)


@gather_rows.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    params, indices = node.inputs
    with b.graph.colocate_with(params):
        params_shape = b.shape(params)
    count = b.expand_dims(b.size(indices), 0)
    values_shape = b.concat([count, getitem(b, params_shape, slice(1, None))], 0)
    return [_rows(b, dy, indices, count, values_shape, params_shape), None]


def _rows(b: Builder, dy: Any, indices: Any, count: Any, values_shape: Any, params_shape: Any) -> IndexedSlices:
    values = b.reshape(dense.to_tensor(b, dy), values_shape)
    return IndexedSlices(values, b.reshape(indices, count), params_shape)


def _gather_v2_shape(c: ShapeContext) -> list[Sizes]:
    params, indices, axis = at_least_rank(c, c.input(0), 1), c.input(1), c.value(2)
    with_rank(c, c.input(2), 0)
    batch = c.attr("batch_dims", 0)
    if indices is None or params is None:
        return [None]
    if not -len(indices) <= batch <= len(indices):
        raise c.fail(f"Expected batch_dims in the range [{-len(indices)}, {len(indices)}], but got {batch}")
    if axis is None:
        # A negative `batch_dims` counts as it is here, in TensorFlow too.
        return [(None,) * (len(params) + len(indices) - 1 - batch)]
    if batch < 0:
        batch += len(indices)
    at = int(axis)
    at_least_rank(c, params, -at if at < 0 else at + 1)
    at = at % len(params)
    if at < batch:
        raise c.fail(f"batch_dims ({batch}) must be less than or equal to axis ({at})")
    for i in range(batch):
        merge_dim(c, params[i], indices[i], i)
    return [(*params[:at], *indices[batch:], *params[at + 1 :])]


@op("GatherV2", shape=_gather_v2_shape, static="axis")
def gather_v2(params: Any, indices: Any, axis: Any, *, batch_dims: int) -> Any:
    """Slices of `params` along `axis`, the first `batch_dims` dimensions of both going together.

    raises   InvalidArgumentError for an index out of range
    differs  in a compiled program such a slice is zeros
    """
    rank = len(static_shape(params))
    where = normalize_axis(axis, rank)
    batch = batch_dims + len(static_shape(indices)) if batch_dims < 0 else batch_dims
    if batch > where or batch > len(static_shape(indices)):
        raise InvalidArgumentError(f"batch_dims ({batch}) must be less than or equal to axis ({where})")
    return gather.gather(params, indices, where, batch)


@gather_v2.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    params, indices, axis = node.inputs
    with b.graph.colocate_with(params):
        params_shape = b.shape(params)
    count = b.expand_dims(b.size(indices), 0)
    batch = node.get_attr("batch_dims")
    if batch < 0:
        if indices.shape.rank is None:
            raise ValueError("the gradient of tf.gather with batch_dims < 0 needs the rank of the indices")
        batch += indices.shape.rank
    static = literal_value(axis)
    if static is not None and static == 0:
        values_shape = b.concat([count, getitem(b, params_shape, slice(1, None))], 0)
        return [_rows(b, dy, indices, count, values_shape, params_shape), None, None]
    dx = _along_axis(b, dy, indices, axis, batch, params_shape)
    return [b.reshape(dx, b.shape(params)), None, None]


def _along_axis(b: Builder, dy: Any, indices: Tensor, axis: Tensor, batch: int, params_shape: Tensor) -> Tensor:
    """The gradient with the axis moved behind the batch dimensions, summed by index there, and moved back."""
    outer = getitem(b, params_shape, slice(None, axis))
    inner = getitem(b, getitem(b, params_shape, slice(axis, None)), slice(1, None))
    values_shape = b.concat([outer, [-1], inner], 0)
    values_rank = b.size(values_shape)
    axis_rank: Any = b.size(outer)
    batch_axes = b.range(batch)
    outer_axes: Any = b.range(batch, axis_rank)
    inner_axes = b.range(axis_rank + 1, values_rank)
    values = b.reshape(dense.to_tensor(b, dy), values_shape)
    to_front = b.concat([batch_axes, [axis_rank], outer_axes, inner_axes], 0)
    moved = b.transpose(values, to_front)
    moved_shape = b.gather(params_shape, to_front)
    size: Any = getitem(b, params_shape, axis)
    summed = _summed_by_index(b, moved_shape, moved, indices, batch, size)
    back = b.concat([batch_axes, outer_axes + 1, [batch], inner_axes], 0)
    return b.transpose(summed, back)


def _summed_by_index(b: Builder, shape: Tensor, values: Tensor, indices: Tensor, batch: int, size: Any) -> Tensor:
    count = b.expand_dims(b.size(indices), 0)
    outer: Any = None
    flat_shape: Any = None
    if batch:
        values_shape = b.shape(values)
        outer = getitem(b, values_shape, slice(None, batch))
        inner = getitem(b, getitem(b, values_shape, slice(batch, None)), slice(1, None))
        batches = b.Prod(outer, [0], keep_dims=False)
        flat_shape = b.concat([[-1], inner], 0)
        size = size * batches
        indices = _with_batch_offsets(b, shape, indices, batch)
        values = b.reshape(values, flat_shape)
    indices = b.reshape(indices, count)
    out: Tensor = b.UnsortedSegmentSum(values, indices, size)
    if batch:
        out = b.reshape(out, b.concat([outer, flat_shape], 0))
    return out


def _with_batch_offsets(b: Builder, shape: Tensor, indices: Any, batch: int) -> Tensor:
    """Indices into the tensor whose batch dimensions were folded into one."""
    dtype = indices.dtype.base
    sizes = b.cast(shape, dtype)
    step: Any = b.ones((), dtype=dtype)
    out = indices
    for dim in range(batch, 0, -1):
        size = getitem(b, sizes, dim - 1)
        step = step * getitem(b, sizes, dim)
        offsets: Any = b.range(b.zeros((), dtype=dtype), size, b.ones((), dtype=dtype))
        offsets = offsets * step
        before = b.Tile([1], [dim - 1])
        rank: Any = b.rank(indices)
        spread = b.concat([before, [size], b.Tile([1], [rank - dim])], 0)
        out = out + b.reshape(offsets, spread)
    found: Tensor = out
    return found


# GatherNd


def _gather_nd_shape(c: ShapeContext) -> list[Sizes]:
    params, indices = c.input(0), at_least_rank(c, c.input(1), 1)
    if params is None or indices is None or indices[-1] is None:
        return [None]
    depth = indices[-1]
    if depth > len(params):
        raise c.fail(f"indices.shape[-1] must be <= params.rank, but saw indices shape: {list(indices)}")
    return [indices[:-1] + params[depth:]]


@op("GatherNd", shape=_gather_nd_shape)
def gather_nd(params: Any, indices: Any, *, bad_indices_policy: bytes) -> Any:
    """Slices of `params`; the last dimension of `indices` holds one index for each leading dimension of `params`.

    raises   InvalidArgumentError for an index out of range, unless `bad_indices_policy` is IGNORE
    differs  in a compiled program such a slice is zeros
    """
    if bad_indices_policy != b"IGNORE":
        return gather.gather_nd(params, indices)
    xp = namespace(params, indices)
    depth = static_shape(indices)[-1]
    sizes = np.array(static_shape(params)[:depth], indices.dtype)
    inside = xp.all((indices >= 0) & (indices < sizes), axis=-1)
    found = gather.gather_nd(params, xp.where(inside[..., None], indices, xp.zeros_like(indices)))
    rest = (1,) * (found.ndim - inside.ndim)
    return xp.where(inside.reshape((*inside.shape, *rest)), found, xp.zeros_like(found))


@gather_nd.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    params, indices = node.inputs
    shape = b.shape(params, out_type=indices.dtype.base)
    sizes = indices.shape.sizes
    if sizes is not None and len(sizes) == 2 and sizes[-1] == 1:
        return [IndexedSlices(dy, b.squeeze(indices, axis=-1), shape), None]
    policy = node.get_attr("bad_indices_policy")
    return [b.ScatterNd(indices, dy, shape, bad_indices_policy=policy), None]
