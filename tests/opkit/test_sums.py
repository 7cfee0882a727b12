"""Sums of traced arrays over axes, against NumPy in double precision."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from regraft.opkit.sums import sum_over

RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((4, 28, 28, 24), (0, 1, 2)),
        ((67, 8), (0,)),  # a prime number of rows
        ((2, 7, 7, 8), (0, 1, 2)),
        ((5 * 13, 9), (0,)),
        ((96, 3, 5), (0,)),
        ((3, 5, 40), (2,)),
        ((3, 70, 40), (0, 2)),
        ((3, 5), (0, 1)),
        ((0, 9), (0,)),
        ((70, 1), (0,)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_a_sum_is_numpys(shape: tuple[int, ...], axes: tuple[int, ...], dtype: type) -> None:
    x = (RNG.standard_normal(shape) * 8).astype(dtype)
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(lambda v: sum_over(v, axes))(x))
    assert found.dtype == x.dtype
    np.testing.assert_allclose(found, x.sum(axes, dtype=np.float64), rtol=1e-6, atol=1e-4)


def test_many_rows_of_one_sign_keep_six_digits() -> None:
    x = RNG.random((50_176, 16), np.float32) + np.float32(1)
    np.testing.assert_allclose(jax.jit(lambda v: sum_over(v, (0,)))(x), x.sum(0, dtype=np.float64), rtol=1e-6)
