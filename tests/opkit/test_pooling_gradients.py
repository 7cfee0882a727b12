"""Gradients of pooling as programs against those in NumPy, for windows of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from regraft.opkit import pooling
from regraft.opkit.pooling import Window

# Of axes: size, window, stride, pads.
_AXES = {
    "side by side": (8, 2, 2, (0, 0)),
    "side by side, cells left over": (9, 2, 2, (0, 0)),
    "side by side, padded": (7, 3, 3, (1, 1)),
    "overlapping": (9, 3, 2, (0, 0)),
    "overlapping, padded": (8, 3, 2, (0, 1)),
    "far overlapping": (11, 5, 2, (2, 2)),
    "every place": (6, 3, 1, (1, 1)),
    "apart": (10, 2, 3, (0, 0)),
    "apart, padded": (10, 2, 4, (1, 1)),
    "one place": (5, 5, 1, (0, 0)),
    "one place, cells left over": (5, 4, 3, (0, 0)),
    "one place, padded": (3, 4, 2, (1, 0)),
    "one cell": (6, 1, 2, (0, 0)),
    "pads as wide as strides": (4, 2, 1, (1, 4)),
}


def window_over(kind: str, other: str) -> tuple[tuple[int, ...], Window]:
    (n, k, s, p), (m, j, t, q) = _AXES[kind], _AXES[other]
    return (2, n, m, 3), Window((1, k, j, 1), (1, s, t, 1), ((0, 0), p, q, (0, 0)))


def numbers(sizes: tuple[int, ...], seed: int, most: int = 100) -> Any:
    """Whole numbers, some of them equal, so that sums are exact and maxima are not unique."""
    return np.random.default_rng(seed).integers(0, most, sizes).astype(np.float32)


def program(function: Callable[..., Any], *arguments: Any) -> Any:
    return np.asarray(jax.jit(function)(*map(jax.numpy.asarray, arguments)))


@pytest.mark.parametrize("other", ["overlapping", "side by side", "every place"])
@pytest.mark.parametrize("kind", _AXES)
def test_maximum(kind: str, other: str) -> None:
    sizes, window = window_over(kind, other)
    x = numbers(sizes, 1, most=6)
    x[0, 0, 0, 0] = np.nan
    y = pooling.max_pool(x, window)
    dy = numbers(y.shape, 2)
    for gradient in (pooling.max_pool_gradient, pooling.max_pool_gradient_to_all):
        want = gradient(x, y, dy, window)
        assert want.any()
        np.testing.assert_array_equal(program(lambda x, y, dy, g=gradient: g(x, y, dy, window), x, y, dy), want)


# Windows on the padding alone have no mean.
@pytest.mark.parametrize("other", ["overlapping", "side by side", "every place"])
@pytest.mark.parametrize("kind", sorted(_AXES.keys() - {"pads as wide as strides"}))
def test_mean(kind: str, other: str) -> None:
    sizes, window = window_over(kind, other)
    dy = numbers(window.places(sizes), 3)
    want = pooling.avg_pool_gradient(sizes, dy, window)
    found = program(lambda dy: pooling.avg_pool_gradient(sizes, dy, window), dy)
    np.testing.assert_allclose(found, want, rtol=1e-6)


def test_gradients_of_an_empty_batch() -> None:
    _, window = window_over("overlapping, padded", "side by side")
    x, y = np.zeros((0, 8, 8, 3), np.float32), np.zeros((0, 4, 4, 3), np.float32)
    assert program(lambda x, y: pooling.max_pool_gradient(x, y, y, window), x, y).shape == x.shape
    assert program(lambda y: pooling.avg_pool_gradient(x.shape, y, window), y).shape == x.shape


@pytest.mark.parametrize("dtype", [np.int32, np.float64, np.float16])
def test_other_dtypes(dtype: Any) -> None:
    sizes, window = window_over("overlapping, padded", "side by side")
    x = numbers(sizes, 4, most=9).astype(dtype)
    y = pooling.max_pool(x, window)
    dy = numbers(y.shape, 5, most=9).astype(dtype)
    with jax.enable_x64(True):
        found = program(lambda x, y, dy: pooling.max_pool_gradient(x, y, dy, window), x, y, dy)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, pooling.max_pool_gradient(x, y, dy, window))
