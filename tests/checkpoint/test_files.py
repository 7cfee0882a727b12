"""Opening files, statuses of what fails, and atomic publication."""

import os
from pathlib import Path

import pytest

from regraft.base import errors
from regraft.checkpoint import files


def test_file_urls_and_path_objects(tmp_path: Path) -> None:
    files.write_bytes(f"file://{tmp_path}/a%20b", b"abc")
    assert (tmp_path / "a b").read_bytes() == b"abc"
    assert files.read_bytes(tmp_path / "a b") == b"abc"
    assert files.read_bytes(os.fsencode(tmp_path / "a b")) == b"abc"
    assert files.exists(f"file://{tmp_path}/a%20b")


def test_reading_by_position(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    source = files.open_source(tmp_path / "f")
    assert source.size == 10
    assert source.read_at(3, 4) == b"3456"
    assert source.read_at(8, 1 << 62) == b"89"
    assert source.read_at(99, 5) == b""
    out = bytearray(4)
    assert source.read_into(8, memoryview(out)) == 2
    assert out == b"89\0\0"
    source.close()
    source.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("missing", errors.NotFoundError),
        ("missing/below", errors.NotFoundError),
        ("file/below", errors.FailedPreconditionError),
    ],
)
def test_statuses(tmp_path: Path, path: str, status: type[errors.OpError]) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(status) as caught:
        files.open_source(tmp_path / path)
    assert str(caught.value).startswith(f"{tmp_path / path}; ")


def test_reading_a_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.FailedPreconditionError, match="Is a directory"):
        files.open_source(tmp_path).read_at(0, 10)


def test_publication_appears_when_it_is_complete(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    with files.Publication(tmp_path / "f") as file:
        file.write(b"new")
        assert (tmp_path / "f").read_bytes() == b"old"
    assert (tmp_path / "f").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["f"]


def test_publication_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")

    def fail() -> None:
        with files.Publication(tmp_path / "f") as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_publication_over_a_folder(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(errors.FailedPreconditionError):
        files.write_bytes(tmp_path / "f", b"x")
    assert os.listdir(tmp_path) == ["f"]


def test_publication_into_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFoundError):
        files.write_bytes(tmp_path / "no" / "f", b"x")


def test_patterns(tmp_path: Path) -> None:
    for name in ("m-00000-of-00002", "m-00001-of-00002", "m[1]"):
        (tmp_path / name).write_bytes(b"")
    found = files.matching(tmp_path / "m-?????-of-00002")
    assert found == [str(tmp_path / "m-00000-of-00002"), str(tmp_path / "m-00001-of-00002")]
    assert files.files_in(tmp_path, "m*") == ["m-00000-of-00002", "m-00001-of-00002", "m[1]"]


def test_folders(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    files.make_folders(deep)
    files.make_folders(deep)
    assert files.is_folder(deep)
    files.remove_if_empty(tmp_path / "a")
    assert deep.exists()
    files.remove_if_empty(deep)
    assert not deep.exists()
    files.remove_folder(tmp_path / "a")
    assert not files.exists(tmp_path / "a")
    with pytest.raises(errors.NotFoundError):
        files.remove(tmp_path / "a")


def test_a_scheme_that_nobody_knows() -> None:
    with pytest.raises(errors.UnimplementedError, match="File system scheme 'nosuch' not implemented"):
        files.open_source("nosuch://bucket/f")


class TestRemote:
    """fsspec's filesystem in memory stands for all remote ones."""

    @pytest.fixture(autouse=True)
    def memory(self) -> None:
        fsspec = pytest.importorskip("fsspec")
        fsspec.filesystem("memory").store.clear()

    def test_write_read_remove(self) -> None:
        files.write_bytes("memory://folder/f", b"0123456789")
        assert files.exists("memory://folder/f")
        assert files.is_folder("memory://folder")
        source = files.open_source("memory://folder/f")
        assert source.read_at(3, 4) == b"3456"
        out = bytearray(20)
        assert source.read_into(8, memoryview(out)) == 2
        source.close()
        assert files.files_in("memory://folder") == ["f"]
        assert files.matching("memory://folder/*") == ["memory:///folder/f"] or files.matching("memory://folder/*") == [
            "memory://folder/f"
        ]
        assert files.modified("memory://folder/f") > 0
        files.rename("memory://folder/f", "memory://folder/g")
        files.remove("memory://folder/g")
        assert not files.exists("memory://folder/g")

    def test_a_failure_leaves_nothing(self) -> None:
        def fail() -> None:
            with files.Publication("memory://folder/f") as file:
                file.write(b"new")
                raise ValueError("stop")

        with pytest.raises(ValueError, match="stop"):
            fail()
        assert not files.exists("memory://folder/f")

    def test_a_missing_file(self) -> None:
        with pytest.raises(errors.NotFoundError, match="memory://nothing"):
            files.open_source("memory://nothing")
