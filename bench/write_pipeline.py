"""A small CNN with a pipeline in the graph, in one of two ways.

queues: binary files of labelled images, a reader, decoding, a batching queue;
data:   TFRecord files of Examples, parsed, shuffled, batched and prefetched by `tf.data`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.models import Spec
from tests.models.layers import conv, dense
from tests.models.optimizers import make_optimizer

_SIZE = 24
_PIXELS = _SIZE * _SIZE * 3


def write_records(spec: Spec, out: Path) -> list[str]:
    """Two files in `out` of `size` records in all: a label, and an image of 24 x 24 x 3 bytes. Their names."""
    rng = np.random.default_rng(7)
    names = []
    for number in range(2):
        records = rng.integers(0, 256, (spec.size // 2, 1 + _PIXELS), np.uint8)
        records[:, 0] %= 10
        names.append(f"images-{number}.{'tfrecord' if spec.module == 'data' else 'bin'}")
        if spec.module == "data":
            _write_examples(records, out / names[-1])
        else:
            records.tofile(out / names[-1])
    return names


def _write_examples(records: Any, path: Path) -> None:
    import tensorflow.compat.v1 as tf

    with tf.python_io.TFRecordWriter(str(path)) as writer:
        for record in records:
            label = tf.train.Feature(int64_list=tf.train.Int64List(value=[int(record[0])]))
            image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[record[1:].tobytes()]))
            features = tf.train.Features(feature={"label": label, "image": image})
            writer.write(tf.train.Example(features=features).SerializeToString())


def _image(tf: Any, data: Any) -> Any:
    return tf.reshape(tf.cast(data, tf.float32), [_SIZE, _SIZE, 3]) / 127.5 - 1.0


def _from_queues(tf: Any, batch: int, names: list[str]) -> tuple[Any, Any]:
    queue = tf.train.string_input_producer(names, shuffle=False)
    _, record = tf.FixedLengthRecordReader(1 + _PIXELS).read(queue)
    data = tf.decode_raw(record, tf.uint8)
    images, labels = tf.train.batch([_image(tf, data[1:]), tf.cast(data[0], tf.int32)], batch, capacity=512)
    return images, labels


def _from_data(tf: Any, batch: int, names: list[str]) -> tuple[Any, Any]:
    wanted = {"image": tf.FixedLenFeature([], tf.string), "label": tf.FixedLenFeature([], tf.int64)}

    def parse(example: Any) -> tuple[Any, Any]:
        features = tf.parse_single_example(example, wanted)
        return _image(tf, tf.decode_raw(features["image"], tf.uint8)), tf.cast(features["label"], tf.int32)

    dataset = tf.data.TFRecordDataset(names).map(parse).shuffle(1000, seed=3).repeat()
    dataset = dataset.batch(batch, drop_remainder=True).prefetch(2)
    images, labels = tf.data.make_one_shot_iterator(dataset).get_next()
    return images, labels


def build(tf: Any, spec: Spec, names: list[str]) -> tuple[Any, Any]:
    """The loss and the training step; the files, in the folder where it runs, are gone through without end."""
    source = _from_data if spec.module == "data" else _from_queues
    images, labels = source(tf, spec.config["batch"], names)
    x = tf.nn.max_pool(tf.nn.relu(conv(tf, images, 32, 5, "conv1")), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    x = tf.nn.max_pool(tf.nn.relu(conv(tf, x, 32, 5, "conv2")), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    logits = dense(tf, tf.reshape(x, [-1, (_SIZE // 4) ** 2 * 32]), 10, "logits")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
    return loss, make_optimizer(tf, spec.optimizer, 1e-3).minimize(loss, name="train_op")
