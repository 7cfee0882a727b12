"""tf.metrics: values over a whole evaluation. Each function gives (value, update): run the update with each batch.

They count in local variables, which `tf.local_variables_initializer` sets to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.v1._array import diag_part, ones, ones_like, rank, reshape, size, zeros_like
from regraft.v1._broadcast_weights import broadcast_weights, remove_squeezable_dimensions
from regraft.v1._checks import assert_rank_in, assert_type
from regraft.v1._confusion import confusion_matrix
from regraft.v1._math import abs as abs_
from regraft.v1._math import cast, div_no_nan, divide
from regraft.v1._metric_parts import collected, counts_at_thresholds, metric_variable, squeezed
from regraft.v1._metrics_at_k import average_precision_at_k as average_precision_at_k
from regraft.v1._metrics_at_k import precision_at_k as precision_at_k
from regraft.v1._metrics_at_k import precision_at_top_k as precision_at_top_k
from regraft.v1._metrics_at_k import recall_at_k as recall_at_k
from regraft.v1._metrics_at_k import recall_at_top_k as recall_at_top_k
from regraft.v1._metrics_at_k import sparse_average_precision_at_k as sparse_average_precision_at_k
from regraft.v1._metrics_at_k import sparse_precision_at_k as sparse_precision_at_k
from regraft.v1._opening import on
from regraft.v1._reduction import argmax, argmin, cumsum, reduce_mean, reduce_min, reduce_sum
from regraft.v1._scatter import scatter_add
from regraft.v1._variable_scope import variable_scope
from regraft.v1._variables import assign_add

__all__ = [
    "accuracy",
    "auc",
    "false_negatives",
    "false_negatives_at_thresholds",
    "false_positives",
    "false_positives_at_thresholds",
    "mean",
    "mean_absolute_error",
    "mean_cosine_distance",
    "mean_iou",
    "mean_per_class_accuracy",
    "mean_relative_error",
    "mean_squared_error",
    "mean_tensor",
    "percentage_below",
    "precision",
    "precision_at_thresholds",
    "recall",
    "recall_at_thresholds",
    "root_mean_squared_error",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "true_negatives",
    "true_negatives_at_thresholds",
    "true_positives",
    "true_positives_at_thresholds",
]

_EPSILON = 1e-7


# Means


def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean of all values, weighted."""
    with variable_scope(name, "mean", (values, weights)):
        b = on(values)
        values = cast(values, dtypes.float32)
        total = metric_variable([], dtypes.float32, name="total")
        count = metric_variable([], dtypes.float32, name="count")
        if weights is None:
            number = cast(size(values), dtypes.float32)
        else:
            values, _, weights = squeezed(values, None, weights)
            weights = broadcast_weights(cast(weights, dtypes.float32), values)
            values = b.Mul(values, weights)
            number = reduce_sum(weights)
        new_total = assign_add(total, reduce_sum(values))
        with b.graph.control_dependencies([values]):
            new_count = assign_add(count, number)
        value = collected(metrics_collections, div_no_nan(total, b.Maximum(count, 0), name="value"))
        update = div_no_nan(new_total, b.Maximum(new_count, 0), name="update_op")
        return value, collected(updates_collections, update)


def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean of each element of the values, weighted."""
    with variable_scope(name, "mean", (values, weights)):
        b = on(values)
        values = cast(values, dtypes.float32)
        total = metric_variable(values.shape, dtypes.float32, name="total_tensor")
        count = metric_variable(values.shape, dtypes.float32, name="count_tensor")
        number = ones_like(values)
        if weights is not None:
            values, _, weights = squeezed(values, None, weights)
            weights = broadcast_weights(cast(weights, dtypes.float32), values)
            values = b.Mul(values, weights)
            number = b.Mul(number, weights)
        new_total = assign_add(total, values)
        with b.graph.control_dependencies([values]):
            new_count = assign_add(count, number)
        value = collected(metrics_collections, div_no_nan(total, b.Maximum(count, 0), name="value"))
        update = div_no_nan(new_total, b.Maximum(new_count, 0), name="update_op")
        return value, collected(updates_collections, update)


def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """How often predictions equal labels."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    if labels.dtype.base is not predictions.dtype.base:
        predictions = cast(predictions, labels.dtype)
    right = cast(on(labels).Equal(predictions, labels), dtypes.float32)
    return mean(right, weights, metrics_collections, updates_collections, name or "accuracy")


def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean of |predictions - labels|."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    errors = abs_(predictions - labels)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_absolute_error")


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean of (predictions - labels) ** 2."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    errors = on(labels).SquaredDifference(labels, predictions)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_squared_error")


def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The root of `mean_squared_error`."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    value, update = mean_squared_error(labels, predictions, weights, None, None, name or "root_mean_squared_error")
    b = on(value)
    value = collected(metrics_collections, b.Sqrt(value))
    return value, collected(updates_collections, b.Sqrt(update))


def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean of |labels - predictions| / normalizer; 0 where that is 0."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    predictions, normalizer = remove_squeezable_dimensions(predictions, normalizer)
    predictions.shape.assert_is_compatible_with(normalizer.shape)
    b = on(labels)
    missing, zero = b.Equal(normalizer, 0.0), zeros_like(labels)
    errors = b.Select(missing, zero, divide(abs_(labels - predictions), normalizer))
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_relative_error")


def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """1 - the mean of sum(predictions * labels) along `dim`, for vectors of length 1."""
    predictions, labels, weights = squeezed(predictions, labels, weights)
    b = on(labels)
    products = reduce_sum(b.Mul(predictions, labels), axis=[dim], keepdims=True)
    value, update = mean(products, weights, None, None, name or "mean_cosine_distance")
    value, update = b.Sub(1.0, value), b.Sub(1.0, update)
    return collected(metrics_collections, value), collected(updates_collections, update)


def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """How often values are below `threshold`."""
    below = cast(on(values).Less(values, threshold), dtypes.float32)
    return mean(below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")


# Counts


def _count(flags: Any, weights: Any, metrics_collections: Any, updates_collections: Any) -> Any:
    assert_type(flags, dtypes.bool_)
    b = on(flags)
    count = metric_variable([], dtypes.float32, name="count")
    hits = cast(flags, dtypes.float32)
    if weights is not None:
        with b.graph.control_dependencies((assert_rank_in(weights, (0, rank(hits))),)):
            weights = cast(weights, dtypes.float32)
            hits = b.Mul(hits, weights)
    value = collected(metrics_collections, b.identity(count))
    return value, collected(updates_collections, assign_add(count, reduce_sum(hits)))


def _outcome(default: str, label: bool, prediction: bool) -> Any:
    def function(
        labels: Any,
        predictions: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        with variable_scope(name, default, (predictions, labels, weights)):
            predictions, labels, weights = _flags(predictions, labels, weights)
            b = on(labels)
            hits = b.LogicalAnd(b.Equal(labels, label), b.Equal(predictions, prediction))
            return _count(hits, weights, metrics_collections, updates_collections)

    function.__name__ = function.__qualname__ = default
    function.__doc__ = f"How many predictions are {default.replace('_', ' ')}, weighted."
    return function


def _flags(predictions: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
    predictions = cast(predictions, dtypes.bool_)
    return squeezed(predictions, cast(labels, dtypes.bool_), weights)


true_positives = _outcome("true_positives", True, True)
true_negatives = _outcome("true_negatives", False, False)
false_positives = _outcome("false_positives", False, True)
false_negatives = _outcome("false_negatives", True, False)


def _share(default: str, other: Any, doc: str) -> Any:
    """True positives divided by themselves and the other kind."""

    def function(
        labels: Any,
        predictions: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        with variable_scope(name, default, (predictions, labels, weights)):
            predictions, labels, weights = _flags(predictions, labels, weights)
            b = on(labels)
            hits, new_hits = true_positives(labels, predictions, weights)
            others, new_others = other(labels, predictions, weights)

            def share(part: Any, rest: Any, name: str) -> Any:
                some = b.Greater(part + rest, 0)
                return b.Select(some, divide(part, part + rest), 0, name=name)

            value = collected(metrics_collections, share(hits, others, "value"))
            return value, collected(updates_collections, share(new_hits, new_others, "update_op"))

    function.__name__ = function.__qualname__ = default
    function.__doc__ = doc
    return function


precision = _share("precision", false_positives, "The share of true ones among the positive predictions.")
recall = _share("recall", false_negatives, "The share of positive predictions among the true labels.")


# Classes


def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean of the accuracies of the classes."""
    with variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        b = on(labels)
        labels = cast(labels, dtypes.int64)
        labels, predictions = _flat(labels), _flat(predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
        total = metric_variable([num_classes], dtypes.float32, name="total")
        count = metric_variable([num_classes], dtypes.float32, name="count")
        each = ones([size(labels)], dtypes.float32)
        if labels.dtype.base is not predictions.dtype.base:
            predictions = cast(predictions, labels.dtype)
        right = cast(b.Equal(predictions, labels), dtypes.float32)
        if weights is not None:
            weights = cast(_flat(weights), dtypes.float32)
            right, each = right * weights, each * weights
        new_total, new_count = scatter_add(total, labels, each), scatter_add(count, labels, right)
        by_class = div_no_nan(count, b.Maximum(total, 0))
        value = collected(metrics_collections, reduce_mean(by_class, name="mean_accuracy"))
        update = div_no_nan(new_count, b.Maximum(new_total, 0), name="update_op")
        return value, collected(updates_collections, update)


def _flat(tensor: Any) -> Any:
    return reshape(tensor, [-1]) if tensor.shape.rank > 1 else tensor


def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean over classes of true positives / (true positives + false positives + false negatives)."""
    with variable_scope(name, "mean_iou", (predictions, labels, weights)):
        b = on(labels)
        predictions.shape.assert_is_compatible_with(labels.shape)
        matrix = metric_variable([num_classes, num_classes], dtypes.float64, name="total_confusion_matrix")
        predictions, labels = cast(predictions, dtypes.int64), cast(labels, dtypes.int64)
        classes = cast(num_classes, dtypes.int64)
        predictions, labels = _flat(predictions), _flat(labels)
        weights = None if weights is None else _flat(weights)
        found = confusion_matrix(labels, predictions, classes, dtypes.float64, weights=weights)
        update = assign_add(matrix, found)
        rows = cast(reduce_sum(matrix, 0), dtypes.float32)
        columns = cast(reduce_sum(matrix, 1), dtypes.float32)
        both = cast(diag_part(matrix), dtypes.float32)
        union = rows + columns - both
        number = reduce_sum(cast(b.NotEqual(union, 0), dtypes.float32))
        union = b.Select(b.Greater(union, 0), union, ones_like(union))
        shares = divide(both, union)
        some = b.Greater(number, 0)
        value = b.Select(some, reduce_sum(shares, name="mean_iou") / number, 0)
        return collected(metrics_collections, value), collected(updates_collections, update)


# Thresholds


def _at_thresholds(default: str, key: str) -> Any:
    def function(
        labels: Any,
        predictions: Any,
        thresholds: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        with variable_scope(name, default, (predictions, labels, weights)):
            values, updates = counts_at_thresholds(labels, predictions, thresholds, weights, (key,))
            value = collected(metrics_collections, on(labels).identity(values[key]))
            return value, collected(updates_collections, updates[key])

    function.__name__ = function.__qualname__ = f"{default}_at_thresholds"
    function.__doc__ = f"How many predictions are {default.replace('_', ' ')} at each threshold, weighted."
    return function


true_positives_at_thresholds = _at_thresholds("true_positives", "tp")
true_negatives_at_thresholds = _at_thresholds("true_negatives", "tn")
false_positives_at_thresholds = _at_thresholds("false_positives", "fp")
false_negatives_at_thresholds = _at_thresholds("false_negatives", "fn")


def _share_at_thresholds(default: str, prefix: str, other: str, doc: str) -> Any:
    def function(
        labels: Any,
        predictions: Any,
        thresholds: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        with variable_scope(name, default, (predictions, labels, weights)):
            values, updates = counts_at_thresholds(labels, predictions, thresholds, weights, ("tp", other))

            def share(found: dict[str, Any], name: str) -> Any:
                return divide(found["tp"], _EPSILON + found["tp"] + found[other], name=f"{prefix}_{name}")

            value = collected(metrics_collections, share(values, "value"))
            return value, collected(updates_collections, share(updates, "update_op"))

    function.__name__ = function.__qualname__ = default
    function.__doc__ = doc
    return function


precision_at_thresholds = _share_at_thresholds(
    "precision_at_thresholds", "precision", "fp", "The precision at each threshold."
)
recall_at_thresholds = _share_at_thresholds("recall_at_thresholds", "recall", "fn", "The recall at each threshold.")


def _even_thresholds(count: int, last: float = 1.0 + _EPSILON) -> list[float]:
    return [0.0 - _EPSILON, *((i + 1) * 1.0 / (count - 1) for i in range(count - 2)), last]


def _tradeoff(
    given: tuple[Any, Any, Any],
    wanted: float,
    names: tuple[str, str],
    compute: Callable[[dict[str, Any], float, str], Any],
    thresholds: list[float],
    collections: tuple[Any, Any],
    name: str | None,
) -> Any:
    labels, predictions, weights = given
    default, argument = names
    if not 0 <= wanted <= 1:
        raise ValueError(f"`{argument}` must be in the range [0, 1]. Currently, `{argument}` is {wanted}.")
    with variable_scope(name, default, (predictions, labels, weights)):
        values, updates = counts_at_thresholds(labels, predictions, thresholds, weights)
        value = collected(collections[0], compute(values, wanted, "value"))
        return value, collected(collections[1], compute(updates, wanted, "update_op"))


def _sensitivity(found: dict[str, Any], specificity: float, name: str) -> Any:
    shares = divide(found["tn"], found["tn"] + found["fp"] + _EPSILON)
    at = cast(argmin(abs_(shares - specificity), 0), dtypes.int32)
    part = found["tp"][at]
    return divide(part, found["tp"][at] + found["fn"][at] + _EPSILON, name)


def _specificity(found: dict[str, Any], sensitivity: float, name: str) -> Any:
    b = on(found["tp"])
    shares = divide(found["tp"], found["tp"] + found["fn"] + _EPSILON)
    least = reduce_min(abs_(shares - sensitivity))
    here = cast(b.Equal(abs_(shares - sensitivity), least), dtypes.int64)
    at = cast(argmax(cumsum(here), 0), dtypes.int32)
    part = found["tn"][at]
    return divide(part, found["tn"][at] + found["fp"][at] + _EPSILON, name)


def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The recall at the threshold where the specificity is nearest to the wanted one."""
    return _tradeoff(
        (labels, predictions, weights),
        specificity,
        ("sensitivity_at_specificity", "specificity"),
        _sensitivity,
        _even_thresholds(num_thresholds),
        (metrics_collections, updates_collections),
        name,
    )


def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The specificity at the threshold where the recall is nearest to the wanted one."""
    return _tradeoff(
        (labels, predictions, weights),
        sensitivity,
        ("specificity_at_sensitivity", "sensitivity"),
        _specificity,
        _even_thresholds(num_thresholds, 1.0 - _EPSILON),
        (metrics_collections, updates_collections),
        name,
    )


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
    thresholds: Any = None,
) -> Any:
    """The area under the curve of recall over false positives ("ROC"), or of precision over recall ("PR").

    summation_method  "trapezoidal", "careful_interpolation" (for PR), "minoring" or "majoring"
    """
    with variable_scope(name, "auc", (labels, predictions, weights)):
        if curve not in ("ROC", "PR"):
            raise ValueError(f"Curve must be either ROC or PR. Curve {curve} is unknown.")
        if summation_method not in ("trapezoidal", "careful_interpolation", "minoring", "majoring"):
            raise ValueError(
                f"Invalid summation_method: {summation_method} summation_method should be 'trapezoidal', "
                "'careful_interpolation', 'minoring', or 'majoring'."
            )
        if thresholds is None:
            points = _even_thresholds(num_thresholds)
        else:
            points = [0.0 - _EPSILON, *sorted(thresholds), 1.0 + _EPSILON]
        values, updates = counts_at_thresholds(labels, predictions, points, weights)

        def area(found: dict[str, Any], name: str) -> Any:
            if curve == "PR" and summation_method == "careful_interpolation":
                return _interpolated(found, len(points) - 1)
            return _area(found, len(points) - 1, curve, summation_method, name)

        value = collected(metrics_collections, area(values, "value"))
        return value, collected(updates_collections, area(updates, "update_op"))


def _area(found: dict[str, Any], last: int, curve: str, method: str, name: str) -> Any:
    tp, fn, tn, fp = (found[key] for key in ("tp", "fn", "tn", "fp"))
    b = on(tp)
    small = 1e-6
    recalls = divide(tp + small, tp + fn + small)
    if curve == "ROC":
        x, y = divide(fp, fp + tn + small), recalls
    else:
        x, y = recalls, divide(tp + small, tp + fp + small)
    steps = x[:last] - x[1:]
    if method in ("trapezoidal", "careful_interpolation"):
        heights = (y[:last] + y[1:]) / 2.0
    else:
        heights = b.op("Minimum" if method == "minoring" else "Maximum", y[:last], y[1:])
    return reduce_sum(b.Mul(steps, heights), name=name)


def _interpolated(found: dict[str, Any], last: int) -> Any:
    """The area under precision over recall, with counts interpolated between thresholds."""
    tp, fn, fp = (found[key] for key in ("tp", "fn", "fp"))
    b = on(tp)
    dtp = tp[:last] - tp[1:]
    p = tp + fp
    slope = div_no_nan(dtp, b.Maximum(p[:last] - p[1:], 0), name="prec_slope")
    start = tp[1:]
    intercept = start - b.Mul(slope, p[1:])
    some = b.LogicalAnd(p[:last] > 0, p[1:] > 0)
    part = p[:last]
    ratio = div_no_nan(part, b.Maximum(p[1:], 0), name="recall_relative_ratio")
    ratio = b.Select(some, ratio, ones_like(p[1:]))
    inner = slope * (dtp + intercept * b.Log(ratio))
    increments = div_no_nan(inner, b.Maximum(tp[1:] + fn[1:], 0), name="pr_auc_increment")
    return reduce_sum(increments, name="interpolate_pr_auc")
