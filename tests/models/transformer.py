"""A transformer encoder with BERT's layers, variable names and two losses (Devlin et al. 2018,
https://arxiv.org/abs/1810.04805): masked words and next sentence.

Gelu comes in both spellings: tanh in the encoder, erf in the head of the masked words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.models.model import Feeds, Model, step_rng
from tests.models.optimizers import adam_weight_decay, make_optimizer


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes; `bert_base` in the catalogue is the published one."""

    vocabulary: int = 120
    hidden: int = 32
    layers: int = 2
    heads: int = 4
    intermediate: int = 64
    positions: int = 24
    types: int = 2
    length: int = 16
    predictions: int = 4
    batch: int = 4
    learning_rate: float = 0.01


class _Encoder:
    """The layers, holding the module and the sizes."""

    def __init__(self, tf: Any, config: TransformerConfig, keep_prob: Any) -> None:
        self.tf, self.config, self.keep_prob = tf, config, keep_prob

    def initializer(self) -> Any:
        return self.tf.truncated_normal_initializer(stddev=0.02)

    def dense(self, x: Any, units: int, scope: str = "dense") -> Any:
        tf = self.tf
        with tf.variable_scope(scope):
            kernel = tf.get_variable("kernel", [int(x.shape[-1]), units], initializer=self.initializer())
            bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
            return tf.nn.bias_add(tf.matmul(x, kernel), bias)

    def layer_norm(self, x: Any) -> Any:
        tf = self.tf
        with tf.variable_scope("LayerNorm"):
            beta = tf.get_variable("beta", [int(x.shape[-1])], initializer=tf.zeros_initializer())
            gamma = tf.get_variable("gamma", [int(x.shape[-1])], initializer=tf.ones_initializer())
            mean, variance = tf.nn.moments(x, axes=[-1], keep_dims=True)
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, variance_epsilon=1e-12)

    def dropout(self, x: Any) -> Any:
        return self.tf.nn.dropout(x, keep_prob=self.keep_prob)

    def gelu_tanh(self, x: Any) -> Any:
        tf = self.tf
        return x * 0.5 * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * tf.pow(x, 3))))

    def gelu_erf(self, x: Any) -> Any:
        return x * 0.5 * (1.0 + self.tf.erf(x / self.tf.sqrt(2.0)))

    def embed(self, ids: Any, types: Any) -> tuple[Any, Any]:
        """Hidden states [batch, length, hidden] and the word table."""
        tf, c = self.tf, self.config
        with tf.variable_scope("embeddings"):
            table = tf.get_variable("word_embeddings", [c.vocabulary, c.hidden], initializer=self.initializer())
            x = tf.reshape(tf.gather(table, tf.reshape(ids, [-1])), [-1, c.length, c.hidden])
            type_table = tf.get_variable("token_type_embeddings", [c.types, c.hidden], initializer=self.initializer())
            one_hot = tf.one_hot(tf.reshape(types, [-1]), depth=c.types)
            x += tf.reshape(tf.matmul(one_hot, type_table), [-1, c.length, c.hidden])
            longest = tf.assert_less_equal(c.length, c.positions)
            with tf.control_dependencies([longest] if longest is not None else []):
                position_table = tf.get_variable(
                    "position_embeddings", [c.positions, c.hidden], initializer=self.initializer()
                )
                x += tf.expand_dims(tf.slice(position_table, [0, 0], [c.length, -1]), 0)
            return self.dropout(self.layer_norm(x)), table

    def split_heads(self, x: Any) -> Any:
        """[batch * length, hidden] to [batch, heads, length, hidden / heads]."""
        c = self.config
        x = self.tf.reshape(x, [-1, c.length, c.heads, c.hidden // c.heads])
        return self.tf.transpose(x, [0, 2, 1, 3])

    def attention(self, x: Any, mask: Any) -> Any:
        tf, c = self.tf, self.config
        with tf.variable_scope("self"):
            query, key, value = (self.split_heads(self.dense(x, c.hidden, name)) for name in ("query", "key", "value"))
            scores = tf.matmul(query, key, transpose_b=True) * (1.0 / math.sqrt(c.hidden // c.heads))
            scores += (1.0 - tf.expand_dims(mask, axis=[1])) * -10000.0
            context = tf.matmul(self.dropout(tf.nn.softmax(scores)), value)
            return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, c.hidden])

    def layer(self, x: Any, mask: Any) -> Any:
        """One block on [batch * length, hidden]."""
        tf, c = self.tf, self.config
        with tf.variable_scope("attention"):
            attended = self.attention(x, mask)
            with tf.variable_scope("output"):
                attended = self.layer_norm(self.dropout(self.dense(attended, c.hidden)) + x)
        with tf.variable_scope("intermediate"):
            wide = self.gelu_tanh(self.dense(attended, c.intermediate))
        with tf.variable_scope("output"):
            return self.layer_norm(self.dropout(self.dense(wide, c.hidden)) + attended)

    def encode(self, ids: Any, mask: Any, types: Any) -> tuple[Any, Any, Any]:
        """Hidden states of the last layer, pooled first token, word table."""
        tf, c = self.tf, self.config
        with tf.variable_scope("bert"):
            x, table = self.embed(ids, types)
            with tf.variable_scope("encoder"):
                columns = tf.cast(tf.reshape(mask, [-1, 1, c.length]), tf.float32)
                ones = tf.ones([tf.shape(ids)[0], c.length, 1], tf.float32)
                attention_mask = ones * columns
                x = tf.reshape(x, [-1, c.hidden])
                for number in range(c.layers):
                    with tf.variable_scope(f"layer_{number}"):
                        x = self.layer(x, attention_mask)
                x = tf.reshape(x, [-1, c.length, c.hidden])
            with tf.variable_scope("pooler"):
                first = tf.squeeze(x[:, 0:1, :], axis=1)
                pooled = tf.tanh(self.dense(first, c.hidden))
        return x, pooled, table

    def masked_words(self, x: Any, table: Any, positions: Any) -> Any:
        """Log probabilities [batch * predictions, vocabulary]."""
        tf, c = self.tf, self.config
        with tf.variable_scope("cls/predictions"):
            offsets = tf.reshape(tf.range(tf.shape(x)[0], dtype=tf.int32) * c.length, [-1, 1])
            rows = tf.gather(tf.reshape(x, [-1, c.hidden]), tf.reshape(positions + offsets, [-1]))
            with tf.variable_scope("transform"):
                rows = self.layer_norm(self.gelu_erf(self.dense(rows, c.hidden)))
            bias = tf.get_variable("output_bias", [c.vocabulary], initializer=tf.zeros_initializer())
            logits = tf.nn.bias_add(tf.matmul(rows, table, transpose_b=True), bias)
            return tf.nn.log_softmax(logits, axis=-1)

    def next_sentence(self, pooled: Any) -> Any:
        """Log probabilities [batch, 2]."""
        tf, c = self.tf, self.config
        with tf.variable_scope("cls/seq_relationship"):
            weights = tf.get_variable("output_weights", [2, c.hidden], initializer=self.initializer())
            bias = tf.get_variable("output_bias", [2], initializer=tf.zeros_initializer())
            return tf.nn.log_softmax(tf.nn.bias_add(tf.matmul(pooled, weights, transpose_b=True), bias), axis=-1)


def _train_op(tf: Any, loss: Any, optimizer: str, peak: float) -> Any:
    """Warm up, decay, clip by global norm, apply."""
    step = tf.train.get_or_create_global_step()
    decayed = tf.train.polynomial_decay(tf.constant(peak), step, 1000, end_learning_rate=0.0, power=1.0)
    warm = tf.cast(step + 1, tf.float32) / 4.0
    is_warm = tf.cast(step < 4, tf.float32)
    rate = (1.0 - is_warm) * decayed + is_warm * peak * warm
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), clip_norm=1.0)
    pairs = list(zip(gradients, variables, strict=True))
    if optimizer == "adamw":
        return adam_weight_decay(tf, pairs, rate * 0.1, step)
    return make_optimizer(tf, optimizer, rate).apply_gradients(pairs, global_step=step, name="train_op")


def build(tf: Any, config: TransformerConfig, optimizer: str) -> Model:
    """Add the model to the default graph."""
    c = config
    ids = tf.placeholder(tf.int32, [None, c.length], name="input_ids")
    mask = tf.placeholder(tf.int32, [None, c.length], name="input_mask")
    types = tf.placeholder(tf.int32, [None, c.length], name="segment_ids")
    positions = tf.placeholder(tf.int32, [None, c.predictions], name="masked_lm_positions")
    word_ids = tf.placeholder(tf.int32, [None, c.predictions], name="masked_lm_ids")
    word_weights = tf.placeholder(tf.float32, [None, c.predictions], name="masked_lm_weights")
    next_labels = tf.placeholder(tf.int32, [None, 1], name="next_sentence_labels")
    keep_prob = tf.placeholder_with_default(tf.constant(1.0), [], name="keep_prob")

    encoder = _Encoder(tf, config, keep_prob)
    x, pooled, table = encoder.encode(ids, mask, types)
    word_log_probs = encoder.masked_words(x, table, positions)
    next_log_probs = encoder.next_sentence(pooled)

    one_hot = tf.one_hot(tf.reshape(word_ids, [-1]), depth=c.vocabulary, dtype=tf.float32)
    per_word = -tf.reduce_sum(word_log_probs * one_hot, axis=[-1])
    weights = tf.reshape(word_weights, [-1])
    word_loss = tf.reduce_sum(weights * per_word) / (tf.reduce_sum(weights) + 1e-5)
    next_one_hot = tf.one_hot(tf.reshape(next_labels, [-1]), depth=2, dtype=tf.float32)
    next_loss = tf.reduce_mean(-tf.reduce_sum(next_log_probs * next_one_hot, axis=-1))
    loss = tf.add(word_loss, next_loss, name="loss")
    train_op = _train_op(tf, loss, optimizer, config.learning_rate)

    def feeds(number: int) -> Feeds:
        rng = step_rng(number)
        lengths = rng.integers(c.length // 2, c.length + 1, c.batch)
        columns = np.arange(c.length)
        real = columns < lengths[:, None]
        places = np.stack([np.sort(rng.permutation(n)[: c.predictions]) for n in lengths])
        return {
            "input_ids:0": (rng.integers(1, c.vocabulary, real.shape) * real).astype(np.int32),
            "input_mask:0": real.astype(np.int32),
            "segment_ids:0": (real & (columns >= lengths[:, None] // 2)).astype(np.int32),
            "masked_lm_positions:0": places.astype(np.int32),
            "masked_lm_ids:0": rng.integers(1, c.vocabulary, places.shape).astype(np.int32),
            "masked_lm_weights:0": (rng.random(places.shape) < 0.8).astype(np.float32),
            "next_sentence_labels:0": rng.integers(0, 2, (c.batch, 1)).astype(np.int32),
        }

    needed = ("input", "segment", "masked_lm_positions")
    inference = {name: value for name, value in feeds(-1).items() if name.startswith(needed)}
    return Model(
        loss=loss,
        train_op=train_op,
        outputs=(x, pooled, word_log_probs, next_log_probs),
        inference_feeds=inference,
        training_feeds=feeds,
        dropout_feeds={"keep_prob:0": np.float32(0.9)},
    )
