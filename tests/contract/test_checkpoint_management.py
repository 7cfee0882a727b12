"""Contract, section 8: state files, finding and removing checkpoints, readers, init_from_checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def prefix(tf: Any, tmp_path: Path) -> str:
    """A checkpoint with v, text, numbers and, in two parts, part."""
    with tf.Graph().as_default():
        tf.Variable(1.0, name="v")
        tf.Variable(["a", "b"], name="text")
        tf.Variable(np.arange(6).reshape(2, 3), name="numbers")
        tf.get_variable("part", [4, 2], partitioner=tf.fixed_size_partitioner(2), initializer=tf.ones_initializer())
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            return tf.train.Saver().save(sess, str(tmp_path / "saved" / "m"))


def state(folder: Path, text: str, name: str = "checkpoint") -> str:
    (folder / name).write_text(text)
    return str(folder)


# State files


def test_folder_without_a_state_file(tf: Any, tmp_path: Path) -> None:
    assert tf.train.get_checkpoint_state(str(tmp_path)) is None
    assert tf.train.latest_checkpoint(str(tmp_path)) is None
    assert tf.train.latest_checkpoint(str(tmp_path / "no folder")) is None


def test_empty_state_file_is_a_value_error(tf: Any, tmp_path: Path) -> None:
    folder = state(tmp_path, "")
    with pytest.raises(ValueError, match="Invalid checkpoint state loaded from"):
        tf.train.get_checkpoint_state(folder)


def test_damaged_state_file_is_ignored(tf: Any, tmp_path: Path) -> None:
    assert tf.train.get_checkpoint_state(state(tmp_path, "nonsense {")) is None
    assert tf.train.latest_checkpoint(str(tmp_path)) is None


def test_relative_paths_are_completed(tf: Any, tmp_path: Path) -> None:
    folder = state(tmp_path, 'model_checkpoint_path: "m-1"\nall_model_checkpoint_paths: "m-0"')
    found = tf.train.get_checkpoint_state(folder)
    assert found.model_checkpoint_path == os.path.join(folder, "m-1")
    assert list(found.all_model_checkpoint_paths) == [os.path.join(folder, "m-0")]


def test_latest_checkpoint_must_exist(tf: Any, tmp_path: Path) -> None:
    folder = state(tmp_path, 'model_checkpoint_path: "m-1"')
    assert tf.train.latest_checkpoint(folder) is None
    (tmp_path / "m-1.index").touch()
    assert tf.train.latest_checkpoint(folder) == os.path.join(folder, "m-1")


def test_another_name_of_the_state_file(tf: Any, tmp_path: Path) -> None:
    folder = state(tmp_path, 'model_checkpoint_path: "m-1"', "mine")
    (tmp_path / "m-1").touch()
    assert tf.train.latest_checkpoint(folder, latest_filename="mine") == os.path.join(folder, "m-1")
    assert tf.train.latest_checkpoint(folder) is None


def test_the_newest_becomes_the_last_of_the_list(tf: Any) -> None:
    paths = ["m-1"]
    found = tf.train.generate_checkpoint_state_proto("/d", "m-2", paths)
    assert list(found.all_model_checkpoint_paths) == paths == ["m-1", "m-2"]


def test_times_must_match_the_paths(tf: Any) -> None:
    with pytest.raises(ValueError, match="Checkpoint timestamps, if provided, must match checkpoint paths"):
        tf.train.generate_checkpoint_state_proto("/d", "m", ["m"], all_model_checkpoint_timestamps=[1.0, 2.0])
    found = tf.train.generate_checkpoint_state_proto("/d", "m", ["m"], [1.5], 2.5)
    assert (list(found.all_model_checkpoint_timestamps), found.last_preserved_timestamp) == ([1.5], 2.5)


def test_paths_in_a_relative_folder_become_relative_to_it(tf: Any) -> None:
    found = tf.train.generate_checkpoint_state_proto("run", "run/m-2", ["run/m-1", "run/m-2"])
    assert found.model_checkpoint_path == "m-2"
    assert list(found.all_model_checkpoint_paths) == ["m-1", "m-2"]
    found = tf.train.generate_checkpoint_state_proto("/run", "/run/m", ["/run/m"])
    assert found.model_checkpoint_path == "/run/m"


def test_checkpoint_named_like_the_state_file(tf: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="conflicts with path used for checkpoint state"):
        tf.train.update_checkpoint_state(str(tmp_path), str(tmp_path / "checkpoint"))


def test_updating(tf: Any, tmp_path: Path) -> None:
    tf.train.update_checkpoint_state(str(tmp_path), str(tmp_path / "m-2"), [str(tmp_path / "m-1")])
    assert (tmp_path / "checkpoint").read_text() == (
        f'model_checkpoint_path: "{tmp_path}/m-2"\n'
        f'all_model_checkpoint_paths: "{tmp_path}/m-1"\nall_model_checkpoint_paths: "{tmp_path}/m-2"\n'
    )
    assert os.listdir(tmp_path) == ["checkpoint"]


# Files of checkpoints


def test_existence(tf: Any, prefix: str) -> None:
    assert tf.train.checkpoint_exists(prefix)
    assert not tf.train.checkpoint_exists(prefix + "-gone")


def test_times(tf: Any, prefix: str) -> None:
    (found,) = tf.train.get_checkpoint_mtimes([prefix, prefix + "-gone"])
    assert isinstance(found, float)
    assert found == pytest.approx(os.path.getmtime(f"{prefix}.index"), abs=1)


def test_removal(tf: Any, prefix: str) -> None:
    folder = os.path.dirname(prefix)
    Path(f"{prefix}x.index").touch()
    tf.train.remove_checkpoint(prefix)
    assert sorted(os.listdir(folder)) == ["checkpoint", "mx.index"]
    for name in ("old", "old.meta"):
        Path(folder, name).touch()
    tf.train.remove_checkpoint(os.path.join(folder, "old"), checkpoint_format_version=tf.train.SaverDef.V1)
    assert sorted(os.listdir(folder)) == ["checkpoint", "mx.index"]


def test_name_of_the_meta_graph() -> None:
    from regraft.checkpoint.management import meta_graph_filename

    for checkpoint in ("m-5", "m-5-?????-of-00002", "m-5-00000-of-00002"):
        assert meta_graph_filename(checkpoint) == "m-5.meta"
    assert meta_graph_filename("m", "graph") == "m.graph"


# Reading


def test_reader(tf: Any, prefix: str) -> None:
    reader = tf.train.NewCheckpointReader(prefix)
    assert reader.get_variable_to_shape_map() == {"v": [], "text": [2], "numbers": [2, 3], "part": [4, 2]}
    types = {k: tf.as_dtype(d).name for k, d in reader.get_variable_to_dtype_map().items()}
    assert types == {"v": "float32", "text": "string", "numbers": "int64", "part": "float32"}
    assert (reader.has_tensor("v"), reader.has_tensor("gone")) == (True, False)
    assert reader.get_tensor("text").tolist() == [b"a", b"b"]
    assert reader.get_tensor("part").tolist() == [[1.0, 1.0]] * 4


def test_reader_of_what_is_not_there(tf: Any, prefix: str) -> None:
    with pytest.raises((tf.errors.NotFoundError, KeyError, RuntimeError), match="gone not found in checkpoint"):
        tf.train.NewCheckpointReader(prefix).get_tensor("gone")
    with pytest.raises(
        Exception, match="Unsuccessful TensorSliceReader constructor: Failed to find any matching files"
    ):
        tf.train.NewCheckpointReader(prefix + "-gone")


def test_debug_string(tf: Any, tmp_path: Path) -> None:
    """Without variables in parts: TensorFlow's text has the bytes of their keys in it."""
    tf.Variable([[1.0, 2.0, 3.0]] * 2, name="v0")
    tf.Variable([5], name="v1")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(sess, str(tmp_path / "m"))
    lines = tf.train.NewCheckpointReader(path).debug_string().decode().splitlines()
    assert sorted(lines) == ["v0 (DT_FLOAT) [2,3]", "v1 (DT_INT32) [1]"]


def test_listing_and_loading(tf: Any, prefix: str) -> None:
    wanted = [("numbers", [2, 3]), ("part", [4, 2]), ("text", [2]), ("v", [])]
    assert tf.train.list_variables(prefix) == wanted
    assert tf.train.list_variables(os.path.dirname(prefix)) == wanted
    assert tf.train.load_variable(prefix, "v:0") == 1.0
    assert tf.train.load_checkpoint(os.path.dirname(prefix)).get_tensor("v") == 1.0


def test_loading_from_a_folder_without_checkpoints(tf: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file or checkpoints in given directory"):
        tf.train.load_checkpoint(str(tmp_path))


# init_from_checkpoint


def initialized(tf: Any, prefix: str, make: Callable[[], Any], mapping: Any) -> Any:
    """The values of variables that start from a checkpoint."""
    with tf.Graph().as_default():
        made = make()
        tf.train.init_from_checkpoint(prefix, mapping(made) if callable(mapping) else mapping)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            return sess.run(made)


def _get(tf: Any, name: str, shape: Any = (), scope: str = "", **options: Any) -> Any:
    with tf.variable_scope(scope):
        return tf.get_variable(name, shape, initializer=tf.zeros_initializer(), **options)


def test_init_by_name_by_variable_and_by_scope(tf: Any, prefix: str) -> None:
    assert initialized(tf, prefix, lambda: _get(tf, "mine"), {"v": "mine"}) == 1.0
    assert initialized(tf, prefix, lambda: _get(tf, "mine"), lambda made: {"v": made}) == 1.0
    assert initialized(tf, prefix, lambda: _get(tf, "mine", use_resource=True), {"v": "mine"}) == 1.0
    assert initialized(tf, prefix, lambda: _get(tf, "v", scope="new"), {"/": "new/"}) == 1.0


def test_init_of_parts(tf: Any, prefix: str) -> None:
    def make() -> Any:
        return list(_get(tf, "mine", [4, 2], partitioner=tf.fixed_size_partitioner(4)))

    for mapping in ({"part": "mine"}, lambda made: {"part": made}):
        assert np.concatenate(initialized(tf, prefix, make, mapping)).tolist() == [[1.0, 1.0]] * 4


INIT_REFUSED: dict[str, tuple[Any, Any, str]] = {
    "tensor that is not there": ("v", {"gone": "v"}, "Tensor gone is not found in .* checkpoint"),
    "a name for a scope": ("v", {"v": "gone"}, "Assignment map with scope only name  should map to scope only v"),
    "another shape": ("v", {"numbers": "v"}, "Shape of variable v.* doesn't match with shape of tensor numbers"),
}


@pytest.mark.parametrize("row", INIT_REFUSED.values(), ids=INIT_REFUSED.keys())
def test_init_refused(tf: Any, prefix: str, row: Any) -> None:
    name, mapping, words = row
    with pytest.raises(ValueError, match=words):
        initialized(tf, prefix, lambda: _get(tf, name), mapping)
