"""init_from_checkpoint, against TensorFlow's; waiting for checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  shapes are inferred by the registered ops
from regraft import proto
from regraft.checkpoint.bundle_writer import write_checkpoint
from regraft.checkpoint.state import update_checkpoint_state
from regraft.ir.graph import Graph
from regraft.saver import checkpoints_iterator, init_from_checkpoint, wait_for_new_checkpoint
from regraft.serde.graph import graph_to_proto
from regraft.session import Session
from regraft.variables import Variable
from regraft.variables.scope import get_variable, variable_scope
from tests import oracle

VALUES = {
    "old/a": np.array([1.0, 2.0], np.float32),
    "old/b": np.array([3.0, 4.0, 5.0], np.float32),
    "a": np.array([6.0, 7.0], np.float32),
}


@pytest.fixture
def path(tmp_path: Path) -> str:
    write_checkpoint(str(tmp_path / "m"), VALUES)
    update_checkpoint_state(str(tmp_path), str(tmp_path / "m"))
    return str(tmp_path / "m")


def theirs(path: str, assignment: Any, resource: bool) -> tuple[Any, dict[str, Any]]:
    tf = oracle.tensorflow()
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as sess:
        with tf.variable_scope("new", use_resource=resource), tf.device("/job:localhost"):
            tf.get_variable("a", initializer=[0.0, 0.0])
            tf.get_variable("b", initializer=[0.0, 0.0, 0.0])
        tf.train.init_from_checkpoint(path, assignment)
        sess.run(tf.global_variables_initializer())
        return graph.as_graph_def(), {v.op.name: sess.run(v) for v in tf.global_variables()}


def ours(path: str, assignment: Any, resource: bool) -> tuple[Graph, dict[str, Variable]]:
    graph = Graph()
    with variable_scope(graph, "new", use_resource=resource), graph.device("/job:localhost"):
        get_variable(graph, "a", initializer=[0.0, 0.0])
        get_variable(graph, "b", initializer=[0.0, 0.0, 0.0])
    init_from_checkpoint(graph, path, assignment)
    return graph, {v.op.name: v for v in graph.get_collection("variables")}


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize(
    "assignment",
    [{"old/": "new/"}, {"old/a": "new/a"}, {"a": "new/a", "old/b": "new/b"}, [("old/a", "new/a")]],
    ids=str,
)
def test_as_tensorflow(path: str, assignment: Any, resource: bool) -> None:
    nodes, values = theirs(path, assignment, resource)
    graph, variables = ours(path, assignment, resource)
    wanted = {n.name: n for n in nodes.node}
    for node in graph_to_proto(graph).node:
        want = proto.as_ours(wanted[node.name], proto.NodeDef)
        want.ClearField("experimental_type")
        for message in (node, want):
            if "_has_manual_control_dependencies" in message.attr:
                del message.attr["_has_manual_control_dependencies"]
        assert node == want, node.name
    session = Session(graph)
    session.run([v.initializer for v in variables.values()])
    for name, value in values.items():
        np.testing.assert_array_equal(session.run(variables[name]), value)


def test_the_newest_of_a_folder(path: str) -> None:
    graph, variables = ours(str(Path(path).parent), {"old/": "new/"}, False)
    session = Session(graph)
    session.run([v.initializer for v in variables.values()])
    assert session.run(variables["new/b"]).tolist() == [3.0, 4.0, 5.0]


def test_variables_themselves(path: str) -> None:
    graph, variables = ours(path, {}, True)
    init_from_checkpoint(graph, path, {"old/a": variables["new/a"]})
    session = Session(graph)
    session.run(variables["new/a"].initializer)
    assert session.run(variables["new/a"]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ({"none": "new/a"}, "Tensor none is not found in .* checkpoint"),
        ({"old/b": "new/a"}, "Shape of variable new/a:0 .* doesn't match with shape of tensor old/b"),
        ({"old": "new/"}, "Assignment map with scope only name new should map to scope only old"),
        ({"/": "new/"}, "Tensor b .* is not found in"),
    ],
)
def test_refused(path: str, assignment: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ours(path, assignment, False)


def test_waiting(path: str) -> None:
    folder = str(Path(path).parent)
    assert wait_for_new_checkpoint(folder) == path
    assert wait_for_new_checkpoint(folder, path, seconds_to_sleep=0.01, timeout=0.02) is None
    assert list(checkpoints_iterator(folder, timeout=0)) == [path]
    asked: list[int] = []

    def done() -> bool:
        asked.append(1)
        return len(asked) == 2

    assert list(checkpoints_iterator(folder, timeout=0, timeout_fn=done)) == [path]
