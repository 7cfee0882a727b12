"""tf.ReaderBase and the readers: objects over a reader's handle, whose methods add ops."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation, Tensor
from regraft.v1 import _context
from regraft.v1._opening import on

__all__ = [
    "FixedLengthRecordReader",
    "IdentityReader",
    "LMDBReader",
    "ReaderBase",
    "TFRecordReader",
    "TextLineReader",
    "WholeFileReader",
]


class ReaderBase:
    """Takes units of work, names of files mostly, out of a queue and gives their records.

    reader_ref          the reader's handle
    supports_serialize  whether `serialize_state` works
    """

    def __init__(self, reader_ref: Tensor, supports_serialize: bool = False) -> None:
        if _context.executing_eagerly():
            raise RuntimeError(
                "Readers are not supported when eager execution is enabled. Instead, please use tf.data to get data "
                "into your model."
            )
        self._reader_ref = reader_ref
        self._supports_serialize = supports_serialize

    @property
    def reader_ref(self) -> Tensor:
        return self._reader_ref

    @property
    def supports_serialize(self) -> bool:
        return self._supports_serialize

    def read(self, queue: Any, name: str | None = None) -> Any:
        """The next record of the file that the queue names, or of the next: key and value, both scalar strings."""
        return self._add("ReaderRead", self._queue(queue), name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """So many records, or those left in a file: keys and values, vectors of strings."""
        return self._add("ReaderReadUpTo", self._queue(queue), num_records, name=name)

    def num_records_produced(self, name: str | None = None) -> Any:
        """How many records it has given, int64."""
        return self._add("ReaderNumRecordsProduced", name=name)

    def num_work_units_completed(self, name: str | None = None) -> Any:
        """How many files it has read to their ends, int64."""
        return self._add("ReaderNumWorkUnitsCompleted", name=name)

    def serialize_state(self, name: str | None = None) -> Any:
        """The state as a string. UnimplementedError, when it runs, for readers that stop inside files."""
        return self._add("ReaderSerializeState", name=name)

    def restore_state(self, state: Any, name: str | None = None) -> Operation:
        """Go on from a state that `serialize_state` gave."""
        found: Operation = self._add("ReaderRestoreState", state, name=name)
        return found

    def reset(self, name: str | None = None) -> Operation:
        """Begin anew."""
        found: Operation = self._add("ReaderReset", name=name)
        return found

    @property
    def _new(self) -> bool:
        """Whether the reader is a resource; those of old graphs are references."""
        return self._reader_ref.dtype.base is dtypes.resource

    def _queue(self, queue: Any) -> Tensor:
        handle: Tensor = queue if isinstance(queue, Tensor) else queue.queue_ref
        return handle if self._new else on(handle).op("FakeQueue", handle)

    def _add(self, op_type: str, *inputs: Any, name: str | None) -> Any:
        return on(self._reader_ref).op(f"{op_type}V2" if self._new else op_type, self._reader_ref, *inputs, name=name)


class WholeFileReader(ReaderBase):
    """Key: the name of a file; value: its content."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(_context.builder().WholeFileReaderV2(name=name), supports_serialize=True)


class TextLineReader(ReaderBase):
    """Lines of files, without their ends, after `skip_header_lines` of each file. Key: "file:number"."""

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        super().__init__(_context.builder().TextLineReaderV2(skip_header_lines=skip_header_lines, name=name))


class FixedLengthRecordReader(ReaderBase):
    """Records of `record_bytes` each.

    header_bytes, footer_bytes  what is passed over at the start and at the end of a file
    hop_bytes                   from the start of one record to that of the next; `record_bytes` if not given
    encoding                    "" or "ZLIB"
    """

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ) -> None:
        handle = _context.builder().FixedLengthRecordReaderV2(
            record_bytes=record_bytes,
            header_bytes=header_bytes,
            footer_bytes=footer_bytes,
            hop_bytes=hop_bytes,
            encoding=encoding,
            name=name,
        )
        super().__init__(handle)


class TFRecordReader(ReaderBase):
    """Records of TFRecord files; `options` say how those are compressed."""

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        from regraft.v1.python_io import TFRecordOptions

        compression = TFRecordOptions.get_compression_type_string(options)
        super().__init__(_context.builder().TFRecordReaderV2(compression_type=compression, name=name))


class LMDBReader(ReaderBase):
    """Records of an LMDB database. It can stand in a graph; Regraft does not read such files."""

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        super().__init__(_context.builder().LMDBReader(name=name))


class IdentityReader(ReaderBase):
    """What the queue gives, as key and as value."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(_context.builder().IdentityReaderV2(name=name), supports_serialize=True)
