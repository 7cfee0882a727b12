"""Programs of tf.contrib.legacy_seq2seq and tf.contrib.crf, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _words(tf: Any, name: str, count: int) -> list[Any]:
    return [tf.placeholder(tf.int32, [None], name=f"{name}_{i}") for i in range(count)]


@program
def decoders(tf: Any) -> None:
    s, cell = tf.contrib.legacy_seq2seq, tf.nn.rnn_cell
    x = [tf.placeholder(tf.float32, [None, 3], name=f"x_{i}") for i in range(2)]
    start = tf.zeros([2, 4])
    s.rnn_decoder(x, start, cell.GRUCell(4))
    s.rnn_decoder(x, start, cell.GRUCell(4), loop_function=lambda prev, i: prev[:, :3], scope="looped")
    memory = tf.placeholder(tf.float32, [None, 5, 6], name="memory")
    s.attention_decoder(x, start, memory, cell.GRUCell(4), num_heads=2)
    lstm = cell.BasicLSTMCell(4)
    state = lstm.zero_state(2, tf.float32)
    s.attention_decoder(x, state, memory, lstm, output_size=3, initial_state_attention=True, scope="initial")
    s.basic_rnn_seq2seq(x, x, cell.MultiRNNCell([cell.GRUCell(4), cell.GRUCell(4)]))
    s.tied_rnn_seq2seq(x, x, cell.GRUCell(4))


@program
def embedding_models(tf: Any) -> None:
    s, cell = tf.contrib.legacy_seq2seq, tf.nn.rnn_cell
    source, target = _words(tf, "source", 2), _words(tf, "target", 3)
    feed = tf.placeholder(tf.bool, [], name="feed")
    w, b = tf.get_variable("proj_w", [4, 7]), tf.get_variable("proj_b", [7])

    def gru() -> Any:
        return cell.GRUCell(4)

    s.embedding_rnn_seq2seq(source, target, gru(), 6, 7, 3)
    s.embedding_rnn_seq2seq(source, target, gru(), 6, 7, 3, feed_previous=feed, scope="fed")
    s.embedding_rnn_seq2seq(source, target, gru(), 6, 7, 3, output_projection=(w, b), feed_previous=True, scope="proj")
    s.embedding_tied_rnn_seq2seq(source, target, cell.BasicLSTMCell(4), 7, 3, feed_previous=feed)
    s.embedding_attention_seq2seq(
        source, target, cell.MultiRNNCell([cell.BasicLSTMCell(4), cell.BasicLSTMCell(4)]), 6, 7, 3, num_heads=2
    )
    s.embedding_attention_seq2seq(source, target, gru(), 6, 7, 3, feed_previous=feed, scope="attention_fed")
    cells = {"a": gru(), "b": gru()}
    inputs = {"a": target, "b": target[:2]}
    s.one2many_rnn_seq2seq(source, inputs, gru(), cells, 6, {"a": 5, "b": 7}, 3, feed_previous=feed)


@program
def buckets(tf: Any) -> None:
    s, cell = tf.contrib.legacy_seq2seq, tf.nn.rnn_cell
    source, target = _words(tf, "source", 3), _words(tf, "target", 3)
    weights = [tf.placeholder(tf.float32, [None], name=f"weight_{i}") for i in range(3)]

    def model(x: Any, y: Any) -> Any:
        return s.embedding_attention_seq2seq(x, y, cell.GRUCell(4), 6, 7, 3)

    _, losses = s.model_with_buckets(source, target, target, weights, [(2, 2), (3, 3)], model)
    variables = tf.trainable_variables()
    for loss in losses:
        grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
        tf.train.GradientDescentOptimizer(0.5).apply_gradients(zip(grads, variables, strict=True))
    logits = [tf.placeholder(tf.float32, [None, 7]) for _ in range(3)]
    s.sequence_loss_by_example(logits, target, weights, average_across_timesteps=False)
    s.sequence_loss(
        logits, target, weights, average_across_batch=False, softmax_loss_function=lambda labels, logits: logits[:, 0]
    )


@program
def random_fields(tf: Any) -> None:
    crf = tf.contrib.crf
    scores = tf.placeholder(tf.float32, [None, None, 5], name="scores")
    tags = tf.placeholder(tf.int32, [None, None], name="tags")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    likelihood, transitions = crf.crf_log_likelihood(scores, tags, lengths)
    tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(-likelihood))
    crf.crf_decode(scores, transitions, lengths)
    fixed = tf.placeholder(tf.float32, [2, 4, 5], name="fixed")
    long_tags = tf.placeholder(tf.int64, [2, 4], name="long_tags")
    crf.crf_log_likelihood(fixed, long_tags, tf.constant([3, 4]), transitions)
    crf.crf_decode(fixed, transitions, tf.constant([3, 4], tf.int64))
    single = tf.placeholder(tf.float32, [2, 1, 5], name="single")
    crf.crf_log_likelihood(single, tf.zeros([2, 1], tf.int32), lengths, transitions)
    crf.crf_decode(single, transitions, lengths)
    crf.crf_multitag_sequence_score(fixed, fixed > 0.0, tf.constant([3, 4]), transitions)
