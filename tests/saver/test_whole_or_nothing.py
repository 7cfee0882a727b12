"""A save that fails or is killed: the checkpoints that were there stay whole, and the state file names one that is."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regraft.base.errors import DataLossError, OpError, ResourceExhaustedError
from regraft.checkpoint import files

SIZE = 300_000  # elements: several writes


@pytest.fixture
def model(rg, session) -> tuple[Any, Any, Any]:
    a = rg.Variable([1.0] * 4, name="a")
    big = rg.Variable(rg.zeros([SIZE]), name="big")
    return rg.train.Saver(), session(rg), rg.group(a.assign([2.0] * 4), big.assign(rg.ones([SIZE])))


def check(rg: Any, saver: Any, path: str, a: float) -> None:
    """The checkpoint is whole and holds the values that `a` stands for."""
    with rg.Session() as sess:
        saver.restore(sess, path)
        assert sess.run("a:0").tolist() == [a] * 4
        assert sess.run("big:0").tolist() == [a - 1] * SIZE


class FullDisk:
    """After so many writes, flushes and renames there is no room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.left = after
        for name in ("fsync", "replace"):
            monkeypatch.setattr(f"regraft.checkpoint.files.os.{name}", self.counted(getattr(os, name)))
        monkeypatch.setattr(files.Publication, "write", self.counted(files.Publication.write))

    def counted(self, function: Any) -> Any:
        def call(*args: Any) -> Any:
            if self.left == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.left -= 1
            return function(*args)

        return call


def failing(saver: Any, sess: Any, path: str, after: int, **options: Any) -> bool:
    """Save with a disk that is full after so many steps; whether it failed."""
    with pytest.MonkeyPatch.context() as patch:
        FullDisk(patch, after)
        try:
            saver.save(sess, path, **options)
        except (OpError, OSError):
            return True
    return False


def test_a_disk_that_is_full(rg, model, tmp_path: Path) -> None:
    saver, sess, change = model
    first = saver.save(sess, str(tmp_path / "m"), global_step=1)
    before = sorted(p.name for p in tmp_path.iterdir())
    sess.run(change)
    after = 0
    while failing(saver, sess, str(tmp_path / "m"), after, global_step=2):
        newest = rg.train.latest_checkpoint(str(tmp_path))
        check(rg, saver, first, 1.0)
        if newest != first:
            check(rg, saver, newest, 2.0)
        assert not list(tmp_path.glob("*.tempstate*"))
        if after == 0:
            assert sorted(p.name for p in tmp_path.iterdir()) == before
        after += 1
    assert after > 8
    check(rg, saver, f"{tmp_path}/m-2", 2.0)


def test_a_disk_that_is_full_while_the_same_path_is_written(rg, model, tmp_path: Path) -> None:
    saver, sess, change = model
    path = saver.save(sess, str(tmp_path / "m"))
    for after in range(4):
        sess.run(change)
        assert failing(saver, sess, path, after)
        check(rg, saver, path, 1.0)


def test_the_error_names_file_and_reason(rg, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saver, sess, _ = model

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("regraft.checkpoint.files.os.fsync", full)
    with pytest.raises(ResourceExhaustedError, match=f"{tmp_path}/m.data-00000-of-00001; No space left on device"):
        saver.save(sess, str(tmp_path / "m"))


# A process that saves, changes its variables, and saves again, killed at each step of the second save.
KILLED = f"""
import os, sys
import numpy as np
import regraft.v1 as tf
from regraft.checkpoint import files

tf.Variable([1.0] * 4, name="a")
tf.Variable(np.zeros({SIZE}, np.float32), name="big")
saver = tf.train.Saver(max_to_keep=None)
sess = tf.Session()


def put(value):
    values = {{"a/initial_value:0": [value] * 4, "big/initial_value:0": [value - 1] * {SIZE}}}
    sess.run(["a/Assign", "big/Assign"], values)


def until_killed(path, left, step):
    def counted(function):
        def call(*args):
            nonlocal left
            if left == 0:
                os._exit(9)
            left -= 1
            return function(*args)

        return call

    files.os.fsync, files.os.replace = counted(os.fsync), counted(os.replace)
    files.Publication.write = counted(files.Publication.write)
    saver.save(sess, path, global_step=step)
    os._exit(0)


step = None if sys.argv[2] == "None" else int(sys.argv[2])
after, status = 0, 9
while status == 9:
    path = f"{{sys.argv[1]}}/{{after}}/m"
    put(1.0)
    saver.save(sess, path, global_step=step)
    put(2.0)
    child = os.fork()
    if child == 0:
        until_killed(path, after, None if step is None else step + 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    after += 1
print(after - 1, status)
"""


def killed(folder: Path, step: int | None) -> int:
    """How many folders below `folder` a save that was killed has left."""
    command = [sys.executable, "-c", KILLED, str(folder), str(step)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, status = map(int, done.stdout.split())
    assert status == 0
    assert count > 8
    return count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the saving process is forked")
def test_a_killed_save(rg, model, tmp_path: Path) -> None:
    saver, *_ = model
    for after in range(killed(tmp_path, 1)):
        folder = tmp_path / str(after)
        newest = rg.train.latest_checkpoint(str(folder))
        check(rg, saver, f"{folder}/m-1", 1.0)
        if newest != f"{folder}/m-1":
            check(rg, saver, newest, 2.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the saving process is forked")
def test_a_killed_save_of_the_same_path(rg, model, tmp_path: Path) -> None:
    """Two files cannot be renamed at once: between the two, the damage is at least seen."""
    saver, *_ = model
    torn = 0
    for after in range(killed(tmp_path, None)):
        with rg.Session() as sess:
            try:
                saver.restore(sess, f"{tmp_path}/{after}/m")
            except DataLossError:
                torn += 1
            else:
                a, big = sess.run(["a:0", "big:0"])
                assert (a - 1).tolist() == big[:4].tolist()
                assert big.min() == big.max()
    assert torn <= 2
