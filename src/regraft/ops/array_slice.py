"""Slice and StridedSlice: rectangular parts of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit import rearrange
from regraft.opkit.arrays import lax, namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.constant import literal_value
from regraft.opkit.registry import op
from regraft.opkit.scatter import assign_strided
from regraft.opkit.several import led_by, only_first
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, from_input, merge, merge_dim, with_rank
from regraft.opkit.static_values import ValueNeeded
from regraft.opkit.strided import NEW, Layout, Masks, Span, layout, sliced_shape, spans

# Slice


def _slice_shape(c: ShapeContext) -> list[Sizes]:
    given = c.input(0)
    begins, lengths = with_rank(c, c.input(1), 1), with_rank(c, c.input(2), 1)
    merge(c, begins, lengths)
    sizes, begin = c.value(2), c.sizes(1)
    if sizes is None:
        rank = begins[0] if begins[0] is not None else lengths[0]
        if rank is not None and given is not None:
            merge_dim(c, len(given), rank)
        partial = c.sizes(2)
        if given is not None and rank is None:
            rank = len(given)
        if partial is not None:
            return [partial]
        return [None if rank is None else (None,) * rank]
    if given is None:
        return [tuple(None if d < 0 else int(d) for d in sizes)]
    given = with_rank(c, given, len(sizes))
    starts = c.value(1)
    out: list[Dim] = []
    for i, (whole, size) in enumerate(zip(given, (int(s) for s in sizes), strict=True)):
        start = int(starts[i]) if starts is not None else begin[i] if begin is not None else None
        length: Dim = size
        if size == -1:
            length = None if whole is None or start is None else whole - start
        if length is not None and length < 0:
            raise c.fail(f"Slice begins at {start} in dimension {i} of size {whole}")
        out.append(length)
    return [tuple(out)]


@op("Slice", shape=_slice_shape, static="size")
def slice_(input: Any, begin: Any, size: Any) -> Any:
    """The part of the input that begins at `begin` and has this size; -1 is up to the end.

    raises   InvalidArgumentError where the part does not lie within the input
    differs  in a compiled program a part that begins out of range is moved into it, where `begin` was computed
    """
    shape = static_shape(input)
    if not len(shape) == static_shape(begin)[0] == len(size):
        raise InvalidArgumentError(
            f"Expected begin and size arguments to be 1-D tensors of size {len(shape)}, "
            f"but got shapes {list(static_shape(begin))} and {list(np.shape(size))} instead."
        )
    sizes = [int(s) for s in size]
    if on_host(begin):
        starts = [int(b) for b in begin]
        sizes = [n - b if s == -1 else s for n, b, s in zip(shape, starts, sizes, strict=True)]
        for i, (n, b, s) in enumerate(zip(shape, starts, sizes, strict=True)):
            if not 0 <= b <= n:
                raise InvalidArgumentError(f"Expected begin[{i}] in [0, {n}], but got {b}")
            if s < 0 or b + s > n:
                raise InvalidArgumentError(f"Expected size[{i}] in [0, {n - b}], but got {s}")
        return rearrange.cut(input, [Span(b, 1, s) for b, s in zip(starts, sizes, strict=True)])
    if -1 in sizes:
        raise ValueNeeded("begin", "size is -1 somewhere, so the shape of the result depends on it")
    return lax.dynamic_slice(namespace(input, begin).asarray(input), list(begin), sizes)


@slice_.rows
def _(input: Any, begin: Any, size: Any, *, rows: Sequence[Any]) -> Any:
    return slice_(input, led_by(0, begin), led_by(-1, size)) if only_first(rows) else None


@slice_.static_where
def _(node: Operation) -> tuple[str, ...]:
    """Where a size is -1, that is up to the end, or is fed and may be. Computed sizes are taken for what they are."""
    size = node.inputs[2]
    for part in size.op.inputs if size.op.type == "Pack" else (size,):
        value = literal_value(part)
        if part.op.type.startswith("Placeholder") or (value is not None and (value == -1).any()):
            return ("begin",)
    return ()


@slice_.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    x, begin = node.inputs[0], node.inputs[1]
    rank = b.rank(x)
    index_type = begin.dtype.base
    size: Any = b.shape(node.outputs[0], out_type=index_type)
    column = b.stack([rank, 1])
    before = b.reshape(begin, column)
    whole: Any = b.shape(x, out_type=index_type)
    after = b.reshape(whole - size - begin, column)
    return [b.Pad(dy, b.concat([before, after], 1)), None, None]


# StridedSlice


def _masks(c: ShapeContext) -> Masks:
    return Masks(*(c.attr(f"{name}_mask", 0) for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")))


def _strided_shape(c: ShapeContext) -> list[Sizes]:
    for i in range(1, 4):
        with_rank(c, c.input(i), 1)
    begin, end, strides = ([int(v) for v in part] if (part := c.value(i)) is not None else None for i in (1, 2, 3))
    try:
        return [sliced_shape(c.input(0), begin, end, strides, _masks(c))]
    except InvalidArgumentError as e:
        raise c.fail(e.message) from e


def _ints(value: Any) -> list[int]:
    return [int(v) for v in np.asarray(value)]


def _result_shape(found: Layout, sizes: list[int]) -> tuple[int, ...]:
    return tuple(1 if source == NEW else sizes[source] for source in found.gather)


@op("StridedSlice", shape=_strided_shape, static="strides", surplus="counts")
def strided_slice(
    input: Any,
    begin: Any,
    end: Any,
    strides: Any,
    *,
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
) -> Any:
    """What Python's indexing gives; `opkit.strided` says what the masks mean.

    raises   InvalidArgumentError for an index out of bounds (ranges are cut to fit instead), or stride 0
    differs  in a compiled program an index that was computed is moved into bounds
    """
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    shape = static_shape(input)
    if on_host(begin, end):
        found, parts = spans(shape, _ints(begin), _ints(end), _ints(strides), masks)
        return rearrange.reshape(rearrange.cut(input, parts), _result_shape(found, [p.size for p in parts]))
    found, starts, sizes, parts = _window(shape, begin, end, _ints(strides), masks)
    out = lax.dynamic_slice(namespace(begin, end).asarray(input), starts, sizes)
    return rearrange.reshape(rearrange.cut(out, parts), _result_shape(found, [p.size for p in parts]))


@strided_slice.rows
def _(input: Any, begin: Any, end: Any, strides: Any, *, rows: Sequence[Any], **masks: int) -> Any:
    if not only_first(rows):
        return None
    wider = {name: mask << 1 | (name in ("begin_mask", "end_mask")) for name, mask in masks.items()}
    return strided_slice(input, led_by(0, begin), led_by(0, end), led_by(1, strides), **wider)


def _static_ranges(node: Operation) -> tuple[str, ...]:
    """A range, unlike an index and a whole dimension, has a size that begin and end decide."""
    strides = node.inputs[3].shape.sizes
    if strides is None or strides[0] is None:
        return ("begin", "end")
    attrs = _attrs(node)
    single = attrs["ellipsis_mask"] | attrs["new_axis_mask"] | attrs["shrink_axis_mask"]
    settled = single | (attrs["begin_mask"] & attrs["end_mask"])
    return () if all(settled >> i & 1 for i in range(strides[0])) else ("begin", "end")


strided_slice.static_where(_static_ranges)


def _window(
    shape: tuple[int, ...], begin: Any, end: Any, strides: list[int], masks: Masks
) -> tuple[Layout, list[Any], list[int], list[Span]]:
    """Where `begin` or `end` is traced: a window (starts, sizes) of the input, and what to take of it.

    Each entry must pick one index or take the whole dimension. ValueNeeded where one does not.
    """
    found = layout(len(shape), len(strides), masks)
    xp = namespace(begin, end)
    index_type = begin.dtype
    starts: list[Any] = []
    sizes: list[int] = []
    parts: list[Span] = []
    for i, (entry, size) in enumerate(zip(found.entries, shape, strict=True)):
        if entry.shrink:
            at = xp.asarray(begin[entry.spec])
            starts.append(xp.where(at < 0, at + xp.asarray(size, index_type), at))
            sizes.append(1)
            parts.append(Span(0, 1, 1))
        elif entry.begin_masked and entry.end_masked:
            starts.append(xp.asarray(0, index_type))
            sizes.append(size)
            parts.append(_whole(size, 1 if entry.spec is None else strides[entry.spec]))
        else:
            which = "end" if on_host(begin) else "begin"
            raise ValueNeeded(which, f"it decides the size of dimension {i} of the slice")
    return found, starts, sizes, parts


def _whole(size: int, step: int) -> Span:
    count = -(-size // abs(step))
    return Span(0 if step > 0 else size - 1, step, count)


def _attrs(node: Operation) -> dict[str, Any]:
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    return {name: node.get_attr(name) for name in names}


def _or_literal(b: Builder, tensor: Any) -> Any:
    value = literal_value(tensor)
    return tensor if value is None else value


@strided_slice.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    x, begin, end, strides = node.inputs
    shape = b.shape(x, out_type=begin.dtype.base)
    given = [_or_literal(b, t) for t in (shape, begin, end, strides)]
    return [b.StridedSliceGrad(*given, dy, **_attrs(node)), None, None, None]


@op("StridedSliceGrad", shape=from_input(0), static=("shape", "strides"))
def strided_slice_grad(
    shape: Any,
    begin: Any,
    end: Any,
    strides: Any,
    dy: Any,
    *,
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
) -> Any:
    """Zeros of `shape`, with dy where the same StridedSlice would have read.

    raises  InvalidArgumentError if dy has another shape than that slice
    """
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    sizes = tuple(_ints(shape))
    xp = namespace(begin, end, dy)
    if on_host(begin, end):
        found, parts = spans(sizes, _ints(begin), _ints(end), _ints(strides), masks)
        wanted = _result_shape(found, [p.size for p in parts])
        if static_shape(dy) != wanted:
            raise InvalidArgumentError(f"shape of dy was {list(static_shape(dy))} instead of {list(wanted)}")
        return rearrange.place(rearrange.reshape(dy, [p.size for p in parts]), sizes, parts)
    _, starts, window, parts = _window(sizes, begin, end, _ints(strides), masks)
    block = rearrange.place(xp.reshape(dy, [p.size for p in parts]), window, parts)
    return lax.dynamic_update_slice(xp.zeros(sizes, dy.dtype), block, starts)


strided_slice_grad.static_where(_static_ranges)


@strided_slice_grad.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [None, None, None, None, b.StridedSlice(dy, *node.inputs[1:4], **_attrs(node))]


def _update_shape(c: ShapeContext) -> list[Sizes]:
    _strided_shape(c)
    return [c.input(0)]


@op("TensorStridedSliceUpdate", shape=_update_shape, static=("begin", "end", "strides"))
def tensor_strided_slice_update(
    input: Any,
    begin: Any,
    end: Any,
    strides: Any,
    value: Any,
    *,
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
) -> Any:
    """The input with `value`, broadcast, in the place of a StridedSlice of it."""
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return assign_strided(input, begin, end, strides, value, masks)


@tensor_strided_slice_update.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    begin, end, strides, value = node.inputs[1:]
    attrs = _attrs(node)
    part = b.StridedSlice(dy, begin, end, strides, **attrs)
    dx = b.TensorStridedSliceUpdate(dy, begin, end, strides, b.zeros_like(part), **attrs)
    part_shape = b.shape(part, out_type=begin.dtype.base)
    value_shape = b.shape(value, out_type=begin.dtype.base)
    _, axes = b.BroadcastGradientArgs(part_shape, value_shape)
    return [dx, None, None, None, b.reshape(b.reduce_sum(part, axes, keepdims=True), value_shape)]
