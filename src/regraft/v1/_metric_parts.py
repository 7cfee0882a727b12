"""What metrics are made of: local variables that count, weights that fit, and counts at thresholds."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._array import expand_dims, rank, reshape, shape, squeeze, stack, transpose, zeros
from regraft.v1._broadcast_weights import broadcast_weights, remove_squeezable_dimensions
from regraft.v1._checks import assert_greater_equal, assert_less_equal
from regraft.v1._math import cast
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_sum
from regraft.v1._variables import Variable, assign_add
from regraft.variables import VariableAggregation, VariableSynchronization

__all__: list[str] = []


def metric_variable(sizes: Any, dtype: Any, validate_shape: bool = True, name: str | None = None) -> Any:
    """A local variable of zeros, in the collection METRIC_VARIABLES."""
    make: Any = Variable
    return make(
        lambda: zeros(sizes, dtype),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        validate_shape=validate_shape,
        synchronization=VariableSynchronization.ON_READ,
        aggregation=VariableAggregation.SUM,
        name=name,
    )


def collected(collections: Any, value: Any) -> Any:
    """`value`, which is added to the collections, if there are any."""
    if collections:
        _context.get_default_graph().add_to_collections(collections, value)
    return value


def squeezed(predictions: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
    """(predictions, labels, weights) without a last dimension of size 1 that one of them has too many."""
    b = on(predictions, labels, weights)
    predictions = b.convert(predictions)
    if labels is not None:
        labels, predictions = remove_squeezable_dimensions(labels, predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is None:
        return predictions, labels, None
    weights = b.convert(weights)
    ranks = weights.shape.rank, predictions.shape.rank
    if ranks[0] == 0:
        return predictions, labels, weights
    if ranks[0] is not None and ranks[1] is not None:
        if ranks[0] - ranks[1] == 1:
            weights = squeeze(weights, [-1])
        elif ranks[1] - ranks[0] == 1:
            weights = expand_dims(weights, [-1])
        return predictions, labels, weights
    from regraft.v1._control_flow import cond

    given, count = weights, rank(weights)
    difference = count - rank(predictions)
    sizes = given.shape.sizes

    def expanded() -> Any:
        return cond(b.Equal(difference, -1), lambda: expand_dims(given, [-1]), lambda: given)

    def narrowed() -> Any:
        return given if sizes is not None and sizes[-1] not in (None, 1) else squeeze(given, [-1])

    def adjusted() -> Any:
        return cond(b.Equal(difference, 1), narrowed, expanded)

    return predictions, labels, cond(b.Equal(count, 0), lambda: given, adjusted)


_KINDS = {"tp": "true_positives", "fn": "false_negatives", "tn": "true_negatives", "fp": "false_positives"}


def counts_at_thresholds(
    labels: Any, predictions: Any, thresholds: Any, weights: Any, includes: tuple[str, ...] = ("tp", "fn", "tn", "fp")
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(variables, updates) of the counts named in `includes`, one for each threshold."""
    b = on(labels, predictions)
    message = "predictions must be in [0, 1]"
    low = assert_greater_equal(predictions, cast(0.0, predictions.dtype), message=message)
    high = assert_less_equal(predictions, cast(1.0, predictions.dtype), message=message)
    with b.graph.control_dependencies([low, high]):
        floats, flags = cast(predictions, dtypes.float32), cast(labels, dtypes.bool_)
        predictions, labels, weights = squeezed(floats, flags, weights)
    count = len(thresholds)
    column = reshape(predictions, [-1, 1])
    row = reshape(cast(labels, dtypes.bool_), [1, -1])
    number = column.shape.as_list()[0]
    if number is None:
        number = shape(column)[0]
    tiled = b.Tile(expand_dims(b.constant(thresholds), [1]), stack([1, number]))
    predicted = b.Greater(b.Tile(transpose(column), [count, 1]), tiled)
    not_predicted = b.LogicalNot(predicted) if "fn" in includes or "tn" in includes else None
    labelled = b.Tile(row, [count, 1])
    not_labelled = b.LogicalNot(labelled) if "fp" in includes or "tn" in includes else None
    spread = None
    if weights is not None:
        weights = broadcast_weights(cast(weights, dtypes.float32), predictions)
        spread = b.Tile(reshape(weights, [1, -1]), [count, 1])
        tiled.shape.assert_is_compatible_with(spread.shape)
    pairs = {
        "tp": (labelled, predicted),
        "fn": (labelled, not_predicted),
        "tn": (not_labelled, not_predicted),
        "fp": (not_labelled, predicted),
    }
    values, updates = {}, {}
    for key, name in _KINDS.items():
        if key not in includes:
            continue
        values[key] = metric_variable([count], dtypes.float32, name=name)
        hits = cast(b.LogicalAnd(*pairs[key]), dtypes.float32)
        if spread is not None:
            hits = hits * spread
        updates[key] = assign_add(values[key], reduce_sum(hits, 1))
    return values, updates
