"""Readers: they take the names of files out of a queue and give the records of one file after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from regraft.base.errors import DataLossError, InvalidArgumentError, NotFoundError, OpError, UnimplementedError
from regraft.checkpoint import files
from regraft.checkpoint.chunks import check_compression, chunks, lines
from regraft.checkpoint.records import read_records
from regraft.opkit.input_files import missing
from regraft.opkit.queues import Queue
from regraft.opkit.waiting import Task, Turn
from regraft.wire import fields, varint

KIND = "reader"

Record = tuple[bytes, bytes]
_FEED = (
    "feed the tensor that holds the names (what the enqueue op of the queue of names takes), or the outputs of the op "
    "that reads"
)


class Reader:
    """Reads the units of work that a queue gives: names of files. Subclasses say how.

    started, finished  units of work
    produced           records
    single             each unit is one record: its state can be written down
    locate             where the file of a unit of work is
    """

    type = ""
    single = False

    def __init__(self, name: str, locate: Callable[[str], str] = str) -> None:
        self.name = name
        self.locate = locate
        self._turn = Turn()
        self.reset()

    def _path(self, work: bytes) -> str:
        return self.locate(files.as_text(work))

    def reset(self) -> None:
        """Begin anew, without a unit of work."""
        self.started = self.finished = self.produced = 0
        self._work = b""
        self._records: Iterator[Record] | None = None
        self._failed: OpError | None = None

    def records(self, work: bytes) -> Iterator[Record]:
        """Open a unit of work: its records as (key, value)."""
        raise NotImplementedError

    def close_session(self) -> None:
        """Let go of the file."""
        self._records = None

    def read(self, queue: Queue, most: int | None = None) -> Task:
        """(key, value) of the next record; with `most` (keys, values) of so many, or of those left in a unit of work.

        raises  OutOfRangeError when the queue is closed and empty; NotFoundError for a file that is not there
        """
        found = yield from self._read(queue, 1 if most is None else most, False)
        return found[0] if most is None else tuple(zip(*found, strict=True))

    def following(self, queue: Queue, most: int) -> Task:
        """As `read` so many times, but only as long as nothing has to be waited for once there is a record.

        An error, but for that of the first record, is raised by the next call.
        """
        return self._read(queue, most, True)

    def _read(self, queue: Queue, most: int, holds: bool) -> Task:
        turn = self._turn.ask()
        try:
            yield turn
            while True:
                if self._failed is not None:
                    error, self._failed = self._failed, None
                    raise error
                if self._records is None:
                    self._check(queue)
                    self._work = b""
                    (work,) = yield queue.dequeue()
                    self._begin(work[()])
                found = self._some(most, holds)
                if found:
                    return found
        finally:
            self._turn.leave(turn)

    def _check(self, queue: Queue) -> None:
        types = [d.name for d in queue.dtypes]
        if types != ["string"]:
            raise InvalidArgumentError(f"{self.type} reads from a queue of single strings, not one of {types}")

    def _begin(self, work: bytes) -> None:
        self._work = work
        try:
            self._records = self.records(work)
        except NotFoundError as e:
            raise missing(files.as_text(work), _FEED) from e
        self.started += 1

    def _some(self, most: int, holds: bool) -> list[Record]:
        """At most so many records of the unit of work; the unit ends where there are no more.

        holds  an error behind some records waits for the next call
        """
        records = self._records
        assert records is not None
        found: list[Record] = []
        while len(found) < most:
            try:
                record = next(records, None)
            except NotFoundError as e:
                self._records = self.records(self._work)
                raise missing(files.as_text(self._work), _FEED) from e
            except OpError as e:
                if not (holds and found):
                    raise
                self._failed = e
                break
            if record is not None:
                found.append(record)
                self.produced += 1
            if record is None or self.single:
                self.finished += 1
                self._records = None
                break
        return found

    # State

    def state(self) -> bytes:
        """The state as the bytes of TensorFlow's message. UnimplementedError for readers that have none."""
        self._check_single("SerializeState")
        numbers = (self.started, self.finished, self.produced)
        out = b"".join(varint.encode(i << 3) + varint.encode(n) for i, n in enumerate(numbers, 1) if n)
        return out + fields.tagged(4, self._work) if self._work else out

    def restore(self, state: bytes) -> None:
        """Go on where `state` was taken. InvalidArgumentError for bytes that are no state."""
        self._check_single("RestoreState")
        numbers, work = {1: 0, 2: 0, 3: 0}, b""
        try:
            for number, kind, content in fields.split(memoryview(state)):
                if number in numbers and kind == fields.VARINT:
                    numbers[number] = varint.decode(content, 0)[0]
                elif number == 4 and kind == fields.BYTES:
                    work = bytes(content)
            if numbers[1] < numbers[2]:
                raise DataLossError(f"{numbers[2]} units of work are finished, but only {numbers[1]} started")
        except DataLossError as e:
            raise InvalidArgumentError(
                f"Could not parse state for {self.type} '{self.name}': {state.decode(errors='replace')}"
            ) from e
        self.started, self.finished, self.produced = numbers.values()
        self._work = work
        self._failed = None
        self._records = self.records(work) if self.started > self.finished else None

    def _check_single(self, what: str) -> None:
        if not self.single:
            raise UnimplementedError(f"Reader {what}", where=(f"{self.type} {self.name!r}",))


class TextLineReader(Reader):
    """Lines without their ends; the key is `file:number`, from 1 on.

    skipped  lines at the start of each file that are passed over
    """

    type = "TextLineReader"

    def __init__(self, name: str, locate: Callable[[str], str] = str, skipped: int = 0) -> None:
        super().__init__(name, locate)
        self._skipped = skipped

    def records(self, work: bytes) -> Iterator[Record]:
        return self._lines(work, lines(chunks(self._path(work))))

    def _lines(self, work: bytes, found: Iterator[bytes]) -> Iterator[Record]:
        for number, line in enumerate(found, 1):
            if number > self._skipped:
                yield b"%s:%d" % (work, number), line.replace(b"\r", b"")


class RecordReader(Reader):
    """Records of TFRecord files; the key is `file:offset`.

    compression  "", "ZLIB" or "GZIP"
    """

    type = "TFRecordReader"

    def __init__(self, name: str, locate: Callable[[str], str] = str, compression: str = "") -> None:
        super().__init__(name, locate)
        self._compression = compression

    def records(self, work: bytes) -> Iterator[Record]:
        return _with_offsets(work, read_records(self._path(work), self._compression))


def _with_offsets(work: bytes, found: Iterator[bytes]) -> Iterator[Record]:
    at = 0
    for record in found:
        yield b"%s:%d" % (work, at), record
        at += len(record) + _FRAME


# The bytes around a record: its length and two checksums.
_FRAME = 16


# Records that lie closer than this are read so much at a time.
_AHEAD = 1 << 18


class _Pieces:
    """The pieces of a file that begin at given places, each place behind the one before.

    size   bytes of a piece
    ahead  bytes that are read at a time
    """

    def __init__(self, source: files.Source, size: int, ahead: int) -> None:
        self._source, self._size, self._ahead = source, size, ahead
        self._held, self._start = b"", 0

    def read(self, at: int) -> bytes:
        first = at - self._start
        if first + self._size > len(self._held):
            self._held, self._start, first = self._source.read_at(at, self._ahead), at, 0
        return self._held[first : first + self._size]


class FixedLengthReader(Reader):
    """Pieces of one length; the key is `file:number`, from 0 on.

    size            bytes of a record
    header, footer  bytes at the start and at the end of a file that are in no record
    hop             bytes from the start of a record to the start of the next
    encoding        "" or "ZLIB"
    """

    type = "FixedLengthRecordReader"

    def __init__(
        self, name: str, locate: Callable[[str], str], size: int, header: int, footer: int, hop: int, encoding: str
    ) -> None:
        super().__init__(name, locate)
        if size <= 0 or min(header, footer, hop) < 0:
            raise InvalidArgumentError(
                f"record_bytes must be positive, header_bytes, footer_bytes and hop_bytes no less than 0, "
                f"got {size}, {header}, {footer}, {hop}"
            )
        check_compression(encoding)
        self._size, self._header, self._footer, self._hop = size, header, footer, hop or size
        self._encoding = encoding

    def records(self, work: bytes) -> Iterator[Record]:
        if self._encoding:
            content = b"".join(chunks(self._path(work), self._encoding))
            return self._pieces(work, len(content), lambda at: content[at : at + self._size])
        source = files.open_source(self._path(work))
        ahead = max(self._size, _AHEAD) if self._hop < _AHEAD else self._size
        return self._pieces(work, source.size, _Pieces(source, self._size, ahead).read, source.close)

    def _pieces(self, work: bytes, length: int, read: Any, close: Any = lambda: None) -> Iterator[Record]:
        try:
            for number in count():
                at = self._header + number * self._hop
                if at + self._size > length - self._footer:
                    return
                yield b"%s:%d" % (work, number), read(at)
        finally:
            close()


class WholeFileReader(Reader):
    """The content of each file; the key is its name."""

    type = "WholeFileReader"
    single = True

    def records(self, work: bytes) -> Iterator[Record]:
        return ((name, files.read_bytes(self._path(name))) for name in (work,))


class IdentityReader(Reader):
    """What the queue gives, as key and as value."""

    type = "IdentityReader"
    single = True

    def records(self, work: bytes) -> Iterator[Record]:
        return iter(((work, work),))
