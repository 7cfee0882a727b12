"""Gradient graphs of ops on complex numbers: the rows differentiate floats alone."""

from __future__ import annotations

import numpy as np
import pytest

from regraft.base.dtypes import float32
from regraft.gradients import gradients
from regraft.opkit.builder import Builder
from tests.ops import both
from tests.ops.case import Case
from tests.oracle import available, tensorflow

Z = np.array([[1 + 2j, -0.5 + 0.25j], [0.3 - 1j, 2]], np.complex64)
X = np.array([[1.0, 2.0, -0.5, 0.25, 3.0], [0.5, -1.0, 2.0, 4.0, 1.5]], np.float32)
MASKS = np.arange(24).reshape(2, 3, 4).astype(np.float32)
UNARY = [
    *("Neg", "Sign", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Exp", "Expm1", "Log", "Log1p", "Tanh", "Sigmoid"),
    *("Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh"),
    *("Real", "Imag", "Conj", "ComplexAbs", "Angle", "FFT", "IFFT", "FFT2D", "IFFT2D"),
]
OUTPUTS = ["SqrtGrad", "RsqrtGrad", "ReciprocalGrad", "TanhGrad", "SigmoidGrad"]
BINARY = [
    *("Add", "AddV2", "Sub", "Mul", "RealDiv", "Div", "DivNoNan", "Pow", "SquaredDifference", "Xdivy", "Xlogy"),
]

CASES = [
    *[Case(op, [Z]) for op in UNARY],
    *[Case(op, [Z, Z[::-1].copy()]) for op in (*OUTPUTS, *BINARY, "MatMul", "BatchMatMulV2", "MatrixSolve")],
    *[Case(op, [Z, Z[0]]) for op in BINARY],
    Case("Complex", [X, X[0]]),
    Case("Sum", [Z, np.array([1], np.int32)]),
    Case("Prod", [Z, np.array([1], np.int32)]),
    Case("Cast", [X.astype(np.complex64)], {"DstT": float32}),
    Case("MatMul", [Z, Z], {"transpose_a": True}),
    Case("BatchMatMulV2", [Z, Z], {"adj_x": True, "adj_y": True}),
    Case("MatrixInverse", [Z]),
    Case("FFT3D", [np.stack([Z, Z])]),
    Case("IFFT3D", [np.stack([Z, Z])]),
    *[Case("RFFT", [X[:, :n], np.array([n], np.int32)]) for n in (4, 5)],
    *[Case("IRFFT", [X.astype(np.complex64), np.array([n], np.int32)]) for n in (8, 9)],
    *[Case("RFFT2D", [MASKS[..., :n], np.array([3, n], np.int32)]) for n in (3, 4)],
    *[Case("IRFFT2D", [MASKS.astype(np.complex64), np.array([3, n], np.int32)]) for n in (6, 7)],
]


@pytest.mark.skipif(not available(), reason="TensorFlow, the oracle, is not installed")
@pytest.mark.parametrize("mode", [both.KNOWN, both.CONSTANTS, both.UNKNOWN_RANK])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.label)
def test_gradient_graph_is_tensorflows(case: Case, mode: str) -> None:
    tf = tensorflow()
    theirs, mine = both.in_tensorflow(case, mode), both.in_regraft(case, mode)
    wrt = [i for i, t in enumerate(mine.inputs) if t.dtype.is_complex or t.dtype.is_floating]
    with theirs.graph.as_default():
        dys = [tf.placeholder(t.dtype, t.shape, name=f"dy_{i}") for i, t in enumerate(theirs.node.outputs)]
        reference = tf.gradients(theirs.node.outputs, [theirs.inputs[i] for i in wrt], dys)
    b = Builder(mine.graph)
    our_dys = [b.Placeholder(dtype=t.dtype, shape=t.shape, name=f"dy_{i}") for i, t in enumerate(mine.node.outputs)]
    result = gradients(mine.graph, mine.node.outputs, [mine.inputs[i] for i in wrt], our_dys)
    wanted, got = both.describe_tensorflow(theirs.graph), both.describe_ours(mine.graph)
    assert list(got) == list(wanted)
    for name in wanted:
        assert got[name] == wanted[name], name
    assert [None if r is None else r.name for r in result] == [None if r is None else r.name for r in reference]
