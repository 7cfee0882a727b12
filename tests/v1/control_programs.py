"""Programs of conditionals and loops, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _xyp(tf: Any) -> tuple[Any, Any, Any]:
    x = tf.placeholder(tf.float32, [3, 4], name="x")
    y = tf.placeholder(tf.float32, [None, 4], name="y")
    return x, y, tf.placeholder(tf.bool, [], name="p")


@program
def conds(tf: Any) -> None:
    x, y, p = _xyp(tf)
    tf.cond(p, lambda: x + 1.0, lambda: x * 2.0)
    tf.cond(p, lambda: y + x, lambda: x - 1.0, name="named")
    tf.cond(tf.reduce_sum(x) > 0.0, lambda: tf.constant(1), lambda: 2)
    tf.cond(p, lambda: x, lambda: y)
    tf.cond(p, fn1=lambda: x, fn2=lambda: x)
    tf.cond(np.bool_(True), lambda: 1.0, lambda: 2.0)


@program
def results_of_conds(tf: Any) -> None:
    x, y, p = _xyp(tf)
    pair = collections.namedtuple("pair", "first second")
    tf.cond(p, lambda: [x], lambda: [x + 1.0])
    tf.cond(p, lambda: [x], lambda: [x + 1.0], strict=True)
    tf.cond(p, lambda: (x, [y, 1]), lambda: (tf.abs(x), [x, 2]))
    tf.cond(p, lambda: {"b": x, "a": y}, lambda: {"a": x, "b": x})
    found = tf.cond(p, lambda: pair(x, y), lambda: pair(y, x))
    tf.identity(found.second)
    slices = tf.IndexedSlices(x, tf.constant([1, 2, 0]), tf.constant([5, 4]))
    tf.identity(tf.cond(p, lambda: slices, lambda: tf.IndexedSlices(-x, slices.indices, slices.dense_shape)).values)


@program
def operations_in_conds(tf: Any) -> None:
    x, _, p = _xyp(tf)
    v = tf.Variable(tf.zeros([3, 4]), name="v", use_resource=False)
    r = tf.Variable(tf.zeros([3, 4]), name="r", use_resource=True)
    tf.cond(p, lambda: tf.assign(v, x), lambda: tf.assign_add(v, x))
    tf.cond(p, lambda: tf.assign(v, x).op, lambda: tf.no_op())
    tf.cond(p, lambda: r.assign(x).op, lambda: tf.no_op("nothing"))
    tf.cond(p, lambda: r, lambda: x)
    tf.cond(p, lambda: v, lambda: v + 1.0)
    with tf.control_dependencies([tf.no_op("before")]):
        tf.cond(p, lambda: tf.constant(1.0), lambda: tf.constant(2.0))

    def waits() -> Any:
        with tf.control_dependencies([tf.assign(v, x)]):
            return tf.constant(3.0)

    tf.cond(p, waits, lambda: tf.constant(2.0))


@program
def conds_in_conds(tf: Any) -> None:
    x, y, p = _xyp(tf)
    q = tf.placeholder(tf.bool, [], name="q")
    z = x * 3.0

    def inner() -> Any:
        local = x + 1.0
        return tf.cond(q, lambda: local * y, lambda: tf.cond(p, lambda: z, lambda: local))

    tf.cond(p, inner, lambda: y + z)


@program
def conds_with_scopes(tf: Any) -> None:
    x, y, p = _xyp(tf)
    with tf.name_scope("outer"), tf.device("/cpu:0"):
        tf.cond(p, lambda: tf.matmul(x, y, transpose_b=True), lambda: tf.zeros([3, 7]))
    with tf.variable_scope("net"):

        def dense() -> Any:
            w = tf.get_variable("w", [4, 2], use_resource=False)
            return tf.matmul(x, w)

        tf.cond(p, dense, lambda: tf.reshape(y, [-1, 2]))
    with tf.colocate_with(x):
        tf.cond(p, lambda: y + 1.0, lambda: y)


@program
def cases(tf: Any) -> None:
    x, y, p = _xyp(tf)
    q = tf.placeholder(tf.bool, [], name="q")
    tf.case([(p, lambda: x), (q, lambda: y)], default=lambda: x + 1.0)
    tf.case([(p, lambda: x), (q, lambda: y)], default=lambda: x + 1.0, exclusive=True)
    tf.case([(p, lambda: x), (q, lambda: y)], name="no_default")
    tf.case({q: lambda: x, p: lambda: y}, exclusive=True, strict=True)


@program
def assertions(tf: Any) -> None:
    x, y, p = _xyp(tf)
    tf.Assert(p, [x, y])
    tf.Assert(p, ["text", 3], summarize=5)
    with tf.control_dependencies([tf.Assert(tf.reduce_all(x > 0.0), [x], name="positive"), tf.assert_less(x, 2.0)]):
        tf.identity(y)
