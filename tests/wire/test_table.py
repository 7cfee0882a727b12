"""The table format: layout by the byte, any content round, and what TensorFlow writes."""

import struct
from pathlib import Path

import cramjam
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regraft.base.errors import DataLossError
from regraft.wire import block, crc32c
from regraft.wire.table import MAGIC, Table, TableWriter
from tests.checkpoint import tensorflow_io

Records = list[tuple[bytes, bytes]]

records = st.dictionaries(st.binary(max_size=12), st.binary(max_size=40), max_size=60).map(
    lambda found: sorted(found.items())
)


def written(content: Records, block_size: int = 262144) -> bytes:
    parts: list[bytes] = []
    writer = TableWriter(parts.append, block_size)
    for key, value in content:
        writer.add(key, value)
    size = writer.finish()
    data = b"".join(parts)
    assert size == len(data)
    return data


def read(data: bytes) -> Records:
    return [(key, bytes(value)) for key, value in Table.of(data).items()]


def sealed(contents: bytes, kind: int) -> bytes:
    typed = contents + bytes([kind])
    return typed + struct.pack("<I", crc32c.masked(typed))


def table_of_one_block(contents: bytes, kind: int = 0) -> bytes:
    """A table by hand: one data block as given, an index block that names it."""
    data = sealed(contents, kind)
    handle = bytes([0, len(contents)]) if len(contents) < 128 else None
    assert handle is not None
    index = b"\x00\x01" + bytes([len(handle)]) + b"\xff" + handle + struct.pack("<2I", 0, 1)
    footer = bytes([0, 0, len(data), len(index)]).ljust(40, b"\0") + struct.pack("<Q", MAGIC)
    return data + sealed(index, 0) + footer


def test_layout_of_a_small_table() -> None:
    data = written([(b"", b"v0"), (b"abc", b"v1"), (b"abd", b"")])
    entries = (
        bytes([0, 0, 2]) + b"v0"  # shared, unshared, length of the value
        + bytes([0, 3, 2]) + b"abc" + b"v1"
        + bytes([2, 1, 0]) + b"d"
    )  # fmt: skip
    first = entries + struct.pack("<2I", 0, 1)
    meta = struct.pack("<2I", 0, 1)
    index = bytes([0, 1, 2]) + b"b" + bytes([0, len(first)]) + struct.pack("<2I", 0, 1)
    meta_at, index_at = len(first) + 5, len(first) + 5 + len(meta) + 5
    footer = bytes([meta_at, len(meta), index_at, len(index)]).ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")
    assert data == sealed(first, 0) + sealed(meta, 0) + sealed(index, 0) + footer


def test_an_empty_table() -> None:
    assert read(written([])) == []


@given(records, st.integers(1, 200))
def test_round_trip(content: Records, block_size: int) -> None:
    data = written(content, block_size)
    assert read(data) == content
    table = Table.of(data)
    for key, value in content:
        found = table.get(key)
        assert found is not None
        assert found == value
        assert table.get(key + b"\0") is None or (key + b"\0", table.get(key + b"\0")) in content


@given(records, st.data())
def test_any_flipped_bit_is_noticed(content: Records, data: st.DataObject) -> None:
    table = bytearray(written(content, 64))
    at = data.draw(st.integers(0, len(table) - 1))
    table[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = read(bytes(table))
    except DataLossError:
        return
    # Nobody reads the meta block, its handle, and the padding of the footer; what is read is right.
    assert found == content


@given(records, st.data())
def test_any_cut_is_noticed(content: Records, data: st.DataObject) -> None:
    table = written(content, 64)
    with pytest.raises(DataLossError):
        read(table[: data.draw(st.integers(0, len(table) - 1))])


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(DataLossError):
        read(noise + b"\0" * 40 + struct.pack("<Q", MAGIC))


def test_keys_must_ascend() -> None:
    writer = TableWriter(lambda data: None)
    writer.add(b"b", b"")
    for key in (b"b", b"a", b""):
        with pytest.raises(ValueError, match="does not sort behind b'b'"):
            writer.add(key, b"")


class TestCompression:
    ENTRIES = bytes([0, 1, 3]) + b"k" + b"aaa" + struct.pack("<2I", 0, 1)

    def test_snappy(self) -> None:
        packed = bytes(cramjam.snappy.compress_raw(self.ENTRIES))
        assert read(table_of_one_block(packed, kind=1)) == [(b"k", b"aaa")]

    def test_snappy_that_is_none(self) -> None:
        with pytest.raises(DataLossError, match="corrupted compressed block contents"):
            read(table_of_one_block(b"\x20abcdef", kind=1))

    def test_snappy_that_claims_a_terabyte(self) -> None:
        with pytest.raises(DataLossError, match="claim to hold 1,099,511,627,776"):
            read(table_of_one_block(bytes.fromhex("808080808020") + b"abcdef", kind=1))

    def test_unknown(self) -> None:
        with pytest.raises(DataLossError, match="bad block type 4"):
            read(table_of_one_block(self.ENTRIES, kind=4))


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "bad block contents: 0 bytes"),
        (struct.pack("<I", 9), "bad block contents: 9 restart points in 4 bytes"),
        (bytes([1, 1, 0]) + b"k" + struct.pack("<2I", 0, 1), "shares 1 bytes of a key of 0"),
        (bytes([0, 1, 9]) + b"k" + struct.pack("<2I", 0, 1), "bytes are to follow where"),
        (bytes([0, 1, 0]) + b"k" + bytes([0, 1, 0]) + b"j" + struct.pack("<2I", 0, 1), "stands behind b'k'"),
        (b"\x80" + struct.pack("<2I", 0, 1), "bad entry in block"),
    ],
)
def test_broken_blocks(contents: bytes, words: str) -> None:
    with pytest.raises(DataLossError, match=words):
        read(table_of_one_block(contents))


def test_messages_name_the_place() -> None:
    data = bytearray(written([(b"k", b"v")]))
    data[5] ^= 1
    with pytest.raises(DataLossError) as caught:
        list(Table.of(bytes(data), "model.ckpt.index").items())
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("block checksum mismatch: stored 0x")
    assert lines[1] == "  at model.ckpt.index, block at offset 0, 13 bytes"


def test_the_magic_number() -> None:
    with pytest.raises(DataLossError, match=r"not an sstable \(bad magic number\)"):
        Table.of(bytes(100))
    with pytest.raises(DataLossError, match="big-endian"):
        Table.of(bytes(100) + struct.pack(">Q", MAGIC))
    with pytest.raises(DataLossError, match="file is too short to be an sstable"):
        Table.of(bytes(47))


def test_a_handle_past_the_end() -> None:
    footer = b"\x00\x00" + b"\xff\xff\xff\xff\x0f" + b"\x10"
    with pytest.raises(DataLossError, match="bad block handle in the footer: 16 bytes at offset 4294967295"):
        Table.of(footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC))


def test_shared_prefix() -> None:
    assert block.shared_prefix(b"", b"a") == 0
    assert block.shared_prefix(b"abc", b"abd") == 2
    assert block.shared_prefix(b"abc", b"abcd") == 3
    assert block.shared_prefix(b"abcd", b"abcd") == 4


def test_tensorflows_index_of_several_blocks(tmp_path: Path) -> None:
    """Its index of 4,000 names is read, and written again to the byte."""
    names = [f"{i * 7919 % 4001}/{i % 37}/" + "x" * (50 + i % 101) for i in range(4000)]
    tensorflow_io.save(tmp_path / "many", names, [np.float32(1)] * len(names))
    data = (tmp_path / "many.index").read_bytes()
    assert len(data) > 300_000
    content = read(data)
    assert {key for key, _ in content} == {name.encode() for name in [*names, ""]}
    assert written(content) == data
