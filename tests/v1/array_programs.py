"""Programs of shapes, slices, gathers and the like, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _x(tf: Any) -> Any:
    return tf.placeholder(tf.float32, [3, 4], name="x")


def _y(tf: Any) -> Any:
    return tf.placeholder(tf.float32, [None, 4], name="y")


@program
def shapes(tf: Any) -> None:
    x, y, unknown = _x(tf), _y(tf), tf.placeholder(tf.float32, name="unknown")
    for tensor in (x, y, unknown):
        tf.shape(tensor)
        tf.shape(tensor, out_type=tf.int64, name="s")
        tf.size(tensor)
        tf.rank(tensor)
    tf.shape([1, 2, 3])
    tf.size([[1, 2]])
    tf.rank(np.zeros([2, 2]))
    tf.size(tf.placeholder(tf.float32, [0, None]))
    tf.shape_n([x, y])
    tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y))


@program
def reshaping(tf: Any) -> None:
    x, y = _x(tf), _y(tf)
    tf.reshape(x, [-1])
    tf.reshape(y, [-1, 2, 2], name="r")
    tf.reshape(y, [tf.shape(y)[0], 2, 2])
    tf.reshape(x, (12,))
    tf.reshape(x, x.get_shape())
    tf.expand_dims(x, 0)
    tf.expand_dims(y, axis=-1, name="e")
    tf.expand_dims(x, dim=1)
    tf.squeeze(tf.expand_dims(x, 0))
    tf.squeeze(tf.expand_dims(x, 0), [0])
    tf.squeeze(tf.expand_dims(x, 0), axis=0, name="q")
    tf.squeeze(tf.expand_dims(x, 0), squeeze_dims=[0])
    tf.identity(x)
    tf.identity(x, name="output")
    tf.stop_gradient(x)
    tf.identity(3.0)


@program
def joining(tf: Any) -> None:
    x, y = _x(tf), _y(tf)
    tf.concat([x, y], 0)
    tf.concat([x, x], axis=1, name="c")
    tf.concat([x], 0)
    tf.concat([x, np.ones([3, 4], np.float32)], 0)
    tf.concat([[1, 2], tf.shape(x)], 0)
    tf.stack([x, x])
    tf.stack([x, x], axis=1, name="s")
    tf.stack([1, 2, 3])
    tf.stack([tf.shape(y)[0], 4])
    tf.stack([[1, tf.shape(y)[0]], [2, 3]])
    tf.unstack(x)
    tf.unstack(y, axis=1, name="u")
    tf.split(x, 2, axis=1)
    tf.split(x, [1, 2], 0, name="p")
    tf.split(value=y, num_or_size_splits=4, axis=1)
    tf.parallel_stack([x, x])
    tf.tile(x, [2, 1])
    tf.pad(x, [[1, 1], [0, 0]])
    tf.pad(y, [[1, 1], [2, 0]], "REFLECT")
    tf.pad(x, tf.constant([[1, 1], [0, 0]]), constant_values=1.0, name="ones_around")
    tf.meshgrid([1, 2], [3, 4, 5])
    tf.meshgrid(tf.range(3), tf.range(2), indexing="ij")


@program
def reordering(tf: Any) -> None:
    x, y, unknown = _x(tf), _y(tf), tf.placeholder(tf.float32, name="unknown")
    tf.transpose(x)
    tf.transpose(y, [1, 0], name="t")
    tf.transpose(unknown)
    tf.matrix_transpose(x)
    tf.matrix_transpose(unknown)
    tf.reverse(x, [0])
    tf.reverse(x, axis=[-1], name="r")
    tf.reverse_sequence(y, [1, 2, 3], seq_axis=1, batch_axis=0)
    tf.reverse_sequence(y, [1, 2, 3], seq_dim=1)
    tf.roll(x, 1, 0)
    tf.space_to_depth(tf.ones([1, 4, 4, 2]), 2)
    tf.depth_to_space(tf.ones([1, 4, 4, 8]), 2)
    tf.space_to_batch(tf.ones([1, 4, 4, 2]), [[0, 0], [0, 0]], 2)
    tf.batch_to_space(tf.ones([4, 4, 4, 2]), [[0, 0], [0, 0]], 2)
    tf.space_to_batch_nd(tf.ones([1, 4, 4, 2]), [2, 2], [[0, 0], [0, 0]])


@program
def filling(tf: Any) -> None:
    x, y = _x(tf), _y(tf)
    tf.zeros([2, 3])
    tf.zeros([2], tf.int64, name="z")
    tf.zeros([])
    tf.zeros([1000, 1000])
    tf.zeros(tf.shape(y))
    tf.zeros([tf.shape(y)[0], 3])
    tf.zeros((2,), tf.bool)
    tf.zeros([2], tf.string)
    tf.zeros(x.get_shape())
    tf.zeros(np.array([2, 2]))
    tf.zeros(5)
    tf.ones([2, 3])
    tf.ones([tf.shape(y)[0], 3], name="o")
    tf.ones([2], tf.bool)
    tf.ones([50, 50])
    tf.zeros_like(x)
    tf.zeros_like(y, name="zl")
    tf.zeros_like(x, dtype=tf.int32)
    tf.zeros_like(y, dtype=tf.int32)
    tf.ones_like(x)
    tf.ones_like(y, dtype=tf.float64)
    tf.zeros_like([1, 2])
    tf.fill([2, 3], 5.0)
    tf.fill(tf.shape(y), 1, name="f")
    tf.constant(1.0, shape=[2, 2])
    tf.constant([1, 2, 3], dtype=tf.float32)
    tf.eye(2)
    tf.one_hot([0, 1], 3)
    tf.one_hot(tf.placeholder(tf.int64, [None]), depth=10, on_value=1.0, off_value=0.0, axis=-1, name="h")
    tf.one_hot([0, 1], 3, dtype=tf.int32)
    tf.one_hot([0, 1], 3, on_value=5)
    tf.sequence_mask([1, 2, 3])
    tf.sequence_mask(tf.placeholder(tf.int32, [None]), 5, dtype=tf.float32, name="m")
    tf.sequence_mask(tf.placeholder(tf.int64, [None]))


@program
def slicing(tf: Any) -> None:
    x, y = _x(tf), _y(tf)
    tf.slice(x, [0, 1], [2, -1])
    tf.strided_slice(x, [0, 0], [2, 2])
    tf.strided_slice(x, [0, 0], [2, 2], [1, 1], end_mask=1, name="ss")
    n = tf.shape(y)[0]
    _ = x[0]
    _ = x[-1]
    _ = x[0, 1]
    _ = x[:, 1]
    _ = x[1:]
    _ = x[:, :2]
    _ = x[::2, ::-1]
    _ = x[..., 0]
    _ = x[:, tf.newaxis]
    _ = x[None]
    _ = y[: n - 1]
    _ = y[n - 1]
    _ = y[0, n]
    _ = y[0:n, 1]
    _ = x[tf.constant(1, tf.int64)]
    _ = x[np.int32(1)]
    _ = x[:, 0:n]


@program
def gathering(tf: Any) -> None:
    x, y = _x(tf), _y(tf)
    tf.gather(x, [0, 2])
    tf.gather(y, tf.constant([1]), axis=1, name="g")
    tf.gather(x, [[0, 1], [1, 0], [0, 0]], batch_dims=1)
    tf.gather_nd(x, [[0, 0], [1, 1]])
    tf.gather_nd(x, [[0], [1], [0]], batch_dims=1)
    tf.batch_gather(x, [[0, 1], [1, 0], [0, 0]])
    tf.boolean_mask(x, [True, False, True])
    tf.boolean_mask(y, tf.greater(y, 0.0), name="mask")
    tf.boolean_mask(x, [True, False, True, False], axis=1)
    tf.where(tf.greater(x, 0.0))
    tf.where(tf.greater(x, 0.0), x, -x, name="w")
    tf.where([True, False])
    tf.where_v2(tf.greater(x, 0.0), x, 0.0)
    tf.scatter_nd([[0], [1]], [1.0, 2.0], [3])
    tf.unique([1, 1, 2])
    tf.unique_with_counts([1, 1, 2])
    tf.setdiff1d([1, 2], [2])
    tf.invert_permutation([1, 0])
    tf.dynamic_partition(x, [0, 1, 0], 2)
    tf.dynamic_stitch([[0], [1]], [[1.0], [2.0]])
    tf.tensor_scatter_nd_update(x, [[0]], [[1.0, 2.0, 3.0, 4.0]])
    tf.extract_image_patches(tf.ones([1, 4, 4, 1]), [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME")


@program
def repetition(tf: Any) -> None:
    x, y = _x(tf), _y(tf)
    tf.repeat([1, 2, 3], 2)
    tf.repeat(x, [1, 2, 3], axis=0)
    tf.repeat(y, 3, axis=1, name="three")


@program
def grouping(tf: Any) -> None:
    x, y = _x(tf), _y(tf)
    tf.group(x, y)
    tf.group()
    tf.group(tf.no_op(), [x, {"a": y}], name="all")
    tf.tuple([x, None, y])
    tf.tuple([x, y], control_inputs=[tf.no_op()], name="both")
    with tf.control_dependencies([x]):
        tf.identity(y)
        tf.no_op(name="after")


@program
def raw_ops(tf: Any) -> None:
    x = _x(tf)
    tf.raw_ops.MatMul(a=x, b=x, transpose_b=True, name="product")
    tf.raw_ops.TopKV2(input=x, k=2)
    tf.raw_ops.Unpack(value=x, num=3)
    tf.raw_ops.Conv2D(input=tf.ones([1, 4, 4, 1]), filter=tf.ones([2, 2, 1, 1]), strides=[1, 1, 1, 1], padding="SAME")
    tf.raw_ops.NoOp(name="nothing")


@program
def constants_without_elements(tf: Any) -> None:
    tf.zeros([0, 2])
    tf.ones([3, 0], tf.int64)
    tf.constant(1, shape=[0, 2])
    tf.constant([1, 2], tf.int32, shape=[2, 0])
    tf.zeros_like(tf.placeholder(tf.float32, [0, 4]))
