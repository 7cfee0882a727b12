"""What is known of shapes before anything runs: for every tensor of these programs, what TensorFlow knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.ir.graph import Graph
from regraft.metagraph.import_graph import import_graph_def
from tests import oracle
from tests.models.catalogue import MODELS

pytestmark = pytest.mark.skipif(not oracle.available(), reason="TensorFlow, the oracle, is not installed")

# x is [?, 3, ?, 5], y of unknown rank, s is the shape of x, q an unknown scalar, t is [2, 3], u its shape.
PROGRAMS: dict[str, Callable[..., Any]] = {
    "elements": lambda tf, x, y, s, q, t, u: [tf.fill([s[0], s[1] * 2, s[-3], s[-1]], 1.0)],
    "element of a slice": lambda tf, x, y, s, q, t, u: [tf.fill([s[1:][0], s[1:3][1]], 1.0)],
    "computed index": lambda tf, x, y, s, q, t, u: [tf.fill([tf.slice(s, [tf.rank(x) - 3], [1])[0]], 1.0)],
    "index from constants": lambda tf, x, y, s, q, t, u: [tf.fill([s[tf.constant(2) - 1]], 1.0)],
    "ranges": lambda tf, x, y, s, q, t, u: [
        tf.reshape(y, part) for part in (s[1:], s[:-1], s[::2], s[-3:-1], s[1:-1:2], s[5:], s[0:0], s[tf.constant(1) :])
    ],
    "arithmetic": lambda tf, x, y, s, q, t, u: [
        tf.reshape(y, s * [1, 2, 1, 1]),
        tf.fill(s[1:2] * 2, 1.0),
        tf.fill(s[:2] + tf.constant([0, 1]), 1.0),
        tf.reshape(y, [tf.maximum(s[1], 1), s[0] // 2, s[1] // 2]),
        tf.fill(tf.add_n([s, s]), 1.0),
    ],
    "cast": lambda tf, x, y, s, q, t, u: [
        tf.reshape(y, tf.cast(s, tf.int64)),
        tf.fill([tf.cast(s, tf.int64)[1]], 1.0),
        tf.fill(tf.cast([q, 2], tf.int64), 1.0),
    ],
    "concat": lambda tf, x, y, s, q, t, u: [
        tf.reshape(y, tf.concat([s[:1], [6]], 0)),
        tf.fill(tf.concat([[2], tf.concat([s[:1], [4]], 0)], 0), 1.0),
        tf.fill(tf.concat([s[:q], [4]], 0), 1.0),
        tf.fill([tf.concat([s, [7]], 0)[1]], 1.0),
    ],
    "pack": lambda tf, x, y, s, q, t, u: [
        tf.fill(tf.stack([q, 3, s[1], s[0]]), 1.0),
        tf.fill(tf.stack([q, 3, s[1], s[0]])[1:3], 1.0),
        tf.fill([tf.stack([q, 3])[1]], 1.0),
        tf.fill(tf.expand_dims(q, 0), 1.0),
    ],
    "unpack": lambda tf, x, y, s, q, t, u: [
        tf.fill(tf.unstack(s)[:2], 1.0),
        tf.fill(tf.unstack(tf.cast(s, tf.int64))[:2], 1.0),
        tf.fill(tf.split(s, 4)[1], 1.0),
    ],
    "shape_n": lambda tf, x, y, s, q, t, u: [
        tf.reshape(y, tf.shape_n([x, y])[0]),
        tf.fill([tf.shape_n([x, y])[0][1]], 1.0),
    ],
    "passed on": lambda tf, x, y, s, q, t, u: [
        tf.reshape(y, f(v)) for f in (tf.identity, tf.stop_gradient) for v in (s, u)
    ],
    "placeholders": lambda tf, x, y, s, q, t, u: (
        [tf.fill(tf.placeholder(tf.int32, shape), 1.0) for shape in ([3], [None], None)]
        + [tf.fill(tf.placeholder_with_default(np.int32([2, 3]), shape), 1.0) for shape in ([2], [None])]
    ),
    "folded": lambda tf, x, y, s, q, t, u: [
        tf.fill(dims, 1.0)
        for dims in (
            tf.gather(u, [1, 0]),
            tf.reverse(u, [0]),
            tf.unique(u)[0],
            tf.boolean_mask(u, [True, False]),
            tf.dynamic_stitch([[0], [1]], [[5], u[1:]]),
            tf.pad(u, [[0, 1]], constant_values=4),
            tf.cast(tf.cast(u, tf.float32) * 1.5, tf.int32),
            tf.broadcast_dynamic_shape(u, tf.constant([1])),
            tf.guarantee_const(u),
            tf.random_uniform([2], 0, 3, tf.int32),
        )
    ],
    "sizes and ranks": lambda tf, x, y, s, q, t, u: [
        tf.fill([tf.size(t) // 2, tf.size(x), tf.rank(x)], 1.0),
        tf.range(tf.rank(x)),
        tf.range(s[1]),
        tf.range(s[0]),
    ],
    "ops that read values": lambda tf, x, y, s, q, t, u: [
        tf.tile(x, [1, 2, s[1], s[0]]),
        tf.one_hot(tf.zeros([2], tf.int32), s[1]),
        tf.broadcast_to(tf.zeros([]), s),
        tf.slice(x, [0, 0, 0, 0], tf.stack([s[0], 2, -1, s[3]])),
        tf.slice(x, [0, 1, 0, s[1]], [-1, 1, -1, -1]),
        x[:, : s[1] - 1],
        x[:, :, : s[2]],
        tf.split(x, tf.stack([1, s[1] - 1]), axis=1),
        tf.expand_dims(x, s[1] - 1),
        tf.concat([x, x], s[1] - 2),
        tf.transpose(x, tf.range(tf.rank(x))),
        tf.reduce_sum(x, tf.range(1, tf.rank(x))),
        tf.linspace(0.0, 1.0, s[1]),
        tf.eye(s[1]),
    ],
    "reshape": lambda tf, x, y, s, q, t, u: [
        tf.reshape(a, shape)
        for a, shape in (
            (x, [-1]),
            (x, [5, -1]),
            (t, [3, -1]),
            (x, [-1, 0]),
            (t, tf.stack([q, 2])),
            (t, tf.stack([q, -1])),
            (x, tf.stack([s[0], -1])),
            (y, tf.constant(-1, shape=[1])),
        )
    ],
    "gradients": lambda tf, x, y, s, q, t, u: tf.gradients(
        tf.reduce_mean(tf.square(tf.reshape(x, tf.concat([s[:2], [s[2] * s[3]]], 0)))), [x]
    ),
}


def check(graph_def: Any) -> None:
    """Import the graph into both, and compare the shape of every tensor."""
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as theirs:
        tf.import_graph_def(graph_def, name="")
    ours = Graph()
    import_graph_def(ours, graph_def, name="")
    differ = {}
    for op in theirs.get_operations():
        for mine, reference in zip(ours.get_operation_by_name(op.name).outputs, op.outputs, strict=True):
            wanted = None if reference.shape.rank is None else tuple(reference.shape.as_list())
            if mine.shape.sizes != wanted:
                differ[reference.name] = (mine.shape.sizes, wanted)
    assert differ == {}


@pytest.mark.parametrize("name", PROGRAMS)
def test_shapes_of_a_program(name: str) -> None:
    def program(tf: Any) -> None:
        x = tf.placeholder(tf.float32, [None, 3, None, 5], name="x")
        y = tf.placeholder(tf.float32, None, name="y")
        t = tf.placeholder(tf.float32, [2, 3], name="t")
        PROGRAMS[name](tf, x, y, tf.shape(x), tf.placeholder(tf.int32, [], name="q"), t, tf.shape(t))

    check(oracle.graph_def(program))


@pytest.mark.parametrize("model", ["mlp", "cnn", "transformer", "resnet50_slim"])
def test_shapes_of_a_model(model: str) -> None:
    check(oracle.graph_def(lambda tf: MODELS[model](tf, "adam")))
