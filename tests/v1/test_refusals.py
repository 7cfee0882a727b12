"""What TensorFlow refuses, Regraft refuses: with an error of the same class, and the words that programs match on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regraft.v1
from tests.oracle import available
from tests.v1.both import build_ours, build_tensorflow


def _x(tf: Any, *shape: int | None) -> Any:
    return tf.placeholder(tf.float32, list(shape) or [3, 4])


def _made_twice(tf: Any) -> None:
    tf.get_variable("w", [2])
    tf.get_variable("w", [2])


def _shared(tf: Any, **changed: Any) -> None:
    tf.get_variable("w", [2])
    with tf.variable_scope("", reuse=True):
        tf.get_variable("w", **{"shape": [2], **changed})


def _reused(tf: Any, name: str) -> None:
    with tf.variable_scope(name, reuse=True):
        tf.get_variable("w", [2])


def _partitioned(tf: Any) -> None:
    tf.get_variable("w", [4], partitioner=tf.fixed_size_partitioner(2))
    tf.get_variable("w", [4])


def _scope(tf: Any, *args: Any, **kwargs: Any) -> None:
    with tf.variable_scope(*args, **kwargs):
        pass


ROWS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "variable that is there": (_made_twice, "already exists"),
    "variable that is not there": (lambda tf: _reused(tf, "a"), "does not exist"),
    "shared variable of another shape": (lambda tf: _shared(tf, shape=[3]), "found shape"),
    "shared variable of another type": (lambda tf: _shared(tf, dtype=tf.int32), "found dtype"),
    "variable without a shape": (lambda tf: tf.get_variable("w"), "shape"),
    "variable with a value and a shape": (
        lambda tf: tf.get_variable("w", [1], initializer=tf.constant([1.0])),
        "do not specify shape",
    ),
    "variable in parts without a partitioner": (_partitioned, "partitioned"),
    "scope without a name": (lambda tf: _scope(tf, None), "name_or_scope is required"),
    "reuse without a name": (lambda tf: _scope(tf, None, "d", reuse=True), "reuse"),
    "reuse of another kind": (lambda tf: _scope(tf, "a", reuse="yes"), "reuse"),
    "matmul of wrong shapes": (lambda tf: tf.matmul(_x(tf), _x(tf)), ""),
    "matmul transposed twice": (lambda tf: tf.matmul(_x(tf), _x(tf), transpose_a=True, adjoint_a=True), "Only one of"),
    "add of two types": (lambda tf: tf.add(_x(tf), tf.constant(1)), ""),
    "add of wrong shapes": (lambda tf: tf.add(_x(tf), _x(tf, 5)), ""),
    "two names of one argument": (lambda tf: tf.reduce_sum(_x(tf), axis=0, reduction_indices=0), "Cannot specify both"),
    "empty add_n": (lambda tf: tf.add_n([]), "at least one"),
    "concat of wrong shapes": (lambda tf: tf.concat([_x(tf), _x(tf, 3, 5)], 0), ""),
    "reshape to another size": (lambda tf: tf.reshape(_x(tf), [5]), ""),
    "split that does not divide": (lambda tf: tf.split(_x(tf), 3, axis=1), ""),
    "unstack of unknown size": (lambda tf: tf.unstack(_x(tf, None, 2)), "num"),
    "one half of where": (lambda tf: tf.where(tf.constant([True]), [1.0]), "both"),
    "scalar mask": (lambda tf: tf.boolean_mask(_x(tf), tf.constant(True)), "scalar"),
    "pad in an unknown mode": (lambda tf: tf.pad(_x(tf), [[0, 0], [0, 0]], "WRAP"), "mode"),
    "one_hot of two types": (lambda tf: tf.one_hot([1], 2, on_value=1, off_value=0.0), "dtype"),
    "tensor as a bool": (lambda tf: bool(_x(tf)), "bool"),
    "iteration over unknown size": (lambda tf: list(_x(tf, None, 2)), "terat"),
    "integers without maxval": (lambda tf: tf.random_uniform([2], dtype=tf.int32), "maxval"),
    "assert_rank": (lambda tf: tf.assert_rank(_x(tf), 3), "must have rank 3"),
    "assert_equal of constants": (lambda tf: tf.assert_equal([1, 2], [1, 3]), "did not hold"),
    "assert_type": (lambda tf: tf.assert_type(_x(tf), tf.int32), "must be of type"),
    "dropout of everything": (lambda tf: tf.nn.dropout(_x(tf), rate=1.0), "rate"),
    "cross entropy without labels": (
        lambda tf: tf.nn.softmax_cross_entropy_with_logits(logits=_x(tf)),
        "must be provided",
    ),
    "sparse cross entropy of wrong ranks": (
        lambda tf: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.constant([[1]]), logits=_x(tf)),
        "rank",
    ),
    "sigmoid cross entropy of wrong shapes": (
        lambda tf: tf.nn.sigmoid_cross_entropy_with_logits(labels=_x(tf, 2), logits=_x(tf)),
        "same shape",
    ),
    "conv2d of wrong channels": (
        lambda tf: tf.nn.conv2d(_x(tf, 1, 8, 8, 3), tf.ones([3, 3, 4, 8]), [1, 1, 1, 1], "SAME"),
        "",
    ),
    "conv2d with an unknown padding": (
        lambda tf: tf.nn.conv2d(_x(tf, 1, 8, 8, 3), tf.ones([3, 3, 3, 8]), [1, 1, 1, 1], "HALF"),
        "",
    ),
    "loss of wrong shapes": (lambda tf: tf.losses.mean_squared_error(_x(tf), _x(tf, 5)), ""),
    "loss with weights of the wrong shape": (
        lambda tf: tf.losses.mean_squared_error(_x(tf), _x(tf), weights=tf.ones([2, 4])),
        "weights can not be broadcast",
    ),
    "unknown reduction": (lambda tf: tf.losses.mean_squared_error(_x(tf), _x(tf), reduction="sum"), "Reduction"),
    "constant of mixed types": (lambda tf: tf.constant(["a", 1]), ""),
    "constant of ragged rows": (lambda tf: tf.constant([[1], [1, 2]]), ""),
    "float for an int": (lambda tf: tf.constant(1.5, tf.int32), ""),
    "slice by a float": (lambda tf: _x(tf)[1.0], ""),
    "Python's array of a tensor": (lambda tf: np.asarray(_x(tf)), ""),
}


@pytest.mark.skipif(not available(), reason="TensorFlow is not installed")
@pytest.mark.filterwarnings("ignore")  # TensorFlow's
@pytest.mark.parametrize("row", ROWS)
def test_refusal(row):
    program, words = ROWS[row]
    with pytest.raises(Exception, match=words) as theirs:
        build_tensorflow(program)
    with pytest.raises(Exception, match=words) as ours:
        build_ours(regraft.v1, program)
    # TensorFlow's class itself, or the public one that it derives from (or ours does).
    names = [{cls.__name__ for cls in type(e.value).__mro__[:-3]} for e in (ours, theirs)]
    assert names[0] & names[1], f"{theirs.value!r}\n{ours.value!r}"
