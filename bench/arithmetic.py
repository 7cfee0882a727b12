"""How much arithmetic a run takes: multiplications and additions of matrix products and convolutions.

    python -m bench.arithmetic [--scale SCALE] [NAME...]

TensorFlow runs each written model once and tells which nodes it ran, loops turn by turn, and the shapes that came out.
`arithmetic.json` gets the counts of an inference and of a training step; the rest of a run is not counted. It lies
beside this file, so that a machine without TensorFlow has it too.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.models import CACHE, ROOT, SCALES, Spec, Written, ensure
from bench.rows import rows

FILE = ROOT / "bench" / "arithmetic.json"

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


def _digest(spec: Spec) -> str:
    return hashlib.sha256(repr(spec).encode()).hexdigest()[:12]


def read(scale: str, name: str, kind: str) -> int | None:
    """The count of an `inference` or a `training` step of a graph, if there is one of the graph as it is specified."""
    known = json.loads(FILE.read_text()).get(scale, {}).get(name, {})
    count: int | None = known.get(kind) if known.get("spec") == _digest(SCALES[scale][name]) else None
    return count


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="graphs of bench/models.py; all that rows count by default")
    parser.add_argument("--scale", choices=sorted(SCALES), nargs="+", default=sorted(SCALES))
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the written models are kept")
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    # oneDNN fuses nodes, and those that went into others are not told.
    os.environ |= {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    found = json.loads(args.out.read_text()) if args.out.exists() else {}
    for scale in args.scale:
        names = args.names or [row.model for row in rows(scale) if row.model and row.arithmetic]
        for name, model in ensure(args.cache, scale, dict.fromkeys(names)).items():
            counts = count(tf, model)
            found.setdefault(scale, {})[name] = {"spec": _digest(SCALES[scale][name]), **counts}
    args.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
