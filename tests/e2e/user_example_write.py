"""The first half of the example that Regraft is for: train and save.

    python user_example_write.py tensorflow|regraft DIR [--steps 10000] [--every 1000] [--variables ref|resource]

Saves `DIR/my-model-<step>` every so many steps and, in `DIR/write-<module>.npz`, the losses of the last 20 steps.
Initial values and data are constants, so that every writer starts from the same numbers.
"""

import argparse
import os

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("module", choices=("tensorflow", "regraft"))
parser.add_argument("dir")
parser.add_argument("--steps", type=int, default=10000)
parser.add_argument("--every", type=int, default=1000)
parser.add_argument("--variables", choices=("ref", "resource"), default="ref")
args = parser.parse_args()

if args.module == "tensorflow":
    import tensorflow.compat.v1 as tf
else:
    import regraft.v1 as tf

tf.disable_v2_behavior()
if args.variables == "resource":
    tf.enable_resource_variables()

rng = np.random.default_rng(0)
inputs = rng.standard_normal((64, 4)).astype(np.float32)
targets = (np.sin(inputs @ [1.0, -2.0, 0.5, 0.0])[:, None] + rng.normal(0, 0.5, (64, 1))).astype(np.float32)

w1 = tf.Variable(rng.standard_normal((4, 3)).astype(np.float32) * 0.5, name="w1")
b1 = tf.Variable(np.zeros(3, np.float32), name="b1")
w2 = tf.Variable(rng.standard_normal((3, 1)).astype(np.float32) * 0.5, name="w2")
b2 = tf.Variable(np.zeros(1, np.float32), name="b2")
global_step = tf.Variable(0, trainable=False, name="global_step")

begin = tf.stack([global_step % 4 * 16, 0])
x = tf.slice(tf.constant(inputs), begin, [16, 4])
y = tf.slice(tf.constant(targets), begin, [16, 1])
prediction = tf.matmul(tf.tanh(tf.matmul(x, w1) + b1), w2) + b2
loss = tf.reduce_mean(tf.square(prediction - y), name="loss")
train_op = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=global_step)

os.makedirs(args.dir, exist_ok=True)
os.chdir(args.dir)

saver = tf.train.Saver(tf.global_variables())
tf.add_to_collection("train_op", train_op)
tf.add_to_collection("loss", loss)
losses = []
sess = tf.Session()
sess.run(tf.global_variables_initializer())
for step in range(args.steps + 1):
    if step > args.steps - 20:
        losses.append(sess.run(loss))
    sess.run(train_op)
    if step % args.every == 0:
        saver.save(sess, "my-model", global_step=step)

np.savez(f"write-{args.module}.npz", losses=np.array(losses))
