"""Write the graphs that are measured, with real TensorFlow.

    python -m bench.write_model --scale full --out DIR mlp bert_base ...

Each gets a folder: `model.meta`, where it has variables the checkpoint `model`, `facts.json` with the names of
outputs, loss and training step, and `feeds.npz` with what to feed.
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from bench import write_pipeline
from bench.models import SCALES, Spec

_BATCHES = 2


def _save(tf: Any, out: Path, facts: dict[str, Any], feeds: dict[str, Any], saver: Any, sess: Any | None) -> None:
    """Write the four files; without a session there is no checkpoint."""
    prefix = str(out / "model")
    if sess is not None:
        saver.save(sess, prefix, write_meta_graph=False)
    tf.train.export_meta_graph(f"{prefix}.meta", saver_def=saver.saver_def if saver else None)
    (out / "facts.json").write_text(json.dumps(facts))
    np.savez(out / "feeds.npz", **feeds)


def _model(tf: Any, spec: Spec, out: Path) -> None:
    module = importlib.import_module(f"tests.models.{spec.module}")
    config = next(value for name, value in vars(module).items() if name.endswith("Config"))(**spec.config)
    tf.set_random_seed(11)
    model = module.build(tf, config, spec.optimizer)
    saver = tf.train.Saver(save_relative_paths=True)
    batches = [model.training_feeds(step) for step in range(_BATCHES)]
    feeds = {f"infer/{name}": value for name, value in model.inference_feeds.items()}
    feeds |= {f"train{step}/{name}": value for step, batch in enumerate(batches) for name, value in batch.items()}
    facts = {
        "outputs": [output.name for output in model.outputs if output.dtype.is_floating],
        "loss": model.loss.name,
        "train_op": model.train_op.name,
        "batches": _BATCHES,
    }
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(model.train_op, batches[0])  # so that no slot is zero
        _save(tf, out, facts, feeds, saver, sess)


def _layers(tf: Any, spec: Spec, out: Path) -> None:
    """A dense layer, a residual, a reshape, a control edge and two variables with their part of the Saver, chained."""
    graph = tf.get_default_graph()
    x = tf.placeholder(tf.float32, [4, 8], name="x")
    first = tf.add(x, 1.0, name="first")
    y, layers = first, 0
    while len(graph.get_operations()) + 2 * layers < spec.size:
        layers += 1
        with tf.variable_scope(f"layer_{layers}"):
            kernel = tf.get_variable("kernel", initializer=tf.zeros([8, 8]))
            bias = tf.get_variable("bias", initializer=tf.zeros([8]))
            z = tf.nn.relu(tf.nn.bias_add(tf.matmul(y, kernel), bias))
            with tf.control_dependencies([z]):
                y = tf.identity(y)
            y = tf.reshape(tf.transpose(tf.multiply(z, 0.5) + y, [1, 0]), [4, 8])
    saver = tf.train.Saver()
    feeds = {"infer/x:0": np.ones([4, 8], np.float32)}
    _save(tf, out, {"outputs": [first.name]}, feeds, saver, None)


def _variables(tf: Any, spec: Spec, out: Path) -> None:
    """Matrices of up to 10 MB of random numbers."""
    rows = min(2500, max(1, spec.size // 4000))
    for number in range(max(1, spec.size // (rows * 4000))):
        tf.get_variable(f"matrix_{number}", initializer=tf.random_normal([rows, 1000]))
    saver = tf.train.Saver(save_relative_paths=True)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        _save(tf, out, {"outputs": []}, {}, saver, sess)


def _pipeline(tf: Any, spec: Spec, out: Path) -> None:
    tf.set_random_seed(11)
    loss, train_op = write_pipeline.build(tf, spec, write_pipeline.write_records(spec, out))
    saver = tf.train.Saver(save_relative_paths=True)
    facts = {"outputs": [], "loss": loss.name, "train_op": train_op.name}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        _save(tf, out, facts, {}, saver, sess)


def _small(tf: Any, out: Path) -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    tf.add(x, 1.0, name="one")
    v = tf.placeholder(tf.float32, [8], name="v")
    y = v
    for number in range(10):
        y = tf.tanh(tf.add(y, v, name=f"add_{number}"), name=f"tanh_{number}")
    facts = {"outputs": ["one:0", y.name]}
    feeds = {"infer/x:0": np.float32(2.0), "infer/v:0": np.linspace(-1, 1, 8, dtype=np.float32)}
    _save(tf, out, facts, feeds, None, None)


def write(tf: Any, spec: Spec, out: Path) -> None:
    """Write one graph into the folder `out`."""
    out.mkdir(parents=True)
    with tf.Graph().as_default():
        if spec.kind == "model":
            _model(tf, spec, out)
        elif spec.kind == "layers":
            _layers(tf, spec, out)
        elif spec.kind == "variables":
            _variables(tf, spec, out)
        elif spec.kind == "pipeline":
            _pipeline(tf, spec, out)
        else:
            _small(tf, out)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="+")
    parser.add_argument("--scale", choices=sorted(SCALES), default="full")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--module", default="tensorflow.compat.v1", help="where the names of TensorFlow 1 come from")
    args = parser.parse_args()
    tf = importlib.import_module(args.module)
    tf.disable_v2_behavior()
    for name in args.names:
        unfinished = args.out / f"{name}.unfinished"
        write(tf, SCALES[args.scale][name], unfinished)
        unfinished.rename(args.out / name)


if __name__ == "__main__":
    main()
