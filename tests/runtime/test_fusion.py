"""Calls of oneDNN's that do what follows them, and what constant arguments decide, against NumPy."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from jax import lax

import regraft.v1 as tf
from regraft.opkit import onednn
from regraft.runtime.fused import Fused
from regraft.runtime.fusion import Fusion
from regraft.session.session import Session

pytestmark = pytest.mark.skipif(not onednn._carried(), reason="this XLA carries no oneDNN, or another release's")

RNG = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("_WORTH_A_CONVOLUTION", "_WORTH_A_PRODUCT", "_WORTH_FUSING", "_LONG_SUM"):
        monkeypatch.setattr(onednn, limit, 1)


def split(function: Callable[..., Any], *arguments: np.ndarray, constant: tuple[int, ...], relu: bool = True) -> Fusion:
    return Fusion(jax.make_jaxpr(function)(*arguments), constant, relu)


def calls(fusion: Fusion, *arguments: np.ndarray) -> list[str]:
    """What the rest of a program does, by the names of its equations."""
    made = fusion.ahead([arguments[i] for i in fusion.sources])
    taken = [arguments[i] for i in fusion.taken]
    return [e.primitive.name for e in jax.make_jaxpr(lambda *a: fusion.rest(a, made))(*taken).eqns]


def check(fusion: Fusion, want: Any, *arguments: np.ndarray) -> None:
    made = jax.jit(fusion.ahead)([arguments[i] for i in fusion.sources])
    (got,) = jax.jit(fusion.rest)([arguments[i] for i in fusion.taken], made)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def wide(vector: Any, like: Any) -> Any:
    return lax.broadcast_in_dim(vector, like.shape, (like.ndim - 1,))


def convolved(x: Any, filters: Any) -> Any:
    return onednn.convolution(x, filters, x.shape[1:-1], (1, 1), ((1, 1), (1, 1)), (1, 1))


def convolution(x: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """A 3x3 convolution with padding SAME, summed in float64."""
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = x.shape[1:3]
    return sum(padded[:, i : i + height, j : j + width] @ filters[i, j] for i in range(3) for j in range(3))


X, FILTERS, SCALE, SHIFT = normal(2, 6, 6, 3), normal(3, 3, 3, 5), normal(5), normal(5)
CONVOLVED = convolution(X, FILTERS).astype(np.float32)


def test_an_affine_map_and_a_relu_go_into_the_call() -> None:
    def net(x: Any, filters: Any, scale: Any, shift: Any) -> Any:
        y = convolved(x, filters)
        y = (y - wide(shift, y)) * wide(scale, y) + wide(scale, y)
        return lax.min(lax.max(y, np.float32(0)), np.float32(6))

    arguments = X, FILTERS, SCALE, SHIFT
    fusion = split(net, *arguments, constant=(1, 2, 3))
    assert fusion.sources == (1, 2, 3)
    names = calls(fusion, *arguments)
    assert names.count("ffi_call") == 1
    assert not {"add", "sub", "mul", "max", "min"} & set(names)
    check(fusion, np.clip((CONVOLVED - SHIFT) * SCALE + SCALE, 0, 6), *arguments)


def test_a_residual_and_a_bias_that_is_not_constant_go_into_the_call() -> None:
    def net(x: Any, filters: Any, bias: Any, residual: Any) -> Any:
        y = convolved(x, filters)
        return lax.max(residual + (y + wide(bias, y)), np.float32(0))

    residual = normal(*CONVOLVED.shape)
    arguments = X, FILTERS, SHIFT, residual
    fusion = split(net, *arguments, constant=())
    assert calls(fusion, *arguments).count("ffi_call") == 1
    assert "max" not in calls(fusion, *arguments)
    check(fusion, np.maximum(CONVOLVED + SHIFT + residual, 0), *arguments)


def test_a_program_takes_no_more_values_than_it_reads() -> None:
    def net(x: Any, filters: Any, scale: Any, shift: Any, rows: Any) -> Any:
        y = convolved(x, filters)
        y = lax.sin(y * wide(scale, y) + wide(shift, y))
        for i in range(4):
            y = y + wide(lax.index_in_dim(rows, i, keepdims=False), y)
        return y

    rows = normal(4, 5)
    arguments = X, FILTERS, SCALE, SHIFT, rows
    fusion = split(net, *arguments, constant=(1, 2, 3, 4))
    made = fusion.ahead([arguments[i] for i in fusion.sources])
    assert {np.shape(v) for v in made} == {FILTERS.shape, SHIFT.shape} and len(made) == 2
    assert fusion.taken == (0, 4)  # whole, not row by row
    check(fusion, np.sin(CONVOLVED * SCALE + SHIFT) + rows.sum(0), *arguments)


@pytest.mark.parametrize("transposed", [False, True])
def test_products_and_the_reshaping_between(transposed: bool) -> None:
    def net(a: Any, b: Any, scale: Any) -> Any:
        y = lax.reshape(lax.dot_general(a, b, (((1,), (1 if transposed else 0,)), ((), ()))), (2, 3, 5))
        return lax.max(y * wide(scale, y), np.float32(0))

    a, b = normal(6, 4), normal(5, 4) if transposed else normal(4, 5)
    fusion = split(net, a, b, SCALE, constant=(1, 2))
    assert "mul" not in calls(fusion, a, b, SCALE)
    check(fusion, np.maximum((a @ (b.T if transposed else b)).reshape(2, 3, 5) * SCALE, 0), a, b, SCALE)


def test_a_product_over_nothing_beside_a_call() -> None:
    def net(x: Any, filters: Any, a: Any, b: Any) -> Any:
        y = convolved(x, filters)
        return lax.reshape(lax.dot_general(a, b, (((1,), (0,)), ((), ()))), y.shape) + y

    arguments = X, FILTERS, normal(72, 0), normal(0, 5)
    check(split(net, *arguments, constant=()), CONVOLVED, *arguments)


def test_what_is_used_twice_stays() -> None:
    def net(x: Any, filters: Any) -> Any:
        y = convolved(x, filters)
        return lax.max(y, np.float32(0)) + y

    assert not split(net, X, FILTERS, constant=(1,)).found


@pytest.mark.parametrize(
    "follow",
    [
        lambda y, v: wide(v, y) - y,
        lambda y, v: lax.max(y, np.float32(1)),
        lambda y, v: lax.min(y, np.float32(6)),
        lambda y, v: lax.broadcast_in_dim(lax.slice(v, (0,), (2,)), y.shape, (0,)) + y,
    ],
    ids=["subtracted from", "another floor", "no floor", "a vector along another axis"],
)
def test_what_onednn_does_not_do_keeps_its_meaning(follow: Callable[[Any, Any], Any]) -> None:
    def net(x: Any, filters: Any, vector: Any) -> Any:
        return follow(convolved(x, filters), vector)

    fusion = split(net, X, FILTERS, SHIFT, constant=(1, 2))
    check(fusion, follow(jax.numpy.asarray(CONVOLVED), jax.numpy.asarray(SHIFT)), X, FILTERS, SHIFT)


def test_a_factor_that_is_not_constant_stays_behind_the_call() -> None:
    def net(x: Any, filters: Any, scale: Any, bias: Any) -> Any:
        y = convolved(x, filters)
        y = y + wide(bias, y)
        return y * wide(scale, y)

    arguments = X, FILTERS, SCALE, SHIFT
    fusion = split(net, *arguments, constant=(1,))
    assert "mul" in calls(fusion, *arguments)
    check(fusion, (CONVOLVED + SHIFT) * SCALE, *arguments)


def test_a_relu_that_should_show_nan_stays() -> None:
    def net(x: Any, filters: Any, bias: Any) -> Any:
        y = convolved(x, filters)
        return lax.max(y + wide(bias, y), np.float32(0))

    bias = np.array([np.nan, 0, 0, 0, 0], np.float32)
    fusion = split(net, X, FILTERS, bias, constant=(), relu=False)
    check(fusion, np.maximum(CONVOLVED + bias, 0), X, FILTERS, bias)


@pytest.mark.parametrize("adjoint", [False, True])
def test_attention_is_multiplied_where_it_lies(adjoint: bool) -> None:
    def swap(v: Any) -> Any:
        return lax.transpose(v, (0, 2, 1, 3))

    def net(queries: Any, keys: Any) -> Any:
        return swap(onednn.matmul(swap(queries), swap(keys), False, adjoint))

    queries, keys = normal(2, 4, 3, 7), normal(2, 5, 3, 7) if adjoint else normal(2, 7, 3, 5)
    fusion = split(net, queries, keys, constant=())
    assert calls(fusion, queries, keys) == ["ffi_call"]
    check(fusion, np.einsum("bqhd,bkhd->bqhk" if adjoint else "bqhd,bdhk->bqhk", queries, keys), queries, keys)


def test_what_one_product_swaps_may_be_multiplied_again() -> None:
    def net(a: Any, b: Any, c: Any) -> Any:
        return onednn.matmul(lax.transpose(onednn.matmul(a, b), (0, 2, 1, 3)), c)

    a, b, c = normal(2, 3, 4, 5), normal(2, 3, 5, 6), normal(2, 4, 6, 7)
    fusion = split(net, a, b, c, constant=())
    assert calls(fusion, a, b, c).count("transpose") == 0
    check(fusion, (a @ b).transpose(0, 2, 1, 3) @ c, a, b, c)


def network(fixed: bool) -> tuple[Any, Any, list[Any]]:
    """A convolution, the batch norm of inference, a residual and a ReLU, with variables or constants."""
    x = tf.placeholder(tf.float32, [2, 6, 6, 3])
    make = tf.constant if fixed else (lambda value: tf.Variable(value, use_resource=True))
    held = [make(v) for v in (FILTERS, SCALE, SHIFT, SHIFT + 1, SCALE**2 + 1)]
    y = tf.nn.conv2d(x, held[0], [1, 1, 1, 1], "SAME")
    y, _, _ = tf.nn.fused_batch_norm(y, *held[1:3], mean=held[3], variance=held[4], is_training=False)
    return x, tf.nn.relu(y + tf.reduce_mean(x, 3, keepdims=True)), held


def expected(x: np.ndarray, filters: np.ndarray) -> np.ndarray:
    y = (convolution(x, filters) - (SHIFT + 1)) / np.sqrt(SCALE**2 + 1 + 1e-3) * SCALE + SHIFT
    return np.maximum(y + x.mean(3, keepdims=True), 0)


def programs(sess: Session) -> list[Fused]:
    calls = [p._call for made in sess._executor._programs.values() for p in made.values()]
    return [c for c in calls if isinstance(c, Fused)]


@pytest.mark.parametrize("fixed", [False, True], ids=["variables", "constants"])
def test_a_network_runs_with_what_was_made_ahead(fixed: bool) -> None:
    with tf.Graph().as_default() as graph:
        x, y, _ = network(fixed)
        sess = Session(graph, "compile")
        sess.run(tf.global_variables_initializer())
        for value in (X, X + 1):
            np.testing.assert_allclose(sess.run(y, {x: value}), expected(value, FILTERS), rtol=1e-5, atol=1e-5)
        assert len(programs(sess)) == 1


def test_it_is_made_again_when_a_variable_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    with tf.Graph().as_default() as graph:
        x, y, held = network(False)
        new = tf.placeholder(tf.float32, FILTERS.shape)
        change = held[0].assign(new)
        sess = Session(graph, "compile")
        sess.run(tf.global_variables_initializer())
        sess.run(y, {x: X})
        (program,) = programs(sess)
        made = 0
        ahead = program._ahead

        def counted(sources: Any) -> Any:
            nonlocal made
            made += 1
            return ahead(sources)

        monkeypatch.setattr(program, "_ahead", counted)
        sess.run(y, {x: X})
        assert made == 0
        sess.run(change, {new: 2 * FILTERS})
        for _ in range(2):
            np.testing.assert_allclose(sess.run(y, {x: X}), expected(X, 2 * FILTERS), rtol=1e-5, atol=1e-5)
        assert made == 1


def test_variables_are_looked_up_once_while_none_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    with tf.Graph().as_default() as graph:
        x, y, held = network(False)
        sess = Session(graph, "compile")
        sess.run(tf.global_variables_initializer())
        sess.run(y, {x: X})
        looked_up: list[str] = []
        get = sess._state.variables.get
        monkeypatch.setattr(sess._state.variables, "get", lambda name: (looked_up.append(name), get(name))[1])
        np.testing.assert_allclose(sess.run(y, {x: X}), expected(X, FILTERS), rtol=1e-5, atol=1e-5)
        assert not looked_up
        sess.run(held[0].assign(2 * FILTERS))
        for _ in range(2):
            np.testing.assert_allclose(sess.run(y, {x: X}), expected(X, 2 * FILTERS), rtol=1e-5, atol=1e-5)
        sess._state.variables.forget(held[0].op.name)
        with pytest.raises(tf.errors.FailedPreconditionError, match=held[0].op.name):
            sess.run(y, {x: X})


def test_old_values_of_variables_are_not_kept_alive() -> None:
    with tf.Graph().as_default() as graph:
        x, y, held = network(False)
        sess = Session(graph, "compile")
        sess.run(tf.global_variables_initializer())
        sess.run(y, {x: X})
        sess.run(y, {x: X})
        old = weakref.ref(sess._state.variables.get(held[0].op.name))
        assert old() is not None
        sess.run(held[0].assign(FILTERS + 1))
        gc.collect()
        assert old() is None
