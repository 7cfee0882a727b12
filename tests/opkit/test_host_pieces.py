"""What NumPy kernels compute a piece at a time, against the same in one go and in double precision."""

from __future__ import annotations

import numpy as np

from regraft.opkit import host_norm, host_pieces, optimizer_steps

RNG = np.random.default_rng(3)
SHAPE = (5, host_pieces.PIECE // 16 + 3, 4)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def test_a_step_of_an_optimizer_reaches_every_element_of_a_large_variable() -> None:
    var, accum, grad = (normal(*SHAPE) for _ in range(3))
    rate, momentum = np.float32(0.1), np.float32(0.9)
    new, velocity = optimizer_steps.momentum(var, accum, rate, grad, momentum, False)
    np.testing.assert_array_equal(velocity, accum * momentum + grad)
    np.testing.assert_array_equal(new, var - velocity * rate)


def test_a_result_that_is_no_tuple_stays_none() -> None:
    var, delta = normal(*SHAPE), normal(*SHAPE)
    np.testing.assert_array_equal(
        optimizer_steps.gradient_descent(var, np.float32(0.5), delta), var - np.float32(0.5) * delta
    )


def test_sums_over_channels_lose_nothing_over_many_rows() -> None:
    x = normal(3, 40_000, 3) + np.float32(100)
    mean = x.mean((0, 1), dtype=np.float64)
    np.testing.assert_allclose(host_norm.channel_sums(x), x.sum((0, 1), dtype=np.float64), rtol=1e-5)
    squares = np.square(x - mean).sum((0, 1))
    np.testing.assert_allclose(host_norm.square_sums(x, mean.astype(np.float32)), squares, rtol=1e-5)


def test_a_gradient_through_moments_is_its_formula() -> None:
    dy, x = normal(2, 9000, 5), normal(2, 9000, 5)
    mean, shift, slope, factor = (normal(5) for _ in range(4))
    wide = dy.astype(np.float64) - shift - (x.astype(np.float64) - mean) * slope
    np.testing.assert_allclose(
        host_norm.gradient(dy, x, mean, shift, slope, factor), wide * factor, rtol=1e-4, atol=1e-5
    )
    total, along = host_norm.gradient_sums(dy, x, mean)
    np.testing.assert_allclose(total, dy.sum((0, 1), dtype=np.float64), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(along, (dy * (x.astype(np.float64) - mean)).sum((0, 1)), rtol=1e-4, atol=1e-3)
