"""Queue runners, whose runs are done several at a time: what comes out of the queues is what it is one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.wire.tfrecord import frame
from tests import oracle

RECORDS = 150


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    before = set(threading.enumerate())
    with tf.Graph().as_default():
        yield
    assert [t for t in set(threading.enumerate()) - before if t.name.startswith("QueueRunner")] == []


def _taken(fetch: Any, wanted: int | None = None, begin: Callable[[Any], None] | None = None) -> list[Any]:
    """What comes out of the pipeline: all of it, or the first `wanted`; an error of its threads is raised."""
    found: list[Any] = []
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        if begin is not None:
            begin(session)
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        try:
            while wanted is None or len(found) < wanted:
                found.append(session.run(fetch))
        except (tf.errors.OutOfRangeError, tf.errors.CancelledError):
            pass
        coordinator.request_stop()
        try:
            coordinator.join(threads, stop_grace_period_secs=20)
        except tf.errors.OpError as e:
            found.append(type(e).__name__)
    return found


def _records(path: Path, files: int = 1) -> Any:
    """A reader of files with records of two bytes, which count up: a record."""
    rows = np.arange(RECORDS, dtype="<u2").reshape(files, -1)
    paths = [str(path / f"{i}.bin") for i in range(files)]
    for name, row in zip(paths, rows, strict=True):
        row.tofile(name)
    return tf.FixedLengthRecordReader(2).read(tf.train.string_input_producer(paths, num_epochs=1, shuffle=False))[1]


@pytest.mark.parametrize("capacity", [8, 40, 500])
def test_records_come_in_order_to_the_last(tmp_path: Path, capacity: int) -> None:
    record = _records(tmp_path, files=3)
    number = tf.cast(tf.decode_raw(record, tf.uint16)[0], tf.int32) * 2
    batch = tf.train.batch([number, record], 8, capacity=capacity, allow_smaller_final_batch=True)
    found = _taken(batch)
    assert np.concatenate([numbers for numbers, _ in found]).tolist() == list(range(0, 2 * RECORDS, 2))
    assert b"".join(r for _, records in found for r in records) == np.arange(RECORDS, dtype="<u2").tobytes()


def test_threads_share_the_records(tmp_path: Path) -> None:
    record = _records(tmp_path, files=3)
    number = tf.decode_raw(record, tf.uint16)[0]
    found = _taken(tf.train.batch([number], 6, num_threads=3, capacity=50))
    assert sorted(np.concatenate(found).tolist()) == list(range(RECORDS))


def test_shuffled_records_are_all_there(tmp_path: Path) -> None:
    record = _records(tmp_path)
    found = _taken(tf.train.shuffle_batch([tf.decode_raw(record, tf.uint16)[0]], 10, 60, 30, seed=3))
    numbers = np.concatenate(found).tolist()
    assert sorted(numbers) == list(range(RECORDS)) != numbers


def test_an_element_that_fails_ends_what_came_before_it() -> None:
    words = [b"ab", b"cd"] * 40 + [b"e"] + [b"fg"] * 20
    word = tf.train.string_input_producer(words, num_epochs=1, shuffle=False, capacity=200).dequeue()
    found = _taken(tf.train.batch([tf.decode_raw(word, tf.int16)], 1, capacity=200, shapes=[[1]]))
    assert found[-1] == "InvalidArgumentError"
    assert [value.tobytes() for value in found[:-1]] == words[:80]


def test_records_before_a_damaged_one_are_read(tmp_path: Path) -> None:
    records = [b"%d" % i for i in range(30)]
    path = tmp_path / "some.records"
    path.write_bytes(b"".join(map(frame, records)) + frame(b"last")[:-1])
    names = tf.train.string_input_producer([str(path)], num_epochs=1)
    found = _taken(tf.train.batch([tf.TFRecordReader().read(names)[1]], 1, capacity=100))
    assert found[-1] == "DataLossError"
    assert [value[0] for value in found[:-1]] == records


def test_elements_that_differ_in_shape() -> None:
    words = [b"abcde"[: i % 5 + 1] for i in range(40)]
    word = tf.train.string_input_producer(words, num_epochs=1, shuffle=False, capacity=100).dequeue()
    numbers = tf.reshape(tf.decode_raw(word, tf.uint8), [-1])
    found = _taken(tf.train.batch([numbers], 10, dynamic_pad=True, capacity=40))
    assert [row.tobytes().rstrip(b"\0") for batch in found for row in batch] == words


@pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")
def test_random_numbers_are_drawn_in_order() -> None:
    theirs = oracle.tensorflow()
    with theirs.Graph().as_default():
        drawn = theirs.random_uniform([2], seed=5)
        with theirs.Session() as session:
            wanted = [session.run(drawn) for _ in range(70)]
    queue = tf.FIFOQueue(100, [tf.float32], [[2]])
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue([tf.random_uniform([2], seed=5)])]))
    np.testing.assert_array_equal(_taken(queue.dequeue(), 70), wanted)


def test_a_queue_that_fills_itself() -> None:
    queue = tf.FIFOQueue(10, [tf.int32], [[]])
    fill = queue.enqueue_many([[0, 100, 200, 300]])
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue([queue.dequeue() + 1])]))
    found = _taken(queue.dequeue(), 3, lambda session: session.run(fill))
    assert len(found) == 3


def test_one_call_puts_in_what_there_is_room_for() -> None:
    source, sink = tf.FIFOQueue(100, [tf.int32], [[]]), tf.FIFOQueue(20, [tf.int32], [[]])
    fill, move = source.enqueue_many([list(range(50))]), sink.enqueue([source.dequeue() * 2])
    sizes = [source.size(), sink.size()]
    with tf.Session() as session:
        session.run(fill)
        again = session.make_repeated(move)
        again()
        assert session.run(sizes) == [48, 2]
        again()
        assert session.run(sizes) == [30, 20]
        assert session.run(sink.dequeue_many(20)).tolist() == list(range(0, 40, 2))


def test_one_call_takes_what_is_there_and_leaves_the_rest_to_the_next() -> None:
    source, sink = tf.FIFOQueue(100, [tf.int32], [[]]), tf.FIFOQueue(50, [tf.int32], [[]])
    fill, move = source.enqueue_many([[1, 2, 3]]), sink.enqueue([source.dequeue()])
    with tf.Session() as session:
        session.run(fill)
        again = session.make_repeated(move)
        again()
        again()
        waiting = threading.Thread(target=again)
        waiting.start()
        time.sleep(0.05)
        assert waiting.is_alive() and session.run(sink.size()) == 3
        session.run(fill)
        waiting.join(10)
        assert not waiting.is_alive() and session.run(sink.dequeue_many(4)).tolist() == [1, 2, 3, 1]
