"""The nodes that variables add, one for one with TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import regraft.ops  # noqa: F401  shapes are inferred by the registered ops
from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.opkit.slices import IndexedSlices
from regraft.serde.graph import graph_to_proto
from regraft.variables import make_variable
from tests import oracle


class Theirs:
    """What a program needs, by TensorFlow."""

    def __init__(self, tf: Any) -> None:
        self.tf = tf
        self.graph = tf.get_default_graph()
        self.slices = tf.IndexedSlices

    def variable(self, value: Any, resource: bool = False, **options: Any) -> Any:
        return self.tf.Variable(value, use_resource=resource, **options)

    def zeros(self) -> Any:
        return self.tf.zeros([2])

    def constant(self, value: Any) -> Any:
        return self.tf.constant(value)


class Ours:
    """The same, by us."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.b = Builder(graph)
        self.slices = IndexedSlices

    def variable(self, value: Any, resource: bool = False, **options: Any) -> Any:
        return make_variable(self.graph, value, resource, **options)

    def zeros(self) -> Any:
        return self.b.zeros([2])

    def constant(self, value: Any) -> Any:
        return self.b.constant(value)


Program = Callable[[Any], Any]


def assert_same(program: Program) -> None:
    theirs = oracle.graph_def(lambda tf: program(Theirs(tf)))
    graph = Graph()
    program(Ours(graph))
    ours = graph_to_proto(graph)
    wanted = {n.name: n for n in theirs.node}
    # TensorFlow writes a conditional's nodes in another order than it makes them.
    assert sorted(wanted) == sorted(n.name for n in ours.node)
    for node in ours.node:
        want = wanted[node.name]
        for message in (node, want):
            message.ClearField("experimental_type")
            for name in ("_has_manual_control_dependencies",):  # since 2.x, for their statistics
                if name in message.attr:
                    del message.attr[name]
        want = type(node).FromString(want.SerializeToString())
        assert node == want, node.name


KINDS = pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])


@KINDS
def test_from_a_value(resource: bool) -> None:
    assert_same(lambda k: k.variable([1.0, 2.0], resource, name="v"))


@KINDS
def test_from_a_function(resource: bool) -> None:
    assert_same(lambda k: k.variable(lambda: k.zeros(), resource, name="v"))


@KINDS
def test_names_are_made_unique(resource: bool) -> None:
    def program(k: Any) -> None:
        with k.graph.name_scope("s"):
            k.variable(1, resource)
            k.variable(True, resource)
            k.variable(2.5, resource, name="v", dtype="float64")

    assert_same(program)


@KINDS
def test_devices(resource: bool) -> None:
    def program(k: Any) -> None:
        with k.graph.device("/job:ps/gpu:0"):
            k.variable([1.0], resource, name="a", caching_device="/cpu:0")
            k.variable(lambda: k.zeros(), resource, name="b")

    assert_same(program)


@KINDS
def test_colocated(resource: bool) -> None:
    def program(k: Any) -> None:
        first = k.variable([1.0], resource, name="first")
        with k.graph.colocate_with(first.op):
            k.variable([2.0], resource, name="second")

    assert_same(program)


@KINDS
def test_outside_of_control_dependencies(resource: bool) -> None:
    def program(k: Any) -> None:
        with k.graph.control_dependencies([k.constant(1.0)]):
            k.variable([1.0], resource, name="v")

    assert_same(program)


def test_without_a_fixed_shape() -> None:
    assert_same(lambda k: k.variable([1.0], name="v", validate_shape=False))


@KINDS
def test_that_starts_from_another(resource: bool) -> None:
    def program(k: Any) -> None:
        v = k.variable([1.0, 2.0], resource, name="v")
        k.variable(v * 2.0, resource, name="w")
        if not resource:  # TensorFlow has no initialized_value for them any more
            k.variable(v.initialized_value(), name="u")

    assert_same(program)


@KINDS
def test_operators(resource: bool) -> None:
    def program(k: Any) -> None:
        v = k.variable([1.0, 2.0], resource, name="v")
        for result in (v + 1.0, 1.0 - v, v * v, v / 2.0, -v, v > 0.0, abs(v), v**2.0):
            assert result is not None

    assert_same(program)


@KINDS
def test_reads(resource: bool) -> None:
    def program(k: Any) -> None:
        v = k.variable([1.0, 2.0], resource, name="v")
        v.value()
        v.read_value()
        with k.graph.name_scope("s"), k.graph.control_dependencies([v.initializer]):
            v.value()
            v.read_value()

    assert_same(program)


@KINDS
def test_changes(resource: bool) -> None:
    def program(k: Any) -> None:
        v = k.variable([1.0, 2.0], resource, name="v")
        v.assign([3.0, 4.0])
        v.assign_add([1.0, 1.0], name="more")
        v.assign_sub([1.0, 1.0], read_value=False)
        rows = k.slices(k.constant([1.0]), k.constant([0]))
        for change in (v.scatter_add, v.scatter_sub, v.scatter_mul, v.scatter_div, v.scatter_min, v.scatter_max):
            change(rows)
        v.scatter_update(rows)
        v.scatter_nd_add([[0]], [1.0])
        v.scatter_nd_sub([[0]], [1.0])
        v.scatter_nd_update([[0]], [1.0])

    assert_same(program)


@KINDS
def test_counting(resource: bool) -> None:
    assert_same(lambda k: k.variable(0, resource, name="v").count_up_to(3))


def test_reads_of_rows() -> None:
    def program(k: Any) -> None:
        v = k.variable([1.0, 2.0], True, name="v")
        v.sparse_read([0])
        v.gather_nd([[0]])
        v.is_initialized()

    assert_same(program)


def test_changes_upon_changes() -> None:
    def program(k: Any) -> None:
        v = k.variable([1.0, 2.0], True, name="v")
        after = v.assign([2.0, 3.0])
        after.assign_add([1.0, 1.0])
        after.value()
        after + 1.0

    assert_same(program)
