"""Programs of tf.contrib.seq2seq, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _memory(tf: Any) -> tuple[Any, Any]:
    memory = tf.placeholder(tf.float32, [None, None, 4], name="memory")
    return memory, tf.placeholder(tf.int32, [None], name="memory_lengths")


@program
def training(tf: Any) -> None:
    s = tf.contrib.seq2seq
    memory, memory_lengths = _memory(tf)
    x = tf.placeholder(tf.float32, [None, None, 3], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    targets = tf.placeholder(tf.int32, [None, None], name="targets")
    attention = s.BahdanauAttention(5, memory, memory_sequence_length=memory_lengths)
    cell = s.AttentionWrapper(tf.nn.rnn_cell.BasicLSTMCell(4), attention, attention_layer_size=3)
    helper = s.TrainingHelper(x, lengths)
    decoder = s.BasicDecoder(cell, helper, cell.zero_state(tf.size(lengths), tf.float32), tf.layers.Dense(7))
    outputs, _, _ = s.dynamic_decode(decoder, impute_finished=True, swap_memory=True)
    loss = s.sequence_loss(outputs.rnn_output, targets, tf.sequence_mask(lengths, dtype=tf.float32))
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
    tf.train.AdamOptimizer().apply_gradients(zip(grads, variables, strict=True))


@program
def helpers(tf: Any) -> None:
    s = tf.contrib.seq2seq
    matrix = tf.get_variable("embedding", [7, 3])
    start = tf.placeholder(tf.int32, [None], name="start")
    cell = tf.nn.rnn_cell.GRUCell(7)
    x = tf.placeholder(tf.float32, [None, None, 3], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    state = cell.zero_state(tf.size(start), tf.float32)

    def decode(helper: Any, **kwargs: Any) -> Any:
        return s.dynamic_decode(s.BasicDecoder(cell, helper, state), **kwargs)

    decode(s.GreedyEmbeddingHelper(matrix, start, 1), maximum_iterations=5, scope="greedy")
    decode(
        s.GreedyEmbeddingHelper(lambda ids: tf.nn.embedding_lookup(matrix, ids), tf.fill([2], 0), 1), scope="function"
    )
    decode(s.SampleEmbeddingHelper(matrix, start, 1, softmax_temperature=0.5, seed=3), maximum_iterations=5)
    decode(
        s.ScheduledEmbeddingTrainingHelper(x, lengths, matrix, 0.3, seed=1, scheduling_seed=2), output_time_major=True
    )
    decode(s.ScheduledOutputTrainingHelper(x, lengths, 0.3, seed=1, next_inputs_fn=lambda o: o[:, :3]), scope="outputs")
    decode(
        s.InferenceHelper(lambda o: o[:, :3], [3], tf.float32, tf.zeros([2, 3]), lambda chosen: chosen[:, 0] > 0.5),
        maximum_iterations=4,
        scope="inference",
    )
    custom = s.CustomHelper(
        lambda: (tf.equal(0, lengths), x[:, 0]),
        lambda time, outputs, state: tf.cast(tf.argmax(outputs, -1), tf.int32),
        lambda time, outputs, state, sample_ids: (time + 1 >= lengths, x[:, 0], state),
    )
    decode(custom, scope="custom")
    decode(s.TrainingHelper(tf.transpose(x, [1, 0, 2]), lengths, time_major=True, name="major"), scope="major")


@program
def mechanisms(tf: Any) -> None:
    s = tf.contrib.seq2seq
    memory, memory_lengths = _memory(tf)
    fixed = tf.placeholder(tf.float32, [2, 6, 4], name="fixed")
    query = tf.placeholder(tf.float32, [2, 5], name="query")
    kinds = [
        lambda: s.BahdanauAttention(3, fixed, normalize=True),
        lambda: s.BahdanauAttention(3, fixed, [4, 5], probability_fn=s.hardmax),
        lambda: s.LuongAttention(5, fixed, scale=True),
        lambda: s.LuongAttention(5, memory, memory_lengths, score_mask_value=-1e9),
        lambda: s.BahdanauMonotonicAttention(3, fixed, normalize=True, sigmoid_noise=0.5, sigmoid_noise_seed=1),
        lambda: s.BahdanauMonotonicAttention(3, memory, mode="recursive"),
        lambda: s.LuongMonotonicAttention(5, fixed, mode="hard", scale=True, score_bias_init=0.5),
    ]
    for i, kind in enumerate(kinds):
        with tf.variable_scope(f"scope_{i}"):
            made = kind()
            made(query, made.initial_state(2, tf.float32))


@program
def wrappers(tf: Any) -> None:
    s = tf.contrib.seq2seq
    memory, memory_lengths = _memory(tf)
    fixed = tf.placeholder(tf.float32, [2, 6, 4], name="fixed")
    x = tf.placeholder(tf.float32, [2, 3], name="x")

    def run(cell: Any) -> None:
        cell(x, cell.zero_state(2, tf.float32))

    def gru() -> Any:
        return tf.nn.rnn_cell.GRUCell(4)

    with tf.variable_scope("a"):
        run(s.AttentionWrapper(gru(), s.LuongAttention(4, fixed), alignment_history=True, output_attention=False))
    with tf.variable_scope("b"):
        both = [s.LuongAttention(4, fixed), s.BahdanauAttention(3, memory, memory_lengths)]
        run(s.AttentionWrapper(gru(), both, attention_layer_size=[3, 2], alignment_history=True))
    with tf.variable_scope("c"):
        layer = tf.layers.Dense(3, name="own")
        run(s.AttentionWrapper(gru(), s.LuongAttention(4, fixed), attention_layer=layer, cell_input_fn=lambda i, a: i))
    with tf.variable_scope("d"):
        first = tf.ones([2, 4])
        cell = s.AttentionWrapper(gru(), s.LuongAttention(4, fixed), 3, initial_cell_state=first, name="named")
        run(cell)
    with tf.variable_scope("e"):
        cell = s.AttentionWrapper(gru(), s.LuongAttention(4, memory), 3)
        state = cell.zero_state(tf.shape(memory)[0], tf.float32)
        state = state.clone(cell_state=tf.placeholder(tf.float32, [None, 4], name="encoded"))
        cell(tf.placeholder(tf.float32, [None, 3], name="inputs"), state)
    with tf.variable_scope("f"):
        cell = s.AttentionWrapper(gru(), s.LuongAttention(4, fixed), 3)
        cell.zero_state(2, tf.float32).clone(cell_state=tf.placeholder(tf.float32, [None, 4]))
        cell.zero_state(2, tf.float32).clone(cell_state=tf.ones([2, 4]))


@program
def beam_search(tf: Any) -> None:
    s = tf.contrib.seq2seq
    memory, memory_lengths = _memory(tf)
    matrix = tf.get_variable("embedding", [7, 3])
    start = tf.placeholder(tf.int32, [None], name="start")

    def decode(width: int, cell: Any, state: Any, limit: Any = 6, scope: str = "decoder", **kwargs: Any) -> Any:
        layer = tf.layers.Dense(7, use_bias=False, name=scope + "_out")
        decoder = s.BeamSearchDecoder(cell, matrix, start, 1, state, width, layer, **kwargs)
        return s.dynamic_decode(decoder, maximum_iterations=limit, scope=scope)

    batch = tf.size(start)
    lstm = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(4), tf.nn.rnn_cell.BasicLSTMCell(4)])
    decode(3, lstm, lstm.zero_state(batch * 3, tf.float32), limit=None)
    tiled, lengths = s.tile_batch(memory, 2), s.tile_batch(memory_lengths, multiplier=2)
    cell = s.AttentionWrapper(
        tf.nn.rnn_cell.GRUCell(4), s.BahdanauAttention(3, tiled, lengths), 3, alignment_history=True
    )
    state = cell.zero_state(batch * 2, tf.float32)
    decode(2, cell, state, scope="penalties", length_penalty_weight=0.6, coverage_penalty_weight=0.2)
    s.tile_batch((tf.ones([2, 3]), [tf.ones([2])]), 3, name="named")


@program
def losses(tf: Any) -> None:
    s = tf.contrib.seq2seq
    logits = tf.placeholder(tf.float32, [None, None, 5], name="logits")
    targets = tf.placeholder(tf.int32, [None, None], name="targets")
    weights = tf.placeholder(tf.float32, [None, None], name="weights")
    s.sequence_loss(logits, targets, weights)
    s.sequence_loss(logits, targets, weights, average_across_batch=False)
    s.sequence_loss(logits, targets, weights, False, False, True, True, name="sums")
    s.sequence_loss(logits, targets, weights, False, False, sum_over_batch=True)
    s.sequence_loss(logits, targets, weights, False, False, softmax_loss_function=lambda labels, logits: logits[:, 0])
