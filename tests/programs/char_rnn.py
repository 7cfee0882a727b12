"""A character-level language model: two LSTM layers over short pieces of text."""

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

TEXT = (
    "the quick brown fox jumps over the lazy dog. pack my box with five dozen liquor jugs. "
    "how vexingly quick daft zebras jump! sphinx of black quartz, judge my vow. "
) * 8
chars = sorted(set(TEXT))
codes = np.array([chars.index(c) for c in TEXT], np.int32)
BATCH, STEPS, SIZE, LAYERS = 4, 16, 24, 2


class Model:
    def __init__(self, vocabulary):
        self.input_data = tf.placeholder(tf.int32, [BATCH, STEPS])
        self.targets = tf.placeholder(tf.int32, [BATCH, STEPS])
        self.cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(SIZE) for _ in range(LAYERS)])
        self.initial_state = self.cell.zero_state(BATCH, tf.float32)
        with tf.variable_scope("rnnlm"):
            softmax_w = tf.get_variable("softmax_w", [SIZE, vocabulary])
            softmax_b = tf.get_variable("softmax_b", [vocabulary], initializer=tf.zeros_initializer())
            embedding = tf.get_variable("embedding", [vocabulary, SIZE])
            inputs = tf.nn.dropout(tf.nn.embedding_lookup(embedding, self.input_data), keep_prob=0.9)
            outputs, self.final_state = tf.nn.dynamic_rnn(self.cell, inputs, initial_state=self.initial_state)
        logits = tf.matmul(tf.reshape(outputs, [-1, SIZE]), softmax_w) + softmax_b
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(self.targets, [-1]), logits=logits)
        self.cost = tf.reduce_sum(losses) / BATCH / STEPS
        self.lr = tf.Variable(0.0, trainable=False)
        tvars = tf.trainable_variables()
        grads, _ = tf.clip_by_global_norm(tf.gradients(self.cost, tvars), 5.0)
        self.train_op = tf.train.AdamOptimizer(self.lr).apply_gradients(zip(grads, tvars))


tf.set_random_seed(1234)
with tf.variable_scope("root", initializer=tf.random_uniform_initializer(-0.2, 0.2)):
    model = Model(len(chars))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    length = len(codes) // BATCH
    rows = codes[: length * BATCH].reshape(BATCH, length)
    for epoch in range(2):
        sess.run(tf.assign(model.lr, 0.01 * 0.9**epoch))
        state = sess.run(model.initial_state)
        for start in range(0, 6 * STEPS, STEPS):
            feed = {
                model.input_data: rows[:, start : start + STEPS],
                model.targets: rows[:, start + 1 : start + STEPS + 1],
            }
            for (c, h), value in zip(model.initial_state, state):
                feed[c], feed[h] = value.c, value.h
            cost, state, _ = sess.run([model.cost, model.final_state, model.train_op], feed)
            print("loss", float(cost))
