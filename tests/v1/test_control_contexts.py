"""The contexts that conditionals and loops leave in the graph: the protos that TensorFlow makes, and back."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.v1
from regraft import proto
from regraft.ir.graph import Graph
from regraft.opkit.control_context import CondContext, WhileContext
from regraft.v1 import _context
from tests.oracle import available
from tests.v1.both import build_ours, build_tensorflow
from tests.v1.control_programs import PROGRAMS

KEYS = {"cond_context": proto.CondContextDef, "while_context": proto.WhileContextDef}


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize(
    "name",
    ["conds", "conds_in_conds", "operations_in_conds", "loops", "loops_in_loops", "constants_and_controls_in_loops"],
)
def test_same_contexts(name):
    ours, theirs = build_ours(regraft.v1, PROGRAMS[name]), build_tensorflow(PROGRAMS[name])
    for key, message in KEYS.items():
        wanted = [message.FromString(c.to_proto().SerializeToString()) for c in theirs.get_collection(key)]
        assert [c.to_proto() for c in ours.get_collection(key)] == wanted
    assert {op.name for op in ours._unfetchable} == {op.name for op in theirs._unfetchable_ops}
    assert {t.name for t in ours._unfeedable} == {t.name for t in theirs._unfeedable_tensors}


@pytest.mark.parametrize("scope", [None, "there"])
def test_imported_contexts(scope):
    tf = regraft.v1
    meta = tf.train.export_meta_graph(graph=build_ours(tf, PROGRAMS["loops_in_loops"]))
    graph = Graph()
    with _context.graph_as_default(graph):
        tf.train.import_meta_graph(meta, import_scope=scope)
    prefix = f"{scope}/" if scope else ""
    (loop,) = graph.get_collection("while_context")
    assert isinstance(loop, WhileContext)
    assert loop.name == f"{prefix}while/while_context"
    inner = graph.get_operation_by_name(f"{prefix}while/while/add").control_flow_context
    assert inner.name == f"{prefix}while/while/while_context"
    assert inner.outer_context is loop
    conds = graph.get_collection("cond_context")
    assert all(isinstance(c, CondContext) for c in conds)
    assert [(c.name, c.branch) for c in conds[:2]] == [(f"{prefix}cond/cond_text", 1), (f"{prefix}cond/cond_text_1", 0)]
    assert [c.to_proto(scope) for c in conds] == [
        proto.CondContextDef.FromString(m) for m in meta.collection_def["cond_context"].bytes_list.value
    ]


def _run(build, feeds=None):
    with Graph().as_default(), regraft.v1.Session() as session:
        return session.run(build(regraft.v1), feeds)


@pytest.mark.parametrize("taken", [True, False])
def test_conditional_runs(taken):
    def build(tf):
        x = tf.placeholder(tf.float32, [3], name="x")
        z = tf.cond(tf.placeholder(tf.bool, [], name="p"), lambda: tf.square(x), lambda: x * 3.0)
        return [z, tf.gradients(z, x)[0]]

    x = np.array([1, 2, 5], np.float32)
    found = _run(build, {"x:0": x, "p:0": taken})
    np.testing.assert_allclose(found, [x * x, 2 * x] if taken else [3 * x, [3, 3, 3]])


def test_loop_runs():
    def build(tf):
        last = tf.while_loop(lambda i, a: i < 5, lambda i, a: (i + 1, a * 2), [0, tf.constant([1, 3])])
        return [*last, tf.while_loop(lambda i: True, lambda i: i + 2, [0], maximum_iterations=4)]

    i, a, limited = _run(build)
    assert (i, list(a), limited) == (5, [32, 96], 8)


def test_case_runs():
    def build(tf):
        p, q = (tf.placeholder(tf.bool, [], name=n) for n in "pq")
        return tf.case([(p, lambda: tf.constant(1)), (q, lambda: tf.constant(2))], default=lambda: tf.constant(3))

    found = [_run(build, {"p:0": p, "q:0": q}) for p, q in ((True, True), (False, True), (False, False))]
    assert found == [1, 2, 3]


def test_failed_assertion_stops_the_run():
    def build(tf):
        x = tf.placeholder(tf.float32, [2], name="x")
        with tf.control_dependencies([tf.Assert(tf.reduce_all(x > 0.0), [x])]):
            return tf.identity(x)

    assert list(_run(build, {"x:0": [1, 2]})) == [1, 2]
    with pytest.raises(regraft.v1.errors.InvalidArgumentError, match="assertion failed"):
        _run(build, {"x:0": [1, -2]})


def test_values_leave_a_loop_through_its_exits_alone():
    tf = regraft.v1
    with Graph().as_default():
        inside = []

        def body(i):
            inside.append(i * 2)
            return i + 1

        tf.while_loop(lambda i: i < 3, body, [tf.constant(0)])
        with pytest.raises(ValueError, match="is in a while loop"):
            tf.identity(inside[0])


def test_shapes_must_stay():
    tf = regraft.v1
    with Graph().as_default(), pytest.raises(ValueError, match="shape_invariants"):
        tf.while_loop(lambda a: True, lambda a: tf.concat([a, a], 0), [tf.zeros([2])])


def test_branches_must_fit():
    tf = regraft.v1
    with Graph().as_default():
        p = tf.placeholder(tf.bool, [])
        with pytest.raises(ValueError, match="same type"):
            tf.cond(p, lambda: 1, lambda: 1.0)
        with pytest.raises(ValueError, match="Incompatible return values"):
            tf.cond(p, lambda: (1, 2), lambda: (1, 2, 3))
        with pytest.raises(ValueError, match="'true_fn' must have a return value"):
            tf.cond(p, lambda: None, lambda: 1)
        with pytest.raises(TypeError, match="Python bool"):
            tf.cond(True, lambda: 1, lambda: 1)


def _loop_gradients(tf):
    x = tf.constant([0.5, 1.5])
    w = tf.constant([1.5, 2.0])
    _, z = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * a * w), [0, x])
    return tf.gradients(z, [x, w])


def test_gradient_of_a_loop_runs():
    # a3 = w^7 x^8
    x, w = np.array([0.5, 1.5]), np.array([1.5, 2.0])
    np.testing.assert_allclose(_run(_loop_gradients), [8 * w**7 * x**7, 7 * w**6 * x**8], rtol=1e-5)


def test_gradient_of_a_conditional_in_a_loop_runs():
    def build(tf):
        x = tf.constant(3.0)
        body = lambda i, a: (i + 1, tf.cond(tf.equal(i % 2, 0), lambda: a * x, lambda: tf.square(a)))  # noqa: E731
        return tf.gradients(tf.while_loop(lambda i, a: i < 4, body, [0, x])[1], x)

    # ((x x)^2 x)^2 = x^10
    np.testing.assert_allclose(_run(build), [10 * 3.0**9], rtol=1e-5)


def test_gradient_of_a_loop_in_a_loop_runs():
    def build(tf):
        x = tf.constant(2.0)

        def outer(i, a):
            return i + 1, tf.while_loop(lambda j, c: j < 2, lambda j, c: (j + 1, c * x), [0, a])[1] * a

        return tf.gradients(tf.while_loop(lambda i, a: i < 2, outer, [0, x])[1], x)

    # a -> a^2 x^2, twice from x: x^4, then x^10
    np.testing.assert_allclose(_run(build), [10 * 2.0**9], rtol=1e-5)
