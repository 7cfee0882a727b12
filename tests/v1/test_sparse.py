"""Sparse tensors in sessions: fed and fetched whole, in part, and by value."""

from __future__ import annotations

import numpy as np
import pytest

import regraft.v1 as tf

VALUE = tf.SparseTensorValue(np.array([[0, 1], [2, 0]]), np.array([5.0, 7.0], np.float32), np.array([3, 2]))


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as s:
        yield s


def same(a, b):
    assert isinstance(a, tf.SparseTensorValue)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def test_fed_by_value_and_fetched(session):
    x = tf.sparse_placeholder(tf.float32, [3, None])
    same(session.run(x, {x: VALUE}), VALUE)
    same(session.run({"x": [x]}, {x: VALUE})["x"][0], VALUE)
    same(x.eval({x: VALUE}), VALUE)


def test_fed_as_a_plain_triple(session):
    x = tf.sparse_placeholder(tf.float32)
    y = tf.sparse_tensor_to_dense(x)
    dense = [[0, 5], [0, 0], [7, 0]]
    np.testing.assert_array_equal(session.run(y, {x: tuple(VALUE)}), dense)
    np.testing.assert_array_equal(session.run(y, {x: ([[0, 1], [2, 0]], [5, 7], [3, 2])}), dense)


def test_its_parts_are_fetched_by_themselves(session):
    x = tf.SparseTensor.from_value(VALUE)
    values, dense = session.run([x.values, tf.sparse_tensor_dense_matmul(x, [[1.0], [10.0]])])
    assert values.tolist() == [5, 7]
    assert dense.tolist() == [[50], [0], [7]]


def test_static_shape(session):
    assert tf.SparseTensor.from_value(VALUE).shape.as_list() == [3, 2]
    assert tf.sparse_placeholder(tf.float32, [None, 4]).get_shape().as_list() == [None, 4]
    assert tf.sparse_placeholder(tf.float32).shape.rank is None


def test_refused(session):
    with pytest.raises(ValueError, match="rank"):
        tf.SparseTensor([0, 1], [1.0], [2])
    with pytest.raises(ValueError, match="incompatible|not compatible"):
        tf.SparseTensor([[0, 1]], [1.0, 2.0], [2, 2])
    with pytest.raises(TypeError, match="Input must be a SparseTensor"):
        tf.sparse_reorder(tf.ones([2, 2]))
    with pytest.raises(RuntimeError, match="Sparse dtype mismatch"):
        tf.convert_to_tensor_or_sparse_tensor(VALUE, tf.int32)
    with pytest.raises(ValueError, match="Cannot reshape a tensor with 6 elements"):
        tf.sparse_reshape(tf.SparseTensor.from_value(VALUE), [4, 2])
