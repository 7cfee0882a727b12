"""Summaries as TensorFlow before 1.0 spelled them; 1.x kept them as `tf.contrib.deprecated`."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.v1 import _context
from regraft.v1._opening import opened
from regraft.v1.summary import collected

__all__ = [
    "audio_summary",
    "histogram_summary",
    "image_summary",
    "merge_all_summaries",
    "merge_summary",
    "scalar_summary",
]


def scalar_summary(tags: Any, values: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """A serialized Summary with a number for each tag; `tags` and `values` have one shape."""
    with opened(name, "ScalarSummary", tags, values) as (b, scope):
        return collected(b.op("ScalarSummary", tags, values, name=scope), collections)


def histogram_summary(tag: Any, values: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """A serialized Summary with a histogram of all values."""
    with opened(name, "HistogramSummary", tag, values) as (b, scope):
        return collected(b.op("HistogramSummary", tag, values, name=scope), collections)


def image_summary(
    tag: Any, tensor: Any, max_images: int = 3, collections: Any = None, name: str | None = None
) -> Tensor:
    """A serialized Summary with the first images of [batch, height, width, channels]."""
    with opened(name, "ImageSummary", tag, tensor) as (b, scope):
        op = b.op("ImageSummary", tag, tensor, max_images=max_images, name=scope)
        return collected(op, collections)


def audio_summary(
    tag: Any, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Any = None, name: str | None = None
) -> Tensor:
    """A serialized Summary with the first clips of [batch, frames] or [batch, frames, channels]."""
    with opened(name, "AudioSummary", tag, tensor) as (b, scope):
        rate = b.convert(sample_rate, dtypes.float32, name="sample_rate")
        op = b.op("AudioSummaryV2", tag, tensor, rate, max_outputs=max_outputs, name=scope)
        return collected(op, collections)


def merge_summary(inputs: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """A serialized Summary with all values of the inputs."""
    with opened(name, "MergeSummary", inputs) as (b, _):
        return collected(b.op("MergeSummary", inputs, name=name), collections or ())


def merge_all_summaries(key: Any = GraphKeys.SUMMARIES) -> Tensor | None:
    """All summaries of a collection of the default graph in one; None if there are none."""
    found = _context.get_default_graph().get_collection(key)
    return merge_summary(found) if found else None
