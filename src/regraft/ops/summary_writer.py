"""Summaries that write themselves: ops on a writer of event files, as `tf.contrib.summary` makes them."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft import proto
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, NotFoundError
from regraft.checkpoint import files
from regraft.checkpoint.event_file import EventFile
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle, shared
from regraft.opkit.shapes import no_outputs, scalar
from regraft.opkit.summaries import histogram_of, images_of, sounds_of
from regraft.opkit.texts import text
from regraft.serde import summary

_KIND = "summary writer"
_NO_GRADIENT = "a summary"
# Part of the names of files, so that the writers of one process never share one.
_numbers = itertools.count()


class _Writer:
    """An event file, flushed when `most` events wait or `seconds` have gone by."""

    def __init__(self, folder: bytes, most: int, seconds: float, suffix: str) -> None:
        files.make_folders(folder)
        dot = "" if suffix.startswith(".") else "."
        self._file = EventFile(folder, f".{os.getpid()}.{next(_numbers)}{dot}{suffix}")
        self._file.open()
        self._most, self._seconds = most, seconds
        self._waiting, self._flushed = 0, time.time()
        self._lock = threading.Lock()

    def write(self, event: Any) -> None:
        with self._lock:
            self._file.write(event)
            self._waiting += 1
            if self._waiting > self._most or time.time() >= self._flushed + self._seconds:
                self._flush()

    def flush(self) -> None:
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        self._file.flush()
        self._waiting, self._flushed = 0, time.time()

    def close_session(self) -> None:
        """Write everything and close the file."""
        with self._lock:
            self._file.close()


def _found(session: Any, handle: Any) -> _Writer:
    if not isinstance(handle, ResourceHandle) or handle.kind != _KIND:
        raise InvalidArgumentError(f"expected the handle of a {_KIND}, got {handle!r}")
    writer = session.resources.get((handle.kind, handle.name))
    if not isinstance(writer, _Writer):
        raise NotFoundError(
            f"Resource {handle.name} does not exist: the summary writer is not initialized, or closed",
            hint="run its init(), or tf.contrib.summary.initialize()",
        )
    return writer


@op("SummaryWriter", shape=scalar, runs=Runs.HOST, session=True, no_gradient="a handle")
def summary_writer(*, shared_name: bytes, container: bytes, session: Any, node: str) -> Any:
    """The handle of a writer, which `CreateSummaryFileWriter` makes."""
    return ResourceHandle(_KIND, shared(container, shared_name, node))


@op("CreateSummaryFileWriter", shape=no_outputs, runs=Runs.HOST, session=True)
def create_summary_file_writer(
    writer: Any, logdir: Any, max_queue: Any, flush_millis: Any, filename_suffix: Any, *, session: Any
) -> None:
    """Make a writer to a new event file, unless it is there already."""
    key = (writer.kind, writer.name)
    with session.resource_lock:
        if key not in session.resources:
            suffix = text(filename_suffix).decode()
            session.resources[key] = _Writer(text(logdir), int(max_queue), int(flush_millis) / 1000, suffix)


@op("FlushSummaryWriter", shape=no_outputs, runs=Runs.HOST, session=True)
def flush_summary_writer(writer: Any, *, session: Any) -> None:
    """Write what waits. NotFoundError for a writer that is not there."""
    _found(session, writer).flush()


@op("CloseSummaryWriter", shape=no_outputs, runs=Runs.HOST, session=True)
def close_summary_writer(writer: Any, *, session: Any) -> None:
    """Write what waits, and forget the writer."""
    _found(session, writer).close_session()
    del session.resources[writer.kind, writer.name]


def _write(session: Any, writer: Any, step: Any, serialized: Callable[[], bytes]) -> None:
    """Write a serialized Summary as an event of this step."""
    target = _found(session, writer)
    target.write(proto.Event(wall_time=time.time(), step=int(step), summary=proto.Summary.FromString(serialized())))


@op("WriteSummary", shape=no_outputs, runs=Runs.HOST, session=True)
def write_summary(
    writer: Any, step: Any, tensor: Any, tag: Any, summary_metadata: Any, *, T: DType, session: Any
) -> None:
    """Write a whole tensor."""
    metadata = text(summary_metadata) or None
    _write(
        session,
        writer,
        step,
        lambda: summary.tensor_summary(np.asarray(tensor), T, tag=text(tag), metadata=metadata),
    )


@op("WriteScalarSummary", shape=no_outputs, runs=Runs.HOST, session=True)
def write_scalar_summary(writer: Any, step: Any, tag: Any, value: Any, *, session: Any) -> None:
    """Write a number."""
    _write(session, writer, step, lambda: summary.scalar_summary([(text(tag), float(value))]))


@op("WriteHistogramSummary", shape=no_outputs, runs=Runs.HOST, session=True)
def write_histogram_summary(writer: Any, step: Any, tag: Any, values: Any, *, session: Any) -> None:
    """Write a histogram of all values."""
    _write(session, writer, step, lambda: histogram_of(text(tag), values))


@op("WriteImageSummary", shape=no_outputs, runs=Runs.HOST, session=True)
def write_image_summary(
    writer: Any, step: Any, tag: Any, tensor: Any, bad_color: Any, *, max_images: int, session: Any
) -> None:
    """Write the first images of a batch."""
    _write(session, writer, step, lambda: images_of(text(tag), tensor, max_images, bad_color))


@op("WriteAudioSummary", shape=no_outputs, runs=Runs.HOST, session=True)
def write_audio_summary(
    writer: Any, step: Any, tag: Any, tensor: Any, sample_rate: Any, *, max_outputs: int, session: Any
) -> None:
    """Write the first clips of a batch."""
    _write(session, writer, step, lambda: sounds_of(text(tag), tensor, float(sample_rate), max_outputs))


@op("WriteRawProtoSummary", shape=no_outputs, runs=Runs.HOST, session=True)
def write_raw_proto_summary(writer: Any, step: Any, tensor: Any, *, session: Any) -> None:
    """Write serialized Summaries as one."""
    parts = np.asarray(tensor).reshape(-1).tolist()
    _write(session, writer, step, lambda: summary.merge_summaries(parts))


@op("WriteGraphSummary", shape=no_outputs, runs=Runs.HOST, session=True)
def write_graph_summary(writer: Any, step: Any, tensor: Any, *, session: Any) -> None:
    """Write a serialized GraphDef. InvalidArgumentError if it is none."""
    try:
        graph = proto.GraphDef.FromString(text(tensor))
    except proto.DecodeError as e:
        raise InvalidArgumentError("Could not parse the graph that WriteGraphSummary got") from e
    event = proto.Event(wall_time=time.time(), step=int(step), graph_def=graph.SerializeToString())
    _found(session, writer).write(event)


@op("ImportEvent", shape=no_outputs, runs=Runs.HOST, session=True)
def import_event(writer: Any, event: Any, *, session: Any) -> None:
    """Write a serialized Event as it is. InvalidArgumentError if it is none."""
    try:
        message = proto.Event.FromString(text(event))
    except proto.DecodeError as e:
        raise InvalidArgumentError("Could not parse the event that ImportEvent got") from e
    _found(session, writer).write(message)
