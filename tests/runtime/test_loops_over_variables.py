"""Loops whose values start from variables: the loop changes the value, never the variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regraft.v1 as tf


def _doubled(x: Any) -> Any:
    return tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2.0), [tf.constant(0), x])[1]


def _swapped(x: Any) -> Any:
    last = tf.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, b, a), [tf.constant(0), x, x * 10.0])
    return last[1]


def _nested(x: Any) -> Any:
    def body(i: Any, v: Any) -> Any:
        return i + 1, v + tf.while_loop(lambda j, w: j < 2, lambda j, w: (j + 1, w + x), [tf.constant(0), x])[1]

    return tf.while_loop(lambda i, v: i < 2, body, [tf.constant(0), x])[1]


LOOPS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "changed in each iteration": (_doubled, 1.5 * 8),
    "changed, behind other names for the variable": (lambda x: _doubled(tf.identity(tf.identity(x))), 1.5 * 8),
    "never changed": (
        lambda x: tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v), [tf.constant(0), x])[1],
        1.5,
    ),
    "exchanged": (_swapped, 15.0),
    "nested": (_nested, 1.5 + 2 * 4.5),
    "out of a branch that names the variable": (
        lambda x: _doubled(tf.cond(tf.constant(True), lambda: x, lambda: x)),
        1.5 * 8,
    ),
}


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("row", LOOPS.values(), ids=LOOPS.keys())
def test_loop_that_starts_from_a_variable(row: Any, resource: bool) -> None:
    make, wanted = row
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.get_variable("x", initializer=np.float32(1.5), use_resource=resource)
        y = make(x)
        sess.run(x.initializer)
        for _ in range(2):
            assert sess.run(y) == wanted
        assert sess.run(x) == 1.5
