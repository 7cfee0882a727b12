"""A generator and a discriminator that train against each other."""

import sys

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(42)

images = np.load(sys.argv[1])["images"].astype(np.float32)[..., None] / 8.0 - 1.0
BATCH, Z = 16, 8


def init(seed):
    return tf.random_normal_initializer(stddev=0.05, seed=seed)


def generator(z, training):
    with tf.variable_scope("generator"):
        net = tf.layers.dense(z, 2 * 2 * 16, kernel_initializer=init(1))
        net = tf.reshape(net, [-1, 2, 2, 16])
        net = tf.nn.relu(tf.layers.batch_normalization(net, training=training))
        net = tf.layers.conv2d_transpose(net, 8, 5, strides=2, padding="same", kernel_initializer=init(2))
        net = tf.nn.relu(tf.layers.batch_normalization(net, training=training))
        return tf.tanh(tf.layers.conv2d_transpose(net, 1, 5, strides=2, padding="same", kernel_initializer=init(3)))


def discriminator(x, reuse=None):
    with tf.variable_scope("discriminator", reuse=reuse):
        net = tf.nn.leaky_relu(tf.layers.conv2d(x, 8, 5, strides=2, padding="same", kernel_initializer=init(4)))
        net = tf.nn.leaky_relu(tf.layers.conv2d(net, 16, 5, strides=2, padding="same", kernel_initializer=init(5)))
        return tf.layers.dense(tf.layers.flatten(net), 1, kernel_initializer=init(6))


real = tf.placeholder(tf.float32, [None, 8, 8, 1])
z = tf.placeholder(tf.float32, [None, Z])
fake = generator(z, training=True)
d_real, d_fake = discriminator(real), discriminator(fake, reuse=True)
cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits
d_loss = tf.reduce_mean(cross_entropy(logits=d_real, labels=tf.ones_like(d_real)) * 0.9) + tf.reduce_mean(
    cross_entropy(logits=d_fake, labels=tf.zeros_like(d_fake))
)
g_loss = tf.reduce_mean(cross_entropy(logits=d_fake, labels=tf.ones_like(d_fake)))
d_vars = [v for v in tf.trainable_variables() if v.name.startswith("discriminator")]
g_vars = [v for v in tf.trainable_variables() if v.name.startswith("generator")]
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    d_train = tf.train.AdamOptimizer(2e-3, beta1=0.5).minimize(d_loss, var_list=d_vars)
    g_train = tf.train.AdamOptimizer(2e-3, beta1=0.5).minimize(g_loss, var_list=g_vars)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    rng = np.random.RandomState(3)
    for step in range(6):
        batch = images[rng.randint(0, len(images), BATCH)]
        noise = rng.uniform(-1, 1, [BATCH, Z]).astype(np.float32)
        _, d = sess.run([d_train, d_loss], {real: batch, z: noise})
        _, g = sess.run([g_train, g_loss], {z: noise, real: batch})
        print("loss", float(d))
        print("loss", float(g))
