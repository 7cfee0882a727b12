"""Programs of TensorArrays and of the functions that loop over them, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def tensor_arrays(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [3, 4], name="x")
    n = tf.placeholder(tf.int32, [], name="n")
    ta = tf.TensorArray(tf.float32, 3)
    ta = ta.write(0, x).write(n, x + 1.0, name="named").write(2, np.ones((3, 4), np.float32))
    ta.read(0), ta.read(n, name="second")
    ta.stack(), ta.gather([0, 2]), ta.concat(), ta.size(), ta.identity().close()
    ta = tf.TensorArray(tf.float32, size=n, dynamic_size=True, clear_after_read=False, tensor_array_name="kept")
    ta = ta.unstack(x)
    tf.identity(ta.stack(name="stacked")), ta.size(name="count"), ta.concat(name="joined"), ta.gather([n], name="some")
    ta.scatter([2, 1], x[:2], name="scattered").close(name="closed")
    tf.TensorArray(tf.float32, 2, infer_shape=False, name="loose").split(x, [1, 2]).concat()
    tf.TensorArray(tf.float32, 2, element_shape=[None, 4]).split(x, [n, 3 - n], name="parts").read(1)
    tf.TensorArray(tf.float32, 3).split(x, [1, 1, 1]).concat()
    with tf.device("/cpu:0"), tf.colocate_with(x):
        near = tf.TensorArray(tf.float32, 2, colocate_with_first_write_call=False).write(0, x)
        tf.TensorArray(tf.float32, 2).write(0, x).write(1, x + 1.0).stack()
    tf.TensorArray(tf.float32, handle=near.handle, flow=near.flow, name="again").read(0)
    tf.TensorArray(tf.int32, tf.shape(x)[0]).unstack([1, 2, 3]).stack()


@program
def gradients_of_tensor_arrays(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    ta = tf.TensorArray(tf.float32, 2).write(0, x).write(1, x * 2.0)
    tf.gradients(ta.read(0) + ta.read(1), x)
    tf.gradients(ta.stack(), x)
    ta = tf.TensorArray(tf.float32, tf.shape(x)[0]).unstack(x)
    tf.gradients([ta.gather([0, 1]), ta.read(1)], x)
    tf.gradients(ta.concat(), x)
    ta = tf.TensorArray(tf.float32, 2, infer_shape=False, dynamic_size=True).split(x, [1, 2])
    tf.gradients(tf.square(ta.concat()), x, name="gradients_named")
    tf.TensorArray(tf.float32, 2).write(0, x).grad("mine").read(0)


@program
def tensor_arrays_in_loops(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 3, 4], name="x")
    n = tf.shape(x)[0]
    w = tf.Variable(tf.zeros([4, 4]), name="w", use_resource=False)
    rows = tf.TensorArray(tf.float32, n).unstack(x)
    out = tf.TensorArray(tf.float32, n)

    def body(i: Any, state: Any, out: Any) -> Any:
        state = tf.tanh(tf.matmul(rows.read(i) + state, w))
        return i + 1, state, out.write(i, state)

    _, last, out = tf.while_loop(lambda i, *_: i < n, body, [0, tf.zeros([3, 4]), out], swap_memory=True)
    tf.gradients(tf.reduce_sum(out.stack()) + tf.reduce_sum(last), [w, x])
    tf.while_loop(
        lambda i, *_: i < n,
        lambda i, grown, out: (i + 1, tf.concat([grown, grown], 0), out.write(i, grown)),
        [0, tf.zeros([1]), tf.TensorArray(tf.float32, n, infer_shape=False)],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape(None)],
    )
    p = tf.placeholder(tf.bool, [], name="p")
    ta = tf.TensorArray(tf.float32, 2)
    tf.gradients(tf.cond(p, lambda: ta.write(0, x), lambda: ta.write(0, -x)).read(0), x)


@program
def maps(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [3, 4], name="x")
    y = tf.placeholder(tf.float32, [None, 2], name="y")
    w = tf.Variable(tf.zeros([4]), name="w", use_resource=True)
    tf.gradients(tf.map_fn(lambda v: v * w, x), [x, w])
    tf.map_fn(lambda v: (v[0] + 1.0, tf.cast(v[1], tf.int32)), (y, y), dtype=(tf.float32, tf.int32))
    tf.map_fn(
        lambda v: {"sum": v["a"] + v["b"]},
        {"a": x, "b": x},
        dtype={"sum": tf.float32},
        parallel_iterations=1,
        back_prop=False,
        swap_memory=True,
        infer_shape=False,
        name="named",
    )
    tf.map_fn(lambda v: v * 2, np.arange(3))
    tf.map_fn(lambda v: v + tf.get_variable("b", [2]), y)


@program
def folds(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [3, 4], name="x")
    y = tf.placeholder(tf.float32, [None, 4], name="y")
    tf.gradients(tf.foldl(lambda a, v: a * v, x), x)
    tf.foldl(lambda a, v: (a[0] + v, a[1] * 2), y, initializer=(tf.zeros([4]), 1), name="named")
    tf.gradients(tf.foldr(lambda a, v: a * v, y), y)
    tf.foldr(lambda a, v: a + v[0] * v[1], (x, x), initializer=tf.zeros([4]), parallel_iterations=1)
    tf.foldl(lambda a, v: a + v, np.arange(4))


@program
def scans(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [3, 4], name="x")
    y = tf.placeholder(tf.float32, [None, 4], name="y")
    w = tf.get_variable("w", [4, 4], use_resource=False)
    tf.gradients(tf.scan(lambda a, v: tf.sin(a * v), x), x)
    step = lambda a, v: tf.tanh(tf.matmul(a[None], w)[0] + v)  # noqa: E731
    tf.gradients(tf.scan(step, y, initializer=tf.zeros([4])), [y, w])
    tf.scan(lambda a, v: a + v, y, reverse=True)
    tf.scan(lambda a, v: (a[1], a[0] + v[0]), (x, y), initializer=(tf.zeros([4]), tf.ones([4])), reverse=True)
    tf.scan(lambda a, v: [a[0] + v[0]], [x], swap_memory=True, back_prop=False, name="named")
