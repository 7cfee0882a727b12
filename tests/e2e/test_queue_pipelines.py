"""Pipelines of queues, readers and queue runners: imported, trained to the end of their epochs, and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as rg
from tests import oracle
from tests.golden.read import GOLDEN, expected
from tests.models import pipeline
from tests.models.fixtures import WrittenModel

NEEDS_TENSORFLOW = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")
SHUFFLED = pipeline.PipelineConfig(shuffle=True)
IDS = sorted(list(range(SHUFFLED.files * SHUFFLED.rows)) * SHUFFLED.epochs)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [t for t in set(threading.enumerate()) - before if t.name.startswith("QueueRunner")]
    assert left == []


def run_to_the_end(tf: Any, sess: Any, fetches: Any) -> list[Any]:
    """What each run gives, until the pipeline says that this was all."""
    coordinator = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess, coordinator)
    found = []
    try:
        while not coordinator.should_stop():
            found.append(sess.run(fetches))
    except tf.errors.OutOfRangeError:
        coordinator.request_stop()
    coordinator.join(threads, stop_grace_period_secs=20)
    assert threads and not any(t.is_alive() for t in threads)
    return found


def named(tf: Any) -> list[Any]:
    return [tf.get_collection(key)[0] for key in ("loss", "ids", "train_op")]


def initialize(tf: Any, sess: Any) -> None:
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])


@NEEDS_TENSORFLOW
def test_what_tensorflow_wrote_trains_as_there(
    written_model: Callable[..., WrittenModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = written_model(pipeline.NAME)
    monkeypatch.chdir(model.folder)
    reference = model.reference
    with rg.Graph().as_default():
        saver = rg.train.import_meta_graph(model.meta)
        with rg.Session() as sess:
            saver.restore(sess, model.prefix)
            sess.run(rg.local_variables_initializer())
            found = run_to_the_end(rg, sess, named(rg))
            after = {v.name: sess.run(v) for v in rg.trainable_variables()}
    np.testing.assert_allclose([loss for loss, _, _ in found], reference[f"train:{model.loss}"], rtol=1e-4)
    np.testing.assert_array_equal(np.concatenate([ids for _, ids, _ in found]), reference["ids"])
    for name, value in after.items():
        np.testing.assert_allclose(value, reference[f"var_after:{name}"], rtol=1e-3, atol=1e-5)


def exported(tf: Any, folder: Path) -> str:
    """A shuffling trainer's graph as a file, and its data beside it."""
    pipeline.write_data(SHUFFLED, folder)
    with tf.Graph().as_default():
        tf.set_random_seed(11)
        pipeline.build(tf, SHUFFLED, "momentum")
        path = str(folder / "model.meta")
        tf.train.export_meta_graph(path)
    return path


def trained(tf: Any, path: str) -> list[Any]:
    with tf.Graph().as_default():
        tf.train.import_meta_graph(path)
        with tf.Session() as sess:
            initialize(tf, sess)
            return run_to_the_end(tf, sess, named(tf))


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("ways", ["from TensorFlow", "to TensorFlow"])
def test_a_shuffled_pipeline_goes_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ways: str) -> None:
    monkeypatch.chdir(tmp_path)
    theirs = oracle.tensorflow()
    writer, reader = (theirs, rg) if ways == "from TensorFlow" else (rg, theirs)
    found = trained(reader, exported(writer, tmp_path))
    assert sorted(np.concatenate([ids for _, ids, _ in found]).tolist()) == IDS
    assert all(np.isfinite(loss) for loss, _, _ in found)


def test_golden_queue_runners() -> None:
    with rg.Graph().as_default():
        saver = rg.train.import_meta_graph(str(GOLDEN / "queue_runners/model.meta"))
        wanted = expected("queue_runners")["out"]
        with rg.Session() as sess:
            saver.restore(sess, str(GOLDEN / "queue_runners/model"))
            sess.run(rg.local_variables_initializer())
            found = run_to_the_end(rg, sess, list(wanted))
    for name, values in zip(wanted, zip(*found, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(values), wanted[name])


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A session with a pipeline that never ends, and the batch that it gives."""
    monkeypatch.chdir(tmp_path)
    pipeline.write_data(SHUFFLED, tmp_path)
    with rg.Graph().as_default():
        names = rg.train.string_input_producer(pipeline.file_names(SHUFFLED))
        _, line = rg.TextLineReader().read(names)
        batch = rg.train.shuffle_batch([line], 4, capacity=12, min_after_dequeue=4, num_threads=3)
        with rg.Session() as sess:
            yield sess, batch


def test_a_stop_ends_threads_that_wait_for_room(endless: tuple[Any, Any]) -> None:
    sess, batch = endless
    coordinator = rg.train.Coordinator()
    threads = rg.train.start_queue_runners(sess, coordinator)
    assert len(threads) == 6  # one for the names, three for the lines, and for each queue one that closes it
    assert len(sess.run(batch)) == 4
    coordinator.request_stop()
    coordinator.join(threads, stop_grace_period_secs=20)
    with pytest.raises(rg.errors.OutOfRangeError, match="is closed and has insufficient elements"):
        list(iter(lambda: sess.run(batch).tolist(), []))


def test_the_end_of_the_session_ends_threads_that_wait_for_room(endless: tuple[Any, Any]) -> None:
    sess, batch = endless
    coordinator = rg.train.Coordinator()
    threads = rg.train.start_queue_runners(sess, coordinator)
    sess.run(batch)
    sess.close()
    with pytest.raises((rg.errors.CancelledError, RuntimeError)):
        coordinator.join(threads, stop_grace_period_secs=20)
    assert not any(t.is_alive() for t in threads)


def test_threads_without_a_coordinator_end_with_the_session(endless: tuple[Any, Any]) -> None:
    sess, batch = endless
    (runner, _) = rg.get_collection(rg.GraphKeys.QUEUE_RUNNERS)
    threads = rg.train.start_queue_runners(sess, start=False)
    assert rg.train.start_queue_runners(sess) == []  # they are there already
    heard: list[Any] = []
    hook, threading.excepthook = threading.excepthook, heard.append
    try:
        for thread in threads:
            thread.start()
        sess.run(batch)
        sess.close()
        for thread in threads:
            thread.join(20)
    finally:
        threading.excepthook = hook
    assert len(heard) == len(threads) == 4
    assert isinstance(runner.exceptions_raised[0], (rg.errors.CancelledError, RuntimeError))


def test_an_error_in_a_thread_reaches_the_trainer(tmp_path: Path) -> None:
    with rg.Graph().as_default():
        names = rg.train.string_input_producer([str(tmp_path / "nowhere.csv")])
        _, line = rg.TextLineReader().read(names)
        batch = rg.train.batch([line], 4)
        with rg.Session() as sess:
            coordinator = rg.train.Coordinator()
            threads = rg.train.start_queue_runners(sess, coordinator)
            with pytest.raises(rg.errors.OutOfRangeError, match="is closed and has insufficient elements"):
                sess.run(batch)
            with pytest.raises(rg.errors.NotFoundError, match="(?s)nowhere.csv; No such file or directory.*feed"):
                coordinator.join(threads)


@pytest.mark.parametrize("of_session", [False, True])
def test_a_run_waits_no_longer_than_it_may(of_session: bool) -> None:
    with rg.Graph().as_default():
        queue = rg.FIFOQueue(2, rg.int32)
        taken, put = queue.dequeue(), queue.enqueue(7)
        config = rg.ConfigProto(operation_timeout_in_ms=20) if of_session else None
        options = None if of_session else rg.RunOptions(timeout_in_ms=20)
        with rg.Session(config=config) as sess:
            with pytest.raises(rg.errors.DeadlineExceededError, match="Timed out waiting for notification"):
                sess.run(taken, options=options)
            sess.run(put)
            assert sess.run(taken) == 7
