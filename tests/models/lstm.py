"""An LSTM language model whose loop is written by hand: `tf.while_loop` over time with TensorArrays, as `dynamic_rnn`
runs it. Rows end at their own lengths: beyond, the state is carried on and the output is zero.

Trained with the sequence loss divided by the number of real words and gradients clipped by global norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.models.model import Feeds, Model, step_rng
from tests.models.optimizers import make_optimizer


@dataclass(frozen=True)
class LstmConfig:
    """Sizes; `layers` cells stand one on the other inside the loop."""

    vocabulary: int = 40
    embedding: int = 12
    hidden: int = 16
    layers: int = 2
    steps: int = 11
    batch: int = 5
    spread: float = 0.3


def _cell(tf: Any, x: Any, state: tuple[Any, Any], units: int, scope: str) -> tuple[Any, tuple[Any, Any]]:
    """One LSTM step: gates in the order input, candidate, forget, output; the forget gate starts open."""
    c, h = state
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        kernel = tf.get_variable("kernel", [int(x.shape[-1]) + units, 4 * units])
        bias = tf.get_variable("bias", [4 * units], initializer=tf.zeros_initializer())
    gates = tf.nn.bias_add(tf.matmul(tf.concat([x, h], 1), kernel), bias)
    i, j, f, o = tf.split(gates, 4, axis=1)
    c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
    h = tf.tanh(c) * tf.sigmoid(o)
    return h, (c, h)


def _unroll(tf: Any, inputs: Any, lengths: Any, initial: Any, config: LstmConfig, keep_prob: Any) -> tuple[Any, Any]:
    """Outputs [steps, batch, hidden] and the last state, for inputs [steps, batch, embedding]."""
    steps, batch = tf.shape(inputs)[0], tf.shape(inputs)[1]
    fed = tf.TensorArray(tf.float32, size=steps, name="input").unstack(inputs)
    taken = tf.TensorArray(tf.float32, size=steps, name="output")
    zeros = tf.zeros(tf.stack([batch, config.hidden]), tf.float32)

    def body(time: Any, state: Any, outputs: Any) -> tuple[Any, Any, Any]:
        x = fed.read(time)
        x.set_shape([None, config.embedding])
        following = []
        for layer in range(config.layers):
            x, new = _cell(tf, x, state[layer], config.hidden, f"cell_{layer}")
            x = tf.nn.dropout(x, rate=1.0 - keep_prob)
            following.append(new)
        over = time >= lengths
        held = tuple(
            tuple(tf.where(over, old, new) for old, new in zip(olds, news, strict=True))
            for olds, news in zip(state, following, strict=True)
        )
        return time + 1, held, outputs.write(time, tf.where(over, zeros, x))

    _, state, taken = tf.while_loop(
        lambda time, *_: time < steps, body, (tf.constant(0), initial, taken), parallel_iterations=32, name="rnn"
    )
    outputs = taken.stack()
    outputs.set_shape([None, None, config.hidden])
    return outputs, state


def build(tf: Any, config: LstmConfig, optimizer: str) -> Model:
    """Add the model to the default graph."""
    c = config
    words = tf.placeholder(tf.int32, [None, None], name="words")
    targets = tf.placeholder(tf.int32, [None, None], name="targets")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    keep_prob = tf.placeholder_with_default(tf.constant(1.0), [], name="keep_prob")

    with tf.variable_scope("lm", initializer=tf.random_uniform_initializer(-c.spread, c.spread)):
        table = tf.get_variable("embedding", [c.vocabulary, c.embedding])
        inputs = tf.transpose(tf.nn.embedding_lookup(table, words), [1, 0, 2])
        zero = tf.zeros(tf.stack([tf.shape(words)[0], c.hidden]), tf.float32)
        initial = tuple((zero, zero) for _ in range(c.layers))
        outputs, state = _unroll(tf, inputs, lengths, initial, config, keep_prob)
        flat = tf.reshape(tf.transpose(outputs, [1, 0, 2]), [-1, c.hidden])
        kernel = tf.get_variable("softmax/kernel", [c.hidden, c.vocabulary])
        bias = tf.get_variable("softmax/bias", [c.vocabulary], initializer=tf.zeros_initializer())
        logits = tf.nn.xw_plus_b(flat, kernel, bias, name="logits")

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(targets, [-1]), logits=logits)
    real = tf.reshape(tf.sequence_mask(lengths, tf.shape(words)[1], dtype=tf.float32), [-1])
    loss = tf.div(tf.reduce_sum(losses * real), tf.reduce_sum(real), name="loss")
    step = tf.train.get_or_create_global_step()
    maker = make_optimizer(tf, optimizer, 0.02 if optimizer.startswith("adam") else 0.5)
    pairs = maker.compute_gradients(loss)
    clipped, _ = tf.clip_by_global_norm([gradient for gradient, _ in pairs], 1.0)
    variables = [variable for _, variable in pairs]
    train_op = maker.apply_gradients(list(zip(clipped, variables, strict=True)), global_step=step, name="train_op")

    def feeds(number: int) -> Feeds:
        rng = step_rng(number)
        text = rng.integers(0, c.vocabulary, (c.batch, c.steps + 1)).astype(np.int32)
        ends = rng.integers(c.steps // 2, c.steps + 1, c.batch).astype(np.int32)
        ends[0] = c.steps
        return {"words:0": text[:, :-1], "targets:0": text[:, 1:], "lengths:0": ends}

    inference = {name: value for name, value in feeds(-1).items() if name != "targets:0"}
    return Model(
        loss=loss,
        train_op=train_op,
        outputs=(logits, state[-1][0], state[-1][1]),
        inference_feeds=inference,
        training_feeds=feeds,
        dropout_feeds={"keep_prob:0": np.float32(0.8)},
    )
