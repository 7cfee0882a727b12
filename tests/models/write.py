"""Write a model with its checkpoint and its reference results.

    python -m tests.models.write NAME --variables ref --optimizer adam --out DIR

The graph is built, trained for WARM_STEPS so that no slot is zero, and saved as `NAME-<step>.meta`, `.index`,
`.data-*` with the collections `inputs`, `outputs`, `loss` and `train_op`. Then the files are opened in a
fresh graph and session, on one CPU thread with nothing rewritten, and `NAME.npz` takes what comes out:

    feed:<tensor>, out:<tensor>     one inference run
    train_op, loss                  their names
    trainfeed:<tensor>              [STEPS, ...], the feeds of each step
    train:<loss>                    [STEPS + 1], the loss before each step and once after the last, on
                                    its feeds; the loss and the train op run in separate calls
    var_after:<variable>            up to four variables after the last step
    dropoutfeed:<tensor>            what is fed on top to switch dropout on (models with dropout)
    dropout:<loss>                  the same curve with seeded dropout, in another fresh session

`queue_pipeline` has no feeds and its own arrays; `tests.models.pipeline.write` tells.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from tests.models import pipeline
from tests.models.catalogue import MODELS
from tests.models.model import Feeds, Model

WARM_STEPS = 3
STEPS = 5
BATCHES = 2  # few enough to be learnt by heart, so that every step moves the loss


def _declare(tf: Any, variables: str) -> None:
    tf.disable_v2_behavior()
    if variables == "resource":
        tf.enable_resource_variables()


def build(tf: Any, name: str, variables: str, optimizer: str) -> Model:
    """Build a model of the catalogue into the default graph, with its collections."""
    _declare(tf, variables)
    tf.set_random_seed(11)
    model = MODELS[name](tf, optimizer)
    graph = tf.get_default_graph()
    for feed in sorted({*model.inference_feeds, *model.training_feeds(0), *model.dropout_feeds}):
        tf.add_to_collection("inputs", graph.get_tensor_by_name(feed))
    for output in model.outputs:
        tf.add_to_collection("outputs", output)
    tf.add_to_collection("loss", model.loss)
    tf.add_to_collection("train_op", model.train_op)
    return model


def config(tf: Any) -> Any:
    """One CPU thread, no graph rewriting."""
    proto = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    proto.graph_options.rewrite_options.disable_meta_optimizer = True
    return proto


def _save(tf: Any, name: str, variables: str, optimizer: str, out: Path) -> tuple[Model, str]:
    with tf.Graph().as_default():
        model = build(tf, name, variables, optimizer)
        saver = tf.train.Saver(save_relative_paths=True)
        with tf.Session(config=config(tf)) as sess:
            sess.run(tf.global_variables_initializer())
            for step in range(WARM_STEPS):
                sess.run(model.train_op, model.training_feeds(step % BATCHES))
            return model, saver.save(sess, str(out / name), global_step=tf.train.get_global_step())


def _curve(sess: Any, model: Model, steps: list[Feeds], extra: Feeds) -> np.ndarray:
    losses = []
    for feeds in steps:
        losses.append(sess.run(model.loss.name, {**feeds, **extra}))
        sess.run(model.train_op.name, {**feeds, **extra})
    losses.append(sess.run(model.loss.name, {**steps[-1], **extra}))
    return np.array(losses)


def _reference(tf: Any, model: Model, prefix: str) -> Mapping[str, Any]:
    steps = [model.training_feeds((WARM_STEPS + step) % BATCHES) for step in range(STEPS)]
    result: dict[str, Any] = {"train_op": model.train_op.name, "loss": model.loss.name}
    result |= {f"feed:{name}": value for name, value in model.inference_feeds.items()}
    result |= {f"trainfeed:{name}": np.stack([feeds[name] for feeds in steps]) for name in steps[0]}
    result |= {f"dropoutfeed:{name}": value for name, value in model.dropout_feeds.items()}
    with tf.Graph().as_default():
        saver = tf.train.import_meta_graph(f"{prefix}.meta")
        with tf.Session(config=config(tf)) as sess:
            saver.restore(sess, prefix)
            names = [output.name for output in model.outputs]
            values = sess.run(names, dict(model.inference_feeds))
            result |= {f"out:{n}": v for n, v in zip(names, values, strict=True)}
            result[f"train:{model.loss.name}"] = _curve(sess, model, steps, {})
            kept = tf.global_variables()
            kept = [kept[i] for i in sorted({0, len(kept) // 3, 2 * len(kept) // 3, len(kept) - 1})]
            result |= {f"var_after:{v.name}": value for v, value in zip(kept, sess.run(kept), strict=True)}
        if model.dropout_feeds:
            with tf.Session(config=config(tf)) as sess:
                saver.restore(sess, prefix)
                result[f"dropout:{model.loss.name}"] = _curve(sess, model, steps, model.dropout_feeds)
    return result


def write(tf: Any, name: str, variables: str, optimizer: str, out: Path, *, reference: bool = True) -> str:
    """Write the files of one model into `out` and return the checkpoint prefix."""
    out.mkdir(parents=True, exist_ok=True)
    if name == pipeline.NAME:
        _declare(tf, variables)
        pipeline.write(tf, pipeline.PipelineConfig(), optimizer, out)
        return str(out / f"{name}-0")
    model, prefix = _save(tf, name, variables, optimizer, out)
    if reference:
        np.savez(out / f"{name}.npz", **_reference(tf, model, prefix))
    return prefix


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=[*sorted(MODELS), pipeline.NAME])
    parser.add_argument("--variables", choices=("ref", "resource"), default="ref")
    parser.add_argument("--optimizer", default="adam")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--module", default="tensorflow.compat.v1", help="where the names of TensorFlow 1 come from")
    parser.add_argument("--no-reference", action="store_true", help="save the model, compute nothing with it")
    args = parser.parse_args()
    tf = importlib.import_module(args.module)
    print(write(tf, args.name, args.variables, args.optimizer, args.out, reference=not args.no_reference))


if __name__ == "__main__":
    main()
