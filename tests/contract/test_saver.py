"""Contract, section 7: tf.train.Saver. What its nodes look like is tested in tests/saver/test_nodes.py."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def started(tf: Any) -> Any:
    sess = tf.Session(config=tf.ConfigProto(device_count={"CPU": 2}))
    sess.run(tf.global_variables_initializer())
    return sess


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# Constructor


def _v(tf: Any, name: str = "v", **options: Any) -> Any:
    return tf.Variable(1.0, name=name, **options)


def _slices(tf: Any, name: str) -> list[Any]:
    return list(tf.get_variable(name, [4], partitioner=tf.fixed_size_partitioner(2)))


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "nothing to save": (lambda tf: tf.train.Saver(), ValueError, "No variables to save"),
    "nothing to save in a list": (lambda tf: tf.train.Saver([]), ValueError, "No variables to save"),
    "list and deferred": (
        lambda tf: tf.train.Saver([_v(tf)], defer_build=True),
        ValueError,
        "If `var_list` is provided then build cannot be deferred",
    ),
    "saver_def that is none": (
        lambda tf: tf.train.Saver(saver_def=5),
        ValueError,
        "saver_def must be a saver_pb2.SaverDef",
    ),
    "saver_def without save_tensor_name": (
        lambda tf: tf.train.Saver(saver_def=tf.train.SaverDef(restore_op_name="r")),
        ValueError,
        "saver_def must specify the save_tensor_name",
    ),
    "saver_def without restore_op_name": (
        lambda tf: tf.train.Saver(saver_def=tf.train.SaverDef(save_tensor_name="s")),
        ValueError,
        "saver_def must specify the restore_op_name",
    ),
    "list of tensors": (
        lambda tf: tf.train.Saver([tf.constant(1.0)]),
        TypeError,
        "Variable to save is not a Variable",
    ),
    "neither dict nor list": (
        lambda tf: tf.train.Saver("v"),
        TypeError,
        "Variables to save should be passed in a dict or a list",
    ),
    "dict with other keys than strings": (
        lambda tf: tf.train.Saver({5: _v(tf)}),
        TypeError,
        "names_to_saveables must be a dict mapping string names to trackable operations. Name is not a string: 5",
    ),
    "dict with what is no variable": (
        lambda tf: tf.train.Saver({"a": tf.constant(1.0)}),
        TypeError,
        "names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a variable",
    ),
    "one variable twice": (
        lambda tf: (lambda v: tf.train.Saver([v, v]))(_v(tf)),
        ValueError,
        "At least two variables have the same name: v",
    ),
    "one variable under two names": (
        lambda tf: (lambda v: tf.train.Saver({"a": v, "b": v}))(_v(tf)),
        ValueError,
        "The same saveable will be restored with two names",
    ),
    "variables that are no slices": (
        lambda tf: tf.train.Saver({"a": [_v(tf, "v"), _v(tf, "w")]}),
        ValueError,
        "Slices must all be slices",
    ),
    "slices that are no variables": (
        lambda tf: tf.train.Saver({"a": [tf.constant(1.0)]}),
        ValueError,
        "Slices must all be Variables",
    ),
    "slices of two tensors": (
        lambda tf: tf.train.Saver({"a": [_slices(tf, "x")[0], _slices(tf, "y")[0]]}),
        ValueError,
        "Slices must all be from the same tensor: x != y",
    ),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
def test_refused(tf: Any, row: Any) -> None:
    call, error, words = row
    with pytest.raises(error, match=words):
        call(tf)


def test_saver_def_of_the_defaults(tf: Any) -> None:
    _v(tf)
    d = tf.train.Saver().as_saver_def()
    assert (d.filename_tensor_name, d.save_tensor_name) == ("save/Const:0", "save/control_dependency:0")
    assert (d.restore_op_name, d.max_to_keep, d.sharded) == ("save/restore_all", 5, False)
    assert (d.keep_checkpoint_every_n_hours, d.version) == (10000, tf.train.SaverDef.V2)


def test_name_is_the_scope_of_the_nodes(tf: Any) -> None:
    _v(tf)
    assert tf.train.Saver(name="mine").as_saver_def().restore_op_name == "mine/restore_all"
    assert tf.train.Saver(name="mine").as_saver_def().restore_op_name == "mine_1/restore_all"


def test_filename_is_the_default_of_the_placeholder(tf: Any) -> None:
    _v(tf)
    tf.train.Saver(filename="somewhere")
    tf.train.Saver()
    with tf.Session() as sess:
        assert sess.run(["save/Const:0", "save_1/Const:0"]) == [b"somewhere", b"model"]


def test_max_to_keep_of_none_is_zero(tf: Any) -> None:
    _v(tf)
    assert [tf.train.Saver(max_to_keep=n).as_saver_def().max_to_keep for n in (None, 0, 3)] == [0, 0, 3]


def test_allow_empty(tf: Any, tmp_path: Path) -> None:
    tf.constant(1.0)
    saver = tf.train.Saver(allow_empty=True)
    with tf.Session() as sess:
        assert saver.save(sess, str(tmp_path / "m")) is None
        assert saver.restore(sess, None) is None
    assert names(tmp_path) == ["m.meta"]


def test_deferred_building(tf: Any, tmp_path: Path) -> None:
    saver = tf.train.Saver(defer_build=True)
    _v(tf)
    with started(tf) as sess:
        with pytest.raises(RuntimeError, match=r"`build\(\)` should be called before save if defer_build==True"):
            saver.save(sess, str(tmp_path / "m"))
        saver.build()
        assert saver.save(sess, str(tmp_path / "m")) == str(tmp_path / "m")


def test_savers_take_a_saver_defs_retention(tf: Any) -> None:
    _v(tf)
    d = tf.train.Saver(max_to_keep=2).as_saver_def()
    assert tf.train.Saver(saver_def=d, max_to_keep=9).as_saver_def().max_to_keep == 2


def test_to_proto_and_from_proto(tf: Any) -> None:
    _v(tf)
    saver = tf.train.Saver(name="s/save")
    assert saver.to_proto() is saver.as_saver_def()
    assert saver.to_proto(export_scope="elsewhere") is None
    inner = saver.to_proto(export_scope="s")
    assert inner.restore_op_name == "save/restore_all"
    assert tf.train.Saver.from_proto(inner, import_scope="t").as_saver_def().restore_op_name == "t/save/restore_all"


# Saving


@pytest.fixture
def saved(tf: Any, tmp_path: Path) -> Any:
    """(session, variables v and w, a function that saves with a new Saver)."""
    v = tf.Variable(1.0, name="v")
    w = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="w")
    sess = started(tf)

    def save(path: str = "m", step: Any = None, *, saver: Any = None, options: Any = None, **arguments: Any) -> Any:
        saver = saver or tf.train.Saver(**(options or {}))
        return saver.save(sess, str(tmp_path / path), step, **arguments)

    yield sess, v, w, save
    sess.close()


def test_files_of_a_save(saved: Any, tmp_path: Path) -> None:
    _, _, _, save = saved
    assert save() == str(tmp_path / "m")
    assert names(tmp_path) == ["checkpoint", "m.data-00000-of-00001", "m.index", "m.meta"]


def test_forms_of_global_step(tf: Any, saved: Any, tmp_path: Path) -> None:
    sess, _, _, save = saved
    step = tf.Variable(7, name="step")
    sess.run(step.initializer)
    saver = tf.train.Saver()
    paths = [save(step=s, saver=saver) for s in (5, np.int64(6), step, "step:0", tf.constant(8), 0)]
    assert [p.removeprefix(str(tmp_path)) for p in paths] == ["/m-5", "/m-6", "/m-7", "/m-7", "/m-8", "/m-0"]
    assert save(step=5, options={"pad_step_number": True}) == str(tmp_path / "m-00000005")


def test_parts_that_are_not_wanted(saved: Any, tmp_path: Path) -> None:
    _, _, _, save = saved
    save("a", write_meta_graph=False, write_state=False)
    save("b", write_state=False, meta_graph_suffix="graph")
    assert names(tmp_path) == ["a.data-00000-of-00001", "a.index", "b.data-00000-of-00001", "b.graph", "b.index"]


def test_latest_filename(saved: Any, tmp_path: Path) -> None:
    _, _, _, save = saved
    save(latest_filename="newest")
    assert "newest" in names(tmp_path)
    with pytest.raises(ValueError, match="'latest_filename' must not contain path components"):
        save(latest_filename="a/b")
    with pytest.raises(ValueError, match="'latest_filename' collides with 'save_path'"):
        save("checkpoint")
    assert save("checkpoint", 3) == str(tmp_path / "checkpoint-3")


def test_what_is_no_session(tf: Any, saved: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'sess' must be a Session"):
        tf.train.Saver().save(5, str(tmp_path / "m"))


def test_parent_folder_that_does_not_exist(saved: Any, tmp_path: Path) -> None:
    """One level is made; TensorFlow's today makes any."""
    _, _, _, save = saved
    assert save("new/m") == str(tmp_path / "new" / "m")


def test_v1_warns_and_writes_one_file(saved: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        path = saved[3]("m", options={"write_version": 1})
    assert names(tmp_path) == ["checkpoint", "m", "m.meta"]
    assert path == str(tmp_path / "m")


# Restoring


def restored(tf: Any, path: str, make: Callable[[], Any], **options: Any) -> Any:
    """The values of variables made in a graph of their own, restored from `path`."""
    with tf.Graph().as_default():
        made = make()
        with tf.Session() as sess:
            tf.train.Saver(**options).restore(sess, path)
            return sess.run(made)


def test_paths_that_are_no_checkpoint(tf: Any, saved: Any, tmp_path: Path) -> None:
    sess = saved[0]
    saver = tf.train.Saver()
    with pytest.raises(ValueError, match="Can't load save_path when it is None"):
        saver.restore(sess, None)
    for path in ("nothing", ""):
        with pytest.raises(ValueError, match="The passed save_path is not a valid checkpoint"):
            saver.restore(sess, path and str(tmp_path / path))


def test_restoring_returns_none_and_is_logged(rg: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _v(rg)
    saver = rg.train.Saver()
    with started(rg) as sess, caplog.at_level(logging.INFO):
        path = saver.save(sess, str(tmp_path / "m"))
        assert saver.restore(sess, path) is None
    assert f"Restoring parameters from {path}" in caplog.text


def test_into_any_kind_and_partition(tf: Any, saved: Any) -> None:
    path = saved[3]()
    assert restored(tf, path, lambda: tf.Variable(0.0, name="v")) == 1.0
    assert restored(tf, path, lambda: tf.Variable(0.0, name="v", use_resource=True)) == 1.0
    for count, axis in ((2, 0), (3, 1)):
        found = restored(
            tf,
            path,
            lambda count=count, axis=axis: list(
                tf.get_variable("w", [2, 3], partitioner=tf.fixed_size_partitioner(count, axis))
            ),
        )
        np.testing.assert_array_equal(np.concatenate(found, axis), [[1, 2, 3], [4, 5, 6]])


def test_partitioned_into_whole_and_other_partitions(tf: Any, tmp_path: Path) -> None:
    def parts(count: int) -> Any:
        return list(
            tf.get_variable(
                "p", [6], partitioner=tf.fixed_size_partitioner(count), initializer=tf.constant(np.float32(range(6)))
            )
        )

    parts(3)
    with started(tf) as sess:
        path = tf.train.Saver().save(sess, str(tmp_path / "m"))
    assert restored(tf, path, lambda: tf.get_variable("p", [6])).tolist() == [0, 1, 2, 3, 4, 5]
    assert [a.tolist() for a in restored(tf, path, lambda: parts(2))] == [[0, 1, 2], [3, 4, 5]]


def test_sharded_over_devices(tf: Any, tmp_path: Path) -> None:
    for index in range(2):
        with tf.device(f"/cpu:{index}"):
            tf.Variable(float(index), name=f"v{index}")
    saver = tf.train.Saver(sharded=True)
    assert saver.as_saver_def().sharded
    with started(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        assert names(tmp_path) == [
            "checkpoint", "m.data-00000-of-00002", "m.data-00001-of-00002", "m.index", "m.meta",
        ]  # fmt: skip
        sess.run(tf.global_variables()[1].assign(9.0))
        saver.restore(sess, path)
        assert sess.run(tf.global_variables()) == [0.0, 1.0]


def test_sharded_v1_path_and_files(tf: Any, tmp_path: Path) -> None:
    for index in range(2):
        with tf.device(f"/cpu:{index}"):
            tf.Variable(float(index), name=f"v{index}")
    saver = tf.train.Saver(sharded=True, write_version=tf.train.SaverDef.V1)
    with started(tf) as sess:
        path = saver.save(sess, str(tmp_path / "m"))
        assert path == str(tmp_path / "m-?????-of-00002")
        assert names(tmp_path) == ["checkpoint", "m-00000-of-00002", "m-00001-of-00002", "m.meta"]
        assert tf.train.latest_checkpoint(str(tmp_path)) == path
        sess.run(tf.global_variables()[1].assign(9.0))
        saver.restore(sess, path)
        assert sess.run(tf.global_variables()) == [0.0, 1.0]


def test_missing_key(tf: Any, saved: Any) -> None:
    path = saved[3]()
    with pytest.raises(
        tf.errors.NotFoundError, match="Restoring from checkpoint failed. This is most likely due to a Va"
    ):
        restored(tf, path, lambda: tf.Variable(0.0, name="zz"))
    with pytest.raises(tf.errors.NotFoundError, match="Key zz not found in checkpoint"):
        restored(tf, path, lambda: tf.Variable(0.0, name="zz"))


def test_other_dtype_and_shape(tf: Any, saved: Any) -> None:
    path = saved[3]()
    with pytest.raises(tf.errors.InvalidArgumentError, match="a mismatch between the current graph and the graph"):
        restored(tf, path, lambda: tf.Variable(0, name="v"))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="expected dtype int32 does not equal original dtype float"
    ):
        restored(tf, path, lambda: tf.Variable(0, name="v"))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="Assign requires shapes of both tensors to match. lhs shape= "
    ):
        restored(tf, path, lambda: tf.Variable(tf.zeros([3, 2]), name="w"))


def test_reshape(tf: Any, saved: Any) -> None:
    path = saved[3]()
    found = restored(tf, path, lambda: tf.Variable(tf.zeros([3, 2]), name="w"), reshape=True)
    assert found.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_part_of_another_whole(tf: Any, saved: Any) -> None:
    path = saved[3]()
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="shape in shape_and_slice spec .*does not match the shape st"
    ):
        restored(tf, path, lambda: list(tf.get_variable("w", [4, 3], partitioner=tf.fixed_size_partitioner(2))))


def test_builder_of_one_restore_op_a_tensor(tf: Any, saved: Any) -> None:
    if tf.__name__ == "regraft.v1":
        from regraft.saver.build import BaseSaverBuilder
    else:
        from tensorflow.python.training.saver import BaseSaverBuilder
    path = saved[3]()

    class Builder(BaseSaverBuilder):
        pass

    def make() -> Any:
        return [tf.Variable(0.0, name="v"), tf.Variable(tf.zeros([2, 3]), name="w")]

    with tf.Graph().as_default() as graph:
        made = make()
        saver = tf.train.Saver(builder=Builder())
        assert [op.type for op in graph.get_operations()].count("RestoreV2") == 2
        with tf.Session() as sess:
            saver.restore(sess, path)
            assert sess.run(made[0]) == 1.0


def test_nodes_can_be_run_by_hand(tf: Any, saved: Any, tmp_path: Path) -> None:
    sess, v, _, _ = saved
    tf.train.Saver()
    path = sess.run("save/control_dependency:0", {"save/Const:0": str(tmp_path / "hand")}).decode()
    assert path == str(tmp_path / "hand")
    sess.run(v.assign(9.0))
    sess.run("save/restore_all", {"save/Const:0": path})
    assert sess.run(v) == 1.0


# Windows


def test_window_of_max_to_keep(tf: Any, saved: Any, tmp_path: Path) -> None:
    _, _, _, save = saved
    saver = tf.train.Saver(max_to_keep=2)
    paths = [save(step=s, saver=saver) for s in range(4)]
    assert saver.last_checkpoints == paths[2:]
    assert not any(name.startswith(("m-0", "m-1")) for name in names(tmp_path))
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert (state.model_checkpoint_path, list(state.all_model_checkpoint_paths)) == (paths[3], paths[2:])


def test_the_same_path_again_counts_once_and_is_the_newest(tf: Any, saved: Any) -> None:
    save = saved[3]
    saver = tf.train.Saver(max_to_keep=2)
    for step in (1, 2, 1):
        save(step=step, saver=saver)
    assert [p[-2:] for p in saver.last_checkpoints] == ["-2", "-1"]


def test_no_window(tf: Any, saved: Any, tmp_path: Path) -> None:
    for keep in (None, 0):
        saver = tf.train.Saver(max_to_keep=keep)
        paths = [saved[3](step=s, saver=saver) for s in range(3)]
        assert saver.last_checkpoints == []
        assert list(tf.train.get_checkpoint_state(str(tmp_path)).all_model_checkpoint_paths) == paths[2:]
    assert names(tmp_path).count("m-0.index") == 1


def test_lists_must_be_lists(tf: Any) -> None:
    _v(tf)
    with pytest.raises(AssertionError):
        tf.train.Saver().set_last_checkpoints(("a",))
    with pytest.raises(AssertionError):
        tf.train.Saver().set_last_checkpoints_with_time(("a",))


def test_recovered_list_leaves_out_what_is_gone(tf: Any, saved: Any) -> None:
    saver = tf.train.Saver()
    path = saved[3](step=1, saver=saver)
    again = tf.train.Saver()
    again.recover_last_checkpoints([path, path + "-gone"])
    assert again.last_checkpoints == [path]


def test_relative_paths_in_the_state_file(saved: Any, tmp_path: Path) -> None:
    saved[3](step=1, options={"save_relative_paths": True})
    assert 'model_checkpoint_path: "m-1"' in (tmp_path / "checkpoint").read_text()


def test_more_than_one_saver_in_the_collection(tf: Any) -> None:
    if tf.__name__ == "regraft.v1":
        from regraft.v1._saver import _get_saver_or_default as saver_or_default
    else:
        from tensorflow.python.training.saver import _get_saver_or_default as saver_or_default
    _v(tf)
    saver = saver_or_default()
    assert saver_or_default() is saver
    tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    with pytest.raises(RuntimeError, match="More than one item in collection savers"):
        saver_or_default()
