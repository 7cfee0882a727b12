"""Programs of tf.contrib.rnn, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def variants_of_cells(tf: Any) -> None:
    rnn = tf.contrib.rnn
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    batch = tf.shape(x)[0]
    kinds = [
        lambda: rnn.CoupledInputForgetGateLSTMCell(4),
        lambda: rnn.CoupledInputForgetGateLSTMCell(
            4, use_peepholes=True, num_proj=2, proj_clip=1.0, num_unit_shards=2, num_proj_shards=2, layer_norm=True
        ),
        lambda: rnn.CoupledInputForgetGateLSTMCell(4, state_is_tuple=False),
        lambda: rnn.LayerNormBasicLSTMCell(4, dropout_keep_prob=0.5, dropout_prob_seed=3),
        lambda: rnn.LayerNormBasicLSTMCell(4, layer_norm=False),
        lambda: rnn.NASCell(4, num_proj=2, use_bias=True),
        lambda: rnn.UGRNNCell(4, initializer=tf.ones_initializer()),
        lambda: rnn.IntersectionRNNCell(4, num_in_proj=4),
        lambda: rnn.LSTMBlockCell(4, use_peephole=True, cell_clip=3.0),
        lambda: rnn.LSTMBlockCell(4),
        lambda: rnn.GRUBlockCell(4),
        lambda: rnn.GRUBlockCellV2(4),
    ]
    for i, kind in enumerate(kinds):
        with tf.variable_scope(f"scope_{i}"):
            made = kind()
            made(x, made.zero_state(batch, tf.float32))
    times = tf.placeholder(tf.float32, [None, 1], name="times")
    phased = rnn.PhasedLSTMCell(4, use_peepholes=True)
    phased((times, x), phased.zero_state(batch, tf.float32))
    for dims, made in ((1, rnn.Conv1DLSTMCell), (2, rnn.Conv2DLSTMCell)):
        cell = made(input_shape=[5] * dims + [2], output_channels=3, kernel_shape=[3] * dims, skip_connection=dims == 2)
        cell(tf.ones([2] + [5] * dims + [2]), cell.zero_state(2, tf.float32))


@program
def cells_around_cells(tf: Any) -> None:
    rnn = tf.contrib.rnn
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    words = tf.placeholder(tf.int32, [None], name="words")
    batch = tf.shape(x)[0]

    def run(cell: Any, inputs: Any = x) -> None:
        cell(inputs, cell.zero_state(batch, tf.float32))

    with tf.variable_scope("a"):
        run(rnn.EmbeddingWrapper(rnn.GRUCell(4), embedding_classes=7, embedding_size=3), words)
    with tf.variable_scope("b"):
        run(rnn.InputProjectionWrapper(rnn.GRUCell(4), 3, activation=tf.nn.relu))
    with tf.variable_scope("c"):
        run(rnn.OutputProjectionWrapper(rnn.BasicLSTMCell(4), 3))
    with tf.variable_scope("d"):
        run(rnn.HighwayWrapper(rnn.GRUCell(4)))
    with tf.variable_scope("e"):
        run(rnn.HighwayWrapper(rnn.GRUCell(4), couple_carry_transform_gates=False))
    with tf.variable_scope("f"):
        run(rnn.AttentionCellWrapper(rnn.BasicLSTMCell(4), 3, attn_size=2, attn_vec_size=5))
    with tf.variable_scope("g"):
        run(rnn.AttentionCellWrapper(rnn.GRUCell(4), 3, state_is_tuple=False))
    steps = tf.ones([2, 3, 4])
    tf.nn.dynamic_rnn(rnn.AttentionCellWrapper(rnn.BasicLSTMCell(4), 3), steps, dtype=tf.float32)
    tf.nn.dynamic_rnn(rnn.OutputProjectionWrapper(rnn.GRUCell(4), 2), steps, dtype=tf.float32, scope="projected")


@program
def networks_of_one_op(tf: Any) -> None:
    rnn = tf.contrib.rnn
    x = tf.placeholder(tf.float32, [None, 2, 4], name="x")
    lengths = tf.placeholder(tf.int32, [2], name="lengths")
    fused = rnn.LSTMBlockFusedCell(3)
    outputs, _ = fused(x, dtype=tf.float32)
    tf.gradients(outputs, tf.trainable_variables())
    rnn.LSTMBlockFusedCell(3, use_peephole=True, name="peep")(x, dtype=tf.float32, sequence_length=lengths)
    backward = rnn.TimeReversedFusedRNN(rnn.LSTMBlockFusedCell(3, name="back"))
    backward(x, sequence_length=lengths, dtype=tf.float32)
    rnn.LSTMBlockFusedCell(3, name="state")(tf.ones([5, 2, 4]), initial_state=(tf.ones([2, 3]), tf.ones([2, 3])))
    rnn.TimeReversedFusedRNN(rnn.FusedRNNCellAdaptor(rnn.GRUCell(3), use_dynamic_rnn=True))(x, dtype=tf.float32)
    rnn.FusedRNNCellAdaptor(rnn.GRUCell(3))([tf.ones([2, 4])] * 2, dtype=tf.float32, scope="static")


@program
def stacks_of_both_directions(tf: Any) -> None:
    rnn = tf.contrib.rnn
    x = tf.placeholder(tf.float32, [None, 3, 4], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")

    def cells() -> list[Any]:
        return [rnn.GRUCell(3), rnn.BasicLSTMCell(2)]

    rnn.stack_bidirectional_dynamic_rnn(cells(), cells(), x, dtype=tf.float32, sequence_length=lengths)
    rnn.stack_bidirectional_rnn(cells(), cells(), tf.unstack(x, axis=1), dtype=tf.float32, scope="static")


@program
def rare_cells(tf: Any) -> None:
    rnn = tf.contrib.rnn
    x = tf.placeholder(tf.float32, [2, 6], name="x")
    kinds = [
        lambda: rnn.SRUCell(4),
        lambda: rnn.IndRNNCell(4),
        lambda: rnn.IndyGRUCell(4),
        lambda: rnn.IndyLSTMCell(4, kernel_initializer=tf.ones_initializer()),
        lambda: rnn.MinimalRNNCell(4),
        lambda: rnn.CFNCell(4),
        lambda: rnn.GLSTMCell(4, num_proj=2, number_of_groups=2),
    ]
    for i, kind in enumerate(kinds):
        with tf.variable_scope(f"scope_{i}"):
            made = kind()
            made(x, made.zero_state(2, tf.float32))
    cell = rnn.TimeFreqLSTMCell(3, use_peepholes=True, cell_clip=2.0, feature_size=2, frequency_skip=2)
    cell(x, tf.ones([2, 18]))
