"""Programs of tf.losses and of assertions, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _pair(tf: Any, batch: int | None = None) -> tuple[Any, Any]:
    return tf.placeholder(tf.float32, [batch, 4], name="labels"), tf.placeholder(tf.float32, [batch, 4], name="logits")


@program
def losses(tf: Any) -> None:
    labels, logits = _pair(tf)
    tf.losses.mean_squared_error(labels, logits)
    tf.losses.absolute_difference(labels, logits, scope="mine")
    tf.losses.cosine_distance(labels, logits, axis=1)
    tf.losses.hinge_loss(labels, logits)
    tf.losses.huber_loss(labels, logits, delta=2.0)
    tf.losses.log_loss(labels, logits)
    tf.losses.mean_pairwise_squared_error(labels, logits)
    tf.losses.sigmoid_cross_entropy(labels, logits)
    tf.losses.sigmoid_cross_entropy(labels, logits, label_smoothing=0.1)
    tf.losses.softmax_cross_entropy(labels, logits)
    tf.losses.softmax_cross_entropy(labels, logits, label_smoothing=0.1)
    tf.losses.sparse_softmax_cross_entropy(tf.placeholder(tf.int64, [None]), logits)
    tf.losses.sparse_softmax_cross_entropy(tf.placeholder(tf.int64, [None, 1]), logits)
    tf.losses.get_total_loss()


@program
def reductions_of_losses(tf: Any) -> None:
    labels, logits = _pair(tf, 3)
    for reduction in tf.losses.Reduction.all():
        tf.losses.mean_squared_error(labels, logits, reduction=reduction)
    tf.losses.mean_squared_error(labels, logits, weights=0.5)
    tf.losses.mean_squared_error(labels, logits, weights=tf.ones([3, 1]))
    tf.losses.mean_squared_error(labels, logits, weights=tf.ones([3, 4]))
    tf.losses.mean_squared_error(labels, logits, loss_collection=None)
    tf.losses.compute_weighted_loss(tf.ones([3]), tf.constant([1.0, 0.0, 2.0]))
    tf.losses.sparse_softmax_cross_entropy([1, 2, 3], logits, weights=tf.ones([3]))
    tf.losses.get_regularization_loss()


@program
def assertions(tf: Any) -> None:
    i = tf.placeholder(tf.int32, [3], name="i")
    j = tf.placeholder(tf.int32, [3], name="j")
    tf.assert_equal(i, j)
    tf.assert_equal(i, i)
    tf.assert_less(i, j, message="i must be less", name="check")
    tf.assert_less_equal(i, 3)
    tf.assert_greater(i, j, data=["other", i])
    tf.assert_greater_equal(i, j, summarize=5)
    tf.assert_none_equal(i, j)
    tf.assert_negative(i)
    tf.assert_positive(i)
    tf.assert_non_negative(i, message="labels")
    tf.assert_non_positive(i)
    tf.assert_rank(i, 1)
    tf.assert_rank(tf.placeholder(tf.int32), 2)
    tf.assert_rank_at_least(tf.placeholder(tf.int32), 2, message="deep")
    tf.assert_rank_in(tf.placeholder(tf.int32), [1, 2])
    tf.assert_type(i, tf.int32)
    tf.assert_integer(i)
    tf.assert_scalar(tf.constant(1))
    tf.assert_equal([1, 2], [1, 2])
    tf.ensure_shape(tf.placeholder(tf.float32), [None, 3])
    tf.Assert(tf.less(i[0], 3), [i, "text"])


@program
def confusion(tf: Any) -> None:
    tf.random_crop(tf.ones([5, 5, 3]), [2, 2, 3])
