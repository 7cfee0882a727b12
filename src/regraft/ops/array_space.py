"""Moving blocks of space into the batch or the depth and back, and cutting images into patches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit import dense
from regraft.opkit import padding as windows
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.getitem import getitem
from regraft.opkit.registry import op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, at_least_rank, times, with_rank

# Batch.


def _to_batch_sizes(c: ShapeContext, sizes: Sizes, blocks: Any, pads: Any) -> Sizes:
    """The shape with its space padded by `pads` and divided by `blocks`, which multiply the batch."""
    assert sizes is not None
    out = list(sizes)
    for i, block in enumerate(blocks):
        if block < 1:
            raise c.fail(f"block_shape must be positive, got {block}")
        out[0] = times(out[0], int(block))
        size = out[i + 1]
        if pads is None:
            out[i + 1] = None
            continue
        before, after = int(pads[i][0]), int(pads[i][1])
        if before < 0 or after < 0:
            raise c.fail("paddings cannot be negative")
        if size is not None:
            padded = size + before + after
            if padded % block:
                raise c.fail(f"Dimension size must be evenly divisible by {block} but is {padded}")
            out[i + 1] = padded // int(block)
    return tuple(out)


def _from_batch_sizes(c: ShapeContext, sizes: Sizes, blocks: Any, crops: Any) -> Sizes:
    assert sizes is not None
    out = list(sizes)
    for i, block in enumerate(blocks):
        if block < 1:
            raise c.fail(f"block_shape must be positive, got {block}")
        batch = out[0]
        if batch is not None:
            if batch % int(block):
                raise c.fail(f"Dimension size must be evenly divisible by {block} but is {batch}")
            out[0] = batch // int(block)
        size = out[i + 1]
        if crops is None:
            out[i + 1] = None
            continue
        start, end = int(crops[i][0]), int(crops[i][1])
        if start < 0 or end < 0:
            raise c.fail("crops cannot be negative")
        if size is not None:
            left = size * int(block) - start - end
            if left < 0:
                raise c.fail(f"Negative dimension size caused by subtracting {start + end} from {size * int(block)}")
            out[i + 1] = left
    return tuple(out)


def _space_to_batch(input: Any, blocks: list[int], pads: Any) -> Any:
    shape, count = static_shape(input), len(blocks)
    if len(shape) < count + 1 or np.shape(pads) != (count, 2):
        raise InvalidArgumentError(
            f"input rank should be >= {count + 1}, and paddings should have shape [{count}, 2], got "
            f"{len(shape)} and {list(np.shape(pads))}"
        )
    pairs = [(int(a), int(z)) for a, z in pads]
    for i, (block, (a, z)) in enumerate(zip(blocks, pairs, strict=True)):
        if a < 0 or z < 0:
            raise InvalidArgumentError(f"Paddings must be non-negative, got [{a}, {z}]")
        if block < 1 or (shape[i + 1] + a + z) % block:
            raise InvalidArgumentError(
                f"padded_shape[{i}]={shape[i + 1] + a + z} is not divisible by block_shape[{i}]={block}"
            )
    xp = namespace(input)
    rest = shape[count + 1 :]
    x = xp.pad(input, [(0, 0), *pairs, *[(0, 0)] * len(rest)]) if any(map(any, pairs)) else input
    split = [shape[0]]
    for size, block in zip(static_shape(x)[1 : count + 1], blocks, strict=True):
        split += [size // block, block]
    x = x.reshape((*split, *rest))
    order = [*range(2, 2 * count + 1, 2), 0, *range(1, 2 * count, 2), *range(2 * count + 1, x.ndim)]
    space = split[1::2]
    return xp.transpose(x, order).reshape((shape[0] * math.prod(blocks), *space, *rest))


def _batch_to_space(input: Any, blocks: list[int], crops: Any) -> Any:
    shape, count = static_shape(input), len(blocks)
    if len(shape) < count + 1 or np.shape(crops) != (count, 2):
        raise InvalidArgumentError(
            f"input rank should be >= {count + 1}, and crops should have shape [{count}, 2], got "
            f"{len(shape)} and {list(np.shape(crops))}"
        )
    if any(b < 1 for b in blocks) or shape[0] % math.prod(blocks):
        raise InvalidArgumentError(
            f"Input batch dimension ({shape[0]}) is not divisible by product of block sizes ({math.prod(blocks)})"
        )
    rest = shape[count + 1 :]
    x = input.reshape((*blocks, shape[0] // math.prod(blocks), *shape[1:]))
    order = [count]
    for i in range(count):
        order += [count + 1 + i, i]
    order += list(range(2 * count + 1, x.ndim))
    whole = [n * b for n, b in zip(shape[1 : count + 1], blocks, strict=True)]
    out = namespace(input).transpose(x, order).reshape((shape[0] // math.prod(blocks), *whole, *rest))
    cut = [slice(None)]
    for i, (size, (start, end)) in enumerate(zip(whole, crops, strict=True)):
        if start < 0 or end < 0 or size - start - end < 0:
            raise InvalidArgumentError(f"cropped_shape[{i}]={size - start - end} must be non-negative")
        cut.append(slice(int(start), size - int(end)))
    return out[tuple(cut)]


def _nd_rule(sizes_of: Any) -> Any:
    def rule(c: ShapeContext) -> list[Sizes]:
        if c.input(1) is None:
            raise c.fail("block_shape must have rank 1.")
        count = with_rank(c, c.input(1), 1)[0]
        with_rank(c, c.input(2), 2)
        sizes, blocks, pads = c.input(0), c.value(1), c.value(2)
        if count is None:
            return [None]
        at_least_rank(c, sizes, count + 1)
        if sizes is None:
            return [None]
        if blocks is None:
            return [(None,) * (count + 1) + sizes[count + 1 :]]
        return [sizes_of(c, sizes, blocks, pads)]

    return rule


@op("SpaceToBatchND", shape=_nd_rule(_to_batch_sizes), static=("block_shape", "paddings"))
def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any) -> Any:
    """Blocks of the (zero padded) space taken apart: element j of every block goes into batch j.

    input        [batch, *space, ...]
    block_shape  [n], n the dimensions of space
    paddings     [n, 2]
    returns      [batch * prod(block_shape), *((space + paddings) / block_shape), ...]
    """
    return _space_to_batch(input, [int(v) for v in block_shape], paddings)


@space_to_batch_nd.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.BatchToSpaceND(dy, node.inputs[1], node.inputs[2]), None, None]


@op("BatchToSpaceND", shape=_nd_rule(_from_batch_sizes), static=("block_shape", "crops"))
def batch_to_space_nd(input: Any, block_shape: Any, crops: Any) -> Any:
    """The inverse of SpaceToBatchND, with `crops` cut off the edges."""
    return _batch_to_space(input, [int(v) for v in block_shape], crops)


@batch_to_space_nd.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.SpaceToBatchND(dy, node.inputs[1], node.inputs[2]), None, None]


def _square_rule(sizes_of: Any) -> Any:
    def rule(c: ShapeContext) -> list[Sizes]:
        sizes, block = with_rank(c, c.input(0), 4), c.attr("block_size")
        with_rank(c, c.input(1), 2)
        return [sizes_of(c, sizes, [block, block], c.value(1))]

    return rule


@op("SpaceToBatch", shape=_square_rule(_to_batch_sizes), static="paddings")
def space_to_batch(input: Any, paddings: Any, *, block_size: int) -> Any:
    """SpaceToBatchND of images [batch, height, width, depth] with square blocks."""
    return _space_to_batch(input, [block_size, block_size], paddings)


@space_to_batch.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [_square(b, "BatchToSpaceND", node, dy), None]


def _square(b: Builder, op_type: str, node: Operation, dy: Any) -> Any:
    block = node.get_attr("block_size")
    out = b.op(op_type, dy, np.array([block, block]), node.inputs[1])
    out.set_shape([None] * 4)
    return out


@op("BatchToSpace", shape=_square_rule(_from_batch_sizes), static="crops")
def batch_to_space(input: Any, crops: Any, *, block_size: int) -> Any:
    """The inverse of SpaceToBatch."""
    return _batch_to_space(input, [block_size, block_size], crops)


@batch_to_space.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [_square(b, "SpaceToBatchND", node, dy), None]


# Depth. NCHW goes through NHWC.

_TO_NHWC, _TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


def _check_format(data_format: bytes) -> bool:
    """Whether the channels come first."""
    if data_format not in (b"NHWC", b"NCHW"):
        raise InvalidArgumentError(f"data_format {data_format.decode()} is not supported; it must be NHWC or NCHW")
    return data_format == b"NCHW"


def _depth_rule(to_depth: bool) -> Any:
    def rule(c: ShapeContext) -> list[Sizes]:
        data_format, block = c.attr("data_format", b"NHWC"), c.attr("block_size")
        if data_format not in (b"NHWC", b"NCHW"):
            return [None]
        sizes = with_rank(c, c.input(0), 4)
        n, h, w, d = (sizes[i] for i in (_TO_NHWC if data_format == b"NCHW" else range(4)))

        def divided(size: Dim, by: int) -> Dim:
            if size is not None and size % by:
                raise c.fail(f"Dimension size must be evenly divisible by {by} but is {size}")
            return None if size is None else size // by

        out: tuple[Dim, ...]
        if to_depth:
            out = (n, divided(h, block), divided(w, block), times(d, block * block))
        else:
            out = (n, times(h, block), times(w, block), divided(d, block * block))
        return [tuple(out[i] for i in _TO_NCHW) if data_format == b"NCHW" else out]

    return rule


@op("SpaceToDepth", shape=_depth_rule(True))
def space_to_depth(input: Any, *, block_size: int, data_format: bytes) -> Any:
    """Each block of block_size x block_size pixels becomes one pixel with all their channels."""
    xp = namespace(input)
    first = _check_format(data_format)
    x = xp.transpose(input, _TO_NHWC) if first else input
    n, h, w, d = x.shape
    if h % block_size or w % block_size:
        raise InvalidArgumentError(f"Image width {w} and height {h} should be divisible by block_size: {block_size}")
    x = x.reshape((n, h // block_size, block_size, w // block_size, block_size, d))
    x = xp.transpose(x, (0, 1, 3, 2, 4, 5)).reshape((n, h // block_size, w // block_size, d * block_size * block_size))
    return xp.transpose(x, _TO_NCHW) if first else x


def _depth_attrs(node: Operation) -> dict[str, Any]:
    if node.get_attr("data_format") == b"NCHW_VECT_C":
        raise ValueError(f"Cannot compute {node.type} gradient with NCHW_VECT_C. NCHW_VECT_C requires qint8 data type.")
    return {"block_size": node.get_attr("block_size"), "data_format": node.get_attr("data_format")}


@space_to_depth.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.DepthToSpace(dy, **_depth_attrs(node))]


@op("DepthToSpace", shape=_depth_rule(False))
def depth_to_space(input: Any, *, block_size: int, data_format: bytes) -> Any:
    """The inverse of SpaceToDepth."""
    xp = namespace(input)
    first = _check_format(data_format)
    x = xp.transpose(input, _TO_NHWC) if first else input
    n, h, w, d = x.shape
    if d % (block_size * block_size):
        raise InvalidArgumentError(f"Input depth dimension {d} should be divisible by: {block_size * block_size}")
    x = x.reshape((n, h, w, block_size, block_size, d // (block_size * block_size)))
    x = xp.transpose(x, (0, 1, 3, 2, 4, 5)).reshape((n, h * block_size, w * block_size, -1))
    return xp.transpose(x, _TO_NCHW) if first else x


@depth_to_space.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.SpaceToDepth(dy, **_depth_attrs(node))]


# Patches.


def _patches_shape(c: ShapeContext) -> list[Sizes]:
    n, h, w, d = with_rank(c, c.input(0), 4)
    ksizes, strides, rates = (c.attr(name) for name in ("ksizes", "strides", "rates"))
    for name, value in (("ksizes", ksizes), ("strides", strides), ("rates", rates)):
        if len(value) != 4:
            raise c.fail(
                f"ExtractImagePatches requires the {name} attribute to contain 4 values, but got: {len(value)}"
            )
    if d is not None:
        d = d * ksizes[1] * ksizes[2]
    rows, columns = (
        windows.output_size(size, windows.extent(ksizes[i], rates[i]), strides[i], c.attr("padding"))
        for i, size in ((1, h), (2, w))
    )
    return [(n, rows, columns, d)]


@op("ExtractImagePatches", shape=_patches_shape)
def extract_image_patches(
    images: Any, *, ksizes: tuple[int, ...], strides: tuple[int, ...], rates: tuple[int, ...], padding: bytes
) -> Any:
    """Windows that slide over images, each laid out flat in the depth.

    images   [batch, height, width, depth]
    returns  [batch, out_height, out_width, ksizes[1] * ksizes[2] * depth], zeros outside the image
    """
    xp = namespace(images)
    n, h, w, d = static_shape(images)
    places, pads = [], []
    for i, size in ((1, h), (2, w)):
        window = windows.extent(ksizes[i], rates[i])
        count = windows.output_size(size, window, strides[i], padding)
        assert count is not None
        pads.append(windows.window_pads(size, window, strides[i], padding))
        places.append(np.arange(count)[:, None] * strides[i] + np.arange(ksizes[i])[None, :] * rates[i])
    x = xp.pad(images, [(0, 0), *pads, (0, 0)])
    (rows, kr), (columns, kc) = places[0].shape, places[1].shape
    x = xp.take(x, places[0].reshape(-1), axis=1)
    x = xp.take(x, places[1].reshape(-1), axis=2).reshape((n, rows, kr, columns, kc, d))
    return xp.transpose(x, (0, 1, 3, 2, 4, 5)).reshape((n, rows, columns, kr * kc * d))


@extract_image_patches.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    batch, rows_in, columns_in, depth = _unstacked(b, b.shape(node.inputs[0], out_type=dtypes.int64))
    out_shape = b.shape(node.outputs[0], out_type=dtypes.int64)
    rows_out, columns_out = _unstacked(b, getitem(b, out_shape, slice(1, 3)))
    _, rows, columns, _ = node.get_attr("ksizes")
    # Number the pixels from 1, and cut the numbers into patches: 0 is what lies outside.
    count = rows_in * columns_in
    numbers = b.reshape(b.range(1, count + 1, dtype=dtypes.float32), (1, rows_in, columns_in, 1))
    attrs = {name: node.get_attr(name) for name in ("ksizes", "strides", "rates", "padding")}
    patched = b.cast(b.ExtractImagePatches(numbers, **attrs), dtypes.int64)
    wide = b.reshape(dense.to_tensor(b, dy), (batch, rows_out, columns_out, rows, columns, depth))
    by_pixel = b.transpose(wide, (1, 2, 3, 4, 0, 5))
    flat = b.reshape(by_pixel, (-1, batch * depth))
    ids: Any = b.reshape(patched, [-1])
    total = b.UnsortedSegmentSum(flat, ids - 1, count)
    dx = b.reshape(total, (rows_in, columns_in, batch, depth))
    return [b.transpose(dx, (2, 0, 1, 3))]


def _unstacked(b: Builder, vector: Any) -> list[Any]:
    if vector.shape.sizes is None or vector.shape.sizes[0] is None:
        raise ValueError(f"Cannot infer argument `num` from shape {vector.shape}")
    return list(b.Unpack(vector, num=vector.shape.sizes[0], axis=0, name="unstack"))
