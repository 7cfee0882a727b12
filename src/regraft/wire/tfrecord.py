"""TFRecord framing: length (8 bytes), its masked checksum (4), the payload, the payload's masked checksum (4)."""

import struct
from collections.abc import Callable, Iterator

from regraft.base.errors import DataLossError
from regraft.wire import crc32c

_LENGTH = struct.Struct("<Q")
_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_STEP = 1 << 24  # a length may lie, so no read asks for more than this at a time


def frame(payload: bytes) -> bytes:
    """One record: `payload` with its length and checksums."""
    length = _LENGTH.pack(len(payload))
    return b"".join((length, _CHECKSUM.pack(crc32c.masked(length)), payload, _CHECKSUM.pack(crc32c.masked(payload))))


def records(read: Callable[[int], bytes], name: str = "the stream") -> Iterator[bytes]:
    """The payloads of the records that `read` delivers.

    read     returns at most as many bytes as it is asked for, and fewer only at the end
    name     of the stream, for messages
    raises   DataLossError for a record that is cut short or whose checksum is wrong; those before it have been yielded
    """
    at = 0
    while header := read(_HEADER.size):
        if len(header) < _HEADER.size:
            raise DataLossError(
                f"truncated record at {at}: its header has {len(header)} of {_HEADER.size} bytes", where=(name,)
            )
        length, stored = _HEADER.unpack(header)
        computed = crc32c.masked(header[: _LENGTH.size])
        if computed != stored:
            raise _corrupted(f"length of the record at {at}", stored, computed, name)
        body = _exactly(read, length + _CHECKSUM.size)
        if len(body) < length + _CHECKSUM.size:
            raise DataLossError(
                f"truncated record at {at}: {len(body):,} bytes follow its header, not {length + _CHECKSUM.size:,}",
                where=(name,),
            )
        payload = body[:length]
        (stored,), computed = _CHECKSUM.unpack_from(body, length), crc32c.masked(payload)
        if computed != stored:
            raise _corrupted(f"record at {at}", stored, computed, name)
        yield payload
        at += _HEADER.size + len(body)


def _corrupted(what: str, stored: int, computed: int, name: str) -> DataLossError:
    return DataLossError(
        f"corrupted record: checksum of the {what} is {stored:#010x}, computed {computed:#010x}", where=(name,)
    )


def _exactly(read: Callable[[int], bytes], size: int) -> bytes:
    if size <= _STEP:
        return read(size)
    parts = []
    while size and (part := read(min(size, _STEP))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
