"""tf.contrib.losses: the first form of tf.losses, with predictions before labels."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context, _plain
from regraft.v1._array import ones, ones_like, reshape, shape, size, squeeze, zeros_like
from regraft.v1._graph import name_scope
from regraft.v1._indexing import slice as slice_
from regraft.v1._indexing import where
from regraft.v1._math import abs as absolute
from regraft.v1._math import add_n, cast, div, div_no_nan
from regraft.v1._nn_loss import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)
from regraft.v1._opening import on, renamed
from regraft.v1._reduction import reduce_prod, reduce_sum
from regraft.v1.contrib._arg_scope import add_arg_scope
from regraft.v1.contrib._missing import missing_from

__all__ = [
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "cosine_distance",
    "get_losses",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]

# Collections


@add_arg_scope
def add_loss(loss: Any, loss_collection: Any = GraphKeys.LOSSES) -> None:
    """Add to the collection LOSSES."""
    if loss_collection:
        _context.get_default_graph().add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Any]:
    """The losses, of a scope or all."""
    return _context.get_default_graph().get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The collection REGULARIZATION_LOSSES, of a scope or all."""
    return _context.get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Any:
    """The sum of all losses."""
    return add_n(get_losses() + (get_regularization_losses() if add_regularization_losses else []), name=name)


# Weights


def _known_rank(name: str, tensor: Any) -> int:
    if tensor.shape.rank is None:
        raise ValueError(f"{name}.get_shape().ndims cannot be None")
    return int(tensor.shape.rank)


def compute_weighted_loss(losses: Any, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The mean of the losses that count, which goes into LOSSES.

    weights  scalar, or [batch, ...] for the first dimensions of the losses; those that are 0 do not count
    """
    with name_scope(scope, "weighted_loss", [losses, weights]):
        b = on(losses, weights)
        losses = b.convert(losses)
        kind = losses.dtype
        losses = cast(losses, dtypes.float32)
        weights = cast(b.convert(weights), dtypes.float32)
        _known_rank("losses", losses)
        if _known_rank("weights", weights) > 1 and weights.shape.as_list()[-1] in (1, None):
            weights = squeeze(weights, [-1])
        total = _scaled(losses, weights)
        number = _number(losses, weights)
        mean = cast(div_no_nan(reduce_sum(total), number, name="value"), kind)
        add_loss(mean)
        return mean


def _scaled(losses: Any, weights: Any) -> Any:
    axes = list(range(weights.shape.rank, losses.shape.rank))
    return reduce_sum(on(losses).Mul(reduce_sum(losses, axis=axes), weights))


def _number(losses: Any, weights: Any, per_batch: bool = False) -> Any:
    """How many losses have a weight, in all or of each item of the batch."""
    b = on(losses)
    rank = weights.shape.rank
    if rank == 0:
        batch = reshape(slice_(shape(losses), [0], [1]), [])
        each = div(cast(size(losses), dtypes.float32), cast(batch, dtypes.float32))
        each = where(b.Equal(weights, 0), 0.0, each)
        each = b.Mul(ones(reshape(batch, [1])), each)
    else:
        nonzero = reduce_sum(cast(b.NotEqual(weights, 0), dtypes.float32), axis=list(range(1, rank)))
        spread = slice_(shape(losses), [rank], [-1])
        each = b.Mul(nonzero, cast(reduce_prod(spread), dtypes.float32))
    return each if per_batch else reduce_sum(each)


# Losses


def _floats(predictions: Any, labels: Any) -> tuple[Any, Any]:
    predictions.shape.assert_is_compatible_with(labels.shape)
    return cast(predictions, dtypes.float32), cast(labels, dtypes.float32)


def absolute_difference(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The weighted mean of |predictions - labels|."""
    with name_scope(scope, "absolute_difference", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        losses = absolute(on(labels).Sub(predictions, labels))
        return compute_weighted_loss(losses, weights, scope=scope)


def mean_squared_error(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The weighted mean of (predictions - labels) ** 2."""
    with name_scope(scope, "mean_squared_error", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        losses = on(labels).SquaredDifference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope=scope)


def log_loss(
    predictions: Any, labels: Any = None, weights: Any = 1.0, epsilon: float = 1e-7, scope: str | None = None
) -> Any:
    """The weighted mean of the cross entropy of probabilities."""
    with name_scope(scope, "log_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        b = on(labels)
        hits = -b.Mul(labels, b.Log(predictions + epsilon))
        losses = hits - b.Mul(1 - labels, b.Log(1 - predictions + epsilon))
        return compute_weighted_loss(losses, weights, scope=scope)


def hinge_loss(logits: Any, labels: Any = None, scope: str | None = None) -> Any:
    """max(0, 1 - logits * (2 * labels - 1)), element by element; not weighted, and in no collection."""
    with name_scope(scope, "hinge_loss", [logits, labels]) as scope:
        logits.shape.assert_is_compatible_with(labels.shape)
        b = on(logits)
        labels = cast(labels, dtypes.float32)
        one = ones_like(labels)
        signs = b.Sub(2 * labels, one)
        return _plain.function("nn.relu")(b.Sub(one, b.Mul(signs, logits)))


def cosine_distance(
    predictions: Any,
    labels: Any = None,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    dim: int | None = None,
) -> Any:
    """The weighted mean of 1 - sum(predictions * labels) along `axis`, for vectors of length 1."""
    axis = renamed("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    with name_scope(scope, "cosine_distance_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        losses = 1 - reduce_sum(on(labels).Mul(predictions, labels), axis=[axis])
        return compute_weighted_loss(losses, weights, scope=scope)


def sigmoid_cross_entropy(
    logits: Any, multi_class_labels: Any, weights: Any = 1.0, label_smoothing: Any = 0, scope: str | None = None
) -> Any:
    """The weighted mean of `tf.nn.sigmoid_cross_entropy_with_logits`; labels are smoothed towards 1/2."""
    with name_scope(scope, "sigmoid_cross_entropy_loss", [logits, multi_class_labels, weights]) as scope:
        logits.shape.assert_is_compatible_with(multi_class_labels.shape)
        labels = cast(multi_class_labels, logits.dtype)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def softmax_cross_entropy(
    logits: Any, onehot_labels: Any, weights: Any = 1.0, label_smoothing: Any = 0, scope: str | None = None
) -> Any:
    """The weighted mean of `tf.nn.softmax_cross_entropy_with_logits`; labels are smoothed towards 1/classes."""
    with name_scope(scope, "softmax_cross_entropy_loss", [logits, onehot_labels, weights]) as scope:
        logits.shape.assert_is_compatible_with(onehot_labels.shape)
        labels = cast(onehot_labels, logits.dtype)
        if label_smoothing > 0:
            classes = cast(shape(labels)[1], logits.dtype)
            positive, negative = 1.0 - label_smoothing, label_smoothing / classes
            labels = labels * positive + negative
        losses = softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def sparse_softmax_cross_entropy(logits: Any, labels: Any, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The weighted mean of `tf.nn.sparse_softmax_cross_entropy_with_logits`."""
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", [logits, labels, weights]) as scope:
        labels = reshape(labels, shape=[shape(labels)[0]])
        losses = sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def mean_pairwise_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> Any:
    """How far the differences between pairs of predictions are from those of labels, squared."""
    with name_scope(scope, "mean_pairwise_squared_error", [predictions, labels, weights]) as scope:
        predictions, labels = _floats(predictions, labels)
        b = on(labels)
        weights = cast(b.convert(weights), dtypes.float32)
        difference = b.Sub(predictions, labels)
        axes = list(range(1, _known_rank("diffs", difference)))
        _known_rank("weights", weights)
        squares = reduce_sum(b.Square(difference), axis=axes)
        number = _number(difference, weights, per_batch=True)
        first = 2.0 * div_no_nan(squares, number, name="value")
        total = reduce_sum(difference, axis=axes)
        second = 2.0 * div_no_nan(b.Square(total), b.Square(number), name="value")
        loss = _scaled(first - second, weights)
        mean = where(reduce_sum(number) > 0, loss, zeros_like(loss), name="value")
        add_loss(mean)
        return mean


__getattr__ = missing_from("losses")
