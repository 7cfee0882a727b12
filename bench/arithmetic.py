"""How much arithmetic a run takes: multiplications and additions of matrix products and convolutions.

    python -m bench.arithmetic FOLDER...

TensorFlow runs each written model once and tells which nodes it ran, loops turn by turn, and the shapes that came out.
Each folder gets a file with the counts of an inference and of a training step; the rest of a run is not counted.
`ensure` starts this in the right environment.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.models import ROOT, Written

Shape = tuple[int, ...]


def _matmul(op: Any, inputs: list[Shape], output: Shape) -> int:
    return 2 * int(np.prod(output)) * inputs[0][0 if op.get_attr("transpose_a") else 1]


def _batch_matmul(op: Any, inputs: list[Shape], output: Shape) -> int:
    return 2 * int(np.prod(output)) * inputs[0][-2 if op.get_attr("adj_x") else -1]


def _convolution(result: Shape, filters: Shape, depthwise: bool) -> int:
    """For each value of the convolution's result, in each direction, one filter; padding counts as if it were data."""
    return 2 * int(np.prod(result)) * int(np.prod(filters[: 2 if depthwise else 3]))


_COUNTS: Mapping[str, Callable[[Any, list[Shape], Shape], int]] = {
    "MatMul": _matmul,
    "BatchMatMul": _batch_matmul,
    "BatchMatMulV2": _batch_matmul,
    "Conv2D": lambda op, inputs, output: _convolution(output, inputs[1], False),
    "Conv2DBackpropInput": lambda op, inputs, output: _convolution(inputs[2], inputs[1], False),
    "Conv2DBackpropFilter": lambda op, inputs, output: _convolution(inputs[2], output, False),
    "DepthwiseConv2dNative": lambda op, inputs, output: _convolution(output, inputs[1], True),
    "DepthwiseConv2dNativeBackpropInput": lambda op, inputs, output: _convolution(inputs[2], inputs[1], True),
    "DepthwiseConv2dNativeBackpropFilter": lambda op, inputs, output: _convolution(inputs[2], output, True),
}


def _traced(tf: Any, graph: Any, sess: Any, fetches: list[Any], feeds: Mapping[str, Any]) -> int:
    """Run once and add up what ran.

    raises  ValueError for a product or convolution of a kind that is not known here
    """
    traced = tf.RunMetadata()
    sess.run(fetches, feeds, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=traced)
    ran = [node for device in traced.step_stats.dev_stats for node in device.node_stats]
    shapes = {name: np.shape(value) for name, value in feeds.items()}
    for node in ran:
        for output in node.output:
            shape = tuple(dim.size for dim in output.tensor_description.shape.dim)
            shapes[f"{node.node_name}:{output.slot}"] = shape

    def shape_of(tensor: Any) -> Shape:
        static = tensor.shape
        return tuple(static.as_list()) if static.is_fully_defined() else shapes[tensor.name]

    operations = {operation.name: operation for operation in graph.get_operations()}
    names = {node.node_name for node in ran}
    total = 0
    for node in ran:
        op = operations.get(node.node_name)
        if op is None:
            continue  # moves a feed or a fetch
        users = {user.name for result in op.outputs for user in result.consumers()}
        if not users & names and not any(result in fetches for result in op.outputs):
            continue  # a gradient towards a feed: TensorFlow computes it, nobody asks for it
        if op.type in _COUNTS:
            total += _COUNTS[op.type](op, [shape_of(tensor) for tensor in op.inputs], shape_of(op.outputs[0]))
        elif "MatMul" in op.type or "Conv" in op.type:
            raise ValueError(f"{op.name} is a {op.type}: bench/arithmetic.py does not count those")
    return total


def count(tf: Any, model: Written) -> dict[str, int]:
    """Operations of one inference and of one training step, of which the model has at least one."""
    config = tf.ConfigProto()  # nodes run as they stand in the graph: none folded, fused or left out
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    found = {}
    with (
        contextlib.chdir(model.folder),
        tf.Graph().as_default() as graph,
        tf.Session(config=config) as sess,
    ):
        saver = tf.train.import_meta_graph(model.meta)
        saver.restore(sess, model.prefix)
        if model.outputs:
            fetches = [graph.get_tensor_by_name(name) for name in model.outputs]
            found["inference"] = _traced(tf, graph, sess, fetches, model.inference_feeds())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coordinator) if model.feeds_itself else []
        step = [graph.get_operation_by_name(model.train_op), graph.get_tensor_by_name(model.loss)]
        found["training"] = _traced(tf, graph, sess, step, {} if model.feeds_itself else model.training_feeds()[0])
        coordinator.request_stop()
        coordinator.join(threads)
    return found


def path(model: Written) -> Path:
    """Where the counts of a model are kept; the name tells what counted them."""
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return model.folder / f"arithmetic-{code}.json"


def ensure(written: Iterable[Written]) -> str:
    """Count what has not been counted; what went wrong, in words, and empty when nothing did."""
    missing = [str(model.folder) for model in written if not path(model).exists()]
    if not missing:
        return ""
    # oneDNN fuses nodes, and those that went into others are not told.
    unfused = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    environment = {**os.environ, **unfused}
    command = [sys.executable, "-m", "bench.arithmetic", *missing]
    done = subprocess.run(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def read(model: Written, kind: str) -> int | None:
    """The count of an `inference` or a `training` step, if there is one."""
    try:
        counts: dict[str, int] = json.loads(path(model).read_text())
    except FileNotFoundError:
        return None
    return counts.get(kind)


def main() -> None:
    """The command line."""
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    for folder in sys.argv[1:]:
        model = Written(Path(folder).resolve())
        path(model).write_text(json.dumps(count(tf, model)))


if __name__ == "__main__":
    main()
