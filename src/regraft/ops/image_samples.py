"""Random crops that see enough of given boxes, as TensorFlow draws them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.random import Rng, SingleSamples, stateless_state
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, with_rank

F = np.float32
Box = tuple[int, int, int, int]
"""y_min, x_min, y_max, x_max in pixels."""


class _Draws:
    """Random numbers one by one."""

    def __init__(self, key: Any, counter: Any) -> None:
        self._samples = SingleSamples(key, counter)

    def bits(self) -> int:
        return int(self._samples.take(1)[0])

    def fraction(self) -> Any:
        """A float32 in [0, 1)."""
        word = np.uint32((127 << 23) | (self.bits() & 0x7FFFFF))
        return word.view(F) - F(1)

    def below(self, count: int) -> int:
        """A number below `count`, all equally likely."""
        if count & (count - 1) == 0:
            return self.bits() & (count - 1)
        least = ((1 << 32) - 1) % count + 1
        while True:
            word = self.bits()
            if word >= least:
                return word % count


def _round(value: Any) -> int:
    return int(np.rint(F(value)))


def _crop(width: int, height: int, area_range: tuple[float, float], aspect: Any, draws: _Draws) -> Box | None:
    """A crop of this aspect ratio whose area is in range; None where there is none."""
    low, high = F(area_range[0]), F(area_range[1])
    if high <= 0 or aspect <= 0 or width <= 0 or height <= 0 or low > high:
        return None
    least, most = low * F(width) * F(height), high * F(width) * F(height)
    tall, tallest = _round(np.sqrt(least / aspect)), _round(np.sqrt(most / aspect))
    if _round(F(tallest) * aspect) > width:
        tallest = int((width + 0.5 - float(F(1e-7))) / float(aspect))
        if _round(F(tallest) * aspect) > width:
            tallest -= 1
    tallest = min(tallest, height)
    tall = min(tall, tallest)
    if tall < tallest:
        tall += draws.below(tallest - tall + 1)
    wide = _round(F(tall) * aspect)
    if F(wide * tall) < least:
        tall += 1
        wide = _round(F(tall) * aspect)
    if F(wide * tall) > most:
        tall -= 1
        wide = _round(F(tall) * aspect)
    area = F(wide * tall)
    if area < least or area > most or wide > width or tall > height or wide <= 0 or tall <= 0:
        return None
    y = draws.below(height - tall) if tall < height else 0
    x = draws.below(width - wide) if wide < width else 0
    return y, x, y + tall, x + wide


def _area(box: Box) -> float:
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))


def _covers(crop: Box, least: float, boxes: list[Box]) -> bool:
    """Whether the crop sees at least that part of one of the boxes."""
    for box in boxes:
        area = _area(box)
        if area < 1:
            continue
        shared = (max(crop[0], box[0]), max(crop[1], box[1]), min(crop[2], box[2]), min(crop[3], box[3]))
        if F(_area(shared)) / F(area) >= F(least):
            return True
    return False


def _sampled(
    image_size: Any,
    bounding_boxes: Any,
    min_object_covered: float,
    aspect_ratio_range: tuple[float, ...],
    area_range: tuple[float, ...],
    max_attempts: int,
    use_image: bool,
    draws: _Draws,
) -> tuple[Any, Any, Any]:
    sizes, boxes = np.asarray(image_size), np.asarray(bounding_boxes)
    if sizes.shape != (3,):
        raise InvalidArgumentError(f"image_size must contain 3 elements, got {list(sizes.shape)}")
    if boxes.ndim != 3 or boxes.shape[2] != 4:
        raise InvalidArgumentError(f"input boxes must have shape [batch, N, 4], got {list(boxes.shape)}")
    height, width = int(sizes[0]), int(sizes[1])
    if height <= 0 or width <= 0:
        raise InvalidArgumentError(f"Image height and width must be positive, got {height} and {width}")
    found = _in_pixels(boxes.reshape(-1, 4), height, width)
    if not found:
        if not use_image:
            raise InvalidArgumentError(
                "No bounding boxes provided as input: give one, or set use_image_if_no_bounding_boxes"
            )
        found = [(0, 0, height, width)]
    first, last = F(aspect_ratio_range[0]), F(aspect_ratio_range[1])
    crop: Box | None = None
    for _ in range(max_attempts):
        aspect = draws.fraction() * (last - first) + first
        tried = _crop(width, height, (area_range[0], area_range[1]), aspect, draws)
        if tried is not None and _covers(tried, min_object_covered, found):
            crop = tried
            break
    y, x, bottom, right = crop or (0, 0, height, width)
    ends = np.array([y, x, bottom, right], F) / np.array([height, width, height, width], F)
    return (
        np.array([y, x, 0], sizes.dtype),
        np.array([bottom - y, right - x, -1], sizes.dtype),
        ends.reshape(1, 1, 4),
    )


def _in_pixels(boxes: Any, height: int, width: int) -> list[Box]:
    for row in boxes:
        if not all(0 <= end <= 1 and math.isfinite(end) for end in row) or row[0] > row[2] or row[1] > row[3]:
            raise InvalidArgumentError(
                f"All bounding box coordinates must be in [0.0, 1.0] and in order: {row.tolist()}"
            )
    scale = np.array([height, width, height, width], F)
    out = []
    for row in boxes.astype(F) * scale:
        y, x, bottom, right = (int(end) for end in row)
        out.append((y, x, bottom, right))
    return out


def _shape(c: ShapeContext) -> list[Sizes]:
    merge_dim(c, with_rank(c, c.input(0), 1)[0], 3)
    merge_dim(c, with_rank(c, c.input(1), 3)[2], 4)
    return [(3,), (3,), (1, 1, 4)]


@op("SampleDistortedBoundingBox", shape=_shape, runs=Runs.HOST, random=True, no_gradient="positions")
def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    *,
    min_object_covered: float,
    aspect_ratio_range: tuple[float, ...],
    area_range: tuple[float, ...],
    max_attempts: int,
    use_image_if_no_bounding_boxes: bool,
    rng: Rng,
) -> Any:
    """(begin, size, box) of a random crop, for `slice` and for drawing.

    raises  InvalidArgumentError without boxes, unless the whole image may stand for one; for boxes out of order
    """
    return _sampled(
        image_size,
        bounding_boxes,
        min_object_covered,
        aspect_ratio_range,
        area_range,
        max_attempts,
        use_image_if_no_bounding_boxes,
        _Draws(rng.key, rng.reserve(max_attempts)),
    )


@op("SampleDistortedBoundingBoxV2", shape=_shape, runs=Runs.HOST, random=True, no_gradient="positions")
def sample_distorted_bounding_box_v2(
    image_size: Any,
    bounding_boxes: Any,
    min_object_covered: Any,
    *,
    aspect_ratio_range: tuple[float, ...],
    area_range: tuple[float, ...],
    max_attempts: int,
    use_image_if_no_bounding_boxes: bool,
    rng: Rng,
) -> Any:
    """SampleDistortedBoundingBox with a tensor for the least part of a box that must be seen."""
    return _sampled(
        image_size,
        bounding_boxes,
        float(min_object_covered),
        aspect_ratio_range,
        area_range,
        max_attempts,
        use_image_if_no_bounding_boxes,
        _Draws(rng.key, rng.reserve(max_attempts)),
    )


@op("StatelessSampleDistortedBoundingBox", shape=_shape, runs=Runs.HOST, no_gradient="positions")
def stateless_sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    min_object_covered: Any,
    seed: Any,
    *,
    aspect_ratio_range: tuple[float, ...],
    area_range: tuple[float, ...],
    max_attempts: int,
    use_image_if_no_bounding_boxes: bool,
) -> Any:
    """SampleDistortedBoundingBox from the two numbers of `seed`."""
    return _sampled(
        image_size,
        bounding_boxes,
        float(min_object_covered),
        aspect_ratio_range,
        area_range,
        max_attempts,
        use_image_if_no_bounding_boxes,
        _Draws(*stateless_state(np.asarray(seed))),
    )
