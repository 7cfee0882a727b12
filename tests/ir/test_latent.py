"""Nodes of a file that no one has asked for yet: a program sees the graph that it would see if all were there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from regraft.ir.graph import Graph
from regraft.ir.node import Operation
from regraft.metagraph import import_graph_def
from regraft.opkit.builder import Builder
from regraft.serde.file_nodes import FileNodes
from regraft.serde.graph import graph_to_proto, read_nodes
from tests.metagraph.messages import graph_def, node, relu, x

CHAIN = graph_def(x("a"), relu("b", "a"), relu("c", "b"), relu("d", "a"), node("e", "NoOp", "^c", "^d"))


def imported(message: Any = CHAIN) -> Graph:
    graph = Graph()
    import_graph_def(graph, message, name="")
    return graph


def made(nodes: FileNodes) -> list[str]:
    return [op.name for op in nodes._made if op is not None]


def test_only_what_is_asked_for_is_made() -> None:
    graph = Graph()
    nodes, _ = read_nodes(graph, list(CHAIN.node))
    graph.adopt(nodes)
    assert len(graph) == 5
    assert "c" in graph
    assert graph.count_outputs("c") == 1
    assert graph.count_outputs("e") == 0
    assert graph.count_outputs("f") is None
    assert made(nodes) == []
    c = graph.get_operation_by_name("c")
    assert made(nodes) == ["c"]
    assert [t.name for t in c.inputs] == ["b:0"]
    assert made(nodes) == ["b", "c"]


@pytest.mark.parametrize("first", ["name", "input", "control", "all"])
def test_a_node_is_one_operation_whoever_asks_first(first: str) -> None:
    graph = imported()
    ways: dict[str, Callable[[], Operation]] = {
        "name": lambda: graph.get_operation_by_name("c"),
        "input": lambda: graph.get_tensor_by_name("c:0").op,
        "control": lambda: graph.get_operation_by_name("e").control_inputs[0],
        "all": lambda: graph.get_operations()[2],
    }
    found = ways[first]()
    assert all(way() is found for way in ways.values())


def test_operations_come_in_the_order_of_their_creation() -> None:
    graph = Graph()
    Builder(graph).no_op(name="before")
    import_graph_def(graph, CHAIN, name="m")
    Builder(graph).no_op(name="between")
    import_graph_def(graph, CHAIN, name="n")
    graph.get_operation_by_name("n/c")
    Builder(graph).no_op(name="after")
    wanted = ["before", *(f"m/{n}" for n in "abcde"), "between", *(f"n/{n}" for n in "abcde"), "after"]
    assert [op.name for op in graph.get_operations()] == wanted
    assert [op.name for op in graph.get_operations()] == wanted
    assert [op._id for op in graph.get_operations()] == list(range(13))


def test_names_are_taken_whatever_their_case() -> None:
    graph = imported(graph_def(x("Net/Input"), relu("Net/relu", "Net/Input")))
    assert graph.unique_name("net/INPUT") == "net/INPUT_1"
    assert graph.unique_name("net/relu") == "net/relu_1"
    with pytest.raises(ValueError, match="Duplicate node name in graph: 'Net/relu'"):
        Builder(graph).no_op(name="Net/relu/")


def test_a_changed_input_is_written_and_others_stay() -> None:
    graph = imported()
    c = graph.get_operation_by_name("c")
    graph.update_input(c, 0, graph.get_tensor_by_name("a:0"))
    graph.add_control_inputs(graph.get_operation_by_name("b"), [graph.get_operation_by_name("d")])
    inputs = {each.name: list(each.input) for each in graph_to_proto(graph).node}
    assert inputs == {"a": [], "b": ["a", "^d"], "c": ["a"], "d": ["a"], "e": ["^c", "^d"]}


def test_consumers_are_found_before_they_are_made() -> None:
    graph = imported()
    a = graph.get_tensor_by_name("a:0")
    assert [op.name for op in a.consumers()] == ["b", "d"]


def test_a_graph_that_has_changed_does_not_adopt() -> None:
    graph = Graph()
    nodes, _ = read_nodes(graph, list(CHAIN.node))
    Builder(graph).no_op(name="first")
    with pytest.raises(AssertionError, match="the graph has changed"):
        graph.adopt(nodes)


def test_threads_get_the_same_operations() -> None:
    graph = imported(graph_def(x("n0"), *(relu(f"n{i}", f"n{i - 1}") for i in range(1, 400))))
    start = threading.Barrier(4)
    found: list[list[Operation]] = []

    def walk(backwards: bool) -> None:
        start.wait()
        if backwards:
            op, ops = graph.get_operation_by_name("n399"), []
            while op.inputs:
                ops.append(op)
                op = op.inputs[0].op
            found.append([op, *reversed(ops)])
        else:
            found.append([graph.get_tensor_by_name(t.name).op for op in graph.get_operations() for t in op.outputs])

    threads = [threading.Thread(target=walk, args=(i % 2 == 0,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(len(ops) == 400 for ops in found)
    assert all(one is other for ops in found[1:] for one, other in zip(ops, found[0], strict=True))
    assert all(op.inputs[0] is before.outputs[0] for before, op in zip(found[0], found[0][1:], strict=False))
