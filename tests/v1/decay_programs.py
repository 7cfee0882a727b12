"""Programs of learning rates that decay and of moving averages, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def exponential(tf: Any) -> None:
    step = tf.train.get_or_create_global_step()
    tf.train.exponential_decay(0.1, step, 100, 0.96)
    tf.train.exponential_decay(tf.constant(0.1, tf.float64), step, 100, 0.96, staircase=True, name="stairs")
    tf.train.natural_exp_decay(0.1, step, 100, 0.5, staircase=True)
    tf.train.inverse_time_decay(0.1, step, 100, 0.5)
    tf.train.inverse_time_decay(0.1, step, 100, 0.5, staircase=True, name="inverse")


@program
def exponential_of_a_variable(tf: Any) -> None:
    rate = tf.Variable(0.1, trainable=False, use_resource=True)
    step = tf.Variable(0, trainable=False)
    tf.train.exponential_decay(rate, step, tf.constant(10), tf.placeholder(tf.float32, []))


@program
def piecewise(tf: Any) -> None:
    step = tf.train.get_or_create_global_step()
    tf.train.piecewise_constant(step, [100, 200, 300], [1.0, 0.5, 0.25, 0.125])
    tf.train.piecewise_constant_decay(tf.cast(step, tf.int32), [100], [1.0, 0.5], name="two")


@program
def polynomial(tf: Any) -> None:
    step = tf.train.get_or_create_global_step()
    tf.train.polynomial_decay(0.1, step, 100)
    tf.train.polynomial_decay(0.1, step, 100, 0.01, power=0.5, cycle=True, name="cycles")


@program
def cosine(tf: Any) -> None:
    tf.set_random_seed(1)
    step = tf.train.get_or_create_global_step()
    tf.train.cosine_decay(0.1, step, 100, alpha=0.1)
    tf.train.cosine_decay_restarts(0.1, step, 100, t_mul=1.5, m_mul=0.9, alpha=0.1)
    tf.train.linear_cosine_decay(0.1, step, 100)
    tf.train.noisy_linear_cosine_decay(0.1, step, 100)


def _averages(tf: Any, resource: bool, **options: Any) -> Any:
    with tf.variable_scope("net", use_resource=resource):
        a = tf.get_variable("a", [2, 3], initializer=tf.ones_initializer())
        b = tf.get_variable("b", [3], initializer=tf.zeros_initializer())
    loss = tf.reduce_sum(tf.matmul(tf.ones([4, 2]), a) + b)
    average = tf.train.ExponentialMovingAverage(0.99, **options)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.control_dependencies([train]):
        average.apply()
        average.apply([a])
    tf.identity(average.average(b))
    return average


@program
def averages(tf: Any) -> None:
    _averages(tf, False)


@program
def averages_of_resources(tf: Any) -> None:
    _averages(tf, True)


@program
def averages_with_num_updates(tf: Any) -> None:
    _averages(tf, False, num_updates=tf.train.get_or_create_global_step(), name="avg")


@program
def averages_of_tensors(tf: Any) -> None:
    x = tf.placeholder(tf.float32, [2], name="x")
    loss = tf.reduce_sum(x, name="loss")
    tf.train.ExponentialMovingAverage(0.9).apply([loss, x])
    debiased = tf.train.ExponentialMovingAverage(0.9, zero_debias=True, name="debiased")
    debiased.apply([loss, x])


@program
def averages_on_a_device(tf: Any) -> None:
    with tf.device("/cpu:0"):
        w = tf.Variable([1.0], name="w")
    tf.train.ExponentialMovingAverage(0.9).apply([w])
