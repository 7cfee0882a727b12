"""Regularizers of tf.contrib.layers: functions of a variable."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._graph import name_scope
from regraft.v1._math import abs as absolute
from regraft.v1._math import add_n, multiply
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_sum

__all__ = [
    "apply_regularization",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "sum_regularizer",
]


def _checked(scale: Any) -> bool:
    """Whether the scale says anything. ValueError for an integer or a negative number."""
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real) and scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}")
    return not (isinstance(scale, numbers.Real) and scale == 0.0)


def _nothing(_: Any) -> None:
    return


def _scaled(scale: Any, scope: str | None, default: str, measure: Callable[[Any], Any]) -> Callable[..., Any]:
    if not _checked(scale):
        return _nothing

    def regularizer(weights: Any, name: str | None = None) -> Any:
        with name_scope(scope, default, [weights]) as name:
            factor = _context.builder().convert(scale, weights.dtype.base, name="scale")
            return multiply(factor, measure(weights), name=name)

    return regularizer


def l1_regularizer(scale: Any, scope: str | None = None) -> Callable[..., Any]:
    """scale * sum(|w|). ValueError for a scale that is an integer or negative; 0.0 makes one that says nothing."""
    return _scaled(scale, scope, "l1_regularizer", lambda weights: reduce_sum(absolute(weights)))


def l2_regularizer(scale: Any, scope: str | None = None) -> Callable[..., Any]:
    """scale * sum(w ** 2) / 2. The scale as for `l1_regularizer`."""
    return _scaled(scale, scope, "l2_regularizer", lambda weights: on(weights).L2Loss(weights))


def l1_l2_regularizer(scale_l1: Any = 1.0, scale_l2: Any = 1.0, scope: str | None = None) -> Any:
    """The sum of both."""
    _checked(scale_l1)
    _checked(scale_l2)
    scope = scope or "l1_l2_regularizer"
    if scale_l1 == 0.0:
        return l2_regularizer(scale_l2, scope)
    if scale_l2 == 0.0:
        return l1_regularizer(scale_l1, scope)
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope=scope)


def sum_regularizer(regularizer_list: Any, scope: str | None = None) -> Callable[..., Any] | None:
    """The sum of several; None where there are none."""
    regularizers = [r for r in regularizer_list if r is not None]
    if not regularizers:
        return None

    def regularizer(weights: Any) -> Any:
        with name_scope(scope, "sum_regularizer", [weights]) as name:
            found = [loss for loss in (r(weights) for r in regularizers) if loss is not None]
            return add_n(found, name=name) if found else None

    return regularizer


def apply_regularization(regularizer: Callable[..., Any], weights_list: Any = None) -> Any:
    """The sum of `regularizer` over the weights (the collection WEIGHTS), which goes into REGULARIZATION_LOSSES.

    raises  ValueError where there are no weights, and for a regularizer that gives no scalar
    """
    graph = _context.get_default_graph()
    weights = weights_list or graph.get_collection(GraphKeys.WEIGHTS)
    if not weights:
        raise ValueError("No weights to regularize.")
    with name_scope("get_regularization_penalty", values=weights) as scope:
        found = [regularizer(w) for w in weights]
        penalties = [_context.builder().constant(0.0) if p is None else p for p in found]
        for p in penalties:
            if p.shape.rank != 0:
                raise ValueError(
                    f"regularizer must return a scalar Tensor instead of a Tensor with rank {p.shape.rank}."
                )
        total = add_n(penalties, name=scope)
        graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
        return total
