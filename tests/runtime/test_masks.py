"""Dropout's random numbers: TensorFlow's, whether all is kept or some, and drawn once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from regraft.runtime.masks import undrawn
from tests import oracle
from tests.runtime.test_control_flow import steps_of

pytestmark = pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")

KEPT = [{"keep:0": np.float32(keep)} for keep in (1.0, 0.6, 0.01, 1.0, 0.6)]
SIZES = [37, 20]


def _x(tf: Any) -> Any:
    return tf.constant(np.linspace(-2, 3, 37 * 20, dtype=np.float32).reshape(SIZES))


def _keep(tf: Any, dtype: Any = np.float32) -> Any:
    return tf.cast(tf.placeholder(tf.float32, [], name="keep"), dtype)


def _dropout(tf: Any) -> Any:
    return tf.nn.dropout(_x(tf), keep_prob=_keep(tf), seed=3)


def _with_gradient(tf: Any) -> Any:
    x = _x(tf)
    y = tf.square(tf.nn.dropout(1.5 * x, rate=1 - _keep(tf), seed=3))
    return [y, *tf.gradients(y, [x])]


def _constant_rate(tf: Any) -> Any:
    x = _x(tf)
    y = tf.square(tf.nn.dropout(1.5 * x, rate=0.3, seed=3))
    return [y + _keep(tf), *tf.gradients(y, [x])]


def _rounded(dtype: Any, low: float = 0.0, high: float = 1.0) -> Callable[[Any], Any]:
    """As older graphs have it."""

    def build(tf: Any) -> Any:
        x, keep = tf.cast(_x(tf), dtype), _keep(tf, dtype)
        raw = tf.raw_ops.RandomUniform(shape=SIZES, dtype=tf.as_dtype(dtype), seed=3, seed2=5)
        u = raw * np.asarray(high - low, dtype) + np.asarray(low, dtype)
        mask = tf.floor(keep + u)
        y = x / keep * mask
        return [y, mask, *tf.gradients(y, [x])]

    return build


def _per_row(tf: Any) -> Any:
    """A rate for each column: no scalar."""
    rate = _keep(tf) * tf.constant(np.linspace(0, 1, 20, dtype=np.float32))
    return [tf.random_uniform(SIZES, seed=3) >= rate]


def _twice(tf: Any) -> Any:
    u = tf.random_uniform(SIZES, seed=3)
    return [tf.where(u >= 1 - _keep(tf), u, -u)]


def _of_two(tf: Any) -> Any:
    """The sum of two draws, rounded, and a draw against another."""
    u, v, w = (tf.random_uniform(SIZES, seed=i) for i in range(3))
    return [tf.floor(u + (v + _keep(tf))), w >= tf.random_uniform(SIZES, seed=3)]


def _the_other_way(tf: Any) -> Any:
    return [_keep(tf) >= tf.random_uniform(SIZES, seed=3)]


def _fetched(tf: Any) -> Any:
    u = tf.random_uniform(SIZES, seed=3)
    return [u, u + _keep(tf)]


def _out_of_range(tf: Any) -> Any:
    """Rates below 0, above 1 and NaN."""
    keep = _keep(tf)
    rates = [keep - 2, keep + 2, keep * np.float32(np.nan)]
    return [tf.random_uniform(SIZES, seed=i) >= rate for i, rate in enumerate(rates)]


def _in_a_loop(tf: Any) -> Any:
    keep = _keep(tf)

    def body(i: Any, x: Any) -> Any:
        return i + 1, tf.cond(i < 2, lambda: tf.nn.dropout(x, keep_prob=keep, seed=3), lambda: x * 2.0)

    return tf.while_loop(lambda i, x: i < 4, body, [0, _x(tf)])


# What each builds, and for how many of its random ops numbers are drawn late.
PROGRAMS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "dropout": (lambda tf: [_dropout(tf)], 1),
    "gradient": (_with_gradient, 1),
    "constant": (_constant_rate, 1),
    "rounded": (_rounded(np.float32), 1),
    "rounded double": (_rounded(np.float64), 1),
    "rounded half": (_rounded(np.float16), 1),
    "another range": (_rounded(np.float32, -0.5, 0.5), 1),
    "loop": (_in_a_loop, 1),
    "out of range": (_out_of_range, 3),
    "per row": (_per_row, 1),
    "twice": (_twice, 0),
    "of two": (_of_two, 3),
    "other way": (_the_other_way, 0),
    "fetched": (_fetched, 0),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_masks_are_those_of_tensorflow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, late = PROGRAMS[name]
    (step,) = steps_of(name, lambda tf: (build(tf), KEPT), monkeypatch, rtol=1e-6, atol=0)
    assert step.compiled
    assert len(undrawn(step.nodes, step.outputs)) == late
