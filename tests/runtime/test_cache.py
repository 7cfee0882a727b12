"""Compiled programs on disk: kept, found again by another session, and never trusted when damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft import session
from regraft.runtime import program as programs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGRAFT_CACHE_DIR", str(tmp_path / "programs"))
    monkeypatch.setattr(programs, "_WORTH_KEEPING", 0.0)
    return tmp_path / "programs"


def deep(name: str = "net", factor: float = 0.5, size: int = 4, repeated: float = 2.0) -> tuple[Any, Any]:
    """Enough nodes to be looked for on disk.

    repeated  the one number of a large constant
    """
    x = tf.placeholder(tf.float32, [size])
    y = x * tf.reduce_mean(tf.constant(np.full([64, 64], repeated, np.float32)))
    with tf.name_scope(name):
        for _ in range(40):
            y = tf.tanh(y) * factor + 1.0
    return x, y


def run(folder: Path, **options: Any) -> np.ndarray:
    size = options.get("size", 4)
    with tf.Graph().as_default() as graph:
        x, y = deep(**options)
        value = session.Session(graph, "compile").run(y, {x: np.arange(size, dtype=np.float32)})
        assert isinstance(value, np.ndarray)
        return value


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.xla"))


def test_a_program_is_found_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(folder)
    assert len(files(folder)) == 1

    def never(self: Any) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(programs.Program, "compile", never)
    np.testing.assert_array_equal(run(folder), first)
    np.testing.assert_array_equal(run(folder, name="other_names_same_program"), first)


@pytest.mark.parametrize(
    "options",
    [{"factor": 0.25}, {"size": 5}, {"repeated": 3.0}],
    ids=["another constant", "another shape", "another large constant of one number"],
)
def test_what_differs_is_another_program(folder: Path, options: dict[str, Any]) -> None:
    run(folder)
    run(folder, **options)
    assert len(files(folder)) == 2


def test_a_damaged_file_is_compiled_again(folder: Path) -> None:
    first = run(folder)
    (path,) = files(folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    np.testing.assert_array_equal(run(folder), first)
    assert path.read_bytes() != bytes(data)


def test_an_empty_folder_name_turns_it_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGRAFT_CACHE_DIR", "")
    run(folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_does_no_harm(folder: Path) -> None:
    folder.parent.joinpath("programs").write_text("a file where the folder should be")
    assert run(folder).shape == (4,)
