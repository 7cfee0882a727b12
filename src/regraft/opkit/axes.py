"""Axes: negative ones, and the errors for those out of range."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError


def normalize_axis(axis: Any, rank: int, what: str = "axis") -> int:
    """An axis in [-rank, rank) as one in [0, rank). InvalidArgumentError when it is out of that range."""
    value = int(np.asarray(axis).reshape(-1)[0]) if not isinstance(axis, int) else axis
    if not -rank <= value < rank:
        raise InvalidArgumentError(f"{what} = {value} is not in [{-rank}, {rank})")
    return value % rank


def normalize_axes(axes: Any, rank: int, what: str = "axis") -> list[int]:
    """Several axes, in the order given."""
    return [normalize_axis(int(a), rank, what) for a in np.asarray(axes).reshape(-1)]


def moved_axis(rank: int, source: int, target: int) -> list[int]:
    """The permutation that moves one axis and keeps the order of the others."""
    order = [i for i in range(rank) if i != source]
    order.insert(target, source)
    return order
