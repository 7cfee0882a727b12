"""tf.contrib.metrics: the metrics of tf.metrics with predictions before labels, and a few more."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from regraft.base import dtypes
from regraft.v1 import metrics as core
from regraft.v1._array import ones_like, size
from regraft.v1._broadcast_weights import broadcast_weights
from regraft.v1._graph import name_scope
from regraft.v1._math import cast, div, div_no_nan, sqrt, truediv
from regraft.v1._metric_parts import collected, counts_at_thresholds, metric_variable, squeezed
from regraft.v1._metrics_at_k import streaming_average_precision
from regraft.v1._nn_basic import in_top_k
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_max, reduce_mean, reduce_sum
from regraft.v1._variable_scope import variable_scope
from regraft.v1._variables import assign_add
from regraft.v1.contrib._missing import missing_from

_EPSILON = 1e-7


def _streaming(name: str, function: Any) -> Callable[..., Any]:
    """The function of tf.metrics under its older name, which takes predictions first."""
    signature = inspect.signature(function)
    order = list(signature.parameters)
    if order[:2] == ["labels", "predictions"]:
        order[:2] = ["predictions", "labels"]
    renamed = signature.replace(parameters=[signature.parameters[key] for key in order])

    def streaming(*args: Any, **kwargs: Any) -> Any:
        given = renamed.bind(*args, **kwargs)
        return function(**given.arguments)

    streaming.__name__ = streaming.__qualname__ = name
    streaming.__doc__ = f"`tf.metrics.{function.__name__}` with the arguments {', '.join(order)}."
    setattr(streaming, "__signature__", renamed)
    return streaming


streaming_accuracy = _streaming("streaming_accuracy", core.accuracy)
streaming_auc = _streaming("streaming_auc", core.auc)
streaming_false_negatives = _streaming("streaming_false_negatives", core.false_negatives)
streaming_false_positives = _streaming("streaming_false_positives", core.false_positives)
streaming_mean = _streaming("streaming_mean", core.mean)
streaming_mean_absolute_error = _streaming("streaming_mean_absolute_error", core.mean_absolute_error)
streaming_mean_iou = _streaming("streaming_mean_iou", core.mean_iou)
streaming_mean_relative_error = _streaming("streaming_mean_relative_error", core.mean_relative_error)
streaming_mean_squared_error = _streaming("streaming_mean_squared_error", core.mean_squared_error)
streaming_mean_tensor = _streaming("streaming_mean_tensor", core.mean_tensor)
streaming_percentage_less = _streaming("streaming_percentage_less", core.percentage_below)
streaming_precision = _streaming("streaming_precision", core.precision)
streaming_precision_at_thresholds = _streaming("streaming_precision_at_thresholds", core.precision_at_thresholds)
streaming_recall = _streaming("streaming_recall", core.recall)
streaming_recall_at_thresholds = _streaming("streaming_recall_at_thresholds", core.recall_at_thresholds)
streaming_root_mean_squared_error = _streaming("streaming_root_mean_squared_error", core.root_mean_squared_error)
streaming_sensitivity_at_specificity = _streaming(
    "streaming_sensitivity_at_specificity", core.sensitivity_at_specificity
)
streaming_sparse_average_precision_at_k = _streaming(
    "streaming_sparse_average_precision_at_k", core.average_precision_at_k
)
streaming_sparse_precision_at_k = _streaming("streaming_sparse_precision_at_k", core.precision_at_k)
streaming_sparse_recall_at_k = _streaming("streaming_sparse_recall_at_k", core.recall_at_k)
streaming_specificity_at_sensitivity = _streaming(
    "streaming_specificity_at_sensitivity", core.specificity_at_sensitivity
)
streaming_true_negatives = _streaming("streaming_true_negatives", core.true_negatives)
streaming_true_positives = _streaming("streaming_true_positives", core.true_positives)


def streaming_mean_cosine_distance(
    predictions: Any,
    labels: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """`tf.metrics.mean_cosine_distance`."""
    return core.mean_cosine_distance(labels, predictions, dim, weights, metrics_collections, updates_collections, name)


def streaming_recall_at_k(
    predictions: Any,
    labels: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """How often the label is among the `k` best predictions."""
    hits = cast(in_top_k(predictions, labels, k), dtypes.float32)
    return core.mean(hits, weights, metrics_collections, updates_collections, name or f"recall_at_{k}")


def streaming_sparse_precision_at_top_k(
    top_k_predictions: Any,
    labels: Any,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """`tf.metrics.precision_at_top_k`."""
    return core.precision_at_top_k(
        labels, top_k_predictions, None, class_id, weights, metrics_collections, updates_collections, name
    )


def sparse_recall_at_top_k(
    labels: Any,
    top_k_predictions: Any,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """`tf.metrics.recall_at_top_k`."""
    return core.recall_at_top_k(
        labels, top_k_predictions, None, class_id, weights, metrics_collections, updates_collections, name
    )


def streaming_sparse_average_precision_at_top_k(
    top_k_predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean average precision of predictions [..., k], the best first."""
    return streaming_average_precision(
        labels, top_k_predictions, weights, metrics_collections, updates_collections, name
    )


def _rate(default: str, first: Any, second: Any, doc: str) -> Callable[..., Any]:
    """The first kind divided by itself and the second."""

    def function(
        predictions: Any,
        labels: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        with variable_scope(name, default, (predictions, labels, weights)):
            predictions, labels, weights = squeezed(
                cast(predictions, dtypes.bool_), cast(labels, dtypes.bool_), weights
            )
            b = on(labels)
            count, update_count = first(labels, predictions, weights)
            rest, update_rest = second(labels, predictions, weights)

            def rate(count: Any, rest: Any, name: str) -> Any:
                some = b.Greater(count + rest, 0)
                return b.Select(some, div(count, count + rest), 0, name=name)

            value = rate(count, rest, "value")
            update = rate(update_count, update_rest, "update_op")
            return collected(metrics_collections, value), collected(updates_collections, update)

    function.__name__ = function.__qualname__ = f"streaming_{default}"
    function.__doc__ = doc
    return function


streaming_false_positive_rate = _rate(
    "false_positive_rate",
    core.false_positives,
    core.true_negatives,
    "The share of positive predictions among the false labels.",
)
streaming_false_negative_rate = _rate(
    "false_negative_rate",
    core.false_negatives,
    core.true_positives,
    "The share of negative predictions among the true labels.",
)


def streaming_covariance(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The covariance of predictions and labels, without bias."""
    with variable_scope(name, "covariance", (predictions, labels, weights)):
        predictions, labels, weights = squeezed(predictions, labels, weights)
        b = on(labels)
        count, mean_prediction, mean_label, comoment = (
            metric_variable([], dtypes.float32, name=part)
            for part in ("count", "mean_prediction", "mean_label", "comoment")
        )
        if weights is None:
            batch = cast(size(labels), dtypes.float32)
            weighted_predictions, weighted_labels = predictions, labels
        else:
            weights = broadcast_weights(weights, labels)
            batch = reduce_sum(weights)
            weighted_predictions, weighted_labels = b.Mul(predictions, weights), b.Mul(labels, weights)
        new_count = assign_add(count, batch)
        old_count = new_count - batch

        def moved(mean: Any, values: Any) -> tuple[Any, Any]:
            """The batch's mean, and the mean of the batches before."""
            now = div_no_nan(reduce_sum(values), batch)
            change = div_no_nan((now - mean) * batch, new_count)
            return now, assign_add(mean, change) - change

        batch_prediction, old_prediction = moved(mean_prediction, weighted_predictions)
        batch_label, old_label = moved(mean_label, weighted_labels)
        products = (predictions - batch_prediction) * (labels - batch_label)
        inside = reduce_sum(products) if weights is None else reduce_sum(products * weights)
        change = inside + (old_prediction - batch_prediction) * (old_label - batch_label) * (
            old_count * batch / new_count
        )
        update = assign_add(comoment, change)

        def covariance(name: str) -> Any:
            few = b.LessEqual(count, 1.0)
            return b.Select(few, float("nan"), truediv(comoment, count - 1), name=name)

        value = covariance("covariance")
        with b.graph.control_dependencies([update]):
            update_op = covariance("update_op")
    return collected(metrics_collections, value), collected(updates_collections, update_op)


def streaming_pearson_correlation(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """Pearson's correlation of predictions and labels."""
    with variable_scope(name, "pearson_r", (predictions, labels, weights)):
        predictions, labels, weights = squeezed(predictions, labels, weights)
        b = on(labels)
        weights = None if weights is None else broadcast_weights(weights, labels)
        both = streaming_covariance(predictions, labels, weights, name="covariance")
        first = streaming_covariance(predictions, predictions, weights, name="variance_predictions")
        second = streaming_covariance(labels, labels, weights, name="variance_labels")
        value, update = (
            truediv(both[i], b.Mul(sqrt(first[i]), sqrt(second[i])), name=part)
            for i, part in enumerate(("pearson_r", "update_op"))
        )
    return collected(metrics_collections, value), collected(updates_collections, update)


def count(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """How many values there were, weighted."""
    with variable_scope(name, "count", (values, weights)):
        total = metric_variable([], dtypes.float32, name="count")
        if weights is None:
            number = cast(size(values), dtypes.float32)
        else:
            values, _, weights = squeezed(cast(values, dtypes.float32), None, weights)
            number = reduce_sum(broadcast_weights(cast(weights, dtypes.float32), values))
        b = on(values)
        with b.graph.control_dependencies([values]):
            update = assign_add(total, number)
        value = collected(metrics_collections, b.identity(total))
        return value, collected(updates_collections, update)


def accuracy(predictions: Any, labels: Any, weights: Any = None, name: str | None = None) -> Any:
    """How often predictions equal labels in this batch. ValueError for types that differ, or are no classes."""
    if not (labels.dtype.is_integer or labels.dtype in (dtypes.bool_, dtypes.string)):
        raise ValueError(f"Labels should have bool, integer, or string dtype, not {labels.dtype!r}")
    if not labels.dtype.is_compatible_with(predictions.dtype):
        raise ValueError(
            "Dtypes of predictions and labels should match. "
            f"Given: predictions ({predictions.dtype!r}) and labels ({labels.dtype!r})"
        )
    with name_scope(name, "accuracy", values=[predictions, labels]):
        b = on(labels)
        right = cast(b.Equal(predictions, labels), dtypes.float32)
        if weights is None:
            return reduce_mean(right)
        right = b.Mul(right, weights)
        number = b.Mul(weights, ones_like(right))
        return div(reduce_sum(right), reduce_sum(number))


def f1_score(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The best harmonic mean of precision and recall over thresholds between 0 and 1."""
    with variable_scope(name, "f1", (labels, predictions, weights)):
        predictions, labels, weights = squeezed(predictions, labels, weights)
        inner = [(i + 1) * 1.0 / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        thresholds = [0.0 - _EPSILON, *inner, 1.0 + _EPSILON]
        values, updates = counts_at_thresholds(labels, predictions, thresholds, weights, ("tp", "fp", "fn"))

        def best(counts: Mapping[str, Any], name: str) -> Any:
            precision = div(counts["tp"], _EPSILON + counts["tp"] + counts["fp"], name="precision_" + name)
            recall = div(counts["tp"], _EPSILON + counts["tp"] + counts["fn"], name="recall_" + name)
            return reduce_max(2.0 * precision * recall / (precision + recall + _EPSILON))

        value = collected(metrics_collections, best(values, "value"))
        return value, collected(updates_collections, best(updates, "update"))


def aggregate_metrics(*value_update_tuples: Any) -> tuple[list[Any], list[Any]]:
    """(values, updates) of several metrics. ValueError for none."""
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


def aggregate_metric_map(names_to_tuples: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values, updates) of metrics by name."""
    return {k: v for k, (v, _) in names_to_tuples.items()}, {k: u for k, (_, u) in names_to_tuples.items()}


__getattr__ = missing_from("metrics")
