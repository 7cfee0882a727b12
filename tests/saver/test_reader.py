"""Looking into checkpoints, and functions over the files of a folder, as programs of TensorFlow call them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(params=[1, 2], ids=["V1", "V2"])
def path(request: pytest.FixtureRequest, tf, session, tmp_path: Path) -> str:
    """Variables v0 [2, 3], v1 [3, 2, 1] (int64), scalar, and parts of p [4]."""
    with tf.Graph().as_default():
        tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="v0")
        tf.Variable(np.arange(6).reshape(3, 2, 1), name="v1")
        tf.Variable(2.5, name="scalar")
        with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2)):
            tf.get_variable("p", [4], initializer=tf.ones_initializer())
        with session(tf) as sess:
            return tf.train.Saver(write_version=request.param).save(sess, str(tmp_path / "m"))


SHAPES = {"v0": [2, 3], "v1": [3, 2, 1], "scalar": [], "p": [4]}


@pytest.mark.parametrize("function", ["NewCheckpointReader", "load_checkpoint"])
def test_a_reader(tf, path: str, function: str) -> None:
    reader = getattr(tf.train, function)(path)
    assert reader.has_tensor("v0")
    assert not reader.has_tensor("v")
    assert reader.get_variable_to_shape_map() == SHAPES
    assert reader.get_variable_to_dtype_map() == {
        "v0": tf.float32,
        "v1": tf.int64,
        "scalar": tf.float32,
        "p": tf.float32,
    }
    value = reader.get_tensor("v0")
    assert (value.dtype, value.tolist()) == (np.float32, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert reader.get_tensor("v1").dtype == np.int64
    assert reader.get_tensor("scalar") == 2.5
    lines = reader.debug_string().splitlines()
    assert b"v0 (DT_FLOAT) [2,3]" in lines
    assert b"v1 (DT_INT64) [3,2,1]" in lines
    assert b"scalar (DT_FLOAT) []" in lines


def test_what_a_reader_does_not_find(tf, path: str, tmp_path: Path) -> None:
    reader = tf.train.NewCheckpointReader(path)
    with pytest.raises(tf.errors.NotFoundError, match="v3 not found in checkpoint"):
        reader.get_tensor("v3")
    words = "Unsuccessful TensorSliceReader constructor: Failed to find any matching files for "
    for wrong in (tmp_path / "none", tmp_path / "none" / "m"):
        with pytest.raises(tf.errors.NotFoundError, match=f"{words}{wrong}"):
            tf.train.NewCheckpointReader(str(wrong))


def test_strings(tf, session, tmp_path: Path) -> None:
    tf.Variable([b"one", b"\xff\x00"], name="s")
    tf.Variable(b"alone", name="t")
    with session(tf) as sess:
        path = tf.train.Saver().save(sess, str(tmp_path / "m"))
    reader = tf.train.NewCheckpointReader(path)
    assert reader.get_tensor("s").tolist() == [b"one", b"\xff\x00"]
    assert reader.get_tensor("t") == b"alone"
    assert reader.get_variable_to_dtype_map()["s"] == tf.string


def test_lists_and_single_variables(tf, path: str, tmp_path: Path) -> None:
    for place in (path, str(tmp_path)):
        assert tf.train.list_variables(place) == sorted(SHAPES.items())
        assert tf.train.load_variable(place, "scalar") == 2.5
        assert tf.train.load_variable(place, "scalar:0") == 2.5
    (tmp_path / "empty").mkdir()
    for function in (tf.train.load_checkpoint, tf.train.list_variables, lambda p: tf.train.load_variable(p, "v0")):
        with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file or checkpoints in given directory"):
            function(str(tmp_path / "empty"))


def test_existence_age_and_removal(tf, path: str, tmp_path: Path) -> None:
    version = 2 if Path(f"{path}.index").exists() else 1
    assert tf.train.checkpoint_exists(path)
    assert not tf.train.checkpoint_exists(f"{path}-none")
    assert len(tf.train.get_checkpoint_mtimes([f"{path}-none", path])) == 1
    assert tf.train.latest_checkpoint(str(tmp_path)) == path
    tf.train.remove_checkpoint(path, version)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint"]
    assert tf.train.latest_checkpoint(str(tmp_path)) is None
    assert not tf.train.checkpoint_exists(path)
    tf.train.remove_checkpoint(path, version)


def test_state_files(tf, tmp_path: Path) -> None:
    folder = str(tmp_path)
    paths = [f"{folder}/m-1", f"{folder}/m-2"]
    tf.train.update_checkpoint_state(folder, paths[1], paths[:1], all_model_checkpoint_timestamps=[1.0, 2.0])
    state = tf.train.get_checkpoint_state(folder)
    assert state.model_checkpoint_path == paths[1]
    assert list(state.all_model_checkpoint_paths) == paths
    assert list(state.all_model_checkpoint_timestamps) == [1.0, 2.0]
    with pytest.raises(ValueError, match="Checkpoint timestamps, if provided, must match checkpoint paths"):
        tf.train.update_checkpoint_state(folder, paths[1], all_model_checkpoint_timestamps=[1.0, 2.0])
    with pytest.raises(RuntimeError, match="conflicts with path used for checkpoint state"):
        tf.train.update_checkpoint_state(folder, f"{folder}/checkpoint")
    made = tf.train.generate_checkpoint_state_proto("relative", "relative/m-3", ["relative/m-1"])
    assert list(made.all_model_checkpoint_paths) == ["m-1", "m-3"]
    (tmp_path / "checkpoint").write_text("")
    with pytest.raises(ValueError, match="Invalid checkpoint state loaded from "):
        tf.train.get_checkpoint_state(folder)
    (tmp_path / "checkpoint").write_text("no text format")
    assert tf.train.get_checkpoint_state(folder) is None
    assert tf.train.latest_checkpoint(folder) is None


def test_iterating_over_checkpoints(tf, path: str, tmp_path: Path) -> None:
    found = tf.train.checkpoints_iterator(str(tmp_path), timeout=0)
    assert next(found) == path
    with pytest.raises(StopIteration):
        next(found)
    assert list(tf.train.checkpoints_iterator(str(tmp_path / "none"), timeout=0, timeout_fn=lambda: True)) == []


def test_variables_that_start_from_a_checkpoint(tf, path: str) -> None:
    if not Path(f"{path}.index").exists():
        return  # parts of the old format are for Savers
    with tf.variable_scope("new"):
        a = tf.get_variable("a", [2, 3])
        v1 = tf.get_variable("v1", [3, 2, 1], tf.int64, initializer=tf.zeros_initializer())
        other = tf.get_variable("other", [4])
        for wrong, words in (
            ({"none": a}, "Tensor none is not found in "),
            ({"v0": v1}, r"Shape of variable new/v1:0 \(\(3, 2, 1\)\) doesn't match with shape of tensor v0"),
            ({"v0": "new/"}, "Assignment map with scope only name new should map to scope only v0"),
        ):
            with pytest.raises(ValueError, match=words):
                tf.train.init_from_checkpoint(path, wrong)
    tf.train.init_from_checkpoint(path, {"v0": a, "v1": "new/v1", "p": other})
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        assert sess.run(a).tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        assert sess.run(v1).reshape(-1).tolist() == list(range(6))
        assert sess.run(other).tolist() == [1.0] * 4


def saver_or_default(tf: Any) -> Any:
    if tf.__name__.startswith("regraft"):
        from regraft.v1 import _saver as module
    else:
        from tensorflow.python.training import saver as module
    return module._get_saver_or_default()


def test_the_saver_of_the_collection(tf, variables) -> None:
    (a,) = variables(tf, a=1.0)
    made = saver_or_default(tf)
    assert made.as_saver_def().sharded
    assert tf.get_collection(tf.GraphKeys.SAVERS) == [made]
    assert saver_or_default(tf) is made
    tf.add_to_collection(tf.GraphKeys.SAVERS, tf.train.Saver([a]))
    with pytest.raises(RuntimeError, match="More than one item in collection savers. Please indicate which one to use"):
        saver_or_default(tf)


def test_the_saver_of_a_graph_without_variables(tf) -> None:
    tf.constant(1.0)
    assert saver_or_default(tf).as_saver_def() is None
