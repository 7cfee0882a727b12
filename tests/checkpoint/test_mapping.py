"""Tensors of a checkpoint as maps of its data file."""

from __future__ import annotations

import gc
import os
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.base.errors import DataLossError
from regraft.checkpoint import mapping, open_checkpoint, write_checkpoint
from regraft.checkpoint.arrays import Array

LARGE = np.arange(700_000, dtype=np.float32).reshape(700, 1000)
SMALL = np.arange(12, dtype=np.int64)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "c", {"large": LARGE, "larger": LARGE + 1, "small": SMALL})
    with data_file(tmp_path / "c").open("rb") as file:
        if mapping.private_map(file.fileno(), 0, 1) is None:
            pytest.skip("this system, or the filesystem of temporary files, has no maps that can be copied in time")
    return tmp_path / "c"


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    yield
    gc.collect()
    mapping.copy_now()


def data_file(prefix: Path) -> Path:
    return prefix.with_name(prefix.name + ".data-00000-of-00001")


def restored(prefix: Path, *names: str) -> dict[str, Array]:
    with open_checkpoint(prefix) as reader:
        return reader.get_tensors(names or None, mapped=True)


def maps(prefix: Path) -> int:
    """How many maps of the data file the process has; neighbours may count as one."""
    return Path("/proc/self/maps").read_text().count(str(data_file(prefix)))


def test_values(prefix: Path) -> None:
    found = restored(prefix)
    np.testing.assert_array_equal(found["large"], LARGE)
    np.testing.assert_array_equal(found["larger"], LARGE + 1)
    np.testing.assert_array_equal(found["small"], SMALL)
    assert maps(prefix)


def test_small_tensors_are_read(prefix: Path) -> None:
    np.testing.assert_array_equal(restored(prefix, "small")["small"], SMALL)
    assert not maps(prefix)


def test_only_restoring_maps(prefix: Path) -> None:
    with open_checkpoint(prefix) as reader:
        found = reader.get_tensors()
        found["large"] = reader.get_tensor("large")
    np.testing.assert_array_equal(found["large"], LARGE)
    assert not maps(prefix)


def test_nobody_writes_to_a_map(prefix: Path) -> None:
    found = restored(prefix)["large"]
    assert not found.flags.writeable
    with tf.Graph().as_default():
        variable = tf.get_variable("large", LARGE.shape)
        saver = tf.train.Saver([variable])
        with tf.Session() as sess:
            saver.restore(sess, str(prefix))
            fetched = sess.run(variable)
            fetched += 1
            np.testing.assert_array_equal(sess.run(variable), LARGE)


def test_the_map_ends_with_the_array(prefix: Path) -> None:
    found = restored(prefix)
    part = found["large"][3]
    del found
    assert maps(prefix)
    np.testing.assert_array_equal(part, LARGE[3])
    del part
    assert not maps(prefix)


def test_no_file_stays_open(prefix: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    found = restored(prefix)
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(found) == 3


def test_the_file_may_be_overwritten_once_copied(prefix: Path) -> None:
    found = restored(prefix)
    mapping.copy_now()
    with data_file(prefix).open("r+b") as file:
        file.write(b"\xff" * 4096)
        file.truncate(4096)
    np.testing.assert_array_equal(found["large"], LARGE)
    np.testing.assert_array_equal(found["larger"], LARGE + 1)


def test_maps_are_copied_without_being_asked(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copying = mapping._Copying()
    monkeypatch.setattr(mapping, "_FIRST_WAIT", 0.0)
    monkeypatch.setattr(mapping, "_copying", copying)
    found = restored(prefix)
    limit = time.monotonic() + 60
    while copying._thread is not None and time.monotonic() < limit:
        time.sleep(0.01)
    data_file(prefix).write_bytes(b"")
    np.testing.assert_array_equal(found["large"], LARGE)
    np.testing.assert_array_equal(found["larger"], LARGE + 1)


def test_arrays_that_are_gone_are_not_copied(prefix: Path) -> None:
    del restored(prefix)["large"]
    data_file(prefix).write_bytes(b"")
    mapping.copy_now()


def test_a_damaged_byte(prefix: Path) -> None:
    with data_file(prefix).open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff")
    with pytest.raises(DataLossError, match="Checksum does not match") as caught:
        restored(prefix, "large")
    assert "'large', 2,800,000 bytes at offset 0" in str(caught.value)
    assert str(data_file(prefix)) in str(caught.value)


def test_a_file_that_shrinks_after_it_was_opened(prefix: Path) -> None:
    with open_checkpoint(prefix) as reader:
        reader.get_tensor("small")
        os.truncate(data_file(prefix), 100_000)
        with pytest.raises(DataLossError, match="ends after 100,000 bytes"):
            reader.get_tensors(["large"], mapped=True)


def test_nothing_gets_at_a_map_while_it_is_given_back(prefix: Path) -> None:
    reached: list[object] = []
    libc = mapping._libc()

    def munmap(address: int, size: int) -> int:
        reached.append(reference())
        return int(libc.munmap(address, size))

    calls = SimpleNamespace(mmap=libc.mmap, munmap=munmap)
    with data_file(prefix).open("rb") as file:
        found = mapping._Map(calls, mapping.PAGESIZE, mapping._PROT_READ, mapping._MAP_PRIVATE, file.fileno(), 0)
    reference = weakref.ref(found)
    del found
    assert reached == [None]


def test_numbers_that_lie_askew_are_read(tmp_path: Path, prefix: Path) -> None:
    write_checkpoint(tmp_path / "askew", {"a": np.zeros(3, np.int8), "b": LARGE})
    found = restored(tmp_path / "askew", "b")["b"]
    assert found.flags.aligned
    np.testing.assert_array_equal(found, LARGE)
    assert not maps(tmp_path / "askew")


def test_the_environment_turns_maps_off(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGRAFT_MAP_CHECKPOINTS", "0")
    mapping._libc.cache_clear()
    try:
        found = restored(prefix)
        np.testing.assert_array_equal(found["large"], LARGE)
        assert not maps(prefix)
    finally:
        mapping._libc.cache_clear()


def test_other_filesystems_are_left_alone() -> None:
    with open("/proc/self/maps", "rb") as file:
        assert mapping.private_map(file.fileno(), 0, 1) is None


def test_a_session_saves_over_what_it_restored(prefix: Path) -> None:
    with tf.Graph().as_default():
        variable = tf.get_variable("large", LARGE.shape)
        more = tf.assign_add(variable, tf.ones(LARGE.shape))
        saver = tf.train.Saver([variable])
        with tf.Session() as sess:
            saver.restore(sess, str(prefix))
            assert maps(prefix)
            saver.save(sess, str(prefix), write_meta_graph=False)
            np.testing.assert_array_equal(sess.run(variable), LARGE)
            sess.run(more)
            saver.save(sess, str(prefix), write_meta_graph=False)
            saver.restore(sess, str(prefix))
            np.testing.assert_array_equal(sess.run(variable), LARGE + 1)
