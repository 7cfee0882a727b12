"""Graphs with v1 control flow: each function gives what to fetch, and feeds for some runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Feeds = dict[str, Any]
Program = Callable[[Any], tuple[list[Any], list[Feeds]]]

PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    PROGRAMS[function.__name__] = function
    return function


def grid(*shape: int) -> np.ndarray[Any, Any]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 7


def pair(tf: Any) -> Any:
    return tf.placeholder(tf.float32, [2], name="x")


def flag(tf: Any) -> Any:
    return tf.placeholder(tf.bool, [], name="p")


def number(tf: Any) -> Any:
    return tf.placeholder(tf.int32, [], name="n")


X = [1.0, 2.0]
BOTH: list[Feeds] = [{"x:0": X, "p:0": True}, {"x:0": X, "p:0": False}]
COUNTS: list[Feeds] = [{"x:0": X, "n:0": 3}, {"x:0": X, "n:0": 0}, {"x:0": X, "n:0": 40}]


# Conditionals


@program
def conditionals_on_one_predicate(tf: Any) -> Any:
    x, p = pair(tf), flag(tf)
    y = tf.cond(p, lambda: x * 2.0, lambda: tf.exp(x) + 1.0)
    z = tf.cond(p, lambda: y + 1.0, lambda: y * 3.0)
    return [y, z, tf.gradients(z, x)[0]], BOTH


@program
def nested_conditionals(tf: Any) -> Any:
    x, p = pair(tf), flag(tf)

    def inner() -> Any:
        return tf.cond(x[0] > 0, lambda: x - 7.0, lambda: x * x)

    y = tf.cond(p, lambda: tf.cond(tf.reduce_sum(x) > 2.0, lambda: x * 2.0, inner), lambda: tf.exp(x) + 1.0)
    return [y, tf.gradients(y, x)[0]], [*BOTH, {"x:0": [1.0, 0.2], "p:0": True}, {"x:0": [-1.0, 0.2], "p:0": True}]


@program
def variables_written_in_branches(tf: Any) -> Any:
    v = tf.Variable([1.0, 2.0], name="v")
    w = tf.Variable(3.0, name="w", use_resource=True)
    p = flag(tf)
    done = tf.cond(
        p,
        lambda: tf.group(tf.assign_add(v, [1.0, 1.0]), w.assign_add(1.0)),
        lambda: tf.group(tf.assign_sub(v, [2.0, 1.0])),
    )
    with tf.control_dependencies([done]):
        return [v.read_value() + 0.0, w.read_value()], [{"p:0": True}, {"p:0": False}, {"p:0": True}]


@program
def assertion(tf: Any) -> Any:
    x = pair(tf)
    with tf.control_dependencies([tf.Assert(tf.reduce_all(x > 0), [x, "bad"])]):
        return [x * 2], [{"x:0": X}, {"x:0": [1.0, -2.0]}]


@program
def assertion_before_write(tf: Any) -> Any:
    x = pair(tf)
    v = tf.Variable([1.0, 2.0], name="v")
    with tf.control_dependencies([tf.Assert(tf.reduce_all(x > 0), [x, "bad"])]):
        return [tf.assign_add(v, x)], [{"x:0": X}, {"x:0": [1.0, -2.0]}, {"x:0": X}]


@program
def fetch_of_a_branch(tf: Any) -> Any:
    switched = tf.raw_ops.Switch(data=pair(tf), pred=flag(tf))
    return [tf.identity(switched[0]) + 1.0], BOTH


@program
def index_of_a_merge(tf: Any) -> Any:
    switched = tf.raw_ops.Switch(data=pair(tf), pred=flag(tf))
    merged = tf.raw_ops.Merge(inputs=[switched[1] * 2.0, switched[0] + 1.0])
    return [merged[0], merged[1]], BOTH


@program
def case(tf: Any) -> Any:
    x, n = pair(tf), number(tf)
    y = tf.case(
        [(tf.equal(n, 0), lambda: x), (tf.equal(n, 1), lambda: x * 2), (tf.equal(n, 2), lambda: x * x)],
        default=lambda: -x,
    )
    return [y, tf.gradients(y, x)[0]], [{"x:0": X, "n:0": k} for k in range(4)]


@program
def indexed_case(tf: Any) -> Any:
    x = pair(tf)
    y = tf.switch_case(number(tf), [lambda: x, lambda: x * 2, lambda: x * x])
    return [y], [{"x:0": X, "n:0": k} for k in range(4)]


@program
def random_in_a_branch(tf: Any) -> Any:
    y = tf.cond(flag(tf), lambda: tf.random_uniform([3], seed=4), lambda: tf.zeros([3]))
    return [y], [{"p:0": True}, {"p:0": False}, {"p:0": True}]


# Loops


@program
def loop(tf: Any) -> Any:
    x, n = pair(tf), number(tf)
    i, y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.tanh(y * 1.5 + x)), [0, x])
    return [i, y, tf.gradients(y, x)[0]], COUNTS


@program
def loop_of_known_length(tf: Any) -> Any:
    x = pair(tf)
    i, y = tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, tf.tanh(y * 1.5 + x)), [0, x])
    return [i, y, tf.gradients(y, x)[0]], [{"x:0": X}, {"x:0": [0.1, 0.2]}]


@program
def nested_loops(tf: Any) -> Any:
    x, n = pair(tf), number(tf)

    def body(i: Any, y: Any) -> Any:
        _, z = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, tf.sin(z * 1.5 + x)), [0, y])
        return i + 1, z + y

    i, y = tf.while_loop(lambda i, y: i < n, body, [0, x])
    return [i, y, tf.gradients(y, x)[0]], [{"x:0": X, "n:0": k} for k in (3, 0, 5)]


@program
def conditional_in_a_loop(tf: Any) -> Any:
    x, n = pair(tf), number(tf)

    def body(i: Any, y: Any) -> Any:
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: tf.sin(y) * x, lambda: y + x)

    i, y = tf.while_loop(lambda i, y: i < n, body, [0, x])
    return [i, y, tf.gradients(y, x)[0]], [{"x:0": X, "n:0": k} for k in (3, 0, 6)]


@program
def loop_in_a_branch(tf: Any) -> Any:
    x, n, p = pair(tf), number(tf), flag(tf)

    def looped() -> Any:
        return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.sin(y * x)), [0, x])[1]

    y = tf.cond(p, looped, lambda: x * x)
    return [y, tf.gradients(y, x)[0]], [{"x:0": X, "n:0": 3, "p:0": p} for p in (True, False)]


@program
def variable_written_in_a_loop(tf: Any) -> Any:
    v, n = tf.Variable([1.0, 2.0], name="v"), number(tf)

    def body(i: Any, a: Any) -> Any:
        with tf.control_dependencies([tf.assign_add(v, [1.0, 0.0])]):
            read = v.read_value() + 0.0
        with tf.control_dependencies([read]):
            return i + 1, a + read

    _, a = tf.while_loop(lambda i, a: i < n, body, [0, tf.zeros([2])], parallel_iterations=1)
    return [a], [{"n:0": 3}, {"n:0": 2}]


@program
def random_in_a_loop(tf: Any) -> Any:
    n = number(tf)
    start = [0, tf.zeros([2])]
    _, a = tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a + tf.random_uniform([2], seed=7)), start)
    return [a], [{"n:0": 3}, {"n:0": 2}]


@program
def loop_variable_that_grows(tf: Any) -> Any:
    x, n = pair(tf), number(tf)
    shapes = [tf.TensorShape([]), tf.TensorShape([None])]
    _, y = tf.while_loop(
        lambda i, y: i < n, lambda i, y: (i + 1, tf.concat([y, x], 0)), [0, x], shape_invariants=shapes
    )
    return [y], [{"x:0": X, "n:0": 3}]


# TensorArrays


def _recurrent(tf: Any, x: Any, steps: Any, **options: Any) -> Any:
    taken = tf.TensorArray(tf.float32, size=tf.shape(x)[0]).unstack(x)
    given = tf.TensorArray(tf.float32, size=tf.shape(x)[0], **options)

    def body(i: Any, s: Any, given: Any) -> Any:
        s = tf.tanh(s + taken.read(i))
        return i + 1, s, given.write(i, s * 2.0)

    _, s, given = tf.while_loop(lambda i, *_: i < steps, body, [0, tf.zeros([2]), given])
    y = given.stack()
    return [y, s, tf.gradients([y, s], x)[0]]


@program
def recurrence(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    return _recurrent(tf, x, tf.shape(x)[0]), [{"x:0": grid(3, 2)}, {"x:0": grid(5, 2)}]


@program
def recurrence_that_ends_early(tf: Any) -> Any:
    x, n = tf.placeholder(tf.float32, [None, 2], name="x"), number(tf)
    fetches = _recurrent(tf, x, tf.minimum(n, tf.shape(x)[0]), element_shape=[2])
    return fetches, [{"n:0": 3, "x:0": grid(3, 2)}, {"n:0": 3, "x:0": grid(5, 2)}]


@program
def growing_array(tf: Any) -> Any:
    x, n = pair(tf), number(tf)
    given = tf.TensorArray(tf.float32, size=0, dynamic_size=True)

    def body(i: Any, s: Any, given: Any) -> Any:
        s = tf.tanh(s + x)
        return i + 1, s, given.write(i, s * 2.0)

    _, s, given = tf.while_loop(lambda i, *_: i < n, body, [0, tf.zeros([2]), given])
    y = given.stack()
    return [y, s, tf.gradients([y, s], x)[0]], [{"x:0": X, "n:0": k} for k in (3, 4, 40)]


@program
def array_written_in_branches(tf: Any) -> Any:
    x, p = pair(tf), flag(tf)
    array = tf.TensorArray(tf.float32, size=2).write(0, x)
    flow = tf.cond(p, lambda: array.write(1, x * 2).flow, lambda: array.write(1, x * x).flow)
    y = tf.TensorArray(tf.float32, handle=array.handle, flow=flow).stack()
    return [y, tf.gradients(y, x)[0]], BOTH


@program
def array_of_parts(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [4, 3], name="x")
    y = tf.TensorArray(tf.float32, size=2).split(x, [2, 2]).concat()
    return [y, tf.gradients(y * y, x)[0]], [{"x:0": grid(4, 3)}]


@program
def map_scan_fold(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [4, 3], name="x")
    y = tf.map_fn(lambda row: tf.sin(row) * row, x)
    z = tf.scan(lambda a, b: tf.tanh(a * b), x)
    f = tf.foldl(lambda a, b: tf.tanh(a * b), x)
    return [y, z, f, tf.gradients([y, z, f], x)[0]], [{"x:0": grid(4, 3)}]


@program
def map_in_a_map(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [4, 3], name="x")
    y = tf.map_fn(lambda row: tf.map_fn(lambda e: tf.sin(e) * e, row), x)
    return [y, tf.gradients(y, x)[0]], [{"x:0": grid(4, 3)}]


# What TensorArrays refuse


def _wrong(tf: Any, use: Callable[[Any], Any]) -> Any:
    return [use(tf.TensorArray(tf.float32, size=3))], [{}]


@program
def write_beyond_the_end(tf: Any) -> Any:
    return _wrong(tf, lambda array: array.write(5, [1.0]).flow)


@program
def read_beyond_the_end(tf: Any) -> Any:
    return _wrong(tf, lambda array: array.read(7))


@program
def write_twice(tf: Any) -> Any:
    return _wrong(tf, lambda array: array.write(1, [1.0]).write(1, [2.0]).flow)


@program
def read_twice(tf: Any) -> Any:
    array = tf.TensorArray(tf.float32, size=3).write(1, [1.0])
    first = array.read(1)
    with tf.control_dependencies([first]):
        return [array.read(1)], [{}]


@program
def element_that_was_not_written(tf: Any) -> Any:
    return [tf.TensorArray(tf.float32, size=3).write(0, [1.0, 2.0]).stack()], [{}]


@program
def pop_from_an_empty_stack(tf: Any) -> Any:
    stack = tf.raw_ops.StackV2(max_size=-1, elem_type=tf.float32)
    return [tf.raw_ops.StackPopV2(handle=stack, elem_type=tf.float32)], [{}]


@program
def assertion_in_a_loop(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [], name="x")

    def body(i: Any, a: Any) -> Any:
        with tf.control_dependencies([tf.Assert(a < 100.0, ["grown to", a, "after", i])]):
            return i + 1, a * x

    return [tf.while_loop(lambda i, _: i < 5, body, [0, 1.0])[1]], [{"x:0": 2.0}, {"x:0": 20.0}, {"x:0": 0.5}]


@program
def assertion_before_a_write(tf: Any) -> Any:
    """What the failed run would have written shows in the next one; so does a number that it drew."""
    x = tf.placeholder(tf.float32, [2], name="x")
    v = tf.get_variable("v", [2], initializer=tf.zeros_initializer(), use_resource=False)
    noise = tf.random_uniform([2], seed=3)
    with tf.control_dependencies([tf.Assert(tf.reduce_all(x < 10.0), [x], name="small")]):
        written = tf.assign_add(v, x * 2.0)
    with tf.control_dependencies([written]):
        total = tf.identity(v) + 1.0
    with tf.control_dependencies([tf.Assert(tf.reduce_all(x < 10.0), [x], name="again")]):
        drawn = tf.identity(noise)
    return [total, drawn], [{"x:0": [1.0, 2.0]}, {"x:0": [1.0, 3.0]}]
