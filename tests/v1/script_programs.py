"""Programs over what scripts use around their models: checks, templates, histograms, samplers by other names."""

from __future__ import annotations

from typing import Any


def finite(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2], name="x")
    tf.verify_tensor_all_finite(x, "bad")
    tf.debugging.assert_all_finite(x=[1.0], message="worse", name="named")
    tf.constant(1)
    tf.identity(tf.constant(2.0, tf.float64))
    tf.add_check_numerics_ops()


def order(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    tf.is_non_decreasing(x)
    tf.is_strictly_increasing(tf.placeholder(tf.int32, [None, 2], name="y"), name="strict")


def template(tf: Any) -> None:
    def scaled(x: Any, name: str) -> Any:
        w = tf.get_variable(name, [], initializer=tf.ones_initializer())
        return x * w

    scale = tf.make_template("scale", scaled, name="w")
    x = tf.constant(2.0)
    scale(x)
    scale(scale(x))
    other = tf.make_template("scale", scaled, create_scope_now_=True, name="v")
    with tf.variable_scope("outer"):
        other(x)
        other(x)
    unique = tf.make_template("a", scaled, unique_name_="b", name="v")
    unique(x)
    tf.identity(x, name=scale.variable_scope_name + str(len(scale.variables)))


def histograms(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    tf.histogram_fixed_width(x, [0.0, 5.0], nbins=5)
    tf.histogram_fixed_width_bins(x, [0.0, 5.0], nbins=5, name="bins")
    tf.bincount(tf.placeholder(tf.int32, [None], name="i"))
    tf.bincount([1, 1, 2], weights=[0.5, 1.0, 2.0], minlength=2, maxlength=7)
    tf.math.bincount([1, 1, 2], dtype=tf.int64)


def second_derivatives(tf: Any) -> None:
    x = tf.constant([1.0, 2.0])
    tf.hessians(tf.reduce_sum(x * x * x), x)


def samplers(tf: Any) -> None:
    tf.random.uniform_candidate_sampler(tf.constant([[1]], tf.int64), 1, 2, True, 5, seed=1)


def initialized(tf: Any) -> None:
    tf.assert_variables_initialized([tf.get_variable("v", [2], use_resource=False)])
    tf.get_variable("w", [2], use_resource=True)
    tf.assert_variables_initialized()
    tf.fingerprint([[1, 2], [3, 4]])


def stateless(tf: Any) -> None:
    r = tf.random
    r.stateless_uniform([2, 3], [1, 2], 0.5, 2.0)
    r.stateless_uniform([2], [1, 2], dtype=tf.float64, name="named")
    r.stateless_uniform([2], [1, 2], 0, 9, dtype=tf.int32)
    r.stateless_uniform([2], [1, 2], None, None, dtype=tf.uint32)
    r.stateless_normal([2], tf.constant([1, 2]), 1.0, 2.0)
    r.stateless_truncated_normal([2], [1, 2])
    r.stateless_multinomial([[0.5, 0.5]], 3, [1, 2])
    r.stateless_categorical([[0.5, 0.5]], 3, [1, 2], dtype=tf.int32)


PROGRAMS = {
    function.__name__: function
    for function in (finite, order, template, histograms, second_derivatives, samplers, initialized, stateless)
}
