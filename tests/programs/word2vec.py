"""Skip-gram word vectors with noise-contrastive estimation."""

import collections
import math

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

words = (
    "in the beginning there was a graph and the graph had nodes and the nodes had edges "
    "and the session ran the graph and the graph gave the session what the session had asked for "
).split() * 6
count = collections.Counter(words).most_common()
dictionary = {word: i for i, (word, _) in enumerate(count)}
data = [dictionary[word] for word in words]
vocabulary_size = len(dictionary)
batch_size, embedding_size, num_sampled, skip_window = 16, 12, 4, 2


def generate_batch(rng):
    centers = rng.randint(skip_window, len(data) - skip_window, batch_size)
    offsets = rng.choice([-2, -1, 1, 2], batch_size)
    batch = np.array([data[i] for i in centers], np.int32)
    labels = np.array([[data[i + o]] for i, o in zip(centers, offsets)], np.int32)
    return batch, labels


graph = tf.Graph()
with graph.as_default():
    tf.set_random_seed(5)
    with tf.name_scope("inputs"):
        train_inputs = tf.placeholder(tf.int32, shape=[batch_size])
        train_labels = tf.placeholder(tf.int32, shape=[batch_size, 1])
    with tf.device("/cpu:0"):
        with tf.name_scope("embeddings"):
            embeddings = tf.Variable(tf.random_uniform([vocabulary_size, embedding_size], -1.0, 1.0))
            embed = tf.nn.embedding_lookup(embeddings, train_inputs)
        with tf.name_scope("weights"):
            nce_weights = tf.Variable(
                tf.truncated_normal([vocabulary_size, embedding_size], stddev=1.0 / math.sqrt(embedding_size))
            )
        with tf.name_scope("biases"):
            nce_biases = tf.Variable(tf.zeros([vocabulary_size]))
    with tf.name_scope("loss"):
        loss = tf.reduce_mean(
            tf.nn.nce_loss(
                weights=nce_weights,
                biases=nce_biases,
                labels=train_labels,
                inputs=embed,
                num_sampled=num_sampled,
                num_classes=vocabulary_size,
            )
        )
    with tf.name_scope("optimizer"):
        optimizer = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    norm = tf.sqrt(tf.reduce_sum(tf.square(embeddings), 1, keepdims=True))
    normalized_embeddings = embeddings / norm
    similarity = tf.matmul(
        tf.nn.embedding_lookup(normalized_embeddings, [0, 1]), normalized_embeddings, transpose_b=True
    )
    init = tf.global_variables_initializer()

with tf.Session(graph=graph) as session:
    init.run()
    rng = np.random.RandomState(11)
    for step in range(25):
        batch_inputs, batch_labels = generate_batch(rng)
        _, loss_val = session.run([optimizer, loss], feed_dict={train_inputs: batch_inputs, train_labels: batch_labels})
        print("loss", float(loss_val))
    print("loss", float(np.abs(similarity.eval()).sum()))
