"""Reductions over axes: sums, products, extremes, norms, and where the extremes are."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import lax, namespace, on_host
from regraft.opkit.constant import literal_value
from regraft.opkit.elementwise import quiet
from regraft.opkit.reduced import axes_of, reduced_shape, reduction
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes
from regraft.opkit.sums import sum_over

_AXES = ("reduction_indices",)
_HALVES = ("float16", "bfloat16")


def _apply(x: Any, axes: tuple[int, ...], keep_dims: bool, on_numpy: Any, on_lax: str) -> Any:
    """A reduction that keeps the dtype. 16-bit floats are summed as float32."""
    dtype = x.dtype
    half = dtype.name in _HALVES
    if on_host(x):
        wide = np.float32 if half else dtype
        x = x.astype(wide) if half else x
        return np.asarray(on_numpy(x, axis=axes, dtype=wide, keepdims=keep_dims)).astype(dtype, copy=False)
    if half:
        x = lax.convert_element_type(x, np.float32)
    reduce = sum_over if on_lax == "reduce_sum" else getattr(lax, on_lax)
    return _kept(lax.convert_element_type(reduce(x, axes), dtype), x, axes, keep_dims)


def _kept(result: Any, x: Any, axes: tuple[int, ...], keep_dims: bool) -> Any:
    return lax.expand_dims(result, sorted(axes)) if keep_dims else result


@op("Sum", shape=reduction, static=_AXES)
@quiet
def reduce_sum(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """The sum over the axes."""
    axes = axes_of(reduction_indices, input.ndim)
    return _apply(input, axes, keep_dims, np.sum, "reduce_sum")


def _sum_gradient(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[0]
    sizes = x.shape.sizes
    axes = None if sizes is None else literal_value(node.inputs[1])
    if sizes is not None and axes is not None:
        if np.array_equal(axes, np.arange(len(sizes))):
            dy = b.reshape(dy, [1] * len(sizes))
            return b.Tile(dy, b.constant(list(sizes), "int32") if x.shape.known else b.shape(x))
        if x.shape.known:
            kept, repeats = _known_repeats(b, sizes, tuple(axes.reshape(-1).tolist()))
            return b.Tile(b.reshape(dy, kept), repeats)
    shape = b.shape(x)
    if not node.get_attr("keep_dims"):
        with b.graph.colocate_with(shape):
            kept = reduced_shape(b, shape, node.inputs[1])
        dy = b.reshape(dy, kept)
    return b.BroadcastTo(dy, shape)


def _known_repeats(b: Any, sizes: tuple[int, ...], axes: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """The input's shape with 1 for reduced axes, and by how often the gradient repeats along each axis.

    The first time a graph asks, TensorFlow works this out with nodes that nothing uses afterwards; so do we.
    """
    cache = vars(b.graph).setdefault("_reduced_shape_cache", {})
    if (sizes, axes) not in cache:
        kept = [1 if i in {a % len(sizes) for a in axes} else d for i, d in enumerate(sizes)]
        with b.graph.name_scope("Maximum") as scope:
            divisor = b.Maximum(b.constant(kept, name="x"), b.constant(1, name="y"), name=scope)
        list(sizes) // divisor
        cache[sizes, axes] = (kept, [d // max(k, 1) for d, k in zip(sizes, kept, strict=True)])
    kept_sizes, repeats = cache[sizes, axes]
    return kept_sizes, repeats


@reduce_sum.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return _sum_gradient(b, node, dy), None


@op("Mean", shape=reduction, static=_AXES)
@quiet
def reduce_mean(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """The mean over the axes: nan over no elements, rounded towards 0 for integers."""
    axes = axes_of(reduction_indices, input.ndim)
    dtype, count = input.dtype, int(np.prod([input.shape[a] for a in axes], dtype=np.int64))
    if dtype.kind in "iu":
        total = _apply(input, axes, keep_dims, np.sum, "reduce_sum")
        if count == 0:
            return total
        if on_host(total):
            return np.asarray(np.trunc(np.divide(total, count)).astype(dtype))
        return lax.div(total, lax.full_like(total, count))
    half = dtype.name in _HALVES
    wide = np.dtype(np.float32) if half else dtype
    x = input.astype(wide) if half else input
    total = _apply(x, axes, keep_dims, np.sum, "reduce_sum")
    mean = total / np.asarray(count, wide) if on_host(total) else lax.div(total, lax.full_like(total, count))
    return np.asarray(mean).astype(dtype) if on_host(mean) else lax.convert_element_type(mean, dtype)


@reduce_mean.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, axes = node.inputs
    total = _sum_gradient(b, node, dy)
    if x.shape.known and node.outputs[0].shape.known:
        count = x.shape.num_elements() // max(node.outputs[0].shape.num_elements(), 1)
        factor = b.constant(count, total.dtype.base)
    else:
        shape = b.shape(x)
        rank = b.size(shape)
        axes = b.cast(axes, rank.dtype)
        axes = (axes + rank) % rank
        factor = b.reduce_prod(b.gather(shape, axes))
    return total / b.cast(factor, total.dtype.base), None


@op("Prod", shape=reduction, static=_AXES)
@quiet
def reduce_prod(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """The product over the axes."""
    axes = axes_of(reduction_indices, input.ndim)
    return _apply(input, axes, keep_dims, np.prod, "reduce_prod")


@reduce_prod.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x = node.inputs[0]
    shape = b.shape(x)
    axes = b.reshape(node.inputs[1], [-1])
    if not node.get_attr("keep_dims"):
        dy = b.reshape(dy, reduced_shape(b, shape, node.inputs[1]))
    dy = b.BroadcastTo(dy, shape)
    # Products of all other elements, from the left and from the right, so that zeros do no harm.
    with b.graph.device("/cpu:0"):
        rank = b.rank(x)
        axes = b.cast(axes, rank.dtype)
        reduced = (axes + rank) % rank
        every = b.range(0, rank)
        others, _ = b.ListDiff(every, reduced, out_idx=reduced.dtype)
        order = b.concat([reduced, others], 0)
        reduced_count = b.reduce_prod(b.gather(shape, reduced))
        other_count = b.reduce_prod(b.gather(shape, others))
    permuted = b.transpose(x, order)
    permuted_shape = b.shape(permuted)
    flat = b.reshape(permuted, (reduced_count, other_count))
    left = b.Cumprod(flat, 0, exclusive=True)
    right = b.Cumprod(flat, 0, exclusive=True, reverse=True)
    y = b.reshape(b.conj(left) * b.conj(right), permuted_shape)
    out = dy * b.transpose(y, b.InvertPermutation(order))
    return b.reshape(out, shape), None


def _extreme(input: Any, reduction_indices: Any, keep_dims: bool, on_numpy: Any, on_lax: str, highest: bool) -> Any:
    axes = axes_of(reduction_indices, input.ndim)
    if not on_host(input):
        return _kept(getattr(lax, on_lax)(input, axes), input, axes, keep_dims)
    if input.dtype.kind in "iu":
        limits = np.iinfo(input.dtype)
        initial: Any = limits.max if highest else limits.min
    else:
        initial = np.asarray(np.inf if highest else -np.inf, input.dtype)
    return np.asarray(on_numpy(input, axis=axes, keepdims=keep_dims, initial=initial)).astype(input.dtype)


@op("Max", shape=reduction, static=_AXES)
@quiet
def reduce_max(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """The largest element over the axes: nan if there is one, the least value of the dtype over no elements."""
    return _extreme(input, reduction_indices, keep_dims, np.max, "reduce_max", False)


@op("Min", shape=reduction, static=_AXES)
@quiet
def reduce_min(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """The smallest element over the axes: nan if there is one, the greatest value of the dtype over no elements."""
    return _extreme(input, reduction_indices, keep_dims, np.min, "reduce_min", True)


@reduce_max.gradient
@reduce_min.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, axes = node.inputs
    shape = b.shape(x)
    y = node.outputs[0]
    if not node.get_attr("keep_dims"):
        kept = reduced_shape(b, shape, axes)
        y = b.reshape(y, kept)
        dy = b.reshape(dy, kept)
    else:
        kept = b.shape(y)
    chosen = b.cast(b.Equal(y, x), dy.dtype)
    count = b.reshape(b.reduce_sum(chosen, axes), kept)
    return chosen / count * dy, None


@op("Any", shape=reduction, static=_AXES)
def reduce_any(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """Whether any element over the axes is True; False over no elements."""
    axes = axes_of(reduction_indices, input.ndim)
    if on_host(input):
        return np.asarray(np.any(input, axis=axes, keepdims=keep_dims))
    return _kept(lax.reduce_or(input, axes), input, axes, keep_dims)


@op("All", shape=reduction, static=_AXES)
def reduce_all(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """Whether all elements over the axes are True; True over no elements."""
    axes = axes_of(reduction_indices, input.ndim)
    if on_host(input):
        return np.asarray(np.all(input, axis=axes, keepdims=keep_dims))
    return _kept(lax.reduce_and(input, axes), input, axes, keep_dims)


@op("EuclideanNorm", shape=reduction, static=_AXES)
@quiet
def euclidean_norm(input: Any, reduction_indices: Any, *, keep_dims: bool) -> Any:
    """The square root of the sum of squares over the axes; rounded down for integers."""
    axes = axes_of(reduction_indices, input.ndim)
    xp = namespace(input)
    squares = (input * xp.conj(input)).real if input.dtype.kind == "c" else input * input
    total = _apply(squares, axes, keep_dims, np.sum, "reduce_sum")
    if input.dtype.kind in "iu":
        total = total.astype(np.float64)
    return xp.sqrt(total).astype(input.dtype)


@euclidean_norm.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, axes = node.inputs
    y = node.outputs[0]
    if not node.get_attr("keep_dims"):
        kept = reduced_shape(b, b.shape(x), axes)
        y = b.reshape(y, kept)
        dy = b.reshape(dy, kept)
    return x / (y / dy), None


# Where the extremes are


def _arg_shape(c: ShapeContext) -> list[Sizes]:
    sizes, axis = c.input(0), c.value(1)
    if c.input(1) not in (None, ()):
        raise c.fail(f"Shape must be rank 0 but is rank {len(c.input(1) or ())}")
    if sizes is None:
        return [None]
    if len(sizes) <= 1:
        return [()]
    if axis is None:
        return [(None,) * (len(sizes) - 1)]
    at = int(axis)
    if not -len(sizes) <= at < len(sizes):
        raise c.fail(f"Dimension ({at}) must be in the range [{-len(sizes)}, {len(sizes)})")
    at %= len(sizes)
    return [sizes[:at] + sizes[at + 1 :]]


def _arg_extreme(input: Any, dimension: Any, output_type: DType, on_numpy: Any, sign: int) -> Any:
    axis, rank = int(np.asarray(dimension).reshape(-1)[0]), input.ndim
    if not -rank <= axis < rank:
        raise InvalidArgumentError(f"Expected dimension in the range [{-rank}, {rank}), but got {axis}")
    if input.shape[axis] == 0:
        raise InvalidArgumentError(
            f"Reduction axis {axis} is empty in shape {list(input.shape)}: there is no extreme to point at"
        )
    if input.dtype.kind not in "biu":
        # A nan is never an extreme here, where NumPy and XLA would point at the first one.
        xp = namespace(input)
        worst = np.asarray(-sign * np.inf, input.dtype)
        input = xp.where(xp.isnan(input), worst, input)
    if on_host(input):
        return np.asarray(on_numpy(input, axis=axis)).astype(output_type.numpy)
    if input.dtype == np.bool_:
        input = lax.convert_element_type(input, np.int8)
    found = (lax.argmax if sign > 0 else lax.argmin)(input, axis % rank, np.int32)
    return lax.convert_element_type(found, output_type.numpy)


@op("ArgMax", shape=_arg_shape, static=("dimension",))
@quiet
def arg_max(input: Any, dimension: Any, *, output_type: DType) -> Any:
    """The index of the largest element along one axis, the first of several; nan counts as the smallest."""
    return _arg_extreme(input, dimension, output_type, np.argmax, 1)


@op("ArgMin", shape=_arg_shape, static=("dimension",))
@quiet
def arg_min(input: Any, dimension: Any, *, output_type: DType) -> Any:
    """The index of the smallest element along one axis, the first of several; nan counts as the largest."""
    return _arg_extreme(input, dimension, output_type, np.argmin, -1)


@arg_max.gradient
@arg_min.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return None, None
