"""XLA's loop without transposes of what does not change."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import lax

import regraft.v1 as tf
from regraft.runtime import loops
from regraft.session.session import Session

RNG = np.random.default_rng(5)
X = RNG.standard_normal((3, 160)).astype(np.float32)
W = (RNG.standard_normal((160, 160)) / 40).astype(np.float32)


def by_transposed(x: Any, w: Any) -> Any:
    return lax.dot_general(x, w, (((1,), (1,)), ((), ())))


def steps(body: Any, *carried: Any) -> Any:
    """What 4 steps of `body` make of the variables."""

    def step(state: Any) -> Any:
        count, values = state
        return count + 1, body(*values)

    return loops.while_loop(lambda state: state[0] < 4, step, (0, carried))[1]


def products(function: Any, *arguments: Any) -> list[Any]:
    """The contracted axes of the products in the loop of a function."""
    (loop,) = (e for e in jax.make_jaxpr(lambda *a: function(*a))(*arguments).eqns if e.primitive.name == "while")
    body = loop.params["body_jaxpr"].eqns
    return [tuple(map(tuple, e.params["dimension_numbers"][0])) for e in body if e.primitive.name == "dot_general"]


PLAIN, TRANSPOSED = ((1,), (0,)), ((1,), (1,))


def twice(x: Any, w: Any) -> Any:
    return steps(lambda x: (by_transposed(by_transposed(x, w), w),), x)


def changing(x: Any, w: Any) -> Any:
    return steps(lambda x, w: (by_transposed(x, w), w * 0.5), x, w)


def both_ways(x: Any, w: Any) -> Any:
    return steps(lambda x: (by_transposed(x @ w, w),), x)


def small(x: Any, w: Any) -> Any:
    return steps(lambda x: (by_transposed(x, w[:100, :100]),), x[:, :100])


@pytest.mark.parametrize(
    ("function", "axes"),
    [(twice, [PLAIN] * 2), (changing, [TRANSPOSED]), (both_ways, [PLAIN] * 2), (small, [TRANSPOSED])],
)
def test_large_matrices_from_outside_are_transposed_before_the_loop(
    function: Any, axes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert products(function, X, W) == axes
    (found,) = jax.jit(lambda x, w: function(x, w)[:1])(X, W)
    monkeypatch.setattr(loops, "on_cpu", lambda: False)
    assert TRANSPOSED in products(function, X, W)
    (expected,) = jax.jit(lambda x, w: function(x, w)[:1])(X, W)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_gradients_of_a_recurrent_network_are_those_of_the_interpreter() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 160])
        w = tf.constant(W)

        def body(i: Any, h: Any) -> Any:
            return i + 1, tf.tanh(tf.matmul(h, w) + x)

        _, h = tf.while_loop(lambda i, _: i < 6, body, (0, x))
        gradients = tf.gradients(tf.reduce_sum(h * h), [x, w])
        values = [Session(graph, tier=tier).run(gradients, {x: X}) for tier in ("compile", "interpret")]
    for compiled, interpreted in zip(*values, strict=True):
        np.testing.assert_allclose(compiled, interpreted, rtol=1e-4, atol=1e-5)
