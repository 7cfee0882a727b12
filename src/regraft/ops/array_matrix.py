"""Diagonals and bands of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.ir.node import Operation
from regraft.opkit import diagonals
from regraft.opkit.arrays import namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.diagonals import Band
from regraft.opkit.registry import op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, at_least_rank, merge, merge_dim

# Arithmetic on arrays.


def _part(x: Any, band: Band, padding: Any, align: bytes) -> Any:
    """The packed band of each matrix: [..., longest] for one diagonal, [..., count, longest] for several."""
    shape = static_shape(x)
    if len(shape) < 2:
        raise InvalidArgumentError(f"input must be at least 2-dim, received shape: {list(shape)}")
    diagonals.check_band(band, *shape[-2:])
    rows, columns, inside = diagonals.packed_positions(band, shape[-2], shape[-1], align)
    found = x[..., rows, columns]
    if not inside.all():
        found = namespace(x, padding).where(inside, found, padding)
    return found.reshape((*shape[:-2], found.shape[-1])) if band.size == 1 else found


def _unpacked(diagonal: Any, band: Band, rows: int, columns: int, align: bytes) -> tuple[Any, Any]:
    """The matrix in which every element of the band stands in its place, and the mask of the band."""
    shape = static_shape(diagonal)
    if band.size == 1:
        diagonal = diagonal.reshape((*shape[:-1], 1, shape[-1]))
    which, place, inside = diagonals.matrix_positions(band, rows, columns, shape[-1], align)
    if shape[-1] == 0:
        return namespace(diagonal).zeros((*diagonal.shape[:-2], rows, columns), diagonal.dtype), inside
    return diagonal[..., which, place], inside


def _matrix(diagonal: Any, k: Any, num_rows: Any, num_cols: Any, padding: Any, align: bytes) -> Any:
    band = diagonals.band_of(k)
    shape = static_shape(diagonal)
    if band.size > 1 and (len(shape) < 2 or shape[-2] != band.size):
        raise InvalidArgumentError(
            f"The number of diagonals provided in the input does not match the lower_diag_index and upper_diag_index "
            f"range: {band.size} diagonals in an input of shape {list(shape)}"
        )
    if not shape:
        raise InvalidArgumentError("diagonal must be at least 1-dim, received shape: []")
    rows, columns = diagonals.matrix_size(band, shape[-1], int(num_rows), int(num_cols))
    full, inside = _unpacked(diagonal, band, rows, columns, align)
    return namespace(diagonal, padding).where(inside, full, padding)


def _with_diagonals(x: Any, diagonal: Any, k: Any, align: bytes) -> Any:
    band = diagonals.band_of(k)
    shape = static_shape(x)
    if len(shape) < 2:
        raise InvalidArgumentError(f"input must be at least 2-dim, received shape: {list(shape)}")
    diagonals.check_band(band, *shape[-2:])
    most = diagonals.longest(band, *shape[-2:])
    wanted = (*shape[:-2], most) if band.size == 1 else (*shape[:-2], band.size, most)
    if static_shape(diagonal) != wanted:
        raise InvalidArgumentError(
            f"diagonal must have shape {list(wanted)} for an input of shape {list(shape)}: "
            f"received diagonal shape: {list(static_shape(diagonal))}"
        )
    full, inside = _unpacked(diagonal, band, shape[-2], shape[-1], align)
    return namespace(x, diagonal).where(inside, full, x)


# Shape rules.


def _static_band(c: ShapeContext, index: int) -> Band | None:
    sizes = c.input(index)
    if sizes is not None and len(sizes) > 1:
        raise c.fail(f"Shape must be at most rank 1 but is rank {len(sizes)}")
    k = c.value(index)
    if k is None:
        return None
    try:
        return diagonals.band_of(k)
    except InvalidArgumentError as e:
        raise c.fail(e.message) from e


def _check_static(c: ShapeContext, band: Band, rows: Dim, columns: Dim) -> None:
    if rows is not None and columns is not None:
        try:
            diagonals.check_band(band, rows, columns)
        except InvalidArgumentError as e:
            raise c.fail(e.message) from e


def _part_shape(c: ShapeContext) -> list[Sizes]:
    x = at_least_rank(c, c.input(0), 2)
    band = _static_band(c, 1)
    if x is None or band is None:
        return [None]
    rows, columns = x[-2:]
    _check_static(c, band, rows, columns)
    most: Dim = None if rows is None or columns is None else diagonals.longest(band, rows, columns)
    return [(*x[:-2], most) if band.size == 1 else (*x[:-2], band.size, most)]


def _matrix_shape(c: ShapeContext) -> list[Sizes]:
    diagonal = at_least_rank(c, c.input(0), 1)
    band = _static_band(c, 1)
    if diagonal is None or band is None:
        return [None]
    if band.size > 1:
        at_least_rank(c, diagonal, 2)
        merge_dim(c, diagonal[-2], band.size, -2)
    batch = diagonal[:-1] if band.size == 1 else diagonal[:-2]
    rows, columns = (-1 if v is None else int(v) for v in (c.value(2), c.value(3)))
    most = diagonal[-1]
    if most is None:
        return [(*batch, None if rows < 0 else rows, None if columns < 0 else columns)]
    try:
        return [(*batch, *diagonals.matrix_size(band, most, rows, columns))]
    except InvalidArgumentError as e:
        raise c.fail(e.message) from e


def _set_shape(c: ShapeContext) -> list[Sizes]:
    x, diagonal = at_least_rank(c, c.input(0), 2), at_least_rank(c, c.input(1), 1)
    band = _static_band(c, 2) if len(c) == 3 else Band(0, 0)
    if x is not None and band is not None:
        _check_static(c, band, *x[-2:])
    if x is None:
        if diagonal is None or band is None:
            return [None]
        return [(*(diagonal[:-1] if band.size == 1 else diagonal[:-2]), None, None)]
    if diagonal is not None and band is not None:
        batch = diagonal[:-1] if band.size == 1 else diagonal[:-2]
        front = merge(c, x[:-2], batch)
        assert front is not None
        return [(*front, *x[-2:])]
    return [x]


# TensorFlow's gradients use the newest version of each op, and its default alignment, for all versions.


def _zero(like: Any) -> Any:
    return False if like.dtype.is_bool else 0


def _diag(b: Builder, diagonal: Any, k: Any = 0, rows: int = -1, columns: int = -1, align: Any = "RIGHT_LEFT") -> Any:
    return b.MatrixDiagV3(diagonal, k, rows, columns, _zero(diagonal), align=align, name="diag")


def _diag_part(b: Builder, x: Any, k: Any = 0, align: Any = "RIGHT_LEFT") -> Any:
    return b.MatrixDiagPartV3(x, k, _zero(x), align=align, name="diag_part")


def _set_diag(b: Builder, x: Any, diagonal: Any, k: Any = 0, align: Any = "RIGHT_LEFT") -> Any:
    return b.MatrixSetDiagV3(x, diagonal, k, align=align, name="set_diag")


def _align(node: Operation) -> Any:
    return node.attrs.get("align", b"RIGHT_LEFT")


# The matrix of a diagonal.


def _square_shape(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 1)
    return [None if sizes is None else (*sizes, sizes[-1])]


@op("MatrixDiag", "BatchMatrixDiag", shape=_square_shape)
def matrix_diag(diagonal: Any) -> Any:
    """Square matrices with these main diagonals, zeros elsewhere."""
    return _matrix(diagonal, 0, -1, -1, diagonal.dtype.type(0), b"LEFT_LEFT")


@matrix_diag.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [_diag_part(b, dy)]


@op("MatrixDiagV2", shape=_matrix_shape, static=("k", "num_rows", "num_cols"))
def matrix_diag_v2(diagonal: Any, k: Any, num_rows: Any, num_cols: Any, padding_value: Any) -> Any:
    """Matrices with these diagonals, and `padding_value` elsewhere. Short diagonals begin on the left."""
    return _matrix(diagonal, k, num_rows, num_cols, padding_value, b"LEFT_LEFT")


@op("MatrixDiagV3", shape=_matrix_shape, static=("k", "num_rows", "num_cols"))
def matrix_diag_v3(diagonal: Any, k: Any, num_rows: Any, num_cols: Any, padding_value: Any, *, align: bytes) -> Any:
    """Matrices with these diagonals, and `padding_value` elsewhere.

    diagonal  [..., n] for one diagonal, [..., count, n] for a band, the uppermost first
    k         the diagonal, or [lowest, uppermost]
    align     on which sides short diagonals above and below the main one are flush: "RIGHT_LEFT", ...
    """
    return _matrix(diagonal, k, num_rows, num_cols, padding_value, align)


@matrix_diag_v2.gradient
@matrix_diag_v3.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [_diag_part(b, dy, node.inputs[1], _align(node)), None, None, None, None]


# The diagonal of a matrix.


def _main_part_shape(c: ShapeContext) -> list[Sizes]:
    x = at_least_rank(c, c.input(0), 2)
    if x is None:
        return [None]
    rows, columns = x[-2:]
    return [(*x[:-2], None if rows is None or columns is None else min(rows, columns))]


@op("MatrixDiagPart", "BatchMatrixDiagPart", shape=_main_part_shape)
def matrix_diag_part(input: Any) -> Any:
    """The main diagonal of each matrix."""
    return _part(input, Band(0, 0), input.dtype.type(0), b"LEFT_LEFT")


@matrix_diag_part.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    x = node.inputs[0]
    sizes = x.shape.sizes
    if sizes is not None and None not in sizes[-2:] and sizes[-2] == sizes[-1]:
        return [_diag(b, dy)]
    return [_set_diag(b, b.zeros_like(x), dy)]


@op("MatrixDiagPartV2", shape=_part_shape, static="k")
def matrix_diag_part_v2(input: Any, k: Any, padding_value: Any) -> Any:
    """The diagonals k of each matrix. Short ones begin on the left, with `padding_value` behind."""
    return _part(input, diagonals.band_of(k), padding_value, b"LEFT_LEFT")


@op("MatrixDiagPartV3", shape=_part_shape, static="k")
def matrix_diag_part_v3(input: Any, k: Any, padding_value: Any, *, align: bytes) -> Any:
    """The diagonals k of each matrix, the uppermost first; see MatrixDiagV3 for the layout."""
    return _part(input, diagonals.band_of(k), padding_value, align)


@matrix_diag_part_v2.gradient
@matrix_diag_part_v3.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    x, k = node.inputs[:2]
    sizes = x.shape.sizes
    if sizes is not None and None not in sizes[-2:]:
        return [_diag(b, dy, k, sizes[-2], sizes[-1], _align(node)), None, None]  # type: ignore[arg-type]  # both known
    return [_set_diag(b, b.zeros_like(x), dy, k, _align(node)), None, None]


# A matrix with another diagonal.


def _set_main_shape(c: ShapeContext) -> list[Sizes]:
    x, diagonal = at_least_rank(c, c.input(0), 2), at_least_rank(c, c.input(1), 1)
    if x is None:
        return [None if diagonal is None else (*diagonal[:-1], None, None)]
    rows, columns = x[-2:]
    if diagonal is None:
        return [x]
    least = None if rows is None or columns is None else min(rows, columns)
    merge_dim(c, diagonal[-1], least, -1)
    front = merge(c, x[:-2], diagonal[:-1])
    assert front is not None
    return [(*front, rows, columns)]


@op("MatrixSetDiag", "BatchMatrixSetDiag", shape=_set_main_shape)
def matrix_set_diag(input: Any, diagonal: Any) -> Any:
    """The matrices with another main diagonal."""
    return _with_diagonals(input, diagonal, 0, b"LEFT_LEFT")


@matrix_set_diag.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    sizes = node.inputs[0].shape.merge_with(dy.shape).sizes
    diagonal = node.inputs[1].shape
    shape: Any = None
    if sizes is not None and None not in sizes[-2:]:
        batch = diagonal[:-1].merge_with(sizes[:-2]) if diagonal.rank is not None else None
        known = sizes[:-2] if batch is None else batch.sizes
        if known is not None and None not in known:
            shape = [*known, min(sizes[-2:])]  # type: ignore[type-var]  # both known
    if shape is None:
        with b.graph.colocate_with(dy):
            dy_shape = b.shape(dy)
            rank: Any = b.rank(dy)
            front = b.Slice(dy_shape, [0], [rank - 2])
            matrix = b.Slice(dy_shape, [rank - 2], [2])
            least = b.reduce_min(matrix)
            shape = b.concat([front, [least]], 0)
    d_input = _set_diag(b, dy, b.zeros(shape, dtype=dy.dtype.base))
    return [d_input, _diag_part(b, dy)]


@op("MatrixSetDiagV2", shape=_set_shape, static="k")
def matrix_set_diag_v2(input: Any, diagonal: Any, k: Any) -> Any:
    """The matrices with other diagonals k. Short ones begin on the left."""
    return _with_diagonals(input, diagonal, k, b"LEFT_LEFT")


@op("MatrixSetDiagV3", shape=_set_shape, static="k")
def matrix_set_diag_v3(input: Any, diagonal: Any, k: Any, *, align: bytes) -> Any:
    """The matrices with other diagonals k; see MatrixDiagV3 for the layout."""
    return _with_diagonals(input, diagonal, k, align)


@matrix_set_diag_v2.gradient
@matrix_set_diag_v3.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    shape = node.inputs[1].shape
    if not shape.known:
        raise UnimplementedError(
            f"the gradient of {node.type} for a diagonal whose shape is not fully known",
            where=(f"node {node.name!r}, diagonal of shape {shape}",),
            hint="set_shape on the diagonal",
        )
    k = node.inputs[2]
    d_input = _set_diag(b, dy, b.zeros(shape, dtype=dy.dtype.base), k, _align(node))
    return [d_input, _diag_part(b, dy, k, _align(node)), None]


# Bands, and diagonals of tensors.


def _band_shape(c: ShapeContext) -> list[Sizes]:
    return [at_least_rank(c, c.input(0), 2)]


@op("MatrixBandPart", "BatchMatrixBandPart", shape=_band_shape)
def matrix_band_part(input: Any, num_lower: Any, num_upper: Any) -> Any:
    """The matrices with zeros outside the band of `num_lower` diagonals below the main one and `num_upper` above.

    A negative number keeps all of that side. InvalidArgumentError for one above the size of the matrix.
    """
    shape = static_shape(input)
    if len(shape) < 2:
        raise InvalidArgumentError(f"input must be at least 2-dim, received shape: {list(shape)}")
    for name, given, size in (("num_lower", num_lower, shape[-2]), ("num_upper", num_upper, shape[-1])):
        if on_host(given) and given > size:
            raise InvalidArgumentError(
                f"{name} must be negative or less or equal to number of {'rows' if given is num_lower else 'columns'} "
                f"({size}) got: {int(given)}"
            )
    xp = namespace(input, num_lower, num_upper)
    i, j = np.indices(shape[-2:])
    below, above = xp.asarray(i - j).astype(num_lower.dtype), xp.asarray(j - i).astype(num_upper.dtype)
    kept = ((num_lower < 0) | (below <= num_lower)) & ((num_upper < 0) | (above <= num_upper))
    return xp.where(kept, input, xp.zeros((), input.dtype))


@matrix_band_part.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.MatrixBandPart(dy, node.inputs[1], node.inputs[2]), None, None]


def _diag_shape(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 1)
    return [None if sizes is None else sizes + sizes]


@op("Diag", shape=_diag_shape)
def diag(diagonal: Any) -> Any:
    """The tensor of twice the rank with out[i, ..., i, ...] = diagonal[i, ...], zeros elsewhere."""
    shape = static_shape(diagonal)
    size = int(np.prod(shape, dtype=np.int64))
    flat = diagonal.reshape((size,))
    on_diagonal = np.eye(size, dtype=bool)
    xp = namespace(diagonal)
    return xp.where(on_diagonal, flat[:, None], xp.zeros((), diagonal.dtype)).reshape((*shape, *shape))


@diag.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.DiagPart(dy)]


def _diag_part_shape(c: ShapeContext) -> list[Sizes]:
    sizes = c.input(0)
    if sizes is None:
        return [None]
    if len(sizes) % 2 or not sizes:
        raise c.fail(f"Input must have even and non-zero rank, input rank is {len(sizes)}")
    middle = len(sizes) // 2
    return [tuple(merge_dim(c, sizes[i], sizes[i + middle], i) for i in range(middle))]


@op("DiagPart", shape=_diag_part_shape)
def diag_part(input: Any) -> Any:
    """The tensor of half the rank with out[i, ...] = input[i, ..., i, ...]."""
    shape = static_shape(input)
    middle = len(shape) // 2
    if len(shape) % 2 or not shape or shape[:middle] != shape[middle:]:
        raise InvalidArgumentError(f"Invalid shape {list(shape)}: both halves must be equal")
    size = int(np.prod(shape[:middle], dtype=np.int64))
    index = np.arange(size)
    return input.reshape((size, size))[index, index].reshape(shape[:middle])


@diag_part.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.Diag(dy)]
