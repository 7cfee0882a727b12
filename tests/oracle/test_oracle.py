"""The oracle answers questions whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import oracle

pytestmark = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")


def test_run_op_by_position() -> None:
    (product,) = oracle.run_op("MatMul", [np.eye(2, dtype=np.float32) * 3, np.ones((2, 1), np.float32)])
    np.testing.assert_array_equal(product, np.full((2, 1), 3, np.float32))


def test_run_op_by_name_with_attrs_and_lists() -> None:
    (joined,) = oracle.run_op("ConcatV2", {"values": [np.zeros(2), np.ones(1)], "axis": np.int32(0)})
    np.testing.assert_array_equal(joined, [0, 0, 1])
    values, indices = oracle.run_op("TopKV2", [np.array([3.0, 9.0, 4.0]), np.int32(2)], {"sorted": True})
    np.testing.assert_array_equal(values, [9, 4])
    np.testing.assert_array_equal(indices, [1, 2])


def test_run_op_without_outputs_and_with_strings() -> None:
    assert oracle.run_op("NoOp") == []
    (joined,) = oracle.run_op("StringJoin", {"inputs": [np.array(b"a"), np.array(b"b")]}, {"separator": "-"})
    assert joined == b"a-b"


def test_run_op_unknown_and_wrong_count() -> None:
    with pytest.raises(KeyError, match="NoSuchOp"):
        oracle.run_op("NoSuchOp")
    with pytest.raises(ValueError, match="got 1 values"):
        oracle.run_op("MatMul", [np.eye(2)])


def test_graph_def_and_run_graph() -> None:
    def program(tf: Any) -> None:
        v = tf.get_variable("v", [], initializer=tf.constant_initializer(2.0))
        x = tf.placeholder(tf.float32, [], name="x")
        tf.multiply(v, x, name="y")

    graph = oracle.graph_def(program)
    assert {"v", "v/read", "x", "y"} <= {node.name for node in graph.node}
    assert oracle.run_graph(graph, ["y:0"], {"x:0": 4.0}, before=["v/Assign"]) == [8.0]


def test_run_tf(tmp_path: Path) -> None:
    code = """
        with tf.Session() as sess:
            result["double"] = sess.run(tf.constant(given) * 2)
            open("here", "w").close()
    """
    np.testing.assert_array_equal(oracle.run_tf(code, cwd=tmp_path, given=np.arange(3))["double"], [0, 2, 4])
    assert (tmp_path / "here").exists()
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        oracle.run_tf("1 / 0")
