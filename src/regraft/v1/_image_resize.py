"""Images in other sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.opkit.constant import constant_sizes
from regraft.v1._array import expand_dims
from regraft.v1._graph_control import with_dependencies
from regraft.v1._image_checks import as_batch, as_before, demand, dimensions, image_checks, is_tensor
from regraft.v1._image_geometry import pad_to_bounding_box
from regraft.v1._math import cast, floor
from regraft.v1._math import round as round_
from regraft.v1._opening import on, opened

__all__ = [
    "ResizeMethod",
    "resize",
    "resize_bicubic",
    "resize_bilinear",
    "resize_image_with_pad",
    "resize_images",
    "resize_nearest_neighbor",
]


class ResizeMethod:
    """How `resize_images` finds values between pixels."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_OPS = {
    0: "ResizeBilinear",
    1: "ResizeNearestNeighbor",
    2: "ResizeBicubic",
    3: "ResizeArea",
    "bilinear": "ResizeBilinear",
    "nearest": "ResizeNearestNeighbor",
    "bicubic": "ResizeBicubic",
    "area": "ResizeArea",
}


def resize_images(
    images: Any,
    size: Any,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
) -> Any:
    """Images [batch, height, width, channels], or one without the batch, in the size [height, width].

    method                 of ResizeMethod
    align_corners          whether the centres of the corner pixels stay where they are
    preserve_aspect_ratio  whether `size` is a limit, within which the image keeps its form
    returns                float32, but for the nearest neighbour; the images themselves where the size is theirs
    raises                 ValueError for other ranks, sizes that are no pair, and unknown methods
    """
    if method not in _OPS:
        raise ValueError(f"Resize method is not implemented: {method}")
    with opened(name, "resize", images, size) as (b, _):
        images = b.convert(images, name="images")
        ndims = images.shape.rank
        if ndims is None:
            raise ValueError("'images' contains no shape.")
        if ndims not in (3, 4):
            raise ValueError("'images' must have either 3 or 4 dimensions.")
        if ndims == 3:
            images = expand_dims(images, 0)
        try:
            size = b.convert(size, dtypes.int32, name="size")
        except (TypeError, ValueError) as e:
            raise ValueError("'size' must be a 1-D int32 Tensor") from e
        if not size.shape.is_compatible_with([2]):
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
        if preserve_aspect_ratio:
            size = _within(b, images, size)
        new = constant_sizes(size) or (None, None)
        if None in new or new != tuple(images.shape.as_list()[1:3]):
            images = b.op(_OPS[method], images, size, align_corners=align_corners)
            images.set_shape([None, *new, None])
        return as_before(images, ndims == 4)


resize = resize_images


def _within(b: Any, images: Any, size: Any) -> Any:
    """The largest size within `size` in which images keep their form."""
    _, height, width, _ = dimensions(images, 4)
    by_height = cast(size[0], dtypes.float32) / cast(height, dtypes.float32)
    by_width = cast(size[1], dtypes.float32) / cast(width, dtypes.float32)
    factor = b.Minimum(by_height, by_width)
    found = [cast(round_(factor * cast(old, dtypes.float32)), dtypes.int32) for old in (height, width)]
    return b.convert(found, dtypes.int32, name="size")


def resize_image_with_pad(
    image: Any,
    target_height: Any,
    target_width: Any,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
) -> Any:
    """Resized to fit into the target's size in its own form, and padded with zeros evenly on both sides."""
    with opened(None, "resize_image_with_pad", image) as (b, _):
        image, was_batch = as_batch(b.convert(image, name="image"))
        checks = image_checks(image)
        checks += demand(target_width > 0, "target_width must be > 0.")
        checks += demand(target_height > 0, "target_height must be > 0.")
        image = with_dependencies(checks, image)

        def larger(x: Any, y: Any) -> Any:
            return on(x, y).Maximum(x, y) if is_tensor(x) or is_tensor(y) else max(x, y)

        _, height, width, _ = dimensions(image, 4)
        high, wide, to_high, to_wide = (cast(v, dtypes.float32) for v in (height, width, target_height, target_width))
        ratio = larger(wide / to_wide, high / to_high)
        new_high, new_wide = high / ratio, wide / ratio
        size = [cast(floor(new_high), dtypes.int32), cast(floor(new_wide), dtypes.int32)]
        above, left = (to_high - new_high) / 2, (to_wide - new_wide) / 2
        above, left = floor(above), floor(left)
        above, left = larger(0, cast(above, dtypes.int32)), larger(0, cast(left, dtypes.int32))
        resized = resize_images(image, size, method, align_corners=align_corners)
        padded = pad_to_bounding_box(resized, above, left, target_height, target_width)
        dimensions(padded, 4)
        return as_before(padded, was_batch)


def _resizer(op_type: str, doc: str) -> Callable[..., Any]:
    def function(
        images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
    ) -> Any:
        return on(images, size).op(
            op_type, images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
        )

    function.__doc__ = doc
    return function


resize_bicubic = _resizer("ResizeBicubic", "A batch in the size [height, width], by bicubic interpolation.")
resize_bilinear = _resizer("ResizeBilinear", "A batch in the size [height, width], by bilinear interpolation.")
resize_nearest_neighbor = _resizer("ResizeNearestNeighbor", "A batch in the size [height, width], by nearest pixels.")
