"""Which checkpoints are kept, and what the state file says of them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class Run:
    """A session with one variable, and Savers that share a folder. Checkpoints go by their last name."""

    def __init__(self, tf: Any, folder: Path) -> None:
        self.tf, self.folder = tf, folder
        self.v = tf.Variable(1.0, name="v")
        self.sess = tf.Session()
        self.sess.run(self.v.initializer)

    def save(self, saver: Any, name: str, **options: Any) -> str:
        return saver.save(self.sess, str(self.folder / name), **options)

    def files(self) -> list[str]:
        """The checkpoints that are there."""
        return sorted(p.stem for p in self.folder.glob("*.index"))

    def state(self) -> tuple[str, list[str]]:
        """The newest checkpoint by the state file, and all of them."""
        state = self.tf.train.get_checkpoint_state(str(self.folder))
        every = [os.path.basename(p) for p in state.all_model_checkpoint_paths]
        return os.path.basename(state.model_checkpoint_path), every


def last(saver: Any) -> list[str]:
    return [os.path.basename(p) for p in saver.last_checkpoints]


@pytest.fixture
def run(tf, tmp_path: Path) -> Run:
    return Run(tf, tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`clock(hours)` sets the time."""
    now = [1e9]
    monkeypatch.setattr("time.time", lambda: now[0])

    def put(hours: float) -> None:
        now[0] = 1e9 + hours * 3600

    return put


def test_the_window(tf, run: Run) -> None:
    saver = tf.train.Saver(max_to_keep=2)
    assert saver.last_checkpoints == []
    run.save(saver, "s1")
    assert (last(saver), run.files(), run.state()) == (["s1"], ["s1"], ("s1", ["s1"]))
    run.save(saver, "s2")
    assert (last(saver), run.files(), run.state()) == (["s1", "s2"], ["s1", "s2"], ("s2", ["s1", "s2"]))
    run.save(saver, "s3")
    assert (last(saver), run.files(), run.state()) == (["s2", "s3"], ["s2", "s3"], ("s3", ["s2", "s3"]))
    assert sorted(p.name for p in run.folder.glob("*.meta")) == ["s2.meta", "s3.meta"]
    # One that is there already is the newest again.
    run.save(saver, "s2")
    assert (last(saver), run.files(), run.state()) == (["s3", "s2"], ["s2", "s3"], ("s2", ["s3", "s2"]))
    run.save(saver, "s1")
    assert (last(saver), run.files(), run.state()) == (["s2", "s1"], ["s1", "s2"], ("s1", ["s2", "s1"]))


def test_savers_of_one_saver_def_have_windows_of_their_own(tf, run: Run) -> None:
    saver = tf.train.Saver(max_to_keep=2)
    for name in ("s1", "s2", "s3"):
        run.save(saver, name)
    second = tf.train.Saver(saver_def=saver.as_saver_def())
    second.set_last_checkpoints(saver.last_checkpoints)
    third = tf.train.Saver(saver_def=saver.as_saver_def())
    assert (last(second), last(third)) == (["s2", "s3"], [])
    run.save(saver, "s1")
    assert run.files() == ["s1", "s3"]
    run.save(second, "s2")
    assert (last(second), run.files(), run.state()) == (["s3", "s2"], ["s1", "s2", "s3"], ("s2", ["s3", "s2"]))
    # s3 leaves the second window, but checkpoints that were set without a time are kept.
    run.save(second, "s1")
    assert (last(second), run.files(), run.state()) == (["s2", "s1"], ["s1", "s2", "s3"], ("s1", ["s2", "s1"]))
    # The third does not know of any, and has restored none.
    run.save(third, "s2")
    assert (last(third), run.files(), run.state()) == (["s2"], ["s1", "s2", "s3"], ("s2", ["s2"]))
    run.save(third, "s1")
    assert (last(third), run.state()) == (["s2", "s1"], ("s1", ["s2", "s1"]))


@pytest.mark.parametrize("everything", [None, 0])
def test_keeping_everything(tf, run: Run, everything: int | None) -> None:
    saver = tf.train.Saver(max_to_keep=everything)
    for name in ("s1", "s2", "s3"):
        run.save(saver, name)
        assert (last(saver), run.state()) == ([], (name, [name]))
    assert run.files() == ["s1", "s2", "s3"]


def test_what_is_not_in_the_state_file_is_not_deleted(tf, run: Run) -> None:
    saver = tf.train.Saver(max_to_keep=1)
    for name in ("s1", "s2"):
        run.save(saver, name, write_state=False)
    assert (last(saver), run.files()) == ([], ["s1", "s2"])


def test_with_its_own_suffix_of_the_graph(tf, run: Run) -> None:
    saver = tf.train.Saver(max_to_keep=1)
    for name in ("s1", "s2"):
        run.save(saver, name, meta_graph_suffix="graph")
    assert sorted(p.name for p in run.folder.glob("*.graph")) == ["s2.graph"]


def test_one_every_so_many_hours(tf, run: Run, clock) -> None:
    """One that leaves the window is kept if it was written when the hours were over."""
    clock(0)
    saver = tf.train.Saver(max_to_keep=2, keep_checkpoint_every_n_hours=1.0)
    kept = {0.2: "s1", 0.5: "s2", 1.1: "s3", 1.3: "s4", 1.9: "s5", 2.05: "s6", 2.1: "s7", 2.2: "s8", 2.3: "s9"}
    for hours, name in kept.items():
        clock(hours)
        run.save(saver, name)
    assert last(saver) == ["s8", "s9"]
    # s3 is the first after one hour, s6 the first after two.
    assert run.files() == ["s3", "s6", "s8", "s9"]
    assert run.state() == ("s9", ["s8", "s9"])


def test_one_deletion_a_save(tf, run: Run) -> None:
    """A list that is too long is shortened step by step."""
    first = tf.train.Saver(max_to_keep=None)
    paths = [run.save(first, f"s{n}") for n in range(4)]
    saver = tf.train.Saver(max_to_keep=2)
    saver.set_last_checkpoints_with_time([(path, 0.0) for path in paths])
    run.save(saver, "s4")
    assert (last(saver), run.files()) == (["s1", "s2", "s3", "s4"], ["s1", "s2", "s3", "s4"])
    run.save(saver, "s5")
    assert (last(saver), run.files()) == (["s2", "s3", "s4", "s5"], ["s2", "s3", "s4", "s5"])


def test_lists_that_are_set(tf, run: Run) -> None:
    saver = tf.train.Saver(max_to_keep=1)
    for wrong in (("a",), None, "a"):
        with pytest.raises(AssertionError):
            saver.set_last_checkpoints(wrong)
        with pytest.raises(AssertionError):
            saver.set_last_checkpoints_with_time(wrong)
    saver.set_last_checkpoints(["a", "b"])
    assert saver.last_checkpoints == ["a", "b"]
    saver.set_last_checkpoints_with_time([("c", 1.0)])
    assert saver.last_checkpoints == ["c"]
    saver.last_checkpoints.append("d")
    assert saver.last_checkpoints == ["c"]


def test_a_deletion_that_fails_is_a_warning(rg, tmp_path: Path, caplog, monkeypatch: pytest.MonkeyPatch) -> None:
    from regraft.base.errors import PermissionDeniedError

    def refuse(*_: Any) -> None:
        raise PermissionDeniedError("keep your hands off")

    run = Run(rg, tmp_path)
    saver = rg.train.Saver(max_to_keep=1)
    run.save(saver, "s1")
    monkeypatch.setattr("regraft.saver.retention.remove_checkpoint", refuse)
    with caplog.at_level(logging.WARNING, "regraft"):
        run.save(saver, "s2")
    assert caplog.messages == ["Ignoring: keep your hands off"]
    assert (last(saver), run.files()) == (["s2"], ["s1", "s2"])


def test_one_that_somebody_deleted(tf, run: Run) -> None:
    saver = tf.train.Saver(max_to_keep=1)
    path = run.save(saver, "s1")
    tf.train.remove_checkpoint(path)
    run.save(saver, "s2")
    assert run.files() == ["s2"]


# A training that is taken up again


def test_recovering_the_list(tf, run: Run) -> None:
    first = tf.train.Saver(max_to_keep=10)
    paths = [run.save(first, name) for name in ("s1", "s2", "s3")]
    tf.train.remove_checkpoint(paths[1])
    second = tf.train.Saver(max_to_keep=2)
    second.recover_last_checkpoints(paths)
    assert last(second) == ["s1", "s3"]
    run.save(second, "s4")
    assert (last(second), run.files(), run.state()) == (["s3", "s4"], ["s3", "s4"], ("s4", ["s3", "s4"]))
    second.recover_last_checkpoints(["nowhere"])
    assert last(second) == []


def test_recovered_ones_are_as_old_as_their_files(tf, run: Run, clock) -> None:
    first = tf.train.Saver(max_to_keep=10)
    paths = [run.save(first, name) for name in ("s1", "s2")]
    clock(0)
    for path, hours in zip(paths, (-1, 2), strict=True):
        os.utime(f"{path}.index", (1e9 + hours * 3600,) * 2)
    second = tf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1.0)
    second.recover_last_checkpoints(paths)
    for hours, name in ((1.5, "s3"), (3.0, "s4"), (3.1, "s5")):
        clock(hours)
        run.save(second, name)
    # One deletion a save: s1 was too young to be kept, s2 old enough; then s3.
    assert run.files() == ["s2", "s4", "s5"]


def taken_up(tf: Any, path: str, **options: Any) -> tuple[Any, Any]:
    """A new Saver and session that go on from a checkpoint, as another process would."""
    with tf.Graph().as_default():
        tf.Variable(0.0, name="v")
        saver, sess = tf.train.Saver(**options), tf.Session()
        saver.restore(sess, path)
        return saver, sess


def test_the_state_file_keeps_what_was_there(rg, tmp_path: Path) -> None:
    """TensorFlow's forgets all but the checkpoints of the new Saver."""
    run = Run(rg, tmp_path)
    first = rg.train.Saver(max_to_keep=3)
    for step in range(1, 4):
        path = run.save(first, "m", global_step=step)
    saver, sess = taken_up(rg, path, max_to_keep=2)
    for step in range(4, 7):
        saver.save(sess, str(tmp_path / "m"), global_step=step)
    # The new window has its two, and files of the earlier training are nobody's to delete.
    assert last(saver) == ["m-5", "m-6"]
    assert run.state() == ("m-6", ["m-1", "m-2", "m-3", "m-5", "m-6"])
    assert run.files() == ["m-1", "m-2", "m-3", "m-5", "m-6"]
    rg.train.remove_checkpoint(str(tmp_path / "m-1"))
    saver.save(sess, str(tmp_path / "m"), global_step=2)
    assert run.state() == ("m-2", ["m-3", "m-6", "m-2"])
    assert rg.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "m-2")


def test_with_relative_paths_too(rg, tmp_path: Path) -> None:
    run = Run(rg, tmp_path)
    path = run.save(rg.train.Saver(save_relative_paths=True), "m", global_step=1)
    saver, sess = taken_up(rg, path, save_relative_paths=True)
    saver.save(sess, str(tmp_path / "m"), global_step=2)
    assert (tmp_path / "checkpoint").read_text() == (
        'model_checkpoint_path: "m-2"\nall_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m-2"\n'
    )


def test_the_state_file_of_another_folder_does_not(rg, tmp_path: Path) -> None:
    run = Run(rg, tmp_path / "one")
    path = run.save(rg.train.Saver(), "m", global_step=1)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "checkpoint").write_text('model_checkpoint_path: "stranger"\n')
    saver, sess = taken_up(rg, path)
    for _ in range(2):
        saver.save(sess, str(tmp_path / "two" / "m"), global_step=2)
    state = rg.train.get_checkpoint_state(str(tmp_path / "two"))
    assert [os.path.basename(p) for p in state.all_model_checkpoint_paths] == ["m-2"]


def test_nor_where_nothing_was_restored(rg, tmp_path: Path) -> None:
    run = Run(rg, tmp_path)
    run.save(rg.train.Saver(), "old")
    run.save(rg.train.Saver(), "new")
    assert run.state() == ("new", ["new"])


def test_a_state_file_that_is_none(rg, tmp_path: Path) -> None:
    run = Run(rg, tmp_path)
    path = run.save(rg.train.Saver(), "m", global_step=1)
    for content in ("", "no text format", 'all_model_checkpoint_paths: "m-1"'):
        (tmp_path / "checkpoint").write_text(content)
        saver, sess = taken_up(rg, path)
        saver.save(sess, str(tmp_path / "m"), global_step=2)
        assert run.state() == ("m-2", ["m-2"])


def test_several_state_files_of_one_folder(rg, tmp_path: Path) -> None:
    """Each is continued by itself."""
    run = Run(rg, tmp_path)
    path = run.save(rg.train.Saver(), "m", global_step=1)
    run.save(rg.train.Saver(), "best", global_step=1, latest_filename="best")
    saver, sess = taken_up(rg, path)
    saver.save(sess, str(tmp_path / "m"), global_step=2)
    assert run.state() == ("m-2", ["m-1", "m-2"])
    saver, sess = taken_up(rg, path)
    saver.save(sess, str(tmp_path / "best"), global_step=2, latest_filename="best")
    state = rg.train.get_checkpoint_state(str(tmp_path), "best")
    assert [os.path.basename(p) for p in state.all_model_checkpoint_paths] == ["best-1", "best-2"]


# Paths in the state file


def test_absolute_paths(tf, run: Run) -> None:
    saver = tf.train.Saver()
    paths = [run.save(saver, name) for name in ("s1", "s2")]
    assert (run.folder / "checkpoint").read_text() == (
        f'model_checkpoint_path: "{paths[1]}"\n'
        f'all_model_checkpoint_paths: "{paths[0]}"\nall_model_checkpoint_paths: "{paths[1]}"\n'
    )


def test_relative_paths(tf, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.folder)
    saver = tf.train.Saver()
    assert saver.save(run.sess, "train/m", global_step=1) == "train/m-1"
    assert saver.save(run.sess, os.path.join("train", "m"), global_step=2) == "train/m-2"
    assert Path("train/checkpoint").read_text() == (
        'model_checkpoint_path: "m-2"\nall_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m-2"\n'
    )
    assert tf.train.latest_checkpoint("train") == "train/m-2"
    assert saver.last_checkpoints == ["train/m-1", "train/m-2"]


def test_a_folder_that_is_moved(tf, run: Run) -> None:
    saver = tf.train.Saver(save_relative_paths=True)
    old = run.folder / "old"
    for step in (1, 2):
        saver.save(run.sess, str(old / "m"), global_step=step)
    assert (old / "checkpoint").read_text() == (
        'model_checkpoint_path: "m-2"\nall_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m-2"\n'
    )
    new = old.rename(run.folder / "new")
    assert tf.train.latest_checkpoint(str(new)) == str(new / "m-2")
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.train.import_meta_graph(str(new / "m-2.meta")).restore(sess, tf.train.latest_checkpoint(str(new)))
        assert sess.run("v:0") == 1.0


def test_two_savers_and_two_state_files(tf, run: Run) -> None:
    newest, best = tf.train.Saver(max_to_keep=2), tf.train.Saver(max_to_keep=1)
    for step in range(3):
        run.save(newest, "m", global_step=step)
        run.save(best, "best", global_step=step, latest_filename="best_checkpoint")
    assert run.files() == ["best-2", "m-1", "m-2"]
    assert run.state() == ("m-2", ["m-1", "m-2"])
    assert tf.train.latest_checkpoint(str(run.folder), "best_checkpoint") == str(run.folder / "best-2")
