"""tf.losses: weighted losses that are collected, and their total."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._array import ones_like, rank, shape, size, squeeze, stop_gradient, zeros_like
from regraft.v1._broadcast_weights import assert_broadcastable, broadcast_weights, remove_squeezable_dimensions
from regraft.v1._math import abs as abs_
from regraft.v1._math import add, add_n, cast, div_no_nan
from regraft.v1._nn_loss import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from regraft.v1._opening import opened, renamed
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_sum

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "cosine_distance",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "huber_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


class Reduction:
    """How the losses of all elements become one."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return (
            cls.NONE,
            cls.SUM,
            cls.MEAN,
            cls.SUM_OVER_BATCH_SIZE,
            cls.SUM_OVER_NONZERO_WEIGHTS,
            cls.SUM_BY_NONZERO_WEIGHTS,
        )

    @classmethod
    def validate(cls, key: str) -> None:
        """ValueError unless `key` is one of them."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}. Key should be one of {cls.all()}.")


_DEFAULT = Reduction.SUM_BY_NONZERO_WEIGHTS


# The collections


def add_loss(loss: Any, loss_collection: Any = GraphKeys.LOSSES) -> None:
    """Add a loss to a collection, or to none for None."""
    if loss_collection:
        _context.get_default_graph().add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Any]:
    """The losses in a collection, or those whose names match `scope`."""
    return _context.get_default_graph().get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The losses that regularizers gave, or those whose names match `scope`."""
    return get_losses(scope, GraphKeys.REGULARIZATION_LOSSES)


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Any:
    """The sum of the losses that regularizers gave; the constant 0 when there are none."""
    losses = get_regularization_losses(scope)
    return add_n(losses, name=name) if losses else _context.builder().constant(0.0)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None) -> Any:
    """The sum of all collected losses. ValueError when there are none."""
    losses = get_losses(scope)
    if add_regularization_losses:
        losses += get_regularization_losses(scope)
    return add_n(losses, name=name)


# Weighting


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """The losses times the weights, reduced to one number, which goes into a collection.

    weights    a scalar, or of the rank of `losses` with each size equal or 1
    reduction  see `Reduction`; by default the sum divided by the number of weights that are not zero
    """
    Reduction.validate(reduction)
    with opened(scope, "weighted_loss", losses, weights) as (b, _):
        check = assert_broadcastable(weights, losses)
        with b.graph.control_dependencies((check,)):
            losses = b.convert(losses)
            kind = losses.dtype
            losses = cast(losses, dtypes.float32)
            weights = cast(weights, dtypes.float32)
            loss = b.Mul(losses, weights)
            if reduction != Reduction.NONE:
                loss = reduce_sum(loss)
                if reduction == Reduction.MEAN:
                    loss = _mean(loss, reduce_sum(ones_like(losses) * weights))
                elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                    loss = _mean(loss, _present(losses, weights))
                elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                    loss = _mean(loss, _elements(losses))
            loss = cast(loss, kind)
            add_loss(loss, loss_collection)
            return loss


def _mean(losses: Any, count: Any) -> Any:
    return div_no_nan(reduce_sum(losses), count, name="value")


def _elements(losses: Any) -> Any:
    with opened(None, "num_elements", losses) as (_, scope):
        return cast(size(losses, name=scope), losses.dtype)


def _present(losses: Any, weights: Any, per_batch: bool = False) -> Any:
    """How many losses have a weight that is not zero: in all, or in each item of the batch."""
    if isinstance(weights, float) and weights != 0.0:
        return _elements(losses)
    with opened(None, "num_present", losses, weights) as (b, scope):
        weights = cast(weights, dtypes.float32)
        present = b.Select(b.Equal(weights, 0.0), zeros_like(weights), ones_like(weights))
        present = broadcast_weights(present, losses)
        if per_batch:
            return reduce_sum(present, axis=range_(1, rank(present)), keepdims=True, name=scope)
        return reduce_sum(present, name=scope)


def _needed(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value is None:
            raise ValueError(f"Argument `{name}` must not be None.")


def _floats(predictions: Any, labels: Any) -> tuple[Any, Any]:
    """Both as float32 tensors of shapes that may be equal. ValueError when they can't."""
    predictions = cast(predictions, dtypes.float32)
    labels = cast(labels, dtypes.float32)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return predictions, labels


# The losses


def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """|predictions - labels|, weighted."""
    _needed(labels=labels, predictions=predictions)
    with opened(scope, "absolute_difference", predictions, labels, weights) as (b, inner):
        predictions, labels = _floats(predictions, labels)
        return compute_weighted_loss(abs_(b.Sub(predictions, labels)), weights, inner, loss_collection, reduction)


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """(predictions - labels) ** 2, weighted."""
    _needed(labels=labels, predictions=predictions)
    with opened(scope, "mean_squared_error", predictions, labels, weights) as (b, inner):
        predictions, labels = _floats(predictions, labels)
        losses = b.SquaredDifference(predictions, labels)
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
    dim: int | None = None,
) -> Any:
    """1 - sum(predictions * labels) along `axis`, for vectors of length 1, weighted."""
    axis = renamed("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("You must specify argument `axis`.")
    _needed(labels=labels, predictions=predictions)
    with opened(scope, "cosine_distance_loss", predictions, labels, weights) as (b, inner):
        predictions, labels = _floats(predictions, labels)
        losses = 1 - reduce_sum(b.Mul(predictions, labels), axis=(axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """max(0, 1 - y * logits) with y = -1 or 1 for labels 0 or 1, weighted."""
    _needed(labels=labels, logits=logits)
    with opened(scope, "hinge_loss", logits, labels, weights) as (b, inner):
        logits, labels = _floats(logits, labels)
        one = ones_like(labels)
        signs = b.Sub(2 * labels, one)
        losses = b.Relu(b.Sub(one, b.Mul(signs, logits)))
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """Half the squared error up to an error of `delta`, and a line from there, weighted."""
    _needed(labels=labels, predictions=predictions)
    with opened(scope, "huber_loss", predictions, labels, weights) as (b, inner):
        predictions, labels = _floats(predictions, labels)
        error = abs_(b.Sub(predictions, labels))
        quadratic = b.Minimum(error, delta)
        linear = b.Sub(error, quadratic)
        half = b.convert(0.5, quadratic.dtype.base)
        first = b.Mul(half, b.Mul(quadratic, quadratic))
        losses = add(first, b.Mul(delta, linear))
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """-labels * log(predictions) - (1 - labels) * log(1 - predictions), weighted."""
    _needed(labels=labels, predictions=predictions)
    with opened(scope, "log_loss", predictions, labels, weights) as (b, inner):
        predictions, labels = _floats(predictions, labels)
        hit = -b.Mul(labels, b.Log(predictions + epsilon))
        rest = 1 - labels
        miss = b.Mul(rest, b.Log(1 - predictions + epsilon))
        return compute_weighted_loss(hit - miss, weights, inner, loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES
) -> Any:
    """The squared error of the differences between all pairs of elements of an item of the batch, weighted."""
    _needed(labels=labels, predictions=predictions)
    with opened(scope, "mean_pairwise_squared_error", predictions, labels, weights) as (b, _):
        weights = cast(weights, dtypes.float32)
        labels = cast(labels, dtypes.float32)
        with b.graph.control_dependencies((assert_broadcastable(weights, labels),)):
            predictions = cast(predictions, dtypes.float32)
            predictions.shape.assert_is_compatible_with(labels.shape)
            errors = b.Sub(predictions, labels)
            axes = range_(1, rank(errors))
            squares = reduce_sum(b.Square(errors), axis=axes, keepdims=True)
            count = _present(errors, weights, per_batch=True)
            first = 2.0 * div_no_nan(squares, b.Maximum(count - 1, 0), name="value")
            total = reduce_sum(errors, axis=axes, keepdims=True)
            squared = b.Square(total)
            pairs = b.Maximum(b.Mul(count, count - 1), 0)
            second = 2.0 * div_no_nan(squared, pairs, name="value")
            loss = reduce_sum(b.Mul(first - second, weights))
            some = reduce_sum(count) > 0
            mean = b.Select(some, loss, zeros_like(loss), name="value")
            add_loss(mean, loss_collection)
            return mean


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """`tf.nn.sigmoid_cross_entropy_with_logits`, weighted; labels are moved towards 1/2 by `label_smoothing`."""
    _needed(multi_class_labels=multi_class_labels, logits=logits)
    with opened(scope, "sigmoid_cross_entropy_loss", logits, multi_class_labels, weights) as (b, inner):
        logits = b.convert(logits)
        labels = cast(multi_class_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels, logits, name="xentropy")
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """`tf.nn.softmax_cross_entropy_with_logits`, weighted; labels are moved towards 1/classes by `label_smoothing`."""
    _needed(onehot_labels=onehot_labels, logits=logits)
    with opened(scope, "softmax_cross_entropy_loss", logits, onehot_labels, weights) as (b, inner):
        logits = b.convert(logits)
        labels = cast(onehot_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            classes = cast(shape(labels)[-1], logits.dtype)
            rest = label_smoothing / classes
            labels = labels * (1.0 - label_smoothing) + rest
        labels = stop_gradient(labels, name="labels_stop_gradient")
        losses = softmax_cross_entropy_with_logits_v2(labels, logits, name="xentropy")
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Any:
    """`tf.nn.sparse_softmax_cross_entropy_with_logits`, weighted; a last dimension of size 1 is left away."""
    _needed(labels=labels, logits=logits)
    with opened(scope, "sparse_softmax_cross_entropy_loss", logits, labels, weights) as (_, inner):
        labels, logits, weights = _squeezed(labels, logits, weights)
        losses = sparse_softmax_cross_entropy_with_logits(labels, logits, name="xentropy")
        return compute_weighted_loss(losses, weights, inner, loss_collection, reduction)


def _squeezed(labels: Any, logits: Any, weights: Any) -> tuple[Any, Any, Any]:
    labels, logits = remove_squeezable_dimensions(labels, logits, expected_rank_diff=1)
    if weights is None:
        return labels, logits, weights
    b = _context.builder()
    weights = b.convert(weights)
    ranks = weights.shape.rank, labels.shape.rank
    if ranks[0] is not None and ranks[1] is not None:
        return labels, logits, squeeze(weights, [-1]) if ranks[0] - ranks[1] == 1 else weights
    difference = rank(weights) - rank(labels)
    sizes = weights.shape.sizes
    if sizes is None or (sizes and sizes[-1] in (None, 1)):
        from regraft.v1._control_flow import cond

        wide = weights
        weights = cond(b.Equal(1, difference), lambda: squeeze(wide, [-1]), lambda: wide)
    return labels, logits, weights
