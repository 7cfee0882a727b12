"""Summaries for TensorBoard: serialized protos of numbers, histograms, images, sounds and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.histograms import histogram
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, scalar, with_rank
from regraft.opkit.texts import single, text
from regraft.serde import summary
from regraft.wire import png, wav

_NO_GRADIENT = "a summary"


@op("ScalarSummary", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def scalar_summary(tags: Any, values: Any) -> Any:
    """A number for each tag. InvalidArgumentError if there are not as many."""
    tags, values = np.asarray(tags, object), np.asarray(values)
    if tags.shape != values.shape:
        raise InvalidArgumentError(
            f"tags and values are not the same shape: {list(tags.shape)} != {list(values.shape)}"
        )
    # The message holds float32.
    with np.errstate(over="ignore"):
        numbers = values.reshape(-1).astype(np.float32).tolist()
    return single(summary.scalar_summary(zip(tags.reshape(-1).tolist(), numbers, strict=True)))


@op("HistogramSummary", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def histogram_summary(tag: Any, values: Any) -> Any:
    """A histogram of all values. InvalidArgumentError for values that are not finite."""
    values = np.asarray(values)
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        what = "Nan in summary histogram" if np.isnan(numbers).any() else "Infinity in Histogram"
        raise InvalidArgumentError(f"{what} for: {text(tag).decode(errors='replace')}")
    return single(summary.histogram_summary(text(tag), histogram(numbers)))


@op("MergeSummary", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def merge_summary(inputs: tuple[Any, ...]) -> Any:
    """All values of the summaries. InvalidArgumentError for a tag that comes up twice."""
    return single(summary.merge_summaries(part for one in inputs for part in np.asarray(one).reshape(-1).tolist()))


def _tagged(tag: bytes, kind: bytes, index: int, most: int) -> bytes:
    return tag + b"/" + kind + (b"/%d" % index if most > 1 else b"")


def _bytes_of(image: Any, bad_color: Any) -> Any:
    """One image as 8-bit numbers. Floats are scaled so that the largest fits, around 128 if any is negative."""
    if image.dtype == np.uint8:
        return image
    # TensorFlow finds the scale in float32 and applies it in the image's own dtype.
    narrow = image.astype(np.float32)
    good = np.isfinite(narrow).all(axis=2)
    finite = narrow[good]
    zero = np.float32(0)
    low, high = (finite.min(), finite.max()) if finite.size else (zero, zero)
    most, room, middle = (max(abs(low), abs(high)), 127, 128) if low < 0 else (high, 255, 0)
    scale = image.dtype.type(zero if most < 1e-6 else np.float32(room) / most)
    out = np.empty(image.shape, np.uint8)
    out[good] = (image[good] * scale + image.dtype.type(middle)).astype(np.uint8)
    out[~good] = bad_color[: image.shape[2]]
    return out


@op("ImageSummary", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def image_summary(tag: Any, tensor: Any, *, max_images: int, bad_color: Any) -> Any:
    """The first `max_images` images of [batch, height, width, channels] as PNG files.

    differs  the files are compressed by zlib's defaults: the pixels are TensorFlow's, the bytes need not be
    """
    if tensor.ndim != 4 or tensor.shape[3] not in (1, 3, 4):
        raise InvalidArgumentError(f"Tensor must be 4-D with last dim 1, 3, or 4, not {list(tensor.shape)}")
    height, width, channels = tensor.shape[1:]
    bad = np.asarray(getattr(bad_color, "array", bad_color)).reshape(-1)
    if len(bad) < channels:
        raise InvalidArgumentError(f"expected bad_color to have {channels} entries at least, got {len(bad)}")
    images = (
        (
            _tagged(text(tag), b"image", i, max_images),
            png.encode(np.ascontiguousarray(_bytes_of(image, bad)).tobytes(), height, width, channels),
        )
        for i, image in enumerate(tensor[:max_images])
    )
    return single(summary.image_summary(images, height, width, channels))


def _audio_shape(c: ShapeContext) -> list[Sizes]:
    at_least_rank(c, c.input(1), 2)
    return [()]


def _sounds(tag: Any, tensor: Any, rate: float, most: int) -> Any:
    if tensor.ndim not in (2, 3):
        raise InvalidArgumentError(f"Tensor must be 3-D or 2-D, got: {list(tensor.shape)}")
    if rate <= 0:
        raise InvalidArgumentError(f"sample_rate must be > 0, got {rate}")
    frames, channels = tensor.shape[1], tensor.shape[2] if tensor.ndim == 3 else 1
    scaled = tensor[:most].astype(np.float32) * np.float32(1 << 15)
    rounded = np.copysign(np.floor(np.abs(scaled) + np.float32(0.5)), scaled)
    samples = rounded.clip(-(1 << 15), (1 << 15) - 1).astype("<i2")
    clips = (
        (_tagged(text(tag), b"audio", i, most), wav.encode(clip.tobytes(), channels, int(rate)))
        for i, clip in enumerate(samples)
    )
    return single(summary.audio_summary(clips, rate, frames, channels))


@op("AudioSummary", shape=_audio_shape, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def audio_summary(tag: Any, tensor: Any, *, sample_rate: float, max_outputs: int) -> Any:
    """The first `max_outputs` clips of [batch, frames] or [batch, frames, channels] in [-1, 1] as WAV files."""
    return _sounds(tag, tensor, sample_rate, max_outputs)


def _audio_v2_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 0)
    with_rank(c, c.input(2), 0)
    return _audio_shape(c)


@op("AudioSummaryV2", shape=_audio_v2_shape, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def audio_summary_v2(tag: Any, tensor: Any, sample_rate: Any, *, max_outputs: int) -> Any:
    """AudioSummary with a sample rate that is an input."""
    return _sounds(tag, tensor, float(sample_rate), max_outputs)


@op("TensorSummaryV2", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def tensor_summary_v2(tag: Any, tensor: Any, serialized_summary_metadata: Any, *, T: DType) -> Any:
    """A whole tensor with a tag, and metadata that say which plugin shows it."""
    metadata = text(serialized_summary_metadata)
    return single(summary.tensor_summary(np.asarray(tensor), T, tag=text(tag), metadata=metadata))


@op("TensorSummary", shape=scalar, runs=Runs.HOST, session=True, pure=True, no_gradient=_NO_GRADIENT)
def tensor_summary(tensor: Any, *, T: DType, session: Any, node: str) -> Any:
    """A whole tensor under the name of its node."""
    return single(summary.tensor_summary(np.asarray(tensor), T, node_name=node))
