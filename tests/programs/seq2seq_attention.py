"""Reversing sequences: an encoder, a decoder with attention, teacher forcing, then greedy decoding."""

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(21)

VOCABULARY, UNITS, BATCH, LONGEST, GO = 8, 16, 6, 7, 0


def attention(query, memory, mask):
    with tf.variable_scope("attention", reuse=tf.AUTO_REUSE):
        w_query = tf.get_variable("query", [UNITS, UNITS])
        w_memory = tf.get_variable("memory", [UNITS, UNITS])
        v = tf.get_variable("v", [UNITS])
        keys = tf.tensordot(memory, w_memory, axes=[[2], [0]])
        scores = tf.reduce_sum(v * tf.tanh(keys + tf.expand_dims(tf.matmul(query, w_query), 1)), axis=2)
        scores = tf.where(mask, scores, -1e9 * tf.ones_like(scores))
        weights = tf.nn.softmax(scores)
        return tf.reduce_sum(tf.expand_dims(weights, 2) * memory, axis=1)


source = tf.placeholder(tf.int32, [None, None], name="source")
lengths = tf.placeholder(tf.int32, [None], name="lengths")
target = tf.placeholder(tf.int32, [None, None], name="target")
batch = tf.shape(source)[0]
steps = tf.reduce_max(lengths)
mask = tf.sequence_mask(lengths, maxlen=tf.shape(source)[1])

embedding = tf.get_variable("embedding", [VOCABULARY, UNITS], initializer=tf.random_uniform_initializer(-0.3, 0.3))
projection = tf.get_variable("projection", [2 * UNITS, VOCABULARY])
forward, backward = tf.nn.rnn_cell.GRUCell(UNITS // 2), tf.nn.rnn_cell.GRUCell(UNITS // 2)
(out_f, out_b), (state_f, state_b) = tf.nn.bidirectional_dynamic_rnn(
    forward, backward, tf.nn.embedding_lookup(embedding, source), sequence_length=lengths, dtype=tf.float32
)
memory, state = tf.concat([out_f, out_b], 2), tf.concat([state_f, state_b], 1)
cell = tf.nn.rnn_cell.GRUCell(UNITS, name="decoder")


def step(word, state):
    context = attention(state, memory, mask)
    output, state = cell(tf.concat([tf.nn.embedding_lookup(embedding, word), context], 1), state)
    return tf.matmul(tf.concat([output, context], 1), projection), state


inputs = tf.concat([tf.fill([batch, 1], GO), target[:, :-1]], 1)
words = tf.TensorArray(tf.int32, size=steps).unstack(tf.transpose(inputs)[:steps])


def taught(t, state, logits):
    one, state = step(words.read(t), state)
    return t + 1, state, logits.write(t, one)


_, _, logits = tf.while_loop(
    lambda t, *_: t < steps, taught, [0, state, tf.TensorArray(tf.float32, size=steps)], parallel_iterations=32
)
logits = tf.transpose(logits.stack(), [1, 0, 2])
weights = tf.sequence_mask(lengths, maxlen=steps, dtype=tf.float32)
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target[:, :steps], logits=logits)
loss = tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)


def greedy(t, word, state, out):
    one, state = step(word, state)
    word = tf.cast(tf.argmax(one, 1), tf.int32)
    return t + 1, word, state, out.write(t, word)


_, _, _, decoded = tf.while_loop(
    lambda t, *_: t < steps, greedy, [0, tf.fill([batch], GO), state, tf.TensorArray(tf.int32, size=steps)]
)
decoded = tf.transpose(decoded.stack())

variables = tf.trainable_variables()
gradients, norm = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
train_op = tf.train.AdamOptimizer(0.02).apply_gradients(zip(gradients, variables))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    rng = np.random.RandomState(4)
    for _ in range(10):
        sizes = rng.randint(3, LONGEST + 1, BATCH)
        x, y = np.zeros([BATCH, LONGEST], np.int32), np.zeros([BATCH, LONGEST], np.int32)
        for i, size in enumerate(sizes):
            x[i, :size] = rng.randint(1, VOCABULARY, size)
            y[i, :size] = x[i, :size][::-1]
        feed = {source: x, lengths: sizes, target: y}
        _, value, size = sess.run([train_op, loss, norm], feed)
        print("loss", float(value))
        print("loss", float(size))
    print("loss", int(sess.run(decoded, feed).sum()))
