"""Whether two measurements computed the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE = 1e-3


@dataclass(frozen=True)
class Result:
    """What a process computed: facts, and the `.npz` with its arrays."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Path | None = None

    def load(self) -> dict[str, Any]:
        """The arrays by name."""
        if self.arrays is None:
            return {}
        with np.load(self.arrays) as file:
            return dict(file)


@dataclass(frozen=True)
class Agreement:
    """How near two results are.

    compared    facts and arrays that were looked at; 0 says nothing about the results
    worst       the largest relative difference of an array, None when there are no arrays
    difference  what is too different, in words; empty when nothing is
    """

    compared: int
    worst: float | None
    difference: str = ""

    def merged(self, other: Agreement) -> Agreement:
        """The worse of both."""
        known = [value for value in (self.worst, other.worst) if value is not None]
        return Agreement(
            max(self.compared, other.compared), max(known, default=None), self.difference or other.difference
        )


def relative(one: Any, other: Any) -> float:
    """The largest difference, relative to the largest magnitude of `other`; infinite where a value is not finite."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("inf")
    if not one.size:
        return 0.0
    return float(np.abs(one - other).max() / max(float(np.abs(other).max()), 1e-12))


def compare(ours: Result, reference: Result) -> Agreement:
    """Compare facts for equality and arrays within TOLERANCE, name by name."""
    for name in {**ours.facts, **reference.facts}:
        got, wanted = ours.facts.get(name), reference.facts.get(name)
        if got != wanted:
            return Agreement(1, None, f"{name}: {got}, not {wanted}")
    mine, theirs = ours.load(), reference.load()
    if mine.keys() != theirs.keys():
        return Agreement(1, None, f"arrays {sorted(mine)}, not {sorted(theirs)}")
    worst = None
    for name, wanted in theirs.items():
        got = mine[name]
        if got.shape != wanted.shape or got.dtype != wanted.dtype:
            return Agreement(1, None, f"{name}: {got.dtype} {got.shape}, not {wanted.dtype} {wanted.shape}")
        apart = relative(got, wanted)
        worst = apart if worst is None else max(worst, apart)
        if apart > TOLERANCE:
            return Agreement(1, worst, f"{name}: {apart:.1e} apart")
    return Agreement(len(theirs) + len(ours.facts), worst)
