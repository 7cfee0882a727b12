"""Metrics of the k best predictions, for items with several labels: labels are [..., count] int64, dense or sparse."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.opkit.reduced import reduced_shape
from regraft.v1._array import concat, expand_dims, fill, ones_like, rank, reshape, shape, size, zeros_like
from regraft.v1._broadcast_weights import assert_broadcastable, broadcast_weights
from regraft.v1._indexing import slice as slice_
from regraft.v1._math import add, cast, div_no_nan, divide, equal
from regraft.v1._metric_parts import collected, metric_variable
from regraft.v1._nn_basic import top_k
from regraft.v1._opening import on, opened
from regraft.v1._reduction import cumsum, reduce_max, reduce_sum
from regraft.v1._sparse import concat as sparse_concat
from regraft.v1._sparse import reshape_ as sparse_reshape
from regraft.v1._sparse import retain
from regraft.v1._sparse_cond import cond_of
from regraft.v1._sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor, is_sparse
from regraft.v1._variables import assign_add
from regraft.v1.sets import difference, intersection
from regraft.v1.sets import size as set_size

__all__ = [
    "average_precision_at_k",
    "precision_at_k",
    "precision_at_top_k",
    "recall_at_k",
    "recall_at_top_k",
    "sparse_average_precision_at_k",
    "sparse_precision_at_k",
]


def _name(name: str, k: Any, class_id: Any = None) -> str:
    found = f"{name}_at_{'k' if k is None else k}"
    return found if class_id is None else f"{found}_class{class_id}"


def _with_counts(labels: Any, predictions: Any) -> Any:
    """Labels with the dimension that predictions have more, where they have one more."""
    with opened(None, "expand_labels", predictions) as (_, scope):
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if is_sparse(labels):
            more = equal(rank(predictions), size(labels.dense_shape) + 1)
            return cond_of(
                labels,
                more,
                lambda: sparse_reshape(labels, shape=concat((labels.dense_shape, (1,)), 0), name=scope),
                lambda: labels,
            )
        ranks = labels.shape.rank, predictions.shape.rank
        if None not in ranks:
            if ranks[0] == ranks[1]:
                return labels
            if ranks[0] + 1 == ranks[1]:
                return expand_dims(labels, -1, name=scope)
            raise ValueError(
                f"Unexpected labels shape {labels.shape} for predictions shape {predictions.shape}. "
                "Predictions rank should be the same rank as labels rank or labels rank plus one."
            )
        more = equal(rank(predictions), rank(labels) + 1)
        return cond_of(labels, more, lambda: expand_dims(labels, -1, name=scope), lambda: labels)


# Counts of a batch


def _of_class(ids: Any, class_id: int) -> Any:
    """Those ids that are this one."""
    ids = convert_to_tensor_or_sparse_tensor(ids)
    if is_sparse(ids):
        return retain(ids, equal(ids.values, class_id))
    sizes = shape(ids, out_type=dtypes.int64)
    last = size(sizes) - 1
    one = reduced_shape(on(sizes), sizes, reshape(last, [1]))
    wanted = fill(one, cast(class_id, dtypes.int64))
    found = intersection(wanted, ids)
    return SparseTensor(found.indices, found.values, sizes)


def _counted(kind: str, labels: Any, indices: Any, class_id: Any, weights: Any, name: str | None = None) -> Any:
    """How many of a kind ("true_positives", ...) each item has, weighted."""
    with opened(name, kind, indices, weights) as (b, _):
        if class_id is not None:
            labels, indices = _of_class(labels, class_id), _of_class(indices, class_id)
        if kind == "true_positives":
            found = intersection(indices, labels)
        else:
            found = difference(indices, labels, aminusb=kind == "false_positives")
        number = cast(set_size(found), dtypes.float64)
        if weights is not None:
            with b.graph.control_dependencies((assert_broadcastable(weights, number),)):
                weights = cast(weights, dtypes.float64)
                number = b.Mul(number, weights)
        return number


def _streaming(kind: str, labels: Any, indices: Any, k: Any, class_id: Any, weights: Any) -> tuple[Any, Any]:
    with opened(None, _name(kind.removesuffix("s"), k, class_id), indices, weights) as (_, scope):
        number = _counted(kind, labels, indices, class_id, weights)
        batch = cast(reduce_sum(number), dtypes.float64)
        variable = metric_variable([], dtypes.float64, name=scope)
        return variable, assign_add(variable, batch, name="update")


# Precision and recall


def _share_at_top_k(what: str, other: str, doc: str) -> Any:
    """True positives divided by themselves and the other kind."""

    def function(
        labels: Any,
        predictions_idx: Any,
        k: int | None = None,
        class_id: int | None = None,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        with opened(name, _name(what, k, class_id), predictions_idx, weights) as (_, scope):
            labels = _with_counts(labels, predictions_idx)
            indices = cast(predictions_idx, dtypes.int64)
            hits, new_hits = _streaming("true_positives", labels, indices, k, class_id, weights)
            others, new_others = _streaming(other, labels, indices, k, class_id, weights)
            value = collected(metrics_collections, divide(hits, add(hits, others), name=scope))
            update = divide(new_hits, add(new_hits, new_others), name="update")
            return value, collected(updates_collections, update)

    function.__name__ = function.__qualname__ = f"{what}_at_top_k"
    function.__doc__ = f"{doc} predictions_idx  [..., k], the classes with the best predictions."
    return function


precision_at_top_k = _share_at_top_k(
    "precision", "false_positives", "The share of right ones among the k best predictions."
)
recall_at_top_k = _share_at_top_k("recall", "false_negatives", "The share of labels among the k best predictions.")


def _share_at_k(what: str, of_indices: Any) -> Any:
    def function(
        labels: Any,
        predictions: Any,
        k: int,
        class_id: int | None = None,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Any:
        with opened(name, _name(what, k, class_id), predictions, weights) as (_, scope):
            _, indices = top_k(predictions, k)
            return of_indices(labels, indices, k, class_id, weights, metrics_collections, updates_collections, scope)

    function.__name__ = function.__qualname__ = f"{what}_at_k"
    function.__doc__ = f"`{of_indices.__name__}` of the k best among predictions [..., classes]."
    return function


precision_at_k = _share_at_k("precision", precision_at_top_k)
recall_at_k = _share_at_k("recall", recall_at_top_k)
sparse_precision_at_k = precision_at_k


# Average precision


def _repeated(tensor: Any, multiple: int, name: str) -> Any:
    """The tensor `multiple` times along a new dimension before the last."""
    with opened(name, "expand_and_tile", *(() if is_sparse(tensor) else (tensor,))) as (b, scope):
        tensor = convert_to_tensor_or_sparse_tensor(tensor)
        if is_sparse(tensor):
            at = reshape(size(tensor.dense_shape) + -1, [1])
            outer, inner = slice_(tensor.dense_shape, [0], at), slice_(tensor.dense_shape, at, [-1])
            sizes = concat((outer, [1], inner), 0, name="expanded_shape")
            expanded = sparse_reshape(tensor, shape=sizes, name="expand")
            return expanded if multiple == 1 else sparse_concat(-2, [expanded] * multiple, name=scope)
        expanded = expand_dims(tensor, -2, name="expand")
        if multiple == 1:
            return expanded
        one = ones_like(shape(tensor))
        return b.Tile(expanded, concat((one[:-1], (multiple,), one[-1:]), 0, name="multiples"), name=scope)


def _relevant(labels: Any, k: int) -> Any:
    """How many labels each item has, k at most."""
    with opened(None, "num_relevant") as (b, scope):
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if is_sparse(labels):
            return b.Minimum(set_size(labels), k, name=scope)
        there = b.GreaterEqual(labels, 0)
        number = reduce_sum(b.SelectV2(there, ones_like(labels), zeros_like(labels)), axis=-1)
        return b.Minimum(number, k, name=scope)


def _average_precision(labels: Any, indices: Any) -> Any:
    """The mean precision over the places at which right predictions stand, of each item."""
    with opened(None, "average_precision", indices) as (b, scope):
        indices = cast(indices, dtypes.int64, name="predictions_idx")
        k = indices.shape.as_list()[-1]
        if k is None:
            raise ValueError("The last dimension of predictions_idx must be set. Currently, it is None.")
        labels = _with_counts(labels, indices)
        each = expand_dims(indices, -1, name="predictions_idx_per_k")
        labels_each = _repeated(labels, k, "labels_per_k")
        right = _counted("true_positives", labels_each, each, None, None, name="relevant_per_k")
        so_far = cumsum(right, axis=-1, name="tp_per_k")
        places = cumsum(ones_like(right), axis=-1, name="retrieved_per_k")
        precision = divide(cast(so_far, dtypes.float64), cast(places, dtypes.float64), name="precision_per_k")
        counted = b.Mul(precision, cast(right, dtypes.float64), name="relevant_precision_per_k")
        total = reduce_sum(counted, axis=(-1,), name="precision_sum")
        return divide(total, cast(_relevant(labels, k), dtypes.float64), name=scope)


def _known_classes(labels: Any, classes: Any) -> Any:
    """Labels of which those that are no class are -1."""
    values = labels.values if is_sparse(labels) else labels
    b = on(values)

    def cleaned(values: Any) -> Any:
        beyond = b.GreaterEqual(values, classes)
        return b.SelectV2(beyond, -1 * ones_like(values), values)

    def clean() -> Any:
        if is_sparse(labels):
            return SparseTensor(labels.indices, cleaned(labels.values), labels.dense_shape)
        return cleaned(labels)

    return cond_of(labels, b.GreaterEqual(reduce_max(values), classes), clean, lambda: labels)


def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean average precision of the k best among predictions [..., classes]. ValueError for k below 1."""
    if k < 1:
        raise ValueError(f"Invalid k={k}. `k` should be >= 1.")
    with opened(name, _name("average_precision", k), predictions, weights) as (_, scope):
        _, indices = top_k(predictions, k)
        labels = _known_classes(labels, cast(shape(predictions)[-1], dtypes.int64))
        return streaming_average_precision(
            labels, indices, weights, metrics_collections, updates_collections, name=scope
        )


sparse_average_precision_at_k = average_precision_at_k


def streaming_average_precision(
    labels: Any,
    predictions_idx: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Any:
    """The mean average precision of predictions [..., k], the best first."""
    with opened(name, "average_precision_at_top_k", predictions_idx, weights) as (b, scope):
        found = _average_precision(labels, predictions_idx)
        if weights is not None:
            weights = broadcast_weights(cast(weights, dtypes.float64), found)
            found = b.Mul(found, weights)
        with opened(None, "max", found) as (_, inner):
            most = metric_variable([], dtypes.float64, name=inner)
            if weights is None:
                batch = cast(size(found, name="batch_max"), dtypes.float64)
            else:
                batch = reduce_sum(weights, name="batch_max")
            new_most = assign_add(most, batch, name="update")
        with opened(None, "total", found) as (_, inner):
            total = metric_variable([], dtypes.float64, name=inner)
            batch = reduce_sum(found, name="batch_total")
            new_total = assign_add(total, batch, name="update")
        value = collected(metrics_collections, div_no_nan(total, most, name="mean"))
        update = div_no_nan(new_total, new_most, name=scope)
        return value, collected(updates_collections, update)
