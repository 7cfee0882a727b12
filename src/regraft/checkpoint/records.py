"""TFRecord files: records one behind the other, plain or as one compressed stream."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from regraft.base.errors import DataLossError, InvalidArgumentError
from regraft.checkpoint import files
from regraft.wire import tfrecord

_STEP = 1 << 18
# zlib's window bits: with its own header, and with that of gzip.
_WINDOW = {"ZLIB": 15, "GZIP": 31}


def _window(compression: str) -> int | None:
    if not compression:
        return None
    if compression not in _WINDOW:
        raise InvalidArgumentError(f"Unsupported compression type {compression!r}: it is '', 'ZLIB' or 'GZIP'")
    return _WINDOW[compression]


class RecordWriter:
    """Writes a file of records.

    compression  "", "ZLIB" or "GZIP"
    level        zlib's, from 0 to 9; -1 for its default
    """

    def __init__(self, path: files.PathLike, compression: str = "", level: int = -1) -> None:
        window = _window(compression)
        self._compressor = None if window is None else zlib.compressobj(level, zlib.DEFLATED, window)
        self._sink: files.Sink | None = files.Sink(path)

    def write(self, record: bytes) -> None:
        """Add a record. ValueError after `close`."""
        data = tfrecord.frame(record)
        self._opened().write(data if self._compressor is None else self._compressor.compress(data))

    def flush(self) -> None:
        """Make what was written readable."""
        sink = self._opened()
        if self._compressor is not None:
            sink.write(self._compressor.flush(zlib.Z_SYNC_FLUSH))
        sink.flush()

    def close(self) -> None:
        """Finish the file; once more does nothing."""
        if self._sink is None:
            return
        if self._compressor is not None:
            self._sink.write(self._compressor.flush())
        self._sink.close()
        self._sink = None

    def _opened(self) -> files.Sink:
        if self._sink is None:
            raise ValueError("the writer is closed")
        return self._sink

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Stream:
    """The bytes of a file from its start on, decompressed."""

    def __init__(self, source: files.Source, window: int | None) -> None:
        self._source = source
        self._at = 0
        self._inflate = None if window is None else zlib.decompressobj(window)
        self._ready = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and self._fill():
            pass
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _fill(self) -> bool:
        if self._inflate is None:
            # Not more than there is; records of which only the length is read must not cost memory.
            part = self._source.read_at(self._at, _STEP)
            self._at += len(part)
            self._ready += part
            return bool(part)
        part = self._inflate.unconsumed_tail
        if not part:
            part = self._source.read_at(self._at, _STEP)
            self._at += len(part)
            if not part:
                return False
        try:
            self._ready += self._inflate.decompress(part, _STEP)
        except zlib.error as e:
            raise DataLossError(f"inflate() failed: {e}", where=(self._source.name,)) from e
        return not self._inflate.eof or bool(self._inflate.unconsumed_tail)


def read_records(path: files.PathLike, compression: str = "") -> Iterator[bytes]:
    """The records of a file, one after the other.

    compression  "", "ZLIB" or "GZIP"
    raises       NotFoundError if there is no such file; DataLossError for a record that is damaged or cut short, when
                 those before it have been yielded
    """
    window = _window(compression)
    source = files.open_source(path)
    return _records(source, window)


def _records(source: files.Source, window: int | None) -> Iterator[bytes]:
    try:
        yield from tfrecord.records(_Stream(source, window).read, source.name)
    finally:
        source.close()
