"""Variables, get_variable and variable scopes: what they accept, refuse and say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

KINDS = pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])


def _get(tf: Any, name: str = "w", *args: Any, scope: str = "", **options: Any) -> Any:
    with tf.variable_scope(scope):
        return tf.get_variable(name, *args, **options)


def _again(tf: Any, first: dict[str, Any], reuse: Any = True, **second: Any) -> Any:
    tf.get_variable("w", **first)
    with tf.variable_scope("", reuse=reuse):
        return tf.get_variable("w", **second)


def _in_loop(tf: Any) -> Any:
    def body(i: Any) -> Any:
        tf.Variable(tf.cast(i, tf.float32))
        return i + 1

    return tf.while_loop(lambda i: i < 3, body, [0])


def _scope(tf: Any, *args: Any, **options: Any) -> None:
    with tf.variable_scope(*args, **options):
        pass


PARTS = {"shape": [4]}

REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "no initial value": (lambda tf: tf.Variable(), ValueError, "initial_value must be specified|requires"),
    "collections in a string": (
        lambda tf: tf.Variable(1, collections="x"),
        ValueError,
        "collections argument to Variable constructor must be a list, tuple, or set",
    ),
    "constraint that is no function": (
        lambda tf: tf.Variable(1.0, constraint=5),
        ValueError,
        "The `constraint` argument must be a callable",
    ),
    "initial value of unknown shape": (
        lambda tf: tf.Variable(tf.placeholder(tf.float32)),
        ValueError,
        "initial_value must have a shape specified",
    ),
    "initial value from inside a loop": (_in_loop, ValueError, "is from inside a control-flow construct"),
    "synchronization that is none": (
        lambda tf: tf.Variable(1.0, synchronization="x"),
        ValueError,
        "Invalid variable synchronization mode: x",
    ),
    "variable_def and a value": (
        lambda tf: tf.Variable(1.0, variable_def=tf.Variable(1.0).to_proto()),
        ValueError,
        "variable_def and initial_value are mutually exclusive",
    ),
    "evaluation without a session": (
        lambda tf: tf.Variable(1.0).eval(),
        ValueError,
        "No default session|a session is required|must provide a session|session",
    ),
    "variable that is there": (
        lambda tf: [tf.get_variable("w", [1]) for _ in range(2)],
        ValueError,
        "Variable w already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope",
    ),
    "variable that is not there": (
        lambda tf: _missing(tf),
        ValueError,
        "Variable s/w does not exist, or was not created with tf.get_variable",
    ),
    "no shape": (lambda tf: _get(tf), ValueError, "did not get an initializer|must be (fully defined|specified)"),
    "shape and a tensor": (
        lambda tf: _get(tf, "w", [1], initializer=tf.constant([1.0])),
        ValueError,
        "If initializer is a constant, do not specify shape",
    ),
    "another shape": (
        lambda tf: _again(tf, {"shape": [1]}, shape=[2]),
        ValueError,
        r"Trying to share variable w, but specified shape \(2,\) and found shape \(1,\)",
    ),
    "another dtype": (
        lambda tf: _again(tf, {"shape": [1]}, shape=[1], dtype=tf.int32),
        ValueError,
        "Trying to share variable w, but specified dtype int32 and found dtype float32",
    ),
    "dtype without a default": (
        lambda tf: _get(tf, "w", [1], tf.complex64),
        ValueError,
        "An initializer for variable w of .*complex64.* is required",
    ),
    "partitioned and whole": (
        lambda tf: _again(tf, {**PARTS, "partitioner": tf.fixed_size_partitioner(2)}, None, **PARTS),
        ValueError,
        "a partitioned version of the variable was found",
    ),
    "whole and partitioned": (
        lambda tf: _again(tf, PARTS, None, **PARTS, partitioner=tf.fixed_size_partitioner(2)),
        ValueError,
        "an unpartitioned version of the variable was found",
    ),
    "partitioner that is no function": (
        lambda tf: _get(tf, "w", [4], partitioner=5),
        ValueError,
        "Partitioner must be callable",
    ),
    "partitioner that returns no list": (
        lambda tf: _get(tf, "w", [4], partitioner=lambda shape, dtype: 5),
        ValueError,
        "Partitioner must return a sequence",
    ),
    "partitioner along two axes": (
        lambda tf: _get(tf, "w", [4, 4], partitioner=lambda shape, dtype: [2, 2]),
        ValueError,
        "slice|one axis|only",
    ),
    "custom getter that is no function": (
        lambda tf: _get(tf, "w", [1], custom_getter=5),
        ValueError,
        "custom_getter which is not callable|not callable",
    ),
    "scope without a name": (
        lambda tf: _scope(tf, None),
        TypeError,
        "If default_name is None then name_or_scope is required",
    ),
    "reuse without a name": (
        lambda tf: _scope(tf, None, "d", reuse=True),
        ValueError,
        "reuse=True cannot be used without a name_or_scope",
    ),
    "reuse of another kind": (
        lambda tf: _scope(tf, "a", reuse="x"),
        ValueError,
        "The reuse parameter must be True or False or None",
    ),
    "auxiliary_name_scope of another kind": (
        lambda tf: _scope(tf, "a", auxiliary_name_scope="x"),
        TypeError,
        "The auxiliary_name_scope must be `True` or `False`",
    ),
    "parts of another rank": (
        lambda tf: tf.create_partitioned_variables([4, 2], [2], tf.zeros_initializer()),
        ValueError,
        "The 'shape' and 'slicing' of a partitioned Variable must have the length",
    ),
}


def _missing(tf: Any) -> Any:
    with tf.variable_scope("s", reuse=True):
        return tf.get_variable("w", [1])


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
def test_refused(tf: Any, row: Any) -> None:
    call, error, words = row
    with pytest.raises(error, match=words):
        call(tf)


@KINDS
def test_methods_that_change_it(tf: Any, resource: bool) -> None:
    v = tf.Variable([1.0, 2.0], name="v", use_resource=resource)
    rows = tf.IndexedSlices(tf.constant([5.0]), tf.constant([1]))
    with tf.Session() as sess:
        sess.run(v.initializer)
        for change, wanted in (
            (v.assign([3.0, 4.0]), [3, 4]),
            (v.assign_add([1.0, 1.0]), [4, 5]),
            (v.assign_sub([2.0, 1.0]), [2, 4]),
            (v.scatter_add(rows), [2, 9]),
            (v.scatter_sub(rows), [2, 4]),
            (v.scatter_mul(rows), [2, 20]),
            (v.scatter_div(rows), [2, 4]),
            (v.scatter_min(rows), [2, 4]),
            (v.scatter_max(rows), [2, 5]),
            (v.scatter_update(rows), [2, 5]),
            (v.batch_scatter_update(rows), [2, 5]),
            (v.scatter_nd_add([[0]], [1.0]), [3, 5]),
            (v.scatter_nd_sub([[0]], [1.0]), [2, 5]),
            (v.scatter_nd_update([[0]], [9.0]), [9, 5]),
            (v[0:1].assign([7.0]), [7, 5]),
        ):
            assert sess.run(change).tolist() == wanted
        assert sess.run(v.assign([0.0, 0.0], read_value=False)) is None
        assert sess.run(v).tolist() == [0, 0]


@KINDS
def test_eval_and_load(tf: Any, resource: bool) -> None:
    v = tf.Variable([1.0, 2.0], use_resource=resource)
    size = len(tf.get_default_graph().get_operations())
    with tf.Session() as sess:
        v.load([3.0, 4.0], sess)
        assert v.eval(sess).tolist() == [3, 4]
        v.load([5.0, 6.0])
        assert v.eval().tolist() == [5, 6]
    assert len(tf.get_default_graph().get_operations()) == size


@KINDS
def test_what_it_says_of_itself(tf: Any, resource: bool) -> None:
    v = tf.Variable([1.0], name="v", use_resource=resource, trainable=False, constraint=abs)
    assert (v.name, v.op.name, v.device, v.trainable) == ("v:0", "v", "", False)
    assert v.dtype.base_dtype is tf.float32
    assert v.get_shape().as_list() == v.shape.as_list() == [1]
    assert v.initializer.name == "v/Assign"
    assert v.constraint is abs
    assert v.graph is tf.get_default_graph()
    assert v.ref() == v.ref()
    assert v.ref().deref() is v
    assert {v: 1}[v] == 1
    assert v == v
    with pytest.raises(TypeError):
        iter(v)


def test_counting(tf: Any) -> None:
    v = tf.Variable(0)
    with tf.Session() as sess:
        sess.run(v.initializer)
        step = v.count_up_to(2)
        assert [sess.run(step) for _ in range(2)] == [0, 1]
        with pytest.raises(tf.errors.OutOfRangeError, match="Reached limit of 2"):
            sess.run(step)


def test_operators(tf: Any) -> None:
    v = tf.Variable([6.0, 8.0])
    results = [v + 1, 1 + v, v - 1, 1 - v, v * 2, v / 4, 24 / v, v // 4, v % 4, v**2, -v, abs(-v)]
    numbers = np.array([6.0, 8.0])
    wanted = [
        numbers + 1, 1 + numbers, numbers - 1, 1 - numbers, numbers * 2, numbers / 4, 24 / numbers, numbers // 4,
        numbers % 4, numbers**2, -numbers, numbers,
    ]  # fmt: skip
    with tf.Session() as sess:
        sess.run(v.initializer)
        for found, want in zip(sess.run(results), wanted, strict=True):
            np.testing.assert_allclose(found, want, rtol=1e-6)
        assert sess.run(v > 7.0).tolist() == [False, True]


def test_reuse_and_auto_reuse(tf: Any) -> None:
    with tf.variable_scope("s"):
        w = tf.get_variable("w", [2])
        tf.get_variable_scope().reuse_variables()
        assert tf.get_variable("w", [2]) is w
    with tf.variable_scope("s", reuse=True):
        assert tf.get_variable("w") is w
        with tf.variable_scope("t"):
            assert tf.get_variable_scope().reuse
    with tf.variable_scope("s", reuse=tf.AUTO_REUSE):
        assert tf.get_variable("w", [2]) is w
        assert tf.get_variable("new", [2]).name == "s/new:0"
    assert not tf.get_variable_scope().reuse


def test_names_of_scopes(tf: Any) -> None:
    with tf.variable_scope("a") as a:
        pass
    with tf.variable_scope("a") as again:
        assert (a.name, again.name) == ("a", "a")
        assert (a.original_name_scope, again.original_name_scope) == ("a/", "a_1/")
    with tf.variable_scope(None, "d") as d, tf.variable_scope(a):
        assert (d.name, tf.get_variable_scope().name) == ("d", "a")
    with tf.variable_scope(None, "d") as second:
        assert second.name == "d_1"
    with tf.variable_scope("b", auxiliary_name_scope=False):
        assert tf.get_variable("w", [1]).name == "b/w:0"
        assert tf.constant(1.0, name="free").name == "free:0"


def test_what_scopes_hand_down(tf: Any) -> None:
    settings = {
        "initializer": tf.ones_initializer(),
        "regularizer": lambda w: tf.reduce_sum(w, name="r"),
        "dtype": tf.float64,
        "use_resource": True,
    }
    with tf.variable_scope("outer", **settings), tf.variable_scope("inner") as scope:
        w = tf.get_variable("w", [2])
        assert scope.dtype is tf.float64
    assert w.dtype.base_dtype is tf.float64
    assert w.op.type == "VarHandleOp"
    assert [t.name for t in tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)] == ["outer/inner/w/Regularizer/r:0"]
    with tf.Session() as sess:
        sess.run(w.initializer)
        assert sess.run(w).tolist() == [1.0, 1.0]


def test_custom_getters_nest(tf: Any) -> None:
    seen = []

    def getter(label: str) -> Callable[..., Any]:
        def get(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            seen.append((label, name, "shape" in kwargs))
            return getter(name, *args, **kwargs)

        return get

    with tf.variable_scope("a", custom_getter=getter("outer")), tf.variable_scope("b", custom_getter=getter("inner")):
        assert tf.get_variable("w", [1]).name == "a/b/w:0"
    assert seen == [("inner", "a/b/w", True), ("outer", "a/b/w", True)]


def test_collections_of_scopes(tf: Any) -> None:
    with tf.variable_scope("a") as scope:
        w = tf.get_variable("w", [1])
        local = tf.get_local_variable("l", [1])
        fixed = tf.get_variable("f", [1], trainable=False)
    tf.get_variable("outside", [1])
    assert scope.global_variables() == [w, fixed]
    assert scope.trainable_variables() == [w]
    assert scope.local_variables() == [local]
    assert scope.get_collection(tf.GraphKeys.GLOBAL_VARIABLES) == [w, fixed]


def test_parts(tf: Any) -> None:
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(3)):
        w = tf.get_variable("w", [7, 2])
        scalar = tf.get_variable("scalar", [])
    assert [p.name for p in w] == ["s/w/part_0:0", "s/w/part_1:0", "s/w/part_2:0"]
    assert [p.shape.as_list() for p in w] == [[3, 2], [2, 2], [2, 2]]
    assert (w.name, len(w), w.get_shape().as_list()) == ("s/w", 3, [7, 2])
    assert [p._get_save_slice_info().spec for p in w] == ["7 2 0,3:0,2", "7 2 3,2:0,2", "7 2 5,2:0,2"]
    assert scalar.name == "s/scalar:0"
    assert tf.convert_to_tensor(w).shape.as_list() == [7, 2]
    with tf.variable_scope("s", reuse=True):
        assert tf.get_variable("w", [7, 2]) is w


def test_partitioners(tf: Any) -> None:
    shape = tf.TensorShape([10, 3])
    for partitioner, wanted in (
        (tf.fixed_size_partitioner(4), [4, 1]),
        (tf.fixed_size_partitioner(4, axis=1), [1, 3]),
        (tf.variable_axis_size_partitioner(48), [3, 1]),
        (tf.variable_axis_size_partitioner(48, max_shards=2), [2, 1]),
        (tf.min_max_variable_partitioner(8, min_slice_size=40), [3, 1]),
    ):
        assert list(partitioner(shape=shape, dtype=tf.float32)) == wanted


def test_report_of_what_has_no_value(tf: Any) -> None:
    v, w = tf.Variable(1.0, name="v"), tf.Variable(1.0, name="w", use_resource=True)
    report = tf.report_uninitialized_variables()
    with tf.Session() as sess:
        assert sess.run(report).tolist() == [b"v", b"w"]
        sess.run(v.initializer)
        assert sess.run(report).tolist() == [b"w"]
        assert sess.run(tf.is_variable_initialized(v))
        sess.run(w.initializer)
        assert sess.run(report).tolist() == []
