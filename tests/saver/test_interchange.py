"""Files that one of the two writes, Regraft or TensorFlow, and the other reads and goes on with."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import oracle

pytestmark = [
    pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]
OTHER = {"regraft": "tensorflow", "tensorflow": "regraft"}


def module(name: str) -> Any:
    return importlib.import_module("regraft.v1") if name == "regraft" else oracle.tensorflow()


def plain(tf: Any, **options: Any) -> Any:
    tf.Variable([[1.5, -2.5]], name="ref")
    tf.Variable([1, 2, 3], name="scope/resource", use_resource=True)
    tf.Variable(True, name="flag")
    tf.Variable(np.int64(-(1 << 40)), name="step", trainable=False)
    return tf.train.Saver(**options)


def strings(tf: Any, **options: Any) -> Any:
    tf.Variable([[b"one", b""], [b"\x00\xff", b"four"]], name="strings")
    return tf.train.Saver(**options)


def dtypes(tf: Any) -> Any:
    for dtype in (tf.float16, tf.bfloat16, tf.float64, tf.int8, tf.uint8, tf.int16, tf.uint16, tf.int32, tf.int64):
        tf.Variable(tf.cast([0, 1, 2], dtype), name=dtype.name)
    tf.Variable(tf.complex([1.0], [2.0]), name="complex64")
    tf.Variable(np.zeros([0, 3], np.float32), name="empty")
    tf.Variable(np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4, 1), name="five_axes")
    return tf.train.Saver()


def placed(tf: Any, **options: Any) -> Any:
    for number in range(3):
        with tf.device(f"/cpu:{number % 2}"):
            tf.Variable([float(number)], name=f"v{number}", use_resource=number == 2)
    return tf.train.Saver(sharded=True, **options)


def partitioned(tf: Any, **options: Any) -> Any:
    for resource in (False, True):
        with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(3), use_resource=resource):
            tf.get_variable(f"w{int(resource)}", [7, 2], initializer=tf.truncated_normal_initializer(seed=1))
    return tf.train.Saver(**options)


def named(tf: Any) -> Any:
    a = tf.Variable([1.0], name="a")
    b = tf.Variable([2.0], name="b", use_resource=True)
    return tf.train.Saver({"b": a, "other/name": b}, name="mine", max_to_keep=2, pad_step_number=True)


def reshaping(tf: Any) -> Any:
    tf.Variable([[1.0, 2.0]], name="a")
    tf.Variable([[3.0, 4.0]], name="b", use_resource=True)
    return tf.train.Saver(reshape=True)


FORMS: dict[str, Callable[[Any], Any]] = {
    "plain": plain,
    "old format": lambda tf: plain(tf, write_version=1),
    "strings": strings,
    "strings in the old format": lambda tf: strings(tf, write_version=1),
    "dtypes": dtypes,
    "sharded": placed,
    "sharded old format": lambda tf: placed(tf, write_version=1),
    "partitioned": partitioned,
    "partitioned old format": lambda tf: partitioned(tf, write_version=1),
    "partitioned and sharded": lambda tf: partitioned(tf, sharded=True),
    "other names": named,
    "reshaping": reshaping,
}


def start(tf: Any) -> Any:
    return tf.Session(config=tf.ConfigProto(device_count={"CPU": 2}))


def same(got: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert got.keys() == wanted.keys()
    for name, value in got.items():
        assert (value.dtype, value.shape) == (wanted[name].dtype, wanted[name].shape)
        assert value.tolist() == wanted[name].tolist()


def all_values(tf: Any, sess: Any) -> dict[str, Any]:
    """By name, as arrays; one read each, so that every reader goes the same way."""
    made = tf.global_variables()
    return {v.name: np.asarray(x) for v, x in zip(made, sess.run([v.value() for v in made]), strict=True)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("writer", ["regraft", "tensorflow"])
def test_there_and_back(writer: str, form: str, tmp_path: Path) -> None:
    """The reader opens the .meta, restores, and saves in turn; the writer restores that in its own graph."""
    tf, reader = module(writer), module(OTHER[writer])
    with tf.Graph().as_default():
        saver = FORMS[form](tf)
        with start(tf) as sess:
            sess.run(tf.global_variables_initializer())
            wanted = all_values(tf, sess)
            path = saver.save(sess, str(tmp_path / "m"), global_step=3)
        meta = next(tmp_path.glob("*.meta"))
        with reader.Graph().as_default():
            theirs = reader.train.import_meta_graph(str(meta))
            assert reader.train.latest_checkpoint(str(tmp_path)) == path
            with start(reader) as other:
                theirs.restore(other, path)
                same(all_values(reader, other), wanted)
                again = theirs.save(other, str(tmp_path / "again"), global_step=4)
        assert tf.train.latest_checkpoint(str(tmp_path)) == again
        with start(tf) as sess:
            saver.restore(sess, again)
            same(all_values(tf, sess), wanted)


@pytest.mark.parametrize("writer", ["regraft", "tensorflow"])
def test_the_meta_graph_as_text(writer: str, tmp_path: Path) -> None:
    tf, reader = module(writer), module(OTHER[writer])
    with tf.Graph().as_default():
        saver = plain(tf)
        with start(tf) as sess:
            sess.run(tf.global_variables_initializer())
            wanted = all_values(tf, sess)
            path = saver.save(sess, str(tmp_path / "m"), write_meta_graph=False)
            saver.export_meta_graph(str(tmp_path / "text"), as_text=True)
    with reader.Graph().as_default():
        theirs = reader.train.import_meta_graph(str(tmp_path / "text"))
        with start(reader) as sess:
            theirs.restore(sess, path)
            same(all_values(reader, sess), wanted)


@pytest.mark.parametrize("form", ["plain", "sharded", "partitioned"])
def test_the_same_bytes(form: str, tmp_path: Path) -> None:
    """A checkpoint of the same values is the same files."""
    for name in OTHER:
        tf = module(name)
        (tmp_path / name).mkdir()
        with tf.Graph().as_default():
            saver = FORMS[form](tf)
            with start(tf) as sess:
                sess.run(tf.global_variables_initializer())
                saver.save(sess, str(tmp_path / name / "m"), write_meta_graph=False, write_state=False)
    ours, theirs = (sorted((tmp_path / name).iterdir()) for name in OTHER)
    assert [p.name for p in ours] == [p.name for p in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.parametrize("writer", ["regraft", "tensorflow"])
def test_the_list_of_checkpoints(writer: str, tmp_path: Path) -> None:
    """The other takes up the window with the state file's list."""
    tf, reader = module(writer), module(OTHER[writer])
    with tf.Graph().as_default():
        saver = plain(tf, max_to_keep=3)
        with start(tf) as sess:
            sess.run(tf.global_variables_initializer())
            for step in range(4):
                saver.save(sess, str(tmp_path / "m"), global_step=step, write_meta_graph=step == 3)
    with reader.Graph().as_default():
        theirs = reader.train.import_meta_graph(str(tmp_path / "m-3.meta"))
        state = reader.train.get_checkpoint_state(str(tmp_path))
        theirs.recover_last_checkpoints(list(state.all_model_checkpoint_paths))
        assert theirs.last_checkpoints == [str(tmp_path / f"m-{n}") for n in (1, 2, 3)]
        with start(reader) as sess:
            theirs.restore(sess, state.model_checkpoint_path)
            theirs.save(sess, str(tmp_path / "m"), global_step=4)
    assert sorted(p.stem for p in tmp_path.glob("*.index")) == ["m-2", "m-3", "m-4"]
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert list(state.all_model_checkpoint_paths) == [str(tmp_path / f"m-{n}") for n in (2, 3, 4)]
