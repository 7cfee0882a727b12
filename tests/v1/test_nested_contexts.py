"""Branches inside loops of files from before TensorFlow 1.6, whose contexts stand side by side in the collections."""

from __future__ import annotations

import regraft.v1 as tf
from regraft import proto
from tests.ops.both import describe_ours


def _build():
    x = tf.placeholder(tf.float32, [3], name="x")

    def body(i, a):
        return i + 1, tf.cond(i > 3, lambda: a * x, lambda: tf.square(a))

    _, last = tf.while_loop(lambda i, a: i < 10, body, [0, x])
    tf.identity(last, name="y")


def _with_contexts_side_by_side(meta_graph):
    """What TensorFlow 1.5 would have written."""
    loops, branches = (meta_graph.collection_def[key].bytes_list for key in ("while_context", "cond_context"))
    loop = proto.WhileContextDef.FromString(loops.value[0])
    for nested in loop.nested_contexts:
        branches.value.append(nested.cond_ctxt.SerializeToString())
    loop.ClearField("nested_contexts")
    loops.value[0] = loop.SerializeToString()
    return meta_graph


def _gradients(meta_graph):
    with tf.Graph().as_default() as graph:
        tf.train.import_meta_graph(meta_graph)
        tf.gradients(graph.get_tensor_by_name("y:0"), graph.get_tensor_by_name("x:0"))
    return {name: node for name, node in describe_ours(graph).items() if name.startswith("gradients")}


def test_gradients_go_through_them():
    with tf.Graph().as_default():
        _build()
        meta_graph = tf.train.export_meta_graph()
    wanted = _gradients(meta_graph)
    assert wanted
    assert _gradients(_with_contexts_side_by_side(meta_graph)) == wanted
