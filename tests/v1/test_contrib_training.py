"""A network of slim's layers trains as TensorFlow trains it: from the same seeds, through the same losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle.slim import slim_available, tensorflow_with_contrib

STEPS = 4


def _losses(tf: Any) -> tuple[list[float], Any]:
    """The losses of a few steps, and the moving mean after them."""
    slim = tf.contrib.slim
    rows = np.random.RandomState(0)
    images, labels = rows.rand(6, 8, 8, 2).astype(np.float32), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    with tf.Graph().as_default():
        tf.set_random_seed(7)
        x = tf.placeholder(tf.float32, [None, 8, 8, 2])
        with slim.arg_scope(
            [slim.conv2d, slim.fully_connected],
            normalizer_fn=slim.batch_norm,
            normalizer_params={"is_training": True, "decay": 0.9, "scale": True},
            weights_regularizer=slim.l2_regularizer(0.01),
        ):
            net = slim.conv2d(x, 4, 3, scope="conv")
            net = slim.max_pool2d(net, 2, scope="pool")
            net = slim.separable_conv2d(net, 4, 3, 1, scope="separable")
            net = slim.dropout(slim.flatten(net), 0.8)
            net = slim.fully_connected(slim.layers.layer_norm(net), 5, scope="fc")
        logits = slim.fully_connected(net, 3, activation_fn=None, scope="logits")
        slim.losses.softmax_cross_entropy(logits, tf.constant(labels))
        train_op = slim.learning.create_train_op(
            slim.losses.get_total_loss(), tf.train.MomentumOptimizer(0.1, 0.9), clip_gradient_norm=1.0
        )
        mean = slim.get_unique_variable("conv/BatchNorm/moving_mean")
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            losses = [float(sess.run(train_op, {x: images})) for _ in range(STEPS)]
            return losses, sess.run(mean)


@pytest.mark.skipif(not slim_available(), reason="needs TensorFlow, tf-keras and tf-slim")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
def test_same_losses():
    ours, mean = _losses(regraft.v1)
    theirs, their_mean = _losses(tensorflow_with_contrib())
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(mean, their_mean, rtol=1e-5, atol=1e-6)
