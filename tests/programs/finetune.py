"""Train a network, save it, then open its .meta in a new graph and train a new last layer on its features."""

import os
import sys
import tempfile

import numpy as np
import tensorflow as tf

if hasattr(tf, "compat"):
    tf = tf.compat.v1
tf.disable_v2_behavior()

data = np.load(sys.argv[1])
images = data["images"].reshape(-1, 64).astype(np.float32) / 16.0
labels = data["labels"].astype(np.int32)


def train_base(folder):
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        x = tf.placeholder(tf.float32, [None, 64], name="x")
        y = tf.placeholder(tf.int32, [None], name="y")
        keep = tf.placeholder_with_default(1.0, [], name="keep")
        with tf.variable_scope("features"):
            hidden = tf.nn.relu(tf.matmul(x, tf.get_variable("w", [64, 32])) + tf.get_variable("b", [32]))
            hidden = tf.identity(tf.nn.dropout(hidden, keep_prob=keep), name="bottleneck")
        with tf.variable_scope("head"):
            logits = tf.matmul(hidden, tf.get_variable("w", [32, 10]))
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits), name="loss")
        train_op = tf.train.AdagradOptimizer(0.1).minimize(loss)
        tf.add_to_collection("train_op", train_op)
        saver = tf.train.Saver()
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for step in range(8):
                rows = slice(step * 50, step * 50 + 50)
                _, value = sess.run([train_op, loss], {x: images[rows], y: labels[rows], keep: 0.8})
                print("loss", float(value))
            return saver.save(sess, os.path.join(folder, "base"), global_step=8)


def finetune(path):
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        restorer = tf.train.import_meta_graph(path + ".meta")
        restorer.restore(sess, path)
        bottleneck = tf.stop_gradient(graph.get_tensor_by_name("features/bottleneck:0"))
        odd = tf.placeholder(tf.float32, [None], name="odd")
        with tf.variable_scope("new_head"):
            w = tf.get_variable("w", [32, 1], initializer=tf.zeros_initializer())
            b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
        logits = tf.squeeze(tf.matmul(bottleneck, w) + b, 1)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=odd, logits=logits))
        known = set(tf.global_variables())
        train_op = tf.train.MomentumOptimizer(0.5, 0.9).minimize(loss, var_list=[w, b])
        sess.run(tf.variables_initializer([w, b] + [v for v in tf.global_variables() if v not in known]))
        for step in range(10):
            rows = slice(step * 50, step * 50 + 50)
            _, value = sess.run([train_op, loss], {"x:0": images[rows], odd: labels[rows] % 2})
            print("loss", float(value))
        tf.get_collection("train_op")[0].run({"x:0": images[:50], "y:0": labels[:50]})
        print("loss", float(sess.run("loss:0", {"x:0": images[:50], "y:0": labels[:50]})))


with tempfile.TemporaryDirectory() as folder:
    finetune(train_base(folder))
