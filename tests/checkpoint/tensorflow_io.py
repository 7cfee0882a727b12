"""TensorFlow's save and restore kernels, called in a graph and session of their own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest


def constant(tf: Any, value: Any, dtype: str | None = None) -> Any:
    """A constant; `dtype` names a quantized type, whose bits the array gives."""
    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    if array.dtype == object:
        return tf.constant(array, tf.string, shape=array.shape)
    tensor = tf.constant(array)
    return tensor if dtype is None else tf.bitcast(tensor, getattr(tf, dtype))


def _run(tf: Any, graph: Any, fetch: Any) -> Any:
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(fetch)


def save(
    prefix: object,
    names: Sequence[str],
    values: Sequence[Any],
    specs: Sequence[str] | None = None,
    dtypes: Sequence[str | None] | None = None,
    v1: bool = False,
) -> None:
    """Write a checkpoint with the SaveV2 kernel, or with SaveSlices."""
    tf: Any = pytest.importorskip("tensorflow")
    specs = specs or [""] * len(names)
    dtypes = dtypes or [None] * len(names)
    with tf.Graph().as_default() as graph:
        tensors = [constant(tf, value, dtype) for value, dtype in zip(values, dtypes, strict=True)]
        if v1:
            op = tf.raw_ops.SaveSlices(filename=str(prefix), tensor_names=names, shapes_and_slices=specs, data=tensors)
        else:
            op = tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=specs, tensors=tensors)
    _run(tf, graph, op)


def restore(prefix: object, name: str, dtype: str, spec: str = "") -> Any:
    """One tensor by the RestoreV2 kernel; quantized ones as the integers they are."""
    tf: Any = pytest.importorskip("tensorflow")
    with tf.Graph().as_default() as graph:
        (tensor,) = tf.raw_ops.RestoreV2(
            prefix=str(prefix), tensor_names=[name], shape_and_slices=[spec], dtypes=[getattr(tf, dtype)]
        )
        if dtype.startswith("q"):
            tensor = tf.bitcast(tensor, getattr(tf, dtype[1:]))
    return _run(tf, graph, tensor)


def merge(prefixes: Sequence[object], prefix: object) -> None:
    """The MergeV2Checkpoints kernel."""
    tf: Any = pytest.importorskip("tensorflow")
    with tf.Graph().as_default() as graph:
        op = tf.raw_ops.MergeV2Checkpoints(
            checkpoint_prefixes=[str(part) for part in prefixes], destination_prefix=str(prefix)
        )
    _run(tf, graph, op)


def reader(prefix: object) -> Any:
    """TensorFlow's NewCheckpointReader."""
    tf: Any = pytest.importorskip("tensorflow")
    return tf.compat.v1.train.NewCheckpointReader(str(prefix))
