"""The sorted table: LevelDB's file format, as checkpoints use it.

Data blocks, then a block of meta information (empty here), then the index block, then a footer of 48 bytes: the
handles of the last two, padded with zeros to 40, and a magic number. A handle is varint(offset) varint(size). The
index maps a key, not below the last of a data block and below the first of the next, to that block's handle.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final

from regraft.base.errors import DataLossError
from regraft.wire import block, varint

MAGIC: Final = 0xDB4775248B80FB57
FOOTER_SIZE: Final = 48
BLOCK_SIZE: Final = 262144
RESTART_INTERVAL: Final = 16

_MAGIC = struct.Struct("<Q")
_MOST_KEPT = 4 * BLOCK_SIZE


def _handle(offset: int, size: int) -> bytes:
    return varint.encode(offset) + varint.encode(size)


class TableWriter:
    """Writes a table to `sink`, which takes bytes in order; memory holds one block.

    Layout, block boundaries and index keys are those of TensorFlow's checkpoints, to the byte.
    """

    def __init__(self, sink: Callable[[bytes], object], block_size: int = BLOCK_SIZE) -> None:
        self._sink = sink
        self._block_size = block_size
        self._data = block.BlockWriter(RESTART_INTERVAL)
        self._index = block.BlockWriter(1)
        self._last = b""
        self._empty = True
        self._pending = b""  # handle of a block whose index key waits for the first key of the next
        self._offset = 0

    def add(self, key: bytes, value: bytes) -> None:
        """Add an entry; keys must ascend. ValueError if they do not."""
        if not self._empty and key <= self._last:
            raise ValueError(f"key {key!r} does not sort behind {self._last!r}")
        if self._pending:
            self._index.add(_separator(self._last, key), self._pending)
            self._pending = b""
        self._data.add(key, value)
        self._last = key
        self._empty = False
        if self._data.size() >= self._block_size:
            self._pending = self._write(self._data.finish())

    def finish(self) -> int:
        """Write what is left, and return the size of the table."""
        if self._data:
            self._pending = self._write(self._data.finish())
        meta = self._write(block.BlockWriter(RESTART_INTERVAL).finish())
        if self._pending:
            self._index.add(_successor(self._last), self._pending)
        index = self._write(self._index.finish())
        self._emit((meta + index).ljust(FOOTER_SIZE - _MAGIC.size, b"\0") + _MAGIC.pack(MAGIC))
        return self._offset

    def _write(self, contents: bytes) -> bytes:
        handle = _handle(self._offset, len(contents))
        self._emit(block.seal(contents))
        return handle

    def _emit(self, data: bytes) -> None:
        self._sink(data)
        self._offset += len(data)


def _separator(low: bytes, high: bytes) -> bytes:
    """A short key with low <= key < high."""
    shared = block.shared_prefix(low, high)
    if shared < min(len(low), len(high)) and low[shared] + 1 < high[shared]:
        return low[:shared] + bytes([low[shared] + 1])
    return low


def _successor(key: bytes) -> bytes:
    """A short key that is not below `key`."""
    for at, byte in enumerate(key):
        if byte != 0xFF:
            return key[:at] + bytes([byte + 1])
    return key


class Table:
    """Reads a table.

    fetch    (offset, size) -> exactly those bytes of the table, or fewer at its end
    size     of the table in bytes
    name     of the table, for messages
    raises   DataLossError wherever the bytes are no sound table
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, name: str = "the table") -> None:
        self._fetch = fetch
        self._size = size
        self._name = name
        index = block.entries(*self._block(*self._index_handle()))
        self._last_keys = [key for key, _ in index]
        self._handles = [self._handle(value, "the index block") for _, value in index]
        self._kept: tuple[int, dict[bytes, memoryview]] | None = None

    @classmethod
    def of(cls, data: bytes, name: str = "the table") -> "Table":
        """The table that `data` is."""
        return cls(lambda offset, size: data[offset : offset + size], len(data), name)

    def items(self) -> Iterator[tuple[bytes, memoryview]]:
        """All keys and values in order, a block in memory at a time."""
        last = None
        for handle in self._handles:
            found = self._entries(handle)
            if last is not None and found and found[0][0] <= last:
                raise DataLossError(
                    f"keys out of order: {found[0][0]!r} in the block behind {last!r}", where=(self._name,)
                )
            yield from found
            if found:
                last = found[-1][0]

    def get(self, key: bytes) -> memoryview | None:
        """The value of `key`, None if it is not there; one block is read, and kept while it is small."""
        at = bisect_left(self._last_keys, key)
        if at == len(self._handles):
            return None
        kept = self._kept
        if kept is None or kept[0] != at:
            kept = at, dict(self._entries(self._handles[at]))
            self._kept = kept if self._handles[at][1] <= _MOST_KEPT else None
        return kept[1].get(key)

    def _entries(self, handle: tuple[int, int]) -> list[tuple[bytes, memoryview]]:
        return block.entries(*self._block(*handle))

    def _handle(self, data: varint.Octets, where: str) -> tuple[int, int]:
        offset, at = varint.decode(data, 0)
        size, _ = varint.decode(data, at)
        end = offset + size + block.TRAILER_SIZE
        if end > self._size - FOOTER_SIZE:
            raise DataLossError(
                f"bad block handle in {where}: {size:,} bytes at offset {offset}, in a table of {self._size:,} bytes",
                where=(self._name,),
            )
        return offset, size

    def _block(self, offset: int, size: int) -> tuple[memoryview, str]:
        where = f"{self._name}, block at offset {offset}, {size:,} bytes"
        sealed = self._fetch(offset, size + block.TRAILER_SIZE)
        if len(sealed) < size + block.TRAILER_SIZE:
            raise DataLossError(f"truncated block read: {len(sealed):,} bytes", where=(where,))
        return block.unseal(sealed, where), where

    def _index_handle(self) -> tuple[int, int]:
        if self._size < FOOTER_SIZE:
            raise DataLossError(
                f"file is too short to be an sstable: {self._size} bytes, where a footer alone has {FOOTER_SIZE}",
                where=(self._name,),
            )
        footer = self._fetch(self._size - FOOTER_SIZE, FOOTER_SIZE)
        wanted, magic = _MAGIC.pack(MAGIC), footer[-_MAGIC.size :]
        if magic != wanted:
            raise DataLossError(
                f"not an sstable (bad magic number): the last 8 bytes are {magic.hex()}, not {wanted.hex()}",
                where=(f"{self._name}, offset {self._size - _MAGIC.size}",),
                hint="its bytes are in big-endian order, which no reader takes"
                if magic == wanted[::-1]
                else "the file is cut short, or is no checkpoint",
            )
        _, at = varint.decode(footer, 0)
        _, at = varint.decode(footer, at)
        return self._handle(footer[at:], "the footer")
