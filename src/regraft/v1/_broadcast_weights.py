"""Weights beside values: the check that they fit, and the dimension of size 1 too many."""

from __future__ import annotations

from typing import Any

from regraft.opkit.constant import constant_value
from regraft.v1._array import concat, expand_dims, ones_like, rank, shape, size, squeeze
from regraft.v1._assertion import Assert
from regraft.v1._opening import opened

__all__: list[str] = []


def remove_squeezable_dimensions(
    labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None
) -> tuple[Any, Any]:
    """(labels, predictions), one of them without its last dimension where that has size 1 and is one too many."""
    with opened(name, "remove_squeezable_dimensions", labels, predictions) as (b, _):
        predictions, labels = b.convert(predictions), b.convert(labels)
        sizes, label_sizes = predictions.shape.sizes, labels.shape.sizes
        if sizes is not None and label_sizes is not None:
            difference = len(sizes) - len(label_sizes)
            if difference == expected_rank_diff + 1 and sizes[-1] in (None, 1):
                predictions = squeeze(predictions, [-1])
            elif difference == expected_rank_diff - 1 and label_sizes[-1] in (None, 1):
                labels = squeeze(labels, [-1])
            return labels, predictions
        from regraft.v1._control_flow import cond

        found: Any = rank(predictions) - rank(labels)
        if sizes is None or sizes[-1] in (None, 1):
            wide = predictions
            predictions = cond(b.Equal(expected_rank_diff + 1, found), lambda: squeeze(wide, [-1]), lambda: wide)
        if label_sizes is None or label_sizes[-1] in (None, 1):
            long = labels
            labels = cond(b.Equal(expected_rank_diff - 1, found), lambda: squeeze(long, [-1]), lambda: long)
        return labels, predictions


_ERROR = "weights can not be broadcast to values."


def assert_broadcastable(weights: Any, values: Any) -> Any:
    """An operation that fails unless weights are a scalar, or of the rank of values with each size equal or 1.

    raises  ValueError when that is known now
    """
    with opened(None, "assert_broadcastable", weights, values) as (b, scope):
        with opened(None, "weights", weights) as (b, inner):
            weights = b.convert(weights, name=inner)
            weights_shape, weights_rank = shape(weights, name="shape"), rank(weights, name="rank")
        with opened(None, "values", values) as (b, inner):
            values = b.convert(values, name=inner)
            values_shape, values_rank = shape(values, name="shape"), rank(values, name="rank")
        known = weights.shape.rank, values.shape.rank
        if known[0] is not None and known[1] is not None:
            if known[0] == 0:
                return b.no_op(name="static_scalar_check_success")
            said = f"values.shape={values.shape}. weights.shape={weights.shape}. weights={weights}, values={values}"
            if known[0] != known[1]:
                raise ValueError(f"{_ERROR} values.rank={known[1]}. weights.rank={known[0]}. {said}")
            w_sizes, v_sizes = constant_value(weights_shape), constant_value(values_shape)
            if w_sizes is not None and v_sizes is not None:
                for dim, (w, v) in enumerate(zip(w_sizes, v_sizes, strict=True)):
                    if w not in (1, v):
                        raise ValueError(f"{_ERROR} Mismatch at dim {dim}. {said}")
                return b.no_op(name="static_dims_check_success")
        from regraft.v1._control_flow import cond

        scalar = b.Equal(0, weights_rank, name="is_scalar")
        data = (
            _ERROR,
            "weights.shape=",
            weights.name,
            weights_shape,
            "values.shape=",
            values.name,
            values_shape,
            "is_scalar=",
            scalar,
        )
        valid = cond(
            scalar,
            lambda: scalar,
            lambda: _fits(weights_rank, weights_shape, values_rank, values_shape),
            name="is_valid_shape",
        )
        return Assert(valid, data, name=scope)


def _fits(weights_rank: Any, weights_shape: Any, values_rank: Any, values_shape: Any) -> Any:
    from regraft.v1._control_flow import cond

    with opened(None, "has_valid_nonscalar_shape", weights_shape) as (b, scope):
        same = b.Equal(values_rank, weights_rank, name="is_same_rank")
        return cond(same, lambda: _sizes_fit(weights_shape, values_shape), lambda: same, name=scope)


def _sizes_fit(weights_shape: Any, values_shape: Any) -> Any:
    with opened(None, "has_invalid_dims", weights_shape, values_shape) as (b, scope):
        sizes = expand_dims(values_shape, -1)
        valid = concat((sizes, ones_like(sizes)), 1)
        found = expand_dims(weights_shape, -1)
        _, others, _ = b.DenseToDenseSetOperation(found, valid, set_operation="a-b")
        return b.Equal(0, size(others, name="num_invalid_dims"), name=scope)


def broadcast_weights(weights: Any, values: Any) -> Any:
    """Weights in the shape of values."""
    with opened(None, "broadcast_weights", weights, values) as (b, scope):
        values = b.convert(values, name="values")
        weights = b.convert(weights, values.dtype.base, name="weights")
        known = weights.shape.known and values.shape.known
        if known and weights.shape.is_compatible_with(values.shape):
            return weights
        with b.graph.control_dependencies((assert_broadcastable(weights, values),)):
            return b.Mul(weights, ones_like(values), name=scope)
