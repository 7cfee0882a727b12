"""State files and folders, beside TensorFlow's own functions."""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft import proto
from regraft.checkpoint import management, state
from regraft.checkpoint.bundle_writer import write_checkpoint
from regraft.checkpoint.v1_writer import write_v1_checkpoint

BOTH: list[dict[str, Any]] = [
    {"save_dir": "d", "model_checkpoint_path": "d/m-1"},
    {"save_dir": "d", "model_checkpoint_path": "d/m-2", "all_model_checkpoint_paths": ["d/m-1"]},
    {"save_dir": "{abs}", "model_checkpoint_path": "{abs}/m-2", "all_model_checkpoint_paths": ["{abs}/m-1"]},
    {
        "save_dir": "{abs}",
        "model_checkpoint_path": "{abs}/m-2",
        "all_model_checkpoint_paths": ["{abs}/m-1", "{abs}/m-2"],
        "all_model_checkpoint_timestamps": [1.5, 1712345678.25],
        "last_preserved_timestamp": 0.1,
    },
    {"save_dir": "{abs}", "model_checkpoint_path": 'quote"d\n é'},
]


def filled(arguments: dict[str, Any], folder: Path) -> dict[str, Any]:
    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{abs}", str(folder / "d"))
        return [fill(item) for item in value] if isinstance(value, list) else value

    return {name: fill(value) for name, value in arguments.items()}


@pytest.mark.parametrize("arguments", BOTH)
def test_the_file_is_tensorflows(arguments: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tf: Any = pytest.importorskip("tensorflow")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    tf.compat.v1.train.update_checkpoint_state(**filled(arguments, tmp_path))
    theirs = (tmp_path / "d" / "checkpoint").read_bytes()
    state.update_checkpoint_state(**filled(arguments, tmp_path))
    assert (tmp_path / "d" / "checkpoint").read_bytes() == theirs


def test_the_list_of_paths_is_completed_in_place(tmp_path: Path) -> None:
    paths = ["a-1"]
    found = state.generate_checkpoint_state_proto(tmp_path, "a-2", paths)
    assert paths == ["a-1", "a-2"]
    assert list(found.all_model_checkpoint_paths) == ["a-1", "a-2"]


def test_timestamps_must_match(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Checkpoint timestamps, if provided, must match checkpoint paths"):
        state.generate_checkpoint_state_proto(tmp_path, "a", ["a"], [1.0, 2.0])


def test_relative_paths_on_request(tmp_path: Path) -> None:
    state.update_checkpoint_state(
        tmp_path, f"{tmp_path}/m-2", [f"{tmp_path}/m-1", f"{tmp_path}/m-2"], save_relative_paths=True
    )
    text = 'model_checkpoint_path: "m-2"\nall_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m-2"\n'
    assert (tmp_path / "checkpoint").read_text() == text
    found = state.get_checkpoint_state(tmp_path)
    assert found is not None
    assert found.model_checkpoint_path == f"{tmp_path}/m-2"
    assert list(found.all_model_checkpoint_paths) == [f"{tmp_path}/m-1", f"{tmp_path}/m-2"]


def test_a_checkpoint_named_like_the_state_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="conflicts with path used for checkpoint state"):
        state.update_checkpoint_state(tmp_path, f"{tmp_path}/checkpoint")
    assert list(tmp_path.iterdir()) == []


def test_no_state_file(tmp_path: Path) -> None:
    assert state.get_checkpoint_state(tmp_path) is None
    assert management.latest_checkpoint(tmp_path) is None


def test_an_empty_state_file(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("")
    with pytest.raises(ValueError, match=f"Invalid checkpoint state loaded from {tmp_path}"):
        state.get_checkpoint_state(tmp_path)


@pytest.mark.parametrize("content", [b"no text format", b"\xff\xfe"])
def test_a_damaged_state_file(content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "checkpoint").write_bytes(content)
    with caplog.at_level(logging.WARNING, "regraft"):
        assert state.get_checkpoint_state(tmp_path) is None
    assert caplog.messages[-1] == f"{tmp_path}/checkpoint: Checkpoint ignored"


def test_the_newest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_checkpoint(tmp_path / "m-1", {"v": 1})
    state.update_checkpoint_state(tmp_path, str(tmp_path / "m-1"))
    assert management.latest_checkpoint(tmp_path) == str(tmp_path / "m-1")
    assert management.latest_checkpoint(tmp_path, "another") is None
    management.remove_checkpoint(tmp_path / "m-1")
    assert management.latest_checkpoint(tmp_path) is None
    assert caplog.messages[-1] == f"Couldn't match files for checkpoint {tmp_path}/m-1"


def test_a_folder_that_was_moved(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    write_checkpoint(tmp_path / "old" / "m-1", {"v": 1})
    write_checkpoint(tmp_path / "old" / "m-2", {"v": 1})
    state.update_checkpoint_state(tmp_path / "old", str(tmp_path / "old" / "m-1"))
    (tmp_path / "old").rename(tmp_path / "new")
    assert management.latest_checkpoint(tmp_path / "new") is None
    assert management.find_checkpoint(tmp_path / "new") == str(tmp_path / "new" / "m-1")
    (tmp_path / "new" / "checkpoint").write_text(r'model_checkpoint_path: "C:\\models\\m-2"')
    assert management.find_checkpoint(tmp_path / "new") == str(tmp_path / "new" / "m-2")


def test_finding(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "m", {"v": 1})
    (tmp_path / "m.meta").write_bytes(b"")
    for name in ("m", "m.index", "m.data-00000-of-00001", "m.meta", ""):
        assert management.find_checkpoint(tmp_path / name) == str(tmp_path / "m")
    assert management.find_checkpoint(tmp_path / "other.meta") is None
    write_checkpoint(tmp_path / "n", {"v": 1})
    assert management.find_checkpoint(tmp_path) is None
    write_v1_checkpoint(tmp_path / "old-00000-of-00001", {"v": 1})
    assert management.find_checkpoint(tmp_path / "old.meta") == str(tmp_path / "old-?????-of-00001")


def test_existence_age_and_removal(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a[1]", {"v": 1})
    write_checkpoint(tmp_path / "a[1]-2", {"v": 1})
    write_v1_checkpoint(tmp_path / "b-00000-of-00001", {"v": 1})
    (tmp_path / "a[1].meta").write_bytes(b"")
    (tmp_path / "b.meta").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "a[1].index", (1000, 1000))
    os.utime(tmp_path / "b-00000-of-00001", (2000, 2000))
    a, b = str(tmp_path / "a[1]"), str(tmp_path / "b-?????-of-00001")
    assert management.checkpoint_exists(a)
    assert management.checkpoint_exists(b)
    assert not management.checkpoint_exists(tmp_path / "folder")
    assert management.get_checkpoint_mtimes([a, str(tmp_path / "none"), b]) == [1000.0, 2000.0]
    management.remove_checkpoint(a)
    management.remove_checkpoint(b, proto.SaverDef.V1)
    management.remove_checkpoint(a)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["a[1]-2.data-00000-of-00001", "a[1]-2.index", "folder"]


@pytest.mark.parametrize(
    ("checkpoint", "meta"),
    [
        ("a/m-10", "a/m-10.meta"),
        ("m-10-?????-of-00002", "m-10.meta"),
        ("m-00001-of-00002", "m.meta"),
        ("m-1-of", "m-1-of.meta"),
    ],
)
def test_meta_graph_filename(checkpoint: str, meta: str) -> None:
    assert management.meta_graph_filename(checkpoint) == meta


def test_loading(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "m", {"b": np.zeros((2, 3)), "a": 7})
    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file or checkpoints in given directory"):
        management.load_checkpoint(tmp_path)
    state.update_checkpoint_state(tmp_path, "m")
    assert management.list_variables(tmp_path) == [("a", []), ("b", [2, 3])]
    assert management.load_variable(tmp_path / "m", "a:0") == 7


def test_a_remote_folder() -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").store.clear()
    write_checkpoint("memory://run/m-1", {"v": np.arange(5)})
    write_checkpoint("memory://run/m-1", {"v": np.arange(6)})
    state.update_checkpoint_state("memory://run", "memory://run/m-1")
    assert management.latest_checkpoint("memory://run") == "memory://run/m-1"
    assert management.find_checkpoint("memory://run") == "memory://run/m-1"
    assert management.load_variable("memory://run", "v").tolist() == [0, 1, 2, 3, 4, 5]
    assert len(management.get_checkpoint_mtimes(["memory://run/m-1"])) == 1
    management.remove_checkpoint("memory://run/m-1")
    assert fsspec.filesystem("memory").find("/run") == ["/run/checkpoint"]
