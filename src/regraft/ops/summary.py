"""Summaries for TensorBoard: serialized protos of numbers, histograms, images, sounds and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, scalar, with_rank
from regraft.opkit.summaries import histogram_of, images_of, sounds_of
from regraft.opkit.texts import single, text
from regraft.serde import summary

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
    return single(histogram_of(text(tag), values))


@op("MergeSummary", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def merge_summary(inputs: tuple[Any, ...]) -> Any:
    """All values of the summaries. InvalidArgumentError for a tag that comes up twice."""
    return single(summary.merge_summaries(part for one in inputs for part in np.asarray(one).reshape(-1).tolist()))


@op("ImageSummary", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def image_summary(tag: Any, tensor: Any, *, max_images: int, bad_color: Any) -> Any:
    """The first `max_images` images of [batch, height, width, channels] as PNG files.

    differs  the files are compressed by zlib's defaults: the pixels are TensorFlow's, the bytes need not be
    """
    return single(images_of(text(tag), tensor, max_images, bad_color))


def _audio_shape(c: ShapeContext) -> list[Sizes]:
    at_least_rank(c, c.input(1), 2)
    return [()]


@op("AudioSummary", shape=_audio_shape, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def audio_summary(tag: Any, tensor: Any, *, sample_rate: float, max_outputs: int) -> Any:
    """The first `max_outputs` clips of [batch, frames] or [batch, frames, channels] in [-1, 1] as WAV files."""
    return single(sounds_of(text(tag), tensor, sample_rate, max_outputs))


def _audio_v2_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 0)
    with_rank(c, c.input(2), 0)
    return _audio_shape(c)


@op("AudioSummaryV2", shape=_audio_v2_shape, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def audio_summary_v2(tag: Any, tensor: Any, sample_rate: Any, *, max_outputs: int) -> Any:
    """AudioSummary with a sample rate that is an input."""
    return single(sounds_of(text(tag), tensor, float(sample_rate), max_outputs))


@op("TensorSummaryV2", shape=scalar, runs=Runs.HOST, no_gradient=_NO_GRADIENT)
def tensor_summary_v2(tag: Any, tensor: Any, serialized_summary_metadata: Any, *, T: DType) -> Any:
    """A whole tensor with a tag, and metadata that say which plugin shows it."""
    metadata = text(serialized_summary_metadata)
    return single(summary.tensor_summary(np.asarray(tensor), T, tag=text(tag), metadata=metadata))


@op("TensorSummary", shape=scalar, runs=Runs.HOST, session=True, pure=True, no_gradient=_NO_GRADIENT)
def tensor_summary(tensor: Any, *, T: DType, session: Any, node: str) -> Any:
    """A whole tensor under the name of its node."""
    return single(summary.tensor_summary(np.asarray(tensor), T, node_name=node))
