"""The gradient graphs that TensorFlow 2 has not: their values are those of finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.gradients import gradients
from regraft.ir.graph import Graph
from regraft.opkit import registry
from regraft.opkit.builder import Builder
from regraft.opkit.call import call_kernel
from tests.ops.rnn_block_cases import CASES


def evaluate(tensor: Any, known: dict[Any, Any]) -> Any:
    """The value of a tensor, by calling kernels on NumPy arrays."""
    if tensor not in known:
        op = tensor.op
        if op.type == "Const":
            known[tensor] = op.attrs["value"].array
        else:
            spec = registry.lookup(op.type)
            assert spec is not None, op.type
            values = call_kernel(spec, op, [evaluate(t, known) for t in op.inputs])
            known.update(zip(op.outputs, values, strict=True))
    return known[tensor]


# LSTMBlockCellGrad knows nothing of the clipping.
SMOOTH = [c for c in CASES if c.op in ("LSTMBlockCell", "GRUBlockCell") and c.attrs.get("cell_clip", 3.0) != 0.7]


@pytest.mark.parametrize("case", SMOOTH, ids=lambda c: c.label)
def test_gradient_is_that_of_finite_differences(case: Any) -> None:
    graph = Graph()
    b = Builder(graph)
    inputs = [b.Placeholder(dtype=v.dtype, shape=v.shape) for v in case.inputs]
    node = b.operation(case.op, *inputs, **case.attrs)
    wanted = node.outputs[-1]
    found = gradients(graph, [wanted], inputs)
    feeds = dict(zip(inputs, case.inputs, strict=True))
    wide = [v.astype(np.float64) for v in case.inputs]
    spec = registry.lookup(case.op)
    assert spec is not None

    def total(values: list[Any]) -> Any:
        return call_kernel(spec, node, values)[-1].sum()

    rng = np.random.default_rng(0)
    for i, gradient in enumerate(found):
        if gradient is None:
            continue
        direction = rng.standard_normal(wide[i].shape)
        ends = [[*wide[:i], wide[i] + sign * 1e-5 * direction, *wide[i + 1 :]] for sign in (1, -1)]
        slope = (total(ends[0]) - total(ends[1])) / 2e-5
        np.testing.assert_allclose(np.sum(evaluate(gradient, dict(feeds)) * direction), slope, rtol=2e-3, atol=2e-3)
