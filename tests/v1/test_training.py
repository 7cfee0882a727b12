"""One program, written as users write them, gives the same initial values and the same losses in both."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available, tensorflow
from tests.v1.both import build_ours, build_tensorflow, differences

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


def convolutional_network(tf: Any) -> tuple[Any, ...]:
    tf.set_random_seed(7)
    images = tf.placeholder(tf.float32, [None, 8, 8, 3], name="images")
    classes = tf.placeholder(tf.int64, [None], name="classes")
    h = tf.layers.conv2d(
        images, 8, 3, padding="same", activation=tf.nn.relu, kernel_regularizer=lambda v: 0.01 * tf.nn.l2_loss(v)
    )
    h = tf.layers.batch_normalization(h, training=True)
    h = tf.layers.max_pooling2d(h, 2, 2)
    h = tf.layers.separable_conv2d(h, 8, 3)
    h = tf.layers.flatten(h)
    h = tf.layers.dropout(h, 0.3, training=True, seed=11)
    h = tf.layers.dense(h, 16, activation=tf.nn.tanh, kernel_initializer=tf.orthogonal_initializer(seed=3))
    with tf.variable_scope("out", initializer=tf.truncated_normal_initializer(stddev=0.1)):
        w = tf.get_variable("w", [16, 10])
        b = tf.get_variable("b", [10], initializer=tf.zeros_initializer())
    logits = tf.nn.xw_plus_b(h, w, b)
    tf.losses.sparse_softmax_cross_entropy(classes, logits)
    loss = tf.losses.get_total_loss()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    return images, classes, loss, train, tf.global_variables_initializer()


def _trained(tf: Any) -> tuple[dict[str, np.ndarray], list[float]]:
    rng = np.random.RandomState(0)
    x, y = rng.randn(16, 8, 8, 3).astype(np.float32), rng.randint(0, 10, 16)
    with tf.Graph().as_default():
        images, classes, loss, train, init = convolutional_network(tf)
        with tf.Session() as sess:
            sess.run(init)
            values = {v.op.name: sess.run(v) for v in tf.global_variables()}
            losses = [sess.run([loss, train], {images: x, classes: y})[0] for _ in range(5)]
    return values, losses


@pytest.mark.skipif(
    not (available() and importlib.util.find_spec("tf_keras")), reason="TensorFlow with tf-keras is not installed"
)
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_convolutional_network():
    theirs = build_tensorflow(convolutional_network)
    assert not differences(build_ours(regraft.v1, convolutional_network), theirs)
    wanted, wanted_losses = _trained(tensorflow())
    values, losses = _trained(regraft.v1)
    assert list(values) == list(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(losses, wanted_losses, rtol=1e-4)
