"""What scaffolds, supervisors and hooks add to a graph, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _model(tf: Any, resource: bool = False) -> None:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer(), use_resource=resource)
    tf.get_variable("seen", [], initializer=tf.zeros_initializer(), collections=[tf.GraphKeys.LOCAL_VARIABLES])
    loss = tf.reduce_sum(tf.matmul(x, w), name="loss")
    tf.summary.scalar("loss", loss)
    step = tf.train.get_or_create_global_step()
    tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, global_step=step)


@program
def scaffold(tf: Any) -> None:
    _model(tf)
    tf.train.Scaffold().finalize()


@program
def scaffold_of_resources(tf: Any) -> None:
    _model(tf, resource=True)
    tf.train.Scaffold().finalize()


@program
def scaffold_of_nothing(tf: Any) -> None:
    tf.train.Scaffold().finalize()


@program
def scaffold_with_ops(tf: Any) -> None:
    _model(tf)
    saver = tf.train.Saver(defer_build=True)
    init = tf.global_variables_initializer()
    tf.train.Scaffold(init_op=init, saver=saver, summary_op=tf.constant("none"), local_init_op=tf.no_op()).finalize()


@program
def read_of_the_global_step(tf: Any) -> None:
    _model(tf)
    with tf.name_scope("elsewhere"):
        tf.train.StopAtStepHook(last_step=3).begin()
        tf.train.GlobalStepWaiterHook(2).begin()


@program
def read_of_a_resource_as_global_step(tf: Any) -> None:
    with tf.variable_scope("", use_resource=True):
        tf.train.create_global_step()
    tf.train.StopAtStepHook(num_steps=3).begin()


@program
def supervisor(tf: Any) -> None:
    _model(tf)
    tf.train.Supervisor(logdir=None)


@program
def supervisor_of_nothing(tf: Any) -> None:
    tf.train.Supervisor(logdir=None, ready_op=None)


def _synchronous(tf: Any, **options: Any) -> Any:
    table = tf.get_variable("table", [4, 2], initializer=tf.ones_initializer())
    w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer())
    ids = tf.placeholder_with_default([0, 2], [None], name="ids")
    loss = tf.reduce_sum(tf.matmul(tf.nn.embedding_lookup(table, ids), w), name="loss")
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.MomentumOptimizer(0.1, 0.9), 2, **options)
    return optimizer, optimizer.minimize(loss, step)


@program
def synchronous_training(tf: Any) -> None:
    optimizer, _ = _synchronous(tf)
    optimizer.make_session_run_hook(is_chief=True).begin()
    optimizer.get_init_tokens_op(0)


@program
def synchronous_training_with_averages(tf: Any) -> None:
    averages = tf.train.ExponentialMovingAverage(0.9)
    v = tf.get_variable("v", [2])
    with tf.device("/cpu:0"):
        _synchronous(tf, total_num_replicas=1, variable_averages=averages, variables_to_average=[v])
