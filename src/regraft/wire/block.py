"""Blocks of the table format: sorted keys and values, each key without the prefix it shares with the one before.

An entry is varint(shared) varint(unshared) varint(value length) key-rest value. The positions of the entries that
share nothing (restarts, every 16th in data) follow as 32-bit little-endian integers, then their count. Behind each
block in a file stand its compression type (1 byte) and the masked checksum of block and type (4 bytes).
"""

import struct
from typing import Final

import cramjam

from regraft.base.errors import DataLossError
from regraft.wire import crc32c, varint

TRAILER_SIZE: Final = 5
_PLAIN, _SNAPPY = 0, 1
_WORD = struct.Struct("<I")
# No snappy element makes more than 64 bytes of its 2 or more.
_MOST_SNAPPY_EXPANDS = 32


class BlockWriter:
    """Collects entries in key order; `finish` gives the block and starts the next."""

    def __init__(self, restart_interval: int) -> None:
        self._interval = restart_interval
        self._clear()

    def _clear(self) -> None:
        self._entries = bytearray()
        self._restarts = [0]
        self._since_restart = 0
        self._last = b""

    def __bool__(self) -> bool:
        return bool(self._entries)

    def size(self) -> int:
        """The size of the block if it were finished now."""
        return len(self._entries) + _WORD.size * (len(self._restarts) + 1)

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._since_restart < self._interval:
            shared = shared_prefix(self._last, key)
        else:
            self._restarts.append(len(self._entries))
            self._since_restart = 0
        self._entries += varint.encode(shared) + varint.encode(len(key) - shared) + varint.encode(len(value))
        self._entries += key[shared:]
        self._entries += value
        self._last = key
        self._since_restart += 1

    def finish(self) -> bytes:
        block = bytes(self._entries) + struct.pack(f"<{len(self._restarts) + 1}I", *self._restarts, len(self._restarts))
        self._clear()
        return block


def seal(block: bytes) -> bytes:
    """`block`, uncompressed, with its trailer."""
    typed = block + bytes([_PLAIN])
    return typed + _WORD.pack(crc32c.masked(typed))


def unseal(sealed: bytes, where: str) -> memoryview:
    """The block in `sealed`, a block with its trailer; `where` goes into messages.

    raises   DataLossError for a wrong checksum, an unknown compression, or bytes that do not decompress
    """
    view = memoryview(sealed)
    (stored,) = _WORD.unpack_from(view, len(view) - _WORD.size)
    computed = crc32c.masked(view[: -_WORD.size])
    if stored != computed:
        raise DataLossError(
            f"block checksum mismatch: stored {stored:#010x}, computed {computed:#010x}",
            where=(where,),
            hint="the file is truncated or was changed after it was written; copy it again",
        )
    kind = view[-TRAILER_SIZE]
    if kind == _PLAIN:
        return view[:-TRAILER_SIZE]
    if kind == _SNAPPY:
        return _decompress(view[:-TRAILER_SIZE], where)
    raise DataLossError(f"bad block type {kind}: expected 0 (plain) or 1 (snappy)", where=(where,))


def _decompress(packed: memoryview, where: str) -> memoryview:
    size, _ = varint.decode(packed, 0)
    if size > _MOST_SNAPPY_EXPANDS * len(packed):
        raise DataLossError(
            f"corrupted compressed block contents: {len(packed):,} bytes claim to hold {size:,}", where=(where,)
        )
    try:
        return memoryview(bytes(cramjam.snappy.decompress_raw(packed)))
    except cramjam.DecompressionError as e:
        raise DataLossError(f"corrupted compressed block contents: {e}", where=(where,)) from e


def entries(block: memoryview, where: str) -> list[tuple[bytes, memoryview]]:
    """The keys and values of `block`, in its order; values are views of the block.

    raises   DataLossError if the block's structure is broken, or its keys do not ascend
    """
    end = _end_of_entries(block, where)
    found: list[tuple[bytes, memoryview]] = []
    key = b""
    at = 0
    while at < end:
        start = at
        try:
            shared, at = varint.decode(block, at)
            unshared, at = varint.decode(block, at)
            length, at = varint.decode(block, at)
        except DataLossError as e:
            raise DataLossError(f"bad entry in block: {e}", where=(f"{where}, entry at byte {start}",)) from e
        value_at = at + unshared
        if shared > len(key) or value_at + length > end:
            raise DataLossError(
                f"bad entry in block: it shares {shared:,} bytes of a key of {len(key):,}, and"
                f" {unshared:,} + {length:,} bytes are to follow where {max(end - at, 0):,} are left",
                where=(f"{where}, entry at byte {start}",),
            )
        previous = key
        key = key[:shared] + bytes(block[at:value_at])
        if found and key <= previous:
            raise DataLossError(
                f"bad entry in block: key {key!r} stands behind {previous!r}",
                where=(f"{where}, entry at byte {start}",),
            )
        at = value_at + length
        found.append((key, block[value_at:at]))
    return found


def _end_of_entries(block: memoryview, where: str) -> int:
    if len(block) >= _WORD.size:
        (restarts,) = _WORD.unpack_from(block, len(block) - _WORD.size)
        end = len(block) - _WORD.size * (restarts + 1)
        if end >= 0:
            return int(end)
        seen = f"{restarts:,} restart points in {len(block):,} bytes"
    else:
        seen = f"{len(block)} bytes"
    raise DataLossError(f"bad block contents: {seen}", where=(where,))


def shared_prefix(a: bytes, b: bytes) -> int:
    """The length of the longest common prefix."""
    most = min(len(a), len(b))
    if a[:most] == b[:most]:
        return most
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
