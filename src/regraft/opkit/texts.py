"""Functions of single strings, applied to arrays of them. Strings are bytes in object arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def each(function: Callable[[Any], Any], values: Any, dtype: Any = object) -> np.ndarray[Any, Any]:
    """`function` of every element, in an array of the same shape."""
    values = np.asarray(values)
    out = np.empty(values.shape, dtype)
    flat = out.reshape(-1)
    flat[:] = [function(v) for v in values.reshape(-1).tolist()] if values.size else []
    return out


def text(value: Any) -> bytes:
    """The one string in an array."""
    item: Any = np.asarray(value).reshape(-1)[0]
    return bytes(item)


def single(value: Any) -> np.ndarray[Any, Any]:
    """A scalar of one string."""
    out = np.empty((), object)
    out[()] = value
    return out


def vector(values: list[bytes]) -> np.ndarray[Any, Any]:
    """A vector of strings."""
    out = np.empty(len(values), object)
    out[:] = values
    return out
