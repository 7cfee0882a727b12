"""Diagonals of matrices: where the elements of a band of diagonals stand, packed and in the matrix.

Diagonal k starts k columns right of the corner (below it for a negative k). A band lower..upper is packed with the
upper one first, one diagonal a row; shorter ones are filled up, on the side that `align` names for those above and
for those below the main diagonal.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from regraft.base.errors import InvalidArgumentError


class Band(NamedTuple):
    lower: int
    upper: int

    @property
    def size(self) -> int:
        return self.upper - self.lower + 1


def band_of(k: Any) -> Band:
    """The band that the input `k` names: one number, or two. InvalidArgumentError when the second is smaller."""
    values = [int(v) for v in np.reshape(k, -1)]
    if len(values) not in (1, 2):
        raise InvalidArgumentError(f"diag_index must have only one or two elements, received {len(values)} elements.")
    if values[-1] < values[0]:
        raise InvalidArgumentError(
            f"lower_diag_index must not be larger than upper_diag_index: {values[0]} > {values[-1]}"
        )
    return Band(values[0], values[-1])


def check_band(band: Band, rows: int, columns: int) -> None:
    """InvalidArgumentError for a band that is not inside a matrix of this size."""
    for name, k in zip(("lower", "upper"), band, strict=True):
        if k != 0 and not -rows < k < columns:
            raise InvalidArgumentError(
                f"{name}_diag_index is out of bound: {k}. It must be between {-rows} and {columns}"
            )


def longest(band: Band, rows: int, columns: int) -> int:
    """The length of the longest diagonal of the band."""
    return min(rows + min(band.upper, 0), columns - max(band.lower, 0))


def _offset(k: int, length: int, most: int, align: bytes) -> int:
    above, below = align.split(b"_")
    side = above if k >= 0 else below
    return most - length if side == b"RIGHT" else 0


def packed_positions(band: Band, rows: int, columns: int, align: bytes) -> tuple[Any, Any, Any]:
    """(row, column, inside) for each element of the packed band [count, longest]: where in the matrix it stands."""
    most = longest(band, rows, columns)
    where = np.zeros((3, band.size, most), np.int64)
    for m, k in enumerate(range(band.upper, band.lower - 1, -1)):
        length = min(rows + min(k, 0), columns - max(k, 0))
        start = _offset(k, length, most, align)
        y = np.arange(length)
        where[0, m, start : start + length] = y + max(-k, 0)
        where[1, m, start : start + length] = y + max(k, 0)
        where[2, m, start : start + length] = 1
    return where[0], where[1], where[2].astype(bool)


def matrix_positions(band: Band, rows: int, columns: int, most: int, align: bytes) -> tuple[Any, Any, Any]:
    """(diagonal, place, inside) for each element of the matrix: where in the packed band [count, most] it stands."""
    i, j = np.indices((rows, columns))
    k = j - i
    inside = (k >= band.lower) & (k <= band.upper)
    which = np.where(inside, band.upper - k, 0)
    offsets = np.zeros(band.size, np.int64)
    for m, d in enumerate(range(band.upper, band.lower - 1, -1)):
        offsets[m] = _offset(d, min(rows + min(d, 0), columns - max(d, 0)), most, align)
    place = np.where(inside, np.minimum(i, j) + offsets[which], 0)
    return which, place, inside


def matrix_size(band: Band, most: int, rows: int, columns: int) -> tuple[int, int]:
    """The size of the matrix for a packed band of length `most`; -1 stands for the least that fits (a square if both).

    raises InvalidArgumentError if the band does not fit, or would fit a smaller matrix
    """
    least_rows, least_columns = most - min(band.upper, 0), most + max(band.lower, 0)
    if rows == -1 and columns == -1:
        rows = columns = max(least_rows, least_columns)
    rows = least_rows if rows == -1 else rows
    columns = least_columns if columns == -1 else columns
    if rows < least_rows or columns < least_columns or (rows != least_rows and columns != least_columns):
        raise InvalidArgumentError(
            f"The number of rows or columns is not consistent with the specified d_lower, d_upper, and diagonal: "
            f"got {rows} x {columns}, the least is {least_rows} x {least_columns}"
        )
    return rows, columns
