"""Checkpoints that do not fit the graph: all that is wrong at once, and no variable changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft.base.errors import InvalidArgumentError, NotFoundError


@pytest.fixture
def path(tf, session, tmp_path: Path) -> str:
    """A checkpoint of a/kernel [2, 2], a/bias [2], b/kernel [2], count (int32)."""
    with tf.Graph().as_default():
        tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="a/kernel")
        tf.Variable([5.0, 6.0], name="a/bias")
        tf.Variable([7.0, 8.0], name="b/kernel")
        tf.Variable(3, name="count")
        with session(tf) as sess:
            return tf.train.Saver().save(sess, str(tmp_path / "m"))


only_ours = pytest.mark.parametrize("tf", ["regraft"], indirect=True)

ALTERED = "Please ensure that you have not altered the graph expected based on the checkpoint. Original error:"


def test_a_key_that_is_missing(tf, path: str) -> None:
    tf.Variable([0.0, 0.0], name="a/bias")
    tf.Variable([0.0, 0.0], name="nowhere")
    with tf.Session() as sess, pytest.raises(tf.errors.NotFoundError) as caught:
        tf.train.Saver().restore(sess, path)
    text = str(caught.value)
    assert "Restoring from checkpoint failed. This is most likely due to a Variable name or other graph key" in text
    assert ALTERED in text
    assert "Key nowhere not found in checkpoint" in text
    assert "NewCheckpointReader" not in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("count", [1, 2], "Assign requires shapes of both tensors to match. lhs shape= [2] rhs shape= []"),
        ("a/bias", [1, 2], "tensor_name = a/bias; expected dtype int32 does not equal original dtype float"),
    ],
)
def test_a_graph_that_changed(tf, path: str, name: str, value: Any, words: str) -> None:
    tf.Variable(value, name=name)
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.train.Saver().restore(sess, path)
    text = str(caught.value)
    assert "This is most likely due to a mismatch between the current graph and the graph from the checkpoint." in text
    assert ALTERED in text
    assert words in text


def test_a_part_of_another_whole(tf, path: str) -> None:
    with tf.variable_scope("a", partitioner=tf.fixed_size_partitioner(2)):
        tf.get_variable("bias", [4])
    words = r"shape in shape_and_slice spec \[4\] does not match the shape stored in checkpoint: \[2\]"
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError, match=words):
        tf.train.Saver().restore(sess, path)


def test_a_reshape_that_is_impossible(tf, path: str) -> None:
    tf.Variable([0.0, 0.0, 0.0], name="a/bias")
    words = "Input to reshape is a tensor with 2 values, but the requested shape has 3"
    with tf.Session() as sess, pytest.raises(tf.errors.InvalidArgumentError, match=words):
        tf.train.Saver(reshape=True).restore(sess, path)


@only_ours
@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_everything_at_once(tf, path: str, variables, session, resource: bool) -> None:
    variables(
        tf,
        resource,
        **{"a/kernel": [0.0, 0.0], "a/bias": [0.5, 0.5], "count": 1.5, "scope/b/kernel": [1.5], "a/bias_1": [2.5]},
    )
    variables(tf, resource, entirely_else=3.5)
    before = tf.global_variables()
    with session(tf) as sess:
        values = sess.run(before)
        with pytest.raises(NotFoundError) as caught:
            tf.train.Saver().restore(sess, path)
        for got, wanted in zip(sess.run(before), values, strict=True):
            np.testing.assert_array_equal(got, wanted)
    lines = str(caught.value).split("Original error:\n\n")[1].splitlines()
    assert lines[:3] == [
        "Key a/bias_1 not found in checkpoint",
        "Key entirely_else not found in checkpoint",
        "Key scope/b/kernel not found in checkpoint (nearest: b/kernel)",
    ]
    assert lines[3:5] == [
        "Assign requires shapes of both tensors to match. lhs shape= [2] rhs shape= [2,2]: "
        "variable 'a/kernel', key 'a/kernel'",
        "tensor_name = count; expected dtype float does not equal original dtype int32",
    ]
    assert lines[5] == "In the checkpoint, and not asked for: b/kernel"
    assert lines[6] == f"  at {path}"


@only_ours
def test_resource_variables_of_another_shape(tf, path: str, variables) -> None:
    """TensorFlow gives them the value, and the graph's shapes are wrong from then on."""
    variables(tf, True, **{"a/bias": [0.0]})
    with tf.Session() as sess, pytest.raises(InvalidArgumentError, match=r"lhs shape= \[1\] rhs shape= \[2\]"):
        tf.train.Saver().restore(sess, path)


@only_ours
def test_what_fits_on_request(tf, path: str, variables, session) -> None:
    bias, kernel, other = variables(tf, **{"a/bias": [0.0, 0.0], "a/kernel": [1.5], "other": [2.5]})
    saver = tf.train.Saver()
    with session(tf) as sess:
        assert saver.restore(sess, path, partial=True) == ["a/kernel", "other"]
        assert sess.run([bias, kernel, other])[0].tolist() == [5.0, 6.0]
        assert sess.run(kernel).tolist() == [1.5]
        assert sess.run(other).tolist() == [2.5]
    with session(tf) as sess:
        assert tf.train.Saver([bias]).restore(sess, path, partial=True) == []
        assert sess.run(bias).tolist() == [5.0, 6.0]


@only_ours
def test_a_thousand_names_take_no_time(tf, tmp_path: Path, session) -> None:
    with tf.Graph().as_default():
        for n in range(1000):
            tf.Variable(0.0, name=f"old/layer_{n}/kernel")
        with session(tf) as sess:
            path = tf.train.Saver().save(sess, str(tmp_path / "m"), write_meta_graph=False)
    for n in range(1000):
        tf.Variable(0.0, name=f"new/layer_{n}/kernel")
    with tf.Session() as sess, pytest.raises(NotFoundError) as caught:
        tf.train.Saver().restore(sess, path)
    text = str(caught.value)
    assert text.count("not found in checkpoint") == 1000
    assert all(f"old/layer_{n}/kernel" in text for n in range(1000))
    assert "Key new/layer_0/kernel not found in checkpoint (nearest: old/layer_0/kernel" in text


def misfits_of_objects(tf: Any) -> tuple[Any, Any]:
    """A saveable object whose tensors go through other ops than an assignment, and its variable."""
    from regraft.saver import SaveableObject, SaveSpec

    v = tf.Variable([0.0, 0.0], name="inner")

    class Doubled(SaveableObject):
        def restore(self, restored_tensors: Any, restored_shapes: Any) -> Any:
            return v.assign(restored_tensors[0] * 2.0)

    return v, Doubled(None, [SaveSpec(v._ref(), "", "outer")], "outer")


@only_ours
def test_objects_with_ops_of_their_own(tf, path: str, tmp_path: Path, session) -> None:
    """What their restore ops want is compared beforehand too."""
    v, doubled = misfits_of_objects(tf)
    plain = tf.Variable([0.0, 0.0], name="a/bias")
    saver = tf.train.Saver([plain, doubled])
    with session(tf) as sess:
        with pytest.raises(NotFoundError, match="Key outer not found in checkpoint"):
            saver.restore(sess, path)
        assert sess.run(plain).tolist() == [0.0, 0.0]
        assert saver.restore(sess, path, partial=True) == ["outer"]
        assert sess.run(plain).tolist() == [5.0, 6.0]
        sess.run(v.assign([1.0, 2.0]))
        saver.restore(sess, saver.save(sess, str(tmp_path / "n")))
        assert sess.run(v).tolist() == [2.0, 4.0]


@only_ours
def test_restore_ops_that_compute_their_keys(tf, path: str, session) -> None:
    """Only a run can tell what they restore."""
    v = tf.Variable([0.0, 0.0], name="v")
    name = tf.placeholder_with_default(tf.constant("tensor"), [], name="file")
    wrong = tf.placeholder_with_default(tf.constant(["a/wrong"]), [1])
    for key, fails in ((tf.placeholder_with_default(tf.constant(["a/bias"]), [1]), False), (wrong, True)):
        (value,) = tf.raw_ops.RestoreV2(prefix=name, tensor_names=key, shape_and_slices=[""], dtypes=[tf.float32])
        restore = tf.group(v.assign(value))
        d = tf.train.SaverDef(
            filename_tensor_name=name.name, save_tensor_name=name.name, restore_op_name=restore.name, version=2
        )
        saver = tf.train.Saver(saver_def=d)
        with session(tf) as sess:
            if fails:
                words = "Restoring from checkpoint failed. .*Key a/wrong not found in checkpoint"
                with pytest.raises(NotFoundError, match=f"(?s){words}"):
                    saver.restore(sess, path)
            else:
                saver.restore(sess, path)
                assert sess.run(v).tolist() == [5.0, 6.0]


@only_ours
def test_a_saver_of_another_graph(tf, path: str, variables) -> None:
    variables(tf, a=1.0)
    saver = tf.train.Saver()
    with tf.Graph().as_default():
        tf.constant(1.0)
        with tf.Session() as sess, pytest.raises(ValueError, match="save/Const"):
            saver.restore(sess, path)
