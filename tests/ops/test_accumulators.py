"""Accumulators of gradients: what they give, when, and what they refuse, as in TensorFlow."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import regraft.v1
from regraft.base.errors import CancelledError
from tests.oracle import available, tensorflow


def _tried(function: Any) -> Any:
    """The result as a list, or what kind of error."""
    try:
        return np.asarray(function()).tolist()
    except Exception as e:  # noqa: BLE001  both libraries' errors
        return type(e).__name__


def _dense(tf: Any, reduction: str) -> list[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        grad, step = tf.placeholder(tf.float32), tf.placeholder(tf.int64, [])
        a = tf.ConditionalAccumulator(tf.float32, [None], shared_name="a", reduction_type=reduction)
        apply, count, move = a.apply_grad(grad, step), a.num_accumulated(), a.set_global_step(step)
        takes = {n: a.take_grad(n) for n in (0, 1, 3)}
        seen = []
        for value, at in (([1.0, 2.0], 0), ([3.0, 4.0], 0), ([5.0, 7.0], 4)):
            session.run(apply, {grad: value, step: at})
            seen.append(session.run(count).tolist())
        seen.append(_tried(lambda: session.run(apply, {grad: [1.0], step: 4})))
        seen.append(_tried(lambda: session.run(apply, {grad: [[1.0]], step: 4})))
        seen.append(session.run(takes[3]).tolist())
        session.run(apply, {grad: [9.0], step: 0})  # stale
        seen.append(session.run(count).tolist())
        session.run(apply, {grad: [9.0], step: 1})
        seen.append(session.run(takes[1]).tolist())
        session.run(move, {step: 10})
        session.run(apply, {grad: [2.0], step: 9})  # stale
        seen.append(session.run(count).tolist())
        seen.append(_tried(lambda: session.run(takes[0])))
        return seen


def _sparse(tf: Any, reduction: str) -> list[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        indices, rows = tf.placeholder(tf.int64), tf.placeholder(tf.float32)
        a = tf.SparseConditionalAccumulator(tf.float32, [5, None], shared_name="a", reduction_type=reduction)
        apply = a.apply_grad(indices, rows, [5, 2], local_step=9)
        take = a.take_indexed_slices_grad(1)
        wrong = a.apply_grad(indices, rows, [4, 2], local_step=9)
        seen = []
        for at, values in (([0, 3], [[1.0, 2.0], [3.0, 4.0]]), ([1, 3], [[5.0, 6.0], [7.0, 8.0]]), ([3], [[1.0, 1.0]])):
            session.run(apply, {indices: at, rows: values})
        seen.append(_tried(lambda: session.run(wrong, {indices: [0], rows: [[1.0, 2.0]]})))
        seen.append(_tried(lambda: session.run(apply, {indices: [[0]], rows: [[1.0, 2.0]]})))
        seen.append(_tried(lambda: session.run(apply, {indices: [0], rows: [[1.0]]})))
        seen.append([np.asarray(part).tolist() for part in session.run([take.indices, take.values, take.dense_shape])])
        session.run(apply, {indices: [2], rows: [[1.0, 1.0]]})
        seen.append(session.run(take.values).tolist())
        return seen


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("reduction", ["MEAN", "SUM"])
@pytest.mark.parametrize("program", [_dense, _sparse])
def test_same_averages(program, reduction):
    assert program(regraft.v1, reduction) == program(tensorflow(), reduction)


def test_who_takes_waits():
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as session:
        a = tf.ConditionalAccumulator(tf.float32, [], shared_name="a")
        apply, take, count = a.apply_grad(2.0), a.take_grad(2), a.num_accumulated()
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(session.run(take)))
        session.run(apply)
        thread.start()
        thread.join(0.05)
        assert not found
        session.run(apply)
        thread.join()
        assert found == [2.0]
        assert session.run(count) == 0


def test_who_waits_is_woken_when_the_session_closes():
    tf = regraft.v1
    with tf.Graph().as_default():
        session = tf.Session()
        a = tf.ConditionalAccumulator(tf.float32, [], shared_name="a")
        take, count = a.take_grad(1), a.num_accumulated()
        session.run(count)
        errors: list[Exception] = []

        def wait() -> None:
            try:
                session.run(take)
            except CancelledError as e:
                errors.append(e)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.05)
        session.close()
        thread.join(5)
        assert len(errors) == 1
