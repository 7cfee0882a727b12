"""Waking other threads later than it is asked for, and runs in which somebody waits for those that were not woken."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf
from regraft.opkit.registry import lookup
from regraft.opkit.waiting import Attempt
from regraft.opkit.waking import putting_off, wake, wake_now
from regraft.ops.dataset_streams import _Ahead
from regraft.runtime.plan import Node
from regraft.runtime.program import Program
from regraft.runtime.waiting import Tasks, Underway
from regraft.session import Session

PATIENCE = 30.0


class Calls:
    def __init__(self) -> None:
        self.made: list[int] = []

    def wake(self, number: int) -> None:
        wake(lambda: self.made.append(number))


def test_at_once_outside_of_runs() -> None:
    calls = Calls()
    calls.wake(1)
    assert calls.made == [1]


def test_later_within_them_and_in_order() -> None:
    calls = Calls()
    with putting_off():
        calls.wake(1)
        calls.wake(2)
        assert calls.made == []
        wake_now()
        assert calls.made == [1, 2]
        calls.wake(3)
        with putting_off():
            calls.wake(4)
        assert calls.made == [1, 2]
    assert calls.made == [1, 2, 3, 4]


def test_when_the_run_fails() -> None:
    calls = Calls()

    def run() -> None:
        with putting_off():
            calls.wake(1)
            raise RuntimeError("the run")

    with pytest.raises(RuntimeError, match="the run"):
        run()
    assert calls.made == [1]
    calls.wake(2)
    assert calls.made == [1, 2]


def test_other_threads_do_not_wait() -> None:
    calls = Calls()
    with putting_off():
        thread = threading.Thread(target=calls.wake, args=(1,))
        thread.start()
        thread.join()
        assert calls.made == [1]


def test_who_was_served_in_time_does_not_time_out() -> None:
    """Even if the one who served it has not got round to waking it."""
    attempt = Attempt(lambda attempt, error: attempt.fail(error))

    def task() -> Any:
        return (yield attempt)

    with tf.Graph().as_default():
        op = tf.FIFOQueue(1, tf.int64, [()]).dequeue().op
    spec = lookup(op.type)
    assert spec is not None
    underway = Underway(Node(op, spec, None, (), ()), task())
    assert not underway.advance()
    waited: list[bool] = []

    def wait() -> None:
        Tasks().wait([underway], time.monotonic() + 0.5)
        waited.append(underway.advance())

    thread = threading.Thread(target=wait)
    thread.start()
    with putting_off():
        time.sleep(0.1)
        attempt.succeed((5,))
        thread.join()
    assert waited == [True]
    assert underway.results == (5,)


def _after(tensor: Any, function: Any) -> Any:
    """A value that Python gives once there is a value of the tensor."""
    return tf.py_func(function, [tensor], tf.int64, stateful=True)


def test_a_function_may_wait_for_elements_to_be_made() -> None:
    begun = [threading.Event() for _ in range(9)]

    def numbers() -> Any:
        for number, event in enumerate(begun):
            event.set()
            yield number

    def seen(number: Any) -> Any:
        assert begun[number + 2].wait(PATIENCE)
        return number

    with tf.Graph().as_default(), tf.Session() as session:
        element = tf.data.Dataset.from_generator(numbers, tf.int64).prefetch(1).make_one_shot_iterator().get_next()
        assert session.run(element) == 0
        assert begun[2].wait(PATIENCE)  # 1 is ready, 2 waits for room
        assert [session.run(_after(element, seen)) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_two_elements_in_one_run() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        iterator = tf.data.Dataset.range(10).prefetch(1).make_one_shot_iterator()
        pair = [iterator.get_next() for _ in range(3)]
        assert sorted(session.run(pair)) == [0, 1, 2]
        assert sorted(session.run(pair)) == [3, 4, 5]


def test_a_function_may_wait_for_a_queue_to_be_filled() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        queue = tf.FIFOQueue(1, tf.int64, [()])
        put, size = queue.enqueue(tf.constant(7, tf.int64)), queue.size()
        filled = threading.Event()

        def fill() -> None:
            session.run(put)
            session.run(put)
            filled.set()

        def seen(number: Any) -> Any:
            assert filled.wait(PATIENCE)
            return np.int64(number + 1)

        thread = threading.Thread(target=fill)
        thread.start()
        assert session.run(_after(queue.dequeue(), seen)) == 8
        thread.join()
        assert session.run(size) == 1


def test_nobody_is_woken_before_the_program_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def noted(owner: Any, name: str, what: str) -> None:
        original = getattr(owner, name)

        def call(*args: Any) -> Any:
            happened.append(what)
            return original(*args)

        monkeypatch.setattr(owner, name, call)

    noted(_Ahead, "_wake", "woken")
    noted(Program, "_show", "begins")
    with tf.Graph().as_default() as graph:
        session = Session(graph, tier="compile")
        element = tf.data.Dataset.range(1000).prefetch(1).make_one_shot_iterator().get_next()
        x = tf.cast(element, tf.float32) * tf.ones([30])
        assert [session.run(x)[0] for _ in range(50)] == list(range(50))
        session.close()
    assert happened == ["woken", "begins"] + ["begins", "woken"] * 49  # the first run compiles
