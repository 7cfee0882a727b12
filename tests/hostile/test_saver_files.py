"""A .meta, an index or a data file that is truncated, damaged or another file: what a user of the Saver is told."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regraft.base.errors import DataLossError, NotFoundError, OpError
from tests.golden.read import GOLDEN

CASES = {"V2": ("mlp_ref_adam", "mlp-3"), "sharded": ("sharded", "model-7"), "V1": ("partitioned_v1", "model")}


@pytest.fixture
def tf() -> Iterator[Any]:
    module = importlib.import_module("regraft.v1")
    with module.Graph().as_default():
        yield module


def copied(case: str, folder: Path) -> str:
    name, prefix = CASES[case]
    for file in (GOLDEN / name).iterdir():
        if file.name.startswith(prefix):
            (folder / file.name).write_bytes(file.read_bytes())
    return str(folder / prefix)


def opened(tf: Any, prefix: str) -> tuple[Any, Any]:
    """The Saver of the file's graph, and a session whose variables must not change."""
    saver = tf.train.import_meta_graph(f"{prefix}.meta")
    return saver, tf.Session()


def refused(saver: Any, sess: Any, prefix: str, kind: type[OpError], *words: str) -> str:
    """Restoring is refused with these words; no variable has a value then."""
    with pytest.raises(kind) as caught:
        saver.restore(sess, prefix)
    text = str(caught.value)
    for word in words:
        assert word in text, text
    assert not list(sess.variables)
    return text


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


# Data files

DATA = {
    "V2": ".data-00000-of-00001",
    "sharded": ".data-00001-of-00002",
}


@pytest.mark.parametrize("case", DATA)
def test_a_bit_of_a_data_file(tf: Any, case: str, tmp_path: Path) -> None:
    prefix = copied(case, tmp_path)
    data = Path(prefix + DATA[case])
    saver, sess = opened(tf, prefix)
    for at in (0, data.stat().st_size // 2, data.stat().st_size - 1):
        flip(data, at)
        text = refused(saver, sess, prefix, DataLossError, "Checksum does not match: stored ", str(data), "at offset ")
        flip(data, at)
        place = next(line for line in text.splitlines() if "at offset" in line)
        size, offset = (int(place.split(word)[1].split()[0].replace(",", "")) for word in ("', ", "at offset "))
        assert offset <= at < offset + size
    saver.restore(sess, prefix)


@pytest.mark.parametrize("case", DATA)
def test_a_truncated_data_file(tf: Any, case: str, tmp_path: Path) -> None:
    prefix = copied(case, tmp_path)
    data = Path(prefix + DATA[case])
    saver, sess = opened(tf, prefix)
    whole = data.stat().st_size
    for size in (whole - 1, 0):
        cut(data, size)
        refused(saver, sess, prefix, DataLossError, f"the data file has {size:,} bytes, the tensor ends at", str(data))


@pytest.mark.parametrize("case", DATA)
def test_a_missing_data_file(tf: Any, case: str, tmp_path: Path) -> None:
    prefix = copied(case, tmp_path)
    data = Path(prefix + DATA[case])
    saver, sess = opened(tf, prefix)
    data.unlink()
    refused(saver, sess, prefix, NotFoundError, f"{data}; No such file or directory", f"{prefix}.index, which counts")


def test_the_data_file_of_another_checkpoint(tf: Any, tmp_path: Path) -> None:
    prefix = copied("V2", tmp_path)
    data = Path(prefix + DATA["V2"])
    saver, sess = opened(tf, prefix)
    data.write_bytes(bytes(data.stat().st_size))
    refused(saver, sess, prefix, DataLossError, "Checksum does not match", str(data), "belongs to another checkpoint")


# Indexes, and files of the old format


def index(case: str, prefix: str) -> Path:
    return Path(prefix if case == "V1" else f"{prefix}.index")


@pytest.mark.parametrize("case", CASES)
def test_a_bit_of_an_index(tf: Any, case: str, tmp_path: Path) -> None:
    prefix = copied(case, tmp_path)
    path = index(case, prefix)
    saver, sess = opened(tf, prefix)
    for at in (0, path.stat().st_size // 3, path.stat().st_size - 1):
        flip(path, at)
        refused(saver, sess, prefix, DataLossError, str(path))
        flip(path, at)
    saver.restore(sess, prefix)


@pytest.mark.parametrize("case", CASES)
def test_a_truncated_index(tf: Any, case: str, tmp_path: Path) -> None:
    prefix = copied(case, tmp_path)
    path = index(case, prefix)
    saver, sess = opened(tf, prefix)
    whole = path.stat().st_size
    for size in (whole - 1, whole // 2, 10, 0):
        cut(path, size)
        refused(saver, sess, prefix, DataLossError, str(path), "sstable")


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n" * 3, b"{}", bytes(1 << 16)])
@pytest.mark.parametrize("case", CASES)
def test_an_index_that_is_another_file(tf: Any, case: str, content: bytes, tmp_path: Path) -> None:
    prefix = copied(case, tmp_path)
    saver, sess = opened(tf, prefix)
    index(case, prefix).write_bytes(content)
    refused(saver, sess, prefix, DataLossError, str(index(case, prefix)), "sstable")


def test_without_an_index(tf: Any, tmp_path: Path) -> None:
    prefix = copied("V2", tmp_path)
    saver, sess = opened(tf, prefix)
    Path(f"{prefix}.index").unlink()
    with pytest.raises(ValueError, match=f"The passed save_path is not a valid checkpoint: {prefix}"):
        saver.restore(sess, prefix)


def test_the_path_of_one_of_the_files(tf: Any, tmp_path: Path) -> None:
    """TensorFlow takes it for a checkpoint of the old format, and says that it is none."""
    prefix = copied("V2", tmp_path)
    saver, sess = opened(tf, prefix)
    for suffix in (".index", DATA["V2"], ".meta"):
        words = f"The passed save_path is not a valid checkpoint: {prefix}{suffix}. .*: give its prefix, {prefix}"
        with pytest.raises(ValueError, match=words):
            saver.restore(sess, prefix + suffix)


# The .meta


def broken_meta(tmp_path: Path, change: Callable[[bytes], bytes]) -> str:
    path = tmp_path / "broken.meta"
    path.write_bytes(change((GOLDEN / "mlp_ref_adam" / "mlp-3.meta").read_bytes()))
    return str(path)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.9999])
def test_a_truncated_meta(tf: Any, share: float, tmp_path: Path) -> None:
    path = broken_meta(tmp_path, lambda data: data[: int(len(data) * share)])
    with pytest.raises(OSError, match=f"Cannot parse file {path}: "):
        tf.train.import_meta_graph(path)
    assert not tf.get_default_graph().get_operations()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<!DOCTYPE html>", "looks like HTML"),
        (b'{"a": 1}', "looks like JSON"),
        (b"\xff\xfe\x00", "no text"),
        (b"graph_def { nodes {} }", "nodes"),
    ],
)
def test_a_meta_that_is_another_file(tf: Any, content: bytes, words: str, tmp_path: Path) -> None:
    path = broken_meta(tmp_path, lambda _: content)
    with pytest.raises(OSError, match="Cannot parse file") as caught:
        tf.train.import_meta_graph(path)
    assert path in str(caught.value)
    assert words in str(caught.value)


def test_an_empty_meta_is_an_empty_graph(tf: Any, tmp_path: Path) -> None:
    """As in TensorFlow: no bytes are a message without fields."""
    assert tf.train.import_meta_graph(broken_meta(tmp_path, lambda _: b"")) is None


def test_bits_of_a_meta(tf: Any, tmp_path: Path) -> None:
    """A .meta has no checksum. Whatever is in it, there is a graph or an ordinary error that names the file."""
    whole = (GOLDEN / "mlp_ref_adam" / "mlp-3.meta").read_bytes()
    errors = []
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        path = broken_meta(tmp_path, lambda data, at=at: data[:at] + bytes([data[at] ^ 0x08]) + data[at + 1 :])
        with tf.Graph().as_default():
            try:
                tf.train.import_meta_graph(path)
            except (OSError, ValueError, OpError) as e:
                errors.append(str(e))
    assert errors
    assert [e for e in errors if str(tmp_path) not in e] == []


def test_a_meta_that_is_not_there(tf: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=f"File {tmp_path}/none.meta does not exist"):
        tf.train.import_meta_graph(str(tmp_path / "none.meta"))
    with pytest.raises(OSError, match=f"{tmp_path} is a folder"):
        tf.train.import_meta_graph(str(tmp_path))


# Names in a SaverDef and in nodes that lead nowhere


def test_a_saver_def_of_nodes_that_are_not_there(tf: Any, tmp_path: Path) -> None:
    tf.Variable(1.0, name="v")
    d = tf.train.SaverDef(filename_tensor_name="a:0", save_tensor_name="b:0", restore_op_name="c", version=2)
    saver = tf.train.Saver(saver_def=d)
    with tf.Session() as sess:
        sess.run("v/Assign")
        with pytest.raises((KeyError, TypeError, ValueError), match="a:0|b:0"):
            saver.save(sess, str(tmp_path / "m"))
        assert not list(tmp_path.iterdir())
    prefix = copied("V2", tmp_path)
    with tf.Session() as sess, pytest.raises(ValueError, match="a:0"):
        saver.restore(sess, prefix)


def test_an_object_graph_that_is_none(tf: Any, tmp_path: Path) -> None:
    from regraft.checkpoint import write_checkpoint

    tf.Variable(1.0, name="v")
    saver = tf.train.Saver()
    for value in (b"\xff\xff\xff", [b"a", b"b"], 1.0):
        write_checkpoint(tmp_path / "m", {"_CHECKPOINTABLE_OBJECT_GRAPH": value})
        refused(saver, tf.Session(), str(tmp_path / "m"), DataLossError, "_CHECKPOINTABLE_OBJECT_GRAPH", str(tmp_path))
