"""V1 checkpoints: written as TensorFlow writes them, read as it reads them, sharded ones by pattern."""

from pathlib import Path
from typing import Any

import cramjam
import numpy as np
import pytest

from regraft import proto
from regraft.base.dtypes import as_dtype
from regraft.base.errors import DataLossError, InvalidArgumentError, NotFoundError, UnimplementedError
from regraft.checkpoint import ShapeAndSlice, open_checkpoint
from regraft.checkpoint.items import Item
from regraft.checkpoint.v1_writer import write_v1_checkpoint
from regraft.wire import ordered_code
from regraft.wire.table import TableWriter
from tests.checkpoint import tensorflow_io

RANDOM = np.random.default_rng(2)
DTYPES = [
    "float32", "float64", "int32", "uint8", "int16", "int8", "complex64", "int64", "bool", "uint16", "complex128",
    "float16",
]  # fmt: skip
QUANTIZED = {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}


def sample(dtype: str, shape: tuple[int, ...] = (3, 4)) -> Any:
    return (RANDOM.standard_normal(shape) * 40).astype(np.int64).astype(dtype)


def strings(*values: bytes) -> Any:
    array = np.empty(len(values), object)
    array[:] = values
    return array


CONTENTS: dict[str, tuple[list[str], list[Any], list[str] | None, list[str | None] | None]] = {
    "every dtype": (DTYPES, [sample(dtype) for dtype in DTYPES], None, None),
    "quantized": (list(QUANTIZED), [sample(plain) for plain in QUANTIZED.values()], None, list(QUANTIZED)),
    "strings, scalars, nothing": (
        ["s", "b", "a"],
        [strings(b"ab", b"", b"x\0"), np.float32(1.5), np.zeros((0, 3), np.float32)],
        None,
        None,
    ),
    "parts": (
        ["p", "whole", "p", "q"],
        [sample("float32", (4, 30)), sample("int32", (3,)), sample("float32", (6, 30)), sample("float16", (6, 8500))],
        ["10 30 0,4:-", "3 0,3", "10 30 4,6:0,30", "70 9000 64,6:0,8500"],
        None,
    ),
    "several blocks": ([f"w{i:03d}" for i in range(200)], [sample("float32", (500,)) for _ in range(200)], None, None),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_bytes_are_tensorflows(content: tuple[Any, ...], tmp_path: Path) -> None:
    names, values, specs, dtypes = content
    tensorflow_io.save(tmp_path / "theirs", names, values, specs, dtypes, v1=True)
    items = [
        Item(name, value, as_dtype(dtype) if dtype else None, ShapeAndSlice.parse(spec))
        for name, value, spec, dtype in zip(
            names, values, specs or [""] * len(names), dtypes or [None] * len(names), strict=True
        )
    ]
    write_v1_checkpoint(tmp_path / "ours", items)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


@pytest.mark.parametrize("dtype", [*DTYPES, *QUANTIZED])
def test_dtypes_are_read(dtype: str, tmp_path: Path) -> None:
    value = sample(QUANTIZED.get(dtype, dtype))
    tensorflow_io.save(tmp_path / "c", ["v"], [value], dtypes=[dtype if dtype in QUANTIZED else None], v1=True)
    with open_checkpoint(tmp_path / "c") as reader:
        assert (reader.version, reader.dtype("v").name, reader.shape("v")) == (1, dtype, (3, 4))
        found = reader.get_tensor("v")
    assert found.dtype == value.dtype
    assert found.tobytes() == value.tobytes()
    assert found.__array_interface__["data"][0] % 64 == 0


def test_strings(tmp_path: Path) -> None:
    tensorflow_io.save(tmp_path / "c", ["s"], [strings(b"ab", b"", b"x\0")], v1=True)
    assert open_checkpoint(tmp_path / "c").get_tensor("s").tolist() == [b"ab", b"", b"x\0"]


MATRIX = np.arange(24, dtype=np.float32).reshape(4, 6)


class TestShards:
    @pytest.fixture
    def pattern(self, tmp_path: Path) -> Path:
        """Two files; "p" is cut over both, "gap" lacks its second half."""
        tensorflow_io.save(
            tmp_path / "m-00000-of-00002",
            ["a", "p", "gap"],
            [np.int32(3), MATRIX[:2], MATRIX[:2]],
            ["", "4 6 0,2:-", "4 6 0,2:-"],
            v1=True,
        )
        tensorflow_io.save(
            tmp_path / "m-00001-of-00002", ["p", "b"], [MATRIX[2:], np.int64(4)], ["4 6 2,2:-", ""], v1=True
        )
        return tmp_path / "m-?????-of-00002"

    def test_all(self, pattern: Path) -> None:
        with open_checkpoint(pattern) as reader:
            assert reader.names() == ["a", "b", "gap", "p"]
            assert reader.shapes() == {"a": (), "b": (), "gap": (4, 6), "p": (4, 6)}
            np.testing.assert_array_equal(reader.get_tensor("p"), MATRIX)
            np.testing.assert_array_equal(reader.get_slice("p", "4 6 1,2:2,3"), MATRIX[1:3, 2:5])
            np.testing.assert_array_equal(tensorflow_io.restore(pattern, "p", "float32"), MATRIX)
            found = reader.get_tensors(["b", "p", "a"])
            assert (found["a"], found["b"]) == (3, 4)
            out = np.zeros((4, 6), np.float32)
            reader.read_into("p", out)
            np.testing.assert_array_equal(out, MATRIX)

    def test_one_of_them(self, pattern: Path) -> None:
        with open_checkpoint(pattern.with_name("m-00001-of-00002")) as reader:
            assert reader.get_tensor("b") == 4
            with pytest.raises(InvalidArgumentError, match="do not cover -:- of tensor p"):
                reader.get_tensor("p")

    def test_a_gap(self, pattern: Path) -> None:
        reader = open_checkpoint(pattern)
        with pytest.raises(InvalidArgumentError, match=r"do not cover -:- of tensor gap(.|\n)*0,2:- of shape \[4, 6\]"):
            reader.get_tensor("gap")
        np.testing.assert_array_equal(reader.get_slice("gap", "4 6 0,2:-"), MATRIX[:2])

    def test_missing_names(self, pattern: Path) -> None:
        with pytest.raises(NotFoundError, match="^q not found in checkpoint file"):
            open_checkpoint(pattern).get_tensor("q")


def test_dtypes_that_v1_lacks(tmp_path: Path) -> None:
    for dtype in ("uint32", "uint64", "qint16"):
        with pytest.raises(UnimplementedError, match=f"V1 checkpoints have no form for {dtype} tensors"):
            write_v1_checkpoint(tmp_path / "c", [Item("v", np.zeros(2, dtype.replace("q", "")), as_dtype(dtype))])
    assert list(tmp_path.iterdir()) == []


def table(path: Path, records: dict[bytes, proto.SavedTensorSlices]) -> None:
    with path.open("wb") as file:
        writer = TableWriter(file.write)
        for key in sorted(records):
            writer.add(key, records[key].SerializeToString())
        writer.finish()


def saved(shape: tuple[int, ...], values: list[float]) -> dict[bytes, proto.SavedTensorSlices]:
    meta, data = proto.SavedTensorSlices(), proto.SavedTensorSlices()
    tensor = meta.meta.tensor.add(name="v", type=1)
    for size in shape:
        tensor.shape.dim.add(size=size)
    extent = tensor.slice.add()
    for _ in shape:
        extent.extent.add()
    data.data.name = "v"
    data.data.data.float_val.extend(values)
    return {b"": meta, ordered_code.encode_tensor_slice(b"v", [(0, -1)] * len(shape)): data}


class TestDamage:
    def test_values_that_are_too_few(self, tmp_path: Path) -> None:
        table(tmp_path / "c", saved((3,), [1.0, 2.0]))
        with pytest.raises(DataLossError, match="2 values are stored where the shape asks for 3"):
            open_checkpoint(tmp_path / "c").get_tensor("v")

    def test_a_shape_that_lies(self, tmp_path: Path) -> None:
        table(tmp_path / "c", saved((1 << 40, 1 << 20), [1.0]))
        with pytest.raises(DataLossError, match=r"'v' claims to be float32 of shape \[1099511627776, 1048576\]"):
            open_checkpoint(tmp_path / "c").get_tensor("v")

    def test_values_that_are_missing(self, tmp_path: Path) -> None:
        records = saved((1,), [1.0])
        table(tmp_path / "c", {b"": records[b""]})
        with pytest.raises(DataLossError, match="the record with the values is missing"):
            open_checkpoint(tmp_path / "c").get_tensor("v")

    def test_a_newer_version(self, tmp_path: Path) -> None:
        records = saved((1,), [1.0])
        records[b""].meta.versions.min_consumer = 2
        table(tmp_path / "c", records)
        with pytest.raises(Exception, match="min consumer version 2 above current version 1"):
            open_checkpoint(tmp_path / "c")

    def test_no_table(self, tmp_path: Path) -> None:
        (tmp_path / "c").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0123456789\n")
        with pytest.raises(DataLossError, match=r"Unable to open table file .*c: not an sstable \(bad magic number\)"):
            open_checkpoint(tmp_path / "c")

    def test_unpacked_values(self, tmp_path: Path) -> None:
        """Very old writers may not pack; protobuf readers must take both."""
        records = {key: message.SerializeToString() for key, message in saved((2,), []).items()}
        key = max(records)
        # data { name: "v" data { float_val: 1.5 float_val: -2 } } with a tag for each value
        records[key] = bytes.fromhex("120f0a01761a0a2d0000c03f2d000000c0")
        with (tmp_path / "c").open("wb") as file:
            writer = TableWriter(file.write)
            for key in sorted(records):
                writer.add(key, records[key])
            writer.finish()
        assert open_checkpoint(tmp_path / "c").get_tensor("v").tolist() == [1.5, -2.0]


def test_snappy_is_a_format_that_we_read() -> None:
    # what cramjam calls "raw" is the block format that tables hold: varint length, then elements
    assert bytes(cramjam.snappy.compress_raw(b"aaa")).hex() == "0308616161"
