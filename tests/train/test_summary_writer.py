"""Event files: what is in them, when it gets there, and TensorFlow's and TensorBoard's readers."""

from __future__ import annotations

import glob
import os
import re
import socket
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import regraft.v1
from regraft import proto
from regraft.base.errors import OpError
from regraft.checkpoint.records import read_records
from regraft.ir.graph import Graph
from regraft.train.summary_writer import EventFileWriter, FileWriter, FileWriterCache
from tests.oracle import available, tensorflow

NEEDS_TENSORFLOW = pytest.mark.skipif(not available(), reason="TensorFlow is not installed")


def _paths(folder: Any) -> list[str]:
    return sorted(glob.glob(os.path.join(str(folder), "*tfevents*")))


def _events(folder: Any) -> list[Any]:
    return [proto.Event.FromString(record) for path in _paths(folder) for record in read_records(path)]


def _scalar(tag: str, value: float) -> Any:
    return proto.Summary(value=[proto.Summary.Value(tag=tag, simple_value=value)])


def test_file_is_made_with_the_first_event(tmp_path):
    writer = FileWriter(tmp_path / "new" / "folder")
    assert os.listdir(tmp_path / "new" / "folder") == []
    writer.add_summary(_scalar("a", 1.5), 3)
    writer.flush()
    (path,) = _paths(tmp_path / "new" / "folder")
    assert re.fullmatch(r"events\.out\.tfevents\.\d{10}\." + re.escape(socket.gethostname()), os.path.basename(path))
    first, second = _events(tmp_path / "new" / "folder")
    assert first.file_version == "brain.Event:2"
    assert (second.step, second.summary.value[0].tag, second.summary.value[0].simple_value) == (3, "a", 1.5)
    writer.close()


def test_suffix(tmp_path):
    with FileWriter(tmp_path, filename_suffix=".train"):
        (path,) = _paths(tmp_path)
        assert path.endswith(".train")


def test_closed_writer_drops_events_with_a_warning_until_it_is_reopened(tmp_path):
    writer = FileWriter(tmp_path)
    writer.add_summary(_scalar("a", 1.0), 1)
    writer.close()
    with pytest.warns(UserWarning, match="closed FileWriter"):
        writer.add_summary(_scalar("b", 2.0), 2)
    writer.reopen()
    writer.add_summary(_scalar("c", 3.0), 3)
    writer.close()
    assert len(_paths(tmp_path)) == 2
    assert sorted(v.tag for e in _events(tmp_path) for v in e.summary.value) == ["a", "c"]


def test_metadata_are_written_once_a_tag(tmp_path):
    summary = _scalar("a", 1.0)
    summary.value[0].metadata.display_name = "shown"
    with FileWriter(tmp_path) as writer:
        for _ in range(2):
            writer.add_summary(summary.SerializeToString())
    _, one, other = _events(tmp_path)
    assert one.summary.value[0].metadata.display_name == "shown"
    assert not other.summary.value[0].HasField("metadata")


def test_graph_comes_with_shapes_and_as_a_meta_graph(tmp_path):
    tf = regraft.v1
    graph = Graph()
    with graph.as_default():
        tf.placeholder(tf.float32, [None, 3], name="x")
        with FileWriter(tmp_path, graph) as writer:
            writer.add_graph(graph_def=graph.as_graph_def())
            with pytest.raises(ValueError, match="not both"):
                writer.add_graph(graph, graph_def=graph.as_graph_def())
            with pytest.raises(TypeError, match="instance of `Graph`"):
                writer.add_graph("graph")
            with pytest.raises(TypeError, match="meta_graph_def"):
                writer.add_meta_graph(graph.as_graph_def())
    _, shown, meta, bare = _events(tmp_path)
    assert "_output_shapes" in proto.GraphDef.FromString(shown.graph_def).node[0].attr
    assert proto.MetaGraphDef.FromString(meta.meta_graph_def).graph_def.node[0].name == "x"
    assert "_output_shapes" not in proto.GraphDef.FromString(bare.graph_def).node[0].attr


def test_run_metadata_under_a_tag_of_its_own(tmp_path):
    with FileWriter(tmp_path) as writer:
        writer.add_run_metadata(proto.RunMetadata(), "first", 5)
        with pytest.raises(ValueError, match="already used"):
            writer.add_run_metadata(proto.RunMetadata(), "first", 6)
    assert [(e.step, e.tagged_run_metadata.tag) for e in _events(tmp_path)[1:]] == [(5, "first")]


def test_many_threads_write(tmp_path):
    writer = FileWriter(tmp_path, max_queue=2)
    threads = [
        threading.Thread(target=lambda i=i: [writer.add_summary(_scalar(f"t{i}", n), n) for n in range(50)])
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    seen: dict[str, list[int]] = {}
    for event in _events(tmp_path)[1:]:
        seen.setdefault(event.summary.value[0].tag, []).append(event.step)
    assert seen == {f"t{i}": list(range(50)) for i in range(4)}


def test_failure_to_write_is_raised_where_the_program_waits(tmp_path):
    folder = tmp_path / "gone"
    writer = EventFileWriter(folder)
    os.rmdir(folder)
    writer.add_event(proto.Event(step=1))
    with pytest.raises(OpError, match="gone"):
        writer.flush()
    writer.add_event(proto.Event(step=2))  # closed: dropped


def test_program_that_ends_without_closing_keeps_its_events(tmp_path):
    code = (
        "import sys, regraft.v1 as tf\n"
        "w = tf.summary.FileWriter(sys.argv[1], flush_secs=600)\n"
        "for i in range(3): w.add_summary(tf.Summary(value=[tf.Summary.Value(tag='a', simple_value=i)]), i)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert [e.step for e in _events(tmp_path)[1:]] == [0, 1, 2]


def test_writer_of_a_folder_is_shared(tmp_path):
    with Graph().as_default():
        writer = FileWriterCache.get(str(tmp_path))
        assert FileWriterCache.get(str(tmp_path)) is writer
        FileWriterCache.clear()
        assert FileWriterCache.get(str(tmp_path)) is not writer
        FileWriterCache.clear()


def _log(tf: Any, folder: str) -> None:
    """A program that writes every kind of event."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [2, 4], name="x")
        tf.summary.scalar("loss", tf.reduce_mean(x))
        tf.summary.histogram("weights", x)
        tf.summary.image("pictures", tf.reshape(x, [2, 2, 2, 1]))
        tf.summary.text("words", tf.constant(["a", "b"]))
        merged = tf.summary.merge_all()
        with tf.Session() as session, tf.summary.FileWriter(folder, graph) as writer:
            for step in (1, 2):
                value = np.arange(8, dtype=np.float32).reshape(2, 4) * step
                writer.add_summary(session.run(merged, {x: value}), step)
            writer.add_session_log(tf.SessionLog(status=tf.SessionLog.STOP), 3)


def _said(tf: Any, folder: str) -> list[Any]:
    """What `tf` reads in the only event file of a folder: times, versions and the images' compression apart."""
    found = []
    (path,) = _paths(folder)
    for event in tf.train.summary_iterator(path):
        values = []
        for value in event.summary.value:
            if value.HasField("image"):
                value.image.encoded_image_string = b""
            values.append(str(value))
        graph = [n.name for n in tf.GraphDef.FromString(event.graph_def).node]
        found.append((event.WhichOneof("what"), event.step, values, graph, event.session_log.status))
    return found


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_event_files_go_both_ways(tmp_path):
    ours, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    _log(regraft.v1, ours)
    _log(tensorflow(), theirs)
    wanted = _said(tensorflow(), theirs)
    assert len(wanted) == 6
    assert _said(tensorflow(), ours) == wanted
    assert _said(regraft.v1, theirs) == wanted
    assert _said(regraft.v1, ours) == wanted


@NEEDS_TENSORFLOW
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_tensorboard_reads_it(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    _log(regraft.v1, str(tmp_path))
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    tags = events.Tags()
    assert [e.value for e in events.Scalars("loss")] == [3.5, 7.0]
    assert tags["histograms"] == ["weights"]
    assert tags["images"] == ["pictures/image/0", "pictures/image/1"]
    assert tags["graph"]
    assert tags["meta_graph"]
    assert events.SummaryMetadata("words").plugin_data.plugin_name == "text"
