"""Programs of tf.metrics, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def means(tf: Any) -> None:
    labels = tf.placeholder(tf.float32, [None, 4], name="labels")
    predictions = tf.placeholder(tf.float32, [None, 4], name="predictions")
    classes = tf.placeholder(tf.int64, [None], name="classes")
    tf.metrics.mean(labels)
    tf.metrics.mean(labels, weights=0.5, name="weighted")
    tf.metrics.mean(tf.ones([3, 4]), weights=tf.ones([3, 1]))
    tf.metrics.accuracy(classes, tf.argmax(predictions, 1))
    tf.metrics.accuracy(
        classes, tf.argmax(predictions, 1), metrics_collections=["m"], updates_collections="u", name="a"
    )
    tf.metrics.accuracy(tf.cast(classes, tf.int32), tf.expand_dims(tf.argmax(predictions, 1), 1))
    tf.metrics.mean_absolute_error(labels, predictions)
    tf.metrics.mean_squared_error(labels, predictions)
    tf.metrics.root_mean_squared_error(labels, predictions)
    tf.metrics.mean_relative_error(labels, predictions, labels)
    tf.metrics.mean_cosine_distance(labels, predictions, 1)
    tf.metrics.percentage_below(labels, 0.5)
    tf.metrics.mean_tensor(tf.ones([3, 4]))
    tf.metrics.mean_per_class_accuracy(classes, tf.argmax(predictions, 1), 4)
    tf.local_variables_initializer()
    assert len(tf.get_collection("m")) == len(tf.get_collection("u")) == 1


@program
def counts(tf: Any) -> None:
    labels = tf.placeholder(tf.bool, [None], name="labels")
    predictions = tf.placeholder(tf.bool, [None], name="predictions")
    tf.metrics.true_positives(labels, predictions)
    tf.metrics.true_negatives(labels, predictions)
    tf.metrics.false_positives(labels, predictions)
    tf.metrics.false_negatives(labels, predictions, name="misses")
    tf.metrics.precision(labels, predictions)
    tf.metrics.recall(labels, predictions)
    tf.metrics.precision(labels, predictions, weights=tf.ones([3]))


@program
def curves(tf: Any) -> None:
    labels = tf.placeholder(tf.bool, [None], name="labels")
    predictions = tf.placeholder(tf.float32, [None], name="predictions")
    tf.metrics.auc(labels, predictions, num_thresholds=5)
    tf.metrics.auc(labels, predictions, num_thresholds=5, curve="PR", summation_method="careful_interpolation")
    tf.metrics.precision_at_thresholds(labels, predictions, [0.3, 0.6])
    tf.metrics.recall_at_thresholds(labels, predictions, [0.3, 0.6])
    tf.metrics.true_positives_at_thresholds(labels, predictions, [0.3, 0.6])
    tf.metrics.sensitivity_at_specificity(labels, predictions, 0.5, num_thresholds=5)
    tf.metrics.specificity_at_sensitivity(labels, predictions, 0.5, num_thresholds=5)


@program
def classes(tf: Any) -> None:
    labels = tf.placeholder(tf.int64, [None], name="labels")
    predictions = tf.placeholder(tf.int64, [None], name="predictions")
    tf.confusion_matrix(labels, predictions)
    tf.confusion_matrix(labels, predictions, 3, weights=tf.ones([4]))
    tf.metrics.mean_iou(labels, predictions, 3)


@program
def the_best_predictions(tf: Any) -> None:
    predictions = tf.placeholder(tf.float32, [None, 5], name="predictions")
    one = tf.placeholder(tf.int64, [None], name="one")
    several = tf.placeholder(tf.int64, [None, 2], name="several")
    sparse = tf.SparseTensor([[0, 0], [1, 1]], tf.constant([1, 2], tf.int64), [2, 5])
    tf.metrics.recall_at_k(several, predictions, 3)
    tf.metrics.recall_at_k(one, predictions, 2, class_id=1, weights=[0.5])
    tf.metrics.precision_at_k(several, predictions, 3, class_id=2, updates_collections="updates")
    tf.metrics.sparse_precision_at_k(several, predictions, 1, name="first")
    tf.metrics.precision_at_top_k(several, tf.placeholder(tf.int64, [None, 3]), k=3)
    tf.metrics.recall_at_top_k(several, tf.placeholder(tf.int32, [None, 3]))
    tf.metrics.average_precision_at_k(several, predictions, 3)
    tf.metrics.average_precision_at_k(one, predictions, 2, weights=2.0, name="mine")
    tf.metrics.average_precision_at_k(several, predictions, 1)
    tf.metrics.recall_at_k(sparse, tf.ones([2, 5]), 3)
    tf.metrics.average_precision_at_k(sparse, tf.ones([2, 5]), 2)
