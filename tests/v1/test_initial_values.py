"""Variables start with the values that they have in TensorFlow, where the graph or the initializer has a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests import oracle

SHAPE = [7, 5]

INITIALIZERS: dict[str, Callable[[Any], Any]] = {
    "default": lambda tf: None,
    "zeros": lambda tf: tf.zeros_initializer(),
    "ones": lambda tf: tf.ones_initializer(),
    "constant": lambda tf: tf.constant_initializer(list(range(35))),
    "random_uniform": lambda tf: tf.random_uniform_initializer(-2.0, 3.0),
    "random_uniform_seeded": lambda tf: tf.random_uniform_initializer(seed=9),
    "random_normal": lambda tf: tf.random_normal_initializer(1.0, 0.5),
    "truncated_normal": lambda tf: tf.truncated_normal_initializer(stddev=0.02),
    "truncated_normal_seeded": lambda tf: tf.truncated_normal_initializer(seed=4),
    "glorot_uniform": lambda tf: tf.glorot_uniform_initializer(),
    "glorot_normal": lambda tf: tf.glorot_normal_initializer(),
    "he_normal": lambda tf: tf.initializers.he_normal(),
    "he_uniform": lambda tf: tf.initializers.he_uniform(),
    "lecun_normal": lambda tf: tf.initializers.lecun_normal(),
    "variance_scaling": lambda tf: tf.variance_scaling_initializer(2.0, "fan_avg", "uniform"),
    "uniform_unit_scaling": lambda tf: tf.uniform_unit_scaling_initializer(1.3),
}


def _values(tf: Any, resource: bool) -> dict[str, Any]:
    with tf.Graph().as_default():
        tf.set_random_seed(1234)
        made = {
            name: tf.get_variable(name, SHAPE, initializer=make(tf), use_resource=resource)
            for name, make in INITIALIZERS.items()
        }
        made["ints"] = tf.Variable(tf.random_uniform([9], 0, 100, tf.int32), use_resource=resource)
        made["doubles"] = tf.get_variable("doubles", [3, 3], tf.float64, use_resource=resource)
        made["shuffled"] = tf.Variable(tf.random_shuffle(tf.range(12)), use_resource=resource)
        parts = tf.get_variable("parts", SHAPE, partitioner=tf.fixed_size_partitioner(2), use_resource=resource)
        made |= {f"part_{i}": part for i, part in enumerate(parts)}
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            return sess.run(made)


@pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("resource", [False, True])
def test_initial_values_are_tensorflows(resource: bool) -> None:
    ours, theirs = (_values(tf, resource) for tf in (regraft.v1, oracle.tensorflow()))
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=2e-6, atol=1e-7, err_msg=name)
