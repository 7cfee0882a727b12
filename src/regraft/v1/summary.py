"""tf.summary: ops that make summaries, and the writer that puts them into event files for TensorBoard."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

from regraft import proto
from regraft.base import dtypes
from regraft.checkpoint.records import read_records
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.train.summary_writer import FileWriter, FileWriterCache
from regraft.v1 import _context
from regraft.v1._opening import opened

__all__ = [
    "Event",
    "FileWriter",
    "FileWriterCache",
    "SessionLog",
    "Summary",
    "SummaryDescription",
    "TaggedRunMetadata",
    "all_v2_summary_ops",
    "audio",
    "get_summary_description",
    "histogram",
    "image",
    "initialize",
    "merge",
    "merge_all",
    "scalar",
    "tensor_summary",
    "text",
]

Summary: Any = proto.Summary
SummaryDescription: Any = proto.SummaryDescription
SummaryMetadata: Any = proto.SummaryMetadata
Event: Any = proto.Event
LogMessage: Any = proto.LogMessage
HistogramProto: Any = proto.HistogramProto
SessionLog: Any = proto.SessionLog
TaggedRunMetadata: Any = proto.TaggedRunMetadata

_log = logging.getLogger("regraft")
_NOT_IN_A_TAG = re.compile(r"[^-/\w.]")
_NOT_EAGER = "Merging tf.summary.* ops is not compatible with eager execution. Use tf.contrib.summary instead."


def _clean(name: str | None) -> str | None:
    """A name that a scope may have."""
    if name is None:
        return None
    new = _NOT_IN_A_TAG.sub("_", name).lstrip("/")
    if new != name:
        _log.info("Summary name %s is illegal; using %s instead.", name, new)
    return new


@contextlib.contextmanager
def _scope(name: str | None, family: str | None, value: Any, default: str | None = None) -> Iterator[Any]:
    """The scope of a summary op: a builder, the tag, and the scope with its slash."""
    name, family = _clean(name), _clean(family)
    base = name if family is None else f"{family}/{name}"
    with opened(base, default, value) as (b, scope):  # type: ignore[arg-type]  # None is refused there
        tag = scope.rstrip("/")
        yield b, tag if family is None else f"{family}/{tag}", scope


def collected(tensor: Tensor, collections: Sequence[Any] | None) -> Tensor:
    """The tensor, put into these collections; None stands for that of all summaries."""
    for key in [GraphKeys.SUMMARIES] if collections is None else collections:
        tensor.graph.add_to_collection(key, tensor)
    return tensor


def scalar(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A serialized Summary with one number.

    name         of the op, and the tag in TensorBoard
    tensor       a scalar
    collections  that the op is added to; None for GraphKeys.SUMMARIES
    family       put before the tag, so that TensorBoard shows those of one family together
    """
    with _scope(name, family, tensor) as (b, tag, scope):
        return collected(b.op("ScalarSummary", tag, tensor, name=scope), collections)


def histogram(name: str, values: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A serialized Summary with a histogram of all values. At run time InvalidArgumentError for NaN or infinity."""
    with _scope(name, family, values, "HistogramSummary") as (b, tag, scope):
        return collected(b.op("HistogramSummary", tag, values, name=scope), collections)


def image(name: str, tensor: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None) -> Tensor:
    """A serialized Summary with the first images of a batch as PNG files.

    tensor  [batch, height, width, channels], uint8 or floats, with 1, 3 or 4 channels
    """
    with _scope(name, family, tensor) as (b, tag, scope):
        op = b.op("ImageSummary", tag, tensor, max_images=max_outputs, name=scope)
        return collected(op, collections)


def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Any = None,
    family: str | None = None,
) -> Tensor:
    """A serialized Summary with the first clips of a batch as WAV files.

    tensor       [batch, frames] or [batch, frames, channels], floats in [-1, 1]
    sample_rate  in hertz, a number or a scalar tensor
    """
    with _scope(name, family, tensor) as (b, tag, scope):
        rate = b.convert(sample_rate, dtypes.float32, name="sample_rate")
        op = b.op("AudioSummaryV2", tag, tensor, rate, max_outputs=max_outputs, name=scope)
        return collected(op, collections)


def text(name: str, tensor: Any, collections: Any = None) -> Tensor:
    """A serialized Summary with strings, which TensorBoard shows as Markdown. ValueError for another dtype."""
    if tensor.dtype.base_dtype is not dtypes.string:
        raise ValueError(f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype}")
    metadata = proto.SummaryMetadata()
    metadata.plugin_data.plugin_name = "text"
    return tensor_summary(name, tensor, summary_metadata=metadata, collections=collections)


def tensor_summary(
    name: str,
    tensor: Any,
    summary_description: str | None = None,
    collections: Any = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> Tensor:
    """A serialized Summary with a whole tensor.

    summary_metadata     says which plugin shows it
    summary_description  and display_name are put into the metadata
    """
    if summary_metadata is None:
        summary_metadata = proto.SummaryMetadata()
    if summary_description is not None:
        summary_metadata.summary_description = summary_description
    if display_name is not None:
        summary_metadata.display_name = display_name
    serialized = summary_metadata.SerializeToString()
    with _scope(name, family, tensor) as (b, tag, scope):
        return collected(b.op("TensorSummaryV2", tag, tensor, serialized, name=scope), collections)


def merge(inputs: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """A serialized Summary with all values of the inputs. At run time InvalidArgumentError for a tag used twice."""
    if _context.executing_eagerly():
        raise RuntimeError(_NOT_EAGER)
    name = _clean(name)
    with opened(name, "Merge", inputs) as (b, _):
        return collected(b.op("MergeSummary", inputs, name=name), collections or ())


def merge_all(key: Any = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> Tensor | None:
    """All summaries of a collection of the default graph in one; None if there are none.

    scope  only those whose names match this pattern
    """
    if _context.executing_eagerly():
        raise RuntimeError(_NOT_EAGER)
    found = _context.get_default_graph().get_collection(key, scope)
    return merge(found, name=name) if found else None


def get_summary_description(node_def: Any) -> Any:
    """The SummaryDescription in a TensorSummary node. ValueError for another op."""
    import json

    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    said = json.loads(node_def.attr["description"].s or "{}")
    return proto.SummaryDescription(type_hint=said.get("typeHint", said.get("type_hint", "")))


def summary_iterator(path: Any) -> Iterator[Any]:
    """The events of an event file. NotFoundError if there is none, DataLossError at a record that is damaged."""
    return map(proto.Event.FromString, read_records(path))


def all_v2_summary_ops() -> list[Any]:
    """`tf.contrib.summary.all_summary_ops`."""
    from regraft.v1.contrib.summary import all_summary_ops

    return all_summary_ops()


def initialize(graph: Any = None, session: Any = None) -> None:
    """`tf.contrib.summary.initialize`."""
    from regraft.v1.contrib.summary import initialize

    initialize(graph, session)
