"""Coordinator, LooperThread, QueueRunner by themselves."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import regraft.v1 as tf
from regraft.base import errors
from regraft.proto import QueueRunnerDef
from regraft.train.coordinator import Coordinator, LooperThread
from regraft.train.queue_runner import QueueRunner


def test_threads_stop_when_one_asks_for_it() -> None:
    coord = Coordinator()
    threads = [threading.Thread(target=coord.wait_for_stop) for _ in range(2)]
    coord.register_thread(threads[0])
    for thread in threads:
        thread.start()
    assert not coord.should_stop() and not coord.wait_for_stop(0)
    coord.request_stop()
    coord.join(threads[1:])
    assert coord.should_stop() and coord.joined
    assert not any(t.is_alive() for t in threads)
    coord.clear_stop()
    assert not coord.should_stop() and not coord.joined


def test_the_first_error_is_the_reason() -> None:
    coord = Coordinator()
    coord.request_stop(ValueError("first"))
    coord.request_stop(ValueError("second"))
    with pytest.raises(ValueError, match="first"):
        coord.raise_requested_exception()
    with pytest.raises(ValueError, match="first"):
        coord.join()
    with pytest.raises(KeyError, match="late"):
        coord.request_stop(KeyError("late"))


@pytest.mark.parametrize("clean", [None, [StopIteration]])
def test_the_end_of_the_input_is_no_error(clean: Any) -> None:
    coord = Coordinator(clean)
    with coord.stop_on_exception():
        raise errors.OutOfRangeError("all read") if clean is None else StopIteration
    assert coord.should_stop()
    coord.join()


def test_an_exception_in_a_block_is_the_reason() -> None:
    coord = Coordinator()
    with coord.stop_on_exception():
        raise ValueError("inside")
    with pytest.raises(ValueError, match="inside"):
        coord.join()


def test_threads_that_go_on_are_named() -> None:
    coord, end = Coordinator(), threading.Event()
    thread = threading.Thread(target=end.wait, name="stubborn")
    thread.start()
    coord.request_stop()
    try:
        coord.join([thread], stop_grace_period_secs=0.01, ignore_live_threads=True)
        with pytest.raises(RuntimeError, match="threads still running: stubborn"):
            coord.join([thread], stop_grace_period_secs=0.01)
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize("interval", [None, 0.001])
def test_a_looper_calls_until_the_stop(interval: float | None) -> None:
    coord, calls = Coordinator(), []

    def call(value: int, by: int = 1) -> None:
        calls.append(value + by)
        if len(calls) == 3:
            coord.request_stop()

    thread = LooperThread.loop(coord, interval, call, args=(4,), kwargs={"by": 2})
    coord.join()
    assert calls == [6, 6, 6] and not thread.is_alive() and thread.daemon


def test_a_looper_needs_a_coordinator_and_a_function_for_its_arguments() -> None:
    with pytest.raises(ValueError, match="must be a Coordinator"):
        LooperThread(3, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="also pass 'target'"):
        LooperThread(Coordinator(), None, args=(1,))


def test_a_runner_as_a_message() -> None:
    with tf.Graph().as_default(), tf.name_scope("s"):
        queue = tf.FIFOQueue(3, tf.int32)
        closed = (errors.OutOfRangeError, errors.CancelledError)
        runner = QueueRunner(queue, [queue.enqueue(1)] * 2, queue_closed_exception_types=closed)
        message = runner.to_proto(export_scope="s")
        assert message == QueueRunnerDef(
            queue_name="fifo_queue",
            enqueue_op_name=["fifo_queue_enqueue"] * 2,
            close_op_name="fifo_queue_Close",
            cancel_op_name="fifo_queue_Close_1",
            queue_closed_exception_types=[errors.OUT_OF_RANGE, errors.CANCELLED],
        )
        again = QueueRunner.from_proto(message, import_scope="s")
        assert (again.name, again.close_op) == ("s/fifo_queue", runner.close_op)
        assert again.queue_closed_exception_types == closed
        assert runner.to_proto(export_scope="elsewhere") is None
        old = QueueRunnerDef.FromString(message.SerializeToString())
        old.ClearField("queue_closed_exception_types")
        assert QueueRunner.from_proto(old, "s").queue_closed_exception_types == (errors.OutOfRangeError,)


def test_a_runner_needs_a_queue_or_a_message() -> None:
    with tf.Graph().as_default():
        queue = tf.FIFOQueue(3, tf.int32)
        enqueue = queue.enqueue(1)
        with pytest.raises(ValueError, match="Must provide queue and enqueue_ops"):
            QueueRunner(queue)
        with pytest.raises(ValueError, match="mutually exclusive"):
            QueueRunner(queue, [enqueue], queue_runner_def=QueueRunnerDef(queue_name="q"))
        with pytest.raises(TypeError, match="must be a tuple of tf.error types"):
            QueueRunner(queue, [enqueue], queue_closed_exception_types=(ValueError,))  # type: ignore[arg-type]
