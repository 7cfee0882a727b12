"""A small CNN that queues feed: binary files of labelled images, a reader, decoding, a batching queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.models import Spec
from tests.models.layers import conv, dense
from tests.models.optimizers import make_optimizer

_SIZE = 24


def write_records(spec: Spec, out: Path) -> list[str]:
    """Two files in `out` of `size` records in all: a label, then an image of 24 x 24 x 3 bytes. Their names."""
    rng = np.random.default_rng(7)
    names = []
    for number in range(2):
        records = rng.integers(0, 256, (spec.size // 2, 1 + _SIZE * _SIZE * 3), np.uint8)
        records[:, 0] %= 10
        names.append(f"images-{number}.bin")
        records.tofile(out / names[-1])
    return names


def build(tf: Any, spec: Spec, names: list[str]) -> tuple[Any, Any]:
    """The loss and the training step; the files, in the folder where it runs, are gone through without end."""
    queue = tf.train.string_input_producer(names, shuffle=False)
    _, record = tf.FixedLengthRecordReader(1 + _SIZE * _SIZE * 3).read(queue)
    data = tf.decode_raw(record, tf.uint8)
    image = tf.reshape(tf.cast(data[1:], tf.float32), [_SIZE, _SIZE, 3]) / 127.5 - 1.0
    images, labels = tf.train.batch([image, tf.cast(data[0], tf.int32)], spec.config["batch"], capacity=512)
    x = tf.nn.max_pool(tf.nn.relu(conv(tf, images, 32, 5, "conv1")), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    x = tf.nn.max_pool(tf.nn.relu(conv(tf, x, 32, 5, "conv2")), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    logits = dense(tf, tf.reshape(x, [-1, (_SIZE // 4) ** 2 * 32]), 10, "logits")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
    return loss, make_optimizer(tf, spec.optimizer, 1e-3).minimize(loss, name="train_op")
