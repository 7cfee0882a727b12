"""How often values occur: bincount and histograms of fixed width."""

from __future__ import annotations

from typing import Any

from regraft.base.dtypes import float32, float64, int32, int64
from regraft.ir.node import Tensor
from regraft.v1._opening import opened

__all__ = ["bincount", "histogram_fixed_width", "histogram_fixed_width_bins"]


def bincount(arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = int32) -> Tensor:
    """How often 0, 1, 2, ... occur in an integer tensor, or the sum of their weights: a vector.

    weights               of the shape of `arr`; int32, int64, float32 or float64, as is the result
    minlength, maxlength  of the result; values beyond are not counted
    dtype                 of the result without weights
    """
    import regraft.v1 as tf

    with opened("bincount", "bincount") as (b, _):
        arr = b.convert(arr, name="arr")
        if weights is not None:
            weights = b.convert(weights, name="weights")
        if not arr.dtype.is_integer:
            arr = tf.cast(arr, int32)
        filled = tf.size(arr) > 0
        size = tf.cast(filled, arr.dtype) * (tf.reduce_max(arr) + 1)
        if minlength is not None:
            size = b.Maximum(b.convert(minlength, arr.dtype, name="minlength"), size)
        if maxlength is not None:
            size = b.Minimum(b.convert(maxlength, arr.dtype, name="maxlength"), size)
        if weights is None:
            arr = tf.reshape(arr, [-1])
            weights = tf.constant([], dtype)
        else:
            weights = tf.reshape(weights, [-1])
            arr = tf.reshape(arr, [-1])
            if weights.dtype not in (int32, int64, float32, float64):
                raise ValueError(f"weights must be int32, int64, float32 or float64, not {weights.dtype.name}")
            arr.shape.assert_is_compatible_with(weights.shape)
        counts: Tensor = b.DenseBincount(arr, size, weights, binary_output=False)
    return counts


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """How many values lie in each of `nbins` equal parts of a range; those outside count for the first and the last."""
    with opened(name, "histogram_fixed_width", values, value_range, nbins) as (b, scope):
        counts: Tensor = b.HistogramFixedWidth(values, value_range, nbins, dtype=dtype, name=scope)
    return counts


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """The part of the range, of `nbins` equal ones, that each value lies in; of the shape of `values`."""
    import regraft.v1 as tf
    from regraft.v1._graph_control import with_dependencies

    with opened(name, "histogram_fixed_width_bins", values, value_range, nbins) as (b, _):
        values = b.convert(values, name="values")
        shape = tf.shape(values)
        values = tf.reshape(values, [-1])
        value_range = b.convert(value_range, name="value_range")
        nbins = b.convert(nbins, int32, name="nbins")
        check = tf.Assert(tf.greater(nbins, 0), [f"nbins {nbins} must > 0"])
        nbins = with_dependencies([check], nbins)
        count = tf.cast(nbins, values.dtype)
        scaled = tf.truediv(values - value_range[0], value_range[1] - value_range[0], name="scaled_values")
        places = tf.floor(count * scaled, name="indices")
        places = tf.cast(tf.clip_by_value(places, 0, count - 1), dtype)
        bins: Tensor = tf.reshape(places, shape)
    return bins
