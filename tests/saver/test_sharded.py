"""Checkpoints with a file for each device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def two_devices(tf: Any, resource: bool = False) -> list[Any]:
    with tf.device("/cpu:0"):
        a = tf.Variable([1.0, 2.0], name="a", use_resource=resource)
    with tf.device("/cpu:1"):
        b = tf.Variable(3, name="b", use_resource=resource)
    return [a, b]


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def cleared(sess: Any, made: list[Any]) -> None:
    sess.run([made[0].assign([0.0, 0.0]), made[1].assign(0)])


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_the_new_format(tf, session, tmp_path: Path, resource: bool) -> None:
    made = two_devices(tf, resource)
    saver = tf.train.Saver(sharded=True)
    path = str(tmp_path / "m")
    with session(tf) as sess:
        assert saver.save(sess, path, global_step=1) == f"{path}-1"
        wanted = ["m-1.data-00000-of-00002", "m-1.data-00001-of-00002", "m-1.index", "m-1.meta"]
        assert names(tmp_path) == ["checkpoint", *wanted]
        assert tf.train.latest_checkpoint(str(tmp_path)) == f"{path}-1"
        cleared(sess, made)
        saver.restore(sess, f"{path}-1")
        assert sess.run(made)[0].tolist() == [1.0, 2.0]
        assert sess.run(made[1]) == 3
    # Files do not tell how they were written: any Saver restores them.
    with session(tf) as sess:
        tf.train.Saver().restore(sess, f"{path}-1")
        assert sess.run(made[1]) == 3


def test_the_old_format(tf, session, tmp_path: Path) -> None:
    made = two_devices(tf)
    saver = tf.train.Saver(sharded=True, write_version=1)
    path = str(tmp_path / "m")
    with session(tf) as sess:
        pattern = saver.save(sess, path, global_step=1)
        assert pattern == f"{path}-1-?????-of-00002"
        assert names(tmp_path) == ["checkpoint", "m-1-00000-of-00002", "m-1-00001-of-00002", "m-1.meta"]
        assert saver.last_checkpoints == [pattern]
        assert tf.train.latest_checkpoint(str(tmp_path)) == pattern
        cleared(sess, made)
        saver.restore(sess, pattern)
        assert sess.run(made)[0].tolist() == [1.0, 2.0]
        assert sess.run(made[1]) == 3
        # Each file is a checkpoint of what was on its device.
        cleared(sess, made)
        tf.train.Saver({"a": made[0]}).restore(sess, f"{path}-1-00000-of-00002")
        assert sess.run(made[0]).tolist() == [1.0, 2.0]
        tf.train.Saver({"b": made[1]}).restore(sess, f"{path}-1-00001-of-00002")
        assert sess.run(made[1]) == 3
        with pytest.raises(tf.errors.NotFoundError, match='Tensor name "b" not found in checkpoint files '):
            saver.restore(sess, f"{path}-1-00000-of-00002")


def test_one_device(tf, variables, session, tmp_path: Path) -> None:
    variables(tf, a=[1.0], b=2)
    saver = tf.train.Saver(sharded=True)
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        assert names(tmp_path) == ["checkpoint", "m.data-00000-of-00001", "m.index", "m.meta"]
        saver.restore(sess, path)


def test_parts_on_several_devices(tf, session, tmp_path: Path) -> None:
    """The whole is one tensor in the merged checkpoint."""
    devices = iter(("/cpu:0", "/cpu:1", "/cpu:0"))

    def place(op: Any) -> str:
        return next(devices) if op.type == "VariableV2" else ""

    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(3)), tf.device(place):
        parts = list(tf.get_variable("w", [3, 2], initializer=tf.ones_initializer()))
    assert len({p.device for p in parts}) == 2
    saver = tf.train.Saver(sharded=True)
    with session(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        assert tf.train.load_variable(path, "s/w").tolist() == [[1.0, 1.0]] * 3
        sess.run([p.assign([[0.0, 0.0]]) for p in parts])
        saver.restore(sess, path)
        assert [v.tolist() for v in sess.run(parts)] == [[[1.0, 1.0]]] * 3


def test_deleted_with_all_their_files(tf, session, tmp_path: Path) -> None:
    two_devices(tf)
    for version in (1, 2):
        saver = tf.train.Saver(sharded=True, max_to_keep=1, write_version=version)
        folder = tmp_path / str(version)
        folder.mkdir()
        with session(tf) as sess:
            for step in range(3):
                saver.save(sess, str(folder / "m"), global_step=step)
        assert not [name for name in names(folder) if name != "checkpoint" and not name.startswith("m-2")]


def test_devices_of_the_nodes(tf) -> None:
    """Files are read and written beside the variables, by the CPU."""
    with tf.device("/job:ps/task:1/gpu:3"):
        tf.Variable(1.0, name="a")
    with tf.device("/job:ps/task:0"):
        tf.Variable(1.0, name="b", use_resource=True)
    tf.Variable(1.0, name="c")
    with tf.device("/job:worker/gpu:0"):
        tf.train.Saver(sharded=True)
    graph = tf.get_default_graph()
    found = {
        op.name: op.device for op in graph.get_operations() if op.type in ("SaveV2", "RestoreV2", "MergeV2Checkpoints")
    }
    assert found == {
        "save/SaveV2": "/job:worker/device:CPU:0",
        "save/SaveV2_1": "/job:ps/task:0/device:CPU:0",
        "save/SaveV2_2": "/job:ps/task:1/device:CPU:0",
        "save/MergeV2Checkpoints": "/job:ps/task:1/device:CPU:0",
        "save/RestoreV2": "/job:worker/device:CPU:0",
        "save/RestoreV2_1": "/job:ps/task:0/device:CPU:0",
        "save/RestoreV2_2": "/job:ps/task:1/device:CPU:0",
    }
