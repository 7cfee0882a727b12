"""Programs of tf.contrib that run: `RUNS[name](tf)` gives what to fetch, again and again, and what to feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RUNS: dict[str, Callable[[Any], tuple[list[Any], dict[Any, Any]]]] = {}

_BATCH, _TIME, _WORDS, _UNITS = 3, 5, 9, 4


def run(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    RUNS[function.__name__] = function
    return function


def _inputs(tf: Any) -> tuple[Any, Any, Any, dict[Any, Any]]:
    """Words, their embeddings, the matrix of embeddings, lengths; and what to feed."""
    tf.set_random_seed(3)
    random = np.random.RandomState(0)
    words = tf.placeholder(tf.int32, [None, None], name="words")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    matrix = tf.get_variable("embedding", [_WORDS, _UNITS], initializer=tf.random_normal_initializer())
    feeds = {words: random.randint(0, _WORDS, (_BATCH, _TIME)), lengths: np.array([5, 2, 4], np.int32)}
    return words, lengths, matrix, feeds


def _step(tf: Any, loss: Any) -> Any:
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
    return tf.train.AdamOptimizer(0.05).apply_gradients(zip(grads, variables, strict=True))


@run
def attention(tf: Any) -> Any:
    s = tf.contrib.seq2seq
    words, lengths, matrix, feeds = _inputs(tf)
    embedded = tf.nn.embedding_lookup(matrix, words)
    memory, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(_UNITS), embedded, lengths, dtype=tf.float32)
    mechanism = s.BahdanauAttention(_UNITS, memory, lengths)
    cell = s.AttentionWrapper(tf.nn.rnn_cell.BasicLSTMCell(_UNITS), mechanism, _UNITS)
    first = cell.zero_state(tf.size(lengths), tf.float32).clone(cell_state=state)
    decoder = s.BasicDecoder(cell, s.TrainingHelper(embedded, lengths), first, tf.layers.Dense(_WORDS))
    outputs, _, _ = s.dynamic_decode(decoder, impute_finished=True)
    loss = s.sequence_loss(outputs.rnn_output, words, tf.sequence_mask(lengths, dtype=tf.float32))
    return [loss, _step(tf, loss)], feeds


@run
def random_field(tf: Any) -> Any:
    words, lengths, matrix, feeds = _inputs(tf)
    embedded = tf.nn.embedding_lookup(matrix, words)
    cells = [tf.nn.rnn_cell.GRUCell(_UNITS) for _ in range(2)]
    outputs, _ = tf.nn.bidirectional_dynamic_rnn(*cells, embedded, lengths, dtype=tf.float32)
    scores = tf.layers.dense(tf.concat(outputs, 2), 3)
    likelihood, transitions = tf.contrib.crf.crf_log_likelihood(scores, words % 3, lengths)
    tags, best = tf.contrib.crf.crf_decode(scores, transitions, lengths)
    loss = tf.reduce_mean(-likelihood)
    return [loss, tags, best, _step(tf, loss)], feeds


@run
def beam_search(tf: Any) -> Any:
    s = tf.contrib.seq2seq
    words, lengths, matrix, feeds = _inputs(tf)
    memory = s.tile_batch(tf.nn.embedding_lookup(matrix, words), 3)
    mechanism = s.LuongAttention(_UNITS, memory, s.tile_batch(lengths, 3))
    cell = s.AttentionWrapper(tf.nn.rnn_cell.GRUCell(_UNITS), mechanism, _UNITS, alignment_history=True)
    batch = tf.size(lengths)
    decoder = s.BeamSearchDecoder(
        cell,
        lambda ids: 3.0 * tf.nn.embedding_lookup(matrix, ids),
        tf.fill([batch], 1),
        2,
        cell.zero_state(batch * 3, tf.float32),
        3,
        tf.layers.Dense(_WORDS, kernel_initializer=tf.random_normal_initializer()),
        length_penalty_weight=0.6,
        coverage_penalty_weight=0.1,
    )
    outputs, state, lengths = s.dynamic_decode(decoder, maximum_iterations=7)
    scores = outputs.beam_search_decoder_output.scores
    return [outputs.predicted_ids, scores, lengths, state.cell_state.alignment_history], feeds


@run
def sampled(tf: Any) -> Any:
    s = tf.contrib.seq2seq
    _, lengths, matrix, feeds = _inputs(tf)
    batch = tf.size(lengths)
    cell = tf.contrib.rnn.LayerNormBasicLSTMCell(_UNITS, dropout_keep_prob=0.8, dropout_prob_seed=2)
    state = cell.zero_state(batch, tf.float32)
    helper = s.SampleEmbeddingHelper(matrix, tf.fill([batch], 1), 2, seed=4)
    outputs, _, found = s.dynamic_decode(
        s.BasicDecoder(cell, helper, state, tf.layers.Dense(_WORDS)), maximum_iterations=6, impute_finished=True
    )
    return [outputs.sample_id, found], {lengths: feeds[lengths]}


@run
def buckets(tf: Any) -> Any:
    s = tf.contrib.legacy_seq2seq
    words, _, _, feeds = _inputs(tf)
    steps = [words[:, i] for i in range(2)]
    cell = tf.nn.rnn_cell.GRUCell(_UNITS)
    _, losses = s.model_with_buckets(
        steps,
        steps,
        steps,
        [tf.ones([_BATCH])] * 2,
        [(2, 2)],
        lambda x, y: s.embedding_attention_seq2seq(x, y, cell, _WORDS, _WORDS, _UNITS, feed_previous=True),
    )
    return [losses[0], _step(tf, losses[0])], {words: feeds[words]}


def results(tf: Any, name: str) -> list[Any]:
    """What three runs of a program give."""
    with tf.Graph().as_default():
        fetches, feeds = RUNS[name](tf)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            found = [session.run(fetches, feeds) for _ in range(3)]
    return [value for values in found for value in values if value is not None]
