"""Images turned, mirrored, cropped and padded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_value
from regraft.v1._array import pad, rank, reshape, shape, stack
from regraft.v1._array import transpose as transpose_dims
from regraft.v1._control_flow import case, cond
from regraft.v1._graph_control import with_dependencies
from regraft.v1._image_checks import (
    as_batch,
    as_before,
    checked,
    demand,
    dimensions,
    image_checks,
    is_tensor,
    known_sizes,
)
from regraft.v1._indexing import slice as slice_
from regraft.v1._legacy import reverse_v2 as reverse
from regraft.v1._math import cast, equal
from regraft.v1._math import round as round_
from regraft.v1._opening import on, opened
from regraft.v1._random import random_uniform

__all__ = [
    "central_crop",
    "crop_to_bounding_box",
    "flip_left_right",
    "flip_up_down",
    "pad_to_bounding_box",
    "random_flip_left_right",
    "random_flip_up_down",
    "resize_image_with_crop_or_pad",
    "resize_with_crop_or_pad",
    "rot90",
    "transpose",
    "transpose_image",
]


def _by_rank(image: Any, one: Callable[[], Any], batch: Callable[[], Any]) -> Any:
    """`one()` for an image, `batch()` for a batch; a conditional where the rank is not known."""
    ndims = image.shape.rank
    if ndims is None:
        return cond(equal(rank(image), 3), one, batch)
    if ndims not in (3, 4):
        raise ValueError(f"'image' (shape {image.shape}) must have either 3 or 4 dimensions.")
    return one() if ndims == 3 else batch()


def _shaped_as(image: Any, result: Any) -> Any:
    result.set_shape([None, None, None] if image.shape.rank is None else image.shape)
    return result


# Mirrored


def _flip(image: Any, axis: int, name: str) -> Any:
    with opened(None, name, image) as (b, _):
        image = checked(b.convert(image, name="image"))
        return _by_rank(image, lambda: _shaped_as(image, reverse(image, [axis])), lambda: reverse(image, [axis + 1]))


def flip_left_right(image: Any) -> Any:
    """An image [height, width, channels], or a batch, mirrored left to right."""
    return _flip(image, 1, "flip_left_right")


def flip_up_down(image: Any) -> Any:
    """An image [height, width, channels], or a batch, mirrored upside down."""
    return _flip(image, 0, "flip_up_down")


def _random_flip(image: Any, axis: int, seed: int | None, name: str) -> Any:
    with opened(None, name, image) as (b, scope):
        image = checked(b.convert(image, name="image"))

        def one() -> Any:
            mirrored = b.Less(random_uniform([], 0, 1.0, seed=seed), 0.5)
            return _shaped_as(image, cond(mirrored, lambda: reverse(image, [axis]), lambda: image, name=scope))

        def batch() -> Any:
            count = shape(image)[0]
            drawn = random_uniform([count], 0, 1.0, seed=seed)
            flips = cast(round_(reshape(drawn, [count, 1, 1, 1])), image.dtype)
            flipped = reverse(image, [axis + 1])
            return flips * flipped + (1 - flips) * image

        return _by_rank(image, one, batch)


def random_flip_left_right(image: Any, seed: int | None = None) -> Any:
    """`flip_left_right` or not, at random; each image of a batch for itself."""
    return _random_flip(image, 1, seed, "random_flip_left_right")


def random_flip_up_down(image: Any, seed: int | None = None) -> Any:
    """`flip_up_down` or not, at random; each image of a batch for itself."""
    return _random_flip(image, 0, seed, "random_flip_up_down")


def transpose(image: Any, name: str | None = None) -> Any:
    """Height and width exchanged."""
    with opened(name, "transpose", image) as (b, _):
        image = checked(b.convert(image, name="image"))
        return _by_rank(
            image,
            lambda: transpose_dims(image, [1, 0, 2], name=name),
            lambda: transpose_dims(image, [0, 2, 1, 3], name=name),
        )


transpose_image = transpose


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Any:
    """Turned by 90 degrees, `k` times, against the clock."""
    with opened(name, "rot90", image, k) as (b, scope):
        image = checked(b.convert(image, name="image"))
        k = b.convert(k, dtypes.int32, name="k")
        k.shape.assert_has_rank(0)
        k = b.op("FloorMod", k, 4, name="mod")
        return _by_rank(
            image,
            lambda: _turned(image, k, scope, (0, 1), [1, 0, 2]),
            lambda: _turned(image, k, scope, (1, 2), [0, 2, 1, 3]),
        )


def _turned(image: Any, k: Any, scope: str, axes: tuple[int, int], order: list[int]) -> Any:
    columns = axes[1]
    cases = [
        (equal(k, 1), lambda: transpose_dims(reverse(image, [columns]), order)),
        (equal(k, 2), lambda: reverse(image, list(axes))),
        (equal(k, 3), lambda: reverse(transpose_dims(image, order), [columns])),
    ]
    result = case(cases, default=lambda: image, exclusive=True, name=scope)
    sizes = list(image.shape.sizes or [None] * len(order))
    sizes[axes[0]] = sizes[axes[1]] = None
    result.set_shape(sizes)
    return result


# Cropped and padded


def central_crop(image: Any, central_fraction: Any) -> Any:
    """The middle part, `central_fraction` of the height and width. ValueError unless that is in (0, 1]."""
    with opened(None, "central_crop", image) as (b, _):
        image = b.convert(image, name="image")
        fraction = constant_value(central_fraction) if isinstance(central_fraction, Tensor) else central_fraction
        if fraction is None:
            inside = b.LogicalOr(central_fraction > 0.0, central_fraction <= 1.0)
            image = with_dependencies(demand(inside, "central_fraction must be within (0, 1]"), image)
        elif not 0.0 < fraction <= 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        elif fraction == 1.0:
            return image
        checked(image)
        ndims = image.shape.rank
        if ndims not in (3, 4):
            raise ValueError(f"`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = {ndims}.")
        first = ndims - 3
        sizes = image.shape.as_list()

        # TensorFlow asks for both sizes first, then cuts.
        lengths = [shape(image)[i] if sizes[i] is None else sizes[i] for i in (first, first + 1)]
        starts = []
        for length in lengths:
            if fraction is None or is_tensor(length):
                whole = cast(length, dtypes.float64)
                starts.append(cast((whole - whole * cast(central_fraction, dtypes.float64)) / 2, dtypes.int32))
            else:
                starts.append(int((float(length) - float(length) * fraction) / 2))
        kept = [length - start * 2 for length, start in zip(lengths, starts, strict=True)]
        outer = [0] * first
        begin = stack([*outer, *starts, 0])
        size = stack([*([-1] * first), *kept, -1])
        image = slice_(image, begin, size)
        image.set_shape([*sizes[:first], *known_sizes(*kept).as_list(), sizes[-1]])
        return image


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """Rows and columns of zeros around, so that the image begins at the offsets and the whole has the target's size.

    raises  ValueError where that does not fit; where sizes are tensors, the run fails
    """
    with opened(None, "pad_to_bounding_box", image) as (b, _):
        image, was_batch = as_batch(b.convert(image, name="image"))
        batch, height, width, depth = dimensions(image, 4)
        right = target_width - offset_width - width
        below = target_height - offset_height - height
        checks = image_checks(image)
        checks += demand(offset_height >= 0, "offset_height must be >= 0")
        checks += demand(offset_width >= 0, "offset_width must be >= 0")
        checks += demand(right >= 0, "width must be <= target - offset")
        checks += demand(below >= 0, "height must be <= target - offset")
        image = with_dependencies(checks, image)
        paddings = reshape(stack([0, 0, offset_height, below, offset_width, right, 0, 0]), [4, 2])
        padded = pad(image, paddings)
        padded.set_shape(known_sizes(batch, target_height, target_width, depth))
        return as_before(padded, was_batch)


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """The part of the target's size that begins at the offsets.

    raises  ValueError where that does not fit; where sizes are tensors, the run fails
    """
    with opened(None, "crop_to_bounding_box", image) as (b, _):
        image, was_batch = as_batch(b.convert(image, name="image"))
        checks = image_checks(image)
        batch, height, width, depth = dimensions(image, 4)
        checks += demand(offset_width >= 0, "offset_width must be >= 0.")
        checks += demand(offset_height >= 0, "offset_height must be >= 0.")
        checks += demand(target_width > 0, "target_width must be > 0.")
        checks += demand(target_height > 0, "target_height must be > 0.")
        checks += demand(width >= target_width + offset_width, "width must be >= target + offset.")
        checks += demand(height >= target_height + offset_height, "height must be >= target + offset.")
        image = with_dependencies(checks, image)
        begin = stack([0, offset_height, offset_width, 0])
        size = stack([shape(image)[0], target_height, target_width, shape(image)[3]])
        cropped = slice_(image, begin, size)
        cropped.set_shape(known_sizes(batch, target_height, target_width, depth))
        return as_before(cropped, was_batch)


def _larger(x: Any, y: Any) -> Any:
    return on(x, y).Maximum(x, y) if is_tensor(x) or is_tensor(y) else max(x, y)


def _smaller(x: Any, y: Any) -> Any:
    return on(x, y).Minimum(x, y) if is_tensor(x) or is_tensor(y) else min(x, y)


def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Any:
    """The target's size, cut or padded with zeros evenly on both sides. ValueError for a size that is not positive."""
    with opened(None, "resize_image_with_crop_or_pad", image) as (b, _):
        image, was_batch = as_batch(b.convert(image, name="image"))
        checks = image_checks(image)
        checks += demand(target_width > 0, "target_width must be > 0.")
        checks += demand(target_height > 0, "target_height must be > 0.")
        image = with_dependencies(checks, image)
        if is_tensor(target_height):
            target_height = with_dependencies(checks, target_height)
        if is_tensor(target_width):
            target_width = with_dependencies(checks, target_width)
        _, height, width, _ = dimensions(image, 4)
        wider = target_width - width
        cut_left, pad_left = _larger(-wider // 2, 0), _larger(wider // 2, 0)
        higher = target_height - height
        cut_above, pad_above = _larger(-higher // 2, 0), _larger(higher // 2, 0)
        cropped = crop_to_bounding_box(
            image, cut_above, cut_left, _smaller(target_height, height), _smaller(target_width, width)
        )
        resized = pad_to_bounding_box(cropped, pad_above, pad_left, target_height, target_width)
        _, height, width, _ = dimensions(resized, 4)

        def same(x: Any, y: Any) -> Any:
            return equal(x, y) if is_tensor(x) or is_tensor(y) else x == y

        checks = demand(same(height, target_height), "resized height is not correct.")
        checks += demand(same(width, target_width), "resized width is not correct.")
        return as_before(with_dependencies(checks, resized), was_batch)


resize_with_crop_or_pad = resize_image_with_crop_or_pad
