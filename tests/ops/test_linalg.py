"""What rows cannot say of decompositions: vectors whose signs are free, and gradients that need known shapes."""

from __future__ import annotations

import numpy as np
import pytest

from regraft.gradients import gradients
from regraft.ops import linalg_decompose as linalg
from tests.ops import both
from tests.ops.case import Case
from tests.oracle import available, tensorflow

TALL = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, -1.0]])
SQUARE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.5, -0.5, 2.0]])
COMPLEX = SQUARE + 0.25j * (np.triu(SQUARE, 1) - np.triu(SQUARE, 1).T)


@pytest.mark.parametrize("matrix", [TALL, TALL.T, SQUARE, np.stack([TALL, -TALL])])
@pytest.mark.parametrize("full", [False, True])
def test_svd_puts_the_matrix_together_again(matrix: np.ndarray, full: bool) -> None:
    s, u, v = linalg.svd(matrix, compute_uv=True, full_matrices=full)
    k = s.shape[-1]
    together = (u[..., :k] * s[..., None, :]) @ np.swapaxes(v[..., :k], -1, -2)
    np.testing.assert_allclose(together, matrix, atol=1e-12)
    assert np.all(s[..., :-1] >= s[..., 1:])


def test_singular_values_alone() -> None:
    s, _, _ = linalg.svd(TALL, compute_uv=False, full_matrices=False)
    np.testing.assert_allclose(s, np.sqrt(np.linalg.eigvalsh(TALL.T @ TALL))[::-1])


@pytest.mark.parametrize("matrix", [SQUARE, COMPLEX])
def test_eigenvectors_put_the_matrix_together_again(matrix: np.ndarray) -> None:
    e, v = linalg.self_adjoint_eig(matrix, compute_v=True)
    np.testing.assert_allclose((v * e) @ v.conj().T, matrix, atol=1e-12)
    alone, _ = linalg.self_adjoint_eig(matrix, compute_v=False)
    np.testing.assert_allclose(alone, e, atol=1e-12)


GRADIENTS = [
    Case("Svd", [SQUARE]),
    Case("Svd", [TALL]),
    Case("Svd", [TALL.T.copy()]),
    Case("Svd", [TALL], {"full_matrices": True}),
    Case("Svd", [TALL], {"compute_uv": False}),
    Case("Qr", [SQUARE]),
    Case("Qr", [TALL]),
    Case("Qr", [TALL.T.copy()]),
    Case("SelfAdjointEigV2", [SQUARE], {"compute_v": False}),
    Case("MatrixSolveLs", [TALL, SQUARE, np.float64(0.1)], grad_wrt=(0, 1)),
    Case("MatrixSolveLs", [TALL.T.copy(), SQUARE[:2], np.float64(0.1)], grad_wrt=(0, 1)),
]


@pytest.mark.skipif(not available(), reason="TensorFlow, the oracle, is not installed")
@pytest.mark.parametrize("case", GRADIENTS, ids=lambda c: c.label)
def test_gradient_graph_of_known_shapes_is_tensorflows(case: Case) -> None:
    theirs, mine = both.in_tensorflow(case), both.in_regraft(case)
    wrt = case.grad_wrt or (0,)
    with theirs.graph.as_default():
        reference = tensorflow().gradients(theirs.node.outputs, [theirs.inputs[i] for i in wrt])
    result = gradients(mine.graph, mine.node.outputs, [mine.inputs[i] for i in wrt])
    wanted, got = both.describe_tensorflow(theirs.graph), both.describe_ours(mine.graph)
    assert list(got) == list(wanted)
    for name in wanted:
        assert got[name] == wanted[name], name
    assert [r.name for r in result] == [r.name for r in reference]
