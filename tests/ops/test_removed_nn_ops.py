"""Ops that TensorFlow still runs, but only in graphs that say they were made by an old release."""

from __future__ import annotations

import numpy as np
import pytest

from regraft.ir.graph import Graph
from regraft.opkit import registry
from regraft.opkit.builder import Builder
from regraft.opkit.call import bind_kernel
from regraft.ops import infer_shapes
from tests.ops.case import Case
from tests.ops.nn_norm_cases import CASES
from tests.oracle import available, run_graph, tensorflow

PRODUCER = 8

pytestmark = pytest.mark.skipif(not available(), reason="TensorFlow, the oracle, is not installed")


def expected(case: Case) -> list[np.ndarray]:
    tf = tensorflow()
    graph_def = tf.GraphDef()
    graph_def.versions.producer = PRODUCER
    node = tf.NodeDef(name="op", op=case.op)
    for i, value in enumerate(case.inputs):
        made = graph_def.node.add(name=f"in_{i}", op="Placeholder")
        made.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        node.input.append(f"in_{i}")
    node.attr["T"].type = tf.float32.as_datatype_enum
    for name, value in case.attrs.items():
        if isinstance(value, bool):
            node.attr[name].b = value
        else:
            node.attr[name].f = value
    graph_def.node.append(node)
    count = len(ours(case)[1])
    return run_graph(graph_def, [f"op:{i}" for i in range(count)], {f"in_{i}:0": v for i, v in enumerate(case.inputs)})


def ours(case: Case) -> tuple[list, list]:
    graph = Graph()
    b = Builder(graph)
    inputs = [b.Placeholder(dtype=v.dtype, shape=v.shape) for v in case.inputs]
    node = b.operation(case.op, *inputs, **case.attrs)
    spec = registry.lookup(case.op)
    assert spec is not None
    return infer_shapes(node), list(bind_kernel(spec, node)(*case.inputs))


@pytest.mark.parametrize("case", [pytest.param(c, id=c.label) for c in CASES if c.expected is not None])
def test_value_is_tensorflows(case: Case) -> None:
    shapes, values = ours(case)
    for shape, value, reference in zip(shapes, values, expected(case), strict=True):
        assert shape.sizes == reference.shape
        np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-5)
