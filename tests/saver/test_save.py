"""What save writes, where, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft.base.errors import FailedPreconditionError


@pytest.fixture
def model(tf, variables, session) -> tuple[Any, Any]:
    """A Saver over two variables, and a session with their values."""
    variables(tf, a=[1.0, 2.0])
    variables(tf, True, r=3)
    saver = tf.train.Saver()
    return saver, session(tf)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_the_files(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    path = str(tmp_path / "m")
    assert saver.save(sess, path) == path
    assert isinstance(saver.save(sess, path), str)
    assert names(tmp_path) == ["checkpoint", "m.data-00000-of-00001", "m.index", "m.meta"]
    assert tf.train.latest_checkpoint(str(tmp_path)) == path


def test_steps(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    path = str(tmp_path / "m")
    step = tf.Variable(7, name="step", trainable=False)
    fraction = tf.Variable(9.5, name="fraction", trainable=False)
    sess.run([step.initializer, fraction.initializer])

    def saved(global_step: Any) -> str:
        return saver.save(sess, path, global_step=global_step, write_meta_graph=False).removeprefix(path)

    assert saved(0) == "-0"
    assert saved(5) == "-5"
    assert saved(np.int64(6)) == "-6"
    assert saved(True) == "-1"
    assert saved(step) == "-7"
    assert saved("step:0") == "-7"
    assert saved(step + 1) == "-8"
    assert saved(fraction) == "-9"
    for wrong in (2.5, np.array(3), "step"):
        with pytest.raises(TypeError):
            saved(wrong)


def test_padded_steps(tf, model, tmp_path: Path) -> None:
    _, sess = model
    saver = tf.train.Saver(pad_step_number=True)
    path = str(tmp_path / "m")
    assert saver.save(sess, path, global_step=5) == f"{path}-00000005"
    assert saver.save(sess, path, global_step=1234567890) == f"{path}-1234567890"
    assert saver.save(sess, path) == path
    assert tf.train.latest_checkpoint(str(tmp_path)) == path


def test_parts_that_are_not_wanted(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    saver.save(sess, str(tmp_path / "m"), write_meta_graph=False, write_state=False)
    assert names(tmp_path) == ["m.data-00000-of-00001", "m.index"]
    assert saver.last_checkpoints == []
    assert tf.train.latest_checkpoint(str(tmp_path)) is None


def test_names_of_the_other_files(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    path = saver.save(sess, str(tmp_path / "m"), meta_graph_suffix="graph", latest_filename="newest")
    assert names(tmp_path) == ["m.data-00000-of-00001", "m.graph", "m.index", "newest"]
    assert tf.train.latest_checkpoint(str(tmp_path), "newest") == path
    assert tf.train.get_checkpoint_state(str(tmp_path), "newest").model_checkpoint_path == path


def test_paths_in_bytes(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    path = str(tmp_path / "m")
    assert saver.save(sess, path.encode(), global_step=1) == f"{path}-1"
    saver.restore(sess, f"{path}-1".encode())


def test_path_objects(rg, variables, session, tmp_path: Path) -> None:
    """TypeError in TensorFlow."""
    variables(rg, a=1.0)
    saver = rg.train.Saver()
    with session(rg) as sess:
        assert saver.save(sess, tmp_path / "m") == str(tmp_path / "m")
        saver.restore(sess, tmp_path / "m")


def test_file_urls(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    url = f"file://{tmp_path}/m"
    assert saver.save(sess, url, global_step=1) == f"{url}-1"
    assert names(tmp_path) == ["checkpoint", "m-1.data-00000-of-00001", "m-1.index", "m-1.meta"]
    assert tf.train.latest_checkpoint(str(tmp_path)) == f"{tmp_path}/m-1"
    assert tf.train.latest_checkpoint(f"file://{tmp_path}") == f"{url}-1"
    saver.restore(sess, f"{url}-1")
    assert saver.last_checkpoints == [f"{url}-1"]
    with tf.Graph().as_default(), tf.Session() as other:
        tf.train.import_meta_graph(f"{url}-1.meta").restore(other, f"{url}-1")
        assert other.run("a:0").tolist() == [1.0, 2.0]


def test_the_current_folder(tf, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saver, sess = model
    monkeypatch.chdir(tmp_path)
    assert saver.save(sess, "m") == "m"
    assert names(tmp_path) == ["checkpoint", "m.data-00000-of-00001", "m.index", "m.meta"]
    assert tf.train.latest_checkpoint("") == "m"
    assert tf.train.latest_checkpoint(".") == "./m"
    assert saver.save(sess, "./m") == "./m"
    assert Path("checkpoint").read_text() == (
        'model_checkpoint_path: "m"\nall_model_checkpoint_paths: "m"\nall_model_checkpoint_paths: "m"\n'
    )


def test_a_folder_that_is_not_there_is_made(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    saver.save(sess, str(tmp_path / "new" / "m"))
    assert len(names(tmp_path / "new")) == 4


def test_folders_that_are_not_there(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    path = str(tmp_path / "new" / "folder" / "m")
    with pytest.raises(ValueError, match=f"Parent directory of {path} doesn't exist, can't save."):
        saver.save(sess, path, global_step=3)
    assert saver.last_checkpoints == []
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_for_the_old_format(tf, model, tmp_path: Path) -> None:
    _, sess = model
    path = str(tmp_path / "new" / "m")
    with pytest.raises(ValueError, match=f"Parent directory of {path} doesn't exist, can't save."):
        tf.train.Saver(write_version=1).save(sess, path)


def test_variables_without_a_value(tf, variables, tmp_path: Path) -> None:
    (a,), (r,) = variables(tf, a=1.0), variables(tf, True, r=2.0)
    for saver, words in (
        (tf.train.Saver([a]), "Attempting to use uninitialized value a"),
        (tf.train.Saver([r]), "uninitialized"),
    ):
        with tf.Session() as sess, pytest.raises(tf.errors.FailedPreconditionError, match=words):
            saver.save(sess, str(tmp_path / "m"))
    assert names(tmp_path) == []


def test_variables_without_a_value_in_the_current_folder(rg, variables, tmp_path, monkeypatch) -> None:
    """TensorFlow says that the folder does not exist."""
    variables(rg, a=1.0)
    monkeypatch.chdir(tmp_path)
    with rg.Session() as sess, pytest.raises(FailedPreconditionError, match="uninitialized value a"):
        rg.train.Saver().save(sess, "m")


def test_names_that_collide(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    path = str(tmp_path / "checkpoint")
    with pytest.raises(ValueError, match="'latest_filename' collides with 'save_path': 'checkpoint' and "):
        saver.save(sess, path)
    with pytest.raises(ValueError, match="'latest_filename' collides with 'save_path': 'm' and "):
        saver.save(sess, str(tmp_path / "m"), latest_filename="m")
    with pytest.raises(ValueError, match="'latest_filename' must not contain path components"):
        saver.save(sess, path, latest_filename="a/b")
    assert names(tmp_path) == []
    saver.save(sess, path, global_step=1)
    # A sharded one has other files; the state file is what cannot have that name.
    with pytest.raises(RuntimeError, match=f"Save path '{path}' conflicts with path used for checkpoint state"):
        tf.train.Saver(sharded=True).save(sess, path)


def test_what_is_no_session(tf, model, tmp_path: Path) -> None:
    saver, _ = model
    for wrong in (None, "session", tf.get_default_graph()):
        with pytest.raises(TypeError, match="'sess' must be a Session; "):
            saver.save(wrong, str(tmp_path / "m"))


def test_a_session_that_is_closed(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    path = saver.save(sess, str(tmp_path / "m"))
    sess.close()
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        saver.save(sess, path)
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        saver.restore(sess, path)


def test_the_same_path_again(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    a = tf.global_variables()[0]
    path = saver.save(sess, str(tmp_path / "m"))
    sess.run(a.assign([5.0, 6.0]))
    saver.save(sess, path)
    sess.run(a.assign([0.0, 0.0]))
    saver.restore(sess, path)
    assert sess.run(a).tolist() == [5.0, 6.0]
    assert saver.last_checkpoints == [path]


def test_the_graph_of_the_session_is_written(tf, model, tmp_path: Path) -> None:
    """Nodes that came after the Saver are in the .meta, each time it is written."""
    saver, sess = model
    for step in range(2):
        tf.constant(float(step), name=f"late_{step}")
        with tf.Graph().as_default():
            path = saver.save(sess, str(tmp_path / "m"), global_step=step)
        with tf.Graph().as_default() as graph:
            tf.train.import_meta_graph(f"{path}.meta")
            assert [f"late_{n}" in {op.name for op in graph.get_operations()} for n in range(2)] == [True, step == 1]


def test_collections_are_written_as_they_are_now(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    for step in range(2):
        tf.add_to_collection("steps", step)
        path = saver.save(sess, str(tmp_path / "m"), global_step=step)
        with tf.Graph().as_default() as graph:
            tf.train.import_meta_graph(f"{path}.meta")
            assert graph.get_collection("steps") == list(range(step + 1))


def test_default_attributes_may_be_left_out(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    sizes = []
    for strip in (False, True, False):
        path = saver.save(sess, str(tmp_path / "m"), strip_default_attrs=strip)
        sizes.append(os.path.getsize(f"{path}.meta"))
        with tf.Graph().as_default():
            tf.train.import_meta_graph(f"{path}.meta")
    assert sizes[1] < sizes[0] == sizes[2]


def test_the_old_format_is_warned_about(rg, variables, session, tmp_path: Path, caplog) -> None:
    variables(rg, a=1.0)
    saver = rg.train.Saver(write_version=rg.train.SaverDef.V1)
    with session(rg) as sess:
        for _ in range(2):
            saver.save(sess, str(tmp_path / "m"))
    assert [r.levelname for r in caplog.records if "V1 checkpoint format" in r.message] == ["WARNING", "WARNING"]


def test_the_graph_does_not_grow(tf, model, tmp_path: Path) -> None:
    saver, sess = model
    graph = tf.get_default_graph()
    graph.finalize()
    count = len(graph.get_operations())
    for step in range(2):
        saver.restore(sess, saver.save(sess, str(tmp_path / "m"), global_step=step))
    assert len(graph.get_operations()) == count


def test_saving_by_hand(tf, model, tmp_path: Path) -> None:
    """The nodes do the same without the Saver."""
    saver, sess = model
    d = saver.as_saver_def()
    path = str(tmp_path / "by_hand")
    assert sess.run(d.save_tensor_name, {d.filename_tensor_name: path}) == path.encode()
    assert names(tmp_path) == ["by_hand.data-00000-of-00001", "by_hand.index"]
    a = tf.global_variables()[0]
    sess.run(a.assign([0.0, 0.0]))
    assert sess.run(d.restore_op_name, {d.filename_tensor_name: path}) is None
    assert sess.run(a).tolist() == [1.0, 2.0]
