"""Losses by element or by row: cross entropies and their kin."""

from __future__ import annotations

import math
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.v1._array import concat, ones_like, rank, reshape, shape, stop_gradient, transpose, zeros_like
from regraft.v1._indexing import slice as slice_
from regraft.v1._math import abs as abs_
from regraft.v1._math import cast
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import range as range_

__all__ = [
    "log_poisson_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


def _both_given(name: str, labels: Any, logits: Any) -> None:
    if labels is None or logits is None:
        raise ValueError(
            f"Both `labels` and `logits` must be provided for {name}. Received: labels={labels} and logits={logits}"
        )


def _same_shape(what: str, first: Any, second: Any) -> None:
    if not first.shape.is_compatible_with(second.shape):
        raise ValueError(f"{what} must have the same shape, received ({second.shape} vs {first.shape}).")


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Any:
    """-labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits)), by element."""
    _both_given("sigmoid_cross_entropy_with_logits", labels, logits)
    with opened(name, "logistic_loss", logits, labels) as (b, scope):
        logits, labels = b.convert(logits, name="logits"), b.convert(labels, name="labels")
        _same_shape("`logits` and `labels`", labels, logits)
        zero = zeros_like(logits, logits.dtype)
        positive = logits >= zero
        relu = b.Select(positive, logits, zero)
        negated = b.Select(positive, -logits, logits)
        rest = relu - logits * labels
        return b.AddV2(rest, b.Log1p(b.Exp(negated)), name=scope)


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Any:
    """`sigmoid_cross_entropy_with_logits` with the positive part times `pos_weight`."""
    labels = renamed("labels", labels, "targets", targets)
    with opened(name, "logistic_loss", logits, labels) as (b, scope):
        logits, labels = b.convert(logits, name="logits"), b.convert(labels, name="labels")
        _same_shape("`logits` and `labels`", labels, logits)
        weight = 1 + (pos_weight - 1) * labels
        first = (1 - labels) * logits
        second = b.Log1p(b.Exp(-abs_(logits))) + b.Relu(-logits)
        return b.AddV2(first, weight * second, name=scope)


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Any:
    """exp(log_input) - log_input * targets, with Stirling's approximation of log(targets!) for the full loss."""
    with opened(name, "log_poisson_loss", log_input, targets) as (b, _):
        log_input, targets = b.convert(log_input, name="log_input"), b.convert(targets, name="targets")
        _same_shape("`log_input` and `targets`", targets, log_input)
        result = b.Exp(log_input) - log_input * targets
        if compute_full_loss:
            half = b.constant(0.5, targets.dtype)
            circle = b.constant(2 * math.pi, targets.dtype)
            stirling = targets * b.Log(targets) - targets
            stirling = stirling + half * b.Log(circle * targets)
            zero, one = zeros_like(targets, targets.dtype), ones_like(targets, targets.dtype)
            small = b.LogicalAnd(targets >= zero, targets <= one)
            result = result + b.Select(small, zero, stirling)
        return result


# Softmax


def softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, dim: Any = -1, name: str | None = None, axis: Any = None
) -> Any:
    """`softmax_cross_entropy_with_logits_v2` with labels through which no gradient flows."""
    if axis is not None:
        if dim != -1:
            raise ValueError("Cannot specify both 'dim' and 'axis'.")
        dim = axis
    _both_given("softmax_cross_entropy_with_logits", labels, logits)
    with opened(name, "softmax_cross_entropy_with_logits_sg", logits, labels) as (_, scope):
        labels = stop_gradient(labels, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels, logits, dim, scope)


def softmax_cross_entropy_with_logits_v2(
    labels: Any = None, logits: Any = None, axis: Any = None, name: str | None = None, dim: Any = None
) -> Any:
    """-sum(labels * log_softmax(logits)) along `axis` (the last)."""
    axis = renamed("axis", axis, "dim", dim)
    axis = -1 if axis is None else axis
    with opened(name, "softmax_cross_entropy_with_logits", logits, labels) as (b, scope):
        logits, labels = b.convert(logits, name="logits"), b.convert(labels, name="labels")
        narrow = logits.dtype.base in (dtypes.half, dtypes.bfloat16)
        precise = cast(logits, dtypes.float32) if narrow else logits
        labels = cast(labels, precise.dtype)
        ranks = rank(precise)
        known = logits.shape.sizes
        if axis != -1:
            precise, labels = _to_the_end(precise, axis, ranks), _to_the_end(labels, axis, ranks)
        whole = shape(precise)
        precise, labels = _flat(precise), _flat(labels)
        cost, _ = b.SoftmaxCrossEntropyWithLogits(precise, labels, name=scope)
        cost = reshape(cost, slice_(whole, [0], [b.Sub(ranks, 1)]))
        if known is not None:
            rest = list(known)
            del rest[axis]
            cost.set_shape(rest)
        return cast(cost, logits.dtype) if narrow else cost


def _to_the_end(tensor: Tensor, axis: Any, ranks: Any) -> Any:
    return transpose(tensor, concat([range_(axis), range_(axis + 1, ranks), [axis]], 0))


def _flat(logits: Tensor) -> Any:
    """All dimensions but the last as one."""
    b = on(logits)
    ranks = rank(logits)
    last = slice_(shape(logits), [b.Sub(ranks, 1)], [1])
    out = reshape(logits, concat([[-1], last], 0))
    known = logits.shape.sizes
    if known is not None and None not in known[:-1]:
        out.set_shape([math.prod(d for d in known[:-1] if d is not None), known[-1]])
    return out


def sparse_softmax_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Any:
    """-log_softmax(logits)[label] by row, for labels that are class numbers.

    labels  [...] int32 or int64
    logits  [..., classes]
    """
    _both_given("sparse_softmax_cross_entropy_with_logits", labels, logits)
    with opened(name, "SparseSoftmaxCrossEntropyWithLogits", labels, logits) as (b, _):
        labels, logits = b.convert(labels), b.convert(logits)
        half = logits.dtype.base is dtypes.half
        precise = cast(logits, dtypes.float32) if half else logits
        known = labels.shape
        labels_shape = shape(labels)
        rows = logits.shape[:-1]
        complete = known.known and rows.known
        _check_sparse_shapes(labels, logits, complete)
        if logits.shape.rank == 2:
            cost, _ = b.SparseSoftmaxCrossEntropyWithLogits(precise, labels, name=name)
            return cast(cost, dtypes.half) if half else cost
        checks = []
        if not complete:
            from regraft.v1._checks import assert_equal

            checks.append(assert_equal(shape(labels), shape(logits)[:-1]))
        with b.graph.control_dependencies(checks):
            classes = shape(logits)[rank(logits) - 1]
            precise = reshape(precise, [-1, classes])
            labels = reshape(labels, [-1])
            cost, _ = b.SparseSoftmaxCrossEntropyWithLogits(precise, labels, name=name)
            cost = reshape(cost, labels_shape)
            cost.set_shape(known)
            return cast(cost, dtypes.half) if half else cost


def _check_sparse_shapes(labels: Tensor, logits: Tensor, complete: bool) -> None:
    ranks = (labels.shape.rank, logits.shape.rank)
    if ranks[1] == 0:
        raise ValueError(f"`logits` cannot be a scalar. Received logits={logits}`")
    if ranks[0] is not None and ranks[1] is not None and ranks[0] != ranks[1] - 1:
        raise ValueError(
            f"`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape={labels.shape} of rank "
            f"{ranks[0]} and logits.shape={logits.shape} of rank {ranks[1]}"
        )
    if complete and labels.shape != logits.shape[:-1]:
        raise ValueError(
            "`labels.shape` must equal `logits.shape` except for the last dimension. "
            f"Received: labels.shape={labels.shape} and logits.shape={logits.shape}"
        )
