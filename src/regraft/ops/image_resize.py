"""Resizing of images, and the gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.opkit import resampling
from regraft.opkit.arrays import jnp, lax, on_host, static_shape
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank

Matrix = Callable[[int, int], Any]


def _cast(x: Any, dtype: Any) -> Any:
    if x.dtype == dtype:
        return x
    return x.astype(dtype) if on_host(x) else lax.convert_element_type(x, dtype)


def _resized_shape(c: ShapeContext) -> list[Sizes]:
    images = with_rank(c, c.input(0), 4)
    with_rank(c, c.input(1), 1)
    size = c.value(1)
    if size is None:
        return [(images[0], None, None, images[3])]
    if size.shape != (2,):
        raise c.fail(f"Dimension must be 2 but is {size.size}")
    return [(images[0], int(size[0]), int(size[1]), images[3])]


def _sizes(images: Any, size: Any) -> tuple[int, int]:
    if len(static_shape(images)) != 4:
        raise InvalidArgumentError(f"input must be 4-dimensional, got {list(static_shape(images))}")
    if static_shape(size) != (2,):
        raise InvalidArgumentError(f"size must be 1-dimensional with 2 elements, got {list(static_shape(size))}")
    return int(size[0]), int(size[1])


def _along(x: Any, matrix: Any, axis: int) -> Any:
    """The product with a matrix [out, in] along an axis of [batch, height, width, channels]."""
    if matrix.shape[0] == matrix.shape[1] and np.array_equal(matrix, np.eye(matrix.shape[0], dtype=matrix.dtype)):
        return x
    if on_host(x):
        return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    out = lax.dot_general(matrix, x, (((1,), (axis,)), ((), ())), precision=lax.Precision.HIGHEST)
    return lax.transpose(out, (1, 0, 2, 3) if axis == 1 else (1, 2, 0, 3))


def _resize(images: Any, size: Any, matrix: Matrix) -> Any:
    height, width = _sizes(images, size)
    _, in_height, in_width, _ = static_shape(images)
    vertical, horizontal = matrix(in_height, height), matrix(in_width, width)
    x = _cast(images, np.float32)
    # The axis that shrinks goes first: fewer products.
    if width * in_height <= height * in_width:
        return _along(_along(x, horizontal, 2), vertical, 1)
    return _along(_along(x, vertical, 1), horizontal, 2)


def _back(grads: Any, sizes: tuple[int, ...], matrix: Matrix) -> Any:
    """The transpose of `_resize` for images of `sizes`."""
    _, height, width, _ = static_shape(grads)
    wide = grads if grads.dtype.itemsize > 2 and grads.dtype.kind == "f" else _cast(grads, np.float32)
    vertical, horizontal = (m.astype(wide.dtype) for m in (matrix(sizes[1], height), matrix(sizes[2], width)))
    return _along(_along(wide, vertical.T, 1), horizontal.T, 2)


def _like_original(c: ShapeContext) -> list[Sizes]:
    return [c.input(1)]


def _flags(node: Any) -> dict[str, Any]:
    return {name: node.get_attr(name) for name in ("align_corners", "half_pixel_centers")}


@op("ResizeBilinear", shape=_resized_shape, static="size")
def resize_bilinear(images: Any, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    """Resize by bilinear interpolation.

    images   [batch, height, width, channels]
    size     [2] the new height and width
    returns  float32 [batch, new height, new width, channels]
    """
    return _resize(images, size, lambda n, out: resampling.bilinear(n, out, align_corners, half_pixel_centers))


@resize_bilinear.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [b.ResizeBilinearGrad(dy, node.inputs[0], **_flags(node)), None]


@op(
    "ResizeBilinearGrad",
    shape=_like_original,
    metadata="original_image",
    no_gradient="TensorFlow says so",
)
def resize_bilinear_grad(grads: Any, original_image: Any, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    """The gradient of ResizeBilinear towards its images, in their shape and dtype."""
    sizes = static_shape(original_image)
    wide = _cast(grads, np.float64) if original_image.dtype == np.float64 else grads
    back = _back(wide, sizes, lambda n, out: resampling.bilinear(n, out, align_corners, half_pixel_centers))
    return _cast(back, original_image.dtype)


@op("ResizeBicubic", shape=_resized_shape, static="size")
def resize_bicubic(images: Any, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    """Resize by bicubic interpolation; arguments as for ResizeBilinear."""
    return _resize(images, size, lambda n, out: resampling.bicubic(n, out, align_corners, half_pixel_centers))


@resize_bicubic.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    if node.inputs[0].dtype.base not in (dtypes.float32, dtypes.float64):
        return [None, None]
    return [b.ResizeBicubicGrad(dy, node.inputs[0], **_flags(node)), None]


@op("ResizeBicubicGrad", shape=_like_original, metadata="original_image")
def resize_bicubic_grad(grads: Any, original_image: Any, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    """The gradient of ResizeBicubic towards its images, in their shape and dtype."""
    sizes = static_shape(original_image)
    wide = _cast(grads, np.float64) if original_image.dtype == np.float64 else grads
    back = _back(wide, sizes, lambda n, out: resampling.bicubic(n, out, align_corners, half_pixel_centers))
    return _cast(back, original_image.dtype)


@op("ResizeArea", shape=_resized_shape, static="size")
def resize_area(images: Any, size: Any, *, align_corners: bool) -> Any:
    """Resize to the means of the areas that the new cells cover; arguments as for ResizeBilinear."""
    return _resize(images, size, lambda n, out: resampling.area(n, out, align_corners))


def _take(x: Any, cells: Any, axis: int) -> Any:
    size, out = static_shape(x)[axis], len(cells)
    if on_host(x):
        return np.take(x, cells, axis)
    if out == size and np.array_equal(cells, np.arange(size)):
        return x
    times = out // size
    if times * size == out and np.array_equal(cells, np.repeat(np.arange(size), times)):
        shape = (*x.shape[: axis + 1], times, *x.shape[axis + 1 :])
        kept = [*range(axis + 1), *range(axis + 2, x.ndim + 1)]
        return lax.reshape(lax.broadcast_in_dim(x, shape, kept), (*x.shape[:axis], out, *x.shape[axis + 1 :]))
    return jnp.take(x, cells, axis)


@op("ResizeNearestNeighbor", shape=_resized_shape, static="size")
def resize_nearest_neighbor(images: Any, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    """Resize to the nearest cells, in the dtype of the images; arguments as for ResizeBilinear."""
    height, width = _sizes(images, size)
    _, in_height, in_width, _ = static_shape(images)
    rows = resampling.nearest(in_height, height, align_corners, half_pixel_centers)
    columns = resampling.nearest(in_width, width, align_corners, half_pixel_centers)
    return _take(_take(images, rows, 1), columns, 2)


@resize_nearest_neighbor.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    images = node.inputs[0]
    known = images.shape[1:3]
    size = known if known.known else b.shape(images)[1:3]
    return [b.ResizeNearestNeighborGrad(dy, size, **_flags(node)), None]


@op("ResizeNearestNeighborGrad", shape=_resized_shape, static="size")
def resize_nearest_neighbor_grad(grads: Any, size: Any, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    """The gradient of ResizeNearestNeighbor towards images of height and width `size`."""
    height, width = _sizes(grads, size)

    def matrix(n: int, out: int) -> Any:
        cells = resampling.nearest(n, out, align_corners, half_pixel_centers)
        return (cells[:, None] == np.arange(n)).astype(np.float32)

    batch, _, _, channels = static_shape(grads)
    return _cast(_back(grads, (batch, height, width, channels), matrix), grads.dtype)
