"""Contract, section 11: what sessions accept and refuse."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


def _x(tf: Any) -> Any:
    return tf.placeholder(tf.float32, [None, 2], name="x")


def _run(tf: Any, fetch: Any, feeds: Any = None, **options: Any) -> Any:
    with tf.Session() as sess:
        return sess.run(fetch, feeds, **options)


def _closed(tf: Any) -> Any:
    sess = tf.Session()
    sess.close()
    return sess


def _elsewhere(tf: Any) -> Any:
    with tf.Graph().as_default():
        return tf.constant(1.0)


def _entered_twice(tf: Any) -> None:
    with tf.Session() as sess, sess:
        pass


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "fetch of None": (
        lambda tf: _run(tf, [tf.no_op(), None]),
        TypeError,
        'Argument `fetch` = None has invalid type "NoneType". Cannot be None',
    ),
    "fetch of a number": (
        lambda tf: _run(tf, [tf.no_op(), 5]),
        TypeError,
        'Argument `fetch` = 5 has invalid type "int" must be a string or Tensor',
    ),
    "fetch of an unknown name": (
        lambda tf: _run(tf, [tf.no_op(), "zz:0"]),
        ValueError,
        "Argument `fetch` = zz:0 cannot be interpreted as a Tensor. .*refers to a Tensor which does not exist",
    ),
    "fetch from another graph": (
        lambda tf: _run(tf, [tf.no_op(), _elsewhere(tf)]),
        ValueError,
        "cannot be interpreted as a Tensor. .*is not an element of this graph",
    ),
    "feed of an unknown name": (
        lambda tf: _run(tf, _x(tf), {"zz:0": 1}),
        TypeError,
        "Cannot interpret feed_dict key as Tensor: The name 'zz:0' refers to a Tensor which does not exist",
    ),
    "feed of a number": (
        lambda tf: _run(tf, _x(tf), {5: 1}),
        TypeError,
        "Cannot interpret feed_dict key as Tensor: Can not convert a int into a Tensor",
    ),
    "feed of an operation": (
        lambda tf: _run(tf, _x(tf), {"x": [[1, 2]]}),
        TypeError,
        "Cannot interpret feed_dict key as Tensor: The name 'x' refers to an Operation, not a Tensor",
    ),
    "feed for another graph": (
        lambda tf: _run(tf, _x(tf), {_elsewhere(tf): 1.0}),
        TypeError,
        "Cannot interpret feed_dict key as Tensor: Tensor .* is not an element of this graph",
    ),
    "feed of another shape": (
        lambda tf: _run(tf, _x(tf), {"x:0": [1, 2, 3]}),
        ValueError,
        r"Cannot feed value of shape \(3,\) for Tensor x:0, which has shape \(\?, 2\)",
    ),
    "feed of a tensor": (
        lambda tf: _run(tf, _x(tf), {"x:0": tf.constant([[1.0, 2.0]])}),
        TypeError,
        "The value of a feed cannot be a tf.Tensor object",
    ),
    "feed of an int that does not fit": (
        lambda tf: _run(tf, tf.placeholder(tf.int32, [], name="i"), {"i:0": 1 << 40}),
        TypeError,
        "is not compatible with Tensor type .*Try explicitly setting the type of the feed tensor to a larger type",
    ),
    "feed of a number for text": (
        lambda tf: _run(tf, tf.placeholder(tf.string, [], name="s"), {"s:0": 5}),
        TypeError,
        "is not compatible with Tensor type",
    ),
    "feeds that are no dictionary": (lambda tf: _run(tf, _x(tf), [1]), TypeError, "dict|mapping"),
    "session that is closed": (
        lambda tf: (tf.constant(1.0), _closed(tf).run("Const:0")),
        RuntimeError,
        "Attempted to use a closed Session",
    ),
    "graph that is empty": (lambda tf: _run(tf, []), RuntimeError, "The Session graph is empty. +Add operations"),
    "session entered twice": (_entered_twice, RuntimeError, "Session context managers are not re-entrant"),
    "target that is no text": (lambda tf: tf.Session(37), TypeError, "`target` must be a string"),
    "graph that is none": (lambda tf: tf.Session(graph=37), TypeError, "`graph` must be a tf.Graph"),
    "config that is none": (lambda tf: tf.Session(config=37), TypeError, "`config` must be a tf.ConfigProto"),
    "tensor of another graph than the session's": (
        lambda tf: _elsewhere(tf).eval(session=tf.Session()),
        ValueError,
        "Cannot use the given session to evaluate tensor: the tensor's graph is different from the session's graph",
    ),
    "feed list that is none": (
        lambda tf: tf.Session().make_callable(tf.no_op(), _x(tf)),
        TypeError,
        "`feed_list` must be a list or tuple",
    ),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.filterwarnings("ignore")  # half-made sessions of TensorFlow's
def test_refused(tf: Any, row: Any) -> None:
    call, error, words = row
    with pytest.raises(error, match=words):
        call(tf)


def test_target_that_nobody_knows(tf: Any) -> None:
    with pytest.raises(tf.errors.NotFoundError, match="No session factory registered for the given session options"):
        tf.Session("nonsense")


def test_placeholder_that_nothing_feeds(tf: Any) -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"You must feed a value for placeholder tensor 'x' with dtype float and shape \[\?,2\]",
    ):
        _run(tf, _x(tf) * 2.0)


@pytest.mark.parametrize("resource", [False, True])
def test_variable_without_a_value(tf: Any, resource: bool) -> None:
    v = tf.Variable(1.0, name="v0", use_resource=resource)
    with pytest.raises(tf.errors.FailedPreconditionError, match="v0") as caught:
        _run(tf, v + 1.0)
    if not resource:
        assert "Attempting to use uninitialized value v0" in caught.value.message


def test_errors_say_which_operation_failed(tf: Any) -> None:
    x = tf.placeholder(tf.float32)
    y = tf.check_numerics(x, "hello", name="check")
    with pytest.raises(tf.errors.InvalidArgumentError, match="hello : Tensor had NaN") as caught:
        _run(tf, y, {x: float("nan")})
    error = caught.value
    assert (error.op is y.op, error.node_def.name, error.error_code) == (True, "check", tf.errors.INVALID_ARGUMENT)


def test_device_that_is_not_there(rg: Any) -> None:
    """TensorFlow raises InvalidArgumentError; stale devices are nobody's problem in Regraft."""
    with rg.device("/job:ps/task:3/device:GPU:7"):
        y = rg.constant(1.0) + 1.0
    assert _run(rg, y) == 2.0


def test_structures_of_fetches(tf: Any) -> None:
    a, b = tf.constant(1.0, name="a"), tf.constant([2, 3], name="b")
    Pair = collections.namedtuple("Pair", "x y")
    found = _run(tf, {"k": [a, (b, "a:0")], "p": Pair(a, a.op), "none": [], "twice": [a, a]})
    assert found["k"][0] == 1.0
    assert found["k"][1][0].tolist() == [2, 3]
    assert found["k"][1][1] == 1.0
    assert found["p"] == Pair(1.0, None)
    assert (found["none"], found["twice"]) == ([], [1.0, 1.0])
    slices = _run(tf, tf.IndexedSlices(b, tf.constant([0, 1])))
    assert type(slices).__name__ == "IndexedSlicesValue"
    assert slices.dense_shape is None


def test_any_tensor_may_be_fed(tf: Any) -> None:
    c = tf.placeholder(tf.float32, []) + 1.0
    v = tf.Variable(5.0)
    assert _run(tf, c * 2.0, {c: 10.0}) == 20.0
    assert _run(tf, v + 1.0, {v: 7.0}) == 8.0
    text = tf.placeholder(tf.string, [None])
    assert _run(tf, tf.identity(text), {text: ["a", b"b", "\u00e9"]}).tolist() == [b"a", b"b", "\u00e9".encode()]


def test_callables(tf: Any) -> None:
    a, b = (tf.placeholder(tf.int32, [], name=name) for name in "ab")
    with tf.Session() as sess:
        assert sess.make_callable([a + b, {"b": "b:0"}], [a, "b:0"])(2, 3) == [5, {"b": 3}]
        assert sess.make_callable(tf.no_op())() is None
        call = sess.make_callable(a + b, [a, b], accept_options=True)
        assert call(1, 2, options=tf.RunOptions(), run_metadata=tf.RunMetadata()) == 3


WAITS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "run, options": lambda tf, sess, taken: sess.run(taken, options=tf.RunOptions(timeout_in_ms=20)),
    "run": lambda tf, sess, taken: sess.run(taken),
    "run, options below 0": lambda tf, sess, taken: sess.run(taken, options=tf.RunOptions(timeout_in_ms=-1)),
    "callable": lambda tf, sess, taken: sess.make_callable(taken)(),
    "callable, options": lambda tf, sess, taken: sess.make_callable(taken, accept_options=True)(
        options=tf.RunOptions(timeout_in_ms=20)
    ),
    "partial run": lambda tf, sess, taken: sess.partial_run(sess.partial_run_setup(taken), taken),
}


@pytest.mark.parametrize("how", WAITS)
def test_a_run_waits_no_longer_than_it_may(tf: Any, how: str) -> None:
    taken = tf.FIFOQueue(1, tf.int32, []).dequeue()
    config = tf.ConfigProto(operation_timeout_in_ms=20)
    with tf.Session(config=config) as sess, pytest.raises(tf.errors.DeadlineExceededError):
        WAITS[how](tf, sess, taken)


def test_the_pools_that_a_run_may_name(tf: Any) -> None:
    y = tf.constant(1.0) + 2.0
    config = tf.ConfigProto()
    config.session_inter_op_thread_pool.add(num_threads=1)
    config.session_inter_op_thread_pool.add(num_threads=2)
    for pools, sess in ((1, tf.Session()), (2, tf.Session(config=config))):
        for pool in range(-1, pools):
            assert sess.run(y, options=tf.RunOptions(inter_op_thread_pool=pool)) == 3.0
        for pool in (-2, pools):
            with pytest.raises(tf.errors.InvalidArgumentError, match=f"Invalid inter_op_thread_pool: {pool}"):
                sess.run(y, options=tf.RunOptions(inter_op_thread_pool=pool))


def test_run_metadata(tf: Any) -> None:
    y = tf.constant(1.0) + 2.0
    metadata = tf.RunMetadata()
    assert _run(tf, y, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata) == 3.0
    stats = metadata.step_stats.dev_stats[0]
    assert "CPU:0" in stats.device
    assert stats.node_stats[0].all_start_micros > 1e15


def test_devices_of_a_session(tf: Any) -> None:
    with tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as sess:
        devices = sess.list_devices()
    assert [(d.name, d.device_type) for d in devices] == [
        (f"/job:localhost/replica:0/task:0/device:CPU:{i}", "CPU") for i in range(2)
    ]
    assert all(d.memory_limit_bytes > 0 for d in devices)


def test_sessions_as_defaults(tf: Any) -> None:
    a = tf.constant(3.0)
    assert tf.get_default_session() is None
    with tf.Session() as outer:
        assert tf.get_default_session() is outer
        with tf.Session().as_default() as inner:
            assert tf.get_default_session() is inner
            assert a.eval() == 3.0
        assert tf.get_default_session() is outer
        assert inner.run(a) == 3.0  # open still
        inner.close()
    with pytest.raises(RuntimeError, match="closed Session"):
        outer.run(a)
    interactive = tf.InteractiveSession()
    assert a.eval() == 3.0
    interactive.close()
    assert tf.get_default_session() is None


def test_session_of_another_graph_makes_it_the_default(tf: Any) -> None:
    graph = tf.Graph()
    with tf.Session(graph=graph):
        assert tf.get_default_graph() is graph
    with tf.Session(graph=graph).as_default():
        assert tf.get_default_graph() is not graph


# Partial runs


def _sum_and_product(tf: Any) -> Any:
    a, b, c = (tf.placeholder(tf.float32, [], name=name) for name in "abc")
    return a, b, c, tf.add(a, b, name="sum"), tf.multiply(tf.get_default_graph().get_tensor_by_name("sum:0"), c)


def test_partial_run(tf: Any) -> None:
    a, b, c, total, product = _sum_and_product(tf)
    with tf.Session() as sess:
        handle = sess.partial_run_setup([total, product], [a, b, c])
        first = sess.partial_run(handle, total, {a: 1, b: 2})
        assert (first, sess.partial_run(handle, product, {c: first * 17})) == (3.0, 153.0)


def test_partial_run_refuses_what_was_not_set_up(rg: Any) -> None:
    """In TensorFlow too; but there the parts that never come cancel what follows."""
    a, b, c, total, product = _sum_and_product(rg)
    Invalid = rg.errors.InvalidArgumentError
    sess = rg.Session()
    with pytest.raises(Invalid, match="Must run 'setup' before performing partial runs"):
        sess.partial_run("nonsense", total, {a: 1, b: 2})
    with pytest.raises(Invalid, match="Must specify at least one target to fetch or execute"):
        sess.partial_run_setup([], [])
    handle = sess.partial_run_setup([total, product], [a, c])
    with pytest.raises(Invalid, match="The feed b:0 was not specified in partial_run_setup"):
        sess.partial_run(handle, total, {a: 1, b: 2})
    handle = sess.partial_run_setup([total, product], [a, b, c])
    sess.partial_run(handle, total, {a: 1, b: 2})
    with pytest.raises(Invalid, match="The feed a:0 has already been fed"):
        sess.partial_run(handle, product, {a: 1, c: 2})


def test_partial_run_draws_random_numbers_once(rg: Any) -> None:
    x = rg.random_uniform([4], seed=3)
    scale = rg.placeholder(rg.float32, [])
    y = x * scale
    with rg.Session() as sess:
        handle = sess.partial_run_setup([x, y], [scale])
        drawn = sess.partial_run(handle, x)
        np.testing.assert_array_equal(sess.partial_run(handle, y, {scale: 2.0}), drawn * 2)
