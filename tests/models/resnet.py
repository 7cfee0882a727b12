"""ResNet-50 (He et al. 2015, https://arxiv.org/abs/1512.03385): bottlenecks, stride in the 3x3.

The last scale of each block starts small: with scales of 1 the first steps of so deep a network on so small a batch
are chaotic, and two runs of TensorFlow itself that differ in rounding part by 10 % within five steps.

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
class ResNetConfig:
    """Sizes; `width` 64 and `classes` 1000 are the real network."""

    image: int = 64
    batch: int = 2
    width: int = 64
    classes: int = 1000
    blocks: tuple[int, ...] = (3, 4, 6, 3)


def _bottleneck(tf: Any, x: Any, width: int, stride: int, training: bool) -> Any:
    shortcut = x
    if stride != 1 or int(x.shape[-1]) != 4 * width:
        shortcut = conv(tf, x, 4 * width, 1, "shortcut", stride=stride)
        shortcut = batch_norm(tf, shortcut, training, "shortcut_bn")
    x = tf.nn.relu(batch_norm(tf, conv(tf, x, width, 1, "conv1"), training, "bn1"))
    x = tf.nn.relu(batch_norm(tf, conv(tf, x, width, 3, "conv2", stride=stride), training, "bn2"))
    x = batch_norm(tf, conv(tf, x, 4 * width, 1, "conv3"), training, "bn3", scale=0.2)
    return tf.nn.relu(x + shortcut)


def _network(tf: Any, images: Any, config: ResNetConfig, training: bool) -> Any:
    x = conv(tf, images, config.width, 7, "conv1", stride=2)
    x = tf.nn.relu(batch_norm(tf, x, training, "bn1"))
    x = tf.nn.max_pool(x, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
    for group, count in enumerate(config.blocks):
        for block in range(count):
            with tf.variable_scope(f"group{group + 1}_block{block + 1}"):
                stride = 2 if group > 0 and block == 0 else 1
                x = _bottleneck(tf, x, config.width * 2**group, stride, training)
    return dense(tf, tf.reduce_mean(x, [1, 2], name="pool"), config.classes, "logits")


def build(tf: Any, config: ResNetConfig, optimizer: str) -> Model:
    """Add the model to the default graph."""
    images = tf.placeholder(tf.float32, [None, config.image, config.image, 3], name="images")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    with tf.variable_scope("resnet"), tf.name_scope("train"):
        logits = _network(tf, images, config, training=True)
    with tf.variable_scope("resnet", reuse=True), tf.name_scope("eval"):
        eval_logits = _network(tf, images, config, training=False)
    probabilities = tf.nn.softmax(eval_logits, name="probabilities")

    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.add(tf.reduce_mean(cross_entropy), weight_decay(tf, 1e-4), name="loss")
    step = tf.train.get_or_create_global_step()
    rate = 1e-4 if optimizer.startswith("adam") else 3e-4
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = make_optimizer(tf, optimizer, rate).minimize(loss, global_step=step, name="train_op")

    def feeds(number: int) -> Feeds:
        rng = step_rng(number)
        shape = (config.batch, config.image, config.image, 3)
        return {
            "images:0": rng.standard_normal(shape).astype(np.float32),
            "labels:0": rng.integers(0, config.classes, config.batch).astype(np.int64),
        }

    return Model(
        loss=loss,
        train_op=train_op,
        outputs=(eval_logits, probabilities),
        inference_feeds={"images:0": feeds(-1)["images:0"]},
        training_feeds=feeds,
    )
