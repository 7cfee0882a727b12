"""Programs of variables and their scopes, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def get_variable(tf: Any) -> None:
    tf.get_variable("w", [3, 4])
    tf.get_variable("i", [3], tf.int32)
    tf.get_variable("b", shape=(4,), initializer=tf.zeros_initializer())
    tf.get_variable("c", [2], initializer=tf.zeros_initializer)
    tf.get_variable("v", initializer=tf.constant([1.0, 2.0]))
    tf.get_variable("n", initializer=np.float32(3.0))
    tf.get_variable("f", initializer=lambda: tf.ones([2]))
    tf.get_variable("g", [2], initializer=lambda shape, dtype=None, partition_info=None: tf.ones(shape, dtype))
    tf.get_variable("s", [], trainable=False)
    tf.get_local_variable("local", [2])


@program
def scopes(tf: Any) -> None:
    with tf.variable_scope("a"):
        tf.get_variable("w", [2])
        with tf.variable_scope("b", initializer=tf.ones_initializer()) as scope:
            tf.get_variable("w", [2])
            tf.ones([2])
        tf.zeros([2])
    with tf.variable_scope("a", reuse=True):
        w = tf.get_variable("w", [2])
        tf.identity(w)
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        tf.get_variable("w", [2])
        tf.get_variable("new", [2])
        tf.zeros([1])
    with tf.variable_scope(None, "layer"):
        tf.get_variable("w", [1])
    with tf.variable_scope(None, default_name="layer"):
        tf.get_variable("w", [1])
    with tf.variable_scope("", reuse=True):
        tf.get_variable("layer/w", [1])
    with tf.variable_scope("outer"), tf.variable_scope("", auxiliary_name_scope=False):
        tf.get_variable("w", [1])
        tf.zeros([1])
    with tf.name_scope("names"):
        tf.get_variable("outside", [1])
        tf.Variable(1.0)
        with tf.variable_scope("inside"):
            tf.get_variable("w", [1])
            tf.Variable(1.0, name="v")


@program
def scopes_again(tf: Any) -> None:
    with tf.variable_scope("net") as net:
        tf.get_variable("w", [1])
        with tf.variable_scope(None, "part"):
            tf.zeros([1])
    net.reuse_variables()
    with tf.variable_scope(net):
        tf.get_variable("w", [1])
        with tf.variable_scope(None, "part"):
            tf.zeros([1])
        with tf.variable_scope("deep"):
            tf.ones([1])
    with tf.variable_scope(net, auxiliary_name_scope=False), tf.name_scope(net.original_name_scope):
        tf.ones([1])
    with tf.variable_op_scope([tf.constant(1.0)], None, "op"):
        tf.ones([1])
    tf.get_variable_scope().set_initializer(tf.zeros_initializer())
    tf.get_variable("last", [1])


@program
def settings_of_scopes(tf: Any) -> None:
    def getter(getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        return tf.identity(getter(name, *args, **kwargs), name="custom")

    def doubled(getter: Any, *args: Any, **kwargs: Any) -> Any:
        return 2.0 * getter(*args, **kwargs)

    with tf.variable_scope("r", regularizer=lambda v: 0.1 * tf.nn.l2_loss(v)):
        tf.get_variable("w", [2])
        tf.get_variable("none", [2], regularizer=tf.no_regularizer)
    tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
    with tf.variable_scope("g", custom_getter=getter):
        tf.get_variable("w", [2])
        with tf.variable_scope("h", custom_getter=doubled):
            tf.get_variable("w", [2])
    with tf.variable_scope("d", dtype=tf.float64):
        tf.get_variable("w", [2])


@program
def initializers(tf: Any) -> None:
    tf.set_random_seed(1)
    makers = {
        "zeros": tf.zeros_initializer(),
        "ones": tf.ones_initializer(),
        "constant": tf.constant_initializer(0.1),
        "uniform": tf.random_uniform_initializer(-0.1, 0.1),
        "unit": tf.random_uniform_initializer(0, 1),
        "normal": tf.random_normal_initializer(0.0, 0.02),
        "truncated": tf.truncated_normal_initializer(stddev=0.1, seed=3),
        "scaling": tf.uniform_unit_scaling_initializer(1.43),
        "variance": tf.variance_scaling_initializer(2.0, "fan_out", "uniform"),
        "untruncated": tf.variance_scaling_initializer(distribution="untruncated_normal"),
        "glorot_uniform": tf.glorot_uniform_initializer(),
        "glorot_normal": tf.glorot_normal_initializer(seed=5),
        "he_normal": tf.initializers.he_normal(),
        "he_uniform": tf.initializers.he_uniform(),
        "lecun_normal": tf.initializers.lecun_normal(),
        "lecun_uniform": tf.initializers.lecun_uniform(),
        "orthogonal": tf.orthogonal_initializer(),
        "identity": tf.initializers.identity(2.0),
    }
    for name, initializer in makers.items():
        tf.get_variable(name, [3, 4], initializer=initializer)
    tf.get_variable("wide", [4, 3], initializer=tf.initializers.orthogonal(0.5))
    tf.get_variable("filters", [3, 3, 2, 8])
    tf.get_variable("bias", [8], initializer=tf.glorot_normal_initializer())
    tf.get_variable("square", [3, 3], initializer=tf.initializers.identity())
    tf.get_variable("listed", [2, 2], initializer=tf.constant_initializer([1, 2, 3, 4]))
    tf.zeros_initializer()([2, 2])
    tf.truncated_normal_initializer(0.0, 1.0)([2, 2], tf.float64)


@program
def partitions(tf: Any) -> None:
    whole = tf.get_variable("p", [10, 4], partitioner=tf.fixed_size_partitioner(3))
    tf.identity(whole)
    tf.matmul(tf.ones([2, 10]), whole)
    with tf.variable_scope("scope", partitioner=tf.min_max_variable_partitioner(4, min_slice_size=16)):
        tf.get_variable("w", [8, 2], initializer=tf.zeros_initializer())
        tf.get_variable("scalar", [])
    with tf.variable_scope("", reuse=True):
        tf.identity(tf.get_variable("p", [10, 4], partitioner=tf.fixed_size_partitioner(3)))
    tf.get_variable("value", initializer=tf.ones([4, 2]), partitioner=tf.variable_axis_size_partitioner(16))
    tf.create_partitioned_variables([4, 2], [2, 1], tf.zeros_initializer(), name="made")


@program
def variables(tf: Any) -> None:
    w = tf.Variable(tf.zeros([2, 3]), name="w")
    b = tf.Variable([1.0, 2.0, 3.0])
    step = tf.Variable(0, trainable=False, name="step")
    x = tf.placeholder(tf.float32, [None, 2])
    tf.matmul(x, w) + b
    tf.assign(w, tf.ones([2, 3]))
    tf.assign_add(step, 1)
    w.assign_sub(tf.ones([2, 3]))
    _ = w[0]
    _ = w * 2.0
    tf.add(w, b)
    tf.reduce_sum(w)
    tf.global_variables_initializer()
    tf.local_variables_initializer()
    tf.variables_initializer([w, b], name="some")
    tf.scatter_update(w, [0], [[1.0, 2.0, 3.0]])
    tf.is_variable_initialized(w)


@program
def resource_variables(tf: Any) -> None:
    w = tf.Variable(tf.zeros([2, 3]), name="w", use_resource=True)
    with tf.variable_scope("r", use_resource=True):
        b = tf.get_variable("b", [3])
    x = tf.placeholder(tf.float32, [None, 2])
    tf.matmul(x, w) + b
    tf.assign_add(w, tf.ones([2, 3]))
    tf.gather(w, [0])
    tf.cast(w, tf.float32)
    tf.cast(w, tf.float64)
    tf.global_variables_initializer()
