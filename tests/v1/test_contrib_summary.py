"""tf.contrib.summary: its graphs are those of what became of it in TensorFlow, and so are its event files."""

from __future__ import annotations

import glob
import importlib
import os
from typing import Any

import numpy as np
import pytest

import regraft.v1
from regraft.base.errors import NotFoundError
from regraft.checkpoint.records import read_records
from regraft.proto import Event, GraphDef
from tests.oracle import available, tensorflow
from tests.v1.both import build_ours, build_tensorflow, differences

pytestmark = [
    pytest.mark.skipif(not available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]


def _module(tf: Any) -> Any:
    """tf.contrib.summary, or the module that it was."""
    if tf is regraft.v1:
        return tf.contrib.summary
    return importlib.import_module("tensorflow.python.ops.summary_ops_v2")


def _all_summary_ops(tf: Any) -> Any:
    return tf.contrib.summary.all_summary_ops() if tf is regraft.v1 else tf.summary.all_v2_summary_ops()


def _every_kind(tf: Any, folder: str = "/nowhere") -> Any:
    summary = _module(tf)
    writer = summary.create_file_writer(folder, flush_millis=10000)
    x = tf.placeholder_with_default(np.float32([[0.0, 0.5, -0.5, 1.0]]), [1, 4], name="x")
    with writer.as_default(), summary.always_record_summaries():
        with tf.name_scope("inside"):
            summary.scalar("loss", tf.reduce_mean(x), step=1)
        summary.histogram("h", x, family="fam", step=2)
        summary.generic("g", tf.constant([1, 2]), step=3)
        summary.image("im", tf.reshape(x, [1, 2, 2, 1]), step=4, max_images=1)
        summary.audio("au", x, 100.0, 1, step=5)
        summary.import_event(tf.constant(tf.Event(step=77).SerializeToString()))
        summary.flush()
    return writer


def _every_second_step(tf: Any, folder: str = "/nowhere") -> Any:
    summary = _module(tf)
    step = tf.train.get_or_create_global_step()
    writer = summary.create_file_writer(folder, max_queue=1, flush_millis=1000, filename_suffix=".x", name="mine")
    with writer.as_default(), summary.record_summaries_every_n_global_steps(2):
        summary.scalar("loss", tf.cast(step, tf.float32))
    writer.close()
    return writer


def _nothing_recorded(tf: Any) -> None:
    summary = _module(tf)
    summary.scalar("no_writer", 1.0, step=1)
    with summary.create_file_writer(None).as_default():
        summary.scalar("nowhere", 1.0, step=1)
    with summary.create_file_writer("/nowhere").as_default():
        summary.scalar("by_default", 1.0, step=1)
        with summary.never_record_summaries():
            summary.scalar("never", 1.0, step=1)


@pytest.mark.parametrize("program", [_every_kind, _every_second_step, _nothing_recorded])
def test_same_graph(program):
    assert not differences(build_ours(regraft.v1, program), build_tensorflow(program))


def _said(folder: str) -> list[Any]:
    """The events in a folder's only file in order of steps, times and the images' compression apart."""
    (path,) = glob.glob(os.path.join(folder, "*"))
    assert path.endswith((".v2", ".x"))
    found = []
    for record in list(read_records(path))[1:]:
        event = Event.FromString(record)
        for value in event.summary.value:
            if value.HasField("image"):
                value.image.encoded_image_string = b""
        names = [n.name for n in GraphDef.FromString(event.graph_def).node]
        found.append((event.step, event.WhichOneof("what") or "", str(event.summary), names))
    return sorted(found)


def _log(tf: Any, folder: str) -> list[Any]:
    with tf.Graph().as_default() as graph:
        writer = _every_kind(tf, folder)
        with tf.Session() as session, writer.as_default():
            (tf.contrib.summary if tf is regraft.v1 else tf.summary).initialize(graph=graph)
            session.run(_all_summary_ops(tf))
            session.run(writer.close())
    return _said(folder)


def test_same_events(tmp_path):
    ours, theirs = _log(regraft.v1, str(tmp_path / "ours")), _log(tensorflow(), str(tmp_path / "theirs"))
    assert [(*event[:3], bool(event[3])) for event in ours] == [(*event[:3], bool(event[3])) for event in theirs]
    assert len(ours) == 6


def test_condition_is_asked_in_each_run(tmp_path):
    tf = regraft.v1
    with tf.Graph().as_default():
        writer = _every_second_step(tf, str(tmp_path / "x"))
        count = tf.assign_add(tf.train.get_global_step(), 1)
        with tf.Session() as session:
            session.run([tf.global_variables_initializer(), writer.init()])
            for _ in range(4):
                session.run(_all_summary_ops(tf))
                session.run(count)
            session.run(writer.flush())
            assert [event[0] for event in _said(str(tmp_path / "x"))] == [0, 2]


def test_writer_must_be_initialized(tmp_path):
    tf = regraft.v1
    with tf.Graph().as_default(), tf.Session() as session:
        writer = tf.contrib.summary.create_file_writer(str(tmp_path / "x"))
        with pytest.raises(RuntimeError, match="No default"):
            tf.contrib.summary.initialize(session=session)
        with pytest.raises(NotFoundError, match="does not exist"):
            session.run(writer.flush())
        assert not os.path.exists(tmp_path / "x")
