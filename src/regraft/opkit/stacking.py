"""Elements behind each other in one array, that a program takes as it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# XLA copies an array unless its memory begins at a multiple of this.
_ALIGNMENT = 64
# Of arrays with fewer bytes a copy takes no longer than what is done here to avoid it.
_LARGE = 16 << 10


def stack(parts: Sequence[Array]) -> Array:
    """Arrays of one dtype on a new first axis, of strings too: `np.stack`, which takes longer over many.

    raises  ValueError where their shapes differ
    """
    first = parts[0]
    if any(part.shape != first.shape for part in parts):
        raise ValueError(f"arrays of different shapes: {sorted({part.shape for part in parts})}")
    out = _room((len(parts), *first.shape), first.dtype)
    if first.shape:
        for i, part in enumerate(parts):
            out[i] = part
    else:
        out[:] = [part[()] for part in parts]
    return out


def _room(shape: tuple[int, ...], dtype: Any) -> Array:
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE or dtype.hasobject:
        return np.empty(shape, dtype)
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    room: Array = memory[start : start + size].view(dtype).reshape(shape)
    return room
