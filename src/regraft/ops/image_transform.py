"""Images seen through a projective transform: rotated, sheared, shifted, scaled."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import namespace, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, with_rank

F = np.float32


def _reflected(xp: Any, at: Any, size: int) -> Any:
    if size <= 1:
        return at * F(0)
    twice = F(2 * size)
    low = xp.where(at < twice, twice * xp.trunc(-at / twice) + at, at)
    low = xp.where(low < -size, low + twice, -low - F(1))
    high = at - twice * xp.trunc(at / twice)
    high = xp.where(high >= size, twice - high - F(1), high)
    return xp.where(at < 0, low, xp.where(at > size - 1, high, at))


def _wrapped(xp: Any, at: Any, size: int) -> Any:
    if size <= 1:
        return at * F(0)
    step = F(size - 1)
    low = at + F(size) * (xp.trunc(-at / step) + F(1))
    high = at - F(size) * xp.trunc(at / step)
    return xp.where(at < 0, low, xp.where(at > size - 1, high, at))


def _mapped(xp: Any, at: Any, size: int, mode: bytes) -> Any:
    """Where a coordinate outside the image reads it."""
    if mode == b"CONSTANT":
        return at
    if mode == b"REFLECT":
        at = _reflected(xp, at, size)
    elif mode == b"WRAP":
        at = _wrapped(xp, at, size)
    elif mode != b"NEAREST":
        raise InvalidArgumentError(f"Invalid mode {mode.decode()}: CONSTANT, REFLECT, WRAP or NEAREST")
    return xp.minimum(xp.maximum(at, F(0)), F(size - 1))


def _transformed(images: Any, transforms: Any, output_shape: Any, fill: Any, interpolation: bytes, mode: bytes) -> Any:
    xp = namespace(images, transforms, fill)
    batch, height, width, _ = static_shape(images)
    rows = static_shape(transforms)
    if len(rows) != 2 or rows[0] not in (1, batch) or rows[1] != 8:
        raise InvalidArgumentError(
            f"Input transform should be num_images x 8 or 1 x 8, is {list(rows)} for {batch} images"
        )
    if interpolation not in (b"NEAREST", b"BILINEAR"):
        raise InvalidArgumentError(f"Invalid interpolation {interpolation.decode()}: NEAREST or BILINEAR")
    tall, wide = (int(d) for d in output_shape)
    if tall <= 0 or wide <= 0:
        raise InvalidArgumentError(f"new dimensions must be positive, got {tall} x {wide}")
    a = [transforms[:, i].reshape(-1, 1, 1) for i in range(8)]
    y, x = np.arange(tall, dtype=F).reshape(1, -1, 1), np.arange(wide, dtype=F).reshape(1, 1, -1)
    depth = a[6] * x + a[7] * y + F(1)
    lost = depth == 0
    depth = xp.where(lost, F(1), depth)
    from_x = _mapped(xp, (a[0] * x + a[1] * y + a[2]) / depth, width, mode)
    from_y = _mapped(xp, (a[3] * x + a[4] * y + a[5]) / depth, height, mode)
    fill = xp.asarray(fill).astype(images.dtype)
    number = np.arange(batch).reshape(-1, 1, 1)

    def read(row: Any, column: Any) -> Any:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        at = [xp.where(inside, v, F(0)).astype(np.int32) for v in (row, column)]
        found = images[tuple(xp.broadcast_arrays(number, *at))]
        return xp.where(inside[..., None], found, fill)

    if interpolation == b"NEAREST":
        out = read(_round(xp, from_y), _round(xp, from_x))
    else:
        top, left = xp.floor(from_y), xp.floor(from_x)
        parts = []
        for row, down in ((top, top + F(1) - from_y), (top + F(1), from_y - top)):
            sides = (
                (left + F(1) - from_x)[..., None] * _wide(read(row, left)),
                (from_x - left)[..., None] * _wide(read(row, left + F(1))),
            )
            parts.append(down[..., None] * (sides[0] + sides[1]))
        out = (parts[0] + parts[1]).astype(images.dtype)
    return xp.where(xp.broadcast_to(lost, (batch, tall, wide))[..., None], fill, out)


def _wide(values: Any) -> Any:
    return values if values.dtype.itemsize >= 4 and values.dtype.kind == "f" else values.astype(F)


def _round(xp: Any, value: Any) -> Any:
    """Halves away from zero."""
    return xp.where(value < 0, -xp.floor(-value + F(0.5)), xp.floor(value + F(0.5)))


def _shape(c: ShapeContext) -> list[Sizes]:
    images = with_rank(c, c.input(0), 4)
    with_rank(c, c.input(1), 2)
    merge_dim(c, with_rank(c, c.input(2), 1)[0], 2)
    sizes = c.sizes(2)
    tall, wide = sizes if sizes is not None else (None, None)
    return [(images[0], tall, wide, images[3])]


@op("ImageProjectiveTransformV2", shape=_shape, static="output_shape")
@quiet
def image_projective_transform_v2(
    images: Any, transforms: Any, output_shape: Any, *, interpolation: bytes, fill_mode: bytes
) -> Any:
    """The images where each pixel (x, y) comes from (a x + b y + c, d x + e y + f) / (g x + h y + 1).

    images      [batch, height, width, channels]
    transforms  [batch, 8] or [1, 8], a to h
    returns     [batch, *output_shape, channels]
    """
    return _transformed(images, transforms, output_shape, F(0), interpolation, fill_mode)


@op("ImageProjectiveTransformV3", shape=_shape, static="output_shape")
@quiet
def image_projective_transform_v3(
    images: Any, transforms: Any, output_shape: Any, fill_value: Any, *, interpolation: bytes, fill_mode: bytes
) -> Any:
    """ImageProjectiveTransformV2 with a value for what lies outside the images."""
    return _transformed(images, transforms, output_shape, fill_value, interpolation, fill_mode)
