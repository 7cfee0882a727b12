"""A trainer fed by queues: names of CSV files, a line reader, decoding, a batching queue, queue runners.

The graph names its files relatively: whoever runs it stands in the folder where `write` left them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.models.layers import dense
from tests.models.optimizers import make_optimizer

NAME = "queue_pipeline"


@dataclass(frozen=True)
class PipelineConfig:
    """Sizes; with `shuffle` files and rows come in random order and the losses are no reference."""

    files: int = 3
    rows: int = 10
    columns: int = 4
    epochs: int = 2
    batch: int = 8
    shuffle: bool = False


def file_names(config: PipelineConfig) -> list[str]:
    """The names as they stand in the graph."""
    return [f"part-{number}.csv" for number in range(config.files)]


def write_data(config: PipelineConfig, out: Path) -> None:
    """Write the CSV files: a header, then an id, the columns and a target."""
    for number, name in enumerate(file_names(config)):
        rng = np.random.default_rng(number)
        values = rng.standard_normal((config.rows, config.columns)).round(4)
        lines = ["id," + ",".join(f"x{i}" for i in range(config.columns)) + ",y"]
        for row, x in enumerate(values):
            lines.append(",".join(map(str, [number * config.rows + row, *x, round(float(x.sum()), 4)])))
        (out / name).write_text("\n".join(lines) + "\n")


def build(tf: Any, config: PipelineConfig, optimizer: str) -> dict[str, Any]:
    """Add the model to the default graph; the collections hold `loss`, `train_op` and `ids` (of the batch)."""
    names = tf.train.string_input_producer(file_names(config), num_epochs=config.epochs, shuffle=config.shuffle)
    _, line = tf.TextLineReader(skip_header_lines=1).read(names)
    row_id, *columns = tf.decode_csv(line, record_defaults=[[0]] + [[0.0]] * (config.columns + 1))
    tensors = [row_id, tf.stack(columns[:-1]), columns[-1]]
    if config.shuffle:
        ids, x, y = tf.train.shuffle_batch(
            tensors, config.batch, capacity=32, min_after_dequeue=8, allow_smaller_final_batch=True, seed=5
        )
    else:
        ids, x, y = tf.train.batch(tensors, config.batch, capacity=32, allow_smaller_final_batch=True)
    hidden = tf.tanh(dense(tf, x, 6, "hidden"))
    prediction = tf.squeeze(dense(tf, hidden, 1, "output"), axis=[1])
    loss = tf.reduce_mean(tf.square(prediction - y), name="loss")
    step = tf.train.get_or_create_global_step()
    train_op = make_optimizer(tf, optimizer, 0.05).minimize(loss, global_step=step, name="train_op")
    made = {"loss": loss, "train_op": train_op, "ids": tf.identity(ids, name="ids")}
    for key, value in made.items():
        tf.add_to_collection(key, value)
    return made


def write(tf: Any, config: PipelineConfig, optimizer: str, out: Path) -> None:
    """Write files, graph and initial checkpoint `queue_pipeline-0` into `out`, then train to the end of the epochs.

    `queue_pipeline.npz`: `train_op`, `loss`, `train:loss:0` (the loss of each step, run together with the train op, to
    the last smaller batch), `ids` (the rows in the order in which they came), `var_after:<variable>`.
    """
    write_data(config, out)
    here = Path.cwd()
    os.chdir(out)
    try:
        with tf.Graph().as_default():
            tf.set_random_seed(11)
            made = build(tf, config, optimizer)
            saver = tf.train.Saver()
            with tf.Session() as sess:
                sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
                saver.save(sess, NAME, global_step=0)
                coordinator = tf.train.Coordinator()
                threads = tf.train.start_queue_runners(sess, coordinator)
                losses, ids = [], []
                try:
                    while not coordinator.should_stop():
                        loss, batch, _ = sess.run([made["loss"], made["ids"], made["train_op"]])
                        losses.append(loss)
                        ids.append(batch)
                except tf.errors.OutOfRangeError:
                    coordinator.request_stop()
                coordinator.join(threads)
                after = {f"var_after:{v.name}": sess.run(v) for v in tf.trainable_variables()}
        np.savez(
            f"{NAME}.npz",
            train_op=made["train_op"].name,
            loss=made["loss"].name,
            ids=np.concatenate(ids),
            **{f"train:{made['loss'].name}": np.array(losses)},
            **after,
        )
    finally:
        os.chdir(here)
