"""Make the files of `regraft demo` with TensorFlow: a partly trained digit classifier and its images.

    python tools/make_demo.py --digits DIGITS_CSV_GZ

DIGITS_CSV_GZ is the optical digits file as scikit-learn ships it (`sklearn/datasets/data/digits.csv.gz`:
1,797 rows of 64 pixels from 0 to 16 and a label). The script writes into `src/regraft/demo/data`; SOURCE.md
there tells what and whose.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow.compat.v1 as tf

DATA = Path(__file__).resolve().parent.parent / "src" / "regraft" / "demo" / "data"
TRAIN_IMAGES = 1297
BATCH = 32
STOP_AT = 0.84


def read_digits(path: Path) -> dict[str, np.ndarray]:
    """Images [1797, 8, 8] uint8, labels [1797] uint8, and a fixed random split into two."""
    table = np.loadtxt(path, delimiter=",").astype(np.uint8)
    order = np.random.default_rng(7).permutation(len(table)).astype(np.uint16)
    return {
        "images": table[:, :64].reshape(-1, 8, 8),
        "labels": table[:, 64],
        "train": np.sort(order[:TRAIN_IMAGES]),
        "held_out": np.sort(order[TRAIN_IMAGES:]),
    }


def conv(x: tf.Tensor, channels: int, scope: str) -> tf.Tensor:
    """3x3 convolution, bias, relu and 2x2 max pooling."""
    with tf.variable_scope(scope):
        kernel = tf.get_variable("kernel", [3, 3, x.shape[-1], channels], initializer=tf.glorot_uniform_initializer())
        bias = tf.get_variable("bias", [channels], initializer=tf.zeros_initializer())
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME"), bias))
        return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def dense(x: tf.Tensor, units: int, scope: str) -> tf.Tensor:
    """Matrix product and bias."""
    with tf.variable_scope(scope):
        kernel = tf.get_variable("kernel", [x.shape[-1], units], initializer=tf.glorot_uniform_initializer())
        bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)


def build() -> tf.Tensor:
    """Add the model, its loss, accuracy and Adam step to the default graph, with their collections."""
    images = tf.placeholder(tf.float32, [None, 8, 8], name="images")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")

    x = tf.expand_dims(images / 16.0, -1, name="pixels")
    x = conv(x, 16, "conv1")
    x = conv(x, 32, "conv2")
    x = tf.reshape(x, [-1, 2 * 2 * 32], name="flat")
    x = tf.nn.relu(dense(x, 64, "hidden"))
    x = tf.nn.dropout(x, rate=1.0 - keep_prob, name="dropout")
    logits = tf.identity(dense(x, 10, "output"), name="logits")

    probabilities = tf.nn.softmax(logits, name="probabilities")
    prediction = tf.argmax(logits, 1, name="prediction")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
    accuracy = tf.reduce_mean(tf.cast(tf.equal(prediction, labels), tf.float32), name="accuracy")
    global_step = tf.train.get_or_create_global_step()
    train_op = tf.train.AdamOptimizer(1e-3).minimize(loss, global_step=global_step, name="train_op")

    for key, values in {
        "inputs": [images, labels, keep_prob],
        "outputs": [probabilities, prediction],
        "losses": [loss],
        "accuracy": [accuracy],
        "train_op": [train_op],
    }.items():
        for value in values:
            tf.add_to_collection(key, value)
    return accuracy


def main() -> None:
    """Train until the held-out accuracy passes STOP_AT, then save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digits", type=Path, required=True, help="digits.csv.gz")
    digits = read_digits(parser.parse_args().digits)
    DATA.mkdir(parents=True, exist_ok=True)
    for old in DATA.glob("digits-cnn*"):
        old.unlink()
    np.savez_compressed(DATA / "digits.npz", **digits)

    tf.disable_v2_behavior()
    tf.set_random_seed(1)
    accuracy = build()
    saver = tf.train.Saver()
    train_op = tf.get_collection("train_op")[0]
    held_out = {
        "images:0": digits["images"][digits["held_out"]],
        "labels:0": digits["labels"][digits["held_out"]],
    }
    rng = np.random.default_rng(1)
    with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)) as sess:
        sess.run(tf.global_variables_initializer())
        reached, step = 0.0, 0
        while reached < STOP_AT:
            for _ in range(5):
                rows = rng.choice(digits["train"], BATCH, replace=False)
                sess.run(
                    train_op,
                    {
                        "images:0": digits["images"][rows],
                        "labels:0": digits["labels"][rows],
                        "keep_prob:0": 0.75,
                    },
                )
                step += 1
            reached = float(sess.run(accuracy, held_out))
        os.chdir(DATA)
        saver.save(sess, "digits-cnn", global_step=step)
        print(f"step {step}: held-out accuracy {reached:.4f}")


if __name__ == "__main__":
    main()
