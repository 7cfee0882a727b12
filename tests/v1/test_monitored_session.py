"""Monitored sessions and hooks: the same program keeps the same journal, and writes the same files, in both."""

from __future__ import annotations

import glob
import os
from typing import Any

import numpy as np
import pytest

import regraft.v1
from regraft.checkpoint.records import read_records
from regraft.proto import Event
from regraft.train.summary_writer import FileWriterCache
from tests.oracle import available, tensorflow

NEEDS_TENSORFLOW = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")


@pytest.fixture(autouse=True)
def _writers():
    """Writers are kept by folder for the whole process."""
    yield
    FileWriterCache.clear()
    if available():
        tensorflow().summary.FileWriterCache.clear()


def _model(tf: Any) -> tuple[Any, Any]:
    x = tf.placeholder_with_default(np.float32([[1.0, 2.0]]), [None, 2], name="x")
    w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(tf.matmul(x, w), name="loss")
    tf.summary.scalar("loss", loss)
    step = tf.train.get_or_create_global_step()
    return tf.train.GradientDescentOptimizer(0.5).minimize(loss, global_step=step), loss


def _recorder(tf: Any, journal: list[Any], name: str) -> Any:
    class Recorder(tf.train.SessionRunHook):
        def begin(self):
            journal.append((name, "begin", tf.get_default_graph().finalized))

        def after_create_session(self, session, coord):
            journal.append((name, "after_create_session", session.run("global_step:0").item(), coord.should_stop()))

        def before_run(self, run_context):
            journal.append((name, "before_run", [str(f.name) for f in run_context.original_args.fetches]))
            return tf.train.SessionRunArgs({"loss": "loss:0", "list": ["x:0"]})

        def after_run(self, run_context, run_values):
            journal.append(
                (name, "after_run", float(run_values.results["loss"]), run_values.results["list"][0].tolist())
            )

        def end(self, session):
            journal.append((name, "end", session.run("global_step:0").item()))

    return Recorder()


def _listener(tf: Any, journal: list[Any]) -> Any:
    class Listener(tf.train.CheckpointSaverListener):
        def begin(self):
            journal.append("listener begins")

        def before_save(self, session, global_step_value):
            journal.append(("before_save", int(global_step_value)))

        def after_save(self, session, global_step_value):
            journal.append(("after_save", int(global_step_value)))

        def end(self, session, global_step_value):
            journal.append(("listener ends", int(global_step_value)))

    return Listener()


def _train(tf: Any, folder: str, steps: int) -> list[Any]:
    """Train for some steps with all that saves; returns what hooks saw."""
    journal: list[Any] = []
    with tf.Graph().as_default():
        train, loss = _model(tf)
        hooks = [
            _recorder(tf, journal, "first"),
            tf.train.StopAtStepHook(num_steps=steps),
            tf.train.CheckpointSaverHook(folder, save_steps=2, listeners=[_listener(tf, journal)]),
            _recorder(tf, journal, "second"),
        ]
        with tf.train.MonitoredTrainingSession(
            checkpoint_dir=folder,
            hooks=hooks,
            chief_only_hooks=[_recorder(tf, journal, "chief")],
            save_checkpoint_steps=3,
            save_summaries_steps=2,
            log_step_count_steps=2,
        ) as session:
            journal.append(("graph finalized", session.graph.finalized))
            while not session.should_stop():
                journal.append(("run", float(session.run([train, loss])[1])))
        journal.append(("graph finalized", tf.get_default_graph().finalized))
    return journal


def _events(folder: str) -> list[Any]:
    """What the event files of a folder say, times, versions and graphs themselves apart."""
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "events.out.tfevents.*"))):
        for record in read_records(path):
            event = Event.FromString(record)
            kind = event.WhichOneof("what")
            said: Any = None
            if kind == "summary":
                said = [(v.tag, v.simple_value if "/sec" not in v.tag else None) for v in event.summary.value]
            elif kind == "session_log":
                said = (event.session_log.status, os.path.basename(event.session_log.checkpoint_path))
            found.append((kind, event.step, said))
    return found


def _files(folder: str) -> list[str]:
    return sorted(name for name in os.listdir(folder) if "tfevents" not in name)


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_training_writes_what_tensorflow_writes(tmp_path):
    ours, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    wanted = _train(tensorflow(), theirs, 5)
    assert _train(regraft.v1, ours, 5) == wanted
    assert _files(ours) == _files(theirs)
    FileWriterCache.clear()
    tensorflow().summary.FileWriterCache.clear()
    assert _events(ours) == _events(theirs)


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("first", ["regraft", "tensorflow"])
def test_training_goes_on_where_the_other_stopped(tmp_path, first):
    libraries = [regraft.v1, tensorflow()]
    if first == "tensorflow":
        libraries.reverse()
    folder, alone = str(tmp_path / "shared"), str(tmp_path / "alone")
    for tf in libraries:
        went_on = _train(tf, folder, 2)
        FileWriterCache.clear()
        tensorflow().summary.FileWriterCache.clear()
    _train(libraries[0], alone, 2)
    assert went_on == _train(libraries[0], alone, 2)
    assert _files(folder) == _files(alone)


def _in_a_graph(tf: Any, function: Any) -> Any:
    with tf.Graph().as_default():
        return function(tf)


def _failing_hook_order(tf: Any) -> list[Any]:
    """What happens when a run fails: `end` is not called, and the session is closed."""
    journal: list[Any] = []
    _model(tf)
    bad = tf.debugging.check_numerics(tf.constant([np.nan]), "bad")
    session = None
    try:
        with tf.train.MonitoredSession(hooks=[_recorder(tf, journal, "hook")]) as session:
            session.run([bad])
    except tf.errors.InvalidArgumentError:
        journal.append("failed")
    journal.append(session.should_stop())
    return journal


def _end_of_input(tf: Any) -> list[Any]:
    """OutOfRangeError ends the block in peace, and `end` is called."""
    journal: list[Any] = []
    train, _ = _model(tf)
    with tf.train.MonitoredSession(hooks=[_recorder(tf, journal, "hook")]) as session:
        session.run([train])
        raise tf.errors.OutOfRangeError(None, None, "the end")
    journal.append("went on")
    return journal


def _step_function(tf: Any) -> list[Any]:
    journal: list[Any] = []
    train, loss = _model(tf)

    def step_fn(step_context):
        journal.append(float(step_context.session.run(loss)))
        step_context.run_with_hooks([train])
        if step_context.session.run("global_step:0") == 2:
            step_context.request_stop()
        return "done"

    with tf.train.MonitoredSession(hooks=[_recorder(tf, journal, "hook")]) as session:
        journal.append(session.run_step_fn(step_fn))
        journal.append(session.run_step_fn(step_fn))
    return journal


def _feeds_of_hooks(tf: Any) -> list[Any]:
    journal: list[Any] = []
    _, loss = _model(tf)
    x = tf.get_default_graph().get_tensor_by_name("x:0")
    two = tf.train.FeedFnHook(lambda: {x: [[2.0, 2.0]]})
    final = tf.train.FinalOpsHook(loss, {x: [[5.0, 5.0]]})
    with tf.train.SingularMonitoredSession(hooks=[two, final]) as session:
        journal.append(session.run(loss).tolist())
        try:
            session.run(loss, {x: [[3.0, 3.0]]})
        except RuntimeError as e:
            journal.append(str(e)[:46])
        journal.append(session.raw_session().run(loss).tolist())
    journal.append(final.final_ops_values.tolist())
    return journal


def _nan(tf: Any) -> list[Any]:
    journal: list[Any] = []
    loss = tf.constant(np.nan)
    with tf.train.MonitoredSession(hooks=[tf.train.NanTensorHook(loss, fail_on_nan_loss=False)]) as session:
        session.run(loss)
        journal.append(session.should_stop())
    try:
        with tf.train.MonitoredSession(hooks=[tf.train.NanTensorHook(loss)]) as session:
            session.run(loss)
    except tf.train.NanLossDuringTrainingError as e:
        journal.append(str(e))
    return journal


def _initialized_by_function(tf: Any) -> list[Any]:
    journal: list[Any] = []
    _model(tf)
    given = tf.placeholder(tf.float32, [])
    v = tf.Variable(given, name="v")

    def init_fn(scaffold, session):
        journal.append((scaffold.init_op is not None, session.run(v).tolist()))

    scaffold = tf.train.Scaffold(init_feed_dict={given: 7.0}, init_fn=init_fn)
    with tf.train.MonitoredSession(tf.train.ChiefSessionCreator(scaffold)) as session:
        journal.append(session.run(v).tolist())
    return journal


def _not_ready(tf: Any) -> list[Any]:
    _model(tf)
    try:
        tf.train.MonitoredSession(tf.train.ChiefSessionCreator(tf.train.Scaffold(init_op=tf.no_op())))
    except RuntimeError as e:
        return [str(e).partition("error: ")[2]]
    return []


def _lost_worker(tf: Any) -> list[Any]:
    """A session that is lost is made anew, and the run is tried again."""
    journal: list[Any] = []
    train, _ = _model(tf)

    class Losing(tf.train.SessionRunHook):
        lost = 0

        def after_create_session(self, session, coord):
            journal.append("created")

        def before_run(self, run_context):
            if self.lost < 2:
                self.lost += 1
                raise tf.errors.UnavailableError(None, None, "gone")

    with tf.train.MonitoredSession(hooks=[Losing()]) as session:
        session.run(train)
        journal.append(session.run("global_step:0").tolist())
    return journal


def _synchronous(tf: Any) -> list[Any]:
    """One worker, and the chief's queue runner that applies its gradients."""
    w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
    rows = tf.get_variable("rows", [3, 2], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(w * w) + tf.reduce_sum(tf.gather(rows, [0, 2]) * w)
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.125), 1)
    train = optimizer.minimize(loss, tf.train.get_or_create_global_step())
    journal: list[Any] = []
    hook = optimizer.make_session_run_hook(True, num_tokens=0)
    # The queue runner waits for gradients when the end comes, and nothing wakes it.
    with tf.train.MonitoredSession(hooks=[hook], stop_grace_period_secs=0.1) as session:
        for _ in range(3):
            session.run(train)
            journal.append([np.asarray(v).tolist() for v in session.run([w, rows, "global_step:0"])])
    return journal


def _queues(tf: Any) -> list[Any]:
    """Queue runners start and stop with the session; the end of the input ends the loop."""
    numbers = tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    batch = tf.train.batch([numbers], 4, allow_smaller_final_batch=True)
    journal: list[Any] = []
    with tf.train.MonitoredSession() as session:
        while not session.should_stop():
            journal.append(session.run(batch).tolist())
    return journal


PROGRAMS = [
    _synchronous,
    _queues,
    _failing_hook_order,
    _end_of_input,
    _step_function,
    _feeds_of_hooks,
    _nan,
    _initialized_by_function,
    _not_ready,
    _lost_worker,
]


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__.strip("_"))
def test_same_journal(program):
    wanted = _in_a_graph(tensorflow(), program)
    assert wanted
    assert _in_a_graph(regraft.v1, program) == wanted
