"""Summaries as TensorFlow before 1.0 spelled them: the nodes that its files have, and what they give."""

from __future__ import annotations

import numpy as np

import regraft.v1 as tf


def test_nodes_and_collections():
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [2], name="x")
        tf.scalar_summary(["a", "b"], x)
        tf.scalar_summary("c", 1.0, collections=["mine"], name="c_op")
        tf.histogram_summary("h", x)
        tf.image_summary("i", tf.zeros([1, 2, 2, 1]), max_images=1)
        tf.contrib.deprecated.audio_summary("s", tf.zeros([1, 4]), 100.0)
        merged = tf.merge_all_summaries()
        assert [op.type for op in graph.get_operations() if "Summary" in op.type] == [
            "ScalarSummary",
            "ScalarSummary",
            "HistogramSummary",
            "ImageSummary",
            "AudioSummaryV2",
            "MergeSummary",
        ]
        names = [t.op.name for t in tf.get_collection(tf.GraphKeys.SUMMARIES)]
        assert names == ["ScalarSummary", "HistogramSummary", "ImageSummary", "AudioSummary"]
        assert [op.name for op in graph.get_operations() if op.name.startswith("ScalarSummary")] == [
            "ScalarSummary/tags",
            "ScalarSummary",
        ]
        assert tf.get_collection("mine")[0].op.name == "c_op"
        assert merged.op.name == "MergeSummary/MergeSummary"
        with tf.Session() as session:
            values = tf.Summary.FromString(session.run(merged, {x: np.float32([1.5, 2.5])})).value
    assert [value.tag for value in values] == ["a", "b", "h", "i/image", "s/audio/0"]
    assert [value.simple_value for value in values[:2]] == [1.5, 2.5]


def test_nothing_to_merge():
    with tf.Graph().as_default():
        assert tf.merge_all_summaries() is None
        assert tf.merge_all_summaries("mine") is None


def test_writer_by_its_old_name(tmp_path):
    with tf.Graph().as_default() as graph, tf.train.SummaryWriter(str(tmp_path), graph_def=graph.as_graph_def()):
        pass
    (path,) = tmp_path.iterdir()
    assert [e.WhichOneof("what") for e in tf.train.summary_iterator(str(path))] == [
        "file_version",
        "graph_def",
        "meta_graph_def",
    ]
