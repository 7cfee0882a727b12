"""Softmax, the cross entropies behind it, and the L2 loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import lax, on_host, static_shape
from regraft.opkit.elementwise import broadcast, quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import (
    ShapeContext,
    Sizes,
    at_least_rank,
    broadcast_shapes,
    merge_dim,
    scalar,
    with_rank,
)


def _rows_shape(c: ShapeContext) -> list[Sizes]:
    return [at_least_rank(c, c.input(0), 1)]


def _last(x: Any, name: str) -> Any:
    """A reduction ("max" or "sum") over the last axis, which stays as 1."""
    if on_host(x):
        return np.max(x, -1, keepdims=True) if name == "max" else np.sum(x, -1, keepdims=True, dtype=x.dtype)
    reduced = (lax.reduce_max if name == "max" else lax.reduce_sum)(x, (x.ndim - 1,))
    return lax.expand_dims(reduced, (x.ndim - 1,))


def _exp(x: Any) -> Any:
    return np.exp(x) if on_host(x) else lax.exp(x)


def _log(x: Any) -> Any:
    return np.log(x) if on_host(x) else lax.log(x)


def _wide(x: Any) -> Any:
    """16-bit floats as float32: sums over classes need the bits."""
    if x.dtype.itemsize > 2:
        return x
    return x.astype(np.float32) if on_host(x) else lax.convert_element_type(x, np.float32)


def _narrow(x: Any, dtype: Any) -> Any:
    if x.dtype == dtype:
        return x
    return x.astype(dtype) if on_host(x) else lax.convert_element_type(x, dtype)


def _shifted(logits: Any) -> Any:
    """The logits less the largest of their row."""
    return logits - _last(logits, "max")


def _no_classes(logits: Any) -> bool:
    return static_shape(logits)[-1] == 0


@op("Softmax", shape=_rows_shape)
@quiet
def softmax(logits: Any) -> Any:
    """exp(x) over its sum along the last axis.

    logits  [..., classes]
    """
    if _no_classes(logits):
        return logits
    powers = _exp(_shifted(_wide(logits)))
    return _narrow(powers / _last(powers, "sum"), logits.dtype)


@softmax.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    y = node.outputs[0]
    total = b.reduce_sum(dy * y, -1, keepdims=True)
    return [(dy - total) * y]


@op("LogSoftmax", shape=_rows_shape)
@quiet
def log_softmax(logits: Any) -> Any:
    """The logarithm of the softmax along the last axis.

    logits  [..., classes]
    """
    if _no_classes(logits):
        return logits
    shifted = _shifted(_wide(logits))
    return _narrow(shifted - _log(_last(_exp(shifted), "sum")), logits.dtype)


@log_softmax.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    y = b.Exp(node.outputs[0])
    return [dy - b.reduce_sum(dy, -1, keepdims=True) * y]


def _second_order(b: Any, logits: Any, grad_grad: Any) -> Any:
    """What flows back through the op's own gradient output: the derivative of the softmax."""
    y = b.Softmax(logits)
    inner = b.matmul(b.expand_dims(grad_grad, 1), b.expand_dims(y, 2))
    return (grad_grad - b.squeeze(inner, axis=1)) * y


def _is_filled_in(tensor: Any) -> bool:
    """Whether these are the zeros that stand for a gradient that does not exist."""
    kind = tensor.op.type
    if kind == "Fill":
        return _is_filled_in(tensor.op.inputs[1])
    return kind == "ZerosLike" or (kind == "Const" and not np.any(tensor.op.attrs["value"].array))


def _logits_gradient(b: Any, node: Any, grad_loss: Any, grad_grad: Any) -> Any:
    grad = b.expand_dims(grad_loss, -1) * node.outputs[1]
    if not _is_filled_in(grad_grad):
        grad = grad + _second_order(b, node.inputs[0], grad_grad)
    return grad


def _dense_shape(c: ShapeContext) -> list[Sizes]:
    a, b = c.input(0), c.input(1)
    both = with_rank(c, broadcast_shapes(c, a, b), 2)
    return [(both[0],), both]


@op("SoftmaxCrossEntropyWithLogits", shape=_dense_shape)
@quiet
def softmax_cross_entropy_with_logits(features: Any, labels: Any) -> Any:
    """The cross entropy of softmax(features) against distributions, and its gradient towards the features.

    features, labels  [batch, classes]; a 1 in either broadcasts
    returns           [batch], [batch, classes]
    """
    x, labels = broadcast(features, labels)
    if len(static_shape(x)) != 2:
        raise InvalidArgumentError(f"logits and labels must be 2-dimensional, got {list(static_shape(x))}")
    if _no_classes(x):
        return _rows_sum(x), x
    dtype, labels = x.dtype, _wide(labels)
    shifted = _shifted(_wide(x))
    powers = _exp(shifted)
    total = _last(powers, "sum")
    loss = _rows_sum(labels * (_log(total) - shifted))
    return _narrow(loss, dtype), _narrow(powers / total - labels, dtype)


def _rows_sum(x: Any) -> Any:
    return np.sum(x, -1, dtype=x.dtype) if on_host(x) else lax.reduce_sum(x, (x.ndim - 1,))


@softmax_cross_entropy_with_logits.gradient
def _(b: Any, node: Any, grad_loss: Any, grad_grad: Any) -> Any:
    grad = _logits_gradient(b, node, grad_loss, grad_grad)
    negative = -b.LogSoftmax(node.inputs[0])
    return [grad, b.expand_dims(grad_loss, -1) * negative]


def _sparse_shape(c: ShapeContext) -> list[Sizes]:
    x, labels = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 1)
    batch = merge_dim(c, x[0], labels[0])
    return [(batch,), (batch, x[1])]


@op("SparseSoftmaxCrossEntropyWithLogits", shape=_sparse_shape)
@quiet
def sparse_softmax_cross_entropy_with_logits(features: Any, labels: Any) -> Any:
    """The cross entropy of softmax(features) against class numbers, and its gradient towards the features.

    features  [batch, classes]
    labels    [batch] integers in [0, classes)
    returns   [batch], [batch, classes]
    raises    InvalidArgumentError for a label out of range
    differs   a compiled program gives nan for the loss and gradient of such a row, as TensorFlow does on GPUs
    """
    sizes = static_shape(features)
    if len(sizes) != 2 or static_shape(labels) != sizes[:1]:
        raise InvalidArgumentError(
            f"logits must be 2-D and labels 1-D with as many rows, got logits shape {list(sizes)} "
            f"and labels shape {list(static_shape(labels))}"
        )
    if sizes[1] == 0:
        raise InvalidArgumentError(f"Must have at least one class, but got logits shape {list(sizes)}")
    host, dtype = on_host(features, labels), features.dtype
    if host and np.any(wrong := (labels < 0) | (labels >= sizes[1])):
        raise InvalidArgumentError(
            f"Received a label value of {labels[wrong][0]} which is outside the valid range of [0, {sizes[1]})."
        )
    x = _wide(features)
    if host:
        is_label = labels[:, None] == np.arange(sizes[1], dtype=labels.dtype)
        one_hot = is_label.astype(x.dtype)
    else:
        columns = lax.broadcasted_iota(labels.dtype, sizes, 1)
        rows = lax.broadcast_in_dim(labels, sizes, (0,))
        is_label = lax.eq(rows, columns)
        valid = (rows >= labels.dtype.type(0)) & (rows < labels.dtype.type(sizes[1]))
        nan = np.asarray(np.nan, x.dtype)
        one_hot = lax.select(valid, lax.convert_element_type(is_label, x.dtype), lax.full(sizes, nan, x.dtype))
    shifted = _shifted(x)
    powers = _exp(shifted)
    total = _last(powers, "sum")
    # 0 * inf must not be nan: only the label's own term counts.
    terms = _log(total) - shifted
    if host:
        loss = _rows_sum(np.where(is_label, terms, x.dtype.type(0)))
    else:
        kept = lax.select(is_label, terms, lax.full(sizes, 0, x.dtype))
        loss = _rows_sum(lax.select(valid, kept, one_hot))
    return _narrow(loss, dtype), _narrow(powers / total - one_hot, dtype)


@sparse_softmax_cross_entropy_with_logits.gradient
def _(b: Any, node: Any, grad_loss: Any, grad_grad: Any) -> Any:
    return [_logits_gradient(b, node, grad_loss, grad_grad), None]


@op("L2Loss", shape=scalar)
@quiet
def l2_loss(t: Any) -> Any:
    """Half the sum of squares of all elements."""
    x = _wide(t)
    half = x.dtype.type(0.5)
    if on_host(x):
        return np.asarray(_narrow(np.sum(x * x, dtype=x.dtype) * half, t.dtype))
    # As a product: on CPUs a third of the time of a sum of squares.
    axes = tuple(range(x.ndim))
    return _narrow(lax.dot_general(x, x, ((axes, axes), ((), ())), precision=lax.Precision.HIGHEST) * half, t.dtype)


@l2_loss.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return [node.inputs[0] * dy]
