"""tf.gfile: results and error classes are TensorFlow's; what was written is as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import regraft.v1
from tests.oracle import available, tensorflow


class Log:
    """What calls returned, or the class of their errors."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def __call__(self, function: Any, *args: Any, **kwargs: Any) -> None:
        try:
            result = function(*args, **kwargs)
        except Exception as e:  # noqa: BLE001  which one it is, is what is compared
            result = type(e).__name__
        self.lines.append(result)


def reading(tf: Any, log: Log) -> None:
    g = tf.gfile
    with g.GFile("a", "w") as f:
        log(f.write, "héllo\nx\r\ny")
        log(f.tell)
        log(f.read)
    for mode in ("r", "rb"):
        log(g.GFile("a", mode).read)
        log(g.GFile("a", mode).readlines)
        log(list, g.GFile("a", mode))
    f = g.GFile("a")
    for call in (
        *((f.read, 3), (f.tell,), (f.seek, 0), (f.readline,), (f.seek, -1, 2), (f.read,), (f.readline,), (f.read, 5)),
        *((f.seek, 1), (next, f), (f.seek, 100), (f.seek, 0, 5), (f.seek,), (f.write, "x"), (f.size,)),
    ):
        log(*call)
    log(lambda: (f.name, f.mode, f.seekable()))
    with g.FastGFile("a", "a+") as f:
        log(f.write, b"zz")
        log(f.flush)
        log(f.read)
    with g.Open("b", "wb") as f:
        log(f.write, b"by\xff")
        log(f.write, 5)
    log(g.GFile("b").read)
    log(g.GFile("b", "rb").read)
    log(g.GFile("none").read)
    log(g.GFile, "a", "x")
    log(g.GFile("no/a", "w").write, "x")
    with g.GFile("empty", "w"):
        pass
    log(g.Exists, "empty")


def folders(tf: Any, log: Log) -> None:
    g = tf.gfile
    for name in ("a", "b"):
        Path(name).write_text(name)
    for call in (
        *((g.MkDir, "d"), (g.MkDir, "d"), (g.MkDir, "q/r"), (g.MakeDirs, "q/r"), (g.MakeDirs, "q/r")),
        *((g.MakeDirs, "a/r"), (g.Copy, "a", "d/b"), (g.Copy, "a", "d/b"), (g.Copy, "a", "d/b", True)),
        *((g.Copy, "none", "d/c"), (g.Rename, "d/b", "d/c"), (g.Rename, "a", "b"), (g.Rename, "none", "b", True)),
        *((g.Rename, "a", "b", True), (g.ListDirectory, "none"), (g.ListDirectory, "b")),
        *((g.IsDirectory, "d"), (g.IsDirectory, "none"), (g.Exists, "d"), (g.Exists, "none"), (g.Stat, "none")),
        *((g.Glob, "d/*"), (g.Glob, ["d/c", "none/*", "d/?"])),
    ):
        log(*call)
    log(lambda: sorted(g.ListDirectory(".")))
    log(lambda: (g.Stat("b").length, g.Stat("b").is_directory, g.Stat("d").is_directory))
    log(lambda: sorted((top, sorted(below), files) for top, below, files in g.Walk(".")))
    log(lambda: [top for top, _, _ in g.Walk("q", in_order=False)])
    log(lambda: list(g.Walk("none")))
    for call in (
        *((g.Remove, "d"), (g.Remove, "none"), (g.Remove, "b"), (g.DeleteRecursively, "d")),
        *(
            (g.DeleteRecursively, "d"),
            (tf.io.gfile.rmtree, "q"),
            (tf.io.gfile.exists, "q"),
            (tf.io.gfile.join, "a", "b"),
        ),
    ):
        log(*call)


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("program", [reading, folders])
def test_results_and_errors_are_tensorflows(program, tmp_path, monkeypatch):
    logs = []
    for name, tf in (("theirs", tensorflow()), ("ours", regraft.v1)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        logs.append(Log())
        program(tf, logs[-1])
    theirs, ours = logs
    assert ours.lines == theirs.lines


def test_reading_and_writing_keeps_what_is_there(tmp_path):
    """TensorFlow empties a file that is opened with "r+" and written to."""
    path = tmp_path / "a"
    path.write_text("one")
    with regraft.v1.gfile.GFile(str(path), "r+") as f:
        assert f.read() == "one"
        f.write("two")
    assert path.read_text() == "onetwo"


def test_paths_are_objects_or_urls(tmp_path):
    g = regraft.v1.gfile
    with g.GFile(tmp_path / "a", "w") as f:
        f.write("x")
    assert g.Exists(f"file://{tmp_path}/a")
    assert g.Glob(tmp_path / "*") == [str(tmp_path / "a")]


def test_any_file_system_of_fsspec():
    pytest.importorskip("fsspec")
    g = regraft.v1.gfile
    with g.GFile("memory://gfile/a", "w") as f:
        f.write("one\ntwo\n")
    assert list(g.GFile("memory://gfile/a")) == ["one\n", "two\n"]
    g.Copy("memory://gfile/a", "memory://gfile/b")
    assert g.ListDirectory("memory://gfile") == ["a", "b"]
    g.DeleteRecursively("memory://gfile")
    assert not g.Exists("memory://gfile/a")


def test_inner_names(tmp_path):
    from regraft.v1 import _file_io as file_io

    path = tmp_path / "a"
    file_io.write_string_to_file(path, "text")
    assert file_io.read_file_to_string(path) == "text"
    assert file_io.read_file_to_string(path, binary_mode=True) == b"text"
    with pytest.raises(regraft.v1.errors.AlreadyExistsError):
        file_io.atomic_write_string_to_file(path, "more", overwrite=False)
    assert path.read_text() == "text"
