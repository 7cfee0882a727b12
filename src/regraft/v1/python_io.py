"""tf.python_io: files of records, read and written by Python."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from regraft.base.errors import FailedPreconditionError
from regraft.checkpoint import files
from regraft.checkpoint.records import RecordWriter, read_records

__all__ = ["TFRecordCompressionType", "TFRecordOptions", "TFRecordWriter", "tf_record_iterator"]


class TFRecordCompressionType:
    """How a file of records is compressed."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


_NAMES = {TFRecordCompressionType.NONE: "", TFRecordCompressionType.ZLIB: "ZLIB", TFRecordCompressionType.GZIP: "GZIP"}


class TFRecordOptions:
    """How a file of records is compressed, and how hard.

    compression_type   a TFRecordCompressionType, or "", "ZLIB", "GZIP"
    compression_level  zlib's, 0 to 9; the other settings of zlib are accepted, and its defaults used
    """

    compression_type_map = _NAMES

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: int | None = None,
        input_buffer_size: int | None = None,
        output_buffer_size: int | None = None,
        window_bits: int | None = None,
        compression_level: int | None = None,
        compression_method: int | None = None,
        mem_level: int | None = None,
        compression_strategy: int | None = None,
    ) -> None:
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.flush_mode = flush_mode
        self.input_buffer_size = input_buffer_size
        self.output_buffer_size = output_buffer_size
        self.window_bits = window_bits
        self.compression_level = compression_level
        self.compression_method = compression_method
        self.mem_level = mem_level
        self.compression_strategy = compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """ "", "ZLIB" or "GZIP" for options, a TFRecordCompressionType, a name or None. ValueError for another."""
        if not options:
            return ""
        if isinstance(options, TFRecordOptions):
            return cls.get_compression_type_string(options.compression_type)
        if options in _NAMES:
            return _NAMES[options]
        if options in _NAMES.values():
            return str(options)
        raise ValueError(f"Not a valid compression_type: {options!r}")


class TFRecordWriter:
    """Writes a file of records; usable as a context manager.

    options  a TFRecordOptions, or what says its compression
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        level = options.compression_level if isinstance(options, TFRecordOptions) else None
        compression = TFRecordOptions.get_compression_type_string(options)
        self._path = files.as_text(path)
        self._writer: RecordWriter | None = RecordWriter(path, compression, -1 if level is None else level)

    def write(self, record: bytes) -> None:
        """Add a record, often a serialized Example. TypeError for text, FailedPreconditionError if closed."""
        if not isinstance(record, bytes):
            raise TypeError(f"a record is bytes, not {type(record).__name__}")
        self._opened().write(record)

    def flush(self) -> None:
        """Make what was written readable. FailedPreconditionError if closed."""
        self._opened().flush()

    def close(self) -> None:
        """Finish the file; once more does nothing."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _opened(self) -> RecordWriter:
        if self._writer is None:
            raise FailedPreconditionError("Writer is closed.", where=(self._path,))
        return self._writer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def tf_record_iterator(path: Any, options: Any = None) -> Iterator[bytes]:
    """The records of a file. NotFoundError if there is none, DataLossError at a record that is damaged."""
    return read_records(path, TFRecordOptions.get_compression_type_string(options))
