"""Restoring: other names, other shapes, both formats, files of TF2, and parts of a checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden.read import GOLDEN, expected


def saved(tf: Any, folder: Path, session: Any, **values: Any) -> str:
    """A checkpoint of variables with these values, made in a graph of its own."""
    with tf.Graph().as_default():
        for name, value in values.items():
            tf.Variable(value, name=name)
        with session(tf) as sess:
            return tf.train.Saver().save(sess, str(folder / "m"))


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_into_new_and_into_initialized_variables(tf, variables, session, tmp_path: Path, resource: bool) -> None:
    path = saved(tf, tmp_path, session, a=[1.0, 2.0], b=3)
    a, b = variables(tf, resource, a=[0.0, 0.0], b=0)
    saver = tf.train.Saver()
    for sess in (tf.Session(), session(tf)):
        assert saver.restore(sess, path) in (None, [])
        assert sess.run(a).tolist() == [1.0, 2.0]
        assert sess.run(b) == 3


def test_from_reference_to_resource_variables_and_back(tf, variables, session, tmp_path: Path) -> None:
    (a,) = variables(tf, True, a=[1.0, 2.0])
    with session(tf) as sess:
        path = tf.train.Saver().save(sess, str(tmp_path / "m"))
    with tf.Graph().as_default():
        (a,) = variables(tf, a=[0.0, 0.0])
        with tf.Session() as sess:
            tf.train.Saver().restore(sess, path)
            assert sess.run(a).tolist() == [1.0, 2.0]


def test_under_other_names(tf, variables, session, tmp_path: Path) -> None:
    path = saved(tf, tmp_path, session, a=[1.0, 2.0], b=[3.0, 4.0])
    x, y = variables(tf, x=[0.0, 0.0], y=[0.0, 0.0])
    with tf.Session() as sess:
        tf.train.Saver({"a": y, "b": x}).restore(sess, path)
        assert sess.run([x, y])[0].tolist() == [3.0, 4.0]
        assert sess.run(y).tolist() == [1.0, 2.0]
    with tf.Session() as sess:
        with pytest.raises(tf.errors.NotFoundError, match="Key x not found in checkpoint"):
            tf.train.Saver().restore(sess, path)
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value x"):
            sess.run(x)


def test_some_of_the_variables(tf, variables, session, tmp_path: Path) -> None:
    path = saved(tf, tmp_path, session, a=[1.0, 2.0], b=3)
    a, other = variables(tf, a=[0.0, 0.0], other=[9.0])
    with session(tf) as sess:
        tf.train.Saver([a]).restore(sess, path)
        assert sess.run(a).tolist() == [1.0, 2.0]
        assert sess.run(other).tolist() == [9.0]


def test_reshape(tf, variables, session, tmp_path: Path) -> None:
    path = saved(tf, tmp_path, session, a=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], b=[1, 2])
    a, b = variables(tf, a=[[0.0] * 2] * 3, b=[[0, 0]])
    with tf.Session() as sess:
        with pytest.raises(tf.errors.InvalidArgumentError, match="Assign requires shapes of both tensors to match."):
            tf.train.Saver([a]).restore(sess, path)
        tf.train.Saver(reshape=True).restore(sess, path)
        assert sess.run(a).tolist() == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
        assert sess.run(b).tolist() == [[1, 2]]


def test_reshape_of_resource_variables(tf, variables, session, tmp_path: Path) -> None:
    path = saved(tf, tmp_path, session, a=[[1.0, 2.0]])
    (a,) = variables(tf, True, a=[0.0, 0.0])
    with tf.Session() as sess:
        tf.train.Saver(reshape=True).restore(sess, path)
        assert sess.run(a).tolist() == [1.0, 2.0]


def test_variables_of_any_shape(tf, session, tmp_path: Path) -> None:
    path = saved(tf, tmp_path, session, a=[[1.0, 2.0]])
    a = tf.Variable(tf.placeholder(tf.float32), validate_shape=False, name="a")
    with tf.Session() as sess:
        tf.train.Saver().restore(sess, path)
        assert sess.run(a).tolist() == [[1.0, 2.0]]


def test_reshape_to_the_shape_that_a_variable_has_now(tf, session, tmp_path: Path) -> None:
    """Its static shape is not known, so the value that it has is asked."""
    path = saved(tf, tmp_path, session, a=[[1.0, 2.0]])
    start = tf.placeholder(tf.float32)
    a = tf.Variable(start, validate_shape=False, name="a")
    with tf.Session() as sess:
        sess.run(a.initializer, {start: [[0.0], [0.0]]})
        tf.train.Saver(reshape=True).restore(sess, path)
        assert sess.run(a).tolist() == [[1.0], [2.0]]


def test_paths_that_are_no_checkpoint(tf, variables, session, tmp_path: Path) -> None:
    variables(tf, a=1.0)
    saver = tf.train.Saver()
    with session(tf) as sess:
        with pytest.raises(ValueError, match="Can't load save_path when it is None."):
            saver.restore(sess, None)
        for wrong in (tmp_path / "none", tmp_path / "no" / "folder"):
            with pytest.raises(ValueError, match=f"The passed save_path is not a valid checkpoint: {wrong}"):
                saver.restore(sess, str(wrong))


def test_what_is_no_session(rg, variables, session, tmp_path: Path) -> None:
    """AttributeError in TensorFlow."""
    path = saved(rg, tmp_path, session, a=1.0)
    variables(rg, a=1.0)
    with pytest.raises(TypeError, match="'sess' must be a Session; None"):
        rg.train.Saver().restore(None, path)


def test_before_building(rg, session, tmp_path: Path) -> None:
    path = saved(rg, tmp_path, session, a=1.0)
    rg.Variable(1.0, name="a")
    with session(rg) as sess, pytest.raises(RuntimeError, match=r"`build\(\)` should be called before restore"):
        rg.train.Saver(defer_build=True).restore(sess, path)


def test_into_the_same_names_of_another_graph(tf, variables, session, tmp_path: Path) -> None:
    """A Saver knows names; the session's graph is where they are looked up."""
    variables(tf, a=[1.0])
    saver = tf.train.Saver()
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
    with tf.Graph().as_default():
        (a,) = variables(tf, a=[0.0])
        tf.train.Saver()
        with tf.Session() as sess:
            saver.restore(sess, path)
            assert sess.run(a).tolist() == [1.0]


def test_values_are_copies(tf, variables, session, tmp_path: Path) -> None:
    """Training on does not change what a later restore gives, nor variables of the same key each other."""
    path = saved(tf, tmp_path, session, a=[1.0, 2.0])
    a, b = variables(tf, a=[0.0, 0.0], b=[0.0, 0.0])
    step = a.assign_add([1.0, 1.0])
    one, two = tf.train.Saver([a]), tf.train.Saver({"a": b})
    with tf.Session() as sess:
        one.restore(sess, path)
        two.restore(sess, path)
        sess.run(step)
        assert sess.run([a, b])[0].tolist() == [2.0, 3.0]
        assert sess.run(b).tolist() == [1.0, 2.0]
        one.restore(sess, path)
        assert sess.run(a).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("version", [1, 2])
def test_strings(tf, session, tmp_path: Path, version: int) -> None:
    """Any bytes, any shape."""
    texts = np.array([[b"one", b""], [b"\x00\xff", "übrig".encode()]], object)
    s = tf.Variable(tf.constant(texts, tf.string), name="s")
    saver = tf.train.Saver(write_version=version)
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
    with tf.Session() as sess:
        saver.restore(sess, path)
        assert sess.run(s).tolist() == texts.tolist()


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_the_old_and_the_new_format(tf, variables, session, tmp_path: Path, version: int, resource: bool) -> None:
    a, b, c = variables(tf, resource, a=[[1.0, 2.0]], b=np.int64(1 << 40), c=[True, False])
    saver = tf.train.Saver(write_version=version)
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"), global_step=1)
    files = sorted(p.name for p in tmp_path.iterdir())
    if version == 1:
        assert files == ["checkpoint", "m-1", "m-1.meta"]
    else:
        assert files == ["checkpoint", "m-1.data-00000-of-00001", "m-1.index", "m-1.meta"]
    # Whatever a Saver writes, it reads both.
    for reader in (saver, tf.train.Saver(write_version=3 - version)):
        with tf.Session() as sess:
            reader.restore(sess, path)
            assert sess.run(a).tolist() == [[1.0, 2.0]]
            assert sess.run(b) == 1 << 40
            assert sess.run(c).tolist() == [True, False]


def test_misfits_in_the_old_format(tf, variables, session, tmp_path: Path) -> None:
    with tf.Graph().as_default():
        variables(tf, a=[1.0, 2.0])
        with session(tf) as sess:
            path = tf.train.Saver(write_version=1).save(sess, str(tmp_path / "m"))
    other, a = variables(tf, other=1.0, a=[1, 2])
    with session(tf) as sess:
        with pytest.raises(
            tf.errors.NotFoundError, match='Tensor name "other" not found in checkpoint files '
        ) as caught:
            tf.train.Saver([other]).restore(sess, path)
        assert path in str(caught.value)
        words = "Expected to restore a tensor of type int32, got a tensor of type float instead: tensor_name = a"
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            tf.train.Saver([a]).restore(sess, path)


# Golden files, written by TensorFlow


def values(case: str) -> dict[str, Any]:
    return expected(case)["value"]


@pytest.mark.parametrize("case", ["sharded", "sharded_v1", "partitioned", "partitioned_v1", "dtype_variables"])
def test_golden(rg, case: str) -> None:
    folder = GOLDEN / case
    saver = rg.train.import_meta_graph(str(next(folder.glob("*.meta"))), clear_devices=True)
    wanted = values(case)
    with rg.Session() as sess:
        saver.restore(sess, rg.train.latest_checkpoint(str(folder)))
        found: dict[str, list[Any]] = {}
        for v in rg.global_variables():
            info = v._save_slice_info
            found.setdefault(info.full_name if info else v.op.name, []).append((info, sess.run(v)))
    assert found.keys() == wanted.keys()
    for name, parts in found.items():
        for info, value in parts:
            whole = wanted[name]
            if info is not None:
                at = zip(info.var_offset, info.var_shape, strict=True)
                whole = whole[tuple(slice(o, o + n) for o, n in at)]
            assert (value.dtype, value.shape) == (whole.dtype, whole.shape)
            assert value.tolist() == whole.tolist() if value.dtype == object else value.tobytes() == whole.tobytes()


def test_the_single_files_of_a_sharded_one(rg) -> None:
    """Of the old format; each holds the variables of one device."""
    folder = GOLDEN / "sharded_v1"
    rg.train.import_meta_graph(str(folder / "model-7.meta"))
    wanted = values("sharded_v1")
    found = {}
    for path in (folder / "model-7-00000-of-00002", folder / "model-7-00001-of-00002"):
        names = [name for name, _ in rg.train.list_variables(str(path))]
        of_this = [v for v in rg.global_variables() if v.op.name in names]
        with rg.Session() as sess:
            rg.train.Saver(of_this).restore(sess, str(path))
            found |= {v.op.name: sess.run(v) for v in of_this}
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        np.testing.assert_array_equal(value, wanted[name])


# Checkpoints of TF2


@pytest.fixture
def object_based(tmp_path: Path) -> str:
    shutil.copytree(GOLDEN / "object_based", tmp_path / "object_based")
    return str(tmp_path / "object_based" / "model")


def test_object_based_checkpoints(tf, object_based: str) -> None:
    """By the names that the variables had; the graph does not grow by it the second time."""
    wanted = values("object_based")
    made = {name: tf.get_variable(name, value.shape, value.dtype, use_resource=True) for name, value in wanted.items()}
    saver = tf.train.Saver()
    counts = []
    for _ in range(2):
        with tf.Session() as sess:
            saver.restore(sess, object_based)
            for name, v in made.items():
                np.testing.assert_array_equal(sess.run(v), wanted[name])
        counts.append(len(tf.get_default_graph().get_operations()))
    assert counts[0] == counts[1]


def test_object_based_checkpoints_leave_the_graph_alone(rg, object_based: str, caplog) -> None:
    """TensorFlow adds a second Saver's nodes."""
    for name, value in values("object_based").items():
        rg.get_variable(name, value.shape, value.dtype, use_resource=True)
    saver = rg.train.Saver()
    rg.get_default_graph().finalize()
    with rg.Session() as sess:
        saver.restore(sess, object_based)
    assert "object-based checkpoint" in caplog.text


def test_object_based_checkpoints_without_the_variable(tf, object_based: str) -> None:
    tf.get_variable("nobody_knows_me", [2])
    words = "Could not find some variables in the checkpoint"
    with tf.Session() as sess, pytest.raises(tf.errors.NotFoundError, match=words) as caught:
        tf.train.Saver().restore(sess, object_based)
    assert "Existing variables not in the checkpoint: nobody_knows_me" in str(caught.value)
    assert all(name in str(caught.value) for name in values("object_based"))
