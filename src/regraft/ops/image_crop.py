"""Cutting boxes out of images and resizing them, and the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, lax, namespace, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, same_as, with_rank


def _crop_shape(c: ShapeContext) -> list[Sizes]:
    image, boxes, index = with_rank(c, c.input(0), 4), with_rank(c, c.input(1), 2), with_rank(c, c.input(2), 1)
    count = merge_dim(c, boxes[0], index[0])
    merge_dim(c, boxes[1], 4)
    with_rank(c, c.input(3), 1)
    size = c.value(3)
    height, width = (None, None) if size is None else (int(size[0]), int(size[1]))
    return [(count, height, width, image[3])]


def _axis(low: Any, high: Any, size: int, crop: int) -> Any:
    """Where the cells of the crop lie on an axis of the image: [boxes, crop] float32."""
    xp = namespace(low, high)
    last = np.float32(size - 1)
    if crop > 1:
        steps = np.float32(crop - 1)
        if xp is not np:
            # Kept from XLA, which would multiply by the inverse: the last cell of a whole image must not fall outside.
            steps = lax.optimization_barrier(lax.full(low.shape, steps, np.float32))
        step = (high - low) * last / steps
        return (low * last)[:, None] + xp.arange(crop, dtype=np.float32) * step[:, None]
    return (np.float32(0.5) * (low + high) * last)[:, None]


class _Samples:
    """The cells around each sample of the crops, and its place among them."""

    def __init__(self, sizes: tuple[int, ...], boxes: Any, index: Any, crop: tuple[int, ...]) -> None:
        xp = self.xp = namespace(boxes, index)
        batch, self.height, self.width, self.depth = sizes
        count = static_shape(boxes)[0]
        if static_shape(boxes) != (count, 4) or static_shape(index) != (count,):
            raise InvalidArgumentError(
                f"boxes must be [n, 4] and box_index [n], "
                f"got {list(static_shape(boxes))} and {list(static_shape(index))}"
            )
        if min(crop) <= 0 or min(self.height, self.width) <= 0:
            raise InvalidArgumentError(f"crop dimensions and image dimensions must be positive, got {crop} and {sizes}")
        if on_host(index) and np.any((index < 0) | (index >= batch)):
            raise InvalidArgumentError(f"box_index has values outside [0, {batch}): {index.tolist()}")
        self.y, self.x = (
            _axis(boxes[:, a], boxes[:, a + 2], n, c)
            for a, n, c in ((0, self.height, crop[0]), (1, self.width, crop[1]))
        )
        inside_y = (self.y >= 0) & (self.y <= np.float32(self.height - 1))
        inside_x = (self.x >= 0) & (self.x <= np.float32(self.width - 1))
        self.inside = (inside_y[:, :, None] & inside_x[:, None, :])[..., None]
        self.box = xp.clip(index, 0, max(batch - 1, 0))[:, None, None]

    def cells(self, at: Any, size: int) -> Any:
        """Positions as cell numbers, on the axis."""
        return self.xp.clip(at, np.float32(0), np.float32(size - 1)).astype(np.int32)

    def corners(self) -> tuple[Any, Any, Any, Any, Any, Any]:
        """Rows above and below, columns left and right, and the distances from above and left."""
        xp = self.xp
        top, left = xp.floor(self.y), xp.floor(self.x)
        rows = [self.cells(v, self.height)[:, :, None] for v in (top, xp.ceil(self.y))]
        columns = [self.cells(v, self.width)[:, None, :] for v in (left, xp.ceil(self.x))]
        return (*rows, *columns, (self.y - top)[:, :, None, None], (self.x - left)[:, None, :, None])

    def nearest(self) -> tuple[Any, Any]:
        """The nearest rows and columns; halves go away from 0."""
        half = np.float32(0.5)
        rows, columns = self.xp.floor(self.y + half), self.xp.floor(self.x + half)
        return self.cells(rows, self.height)[:, :, None], self.cells(columns, self.width)[:, None, :]


@op("CropAndResize", shape=_crop_shape, static="crop_size")
@quiet
def crop_and_resize(
    image: Any, boxes: Any, box_ind: Any, crop_size: Any, *, method: bytes, extrapolation_value: float
) -> Any:
    """Cut boxes out of images and resize each to crop_size.

    image      [batch, height, width, depth]
    boxes      [n, 4] y1, x1, y2, x2, where 0 and 1 are the first and last row or column
    box_ind    [n] the image that each box is cut from
    crop_size  [2] height and width
    returns    float32 [n, height, width, depth]; extrapolation_value outside of the image
    raises     InvalidArgumentError for a box_ind out of range
    differs    a compiled program clamps box_ind
    """
    s = _Samples(static_shape(image), boxes, box_ind, (int(crop_size[0]), int(crop_size[1])))
    xp = namespace(image, boxes, box_ind)
    if method == b"nearest":
        rows, columns = s.nearest()
        found = image[s.box, rows, columns].astype(np.float32)
    else:
        top, bottom, left, right, down, along = s.corners()

        def at(rows: Any, columns: Any) -> Any:
            return image[s.box, rows, columns].astype(np.float32)

        above = at(top, left) + (at(top, right) - at(top, left)) * along
        below = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * along
        found = above + (below - above) * down
    return xp.where(s.inside, found, np.float32(extrapolation_value))


@crop_and_resize.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    image, boxes, index, _ = node.inputs
    sizes = image.shape.as_list() if image.shape.known else b.shape(image)
    to_image = None
    if image.dtype.base in (dtypes.float16, dtypes.float32, dtypes.float64):
        to_image = b.CropAndResizeGradImage(
            dy, boxes, index, sizes, T=node.get_attr("T"), method=node.get_attr("method")
        )
    return [to_image, b.CropAndResizeGradBoxes(dy, image, boxes, index), None, None]


@op("CropAndResizeGradImage", shape=lambda c: [with_rank(c, c.sizes(3), 4)], static="image_size")
@quiet
def crop_and_resize_grad_image(grads: Any, boxes: Any, box_ind: Any, image_size: Any, *, method: bytes, T: Any) -> Any:
    """The gradient of CropAndResize towards images of shape `image_size`."""
    sizes = tuple(int(n) for n in image_size)
    s = _Samples(sizes, boxes, box_ind, static_shape(grads)[1:3])
    xp, dtype = namespace(grads, boxes, box_ind), T.numpy
    kept = xp.where(s.inside, grads, np.float32(0))
    if method == b"nearest":
        parts = [(*s.nearest(), kept)]
    else:
        top, bottom, left, right, down, along = s.corners()
        one = np.float32(1)
        parts = [
            (rows, columns, kept * (v * h))
            for rows, v in ((top, one - down), (bottom, down))
            for columns, h in ((left, one - along), (right, along))
        ]
    wide = np.float64 if dtype == np.float64 else np.float32
    out = xp.zeros(sizes, wide)
    for rows, columns, part in parts:
        if xp is np:
            np.add.at(out, (s.box, rows, columns), part.astype(wide))
        else:
            out = jnp.asarray(out).at[s.box, rows, columns].add(part.astype(wide))
    return out.astype(dtype)


@op("CropAndResizeGradBoxes", shape=same_as(2))
@quiet
def crop_and_resize_grad_boxes(grads: Any, image: Any, boxes: Any, box_ind: Any) -> Any:
    """The gradient of bilinear CropAndResize towards its boxes."""
    crop = static_shape(grads)[1:3]
    s = _Samples(static_shape(image), boxes, box_ind, crop)
    xp = namespace(grads, image, boxes, box_ind)
    top, bottom, left, right, down, along = s.corners()
    one = np.float32(1)
    corner = {
        (i, j): image[s.box, rows, columns].astype(np.float32)
        for i, rows in enumerate((top, bottom))
        for j, columns in enumerate((left, right))
    }
    by_y = (one - along) * (corner[1, 0] - corner[0, 0]) + along * (corner[1, 1] - corner[0, 1])
    by_x = (one - down) * (corner[0, 1] - corner[0, 0]) + down * (corner[1, 1] - corner[1, 0])
    by_y, by_x = (xp.sum(xp.where(s.inside, g * grads, np.float32(0)), -1) for g in (by_y, by_x))
    ends = []
    for slope, axis, size, cells in ((by_y, 1, s.height, crop[0]), (by_x, 2, s.width, crop[1])):
        last = np.float32(size - 1)
        if cells > 1:
            at = np.arange(cells, dtype=np.float32) * (last / np.float32(cells - 1))
        else:
            at = np.full(1, 0.5, np.float32) * last
        along_axis = xp.sum(slope, 3 - axis)
        ends.append((xp.sum(along_axis * (last - at), 1), xp.sum(along_axis * at, 1)))
    (y1, y2), (x1, x2) = ends
    return xp.stack([y1, x1, y2, x2], 1).astype(np.float32)
