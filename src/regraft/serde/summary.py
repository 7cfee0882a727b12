"""Summaries for TensorBoard, as bytes of `proto.Summary`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regraft import proto
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.serde.tensor_bytes import raw_tensor_proto


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values fall into buckets; `limits` are their right ends, `counts` what they hold."""

    minimum: float
    maximum: float
    count: float
    total: float
    total_squares: float
    limits: Sequence[float]
    counts: Sequence[float]


def _bytes(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as e:
        raise InvalidArgumentError(f"a tag must be UTF-8, got {value!r}") from e


def scalar_summary(values: Iterable[tuple[bytes, float]]) -> bytes:
    """A summary of tagged numbers."""
    message = proto.Summary()
    for tag, value in values:
        message.value.add(tag=_text(tag), simple_value=value)
    return _bytes(message)


def histogram_summary(tag: bytes, histogram: Histogram) -> bytes:
    """A summary of one histogram."""
    message = proto.Summary()
    entry = message.value.add(tag=_text(tag)).histo
    entry.min, entry.max, entry.num = histogram.minimum, histogram.maximum, histogram.count
    entry.sum, entry.sum_squares = histogram.total, histogram.total_squares
    entry.bucket_limit.extend(histogram.limits)
    entry.bucket.extend(histogram.counts)
    return _bytes(message)


def image_summary(images: Iterable[tuple[bytes, bytes]], height: int, width: int, channels: int) -> bytes:
    """A summary of tagged images of one size; each is a PNG file."""
    message = proto.Summary()
    for tag, file in images:
        image = message.value.add(tag=_text(tag)).image
        image.height, image.width, image.colorspace = height, width, channels
        image.encoded_image_string = file
    return _bytes(message)


def audio_summary(clips: Iterable[tuple[bytes, bytes]], rate: float, frames: int, channels: int) -> bytes:
    """A summary of tagged clips of one length; each is a WAV file."""
    message = proto.Summary()
    for tag, file in clips:
        audio = message.value.add(tag=_text(tag)).audio
        audio.sample_rate, audio.num_channels, audio.length_frames = rate, channels, frames
        audio.encoded_audio_string, audio.content_type = file, "audio/wav"
    return _bytes(message)


def tensor_summary(
    array: np.ndarray[Any, Any],
    dtype: DType,
    *,
    tag: bytes | None = None,
    metadata: bytes | None = None,
    node_name: str = "",
) -> bytes:
    """A summary of one tensor. InvalidArgumentError unless `metadata` is a serialized `proto.SummaryMetadata`."""
    message = proto.Summary()
    entry = message.value.add()
    if tag is not None:
        entry.tag = _text(tag)
    if node_name:
        entry.node_name = node_name
    raw_tensor_proto(array, dtype, entry.tensor)
    if metadata is not None:
        entry.metadata.SetInParent()
        try:
            entry.metadata.MergeFromString(metadata)
        except proto.DecodeError as e:
            raise InvalidArgumentError(f"serialized_summary_metadata is no SummaryMetadata: {e}") from e
    return _bytes(message)


def merge_summaries(parts: Iterable[bytes]) -> bytes:
    """All values of serialized summaries in one. InvalidArgumentError for a tag that comes up twice."""
    message = proto.Summary()
    for part in parts:
        try:
            message.MergeFromString(part)
        except proto.DecodeError as e:
            raise InvalidArgumentError(f"Could not parse one of the summary inputs: {e}") from e
    seen: set[str] = set()
    for entry in message.value:
        if entry.tag and entry.tag in seen:
            raise InvalidArgumentError(f"Duplicate tag {entry.tag} found in summary inputs")
        seen.add(entry.tag)
    return _bytes(message)
