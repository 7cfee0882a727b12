"""tf.math: functions of numbers, element by element or over axes. Those that are one op come from the table."""

from __future__ import annotations

import importlib
from typing import Any

from regraft.v1 import _plain
from regraft.v1._confusion import confusion_matrix as confusion_matrix
from regraft.v1._linalg import lbeta as lbeta
from regraft.v1._math import abs as abs
from regraft.v1._math import accumulate_n as accumulate_n
from regraft.v1._math import acos as acos
from regraft.v1._math import add as add
from regraft.v1._math import add_n as add_n
from regraft.v1._math import angle as angle
from regraft.v1._math import ceil as ceil
from regraft.v1._math import conj as conj
from regraft.v1._math import div_no_nan as divide_no_nan
from regraft.v1._math import divide as divide
from regraft.v1._math import equal as equal
from regraft.v1._math import erfcinv as erfcinv
from regraft.v1._math import erfinv as erfinv
from regraft.v1._math import exp as exp
from regraft.v1._math import floor as floor
from regraft.v1._math import floordiv as floordiv
from regraft.v1._math import imag as imag
from regraft.v1._math import log_sigmoid as log_sigmoid
from regraft.v1._math import logical_xor as logical_xor
from regraft.v1._math import multiply as multiply
from regraft.v1._math import multiply_no_nan as multiply_no_nan
from regraft.v1._math import ndtri as ndtri
from regraft.v1._math import not_equal as not_equal
from regraft.v1._math import polyval as polyval
from regraft.v1._math import pow as pow
from regraft.v1._math import real as real
from regraft.v1._math import reciprocal_no_nan as reciprocal_no_nan
from regraft.v1._math import round as round
from regraft.v1._math import rsqrt as rsqrt
from regraft.v1._math import saturate_cast as saturate_cast
from regraft.v1._math import scalar_mul as scalar_mul
from regraft.v1._math import sigmoid as sigmoid
from regraft.v1._math import sign as sign
from regraft.v1._math import sqrt as sqrt
from regraft.v1._math import subtract as subtract
from regraft.v1._math import truediv as truediv
from regraft.v1._math import xdivy as xdivy
from regraft.v1._math import xlog1py as xlog1py
from regraft.v1._nn_basic import in_top_k as in_top_k
from regraft.v1._nn_basic import l2_normalize as l2_normalize
from regraft.v1._nn_basic import log_softmax as log_softmax
from regraft.v1._nn_basic import softmax as softmax
from regraft.v1._nn_basic import softplus as softplus
from regraft.v1._nn_basic import top_k as top_k
from regraft.v1._nn_basic import zero_fraction as zero_fraction
from regraft.v1._reduction import argmax as argmax
from regraft.v1._reduction import argmin as argmin
from regraft.v1._reduction import count_nonzero as count_nonzero
from regraft.v1._reduction import cumprod as cumprod
from regraft.v1._reduction import cumsum as cumsum
from regraft.v1._reduction import cumulative_logsumexp as cumulative_logsumexp
from regraft.v1._reduction import reduce_all as reduce_all
from regraft.v1._reduction import reduce_any as reduce_any
from regraft.v1._reduction import reduce_euclidean_norm as reduce_euclidean_norm
from regraft.v1._reduction import reduce_logsumexp as reduce_logsumexp
from regraft.v1._reduction import reduce_max as reduce_max
from regraft.v1._reduction import reduce_mean as reduce_mean
from regraft.v1._reduction import reduce_min as reduce_min
from regraft.v1._reduction import reduce_prod as reduce_prod
from regraft.v1._reduction import reduce_std as reduce_std
from regraft.v1._reduction import reduce_sum as reduce_sum
from regraft.v1._reduction import reduce_variance as reduce_variance
from regraft.v1._reduction import unsorted_segment_mean as unsorted_segment_mean
from regraft.v1._reduction import unsorted_segment_sqrt_n as unsorted_segment_sqrt_n

__all__ = [
    "confusion_matrix",
    "abs",
    "accumulate_n",
    "acos",
    "add",
    "add_n",
    "angle",
    "argmax",
    "argmin",
    "ceil",
    "conj",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
    "divide",
    "divide_no_nan",
    "equal",
    "erfcinv",
    "erfinv",
    "exp",
    "floor",
    "floordiv",
    "imag",
    "in_top_k",
    "l2_normalize",
    "lbeta",
    "log_sigmoid",
    "log_softmax",
    "logical_xor",
    "multiply",
    "multiply_no_nan",
    "ndtri",
    "not_equal",
    "polyval",
    "pow",
    "real",
    "reciprocal_no_nan",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "round",
    "rsqrt",
    "saturate_cast",
    "scalar_mul",
    "sigmoid",
    "sign",
    "softmax",
    "softplus",
    "sqrt",
    "subtract",
    "top_k",
    "truediv",
    "unsorted_segment_mean",
    "unsorted_segment_sqrt_n",
    "xdivy",
    "xlog1py",
    "zero_fraction",
]

_NAMES = {
    "bincount": "_histograms",
    "is_non_decreasing": "_numerics",
    "is_strictly_increasing": "_numerics",
}


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"regraft.v1.{_NAMES[name]}"), name)
    return _plain.function(f"math.{name}")
