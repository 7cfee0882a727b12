"""The Supervisor: what it prepares, writes and stops, against TensorFlow's."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available, tensorflow

pytestmark = [
    pytest.mark.skipif(not available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]


def _model(tf: Any) -> Any:
    w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(w * 2.0, name="loss")
    tf.summary.scalar("loss", loss)
    return tf.train.GradientDescentOptimizer(0.25).minimize(loss, tf.train.get_or_create_global_step())


def _wait_for(condition: Any) -> None:
    deadline = time.time() + 20
    while not condition() and time.time() < deadline:
        time.sleep(0.01)


def _services(tf: Any, folder: str) -> Any:
    """The standard services save and write summaries at once; a later Supervisor goes on from there."""
    train = _model(tf)
    supervisor = tf.train.Supervisor(logdir=folder, save_summaries_secs=600, save_model_secs=600)
    with supervisor.managed_session() as session:
        _wait_for(lambda: os.path.exists(os.path.join(folder, "checkpoint")))
        session.run(train)
        supervisor.summary_computed(session, session.run(supervisor.summary_op))
        supervisor.saver.save(session, supervisor.save_path, global_step=supervisor.global_step)
        finalized = session.graph.finalized
    return finalized, supervisor.should_stop(), sorted(f for f in os.listdir(folder) if "tfevents" not in f)


def _restored(tf: Any, folder: str) -> Any:
    _model(tf)
    supervisor = tf.train.Supervisor(logdir=folder, summary_op=None, save_model_secs=0)
    session = supervisor.PrepareSession("", start_standard_services=False)
    values = session.run(["w:0", supervisor.global_step])
    supervisor.Stop()
    return [np.asarray(v).tolist() for v in values]


def _in_a_graph(tf: Any, function: Any, *args: Any) -> Any:
    with tf.Graph().as_default():
        return function(tf, *args)


@pytest.mark.parametrize("first", ["regraft", "tensorflow"])
def test_standard_services_and_going_on(tmp_path, first):
    libraries = [regraft.v1, tensorflow()]
    if first == "tensorflow":
        libraries.reverse()
    one, other = (str(tmp_path / name) for name in ("one", "other"))
    assert _in_a_graph(libraries[0], _services, one) == _in_a_graph(libraries[1], _services, other)
    assert _in_a_graph(libraries[1], _restored, one) == [[0.5, 0.5], 1]


def _stopped_by_error(tf: Any) -> Any:
    """The error of a block goes through; what a coordinator takes for an end does not."""
    said = []
    tf.get_variable("w", [2])
    supervisor = tf.train.Supervisor()
    try:
        with supervisor.managed_session():
            raise ValueError("wrong")
    except ValueError as e:
        said.append(str(e))
    with supervisor.managed_session():
        raise tf.errors.OutOfRangeError(None, None, "the end")
    said.append(supervisor.should_stop())
    return said


def _loop(tf: Any) -> Any:
    """Functions called in a loop, until one asks to stop."""
    tf.get_variable("w", [2])
    supervisor = tf.train.Supervisor()
    calls = []
    with supervisor.managed_session():

        def count(most: int) -> None:
            calls.append(len(calls))
            if len(calls) == most:
                supervisor.request_stop()

        supervisor.loop(0.001, count, args=(3,))
        supervisor.wait_for_stop()
    return calls


def _initialization(tf: Any) -> Any:
    given = tf.placeholder(tf.float32, [])
    v = tf.Variable(given, name="v")
    called = []
    supervisor = tf.train.Supervisor(init_feed_dict={given: 3.0}, init_fn=lambda session: called.append(session.run(v)))
    with supervisor.managed_session() as session:
        called.append(session.run(v))
    return [float(c) for c in called]


def _refusals(tf: Any) -> Any:
    said = []
    _model(tf)
    for action in (
        lambda: tf.train.Supervisor(is_chief=False),
        lambda: tf.train.Supervisor(init_op=None, saver=None).prepare_or_wait_for_session(),
        lambda: tf.train.Supervisor().summary_computed(None, b""),
    ):
        try:
            action()
        except (ValueError, RuntimeError) as e:
            said.append((type(e).__name__, str(e)[:45]))
    return said


@pytest.mark.parametrize("program", [_stopped_by_error, _loop, _initialization, _refusals])
def test_same_outcome(program):
    wanted = _in_a_graph(tensorflow(), program)
    assert wanted
    assert _in_a_graph(regraft.v1, program) == wanted
