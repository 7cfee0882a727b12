"""tf.contrib.seq2seq.sequence_loss: the cross entropy of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.v1._array import reshape, shape
from regraft.v1._graph import name_scope
from regraft.v1._math import cast, div_no_nan
from regraft.v1._nn_loss import sparse_softmax_cross_entropy_with_logits
from regraft.v1._reduction import count_nonzero, reduce_sum

__all__ = ["sequence_loss"]


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    sum_over_timesteps: bool = False,
    sum_over_batch: bool = False,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """The weighted cross entropy of logits [batch, time, classes] and targets [batch, time].

    weights                    [batch, time]
    average_across_..., sum_over_...  divide by the sum of the weights, or by the number of those that are not zero;
                               without either for a dimension, the result has that dimension
    softmax_loss_function      function of `labels` and `logits` in place of the cross entropy
    raises                     ValueError for other ranks, and for both ways to divide at once
    """
    for tensor, wanted, said in (
        (logits, 3, "Logits must be a [batch_size x sequence_length x logits] tensor"),
        (targets, 2, "Targets must be a [batch_size x sequence_length] tensor"),
        (weights, 2, "Weights must be a [batch_size x sequence_length] tensor"),
    ):
        if len(tensor.shape) != wanted:
            raise ValueError(said)
    for average, total, what in (
        (average_across_timesteps, sum_over_timesteps, "timesteps"),
        (average_across_batch, sum_over_batch, "batch"),
    ):
        if average and total:
            raise ValueError(f"average_across_{what} and sum_over_{what} cannot be set to True at same time.")
    with name_scope(name, "sequence_loss", [logits, targets, weights]):
        rows = reshape(logits, [-1, shape(logits)[2]])
        labels = reshape(targets, [-1])
        loss_of = softmax_loss_function or sparse_softmax_cross_entropy_with_logits
        loss = loss_of(labels=labels, logits=rows)
        loss *= reshape(weights, [-1])
        if average_across_timesteps and average_across_batch:
            loss = reduce_sum(loss)
            return div_no_nan(loss, reduce_sum(weights))
        if sum_over_timesteps and sum_over_batch:
            loss = reduce_sum(loss)
            return div_no_nan(loss, cast(count_nonzero(weights), loss.dtype))
        loss = reshape(loss, shape(logits)[0:2])
        if average_across_timesteps or average_across_batch:
            axis = [0] if average_across_batch else [1]
            loss = reduce_sum(loss, axis=axis)
            loss = div_no_nan(loss, reduce_sum(weights, axis=axis))
        elif sum_over_timesteps or sum_over_batch:
            axis = [0] if sum_over_batch else [1]
            loss = reduce_sum(loss, axis=axis)
            loss = div_no_nan(loss, cast(count_nonzero(weights, axis=axis), loss.dtype))
        return loss
