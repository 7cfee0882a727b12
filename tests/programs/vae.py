"""A variational autoencoder of digits, with summaries and a checkpoint."""

import os
import sys
import tempfile

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

images = np.load(sys.argv[1])["images"].reshape(-1, 64).astype(np.float32) / 16.0
LATENT = 4


def dense(x, size, name, activation=None):
    with tf.variable_scope(name):
        fan_in = int(x.shape[1])
        w = tf.get_variable("w", [fan_in, size], initializer=tf.glorot_uniform_initializer(seed=len(name)))
        b = tf.get_variable("b", [size], initializer=tf.zeros_initializer())
        tf.summary.histogram("w", w)
        out = tf.nn.xw_plus_b(x, w, b)
        return activation(out) if activation else out


x = tf.placeholder(tf.float32, [None, 64], name="x")
hidden = dense(x, 32, "encoder", tf.nn.softplus)
mean, log_var = dense(hidden, LATENT, "mean"), dense(hidden, LATENT, "log_var")
noise = tf.random_normal(tf.shape(mean), seed=9)
z = mean + tf.exp(0.5 * log_var) * noise
logits = dense(dense(z, 32, "decoder", tf.nn.softplus), 64, "pixels")
reconstruction = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits), axis=1)
divergence = -0.5 * tf.reduce_sum(1.0 + log_var - tf.square(mean) - tf.exp(log_var), axis=1)
loss = tf.reduce_mean(reconstruction + divergence, name="loss")
tf.summary.scalar("loss", loss)
merged = tf.summary.merge_all()
global_step = tf.train.get_or_create_global_step()
rate = tf.train.exponential_decay(5e-3, global_step, 10, 0.9, staircase=True)
train_op = tf.train.AdamOptimizer(rate).minimize(loss, global_step=global_step)
ema = tf.train.ExponentialMovingAverage(0.9, global_step)
with tf.control_dependencies([train_op]):
    train_op = ema.apply(tf.trainable_variables())
saver = tf.train.Saver(max_to_keep=1)

with tempfile.TemporaryDirectory() as folder, tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    writer = tf.summary.FileWriter(os.path.join(folder, "log"), sess.graph)
    rng = np.random.RandomState(1)
    for step in range(20):
        batch = images[rng.randint(0, len(images), 32)]
        _, value, summary = sess.run([train_op, loss, merged], {x: batch})
        writer.add_summary(summary, step)
        print("loss", float(value))
    path = saver.save(sess, os.path.join(folder, "vae"), global_step=global_step)
    writer.close()
    before = sess.run(ema.average(tf.trainable_variables()[0]))
    saver.restore(sess, path)
    assert np.array_equal(before, sess.run(ema.average(tf.trainable_variables()[0])))
    print("loss", float(np.abs(before).sum()))
