"""Coordinates of sparse tensors: rows of an int64 matrix [n, rank], compared, ordered and grouped."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError

Array = np.ndarray[Any, Any]


def check_sparse(indices: Any, values: Any, shape: Any) -> None:
    """InvalidArgumentError unless the three parts of a sparse tensor fit together."""
    if indices.ndim != 2:
        raise InvalidArgumentError(f"Input indices should be a matrix but received shape {list(indices.shape)}")
    if values.ndim != 1:
        raise InvalidArgumentError(f"Input values should be a vector but received shape {list(values.shape)}")
    if shape.ndim != 1:
        raise InvalidArgumentError(f"Input shape should be a vector but received shape {list(shape.shape)}")
    if len(indices) != len(values):
        raise InvalidArgumentError(
            f"Number of values must match first dimension of indices. Got {len(values)} values, "
            f"indices shape: {list(indices.shape)}"
        )
    if indices.shape[1] != len(shape):
        raise InvalidArgumentError(
            f"Number of dimensions must match second dimension of indices. Got {len(shape)} dimensions, "
            f"indices shape: {list(indices.shape)}"
        )


def lexical_order(indices: Array) -> Array:
    """The permutation that sorts rows, first column first; equal rows stay in order."""
    if indices.shape[1] == 0:
        return np.arange(len(indices))
    return np.lexsort(indices.T[::-1])


def linear(indices: Array, shape: Any) -> Array:
    """The row-major position of each row in a tensor of this shape."""
    sizes = [int(s) for s in shape]
    strides = np.array([math.prod(sizes[i + 1 :]) for i in range(len(sizes))], np.int64)
    return np.asarray(indices.astype(np.int64) @ strides, np.int64).reshape(len(indices))


def groups(indices: Array) -> tuple[Array, Array]:
    """(the distinct rows in order, for each row which of them it is)."""
    if indices.shape[1] == 0:
        return indices[:1], np.zeros(len(indices), np.int64)
    distinct, which = np.unique(indices, axis=0, return_inverse=True)
    return distinct, which.reshape(-1)


def first_outside(indices: Any, shape: Any) -> int | None:
    """The first row that is no place in a tensor of this shape."""
    outside = ((indices < 0) | (indices >= np.asarray(shape))).any(axis=1) if len(indices) else np.zeros(0, np.bool_)
    return int(np.argmax(outside)) if outside.any() else None
