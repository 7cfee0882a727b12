"""Shapes as tensors, tensors of a given shape, and reshaping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit import dense, elementwise, rearrange
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.axes import normalize_axes
from regraft.opkit.builder import Builder
from regraft.opkit.constant import constant_sizes
from regraft.opkit.registry import op
from regraft.opkit.several import only_first
from regraft.opkit.shapes import ShapeContext, Sizes, from_input, product, same_as, scalar, with_rank
from regraft.opkit.tensor_lists import Optional, TensorList

# Shapes as tensors.


def _rank_vector(c: ShapeContext) -> list[Sizes]:
    return [(None,) if s is None else (len(s),) for s in c.inputs]


def _as_shape_type(shape: tuple[int, ...], out_type: DType) -> np.ndarray[Any, Any]:
    limit = np.iinfo(out_type.numpy).max
    for size in shape:
        if size > limit:
            raise InvalidArgumentError(f"Shape output type is {out_type.name}, but a dimension has size {size}")
    return np.array(shape, out_type.numpy)


@op("Shape", shape=_rank_vector, metadata="input", no_gradient="integer result", surplus="counts")
def shape(input: Any, *, out_type: DType) -> Any:
    """The sizes of the dimensions of the input."""
    return _as_shape_type(static_shape(input), out_type)


@op("ShapeN", shape=_rank_vector, metadata="input", no_gradient="integer result")
def shape_n(input: tuple[Any, ...], *, out_type: DType) -> Any:
    """The shape of each input."""
    return tuple(_as_shape_type(static_shape(x), out_type) for x in input)


@op("Size", shape=scalar, metadata="input", no_gradient="integer result")
def size(input: Any, *, out_type: DType) -> Any:
    """The number of elements of the input."""
    count = int(np.prod(static_shape(input), dtype=np.int64))
    if count > np.iinfo(out_type.numpy).max:
        raise InvalidArgumentError(f"Number of elements is {count}, which does not fit into {out_type.name}")
    return np.array(count, out_type.numpy)


@op("Rank", shape=scalar, metadata="input", no_gradient="integer result")
def rank(input: Any) -> Any:
    """The number of dimensions of the input, int32."""
    return np.array(len(static_shape(input)), np.int32)


def _broadcast_args_shape(c: ShapeContext) -> list[Sizes]:
    a, b = with_rank(c, c.input(0), 1)[0], with_rank(c, c.input(1), 1)[0]
    return [(None if a is None or b is None else max(a, b),)]


@op("BroadcastArgs", shape=_broadcast_args_shape, static=("s0", "s1"))
def broadcast_args(s0: Any, s1: Any) -> Any:
    """The shape that shapes s0 and s1 broadcast to. InvalidArgumentError if they do not."""
    a, b = _aligned(s0, s1)
    return np.array([y if x == 1 else x for x, y in zip(a, b, strict=True)], s0.dtype)


@op(
    "BroadcastGradientArgs",
    shape=lambda c: [(None,), (None,)],
    static=("s0", "s1"),
    no_gradient="integer result",
)
def broadcast_gradient_args(s0: Any, s1: Any) -> Any:
    """For operands of shapes s0 and s1, the axes along which each one's gradient must be summed."""
    a, b = _aligned(s0, s1)
    if list(s0) == list(s1):
        return np.array([], s0.dtype), np.array([], s0.dtype)
    pad_a, pad_b = len(a) - len(s0), len(b) - len(s1)
    axes_a = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if i < pad_a or (x == 1)]
    axes_b = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if i < pad_b or (y == 1)]
    return np.array(axes_a, s0.dtype), np.array(axes_b, s0.dtype)


def _aligned(s0: Any, s1: Any) -> tuple[list[int], list[int]]:
    a, b = [int(d) for d in s0], [int(d) for d in s1]
    length = max(len(a), len(b))
    a, b = [1] * (length - len(a)) + a, [1] * (length - len(b)) + b
    if any(x != y and 1 not in (x, y) for x, y in zip(a, b, strict=True)):
        raise InvalidArgumentError(f"Incompatible shapes: {[int(d) for d in s0]} vs. {[int(d) for d in s1]}")
    return a, b


# Tensors of a given shape.


def _sizes(dims: Any, what: str) -> tuple[int, ...]:
    if np.ndim(dims) != 1:
        raise InvalidArgumentError(f"{what} must be a vector of dimensions, got shape {list(np.shape(dims))}")
    sizes = tuple(int(d) for d in dims)
    if any(d < 0 for d in sizes):
        raise InvalidArgumentError(f"Dimension {min(sizes)} must be >= 0")
    return sizes


def _fill_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 1)
    with_rank(c, c.input(1), 0)
    dims = c.value(0)
    if dims is not None and (dims < 0).any():
        raise c.fail("Fill dimensions must be >= 0")
    return from_input(0)(c)


@op("Fill", shape=_fill_shape, static="dims")
def fill(dims: Any, value: Any) -> Any:
    """A tensor of shape `dims` with `value` everywhere."""
    return rearrange.full(_sizes(dims, "dims"), value, value.dtype)


@fill.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [None, b.reduce_sum(dy)]


@op("ZerosLike", shape=same_as(0), metadata="x", no_gradient="constant result")
def zeros_like(x: Any) -> Any:
    """Zeros (empty strings, False) of the shape and dtype of x."""
    if isinstance(x, (TensorList, Optional)):
        return x.zeros_like()
    if x.dtype == object:
        return np.full(x.shape, b"", object)
    return rearrange.zeros(x, static_shape(x), x.dtype)


@op("OnesLike", shape=same_as(0), metadata="x", no_gradient="constant result")
def ones_like(x: Any) -> Any:
    """Ones of the shape and dtype of x."""
    return namespace(x).ones(static_shape(x), x.dtype)


@op("Empty", shape=from_input(0), static="shape")
def empty(shape: Any, *, dtype: DType) -> Any:
    """A tensor of this shape, whose values nobody should read.

    differs  it holds zeros, with or without `init`
    """
    if dtype is dtypes.string:
        return np.full(_sizes(shape, "shape"), b"", object)
    return np.zeros(_sizes(shape, "shape"), dtype.numpy)


def _range_shape(c: ShapeContext) -> list[Sizes]:
    for i in range(3):
        with_rank(c, c.input(i), 0)
    start, limit, delta = (c.value(i) for i in range(3))
    if start is None or limit is None or delta is None:
        return [(None,)]
    try:
        return [(_range_size(start, limit, delta),)]
    except InvalidArgumentError as e:
        raise c.fail(e.message) from e


def _range_size(start: Any, limit: Any, delta: Any) -> int:
    if delta == 0:
        raise InvalidArgumentError("Requires delta != 0: 0")
    if (delta > 0 and start > limit) or (delta < 0 and start < limit):
        sign = "<=" if delta > 0 else ">="
        raise InvalidArgumentError(
            f"Requires start {sign} limit when delta {'>' if delta > 0 else '<'} 0: {start}/{limit}"
        )
    if np.asarray(start).dtype.kind in "iu":
        return -(-(int(limit) - int(start)) // int(delta))
    return int(np.ceil(np.abs((np.float64(limit) - np.float64(start)) / np.float64(delta))))


@op("Range", shape=_range_shape, static=("start", "limit", "delta"), no_gradient="the result is piecewise constant")
def range_(start: Any, limit: Any, delta: Any) -> Any:
    """start, start + delta, ... up to and without limit."""
    dtype = np.asarray(start).dtype
    count = _range_size(start, limit, delta)
    if dtype.kind in "iu":
        return (int(start) + np.arange(count, dtype=np.int64) * int(delta)).astype(dtype)
    return (start + np.arange(count).astype(dtype) * delta).astype(dtype)


def _lin_space_shape(c: ShapeContext) -> list[Sizes]:
    for i in range(3):
        with_rank(c, c.input(i), 0)
    num = c.value(2)
    if num is None:
        return [(None,)]
    if num <= 0:
        raise c.fail(f"Requires num > 0: {num}")
    return [(int(num),)]


@op("LinSpace", shape=_lin_space_shape, static="num", no_gradient="not defined by TensorFlow")
def lin_space(start: Any, stop: Any, num: Any) -> Any:
    """`num` evenly spaced values from start to stop, both included."""
    count = int(num)
    if count <= 0:
        raise InvalidArgumentError(f"Requires num > 0: {count}")
    xp = namespace(start, stop)
    dtype = start.dtype
    if count == 1:
        return xp.reshape(start, (1,))
    step = (stop - start) / xp.asarray(count - 1, dtype)
    steps = xp.arange(count - 1).astype(dtype)
    return xp.concatenate([(start + step * steps).astype(dtype), xp.reshape(stop, (1,))])


# Reshaping.


def _reshape_shape(c: ShapeContext) -> list[Sizes]:
    given, out = c.input(0), c.sizes(1)
    if out is None or given is None:
        return [out]
    unknown_in, unknown_out = given.count(None), out.count(None)
    in_count, out_count = product(d for d in given if d is not None), product(d for d in out if d is not None)
    assert in_count is not None and out_count is not None
    if unknown_in == 0 and unknown_out == 0 and in_count != out_count:
        raise c.fail(f"Cannot reshape a tensor with {in_count} elements to shape {list(out)} ({out_count} elements)")
    if unknown_in == 0 and unknown_out == 1 and out_count > 0:
        if in_count % out_count:
            raise c.fail(f"Dimension size must be evenly divisible by {out_count} but is {in_count}")
        return [tuple(in_count // out_count if d is None else d for d in out)]
    if unknown_in == 1 and unknown_out == 0 and in_count != 0 and out_count % in_count:
        raise c.fail(f"Cannot reshape a tensor with a multiple of {in_count} elements to shape {list(out)}")
    return [out]


def _full_sizes(shape: Any, count: int) -> tuple[int, ...]:
    """The shape with its -1 worked out."""
    sizes = [int(d) for d in shape]
    wild = [i for i, d in enumerate(sizes) if d == -1]
    if len(wild) > 1:
        raise InvalidArgumentError(f"Only one input size may be -1, not both {wild[0]} and {wild[1]}")
    if any(d < -1 for d in sizes):
        raise InvalidArgumentError(f"Size {sizes.index(min(sizes))} must be non-negative, not {min(sizes)}")
    rest = int(np.prod([d for d in sizes if d != -1], dtype=np.int64))
    if wild:
        if rest == 0 and count:
            raise InvalidArgumentError(
                "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes "
                "are non-zero"
            )
        missing = count // rest if rest else 0
        if missing * rest != count:
            raise InvalidArgumentError(
                f"Input to reshape is a tensor with {count} values, but the requested shape requires a multiple of "
                f"{rest}"
            )
        sizes[wild[0]] = missing
    elif rest != count:
        raise InvalidArgumentError(
            f"Input to reshape is a tensor with {count} values, but the requested shape has {rest}"
        )
    return tuple(sizes)


@op("Reshape", shape=_reshape_shape, static="shape")
def reshape(tensor: Any, shape: Any) -> Any:
    """The same elements in another shape; one -1 in `shape` stands for what is left.

    raises InvalidArgumentError if the number of elements differs
    """
    if np.ndim(shape) != 1:
        raise InvalidArgumentError(f"sizes input must be 1-D, not {list(np.shape(shape))}")
    sizes = _full_sizes(shape, int(np.prod(static_shape(tensor), dtype=np.int64)))
    return rearrange.reshape(tensor, sizes)


@reshape.rows
def _(tensor: Any, shape: Any, *, rows: Sequence[Any]) -> Any:
    if not only_first(rows) or np.ndim(shape) != 1:
        return None
    return np.reshape(tensor, (len(tensor), *_full_sizes(shape, math.prod(tensor.shape[1:]))))


@reshape.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    sizes = node.inputs[0].shape.sizes
    if sizes is not None and sizes.count(None) == 1 and 0 not in sizes:
        return [b.reshape(dense.to_tensor(b, dy), [-1 if d is None else d for d in sizes]), None]
    return [_to_input_shape(b, node, dy), None]


def _to_input_shape(b: Builder, node: Operation, dy: Any) -> Any:
    dy = dense.to_tensor(b, dy)
    return b.reshape(dy, b.shape(node.inputs[0]))


def _expand_dims_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    axis = c.value(1)
    axis_sizes = c.input(1)
    if axis_sizes is not None and product(axis_sizes) not in (1, None):
        raise c.fail("'dim' input must be a tensor with a single value")
    if sizes is None:
        return [None]
    if axis is None:
        return [None]
    where = int(axis.reshape(-1)[0])
    if not -1 - len(sizes) <= where <= len(sizes):
        raise c.fail(f"dim {where} not in the interval [{-1 - len(sizes)}, {len(sizes)}].")
    where %= len(sizes) + 1
    return [(*sizes[:where], 1, *sizes[where:])]


@op("ExpandDims", shape=_expand_dims_shape, static="dim")
def expand_dims(input: Any, dim: Any) -> Any:
    """The input with a dimension of size 1 more, at `dim`."""
    if np.size(dim) != 1:
        raise InvalidArgumentError(f"'dim' must be a tensor with a single value, got shape {list(np.shape(dim))}")
    sizes = static_shape(input)
    where = int(np.reshape(dim, -1)[0])
    if not -1 - len(sizes) <= where <= len(sizes):
        raise InvalidArgumentError(f"Tried to expand dim index {where} for tensor with {len(sizes)} dimensions.")
    where %= len(sizes) + 1
    return rearrange.reshape(input, (*sizes[:where], 1, *sizes[where:]))


@expand_dims.rows
def _(input: Any, dim: Any, *, rows: Sequence[Any]) -> Any:
    if not only_first(rows) or np.size(dim) != 1:
        return None
    where = int(np.reshape(dim, -1)[0])
    return expand_dims(input, np.array(where + 1 if where >= 0 else where)) if where >= -input.ndim else None


@expand_dims.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [_to_input_shape(b, node, dy), None]


def _squeeze_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    if sizes is None:
        return [None]
    axes = c.attr("squeeze_dims", ())
    if not axes:
        return [None if None in sizes else tuple(d for d in sizes if d != 1)]
    gone = set()
    for axis in axes:
        if not -len(sizes) <= axis < len(sizes):
            raise c.fail(f"squeeze_dims[{axis}] not in [{-len(sizes)},{len(sizes)}).")
        axis %= len(sizes)
        if sizes[axis] not in (None, 1):
            raise c.fail(f"Can not squeeze dim[{axis}], expected a dimension of 1, got {sizes[axis]}")
        gone.add(axis)
    return [tuple(d for i, d in enumerate(sizes) if i not in gone)]


@op("Squeeze", shape=_squeeze_shape)
def squeeze(input: Any, *, squeeze_dims: tuple[int, ...]) -> Any:
    """The input without its dimensions of size 1: all, or those in `squeeze_dims`."""
    sizes = static_shape(input)
    if squeeze_dims:
        gone = set(normalize_axes(squeeze_dims, len(sizes), "squeeze_dims"))
        for axis in sorted(gone):
            if sizes[axis] != 1:
                raise InvalidArgumentError(f"Can not squeeze dim[{axis}], expected a dimension of 1, got {sizes[axis]}")
    else:
        gone = {i for i, d in enumerate(sizes) if d == 1}
    return rearrange.reshape(input, tuple(d for i, d in enumerate(sizes) if i not in gone))


@squeeze.rows
def _(input: Any, *, squeeze_dims: tuple[int, ...], rows: Sequence[Any]) -> Any:
    sizes = input.shape[1:]
    if squeeze_dims:
        axes = normalize_axes(squeeze_dims, len(sizes), "squeeze_dims")
    else:
        axes = [i for i, d in enumerate(sizes) if d == 1]
    return squeeze(input, squeeze_dims=tuple(i + 1 for i in axes)) if axes else input


@squeeze.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [_to_input_shape(b, node, dy)]


def _broadcast_to_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(1), 1)
    given, out = c.input(0), c.sizes(1)
    if out is None or given is None:
        return [out]
    if len(given) > len(out):
        raise c.fail(f"Rank of input ({len(given)}) must be no greater than rank of output shape ({len(out)})")
    padded = (1,) * (len(out) - len(given)) + given
    for have, want in zip(padded, out, strict=True):
        if have not in (None, 1) and want is not None and have != want:
            raise c.fail(f"Dimensions must be equal, but are {have} and {want}")
    return [tuple(have if want is None and have != 1 else want for have, want in zip(padded, out, strict=True))]


@op("BroadcastTo", shape=_broadcast_to_shape, static="shape")
def broadcast_to(input: Any, shape: Any) -> Any:
    """The input repeated along its dimensions of size 1, and along new ones in front, to `shape`."""
    given, wanted = static_shape(input), tuple(int(d) for d in shape)
    fits = len(given) <= len(wanted) and all(
        a in (1, b) for a, b in zip(reversed(given), reversed(wanted), strict=False)
    )
    if not fits:
        raise InvalidArgumentError(f"Incompatible shapes: {list(given)} vs. {list(wanted)}")
    return elementwise.broadcast_to(input, wanted)


@broadcast_to.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    value, wanted = node.inputs
    value_shape = b.shape(value, out_type=wanted.dtype.base)
    static = constant_sizes(wanted)
    if static is not None and None not in static:
        wanted = b.constant(list(static), wanted.dtype.base)
    _, axes = b.BroadcastGradientArgs(wanted, value_shape)
    return [b.reshape(b.reduce_sum(dy, axes, keepdims=True), value_shape), None]
