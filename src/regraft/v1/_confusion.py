"""The confusion matrix."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._array import ones_like, stack
from regraft.v1._broadcast_weights import remove_squeezable_dimensions
from regraft.v1._checks import assert_less, assert_non_negative
from regraft.v1._graph_control import with_dependencies
from regraft.v1._math import cast
from regraft.v1._opening import opened
from regraft.v1._reduction import reduce_max

__all__ = ["confusion_matrix"]


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    weights: Any = None,
) -> Any:
    """[num_classes, num_classes]: how often (or with which weight in all) class j was predicted for label i."""
    with opened(name, "confusion_matrix", predictions, labels, num_classes, weights) as (b, _):
        labels, predictions = remove_squeezable_dimensions(
            b.convert(labels, name="labels"), b.convert(predictions, name="predictions")
        )
        predictions, labels = cast(predictions, dtypes.int64), cast(labels, dtypes.int64)
        labels = with_dependencies([assert_non_negative(labels, message="`labels` contains negative values")], labels)
        predictions = with_dependencies(
            [assert_non_negative(predictions, message="`predictions` contains negative values")], predictions
        )
        if num_classes is None:
            num_classes = b.Maximum(reduce_max(predictions), reduce_max(labels)) + 1
        else:
            limit = cast(num_classes, dtypes.int64)
            labels = with_dependencies([assert_less(labels, limit, message="`labels` out of bound")], labels)
            predictions = with_dependencies(
                [assert_less(predictions, limit, message="`predictions` out of bound")], predictions
            )
        if weights is not None:
            weights = b.convert(weights, name="weights")
            predictions.shape.assert_is_compatible_with(weights.shape)
            weights = cast(weights, dtype)
        sizes = stack([num_classes, num_classes])
        indices = stack([labels, predictions], axis=1)
        values = ones_like(predictions, dtype) if weights is None else weights
        return b.ScatterNd(indices, values, cast(sizes, dtypes.int64))
