"""Softmax regression on images of digits, the first tutorial."""

import sys

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

data = np.load(sys.argv[1])
images = data["images"].reshape(len(data["images"]), -1).astype(np.float32) / 16.0
labels = data["labels"].astype(np.int64)

x = tf.placeholder(tf.float32, [None, images.shape[1]], name="x")
y_ = tf.placeholder(tf.int64, [None], name="y_")
W = tf.Variable(tf.zeros([images.shape[1], 10]))
b = tf.Variable(tf.zeros([10]))
y = tf.matmul(x, W) + b

cross_entropy = tf.losses.sparse_softmax_cross_entropy(labels=y_, logits=y)
train_step = tf.train.GradientDescentOptimizer(0.5).minimize(cross_entropy)
correct_prediction = tf.equal(tf.argmax(y, 1), y_)
accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

sess = tf.InteractiveSession()
tf.global_variables_initializer().run()
rng = np.random.RandomState(0)
for step in range(30):
    batch = rng.randint(0, len(images), 100)
    _, loss = sess.run([train_step, cross_entropy], feed_dict={x: images[batch], y_: labels[batch]})
    print("loss", float(loss))
print("loss", float(accuracy.eval({x: images, y_: labels})))
