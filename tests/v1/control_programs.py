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


@program
def gradients_of_conds(tf: Any) -> None:
    x, y, p = _xyp(tf)
    z = tf.cond(p, lambda: x * 2.0, lambda: x + 1.0)
    tf.gradients(z, x)
    tf.gradients(tf.cond(p, lambda: x * y[:3], lambda: tf.square(x)), [x, y])
    tf.gradients(tf.cond(p, lambda: x, lambda: y), [x, y])
    first, second = tf.cond(p, lambda: (tf.exp(x), x), lambda: (x * x, tf.constant(1.0)))
    tf.gradients([first, second], x)
    tf.gradients(tf.cond(p, lambda: tf.unstack(x)[1], lambda: x[0]), x)


@program
def gradients_of_variables_in_conds(tf: Any) -> None:
    x, _, p = _xyp(tf)
    v = tf.Variable(tf.zeros([4, 2]), name="v", use_resource=False)
    r = tf.Variable(tf.zeros([4, 2]), name="r", use_resource=True)
    tf.gradients(tf.cond(p, lambda: tf.matmul(x, v), lambda: tf.matmul(-x, v) * 2.0), v)
    tf.gradients(tf.cond(p, lambda: tf.matmul(x, r), lambda: tf.matmul(-x, r) * 2.0), r)
    tf.gradients(tf.cond(p, lambda: tf.matmul(x, r), lambda: x[:, :2]), r)
    i = tf.placeholder(tf.int32, [None], name="i")
    tf.gradients(tf.cond(p, lambda: tf.gather(v, i), lambda: tf.gather(v, i + 1)), v)
    tf.gradients(tf.cond(p, lambda: tf.gather(v, i), lambda: v), v)


@program
def gradients_of_conds_in_conds(tf: Any) -> None:
    x, y, p = _xyp(tf)
    q = tf.placeholder(tf.bool, [], name="q")
    z = tf.cond(p, lambda: tf.cond(q, lambda: x * y[:3], lambda: tf.sin(x)), lambda: x)
    tf.gradients(z, [x, y], colocate_gradients_with_ops=True)


@program
def gradients_of_bare_switches(tf: Any) -> None:
    x, _, p = _xyp(tf)
    false, true = tf.raw_ops.Switch(data=x, pred=p)
    merged = tf.raw_ops.Merge(inputs=[false * 2.0, true + 1.0])
    tf.gradients(merged[0], x)


@program
def loops(tf: Any) -> None:
    x, y, _ = _xyp(tf)
    tf.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0)])
    tf.while_loop(lambda i, a: i < 10, lambda i, a: (i + 1, a * 2.0), [0, x])
    tf.while_loop(lambda i, a: tf.reduce_sum(a) < 10.0, lambda i, a: [i + 1, a + x], (tf.constant(0), x), name="named")
    tf.while_loop(lambda a: tf.reduce_sum(a) < 10.0, lambda a: tf.matmul(a, x[:, :3] + 1.0), [x[:, :3]])
    tf.while_loop(
        lambda i, a: i < 3,
        lambda i, a: (i + 1, tf.concat([a, y], 0)),
        [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 4])],
        parallel_iterations=1,
        back_prop=False,
        swap_memory=True,
    )
    tf.while_loop(lambda i: True, lambda i: i + 1, [tf.constant(0)], maximum_iterations=5)
    tf.while_loop(lambda i, a: i < 9, lambda i, a: (i + 1, {"k": a["k"] + 1.0}), (0, {"k": x}), maximum_iterations=5)
    tf.while_loop(lambda i: i < 9, lambda i: [i + 1], [0], return_same_structure=True)


@program
def constants_and_controls_in_loops(tf: Any) -> None:
    x, y, _ = _xyp(tf)
    v = tf.Variable(tf.zeros([3, 4]), name="v", use_resource=False)
    r = tf.Variable(tf.zeros([3, 4]), name="r", use_resource=True)
    outside = tf.square(y)

    def body(i: Any, a: Any) -> Any:
        with tf.control_dependencies([outside]):
            more = tf.constant(2.0)
        with tf.control_dependencies([tf.assign(v, a)]):
            more = more + tf.reduce_sum(tf.exp(outside) * 3.0)
        return i + tf.constant(1), a * more + v + r

    tf.while_loop(lambda i, a: i < 10, body, [0, x])
    with tf.control_dependencies([outside]):
        tf.while_loop(lambda i, a: i < tf.size(y), body, [0, r])
    with tf.device("/cpu:0"):
        tf.while_loop(lambda i: i < 3, lambda i: i + tf.shape(x)[0], [0])


@program
def loops_in_loops(tf: Any) -> None:
    x, _, p = _xyp(tf)

    def outer(i: Any, a: Any) -> Any:
        _, grown = tf.while_loop(lambda j, c: j < i, lambda j, c: (j + 1, c + x * a), [0, a])
        return i + 1, tf.cond(p, lambda: grown + x, lambda: tf.abs(grown))

    tf.while_loop(lambda i, a: i < 10, outer, [0, x])
    tf.cond(p, lambda: tf.while_loop(lambda i, a: i < 10, outer, [0, x])[1], lambda: x)
    tf.cond(p, lambda: tf.while_loop(lambda i: i < 10, lambda i: i + 1, [0]), lambda: 3)


@program
def gradients_of_loops(tf: Any) -> None:
    x, y, _ = _xyp(tf)
    _, z = tf.while_loop(lambda i, a: i < 10, lambda i, a: (i + 1, a * 2.0), [0, x])
    tf.gradients(z, x)
    _, z = tf.while_loop(lambda i, a: i < 10, lambda i, a: (i + 1, tf.sin(a) * x), [0, x])
    tf.gradients(z, x, name="invariant")
    _, z, _ = tf.while_loop(
        lambda i, a, c: i < 10, lambda i, a, c: (i + 1, a * c, tf.exp(c)), [0, x, x + 1.0], parallel_iterations=1
    )
    tf.gradients(z, x)
    _, z = tf.while_loop(lambda i, a: i < 10, lambda i, a: (i + 1, a * tf.reduce_mean(a * y, 0)), [0, y])
    tf.gradients(z, y)


@program
def gradients_of_conds_in_loops(tf: Any) -> None:
    x, _, _ = _xyp(tf)

    def body(i: Any, a: Any) -> Any:
        return i + 1, tf.cond(i > 3, lambda: a * x, lambda: tf.square(a))

    _, z = tf.while_loop(lambda i, a: i < 10, body, [0, x])
    tf.gradients(z, x)


@program
def gradients_of_loops_in_loops(tf: Any) -> None:
    x, _, _ = _xyp(tf)

    def outer(i: Any, a: Any) -> Any:
        _, grown = tf.while_loop(lambda j, c: j < i, lambda j, c: (j + 1, c * tf.sin(x)), [0, a])
        return i + 1, grown * a

    _, z = tf.while_loop(lambda i, a: i < 10, outer, [0, x])
    tf.gradients(z, x)


@program
def gradients_of_rows_through_loops(tf: Any) -> None:
    ids = tf.placeholder(tf.int32, [None], name="ids")
    pairs = tf.placeholder(tf.int64, [2, 3], name="pairs")
    ref = tf.get_variable("ref", [5, 2], initializer=tf.zeros_initializer(), use_resource=False)
    resource = tf.get_variable("resource", [5, 2], initializer=tf.zeros_initializer(), use_resource=True)
    loose = tf.placeholder(tf.float32, [None, None], name="loose")
    for table in (ref, resource, loose):
        for rows in (ids, pairs):

            def body(i: Any, total: Any, table: Any = table, rows: Any = rows) -> Any:
                return i + 1, total + tf.reduce_sum(tf.nn.embedding_lookup(table, rows + tf.cast(i, rows.dtype)))

            total = tf.while_loop(lambda i, _: i < 3, body, [0, 0.0])[1]
            tf.gradients(total, [table], name="slices")
    nested = tf.while_loop(
        lambda i, _: i < 2,
        lambda i, t: (
            i + 1,
            tf.while_loop(
                lambda j, _: j < 2,
                lambda j, u: (j + 1, u * tf.reduce_sum(tf.gather(ref, ids + i * j))),
                [0, t],
            )[1],
        ),
        [0, 1.0],
    )
    tf.gradients(nested[1], [ref], name="nested")
