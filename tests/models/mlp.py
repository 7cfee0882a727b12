"""A multilayer perceptron: two hidden layers, dropout with a fed keep_prob, softmax loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.models.layers import dense
from tests.models.model import Feeds, Model, step_rng
from tests.models.optimizers import make_optimizer


@dataclass(frozen=True)
class MlpConfig:
    """Sizes."""

    inputs: int = 20
    hidden: int = 32
    classes: int = 5
    batch: int = 16


def build(tf: Any, config: MlpConfig, optimizer: str) -> Model:
    """Add the model to the default graph."""
    x = tf.placeholder(tf.float32, [None, config.inputs], name="x")
    y = tf.placeholder(tf.float32, [None, config.classes], name="y")
    keep_prob = tf.placeholder(tf.float32, name="keep_prob")
    hidden = tf.nn.relu(dense(tf, x, config.hidden, "hidden1"))
    hidden = tf.nn.dropout(hidden, keep_prob=keep_prob)
    hidden = tf.tanh(dense(tf, hidden, config.hidden, "hidden2"))
    hidden = tf.nn.dropout(hidden, keep_prob=keep_prob)
    logits = dense(tf, hidden, config.classes, "output")
    probabilities = tf.nn.softmax(logits, name="probabilities")
    correct = tf.equal(tf.argmax(logits, 1), tf.argmax(y, 1))
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32), name="accuracy")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits), name="loss")
    step = tf.train.get_or_create_global_step()
    train_op = make_optimizer(tf, optimizer, 0.01).minimize(loss, global_step=step, name="train_op")

    def feeds(number: int) -> Feeds:
        rng = step_rng(number)
        images = rng.standard_normal((config.batch, config.inputs)).astype(np.float32)
        labels = images[:, : config.classes].argmax(1)
        return {
            "x:0": images,
            "y:0": np.eye(config.classes, dtype=np.float32)[labels],
            "keep_prob:0": np.float32(1.0),
        }

    return Model(
        loss=loss,
        train_op=train_op,
        outputs=(probabilities, accuracy),
        inference_feeds=feeds(-1),
        training_feeds=feeds,
        dropout_feeds={"keep_prob:0": np.float32(0.6)},
    )
