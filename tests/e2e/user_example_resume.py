"""The second half of the example that Regraft is for: open what was saved and go on training.

    python user_example_resume.py tensorflow|regraft DIR [--step 10000]

Writes the losses of 20 more steps into `DIR/resume-<module>.npz`.
"""

import argparse

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("module", choices=("tensorflow", "regraft"))
parser.add_argument("dir")
parser.add_argument("--step", type=int, default=10000)
args = parser.parse_args()

if args.module == "tensorflow":
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
else:
    import regraft.v1 as tf

losses = []
with tf.Session() as sess:
    new_saver = tf.train.import_meta_graph(f"{args.dir}/my-model-{args.step}.meta")
    new_saver.restore(sess, f"{args.dir}/my-model-{args.step}")
    train_op = tf.get_collection("train_op")[0]
    loss = tf.get_collection("loss")[0]
    for _ in range(20):
        losses.append(sess.run(loss))
        sess.run(train_op)

np.savez(f"{args.dir}/resume-{args.module}.npz", losses=np.array(losses))
