"""Programs of sparse tensors, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def known(tf: Any, dtype: Any = None) -> Any:
    return tf.SparseTensor([[0, 0], [1, 2]], tf.constant([1, 2], dtype or tf.float32), [3, 4])


def fed(tf: Any, dtype: Any = None, shape: Any = (None, None)) -> Any:
    return tf.sparse_placeholder(dtype or tf.float32, shape)


@program
def placeholders(tf: Any) -> None:
    tf.sparse_placeholder(tf.float32)
    tf.sparse_placeholder(tf.int32, name="a")
    tf.sparse_placeholder(tf.float32, [None, 3], name="b")
    tf.sparse_placeholder(tf.float32, [2, 3])
    tf.sparse.placeholder(tf.float32, tf.placeholder(tf.int64, [3], name="shape"), name="c")


@program
def made(tf: Any) -> None:
    tf.SparseTensor.from_value(tf.SparseTensorValue(np.array([[0, 1]]), np.array([1.0]), np.array([2, 2])))
    tf.SparseTensor(indices=tf.placeholder(tf.int64, [None, 2]), values=[1.0], dense_shape=(5, 5))
    tf.sparse.from_dense(tf.placeholder(tf.float32, [None, 3]))
    tf.sparse.eye(3, 4)
    tf.sparse.eye(tf.placeholder(tf.int32, []), dtype=tf.float64, name="mine")
    tf.sparse.expand_dims(known(tf), 1)
    tf.sparse.expand_dims(fed(tf), name="more")


@program
def joined_and_cut(tf: Any) -> None:
    a, b = known(tf), fed(tf)
    tf.sparse_concat(0, [a, a])
    tf.sparse_concat(1, [a, b], name="two")
    tf.sparse_concat(concat_dim=-1, axis=None, sp_inputs=[fed(tf, None, None), b], expand_nonconcat_dim=True)
    tf.sparse_split(sp_input=b, num_split=2, axis=1)
    tf.sparse_slice(a, [0, 1], [2, 2])
    tf.sparse_retain(b, tf.placeholder(tf.bool, [None]))
    tf.sparse_reset_shape(b)
    tf.sparse_reset_shape(a, [5, 6])
    tf.sparse_reset_shape(b, [5, 6])
    tf.sparse_fill_empty_rows(b, 7.0)
    tf.sparse_mask(tf.IndexedSlices(tf.ones([2, 3]), tf.constant([0, 1]), tf.constant([5, 3])), [1])


@program
def rearranged(tf: Any) -> None:
    a, b = known(tf), fed(tf)
    tf.sparse_reorder(a)
    tf.sparse_reorder(b, name="mine")
    tf.sparse_reshape(a, [4, 3])
    tf.sparse_reshape(a, [-1, 2, 3])
    tf.sparse_reshape(b, [2, -1])
    tf.sparse_reshape(b, tf.placeholder(tf.int64, [3]))
    tf.sparse_transpose(a)
    tf.sparse_transpose(b, [1, 0])
    tf.sparse_transpose(fed(tf, None, None))


@program
def dense(tf: Any) -> None:
    a, b = known(tf), fed(tf, tf.int64)
    tf.sparse_to_dense([1, 3], [5], 1.0)
    tf.sparse_to_dense([[1, 3]], [5, 5], [1], -1, validate_indices=False, name="mine")
    tf.sparse_tensor_to_dense(a)
    tf.sparse_tensor_to_dense(b, default_value=-1)
    tf.sparse_to_indicator(b, 10)
    tf.sparse_merge(b, a, 10)
    tf.sparse_merge([b, fed(tf, tf.int32)], a, [10, 20], name="two", already_sorted=True)


@program
def arithmetic(tf: Any) -> None:
    a, b = known(tf), fed(tf)
    tf.sparse_add(a, a)
    tf.sparse_add(a, b, thresh=0.1)
    tf.sparse_add(b, tf.ones([3, 4]))
    tf.sparse_add(tf.ones([3, 4]), b)
    b * tf.ones([3, 4])
    b / 2.0
    tf.cast(b, tf.float64)
    tf.shape(b)
    tf.size(b)
    tf.rank(b)
    tf.sparse_maximum(a, b)
    tf.sparse_minimum(a, b, name="least")
    tf.sparse_softmax(b)
    tf.sparse_reduce_sum(a)
    tf.sparse_reduce_sum(b, 1, keep_dims=True)
    tf.sparse_reduce_sum(fed(tf, None, None))
    tf.sparse_reduce_max(b, axis=[0, 1])
    tf.sparse_reduce_sum_sparse(b, 0)
    tf.sparse_reduce_max_sparse(b)


@program
def products(tf: Any) -> None:
    a = fed(tf)
    w = tf.get_variable("w", [4, 2])
    y = tf.sparse_tensor_dense_matmul(a, w)
    tf.sparse_tensor_dense_matmul(a, tf.ones([2, 4]), adjoint_a=True, adjoint_b=True, name="mine")
    tf.sparse.matmul(tf.ones([2, 3]), a)
    tf.gradients(y, [w, a.values])


@program
def gradients(tf: Any) -> None:
    a, b = known(tf), fed(tf)
    for y in (tf.sparse_add(a, b), tf.sparse_softmax(b), tf.sparse_reorder(b), b * tf.ones([3, 4])):
        tf.gradients(y.values, b.values)
    tf.gradients(tf.sparse_reduce_sum(b, 1), b.values)
    tf.gradients(tf.sparse_tensor_to_dense(b), b.values)


@program
def in_one_piece(tf: Any) -> None:
    a = known(tf)
    tf.serialize_sparse(a)
    s = tf.serialize_many_sparse(a, name="mine")
    tf.deserialize_many_sparse(s, tf.float32, rank=2)


@program
def crosses(tf: Any) -> None:
    a, b = known(tf, tf.int32), fed(tf, tf.string)
    tf.sparse.cross([a, b, tf.placeholder(tf.int32, [3, 1])])
    tf.sparse.cross_hashed([a, b], num_buckets=10)
    tf.sparse.cross_hashed([b], hash_key=3, name="mine")
