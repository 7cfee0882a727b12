"""TFRecord framing against literals, TensorFlow's reader and writer, and damage."""

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regraft.base.errors import DataLossError
from regraft.wire import tfrecord


def payloads(data: bytes) -> list[bytes]:
    return list(tfrecord.records(io.BytesIO(data).read, "x.tfrecord"))


def test_layout() -> None:
    # of tf.io.TFRecordWriter.write(b"abc")
    assert tfrecord.frame(b"abc").hex() == "0300000000000000b099490e6162636e57f121"


@given(st.lists(st.binary(max_size=50)))
def test_round_trip(content: list[bytes]) -> None:
    assert payloads(b"".join(map(tfrecord.frame, content))) == content


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4), st.data())
def test_any_flipped_bit_is_noticed(content: list[bytes], data: st.DataObject) -> None:
    stream = bytearray(b"".join(map(tfrecord.frame, content)))
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DataLossError):
        payloads(bytes(stream))


def test_truncation() -> None:
    first, second = tfrecord.frame(b"abc"), tfrecord.frame(b"defg")
    stream = first + second
    for size in range(len(first) + 1, len(stream)):
        found = tfrecord.records(io.BytesIO(stream[:size]).read, "x.tfrecord")
        assert next(found) == b"abc"
        with pytest.raises(DataLossError, match=f"truncated record at {len(first)}"):
            next(found)


def test_a_length_that_lies_reads_what_is_there() -> None:
    import struct

    from regraft.wire import crc32c

    length = struct.pack("<Q", 1 << 60)
    stream = io.BytesIO(length + struct.pack("<I", crc32c.masked(length)) + b"few bytes")
    asked: list[int] = []

    def read(size: int) -> bytes:
        asked.append(size)
        return stream.read(size)

    with pytest.raises(DataLossError, match="9 bytes follow its header, not 1,152,921,504,606,846,980"):
        list(tfrecord.records(read))
    assert max(asked) <= 1 << 24


def test_tensorflow_reads_ours_and_we_read_its(tmp_path: Path) -> None:
    tf: Any = pytest.importorskip("tensorflow")
    content = [b"", b"abc", bytes(range(256)) * 40]
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    with tf.io.TFRecordWriter(str(theirs)) as writer:
        for payload in content:
            writer.write(payload)
    ours.write_bytes(b"".join(map(tfrecord.frame, content)))
    assert ours.read_bytes() == theirs.read_bytes()
    assert payloads(theirs.read_bytes()) == content
    assert list(tf.compat.v1.io.tf_record_iterator(str(ours))) == content
