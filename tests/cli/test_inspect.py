"""`regraft inspect`: what it says of files that can run, in part, or not at all."""

from __future__ import annotations

import pytest

import regraft.ops  # noqa: F401  importing it registers every op
import regraft.v1 as tf
from regraft.cli.inspect import show
from regraft.metagraph import read_meta_graph_file
from regraft.model.summary import summarize
from regraft.serde.graph import graph_from_proto

MISSING = "RiscAbs"


@pytest.fixture
def path(tmp_path):
    with tf.Graph().as_default():
        yield str(tmp_path / "model.meta")


def summary(path):
    tf.train.export_meta_graph(path)
    meta = read_meta_graph_file(path)
    return summarize(meta, graph_from_proto(meta.graph_def))


def said(path, capsys):
    tf.train.export_meta_graph(path)
    show(path, 20)
    return " ".join(capsys.readouterr().out.split())


def model():
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    w = tf.get_variable("w", [2, 1])
    return tf.matmul(x, w, name="logits")


def test_all_can_run(path, capsys):
    loss = tf.reduce_mean(model(), name="loss")
    tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    found = summary(path)
    assert [t.name for t in found.inputs] == ["x:0"]
    assert [t.name for t in found.outputs] == ["loss:0"]
    assert found.train_ops == ("GradientDescent",)
    assert not found.missing
    text = said(path, capsys)
    assert "inference can run: nothing stands in the way of 1 output" in text
    assert "training can run: nothing stands in the way of 1 train op" in text


def test_no_train_op(path, capsys):
    model()
    text = said(path, capsys)
    assert "inference can run" in text
    assert "training: every op has a kernel, but no train op is in the file" in text


def test_an_op_without_kernel_blocks_what_needs_it(path, capsys):
    logits = model()
    getattr(tf.raw_ops, MISSING)(x=logits, name="size")
    tf.nn.sigmoid(logits, name="probability")
    found = summary(path)
    assert [(m.op, m.nodes, m.blocks) for m in found.missing] == [(MISSING, ("size",), ("size:0",))]
    text = said(path, capsys)
    assert f"op {MISSING} has no kernel" in text
    assert "it blocks size:0" in text
    assert "inference can run in part: 1 of 2 outputs free, 1 blocked" in text


def test_nothing_is_free(path, capsys):
    loss = tf.reduce_sum(getattr(tf.raw_ops, MISSING)(x=model()))
    train = tf.group(loss, tf.assign_add(tf.get_variable("step", []), loss), name="train")
    tf.add_to_collection("train_op", train)
    text = said(path, capsys)
    assert "training cannot run as the file stands: 1 train op blocked" in text


def test_an_op_in_the_function_of_a_dataset_blocks_what_the_iterator_feeds(path):
    data = tf.data.Dataset.range(3).map(lambda i: getattr(tf.raw_ops, MISSING)(x=tf.cast(i, tf.float32)))
    iterator = tf.data.make_initializable_iterator(data)
    tf.square(iterator.get_next(), name="squared")
    found = summary(path)
    assert [m.op for m in found.missing] == [MISSING]
    assert "squared:0" in found.missing[0].blocks


def test_a_python_function_is_asked_for(path, capsys):
    tf.py_func(lambda x: x, [model()], tf.float32, name="ask")
    found = summary(path)
    assert [(m.op, m.python) for m in found.missing] == [("PyFunc", True)]
    assert "op PyFunc needs the Python function that it called (regraft.bind_py_func)" in said(path, capsys)
