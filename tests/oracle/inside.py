"""TensorFlow in this process: one op, one imported graph, one program's GraphDef."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np


def available() -> bool:
    """Whether TensorFlow is installed; it is not imported to find out."""
    return importlib.util.find_spec("tensorflow") is not None


@cache
def tensorflow() -> Any:
    """The module `tensorflow.compat.v1`, in graph mode, quiet, on the CPU, with its plain kernels."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow.compat.v1 as tf
    tf.disable_v2_behavior()
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


@contextlib.contextmanager
def _session(graph: Any) -> Iterator[Any]:
    tf = tensorflow()
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    with tf.Session(graph=graph, config=config) as sess:
        yield sess


def run_op(
    op: str, inputs: Sequence[Any] | Mapping[str, Any] = (), attrs: Mapping[str, Any] | None = None
) -> list[Any]:
    """Run one op on arrays and return its outputs, in order, as TensorFlow hands them out.

    op      its registered name, `"FusedBatchNormV3"`
    inputs  an array an input, a list of arrays where the op takes a list; by position or by name
    attrs   by name; dtypes may be NumPy's. Those that follow from the inputs and those with defaults may be left out
    raises  what TensorFlow raises, when the node is made or when it runs

    Inputs reach the op as fed placeholders of full shape, so that nothing is folded away. An op without outputs gives
    an empty list; reference and resource inputs are not for this function: use `run_graph`.
    """
    tf = tensorflow()
    from tensorflow.python.framework import op_def_library, op_def_registry

    definition = op_def_registry.get(op)
    if definition is None:
        raise KeyError(f"TensorFlow {tf.__version__} has no op {op!r}")
    if not isinstance(inputs, Mapping):
        names = [arg.name for arg in definition.input_arg]
        if len(inputs) != len(names):
            raise ValueError(f"{op} has inputs {names}, got {len(inputs)} values")
        inputs = dict(zip(names, inputs, strict=True))
    node = tf.NodeDef(name="op", op=op)
    given = {attr.name: attr.type for attr in definition.attr}
    for name, value in (attrs or {}).items():
        node.attr[name].CopyFrom(op_def_library.value_to_attr_value(value, given[name], name))

    graph_def = tf.GraphDef()
    graph_def.versions.producer = tf.GRAPH_DEF_VERSION
    feeds: dict[str, Any] = {}
    for arg in definition.input_arg:
        value = inputs[arg.name]
        arrays = [np.asarray(v) for v in (value if isinstance(value, list) else [value])]
        types = [tf.string if a.dtype.kind in "OSU" else tf.as_dtype(a.dtype) for a in arrays]
        for index, (array, dtype) in enumerate(zip(arrays, types, strict=True)):
            name = f"{arg.name}_{index}"
            placeholder = graph_def.node.add(name=name, op="Placeholder")
            placeholder.attr["dtype"].type = dtype.as_datatype_enum
            placeholder.attr["shape"].shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
            node.input.append(name)
            feeds[f"{name}:0"] = array
        if arg.type_attr and types:
            node.attr[arg.type_attr].type = types[0].as_datatype_enum
        if arg.number_attr:
            node.attr[arg.number_attr].i = len(arrays)
        if arg.type_list_attr:
            node.attr[arg.type_list_attr].list.type.extend(t.as_datatype_enum for t in types)
    graph_def.node.append(node)

    with tf.Graph().as_default() as graph:
        (made,) = tf.import_graph_def(graph_def, name="", return_elements=["op"])
        with _session(graph) as sess:
            values = sess.run(made.outputs or made, feeds)
    return list(values or [])


def run_graph(
    graph_def: Any,
    fetches: Sequence[str],
    feeds: Mapping[str, Any] | None = None,
    *,
    before: Sequence[str] = (),
) -> list[Any]:
    """Import a GraphDef, run the operations `before` one by one, then fetch tensors or operations by name.

    graph_def  TensorFlow's or anyone's message, or its serialized bytes
    """
    tf = tensorflow()
    message = tf.GraphDef.FromString(graph_def if isinstance(graph_def, bytes) else graph_def.SerializeToString())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(message, name="")
        with _session(graph) as sess:
            for name in before:
                sess.run(name, dict(feeds or {}))
            return list(sess.run(list(fetches), dict(feeds or {})))


def graph_def(program: Callable[[Any], Any], *, seed: int | None = None) -> Any:
    """The GraphDef of `program(tf)`, run in a fresh default graph with an optional graph seed."""
    tf = tensorflow()
    with tf.Graph().as_default() as graph:
        if seed is not None:
            tf.set_random_seed(seed)
        program(tf)
        return graph.as_graph_def()
