"""Losses of tf.contrib.legacy_seq2seq over lists of tensors, and models in buckets of several lengths."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from regraft.v1._array import reshape, shape
from regraft.v1._graph import name_scope
from regraft.v1._math import add_n, cast
from regraft.v1._nn_loss import sparse_softmax_cross_entropy_with_logits
from regraft.v1._reduction import reduce_sum
from regraft.v1._variable_scope import get_variable_scope, variable_scope

__all__ = ["model_with_buckets", "sequence_loss", "sequence_loss_by_example"]


def _called(function: Callable[..., Any], labels: Any, logits: Any) -> Any:
    """A program's loss function, called as the TensorFlow that it was written for did."""
    parameters = inspect.signature(function).parameters
    names = set(parameters)
    if names >= {"labels", "logits"} or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return function(labels=labels, logits=logits)
    if "inputs" in names:  # before 1.0: (inputs, labels)
        return function(logits, labels)
    return function(labels, logits)


def sequence_loss_by_example(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """The weighted cross entropy of each sequence [batch].

    logits, targets, weights  lists over time: [batch, classes], [batch] integers, [batch]
    average_across_timesteps  divide by the sum of the weights
    softmax_loss_function     function of `labels` and `logits` in place of the cross entropy
    raises                    ValueError for lists of several lengths
    """
    if len(targets) != len(logits) or len(weights) != len(logits):
        raise ValueError(
            f"Lengths of logits, weights, and targets must be the same {len(logits)}, {len(weights)}, {len(targets)}."
        )
    with name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        losses = []
        for logit, target, weight in zip(logits, targets, weights, strict=True):
            if softmax_loss_function is None:
                flat = reshape(target, [-1])
                loss = sparse_softmax_cross_entropy_with_logits(labels=flat, logits=logit)
            else:
                loss = _called(softmax_loss_function, target, logit)
            losses.append(loss * weight)
        total = add_n(losses)
        if average_across_timesteps:
            size = add_n(weights)
            size += 1e-12  # where all weights are zero
            total /= size
    return total


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """The sum of `sequence_loss_by_example`, divided by the number of sequences with `average_across_batch`."""
    with name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        cost = reduce_sum(
            sequence_loss_by_example(logits, targets, weights, average_across_timesteps, softmax_loss_function)
        )
        return cost / cast(shape(targets[0])[0], cost.dtype) if average_across_batch else cost


def model_with_buckets(
    encoder_inputs: Any,
    decoder_inputs: Any,
    targets: Any,
    weights: Any,
    buckets: Any,
    seq2seq: Callable[[Any, Any], Any],
    softmax_loss_function: Callable[..., Any] | None = None,
    per_example_loss: bool = False,
    name: str | None = None,
) -> Any:
    """(outputs, losses) by bucket, of one model for pairs of lengths (of the source, of the target).

    seq2seq           function of encoder and decoder inputs: outputs and state
    per_example_loss  a loss for each sequence
    raises            ValueError for lists that are shorter than the last bucket
    """
    wanted = ((encoder_inputs, "encoder_inputs", 0), (targets, "targets", 1), (weights, "weights", 1))
    for values, what, at in wanted:
        if len(values) < buckets[-1][at]:
            raise ValueError(
                f"Length of {what} ({len(values)}) must be at least that of last bucket ({buckets[-1][at]})."
            )
    outputs, losses = [], []
    loss_of = sequence_loss_by_example if per_example_loss else sequence_loss
    with name_scope(name, "model_with_buckets", [*encoder_inputs, *decoder_inputs, *targets, *weights]):
        for i, (source, target) in enumerate(buckets):
            with variable_scope(get_variable_scope(), reuse=True if i > 0 else None):
                found, _ = seq2seq(encoder_inputs[:source], decoder_inputs[:target])
                outputs.append(found)
                losses.append(
                    loss_of(found, targets[:target], weights[:target], softmax_loss_function=softmax_loss_function)
                )
    return outputs, losses
