"""V2 checkpoints: written as TensorFlow writes them, read as it reads them, in both directions."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from regraft.base.dtypes import as_dtype
from regraft.base.errors import (
    AlreadyExistsError,
    InvalidArgumentError,
    NotFoundError,
    UnimplementedError,
)
from regraft.checkpoint import CheckpointReader, ShapeAndSlice, TensorSlice, open_checkpoint
from regraft.checkpoint.bundle_writer import (
    BundleWriter,
    merge_checkpoints,
    write_checkpoint,
    write_sharded_checkpoint,
)
from regraft.checkpoint.items import Item
from tests.checkpoint import tensorflow_io

RANDOM = np.random.default_rng(1)
PLAIN_DTYPES = [
    "float32", "float64", "int32", "uint8", "int16", "int8", "complex64", "int64", "bool", "bfloat16", "uint16",
    "complex128", "float16", "uint32", "uint64",
]  # fmt: skip
QUANTIZED = {"qint8": "int8", "quint8": "uint8", "qint32": "int32", "qint16": "int16", "quint16": "uint16"}


def sample(dtype: str, shape: tuple[int, ...] = (3, 4)) -> Any:
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    return (RANDOM.standard_normal(shape) * 40).astype(np.int64).astype(kind)


def strings(*values: bytes, shape: tuple[int, ...] | None = None) -> Any:
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape if shape is not None else array.shape)


def files_of(prefix: Path) -> dict[str, bytes]:
    return {
        path.name.removeprefix(prefix.name): path.read_bytes()
        for path in prefix.parent.iterdir()
        if path.is_file() and path.name.startswith(prefix.name)
    }


CONTENTS: dict[str, tuple[list[str], list[Any], list[str] | None, list[str | None] | None]] = {
    "every dtype": (PLAIN_DTYPES, [sample(dtype) for dtype in PLAIN_DTYPES], None, None),
    "quantized": (list(QUANTIZED), [sample(plain) for plain in QUANTIZED.values()], None, list(QUANTIZED)),
    "strings": (
        ["one", "none", "scalar", "matrix"],
        [strings(b"ab", b"", b"x" * 300), strings(), strings(b"z\0", shape=()), strings(b"1", b"2", shape=(1, 2))],
        None,
        None,
    ),
    "order, scalars, nothing, names": (
        ["b", "a", "e", "é", "A"],
        [np.int64([1, 2]), np.float32(1.5), np.zeros((0, 3), np.float32), np.float32(2), np.bool_(True)],
        None,
        None,
    ),
    "parts": (
        ["p", "whole", "p", "q", "s", "s"],
        [
            sample("float32", (4, 30)),
            sample("int32", (3,)),
            sample("float32", (6, 30)),
            sample("float16", (6, 8500)),
            strings(b"a"),
            strings(b"b", b"c"),
        ],
        ["10 30 0,4:-", "3 0,3", "10 30 4,6:0,30", "70 9000 64,6:0,8500", "3 0,1", "3 1,2"],
        None,
    ),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_bytes_are_tensorflows(content: tuple[Any, ...], tmp_path: Path) -> None:
    names, values, specs, dtypes = content
    tensorflow_io.save(tmp_path / "theirs", names, values, specs, dtypes)
    items = [
        Item(name, value, as_dtype(dtype) if dtype else None, ShapeAndSlice.parse(spec))
        for name, value, spec, dtype in zip(
            names, values, specs or [""] * len(names), dtypes or [None] * len(names), strict=True
        )
    ]
    write_checkpoint(tmp_path / "ours", items)
    assert files_of(tmp_path / "ours") == files_of(tmp_path / "theirs")


@pytest.mark.parametrize("dtype", [*PLAIN_DTYPES, *QUANTIZED])
def test_dtypes_both_ways(dtype: str, tmp_path: Path) -> None:
    value = sample(QUANTIZED.get(dtype, dtype))
    tensorflow_io.save(tmp_path / "theirs", ["v"], [value], dtypes=[dtype if dtype in QUANTIZED else None])
    with open_checkpoint(tmp_path / "theirs") as reader:
        found = reader.get_tensor("v")
        assert (reader.dtype("v").name, reader.shape("v")) == (dtype, (3, 4))
    assert found.dtype == value.dtype
    assert found.tobytes() == value.tobytes()
    write_checkpoint(tmp_path / "ours", [Item("v", value, as_dtype(dtype))])
    restored = tensorflow_io.restore(tmp_path / "ours", "v", dtype)
    assert restored.dtype == value.dtype
    assert restored.tobytes() == value.tobytes()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckpointReader]:
    """By TensorFlow: a whole tensor, one in three parts cut along both dimensions, one with a gap, strings."""
    whole = np.arange(24.0, dtype=np.float32).reshape(4, 6)
    prefix = tmp_path_factory.mktemp("checkpoint") / "model"
    tensorflow_io.save(
        prefix,
        ["m", "p", "p", "p", "gap", "s", "t", "t", "scalar"],
        [
            whole, whole[:2], whole[2:, :4], whole[2:, 4:], whole[:2], strings(b"a", b"bc"), strings(b"x"),
            strings(b"y", b"z"), np.int64(7),
        ],
        ["", "4 6 0,2:-", "4 6 2,2:0,4", "4 6 2,2:4,2", "4 6 0,2:-", "", "3 0,1", "3 1,2", ""],
    )  # fmt: skip
    with open_checkpoint(prefix) as reader:
        yield reader


MATRIX = np.arange(24, dtype=np.float32).reshape(4, 6)


class TestReading:
    def test_what_is_there(self, checkpoint: CheckpointReader) -> None:
        assert checkpoint.version == 2
        assert checkpoint.names() == ["gap", "m", "p", "s", "scalar", "t"]
        assert checkpoint.has_tensor("p")
        assert not checkpoint.has_tensor("q")
        theirs = tensorflow_io.reader(checkpoint.prefix)
        assert checkpoint.shapes() == {name: tuple(shape) for name, shape in theirs.get_variable_to_shape_map().items()}
        assert {name: dtype.enum for name, dtype in checkpoint.dtypes().items()} == {
            name: dtype.as_datatype_enum for name, dtype in theirs.get_variable_to_dtype_map().items()
        }
        assert checkpoint.debug_string().splitlines()[1] == "m (DT_FLOAT) [4,6]"

    @pytest.mark.parametrize("name", ["m", "p"])
    @pytest.mark.parametrize(
        ("spec", "index"),
        [
            ("", ()),
            ("4 6 -:-", ()),
            ("4 6 1,2:-", (slice(1, 3),)),
            ("4 6 1,3:3,2", (slice(1, 4), slice(3, 5))),
            ("4 6 3,1:5,1", (slice(3, 4), slice(5, 6))),
        ],
    )
    def test_slices(self, checkpoint: CheckpointReader, name: str, spec: str, index: tuple[slice, ...]) -> None:
        np.testing.assert_array_equal(checkpoint.get_slice(name, spec), MATRIX[index])
        np.testing.assert_array_equal(tensorflow_io.restore(checkpoint.prefix, name, "float32", spec), MATRIX[index])

    def test_strings(self, checkpoint: CheckpointReader) -> None:
        assert checkpoint.get_tensor("s").tolist() == [b"a", b"bc"]
        assert checkpoint.get_tensor("t").tolist() == [b"x", b"y", b"z"]
        assert checkpoint.get_slice("t", TensorSlice.parse("1,2")).tolist() == [b"y", b"z"]
        out = np.empty(2, object)
        checkpoint.read_into("s", out)
        assert out.tolist() == [b"a", b"bc"]

    def test_arrays_are_aligned_and_writable(self, checkpoint: CheckpointReader) -> None:
        for name in ("m", "p", "scalar"):
            array = checkpoint.get_tensor(name)
            assert array.__array_interface__["data"][0] % 64 == 0
            assert array.flags.c_contiguous
            assert array.flags.writeable

    @pytest.mark.parametrize("name", ["m", "p"])
    def test_read_into(self, checkpoint: CheckpointReader, name: str) -> None:
        out = np.zeros((4, 6), np.float32)
        checkpoint.read_into(name, out)
        np.testing.assert_array_equal(out, MATRIX)
        scattered = np.zeros((6, 4), np.float32).T
        checkpoint.read_into(name, scattered)
        np.testing.assert_array_equal(scattered, MATRIX)

    def test_read_into_another_kind_of_array(self, checkpoint: CheckpointReader) -> None:
        with pytest.raises(
            InvalidArgumentError, match="tensor_name = m; expected dtype int32 does not equal original dtype float"
        ):
            checkpoint.read_into("m", np.zeros((4, 6), np.int32))
        with pytest.raises(InvalidArgumentError, match=r"expected shape \[6,4\] does not equal .* \[4,6\]"):
            checkpoint.read_into("m", np.zeros((6, 4), np.float32))

    def test_many(self, checkpoint: CheckpointReader) -> None:
        into = np.zeros((4, 6), np.float32)
        found = checkpoint.get_tensors(["scalar", "m", "p"], into={"p": into})
        assert list(found) == ["scalar", "m", "p"]
        assert found["p"] is into
        assert found["scalar"] == 7
        np.testing.assert_array_equal(into, MATRIX)
        np.testing.assert_array_equal(found["m"], MATRIX)

    def test_a_missing_name(self, checkpoint: CheckpointReader) -> None:
        with pytest.raises(NotFoundError, match="^Key q not found in checkpoint"):
            checkpoint.get_tensor("q")
        with pytest.raises(NotFoundError, match="^Key q not found in checkpoint"):
            checkpoint.get_tensors(["m", "q"])

    def test_a_missing_part(self, checkpoint: CheckpointReader) -> None:
        words = "Does not have sufficient slices for partitioned tensor gap to restore in slice_spec: -:-"
        with pytest.raises(InvalidArgumentError, match=words):
            checkpoint.get_tensor("gap")
        np.testing.assert_array_equal(checkpoint.get_slice("gap", "4 6 1,1:-"), MATRIX[1:2])

    def test_a_slice_of_another_shape(self, checkpoint: CheckpointReader) -> None:
        words = r"shape in shape_and_slice spec \[6,4\] does not match the shape stored in checkpoint: \[4,6\]"
        with pytest.raises(InvalidArgumentError, match=words):
            checkpoint.get_slice("m", "6 4 -:-")
        with pytest.raises(InvalidArgumentError, match=r"Extent in dimension 0 out of bounds: shape = \[4,6\]"):
            checkpoint.get_slice("m", TensorSlice.parse("2,3:-"))


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        open_checkpoint(tmp_path / "x")
    assert str(caught.value).startswith(
        f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files for {tmp_path / 'x'}"
    )


def test_variants_are_named_and_refused(tmp_path: Path) -> None:
    tf: Any = pytest.importorskip("tensorflow")
    with tf.Graph().as_default() as graph:
        variant = tf.raw_ops.TensorListFromTensor(tensor=[1.0], element_shape=tf.constant([], tf.int32))
        op = tf.raw_ops.SaveV2(
            prefix=str(tmp_path / "v"), tensor_names=["list", "x"], shape_and_slices=["", ""], tensors=[variant, [1.0]]
        )
    with tf.compat.v1.Session(graph=graph) as session:
        session.run(op)
    with open_checkpoint(tmp_path / "v") as reader:
        assert reader.dtypes()["list"].name == "variant"
        assert reader.get_tensor("x").tolist() == [1.0]
        with pytest.raises(UnimplementedError, match="'list' is a variant tensor"):
            reader.get_tensor("list")


class TestWriting:
    def test_values_that_numpy_must_read(self, tmp_path: Path) -> None:
        write_checkpoint(
            tmp_path / "c",
            {
                "float": 1.5,
                "text": "é",
                "bytes": b"a\0",
                "list": [b"x\0", b""],
                "big endian": np.array([1, 2], ">i4"),
                "transposed": MATRIX.T,
                "numpy's own strings": np.array(["ab", "c"]),
            },
        )
        with open_checkpoint(tmp_path / "c") as reader:
            assert reader.get_tensor("float") == 1.5
            assert reader.get_tensor("text")[()] == "é".encode()
            assert reader.get_tensor("bytes")[()] == b"a\0"
            assert reader.get_tensor("list").tolist() == [b"x\0", b""]
            assert reader.get_tensor("big endian").tolist() == [1, 2]
            np.testing.assert_array_equal(reader.get_tensor("transposed"), MATRIX.T)
            assert reader.get_tensor("numpy's own strings").tolist() == [b"ab", b"c"]

    def test_an_iterator_is_drawn_on_as_the_writing_goes(self, tmp_path: Path) -> None:
        def items() -> Iterator[Item]:
            for index in range(3):
                yield Item(f"v{index}", np.full(8 << 20, index, np.uint8))
                data = next(tmp_path.glob("c.data-*"))
                assert data.stat().st_size >= index * (8 << 20)

        write_checkpoint(tmp_path / "c", items())
        with open_checkpoint(tmp_path / "c") as reader:
            assert [int(reader.get_tensor(f"v{index}")[-1]) for index in range(3)] == [0, 1, 2]

    @pytest.mark.parametrize(
        ("items", "words"),
        [
            ([Item("a", 1), Item("a", 2)], "Adding duplicate key: a"),
            ([Item("a", [1.0], part=ShapeAndSlice.parse("3 1,1")), Item("a", [1.0])], "Adding duplicate key: a"),
            (
                [
                    Item("a", [1.0], part=ShapeAndSlice.parse("3 1,1")),
                    Item("a", [1.0], part=ShapeAndSlice.parse("3 1,1")),
                ],
                "Adding duplicate key: a",
            ),
            (
                [
                    Item("a", [1.0], part=ShapeAndSlice.parse("3 1,1")),
                    Item("a", [1], part=ShapeAndSlice.parse("3 0,1")),
                ],
                "the parts of 'a' are of different dtypes or shapes",
            ),
            (
                [Item("a", [1.0], part=ShapeAndSlice.parse("3 0,2"))],
                "Slice in shape_and_slice specification does not match the shape of the tensor to  save:"
                " 3 0,2, tensor: [1]",
            ),
            ([Item("a", [1.0], as_dtype("int32"))], "'a' is float64 and cannot be saved as int32"),
            ([Item("a", np.array([object()]))], "'a' holds object, where a string tensor holds bytes or str"),
            ([Item("a", np.array(["2020-01-01"], "M8[D]"))], "which no checkpoint holds"),
        ],
    )
    def test_refused_and_nothing_left_behind(self, items: list[Item], words: str, tmp_path: Path) -> None:
        write_checkpoint(tmp_path / "c", {"old": 1})
        before = files_of(tmp_path / "c")
        with pytest.raises(InvalidArgumentError) as caught:
            write_checkpoint(tmp_path / "c", items)
        assert words in str(caught.value)
        assert files_of(tmp_path / "c") == before

    def test_an_error_on_the_way_leaves_nothing_behind(self, tmp_path: Path) -> None:
        def items() -> Iterator[Item]:
            yield Item("a", np.zeros(1000))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_checkpoint(tmp_path / "c", items())
        assert os.listdir(tmp_path) == []

    def test_into_a_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match="No such file or directory"):
            write_checkpoint(tmp_path / "no" / "c", {"a": 1})


PARTS: list[tuple[list[str], list[Any], list[str]]] = [
    (["a", "p"], [np.float32(1), MATRIX[2:]], ["", "4 6 2,2:-"]),
    (["b", "p"], [strings(b"x"), MATRIX[:2]], ["", "4 6 0,2:-"]),
]


class TestShards:
    @pytest.fixture
    def theirs(self, tmp_path: Path) -> dict[str, bytes]:
        (tmp_path / "t").mkdir()
        for number, (names, values, specs) in enumerate(PARTS):
            tensorflow_io.save(tmp_path / "t" / f"part-{number}", names, values, specs)
        tensorflow_io.merge([tmp_path / "t" / "part-0", tmp_path / "t" / "part-1"], tmp_path / "theirs")
        assert not (tmp_path / "t").exists()
        return files_of(tmp_path / "theirs")

    def test_written_at_once(self, tmp_path: Path, theirs: dict[str, bytes]) -> None:
        shards = [
            [Item(name, value, part=ShapeAndSlice.parse(spec)) for name, value, spec in zip(*part, strict=True)]
            for part in PARTS
        ]
        write_sharded_checkpoint(tmp_path / "ours", shards)
        assert files_of(tmp_path / "ours") == theirs
        assert sorted(theirs) == [".data-00000-of-00002", ".data-00001-of-00002", ".index"]

    def test_merged(self, tmp_path: Path, theirs: dict[str, bytes]) -> None:
        (tmp_path / "o").mkdir()
        for number, (names, values, specs) in enumerate(PARTS):
            tensorflow_io.save(tmp_path / "o" / f"part-{number}", names, values, specs)
        merge_checkpoints([tmp_path / "o" / "part-0", tmp_path / "o" / "part-1"], tmp_path / "ours")
        assert files_of(tmp_path / "ours") == theirs
        assert not (tmp_path / "o").exists()

    def test_read(self, tmp_path: Path, theirs: dict[str, bytes]) -> None:
        with open_checkpoint(tmp_path / "theirs") as reader:
            np.testing.assert_array_equal(reader.get_tensor("p"), MATRIX)
            assert reader.get_tensor("a") == 1

    def test_a_name_in_two_of_them(self, tmp_path: Path) -> None:
        for name in ("x", "y"):
            write_checkpoint(tmp_path / name, {"a": 1})
        with pytest.raises(AlreadyExistsError, match="b'a' is in more than one"):
            merge_checkpoints([tmp_path / "x", tmp_path / "y"], tmp_path / "z")
        assert open_checkpoint(tmp_path / "y").get_tensor("a") == 1

    def test_a_missing_one(self, tmp_path: Path) -> None:
        write_checkpoint(tmp_path / "x", {"a": 1})
        with pytest.raises(NotFoundError, match=r"y\.index"):
            merge_checkpoints([tmp_path / "x", tmp_path / "y"], tmp_path / "z")

    def test_a_writer_that_is_given_up(self, tmp_path: Path) -> None:
        writer = BundleWriter(tmp_path / "c", shards=2)
        writer.add(Item("a", 1.0), shard=1)
        writer.abort()
        assert os.listdir(tmp_path) == []
