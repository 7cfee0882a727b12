"""Programs of tf.train and tf.gradients, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "gradient_descent": lambda tf: tf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda tf: tf.train.MomentumOptimizer(0.1, 0.9),
    "nesterov": lambda tf: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True, name="Nesterov"),
    "adam": lambda tf: tf.train.AdamOptimizer(1e-3),
    "adagrad": lambda tf: tf.train.AdagradOptimizer(0.1),
    "adadelta": lambda tf: tf.train.AdadeltaOptimizer(0.1),
    "rmsprop": lambda tf: tf.train.RMSPropOptimizer(0.1, momentum=0.5),
    "centered_rmsprop": lambda tf: tf.train.RMSPropOptimizer(0.1, centered=True),
    "ftrl": lambda tf: tf.train.FtrlOptimizer(0.1),
    "ftrl_with_shrinkage": lambda tf: tf.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=0.1),
    "proximal_gradient_descent": lambda tf: tf.train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.02),
    "proximal_adagrad": lambda tf: tf.train.ProximalAdagradOptimizer(0.1),
    "adagrad_da": lambda tf: tf.train.AdagradDAOptimizer(0.1, tf.train.get_or_create_global_step()),
}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _dense_loss(tf: Any, resource: bool) -> Any:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w = tf.Variable(np.ones((3, 2), np.float32), name="w", use_resource=resource)
    b = tf.Variable(np.zeros(2, np.float32), name="b", use_resource=resource)
    return tf.reduce_mean(tf.square(tf.matmul(x, w) + b), name="loss")


def _sparse_loss(tf: Any, resource: bool) -> Any:
    ids = tf.placeholder(tf.int32, [None], name="ids")
    table = tf.Variable(np.ones((5, 2), np.float32), name="table", use_resource=resource)
    return tf.reduce_sum(tf.nn.embedding_lookup(table, ids), name="loss")


def _add(name: str, make: Callable[[Any], Any], loss: Callable[[Any, bool], Any], resource: bool) -> None:
    def build(tf: Any) -> None:
        make(tf).minimize(loss(tf, resource))

    kind = "resource" if resource else "ref"
    PROGRAMS[f"{name}_{loss.__name__.split('_')[1]}_{kind}"] = build


for _name, _make in OPTIMIZERS.items():
    for _loss in (_dense_loss, _sparse_loss):
        for _resource in (False, True):
            _add(_name, _make, _loss, _resource)


@program
def minimize_with_global_step(tf: Any) -> None:
    step = tf.Variable(0, trainable=False, name="global_step")
    tf.train.AdamOptimizer().minimize(_dense_loss(tf, False), global_step=step, name="train")


@program
def minimize_with_resource_global_step(tf: Any) -> None:
    step = tf.train.get_or_create_global_step()
    tf.train.MomentumOptimizer(0.1, 0.9).minimize(_dense_loss(tf, True), global_step=step)


@program
def clipped_gradients(tf: Any) -> None:
    optimizer = tf.train.AdamOptimizer(1e-3)
    pairs = optimizer.compute_gradients(_dense_loss(tf, False))
    clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], 5.0)
    optimizer.apply_gradients(list(zip(clipped, [v for _, v in pairs], strict=True)))


@program
def two_optimizers_on_the_same_variables(tf: Any) -> None:
    loss = _dense_loss(tf, False)
    tf.train.AdamOptimizer().minimize(loss)
    tf.train.AdamOptimizer().minimize(loss, var_list=[tf.trainable_variables()[0]])


@program
def learning_rate_as_a_tensor(tf: Any) -> None:
    rate = tf.placeholder(tf.float32, [], name="rate")
    tf.train.GradientDescentOptimizer(rate).minimize(_dense_loss(tf, False))


@program
def gate_none_and_colocated(tf: Any) -> None:
    loss = _dense_loss(tf, False)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    optimizer.minimize(loss, gate_gradients=optimizer.GATE_NONE, colocate_gradients_with_ops=True)


@program
def gate_graph(tf: Any) -> None:
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    optimizer.minimize(_dense_loss(tf, False), gate_gradients=optimizer.GATE_GRAPH)


@program
def variables_with_scopes_and_devices(tf: Any) -> None:
    with tf.device("/cpu:0"), tf.variable_scope("layer"):
        w = tf.get_variable("w", [3, 3], initializer=tf.ones_initializer())
    with tf.name_scope("model"):
        loss = tf.reduce_sum(tf.tanh(tf.matmul(tf.ones([2, 3]), w)))
    with tf.variable_scope("training"):
        tf.train.AdamOptimizer().minimize(loss)


# tf.gradients


@program
def gradients_of_several_ys(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2, 3], name="x")
    w = tf.placeholder(tf.float32, [3, 4], name="w")
    y = tf.matmul(x, w)
    z = tf.nn.relu(y) * y + tf.split(y, 2, axis=1)[0][0, 0]
    tf.gradients([tf.reduce_mean(z), y], [x, w], grad_ys=[None, tf.ones([2, 4])], gate_gradients=True)


@program
def gradients_stopped_and_unconnected(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [3], name="x")
    y = tf.placeholder(tf.float32, [3], name="y")
    a = tf.exp(x)
    tf.gradients(a * y, [x, y], stop_gradients=[a])
    tf.gradients(tf.stop_gradient(a), [x])
    tf.gradients(a, [y], unconnected_gradients=tf.UnconnectedGradients.ZERO)


@program
def gradients_through_shapes_nobody_knows(tf: Any) -> None:
    x = tf.placeholder(tf.float32, name="x")
    y = tf.placeholder(tf.float32, [None, 2], name="y")
    tf.gradients(tf.reduce_sum(x * y + x / y), [x, y])


@program
def gradients_of_shared_rows(tf: Any) -> None:
    table = tf.Variable(np.ones((5, 2), np.float32), name="table")
    rows = tf.gather(table, [0, 1]) * 2.0 + tf.gather(table, [1, 2])
    tf.gradients(tf.reduce_sum(rows), table)
    tf.gradients(tf.reduce_sum(rows) + tf.reduce_sum(table), table)


# Savers


@program
def saver_of_references(tf: Any) -> None:
    tf.Variable([1.0, 2.0], name="a")
    tf.Variable(3, name="b")
    tf.train.Saver()


@program
def saver_by_names(tf: Any) -> None:
    a = tf.get_variable("a", [2], use_resource=True)
    b = tf.Variable(3, name="b")
    tf.train.Saver({"x/a": a, "b": b}, name="mine", max_to_keep=2, filename="start")


@program
def saver_that_reshapes(tf: Any) -> None:
    tf.Variable([1.0, 2.0], name="a")
    tf.train.Saver(reshape=True)


@program
def saver_over_devices(tf: Any) -> None:
    with tf.device("/cpu:0"):
        tf.Variable([1.0, 2.0], name="a")
    with tf.device("/cpu:1"):
        tf.Variable(3, name="b")
    tf.train.Saver(sharded=True)


@program
def saver_of_parts(tf: Any) -> None:
    with tf.variable_scope("p", partitioner=tf.fixed_size_partitioner(2)):
        tf.get_variable("a", [4, 2])
    tf.train.Saver()


@program
def saver_in_sequence(tf: Any) -> None:
    tf.Variable([1.0, 2.0], name="a")
    tf.Variable(3, name="b")
    tf.train.Saver(restore_sequentially=True)


@program
def saver_of_the_old_format(tf: Any) -> None:
    tf.Variable([1.0, 2.0], name="a")
    tf.train.Saver(write_version=1)
    tf.train.Saver(write_version=1, sharded=True)
