"""What the math ops refuse, and what they do where TensorFlow is no guide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.ops  # noqa: F401  importing it registers every op
from regraft.base.dtypes import as_dtype, complex64, float32, int32
from regraft.base.errors import InvalidArgumentError
from regraft.opkit import registry

ONE = np.array([1], np.int32)
ZERO = np.array([0], np.int32)
MATRIX = np.ones((2, 3), np.float32)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]], np.float32)
AXIS = {"keep_dims": False}


def call(op: str, *inputs: Any, **attrs: Any) -> Any:
    spec = registry.lookup(op)
    assert spec is not None
    assert spec.kernel is not None
    return spec.kernel(*inputs, **attrs)


@pytest.mark.parametrize("op", ["Div", "TruncateDiv", "FloorDiv", "FloorMod", "Mod", "TruncateMod"])
def test_an_integer_divided_by_zero(op: str) -> None:
    with pytest.raises(InvalidArgumentError, match="Integer division by zero"):
        call(op, ONE, ZERO)


REFUSED = [
    ("Incompatible shapes: [2,3] vs. [2]", "AddV2", (MATRIX, MATRIX[:, 0]), {}),
    ("Incompatible shapes: [2,3] vs. [2]", "FloorDiv", (MATRIX.astype(np.int32), np.ones(2, np.int32)), {}),
    ("Integers to negative integer powers are not allowed", "Pow", (ONE, -ONE), {}),
    ("must have the same size and shape", "AddN", ((MATRIX, MATRIX[0]),), {}),
    ("same shape as input, or a scalar", "ClipByValue", (MATRIX, MATRIX[0], MATRIX), {}),
    ("Invalid reduction dimension (2 for input with 2 dimension(s)", "Sum", (MATRIX, np.int32(2)), AXIS),
    ("Axes contains duplicate dimension: 0", "Max", (MATRIX, np.array([0, -2])), AXIS),
    ("Expected dimension in the range [-2, 2), but got 2", "ArgMax", (MATRIX, np.int32(2)), {"output_type": int32}),
    ("Reduction axis 0 is empty in shape [0, 3]", "ArgMin", (MATRIX[:0], np.int32(0)), {"output_type": int32}),
    ("is not in [-2, 2)", "Cumsum", (MATRIX, np.int32(2)), {"exclusive": False, "reverse": False}),
    ("Input arr must be non-negative!", "Bincount", (-ONE, np.int32(3), np.zeros(0, np.float32)), {}),
    ("size (-3) must be non-negative", "Bincount", (ONE, np.int32(-3), np.zeros(0, np.float32)), {}),
    ("nbins should be > 0", "HistogramFixedWidth", (MATRIX, np.array([0.0, 1.0]), ZERO[0]), {"dtype": int32}),
    ("value_range[0] < value_range[1]", "HistogramFixedWidth", (MATRIX, np.zeros(2), ONE[0]), {"dtype": int32}),
    ("Expected sorted boundaries", "Bucketize", (MATRIX,), {"boundaries": (2.0, 1.0)}),
    (
        "Matrix size-incompatible: In[0]: [2, 3], In[1]: [2, 3]",
        "MatMul",
        (MATRIX, MATRIX),
        {"transpose_a": False, "transpose_b": False},
    ),
    ("is not a matrix", "MatMul", (MATRIX[0], MATRIX), {"transpose_a": False, "transpose_b": False}),
    (
        "compatible batch dimensions",
        "BatchMatMulV2",
        (np.ones((2, 1, 1)), np.ones((3, 1, 1))),
        {"adj_x": False, "adj_y": False},
    ),
    ("Input is not invertible.", "MatrixInverse", (SINGULAR,), {"adjoint": False}),
    ("must be square", "MatrixInverse", (MATRIX,), {"adjoint": False}),
    ("not invertible", "MatrixSolve", (SINGULAR, SINGULAR), {"adjoint": False}),
    ("at least 4 but got: 3", "RFFT", (MATRIX, np.array([4])), {"Tcomplex": complex64}),
    ("at least 3 but got: 2", "IRFFT", (MATRIX[:, :2] * 1j, np.array([4])), {"Treal": float32}),
    ("does not fit inputs", "Einsum", ((MATRIX, MATRIX),), {"equation": b"ij,jk->ik"}),
    ("exactly one '->'", "Einsum", ((MATRIX,),), {"equation": b"ij"}),
]


@pytest.mark.parametrize(("words", "op", "inputs", "attrs"), REFUSED, ids=lambda v: v if isinstance(v, str) else "")
def test_refused(words: str, op: str, inputs: Any, attrs: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call(op, *inputs, **attrs)
    assert words in str(caught.value)


def test_a_matrix_that_is_not_positive_definite_has_no_cholesky_factor() -> None:
    matrices = np.array([[[4.0, 2.0], [2.0, 5.0]], [[1.0, 2.0], [2.0, 1.0]]], np.float32)
    factors = call("Cholesky", matrices)
    np.testing.assert_allclose(factors[0], [[2.0, 0.0], [1.0, 2.0]])
    assert np.isnan(factors[1, 1, 1])


def test_floats_divided_by_zero_are_quiet() -> None:
    x = np.array([1.0, 0.0, -1.0], np.float32)
    np.testing.assert_array_equal(call("RealDiv", x, np.float32(0)), np.array([np.inf, np.nan, -np.inf], np.float32))
    np.testing.assert_array_equal(call("Log", x)[:2], np.array([0.0, -np.inf], np.float32))


def test_results_of_scalars_are_arrays() -> None:
    two = np.array(2.0, np.float32)
    for result in (call("Exp", two), call("AddV2", two, two), call("Sum", two, np.zeros(0, np.int32), **AXIS)):
        assert isinstance(result, np.ndarray)
        assert result.dtype == as_dtype("float32").numpy


def test_integers_are_round_already() -> None:
    integers = np.array([-7, 0, 3], np.int32)
    np.testing.assert_array_equal(call("Round", integers), integers)
