"""Boxes on images: suppression of those that overlap better ones, and drawing.

Boxes are y1, x1, y2, x2; two opposite corners in any order. How many survive depends on values: suppression runs on the
host.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, same_as, with_rank

Array = np.ndarray[Any, Any]
# Of boxes with others, by index, as one array of indices takes another: shapes broadcast.
Similarity = Callable[[Any, Array], Array]
# The best boxes that are compared with each other at once.
_AT_ONCE = 64


def overlaps(boxes: Array) -> Similarity:
    """Intersection over union of boxes with others; 0 where either is empty."""
    ends = boxes.astype(np.float32).reshape(-1, 2, 2)
    top, left = np.minimum(ends[:, 0], ends[:, 1]).T.copy()
    bottom, right = np.maximum(ends[:, 0], ends[:, 1]).T.copy()
    area = (bottom - top) * (right - left)

    def iou(i: Any, others: Array) -> Array:
        height = np.minimum(bottom[i], bottom[others]) - np.maximum(top[i], top[others])
        width = np.minimum(right[i], right[others]) - np.maximum(left[i], left[others])
        shared = np.maximum(height, 0) * np.maximum(width, 0)
        union = area[i] + area[others] - shared
        real = (area[i] > 0) & (area[others] > 0)
        return np.where(real, shared / np.where(real, union, 1), 0)

    return iou


def suppress(
    similarity: Similarity, scores: Array, most: int, limit: float, least: float, sigma: float = 0.0
) -> tuple[list[int], list[float]]:
    """The boxes that remain, best first, and their scores.

    limit  similarity above which the worse of two boxes goes, unless sigma is above 0
    least  a box remains if its score is above this
    sigma  above 0, scores fall instead, by exp(-similarity^2 / (2 sigma)) (Bodla et al. 2017)
    """
    wide = scores.astype(np.float32)
    if sigma > 0:
        return _lower(similarity, wide, most, least, sigma)
    kept = _best(similarity, wide, most, limit, least)
    return kept, wide[kept].tolist()


def _best(similarity: Similarity, scores: Array, most: int, limit: float, least: float) -> list[int]:
    """The boxes that remain where those that are too similar to a better one go."""
    above = np.flatnonzero(scores > least)
    order = above[np.argsort(-scores[above], kind="stable")]
    kept: list[int] = []
    for start in range(0, len(order), _AT_ONCE):
        if len(kept) >= most:
            break
        some = order[start : start + _AT_ONCE]
        if kept:
            some = some[~np.any(similarity(some[:, None], np.array(kept)) > limit, axis=1)]
        # A row for each box: what it makes go.
        near = (similarity(some[:, None], some) > limit).T
        gone = np.zeros(len(some), bool)
        for place, box in enumerate(some.tolist()):
            if not gone[place] and len(kept) < most:
                kept.append(box)
                gone |= near[place]
    return kept


def _lower(
    similarity: Similarity, scores: Array, most: int, least: float, sigma: float
) -> tuple[list[int], list[float]]:
    """The boxes that remain where scores fall, and their scores then."""
    queue = [(-float(s), i, 0) for i, s in enumerate(scores) if s > least]
    heapq.heapify(queue)
    kept: list[int] = []
    kept_scores: list[float] = []
    while queue and len(kept) < most:
        negative, i, start = heapq.heappop(queue)
        score = before = -negative
        for s in similarity(i, np.array(kept[start:][::-1], np.int64)):
            score *= float(np.exp(np.float32(-0.5 / sigma) * s * s))
            if score <= least:
                break
        if score == before:
            kept.append(i)
            kept_scores.append(score)
        elif score > least:
            heapq.heappush(queue, (-score, i, len(kept)))
    return kept, kept_scores


def _check(boxes: Array, scores: Array, most: Any, limit: Any) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InvalidArgumentError(f"boxes must be [n, 4], got {list(boxes.shape)}")
    if scores.shape != boxes.shape[:1]:
        raise InvalidArgumentError(f"scores has incompatible shape: {list(scores.shape)} for {len(boxes)} boxes")
    if most < 0:
        raise InvalidArgumentError(f"max_output_size must be non-negative, got {int(most)}")
    if not 0 <= limit <= 1:
        raise InvalidArgumentError(f"iou_threshold must be in [0, 1], got {limit}")


def _boxes_shape(c: ShapeContext, scalars: int) -> None:
    boxes, scores = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 1)
    merge_dim(c, boxes[0], scores[0])
    merge_dim(c, boxes[1], 4)
    for i in range(2, 2 + scalars):
        with_rank(c, c.input(i), 0)


def _one_list(scalars: int) -> Any:
    def rule(c: ShapeContext) -> list[Sizes]:
        _boxes_shape(c, scalars)
        return [(None,)]

    return rule


def _padded_size(c: ShapeContext) -> int | None:
    value = c.value(2)
    return int(value) if c.attr("pad_to_max_output_size") and value is not None else None


@op("NonMaxSuppression", shape=_one_list(1), runs=Runs.HOST, no_gradient="indices")
def non_max_suppression(boxes: Any, scores: Any, max_output_size: Any, *, iou_threshold: float) -> Any:
    """The indices of the best boxes of which no two overlap by more than iou_threshold, best first.

    boxes    [n, 4]
    scores   [n]
    returns  int32 [at most max_output_size]
    """
    _check(boxes, scores, max_output_size, iou_threshold)
    kept, _ = suppress(overlaps(boxes), scores, int(max_output_size), iou_threshold, -np.inf)
    return np.array(kept, np.int32)


@op("NonMaxSuppressionV2", shape=_one_list(2), runs=Runs.HOST, no_gradient="indices")
def non_max_suppression_v2(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any) -> Any:
    """NonMaxSuppression with the threshold as an input."""
    _check(boxes, scores, max_output_size, iou_threshold)
    kept, _ = suppress(overlaps(boxes), scores, int(max_output_size), float(iou_threshold), -np.inf)
    return np.array(kept, np.int32)


@op("NonMaxSuppressionV3", shape=_one_list(3), runs=Runs.HOST, no_gradient="indices")
def non_max_suppression_v3(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any, score_threshold: Any
) -> Any:
    """NonMaxSuppressionV2 for boxes with scores above score_threshold."""
    _check(boxes, scores, max_output_size, iou_threshold)
    limits = float(iou_threshold), float(score_threshold)
    return np.array(suppress(overlaps(boxes), scores, int(max_output_size), *limits)[0], np.int32)


def _padded(values: Any, size: int, pad: bool, dtype: Any) -> Array:
    out = np.zeros(size if pad else len(values), dtype)
    out[: len(values)] = values
    return out


def _v4_shape(c: ShapeContext) -> list[Sizes]:
    _boxes_shape(c, 3)
    return [(_padded_size(c),), ()]


@op("NonMaxSuppressionV4", shape=_v4_shape, runs=Runs.HOST, no_gradient="indices")
def non_max_suppression_v4(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any,
    score_threshold: Any,
    *,
    pad_to_max_output_size: bool,
) -> Any:
    """NonMaxSuppressionV3, filled up with 0 if so asked, and the number of boxes that are real."""
    _check(boxes, scores, max_output_size, iou_threshold)
    most = int(max_output_size)
    kept, _ = suppress(overlaps(boxes), scores, most, float(iou_threshold), float(score_threshold))
    return _padded(kept, most, pad_to_max_output_size, np.int32), np.asarray(len(kept), np.int32)


def _v5_shape(c: ShapeContext) -> list[Sizes]:
    _boxes_shape(c, 4)
    return [(_padded_size(c),), (_padded_size(c),), ()]


@op("NonMaxSuppressionV5", shape=_v5_shape, runs=Runs.HOST, no_gradient="indices")
def non_max_suppression_v5(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any,
    score_threshold: Any,
    soft_nms_sigma: Any,
    *,
    pad_to_max_output_size: bool,
) -> Any:
    """NonMaxSuppressionV4 that can lower scores where boxes overlap, and returns them."""
    _check(boxes, scores, max_output_size, iou_threshold)
    if soft_nms_sigma < 0:
        raise InvalidArgumentError(f"soft_nms_sigma_val must be >= 0, got {soft_nms_sigma}")
    most, limits = int(max_output_size), (float(iou_threshold), float(score_threshold), float(soft_nms_sigma))
    kept, kept_scores = suppress(overlaps(boxes), scores, most, *limits)
    return (
        _padded(kept, most, pad_to_max_output_size, np.int32),
        _padded(kept_scores, most, pad_to_max_output_size, scores.dtype),
        np.asarray(len(kept), np.int32),
    )


def _given_shape(c: ShapeContext) -> list[Sizes]:
    table, scores = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 1)
    merge_dim(c, merge_dim(c, table[0], table[1]), scores[0])
    for i in (2, 3, 4):
        with_rank(c, c.input(i), 0)
    return [(None,)]


@op("NonMaxSuppressionWithOverlaps", shape=_given_shape, runs=Runs.HOST, no_gradient="indices")
def non_max_suppression_with_overlaps(
    overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any, score_threshold: Any
) -> Any:
    """NonMaxSuppressionV3 with a matrix [n, n] of overlaps in place of boxes."""
    if overlaps.shape != (len(scores), len(scores)):
        raise InvalidArgumentError(f"overlaps must be square and fit {len(scores)} scores, got {list(overlaps.shape)}")
    limits = float(overlap_threshold), float(score_threshold)
    kept, _ = suppress(lambda i, others: overlaps[i, others], scores, int(max_output_size), *limits)
    return np.array(kept, np.int32)


def _combined_shape(c: ShapeContext) -> list[Sizes]:
    boxes, scores = with_rank(c, c.input(0), 4), with_rank(c, c.input(1), 3)
    batch = merge_dim(c, boxes[0], scores[0])
    merge_dim(c, boxes[1], scores[1])
    merge_dim(c, boxes[3], 4)
    each, total = c.value(2), c.value(3)
    count = None if total is None else int(total)
    if c.attr("pad_per_class"):
        classes = scores[2]
        if total is None or each is None or classes is None:
            count = None
        else:
            count = min(int(total), int(each) * classes)
    return [(batch, count, 4), (batch, count), (batch, count), (batch,)]


@op("CombinedNonMaxSuppression", shape=_combined_shape, runs=Runs.HOST, no_gradient="a choice")
def combined_non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any,
    score_threshold: Any,
    *,
    pad_per_class: bool,
    clip_boxes: bool,
) -> Any:
    """NonMaxSuppressionV3 for each class of each image, the best of all classes together.

    boxes    [batch, n, q, 4], where q is 1 (boxes for all classes) or the number of classes
    scores   [batch, n, classes]
    returns  [batch, m, 4] boxes, clipped to [0, 1] if so asked; [batch, m] scores; [batch, m] classes as float32;
             [batch] how many are real. m is max_total_size, or with pad_per_class at most what the classes can give
    """
    batch, _, classes = scores.shape
    each, total = int(max_output_size_per_class), int(max_total_size)
    if each <= 0 or total <= 0:
        raise InvalidArgumentError(f"max_size_per_class and max_total_size must be > 0, got {each} and {total}")
    size = min(total, each * classes) if pad_per_class else total
    out = (
        np.zeros((batch, size, 4), np.float32),
        np.zeros((batch, size), np.float32),
        np.zeros((batch, size), np.float32),
    )
    counts = np.zeros(batch, np.int32)
    for image in range(batch):
        found: list[tuple[float, int, int]] = []
        for k in range(classes):
            own = boxes[image, :, min(k, boxes.shape[2] - 1)]
            limits = float(iou_threshold), float(score_threshold)
            kept, kept_scores = suppress(overlaps(own), scores[image, :, k], each, *limits)
            found.extend((score, k, i) for score, i in zip(kept_scores, kept, strict=True))
        found.sort(key=lambda f: -f[0])
        for at, (score, k, i) in enumerate(found[:size]):
            box = boxes[image, i, min(k, boxes.shape[2] - 1)]
            out[0][image, at] = np.clip(box, 0, 1) if clip_boxes else box
            out[1][image, at], out[2][image, at] = score, k
        counts[image] = min(len(found), size)
    return (*out, counts)


# Drawing

# Yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia
_COLOURS = np.array(
    [
        [1, 1, 0, 1],
        [0, 0, 1, 1],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0.5, 0, 0.5, 1],
        [0.5, 0.5, 0, 1],
        [0.5, 0, 0, 1],
        [0, 0, 0.5, 1],
        [0, 1, 1, 1],
        [1, 0, 1, 1],
    ],
    np.float32,
)


def _draw(images: Array, boxes: Array, colours: Array) -> Array:
    if images.ndim != 4 or boxes.ndim != 3 or boxes.shape[2] != 4 or len(images) != len(boxes):
        raise InvalidArgumentError(
            f"images must be [batch, height, width, depth] and boxes [batch, n, 4], "
            f"got {list(images.shape)} and {list(boxes.shape)}"
        )
    _, height, width, depth = images.shape
    if depth == 1:
        colours = np.ones((len(colours), 1), np.float32)
    if colours.ndim != 2 or colours.shape[1] < depth:
        raise InvalidArgumentError(
            f"colors must have equal or more channels than the image provided: {list(colours.shape)} for {depth}"
        )
    out = images.copy()
    scale = np.array([height - 1, width - 1, height - 1, width - 1], np.float32)
    for image, rows in zip(out, boxes, strict=True):
        for number, box in enumerate(rows):
            top, left, bottom, right = (int(v) for v in np.trunc(box * scale))
            if top > bottom or left > right or top >= height or bottom < 0 or left >= width or right < 0:
                continue
            colour = colours[number % len(colours), :depth].astype(images.dtype)
            across, down = (
                slice(max(left, 0), min(right, width - 1) + 1),
                slice(max(top, 0), min(bottom, height - 1) + 1),
            )
            if top >= 0:
                image[top, across] = colour
            if bottom < height:
                image[bottom, across] = colour
            if left >= 0:
                image[down, left] = colour
            if right < width:
                image[down, right] = colour
    return out


def _drawn_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 4)
    return same_as(0)(c)


@op("DrawBoundingBoxes", shape=_drawn_shape, runs=Runs.HOST)
def draw_bounding_boxes(images: Any, boxes: Any) -> Any:
    """Draw the outlines of boxes [batch, n, 4], in [0, 1], on images [batch, height, width, depth], in ten colours."""
    return _draw(images, boxes, _COLOURS)


@op("DrawBoundingBoxesV2", shape=_drawn_shape, runs=Runs.HOST)
def draw_bounding_boxes_v2(images: Any, boxes: Any, colors: Any) -> Any:
    """DrawBoundingBoxes in turn with each of `colors` [m, depth]."""
    return _draw(images, boxes, colors)
