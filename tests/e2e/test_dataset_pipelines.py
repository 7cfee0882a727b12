"""Models with tf.data in their graphs: what one library wrote, the other trains to the end of the data, as there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regraft.v1 as rg
from tests import oracle

pytestmark = [
    pytest.mark.skipif(not oracle.available(), reason="TensorFlow is not installed"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's
]

WILD = Path(__file__).resolve().parents[3] / "shared" / "wild"
ROWS, EPOCHS, BATCH = 10, 3, 4


def model(tf: Any, folder: Path) -> None:
    """A linear model of the lines of a file: parsed, with seeded noise, shuffled, batched, repeated, read ahead."""
    slope = tf.constant(2.0, name="slope")

    def parsed(line: Any) -> Any:
        return tf.decode_csv(line, [[0.0], [0.0]])

    def noisy(x: Any, target: Any) -> Any:
        features = tf.stack([x, x * slope + tf.random_normal([], stddev=0.1, seed=3)])
        return {"features": features, "target": target}

    lines = tf.data.TextLineDataset([str(folder / "train.csv")]).skip(1)
    source = lines.map(parsed, num_parallel_calls=2).map(noisy).shuffle(5, seed=11)
    source = source.batch(BATCH).repeat(EPOCHS).prefetch(1)
    iterator = tf.data.make_initializable_iterator(source)
    element = iterator.get_next()
    weights = tf.get_variable("weights", [2, 1], initializer=tf.constant_initializer([[0.5], [-0.25]]))
    loss = tf.reduce_mean(tf.square(tf.matmul(element["features"], weights)[:, 0] - element["target"]))
    train = tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
    for key, value in (("loss", loss), ("train", train), ("begin", iterator.initializer)):
        tf.add_to_collection(key, value)


def write_data(folder: Path) -> None:
    rows = (f"{i / 5},{i / 2 - 1}" for i in range(ROWS))
    (folder / "train.csv").write_text("\n".join(["x,target", *rows]) + "\n")


def write(tf: Any, folder: Path) -> str:
    """The prefix of a checkpoint of the model, with its graph."""
    write_data(folder)
    with tf.Graph().as_default():
        model(tf, folder)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            prefix: str = tf.train.Saver().save(session, str(folder / "model"))
            return prefix


def losses(tf: Any, prefix: str) -> list[float]:
    """The losses of two rounds of the data, from the first step to the end."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(prefix + ".meta").restore(session, prefix)
        begin, loss, train = (tf.get_collection(key)[0] for key in ("begin", "loss", "train"))
        found = []
        for _ in range(2):
            session.run(begin)
            while True:
                try:
                    found.append(float(session.run([loss, train])[0]))
                except tf.errors.OutOfRangeError:
                    break
        return found


@pytest.mark.parametrize("writer", ["tensorflow", "regraft"])
def test_one_writes_and_both_train_to_the_end(writer: str, tmp_path: Path) -> None:
    tf = oracle.tensorflow()
    prefix = write(tf if writer == "tensorflow" else rg, tmp_path)
    wanted = losses(tf, prefix)
    assert len(wanted) == 2 * EPOCHS * -(-ROWS // BATCH)
    np.testing.assert_allclose(losses(rg, prefix), wanted, rtol=1e-5)


@pytest.mark.skipif(not WILD.is_dir(), reason="the models of strangers are not here")
def test_a_strangers_one_shot_iterators_read_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the graph names is gone; one in its place is read, shuffled without a seed."""
    meta = str(WILD / "cppxaxa__tfCsvDatasetTraining__csv" / "model.ckpt.meta")
    rows = [[float(i * 7 + k) for k in range(7)] for i in range(5)]
    text = "\n".join(",".join(map(str, row)) for row in rows)
    (tmp_path / "titanic_transformed_data.csv").write_text(text + "\n")
    monkeypatch.chdir(tmp_path)
    for tf in (oracle.tensorflow(), rg):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.train.import_meta_graph(meta)
            batch = session.run("IteratorGetNext:0")
            assert batch.dtype == np.float32
            assert batch.shape[1] == 7
            assert {tuple(row) for row in batch.tolist()} <= {tuple(row) for row in rows}
