"""Boxes in images: drawn, chosen, sampled, cut out; patches and glimpses."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._opening import on, opened, renamed

__all__ = [
    "combined_non_max_suppression",
    "crop_and_resize",
    "draw_bounding_boxes",
    "extract_glimpse",
    "extract_image_patches",
    "extract_patches",
    "non_max_suppression",
    "non_max_suppression_overlaps",
    "non_max_suppression_padded",
    "non_max_suppression_with_scores",
    "sample_distorted_bounding_box",
]

_LOWEST = float("-inf")


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_ind: Any = None,
    crop_size: Any = None,
    method: str = "bilinear",
    extrapolation_value: float = 0,
    name: str | None = None,
    box_indices: Any = None,
) -> Any:
    """Parts of images in one size.

    image      [batch, height, width, channels]
    boxes      [n, 4]: y1, x1, y2, x2, as parts of height and width
    box_ind    [n]: the image of each box
    crop_size  [height, width]
    returns    [n, height, width, channels], float32
    """
    box_ind = renamed("box_indices", box_indices, "box_ind", box_ind)
    return on(image, boxes).CropAndResize(
        image, boxes, box_ind, crop_size, method=method, extrapolation_value=extrapolation_value, name=name
    )


def draw_bounding_boxes(images: Any, boxes: Any, name: str | None = None, colors: Any = None) -> Any:
    """Images with the frames of boxes [batch, n, 4], in colours of their own or [m, channels]."""
    b = on(images, boxes)
    if colors is None:
        return b.DrawBoundingBoxes(images, boxes, name=name)
    return b.DrawBoundingBoxesV2(images, boxes, colors, name=name)


def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    name: str | None = None,
) -> Any:
    """Indices of the boxes with the highest scores, without those that overlap one of a higher score too much."""
    with opened(name, "non_max_suppression") as (b, _):
        overlap = b.convert(iou_threshold, name="iou_threshold")
        lowest = b.convert(score_threshold, name="score_threshold")
        return b.NonMaxSuppressionV3(boxes, scores, max_output_size, overlap, lowest)


def non_max_suppression_with_scores(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    soft_nms_sigma: Any = 0.0,
    name: str | None = None,
) -> Any:
    """(indices, scores) of `non_max_suppression`; with a sigma, overlap lowers scores instead of excluding boxes."""
    with opened(name, "non_max_suppression_with_scores") as (b, _):
        overlap = b.convert(iou_threshold, name="iou_threshold")
        lowest = b.convert(score_threshold, name="score_threshold")
        sigma = b.convert(soft_nms_sigma, name="soft_nms_sigma")
        indices, found, _ = b.NonMaxSuppressionV5(
            boxes, scores, max_output_size, overlap, lowest, sigma, pad_to_max_output_size=False
        )
        return indices, found


def non_max_suppression_padded(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    pad_to_max_output_size: bool = False,
    name: str | None = None,
) -> Any:
    """(indices, number of valid ones): `non_max_suppression`, with zeros up to `max_output_size` if wanted.

    differs  it is the one op that it was in TensorFlow 1, for one image; TensorFlow 2 makes loops, for batches too
    """
    with opened(name, "non_max_suppression_padded") as (b, _):
        overlap = b.convert(iou_threshold, name="iou_threshold")
        lowest = b.convert(score_threshold, name="score_threshold")
        return b.NonMaxSuppressionV4(
            boxes, scores, max_output_size, overlap, lowest, pad_to_max_output_size=pad_to_max_output_size
        )


def non_max_suppression_overlaps(
    overlaps: Any,
    scores: Any,
    max_output_size: Any,
    overlap_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    name: str | None = None,
) -> Any:
    """`non_max_suppression` with overlaps [n, n] in place of boxes."""
    with opened(name, "non_max_suppression_overlaps") as (b, _):
        limit = b.convert(overlap_threshold, name="overlap_threshold")
        return b.NonMaxSuppressionWithOverlaps(overlaps, scores, max_output_size, limit, score_threshold)


def combined_non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
    name: str | None = None,
) -> Any:
    """(boxes, scores, classes, number of valid ones) of each item of a batch, over all classes."""
    with opened(name, "combined_non_max_suppression") as (b, _):
        overlap = b.convert(iou_threshold, dtypes.float32, name="iou_threshold")
        lowest = b.convert(score_threshold, dtypes.float32, name="score_threshold")
        total = b.convert(max_total_size)
        return b.CombinedNonMaxSuppression(
            boxes,
            scores,
            max_output_size_per_class,
            total,
            overlap,
            lowest,
            pad_per_class=pad_per_class,
            clip_boxes=clip_boxes,
        )


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: int | None = None,
    seed2: int | None = None,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> Any:
    """(begin, size, box) of a random part of an image [height, width, channels] that covers enough of some box."""
    with opened(name, "sample_distorted_bounding_box") as (b, _):
        return b.SampleDistortedBoundingBoxV2(
            image_size,
            bounding_boxes,
            min_object_covered,
            seed=seed,
            seed2=seed2,
            aspect_ratio_range=aspect_ratio_range,
            area_range=area_range,
            max_attempts=max_attempts,
            use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
            name=name,
        )


def extract_glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    centered: bool = True,
    normalized: bool = True,
    uniform_noise: bool = True,
    name: str | None = None,
) -> Any:
    """The part of `size` [height, width] around a place of each image; noise where it is outside."""
    return on(input).ExtractGlimpse(
        input, size, offsets, centered=centered, normalized=normalized, uniform_noise=uniform_noise, name=name
    )


def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    sizes: Any = None,
) -> Any:
    """[batch, rows, columns, h * w * channels]: windows of images, their values in the channels."""
    ksizes = renamed("sizes", sizes, "ksizes", ksizes)
    return extract_patches(images, ksizes, strides, rates, padding, name)


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: Any, name: str | None = None) -> Any:
    """`extract_image_patches` under its newer name."""
    return on(images).ExtractImagePatches(
        images, ksizes=sizes, strides=strides, rates=rates, padding=padding, name=name
    )
