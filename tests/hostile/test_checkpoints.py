"""Checkpoints that are damaged, incomplete, or lie: a precise error, no wrong value, no memory for nothing."""

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regraft import proto
from regraft.base import errors
from regraft.checkpoint import bundle, open_checkpoint
from regraft.checkpoint.bundle_writer import write_checkpoint, write_sharded_checkpoint
from regraft.checkpoint.items import Item
from regraft.checkpoint.slices import ShapeAndSlice
from regraft.checkpoint.v1_writer import write_v1_checkpoint
from regraft.wire import crc32c
from regraft.wire.table import TableWriter
from tests.checkpoint import tensorflow_io

ITEMS = [
    Item("floats", np.arange(6, dtype=np.float32).reshape(2, 3)),
    Item("strings", [b"ab", b"", b"cde"]),
    Item("part", np.int64([1, 2]), part=ShapeAndSlice.parse("4 0,2")),
    Item("part", np.int64([3, 4]), part=ShapeAndSlice.parse("4 2,2")),
]
VALUES: dict[str, Any] = {
    "floats": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
    "strings": [b"ab", b"", b"cde"],
    "part": [1, 2, 3, 4],
}
fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def contents(prefix: Path) -> dict[str, Any]:
    with open_checkpoint(prefix) as reader:
        return {name: value.tolist() for name, value in reader.get_tensors().items()}


def check_damaged(prefix: Path) -> None:
    """Reading fails with a status, or what it gives is right."""
    try:
        found = contents(prefix)
    except (errors.DataLossError, errors.NotFoundError):
        return
    assert found == VALUES


WRITERS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "V2": (lambda prefix: write_checkpoint(prefix, ITEMS), [".index", ".data-00000-of-00001"]),
    "V1": (lambda prefix: write_v1_checkpoint(prefix, ITEMS), [""]),
}


@pytest.mark.parametrize("version", WRITERS)
@fuzz
@given(data=st.data())
def test_flipped_bits(version: str, tmp_path: Path, data: st.DataObject) -> None:
    write, suffixes = WRITERS[version]
    write(tmp_path / "c")
    path = tmp_path / f"c{data.draw(st.sampled_from(suffixes))}"
    damaged = bytearray(path.read_bytes())
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged)
    check_damaged(tmp_path / "c")


@pytest.mark.parametrize("version", WRITERS)
@fuzz
@given(data=st.data())
def test_truncated(version: str, tmp_path: Path, data: st.DataObject) -> None:
    write, suffixes = WRITERS[version]
    write(tmp_path / "c")
    path = tmp_path / f"c{data.draw(st.sampled_from(suffixes))}"
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(errors.DataLossError):
        contents(tmp_path / "c")


def rewrite_index(prefix: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the parsed records of an index, and write it with checksums that are right."""
    header, records = bundle.read_index(str(prefix))
    messages: dict[str, Any] = {
        key.decode("latin-1"): proto.parse(value, proto.BundleEntryProto) for key, value in records.items()
    }
    messages[""] = proto.BundleHeaderProto(num_shards=header.shards, version=proto.VersionDef(producer=1))
    change(messages)
    with Path(bundle.index_path(str(prefix))).open("wb") as file:
        table = TableWriter(file.write)
        for key in sorted(messages):
            table.add(key.encode("latin-1"), messages[key].SerializeToString())
        table.finish()


def setter(key: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    def change(messages: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(messages[key], name, value)

    return change


def reshape(key: str, *sizes: int) -> Callable[[dict[str, Any]], None]:
    def change(messages: dict[str, Any]) -> None:
        messages[key].shape.Clear()
        for size in sizes:
            messages[key].shape.dim.add(size=size)

    return change


def both(*changes: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def change(messages: dict[str, Any]) -> None:
        for one in changes:
            one(messages)

    return change


def remove(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda messages: messages.pop(key)


HALF = "\x00part\x00\x01\x01\x01\x80\x82"  # the key of the first half of "part"
LIES: dict[str, tuple[Callable[[dict[str, Any]], None], type[errors.OpError], str]] = {
    "no shards": (setter("", num_shards=0), errors.DataLossError, "the header counts 0 data files"),
    "a newer format": (
        lambda messages: setattr(messages[""].version, "min_consumer", 2),
        errors.FailedPreconditionError,
        "min consumer version 2 above current version 1",
    ),
    "no header": (remove(""), errors.DataLossError, "where the header's empty one belongs"),
    "a dtype that is none": (setter("floats", dtype=77), errors.DataLossError, "dtype 77 is no TensorFlow dtype"),
    "a reference": (setter("floats", dtype=101), errors.DataLossError, "float32_ref is a reference"),
    "a negative size": (reshape("floats", -1, 3), errors.DataLossError, r"shape \[-1, 3\] is not fully known"),
    "a shape without bytes": (
        reshape("floats", 1 << 30, 1 << 30),
        errors.DataLossError,
        r"takes 4,611,686,018,427,387,904 bytes, the entry has 24",
    ),
    "more bytes than the file": (
        both(reshape("floats", 1 << 30, 1 << 20), setter("floats", size=1 << 52)),
        errors.DataLossError,
        r"the data file has \d+ bytes, the tensor ends at 4,503,599,627,370,496",
    ),
    "an offset behind the end": (setter("floats", offset=1 << 40), errors.DataLossError, "the tensor ends at"),
    "a negative offset": (setter("floats", offset=-4), errors.DataLossError, "24 bytes at offset -4"),
    "a shard that is not there": (setter("floats", shard_id=1), errors.DataLossError, "of data file 1 of 1"),
    "more strings than bytes": (
        reshape("strings", 1 << 40),
        errors.DataLossError,
        "string tensor of 1,099,511,627,776 elements in 12 bytes",
    ),
    "a string more": (reshape("strings", 4), errors.DataLossError, "string lengths add up to|varint|checksum"),
    "another checksum": (
        setter("floats", crc32c=5),
        errors.DataLossError,
        r"Checksum does not match: stored \d+ vs\. calculated on the restored bytes \d+",
    ),
    "a part that is missing": (remove(HALF), errors.NotFoundError, r"Key part \(part 0,2\) not found in checkpoint"),
    "a part of another size": (reshape(HALF, 1), errors.DataLossError, "takes 8 bytes, the entry has 16"),
    "a part of another dtype": (
        both(setter(HALF, dtype=2)),
        errors.DataLossError,
        r"part 0,2 of 'part', int64 of shape \[4\], is stored as float64 of shape \[2\]",
    ),
    "a whole without bytes": (reshape("part", 1 << 50), errors.InvalidArgumentError, "sufficient slices"),
    "a whole smaller than its parts": (reshape("part", 3), errors.DataLossError, "a part does not lie in its tensor"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_lies(lie: tuple[Any, type[errors.OpError], str], tmp_path: Path) -> None:
    change, status, words = lie
    write_checkpoint(tmp_path / "c", ITEMS)
    rewrite_index(tmp_path / "c", change)
    tracemalloc.start()
    try:
        with pytest.raises(status, match=words) as caught:
            contents(tmp_path / "c")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert f"  at {tmp_path / 'c'}." in str(caught.value)


def test_a_message_names_file_tensor_and_place(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "c", {"a": np.zeros(3, np.float32), "b": np.ones(4, np.float32)})
    data = tmp_path / "c.data-00000-of-00001"
    damaged = bytearray(data.read_bytes())
    damaged[13] ^= 1
    data.write_bytes(damaged)
    reader = open_checkpoint(tmp_path / "c")
    assert reader.get_tensor("a").tolist() == [0, 0, 0]
    with pytest.raises(errors.DataLossError) as caught:
        reader.get_tensor("b")
    first, place, advice = str(caught.value).splitlines()
    assert first.startswith("Checksum does not match: stored ")
    assert place == f"  at {data}, 'b', 16 bytes at offset 12"
    assert "copy it again" in advice


def test_overlapping_parts_that_leave_a_gap(tmp_path: Path) -> None:
    """Their sizes add up to the whole; what nobody wrote must not be handed out."""
    items = [
        Item("v", np.int32([1, 2]), part=ShapeAndSlice.parse("4 0,2")),
        Item("v", np.int32([2, 3]), part=ShapeAndSlice.parse("4 1,2")),
    ]
    write_checkpoint(tmp_path / "c", items)
    with pytest.raises(errors.InvalidArgumentError, match="Does not have sufficient slices"):
        open_checkpoint(tmp_path / "c").get_tensor("v")


def test_a_missing_shard(tmp_path: Path) -> None:
    write_sharded_checkpoint(tmp_path / "c", [{"a": 1}, {"b": 2}])
    (tmp_path / "c.data-00001-of-00002").unlink()
    reader = open_checkpoint(tmp_path / "c")
    assert reader.get_tensor("a") == 1
    with pytest.raises(errors.NotFoundError) as caught:
        reader.get_tensor("b")
    assert str(caught.value).splitlines()[:2] == [
        f"{tmp_path}/c.data-00001-of-00002; No such file or directory",
        f"  at {tmp_path}/c.index, which counts 2 data files",
    ]


@pytest.mark.parametrize("content", [b"", b"{}", b"version https://git-lfs.github.com/spec/v1\n", bytes(4096)])
def test_an_index_that_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.index").write_bytes(content)
    with pytest.raises(errors.DataLossError, match=r"not an sstable|too short to be an sstable") as caught:
        open_checkpoint(tmp_path / "c")
    assert f"{tmp_path}/c.index" in str(caught.value)


def test_a_big_endian_checkpoint_is_read(tmp_path: Path) -> None:
    """By hand, since no such machine is near: numbers, length checksums and their checksum in the other order."""
    numbers = np.array([1, -2, 300], ">i4").tobytes()
    lengths = struct.pack(">2I", 2, 1)
    strings_checksum = struct.pack(">I", crc32c.masked(lengths))
    strings = b"\x02\x01" + strings_checksum + b"ab" + b"c"
    (tmp_path / "c.data-00000-of-00001").write_bytes(numbers + strings)
    write_checkpoint(tmp_path / "d", {"n": np.zeros(3, np.int32), "s": [b"..", b"."]})
    rewrite_index(
        tmp_path / "d",
        both(
            setter("", endianness=1),
            setter("n", crc32c=crc32c.masked(numbers)),
            setter("s", crc32c=crc32c.masked(lengths + strings_checksum + b"abc")),
        ),
    )
    (tmp_path / "d.index").rename(tmp_path / "c.index")
    with open_checkpoint(tmp_path / "c") as reader:
        assert reader.get_tensor("n").tolist() == [1, -2, 300]
        assert reader.get_tensor("s").tolist() == [b"ab", b"c"]
    assert tensorflow_io.reader(tmp_path / "c").get_tensor("n").tolist() == [1, -2, 300]
