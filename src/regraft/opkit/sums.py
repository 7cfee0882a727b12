"""Sums over axes, as programs of XLA."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.opkit.arrays import lax
from regraft.opkit.platforms import on_cpu

# From so many rows of so many columns on, columns are summed as a product.
_MANY_ROWS = 64
_COLUMNS = 8
# So many rows far from each other are added at first, in one loop over what makes them.
_AT_ONCE = 8
_AT_LEAST = 4
# Rows are summed in so many parts, if their number can be divided so, and then the parts: for precision.
_PARTS = 64


def sum_over(x: Any, axes: Sequence[int]) -> Any:
    """The sum of a traced array over axes, which are left out of the result.

    XLA's CPU compiler goes through memory column by column to sum over leading axes. A product with ones goes row by
    row, in a tenth of the time for the maps of a batch norm, but wants its operand in memory. So slices are added
    first, in one loop that computes what is summed as it goes and leaves an eighth of it.
    """
    kept = x.shape[len(axes) :]
    rows, columns = math.prod(x.shape[: len(axes)]), math.prod(kept)
    leading = sorted(axes) == list(range(len(axes))) and rows >= _MANY_ROWS and columns >= _COLUMNS
    if not (leading and on_cpu() and x.dtype in (np.float32, np.float64)):
        return lax.reduce_sum(x, tuple(axes))
    folds = next((n for n in range(_AT_ONCE, _AT_LEAST - 1, -1) if rows % n == 0), 1)
    rows //= folds
    x = lax.reshape(x, (folds * rows, columns))
    folded = lax.slice_in_dim(x, 0, rows)
    for i in range(1, folds):
        folded = folded + lax.slice_in_dim(x, i * rows, (i + 1) * rows)
    parts = next(n for n in range(_PARTS, 0, -1) if rows % n == 0)
    sums = _column_sums(lax.reshape(folded, (parts, rows // parts, columns)))
    return lax.reshape(_column_sums(lax.reshape(sums, (1, parts, columns))), kept)


def _column_sums(x: Any) -> Any:
    """[n, rows, columns] summed to [n, columns]."""
    ones = lax.full(x.shape[:2], 1, x.dtype)
    return lax.dot_general(ones, x, (((1,), (1,)), ((0,), (0,))), precision=lax.Precision.HIGHEST)
