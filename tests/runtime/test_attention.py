"""A recurrent network of dynamic length with attention, trained with Adam and clipped gradients: one program a step."""

from __future__ import annotations

import numpy as np

import regraft.v1 as tf
from regraft.session import Session


def test_a_step_of_attention_is_one_program() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, None, 4], name="x")
        lengths = tf.placeholder(tf.int32, [None], name="lengths")
        memory, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(8), x, lengths, dtype=tf.float32)
        cell, kernel = tf.nn.rnn_cell.GRUCell(8, name="decoder"), tf.get_variable("kernel", [8, 8])

        def step(t: tf.Tensor, state: tf.Tensor, out: tf.TensorArray) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
            scores = tf.reduce_sum(memory * tf.expand_dims(tf.matmul(state, kernel), 1), 2)
            context = tf.reduce_sum(memory * tf.expand_dims(tf.nn.softmax(scores), 2), 1)
            y, state = cell(context, state)
            return t + 1, state, out.write(t, y)

        steps = tf.reduce_max(lengths)
        _, _, out = tf.while_loop(lambda t, *_: t < steps, step, [0, state, tf.TensorArray(tf.float32, size=steps)])
        loss = tf.reduce_mean(tf.square(out.stack() - 1.0))
        variables = tf.trainable_variables()
        gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
        train = tf.train.AdamOptimizer(0.05).apply_gradients(list(zip(gradients, variables, strict=True)))
        init = tf.global_variables_initializer()
    session = Session(graph, "compile")
    session.run(init)
    losses = []
    for number in range(4):
        rng = np.random.default_rng(0)
        feeds = {"x:0": rng.standard_normal((3, 6, 4)).astype(np.float32), "lengths:0": [6, 2, 3 + number % 2]}
        losses.append(float(session.run([loss, train], feeds)[0]))
    plan = session.plan([loss, train], ["x:0", "lengths:0"])
    assert [step.compiled for step in plan.steps] == [True]
    assert session.refused == {}
    assert losses[-1] < losses[0]
