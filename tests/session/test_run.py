"""Session.run on both tiers: feeds, fetches, the order of reads and writes, and what goes wrong."""

from __future__ import annotations

import threading
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import regraft
import regraft.v1 as tf
from regraft import session
from regraft.base import errors
from regraft.ir.graph import Graph
from regraft.opkit import registry
from regraft.opkit.builder import Builder

TIERS = ("interpret", "compile", "auto")


@pytest.fixture(autouse=True)
def graph() -> Iterator[Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture(params=TIERS)
def tier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def started(graph: Graph, tier: str) -> session.Session:
    sess = session.Session(graph, tier)
    sess.run(tf.global_variables_initializer())
    return sess


class TestFetches:
    def test_nested_structures_keep_their_form(self, graph: Graph, tier: str) -> None:
        x = tf.constant([1.0, 2.0])
        Pair = namedtuple("Pair", "left right")
        op = tf.no_op()
        got = session.Session(graph, tier).run({"a": [x, (x + 1.0,)], "b": Pair(x, op), "c": x.name})
        assert list(got) == ["a", "b", "c"]
        np.testing.assert_array_equal(got["a"][1][0], [2.0, 3.0])
        assert isinstance(got["b"], Pair) and got["b"].right is None
        np.testing.assert_array_equal(got["c"], [1.0, 2.0])

    def test_scalars_are_numpy_scalars_and_strings_are_bytes(self, graph: Graph, tier: str) -> None:
        number, text = session.Session(graph, tier).run([tf.constant(3) + 1, tf.constant("abc")])
        assert isinstance(number, np.int32) and number == 4
        assert text == b"abc"

    def test_what_comes_back_belongs_to_the_caller(self, graph: Graph, tier: str) -> None:
        v = tf.Variable([1.0, 2.0])
        sess = started(graph, tier)
        for fetch in (v, v + 0.0, tf.identity(v)):
            value = sess.run(fetch)
            value[:] = 7.0
            np.testing.assert_array_equal(sess.run(v), [1.0, 2.0])

    def test_what_was_fed_stays_the_callers(self, graph: Graph, tier: str) -> None:
        x = tf.placeholder(tf.float32, [2])
        v = tf.Variable([0.0, 0.0])
        sess = started(graph, tier)
        fed = np.array([1.0, 2.0], np.float32)
        sess.run(v.assign(x), {x: fed})
        fed[:] = 9.0
        np.testing.assert_array_equal(sess.run(v), [1.0, 2.0])

    def test_unknown_names_and_types_are_refused(self, graph: Graph) -> None:
        tf.constant(1)
        sess = session.Session(graph)
        with pytest.raises(TypeError, match="has invalid type"):
            sess.run(3)
        with pytest.raises(TypeError, match="None"):
            sess.run(None)
        with pytest.raises(ValueError, match="cannot be interpreted as a Tensor"):
            sess.run("nothing:0")


class TestFeeds:
    def test_any_tensor_can_be_fed(self, graph: Graph, tier: str) -> None:
        x = tf.placeholder(tf.float32, name="x")
        inner = x * 2.0
        assert session.Session(graph, tier).run(inner + 1.0, {inner: 5.0}) == 6.0

    def test_shape_dtype_and_range_are_checked(self, graph: Graph) -> None:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        small = tf.placeholder(tf.int8, [])
        sess = session.Session(graph)
        with pytest.raises(ValueError, match=r"Cannot feed value of shape \(2,\) for Tensor x:0"):
            sess.run(x, {x: [1.0, 2.0]})
        with pytest.raises(TypeError, match="larger type"):
            sess.run(small, {small: 1000})
        with pytest.raises(TypeError, match="cannot be a tf.Tensor"):
            sess.run(x, {x: tf.constant(1.0)})
        with pytest.raises(TypeError, match="Cannot interpret feed_dict key"):
            sess.run(x, {"nothing:0": 1.0})

    def test_a_missing_feed_names_the_placeholder(self, graph: Graph, tier: str) -> None:
        x = tf.placeholder(tf.float32, [None, 784], name="images")
        with pytest.raises(errors.InvalidArgumentError, match=r"'images' with dtype float and shape \[\?,784\]"):
            session.Session(graph, tier).run(x + 1.0)

    def test_shapes_that_do_not_fit_name_the_node(self, graph: Graph, tier: str) -> None:
        x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
        product = tf.matmul(x, y, name="logits")
        with pytest.raises(errors.InvalidArgumentError, match="logits"):
            session.Session(graph, tier).run(product, {x: np.ones((2, 3)), y: np.ones((4, 5))})

    def test_a_fed_shape_may_change_from_run_to_run(self, graph: Graph, tier: str) -> None:
        x = tf.placeholder(tf.float32, [None, 2])
        flat = tf.reshape(x, [tf.shape(x)[0] * 2])
        sess = session.Session(graph, tier)
        for n in (1, 3, 1):
            assert sess.run(flat, {x: np.ones((n, 2))}).shape == (2 * n,)

    def test_a_shape_may_itself_be_fed(self, graph: Graph, tier: str) -> None:
        n = tf.placeholder(tf.int32, [])
        sess = session.Session(graph, tier)
        for count in (2, 5):
            np.testing.assert_array_equal(sess.run(tf.zeros([n]) + 1.0, {n: count}), np.ones(count, np.float32))


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
class TestOrder:
    """A read with a path from a write of the run sees the new value; one without sees the value from before the run."""

    def test_a_read_without_a_path_sees_the_old_value(self, graph: Graph, tier: str, resource: bool) -> None:
        v = tf.Variable(1.0, use_resource=resource)
        before = v.read_value() if resource else v + 0.0
        assign = v.assign_add(10.0)
        sess = started(graph, tier)
        for expected in (1.0, 11.0):
            assert sess.run([before, assign.op])[0] == expected

    def test_a_read_behind_a_write_sees_the_new_value(self, graph: Graph, tier: str, resource: bool) -> None:
        v = tf.Variable(1.0, use_resource=resource)
        with tf.control_dependencies([v.assign_add(10.0)]):
            after = v.read_value() + 0.5
        assert started(graph, tier).run(after) == 11.5

    def test_old_and_new_value_in_one_run(self, graph: Graph, tier: str, resource: bool) -> None:
        v = tf.Variable(2.0, use_resource=resource)
        old = v.read_value() * 1.0
        with tf.control_dependencies([v.assign(5.0)]):
            new = v.read_value() * 1.0
        assert started(graph, tier).run([old, new]) == [2.0, 5.0]

    def test_two_writes_in_a_row(self, graph: Graph, tier: str, resource: bool) -> None:
        v = tf.Variable(1.0, use_resource=resource)
        with tf.control_dependencies([v.assign_add(1.0)]), tf.control_dependencies([v.assign(v.read_value() * 10.0)]):
            last = v.read_value() + 0.0
        assert started(graph, tier).run(last) == 20.0

    def test_writes_stay(self, graph: Graph, tier: str, resource: bool) -> None:
        v = tf.Variable([1.0, 2.0], use_resource=resource)
        add = v.assign_add([1.0, 1.0]).op
        sess = started(graph, tier)
        for _ in range(3):
            sess.run(add)
        np.testing.assert_array_equal(sess.run(v), [4.0, 5.0])


def test_a_reference_is_read_where_its_consumer_stands(graph: Graph, tier: str) -> None:
    """The classic moving average: `v/read` is a name for the buffer, so what counts is who reads it when."""
    v = tf.Variable(1.0, use_resource=False)
    with tf.control_dependencies([v.assign_add(1.0)]):
        doubled = v * 2.0
    assert started(graph, tier).run(doubled) == 4.0


class TestState:
    def test_an_uninitialized_variable_is_named(self, graph: Graph, tier: str) -> None:
        v = tf.Variable(1.0, name="v")
        with pytest.raises(errors.FailedPreconditionError, match="uninitialized value v"):
            session.Session(graph, tier).run(v + 1.0)

    def test_a_failed_run_changes_no_variable(self, graph: Graph, tier: str) -> None:
        v = tf.Variable([1.0, 2.0])
        x = tf.placeholder(tf.float32, [None])
        update = v.assign_add(tf.reshape(x, [2]))
        sess = started(graph, tier)
        with pytest.raises(errors.InvalidArgumentError):
            sess.run(update, {x: np.ones(3)})
        np.testing.assert_array_equal(sess.run(v), [1.0, 2.0])

    def test_a_variable_may_change_its_shape_where_nobody_checks(self, graph: Graph, tier: str) -> None:
        v = tf.Variable([1.0], validate_shape=False)
        x = tf.placeholder(tf.float32)
        grow = tf.assign(v, x, validate_shape=False)
        total = tf.reduce_sum(v)
        sess = started(graph, tier)
        for n in (1, 4, 2):
            sess.run(grow.op, {x: np.ones(n)})
            assert sess.run(total) == n

    def test_sessions_do_not_share_variables(self, graph: Graph, tier: str) -> None:
        v = tf.Variable(1.0)
        first, second = started(graph, tier), started(graph, tier)
        first.run(v.assign(5.0).op)
        assert (first.run(v), second.run(v)) == (5.0, 1.0)

    def test_a_closed_session_refuses(self, graph: Graph) -> None:
        x = tf.constant(1)
        sess = session.Session(graph)
        sess.close()
        with pytest.raises(RuntimeError, match="closed Session"):
            sess.run(x)

    def test_an_empty_graph_refuses(self, graph: Graph) -> None:
        with pytest.raises(RuntimeError, match="graph is empty"):
            session.Session(graph).run([])

    def test_a_run_leaves_the_graph_as_it_was(self, graph: Graph, tier: str) -> None:
        v = tf.Variable(1.0)
        fetch = v + 1.0
        sess = started(graph, tier)
        nodes, version = len(graph), graph.version
        sess.run(fetch)
        assert (len(graph), graph.version) == (nodes, version)

    def test_a_graph_that_grew_is_planned_anew(self, graph: Graph, tier: str) -> None:
        x = tf.constant(1.0)
        sess = session.Session(graph, tier)
        assert sess.run(x + 1.0) == 2.0
        assert sess.run(x + 2.0) == 3.0

    def test_threads_that_write_take_turns(self, graph: Graph, tier: str) -> None:
        v = tf.Variable(0)
        add = v.assign_add(1).op
        sess = started(graph, tier)
        threads = [threading.Thread(target=lambda: [sess.run(add) for _ in range(20)]) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sess.run(v) == 80


class TestUnknownOps:
    def graph_with_unknown(self) -> Any:
        from regraft import proto

        graph_def = proto.parse_text(
            """
            node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }
            node { name: "odd" op: "NobodyKnowsThis" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
            node { name: "fine" op: "Neg" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
            node { name: "blocked" op: "Identity" input: "odd" attr { key: "T" value { type: DT_FLOAT } } }
            versions { producer: 27 }
            """,
            proto.GraphDef,
        )
        tf.import_graph_def(graph_def, name="")

    def test_it_does_no_harm_where_nobody_needs_it(self, graph: Graph, tier: str) -> None:
        self.graph_with_unknown()
        assert session.Session(graph, tier).run("fine:0", {"x:0": 2.0}) == -2.0

    def test_where_it_is_needed_the_error_says_what_where_and_what_to_do(self, graph: Graph) -> None:
        self.graph_with_unknown()
        with pytest.raises(errors.UnimplementedError) as e:
            session.Session(graph).run("blocked:0", {"x:0": 2.0})
        text = str(e.value)
        assert "NobodyKnowsThis" in text and "'odd'" in text and "register_op" in text

    def test_feeding_its_output_goes_round_it(self, graph: Graph, tier: str) -> None:
        self.graph_with_unknown()
        assert session.Session(graph, tier).run("blocked:0", {"odd:0": 3.0}) == 3.0


@pytest.fixture
def own_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels registered in a test are gone after it."""
    monkeypatch.setattr(registry, "_SPECS", dict(registry.all_specs()))


@pytest.mark.usefixtures("own_kernel")
@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_a_program_adds_its_own_kernel(graph: Graph, tier: str, engine: Any) -> None:
    TestUnknownOps().graph_with_unknown()

    @regraft.register_op("NobodyKnowsThis", engine=engine)
    def triple(x: Any) -> Any:
        return x * x.dtype.type(3)

    assert session.Session(graph, tier).run("blocked:0", {"x:0": 2.0}) == 6.0
    with pytest.raises(errors.AlreadyExistsError, match="NobodyKnowsThis"):
        regraft.register_op("NobodyKnowsThis")(triple.function)


def test_make_callable_is_run_with_fixed_feeds(graph: Graph, tier: str) -> None:
    x = tf.placeholder(tf.float32, [])
    call = session.Session(graph, tier).make_callable({"y": x * 2.0}, [x])
    assert call(3.0) == {"y": 6.0}
    with pytest.raises(ValueError, match="Expected 1 feed values, got 2"):
        call(1.0, 2.0)


def test_a_plan_is_data_that_prints(graph: Graph) -> None:
    v = tf.Variable([1.0])
    plan = session.Session(graph).plan(v.assign_add([1.0]).op)
    assert str(plan).startswith("1 steps")
    assert plan.steps[0].writes == ("Variable",)


def test_checks_of_known_values_run_before_the_program(graph: Graph) -> None:
    x = tf.placeholder(tf.float32, [None, 2])
    check = tf.Assert(tf.constant(False), ["no"], name="check")
    v = tf.Variable([0.0, 0.0])
    with tf.control_dependencies([check]):
        update = v.assign_add(tf.reduce_sum(x, 0))
    sess = started(graph, "compile")
    with pytest.raises(errors.InvalidArgumentError, match="assertion failed"):
        sess.run(update, {x: np.ones((1, 2))})
    np.testing.assert_array_equal(sess.run(v), [0.0, 0.0])


@pytest.mark.parametrize("tier", ["interpret", "compile"])
def test_ops_on_strings_stand_beside_what_is_compiled(tier: str) -> None:
    """Comparing and gathering are for strings too, of which no program knows."""
    b = Builder(Graph())
    words = b.Placeholder(dtype="string", shape=None)
    equal = b.Equal(b.StringStrip(words), np.array(b"a", object))
    one = b.GatherV2(words, b.Cast(equal, DstT="int32"), np.int32(0))
    total = b.Sum(b.Cast(equal, DstT="float32") * np.float32(2), np.int32(0))
    found = session.Session(b.graph, tier).run([one, total], {words: np.array([b"a ", b"b", b"a"], object)})
    assert found[0].tolist() == [b"b", b"a ", b"b"] and found[1] == 4.0
