"""Hooks one by one: what they log, when they trigger, what they refuse."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

import regraft.v1
from regraft.train.summary_writer import FileWriterCache
from tests.oracle import available, tensorflow

NEEDS_TENSORFLOW = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(re.sub(r"\d+\.\d+ sec", "TIME", record.getMessage()))


def _logged(tf: Any, program: Any) -> list[str]:
    """What a program logs."""
    logger, handler = logging.getLogger("regraft" if tf is regraft.v1 else "tensorflow"), _Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with tf.Graph().as_default():
            program(tf)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return handler.lines


def _run(tf: Any, hooks: list[Any], runs: int = 4) -> None:
    train = tf.assign_add(tf.train.get_or_create_global_step(), 1, name="train")
    x = tf.placeholder_with_default([1.5, 0.00000025], [2], name="x")
    tf.identity(tf.cast(train, tf.float32) * x[0], name="y")
    with tf.train.MonitoredSession(hooks=hooks) as session:
        for _ in range(runs):
            session.run("y:0")


def _tensors_by_name(tf: Any) -> None:
    _run(tf, [tf.train.LoggingTensorHook(["y", "x:0"], every_n_iter=2)])


def _tensors_by_tag_at_the_end(tf: Any) -> None:
    _run(tf, [tf.train.LoggingTensorHook({"b": "x", "a": "x:0"}, at_end=True)])


def _formatter(tf: Any) -> None:
    hook = tf.train.LoggingTensorHook({"y": "y"}, every_n_iter=3, formatter=lambda values: f"y is {float(values['y'])}")
    _run(tf, [hook])


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("program", [_tensors_by_name, _tensors_by_tag_at_the_end, _formatter])
def test_logged_tensors(program):
    def values(lines: list[str]) -> list[str]:
        return [line for line in lines if re.match("y|x|a", line)]

    ours, theirs = values(_logged(regraft.v1, program)), values(_logged(tensorflow(), program))
    assert ours == theirs
    assert theirs


def _refused(tf: Any) -> list[Any]:
    train = tf.train
    two = tf.split(tf.zeros([2]), 2, name="two")
    hooks = [
        lambda: train.LoggingTensorHook(["x"]),
        lambda: train.LoggingTensorHook(["x"], every_n_iter=1, every_n_secs=1),
        lambda: train.LoggingTensorHook(["x"], every_n_iter=0),
        lambda: train.LoggingTensorHook(["two"], every_n_iter=1).begin(),
        lambda: train.LoggingTensorHook(["none"], every_n_iter=1).begin(),
        lambda: train.LoggingTensorHook([3], every_n_iter=1).begin(),
        lambda: train.StopAtStepHook(),
        lambda: train.StopAtStepHook(num_steps=1, last_step=2),
        lambda: train.StopAtStepHook(last_step=2).begin(),
        lambda: train.CheckpointSaverHook("/nowhere", save_secs=1, saver=1, scaffold=2),
        lambda: train.CheckpointSaverHook("/nowhere"),
        lambda: train.SummarySaverHook(save_steps=1),
        lambda: train.SummarySaverHook(save_steps=1, summary_op=two[0]).begin(),
        lambda: train.StepCounterHook(every_n_steps=1, every_n_secs=1),
        lambda: train.GlobalStepWaiterHook(1).begin(),
        lambda: train.SecondOrStepTimer(),
        lambda: train.SecondOrStepTimer(1, 1),
        lambda: train.FinalOpsHook("none").end(tf.Session()),
        lambda: train.SessionManager(ready_for_local_init_op=two[0]),
        lambda: train.Scaffold(copy_from_scaffold=3),
        lambda: train.MonitoredSession(
            train.ChiefSessionCreator(checkpoint_dir="a", checkpoint_filename_with_path="b")
        ),
    ]
    said = []
    for hook in hooks:
        try:
            hook()
        except (ValueError, RuntimeError, KeyError, TypeError) as e:
            said.append((type(e).__name__, str(e)[:30]))
        else:
            said.append("accepted")
    return said


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_refusals():
    def of(tf: Any) -> list[Any]:
        with tf.Graph().as_default():
            return _refused(tf)

    wanted = of(tensorflow())
    assert "accepted" not in wanted
    assert of(regraft.v1) == wanted


def test_timer_of_steps():
    timer = regraft.v1.train.SecondOrStepTimer(every_steps=3)
    assert timer.last_triggered_step() is None
    assert timer.should_trigger_for_step(1)
    assert timer.update_last_triggered_step(1) == (None, None)
    assert [timer.should_trigger_for_step(step) for step in (1, 2, 3, 4, 9)] == [False, False, False, True, True]
    assert timer.update_last_triggered_step(9)[1] == 8
    timer.reset()
    assert timer.should_trigger_for_step(9)


def test_timer_of_seconds(monkeypatch):
    timer, now = regraft.v1.train.SecondOrStepTimer(every_secs=2.0), [100.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    timer.update_last_triggered_step(1)
    now[0] = 101.9
    assert not timer.should_trigger_for_step(2)
    now[0] = 102.0
    assert timer.should_trigger_for_step(2)
    assert not timer.should_trigger_for_step(1)
    assert timer.update_last_triggered_step(2) == (2.0, 1)


def test_speed_is_logged_and_missing_steps_are_noticed(tmp_path):
    def program(tf: Any) -> None:
        step = tf.train.get_or_create_global_step()
        with tf.train.MonitoredSession(hooks=[tf.train.StepCounterHook(2)]) as session:
            for _ in range(4):
                session.run(tf.get_default_graph().get_tensor_by_name(step.name))

    lines = _logged(regraft.v1, program)
    assert sum("global step" in line and "increased" in line for line in lines) == 3

    def training(tf: Any) -> None:
        _run(tf, [tf.train.StepCounterHook(2)])

    assert any(re.match(r"global_step/sec: \d", line) for line in _logged(regraft.v1, training))


def test_waiting_for_a_step():
    tf = regraft.v1
    with tf.Graph().as_default():
        count = tf.assign_add(tf.train.get_or_create_global_step(), 1)
        waiting = tf.train.GlobalStepWaiterHook(2)
        with tf.train.SingularMonitoredSession(hooks=[waiting]) as session:
            for _ in range(2):
                session.raw_session().run(count)
            assert session.run(count) == 3


def test_profile_of_a_run(tmp_path):
    tf = regraft.v1
    with tf.Graph().as_default():
        train = tf.assign_add(tf.train.get_or_create_global_step(), 1)
        hook = tf.train.ProfilerHook(save_steps=2, output_dir=str(tmp_path))
        with tf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(5):
                session.run(train)
    FileWriterCache.clear()
    names = sorted(path.name for path in tmp_path.glob("timeline-*.json"))
    assert names == ["timeline-2.json", "timeline-4.json"]  # TensorFlow writes these
    events = json.loads((tmp_path / names[0]).read_text())["traceEvents"]
    assert any(event["ph"] == "X" for event in events)
