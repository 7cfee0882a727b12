"""Readers: they take names of files out of a queue, and give their records. See `opkit.readers`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from regraft.opkit import readers
from regraft.opkit.input_files import located
from regraft.opkit.queues import KIND as QUEUE
from regraft.opkit.queues import Queue
from regraft.opkit.readers import KIND, Reader
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle, found, made, shared
from regraft.opkit.shapes import fixed, no_outputs, scalar, vector
from regraft.opkit.waiting import Task

_HANDLE: dict[str, Any] = {"runs": Runs.HOST, "session": True, "repeated": "same", "no_gradient": "a handle"}
_USE: dict[str, Any] = {"runs": Runs.HOST, "session": True, "no_gradient": "a reader's state"}


def _versions(name: str) -> tuple[tuple[str, Any], tuple[str, Any]]:
    """Both versions of a reader's op: with a reference, which names the container and the resource, and a handle."""
    return (name, fixed((2,))), (f"{name}V2", scalar)


def _handle(session: Any, node: str, container: bytes, shared_name: bytes, make: Callable[..., Reader]) -> Any:
    """The handle of a reader; `make` makes it of its name and of the function that finds files."""
    name = shared(container, shared_name, node)
    handle: ResourceHandle = made(session, KIND, name, lambda: make(name, partial(located, session)))
    return handle


def _reader(session: Any, handle: Any) -> Reader:
    return found(session, handle, KIND, Reader)


def _string(value: bytes) -> Any:
    return np.array(value, object)


def _strings(values: tuple[bytes, ...]) -> Any:
    out = np.empty(len(values), object)
    out[:] = values
    return out


for _name, _shape in _versions("TextLineReader"):

    @op(_name, shape=_shape, **_HANDLE)
    def text_line_reader(
        *, skip_header_lines: int, container: bytes, shared_name: bytes, session: Any, node: str
    ) -> Any:
        """The handle of a reader of lines."""
        return _handle(
            session,
            node,
            container,
            shared_name,
            lambda name, locate: readers.TextLineReader(name, locate, skip_header_lines),
        )


for _name, _shape in _versions("TFRecordReader"):

    @op(_name, shape=_shape, **_HANDLE)
    def tf_record_reader(
        *, compression_type: bytes, container: bytes, shared_name: bytes, session: Any, node: str
    ) -> Any:
        """The handle of a reader of TFRecord files."""
        return _handle(
            session,
            node,
            container,
            shared_name,
            lambda name, locate: readers.RecordReader(name, locate, compression_type.decode()),
        )


@op("FixedLengthRecordReader", shape=fixed((2,)), **_HANDLE)
def fixed_length_record_reader(
    *,
    header_bytes: int,
    record_bytes: int,
    footer_bytes: int,
    hop_bytes: int,
    container: bytes,
    shared_name: bytes,
    session: Any,
    node: str,
) -> Any:
    """The handle of a reader of records of one length."""
    sizes = (record_bytes, header_bytes, footer_bytes, hop_bytes)
    return _handle(
        session,
        node,
        container,
        shared_name,
        lambda name, locate: readers.FixedLengthReader(name, locate, *sizes, ""),
    )


@op("FixedLengthRecordReaderV2", shape=scalar, **_HANDLE)
def fixed_length_record_reader_v2(
    *,
    header_bytes: int,
    record_bytes: int,
    footer_bytes: int,
    hop_bytes: int,
    encoding: bytes,
    container: bytes,
    shared_name: bytes,
    session: Any,
    node: str,
) -> Any:
    """The handle of a reader of records of one length, of compressed files too."""
    sizes = (record_bytes, header_bytes, footer_bytes, hop_bytes)
    return _handle(
        session,
        node,
        container,
        shared_name,
        lambda name, locate: readers.FixedLengthReader(name, locate, *sizes, encoding.decode()),
    )


for _name, _shape in _versions("WholeFileReader"):

    @op(_name, shape=_shape, **_HANDLE)
    def whole_file_reader(*, container: bytes, shared_name: bytes, session: Any, node: str) -> Any:
        """The handle of a reader of whole files."""
        return _handle(session, node, container, shared_name, readers.WholeFileReader)


for _name, _shape in _versions("IdentityReader"):

    @op(_name, shape=_shape, **_HANDLE)
    def identity_reader(*, container: bytes, shared_name: bytes, session: Any, node: str) -> Any:
        """The handle of a reader that gives what the queue gives."""
        return _handle(session, node, container, shared_name, readers.IdentityReader)


@op("ReaderRead", "ReaderReadV2", shape=scalar, blocking=True, repeated="gives", **_USE)
def reader_read(reader_handle: Any, queue_handle: Any, *, session: Any) -> Task:
    """The next record: its key and its value.

    raises  OutOfRangeError when the queue is closed and empty; NotFoundError for a file that is not there
    """
    queue = found(session, queue_handle, QUEUE, Queue)
    key, value = yield from _reader(session, reader_handle).read(queue)
    return _string(key), _string(value)


@reader_read.rows
def _(reader_handle: Any, queue_handle: Any, *, session: Any, count: int) -> Task:
    queue = found(session, queue_handle, QUEUE, Queue)
    records = yield from _reader(session, reader_handle).following(queue, count)
    return [[_string(part) for part in parts] for parts in zip(*records, strict=True)]


@op("ReaderReadUpTo", "ReaderReadUpToV2", shape=vector, blocking=True, **_USE)
def reader_read_up_to(reader_handle: Any, queue_handle: Any, num_records: Any, *, session: Any) -> Task:
    """The next records, as many as asked for or as are left in a file: their keys and their values.

    raises  OutOfRangeError when the queue is closed and empty; NotFoundError for a file that is not there
    """
    queue = found(session, queue_handle, QUEUE, Queue)
    keys, values = yield from _reader(session, reader_handle).read(queue, int(num_records))
    return _strings(keys), _strings(values)


@op("ReaderNumRecordsProduced", "ReaderNumRecordsProducedV2", shape=scalar, **_USE)
def reader_num_records_produced(reader_handle: Any, *, session: Any) -> Any:
    """How many records the reader has given, int64."""
    return np.array(_reader(session, reader_handle).produced, np.int64)


@op("ReaderNumWorkUnitsCompleted", "ReaderNumWorkUnitsCompletedV2", shape=scalar, **_USE)
def reader_num_work_units_completed(reader_handle: Any, *, session: Any) -> Any:
    """How many files the reader has read to their ends, int64."""
    return np.array(_reader(session, reader_handle).finished, np.int64)


@op("ReaderSerializeState", "ReaderSerializeStateV2", shape=scalar, **_USE)
def reader_serialize_state(reader_handle: Any, *, session: Any) -> Any:
    """The reader's state as bytes. UnimplementedError for readers that stop inside files."""
    return _string(_reader(session, reader_handle).state())


@op("ReaderRestoreState", "ReaderRestoreStateV2", shape=no_outputs, **_USE)
def reader_restore_state(reader_handle: Any, state: Any, *, session: Any) -> None:
    """Go on where a state was taken. InvalidArgumentError for bytes that are no state."""
    _reader(session, reader_handle).restore(state[()])


@op("ReaderReset", "ReaderResetV2", shape=no_outputs, **_USE)
def reader_reset(reader_handle: Any, *, session: Any) -> None:
    """Begin anew: the next read takes a name out of the queue."""
    _reader(session, reader_handle).reset()
