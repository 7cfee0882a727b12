"""Values that are computed once: what comes out is what went in, and it is computed apart from its readers."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from regraft.opkit.settled import settled


@pytest.mark.parametrize("first", [1.5, np.nan, np.inf])
def test_a_value_is_the_same_whatever_its_first_cell(first: float) -> None:
    x = np.array([[first, 2, np.nan], [4, 5, 6]], np.float32)
    np.testing.assert_array_equal(jax.jit(settled)(x), x)


@pytest.mark.parametrize("x", [np.arange(4), np.zeros((0, 3), np.float32), np.float32(3), np.array([True, False])])
def test_other_values_pass_as_they_are(x: Any) -> None:
    np.testing.assert_array_equal(jax.jit(settled)(x), x)


def test_it_is_differentiated_as_the_identity() -> None:
    x = np.array([1, 2, 3], np.float32)
    np.testing.assert_array_equal(jax.grad(lambda v: (settled(v * v)).sum())(x), 2 * x)


def test_readers_of_a_settled_value_do_not_compute_it_again() -> None:
    def loops(barrier: Any) -> int:
        def function(x: Any) -> Any:
            y = barrier(jax.numpy.tanh(x))
            return y[:-1, :-1] + y[1:, 1:] + y[:-1, 1:]

        return jax.jit(function).lower(np.zeros((64, 64), np.float32)).compile().as_text().count("while(")

    assert loops(settled) == 1
    assert loops(lambda x: x) == 0
