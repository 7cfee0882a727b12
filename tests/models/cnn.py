"""A convolutional network with one of each: convolution with and without stride and dilation (over space to
batch), depthwise and separable convolution, max and average pooling, fused batch norm, local response
normalization, dropout, weight decay.

Two towers share the variables: `train` (batch moments) and `eval` (moving moments).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.models.layers import batch_norm, conv, dense, weight_decay
from tests.models.model import Feeds, Model, step_rng
from tests.models.optimizers import make_optimizer


@dataclass(frozen=True)
class CnnConfig:
    """Sizes."""

    image: int = 17
    classes: int = 7
    batch: int = 6
    width: int = 8


def build(tf: Any, config: CnnConfig, optimizer: str) -> Model:
    """Add the model to the default graph."""
    images = tf.placeholder(tf.float32, [None, config.image, config.image, 3], name="images")
    labels = tf.placeholder(tf.int32, [None], name="labels")
    keep_prob = tf.placeholder_with_default(tf.constant(1.0), [], name="keep_prob")

    def tower(training: bool) -> Any:
        x = conv(tf, images, config.width, 5, "conv1")
        bias = tf.get_variable("conv1/bias", [config.width], initializer=tf.constant_initializer(0.1))
        x = tf.nn.lrn(tf.nn.relu(tf.nn.bias_add(x, bias)), depth_radius=2, bias=1.0, alpha=1e-3, beta=0.75)
        x = tf.nn.max_pool(x, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
        depthwise = tf.get_variable("depthwise/kernel", [3, 3, config.width, 2])
        x = tf.nn.depthwise_conv2d(x, depthwise, strides=[1, 1, 1, 1], padding="SAME")
        x = tf.nn.relu6(batch_norm(tf, x, training, "bn1"))
        pointwise = tf.get_variable("separable/pointwise", [1, 1, 2 * config.width, 2 * config.width])
        depthwise = tf.get_variable("separable/depthwise", [3, 3, 2 * config.width, 1])
        x = tf.nn.separable_conv2d(x, depthwise, pointwise, strides=[1, 2, 2, 1], padding="VALID")
        x = tf.nn.leaky_relu(batch_norm(tf, x, training, "bn2"), alpha=0.1)
        x = tf.nn.avg_pool(x, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="SAME")
        dilated = tf.get_variable("dilated/kernel", [2, 2, 2 * config.width, config.width])
        x = tf.space_to_batch_nd(x, block_shape=[2, 2], paddings=[[0, 0], [0, 0]])
        x = tf.nn.conv2d(x, dilated, strides=[1, 1, 1, 1], padding="SAME")
        x = tf.nn.elu(tf.batch_to_space_nd(x, block_shape=[2, 2], crops=[[0, 0], [0, 0]]))
        x = tf.nn.relu(conv(tf, x, 2 * config.width, 3, "conv2", stride=2, padding="VALID"))
        x = tf.reshape(x, [-1, int(np.prod([int(d) for d in x.shape[1:]]))])
        x = tf.nn.dropout(x, rate=1.0 - keep_prob)
        x = tf.nn.softplus(dense(tf, x, 16, "hidden"))
        return dense(tf, x, config.classes, "logits")

    with tf.variable_scope("net"), tf.name_scope("train"):
        logits = tower(training=True)
    with tf.variable_scope("net", reuse=True), tf.name_scope("eval"):
        eval_logits = tower(training=False)
    probabilities = tf.nn.softmax(eval_logits, name="probabilities")
    top_values, top_indices = tf.nn.top_k(eval_logits, k=3, name="top")

    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.add(tf.reduce_mean(cross_entropy), weight_decay(tf, 1e-3), name="loss")
    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.005, step, decay_steps=4, decay_rate=0.9, staircase=True)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = make_optimizer(tf, optimizer, rate).minimize(loss, global_step=step, name="train_op")

    def feeds(number: int) -> Feeds:
        rng = step_rng(number)
        shape = (config.batch, config.image, config.image, 3)
        return {
            "images:0": rng.standard_normal(shape).astype(np.float32),
            "labels:0": rng.integers(0, config.classes, config.batch).astype(np.int32),
        }

    return Model(
        loss=loss,
        train_op=train_op,
        outputs=(eval_logits, probabilities, top_values, top_indices),
        inference_feeds={"images:0": feeds(-1)["images:0"]},
        training_feeds=feeds,
        dropout_feeds={"keep_prob:0": np.float32(0.7)},
    )
