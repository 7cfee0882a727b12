"""Partitioned variables: saved as one tensor, restored into any other partitioning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

WHOLE = np.arange(14, dtype=np.float32).reshape(7, 2)


def make(tf: Any, parts: int | None, resource: bool, axis: int = 0) -> Any:
    """Variable scope/w of WHOLE's shape in so many parts, or in one piece; it starts as WHOLE."""
    partitioner = None if parts is None else tf.fixed_size_partitioner(parts, axis)
    with tf.variable_scope("scope", partitioner=partitioner, use_resource=resource):
        return tf.get_variable("w", [7, 2], initializer=tf.constant_initializer(WHOLE) if parts is None else start(tf))


def start(tf: Any) -> Any:
    def initializer(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        offset = partition_info.var_offset
        at = tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))
        return tf.constant(WHOLE[at])

    return initializer


def value(tf: Any, sess: Any, variable: Any, axis: int = 0) -> Any:
    parts = [variable] if hasattr(variable, "op") else list(variable)
    return np.concatenate(sess.run(parts), axis)


def zeros(tf: Any, variable: Any) -> list[Any]:
    parts = [variable] if hasattr(variable, "op") else list(variable)
    return [part.assign(np.zeros(part.shape.as_list(), np.float32)) for part in parts]


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("saved", [None, 1, 3])
def test_any_partitioning_into_any(tf, session, tmp_path: Path, saved: Any, version: int, resource: bool) -> None:
    with tf.Graph().as_default():
        make(tf, saved, resource)
        with session(tf) as sess:
            path = tf.train.Saver(write_version=version).save(sess, str(tmp_path / "m"))
    assert tf.train.list_variables(path) == [("scope/w", [7, 2])]
    if version == 2:  # of the first format, TensorFlow's reader reads no parts
        np.testing.assert_array_equal(tf.train.load_variable(path, "scope/w"), WHOLE)
    for parts in (None, 1, 2, 3, 7):
        with tf.Graph().as_default():
            w = make(tf, parts, resource)
            with tf.Session() as sess:
                tf.train.Saver().restore(sess, path)
                np.testing.assert_array_equal(value(tf, sess, w), WHOLE)


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_along_another_axis(tf, session, tmp_path: Path, resource: bool) -> None:
    with tf.Graph().as_default():
        make(tf, 3, resource)
        with session(tf) as sess:
            path = tf.train.Saver().save(sess, str(tmp_path / "m"))
    w = make(tf, 2, resource, axis=1)
    with tf.Session() as sess:
        tf.train.Saver().restore(sess, path)
        np.testing.assert_array_equal(value(tf, sess, w, 1), WHOLE)


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("form", ["list of one", "list of parts", "dict of one", "dict of parts"])
def test_forms_of_var_list(tf, session, tmp_path: Path, form: str, resource: bool) -> None:
    w = make(tf, 3, resource)
    kind, _, item = form.partition(" of ")
    given = w if item == "one" else list(w)
    var_list = {"key": given} if kind == "dict" else [given] if item == "one" else given
    saver = tf.train.Saver(var_list)
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        assert tf.train.list_variables(path) == [("key" if kind == "dict" else "scope/w", [7, 2])]
        sess.run(zeros(tf, w))
        saver.restore(sess, path)
        np.testing.assert_array_equal(value(tf, sess, w), WHOLE)


def test_one_part_alone(tf, session, tmp_path: Path) -> None:
    """What is saved then is that part of the whole; the others are not there."""
    parts = list(make(tf, 2, False))
    saver = tf.train.Saver(parts[:1])
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        sess.run(zeros(tf, parts[0]))
        saver.restore(sess, path)
        np.testing.assert_array_equal(sess.run(parts[0]), WHOLE[:4])
        with pytest.raises((tf.errors.InvalidArgumentError, tf.errors.NotFoundError)):
            tf.train.Saver(parts).restore(sess, path)


def test_the_meta_graph_says_where_parts_lie(tf, session, tmp_path: Path) -> None:
    make(tf, 3, False)
    with session(tf) as sess:
        path = tf.train.Saver().save(sess, str(tmp_path / "m"))
    with tf.Graph().as_default():
        saver = tf.train.import_meta_graph(f"{path}.meta")
        infos = [v._get_save_slice_info() for v in tf.global_variables()]
        assert [(i.full_name, i.full_shape, i.var_offset, i.var_shape) for i in infos] == [
            ("scope/w", [7, 2], [0, 0], [3, 2]),
            ("scope/w", [7, 2], [3, 0], [2, 2]),
            ("scope/w", [7, 2], [5, 0], [2, 2]),
        ]
        with tf.Session() as sess:
            # Both the Saver of the file and one made of its variables.
            for one in (saver, tf.train.Saver()):
                one.restore(sess, path)
                np.testing.assert_array_equal(np.concatenate(sess.run(tf.global_variables())), WHOLE)


def test_parts_and_other_variables_together(tf, variables, session, tmp_path: Path) -> None:
    w = make(tf, 3, False)
    (z,) = variables(tf, z=5.0)
    saver = tf.train.Saver()
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        sess.run([*zeros(tf, w), z.assign(0.0)])
        saver.restore(sess, path)
        np.testing.assert_array_equal(value(tf, sess, w), WHOLE)
        assert sess.run(z) == 5.0
