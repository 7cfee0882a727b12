"""Inverses, determinants, Cholesky factors and systems of linear equations, for batches of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, lax, namespace, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.matrices import (
    adjoint_of,
    batch_shape,
    check_square,
    node_adjoint,
    node_diag_part,
    node_eye,
    node_set_diag,
    node_transpose,
    node_triangular_solve,
    square,
    square_shape,
)
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, broadcast_shapes, merge, merge_dim, same_as


@op("MatrixInverse", "BatchMatrixInverse", shape=square_shape)
@quiet
def matrix_inverse(input: Any, *, adjoint: bool) -> Any:
    """The inverse of each matrix, or of its adjoint.

    raises   InvalidArgumentError for a matrix without an inverse
    differs  compiled, such a matrix gives inf and nan
    """
    check_square(input)
    matrix = adjoint_of(input) if adjoint else input
    if not on_host(matrix):
        return jnp.linalg.inv(matrix)
    try:
        return np.linalg.inv(matrix).astype(matrix.dtype, copy=False)
    except np.linalg.LinAlgError as e:
        raise InvalidArgumentError("Input is not invertible.") from e


@matrix_inverse.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    inverse, flipped = node.outputs[0], node.get_attr("adjoint")
    inner = b.matmul(dy, inverse, adjoint_a=flipped, adjoint_b=not flipped)
    return [-b.matmul(inverse, inner, adjoint_a=not flipped)]


@op("MatrixDeterminant", "BatchMatrixDeterminant", shape=batch_shape)
@quiet
def matrix_determinant(input: Any) -> Any:
    """The determinant of each matrix."""
    check_square(input)
    return namespace(input).linalg.det(input).astype(input.dtype)


@matrix_determinant.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    y = node.outputs[0]
    inverse = b.MatrixInverse(node.inputs[0], adjoint=True)
    scale = b.reshape(dy * y, b.concat([b.shape(y), [1, 1]], 0))
    return [scale * inverse]


@op("LogMatrixDeterminant", shape=batch_shape)
@quiet
def log_matrix_determinant(input: Any) -> Any:
    """The sign of each matrix's determinant, and the logarithm of its size."""
    check_square(input)
    sign, size = namespace(input).linalg.slogdet(input)
    return sign.astype(input.dtype), size.astype(input.dtype)


@log_matrix_determinant.gradient
def _(b: Any, node: Any, _sign: Any, dy: Any) -> Any:
    y = node.outputs[1]
    inverse = b.MatrixInverse(node.inputs[0], adjoint=True)
    return [b.reshape(dy, b.concat([b.shape(y), [1, 1]], 0)) * inverse]


@op("Cholesky", "BatchCholesky", shape=square_shape)
@quiet
def cholesky(input: Any) -> Any:
    """The lower triangular L with input = L L^H; reads the lower triangle alone. nan where there is none."""
    check_square(input)
    if not on_host(input):
        return jnp.tril(lax.linalg.cholesky(input, symmetrize_input=False))
    try:
        return np.linalg.cholesky(input).astype(input.dtype, copy=False)
    except np.linalg.LinAlgError:
        out = [_cholesky_or_nan(m) for m in input.reshape(-1, *input.shape[-2:])]
        return np.stack(out).reshape(input.shape)


def _cholesky_or_nan(matrix: Any) -> Any:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return np.tril(np.full_like(matrix, np.nan))


@cholesky.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    factor = node.outputs[0]
    rows = b.shape(factor)[-1]
    batch = b.shape(factor)[:-2]
    inverse = node_triangular_solve(b, factor, node_eye(b, rows, batch, factor.dtype.base))
    middle = b.matmul(factor, dy, adjoint_a=True)
    middle = node_set_diag(b, middle, 0.5 * node_diag_part(b, middle))
    middle = b.MatrixBandPart(middle, -1, 0)
    ga = b.matmul(b.matmul(inverse, middle, adjoint_a=True), inverse)
    ga = ga + node_adjoint(b, ga)
    return [ga * 0.5]


@op("CholeskyGrad", shape=square_shape)
@quiet
def cholesky_grad(l: Any, grad: Any) -> Any:  # noqa: E741  # the input's name
    """The gradient of Cholesky's input from its result and the gradient of that, made symmetric."""
    xp = namespace(l, grad)
    lower = xp.tril(l)
    size = l.shape[-1]
    half = np.tril(np.ones((size, size), l.dtype)) - np.eye(size, dtype=l.dtype) * np.asarray(0.5, l.dtype)
    middle = xp.matmul(adjoint_of(lower), xp.tril(grad)) * half
    inverse = xp.linalg.inv(lower)
    out = xp.matmul(xp.matmul(adjoint_of(inverse), middle), inverse)
    return ((out + adjoint_of(out)) * np.asarray(0.5, l.dtype)).astype(l.dtype)


# Systems of equations


def _solve_shape(c: ShapeContext) -> list[Sizes]:
    batch, n = square(c, 0)
    rhs = at_least_rank(c, c.input(1), 2)
    if batch is None or rhs is None:
        return [None]
    return [(*(merge(c, batch, rhs[:-2]) or ()), merge_dim(c, n, rhs[-2]), rhs[-1])]


def _check_rows(matrix: Any, rhs: Any) -> None:
    a, b = static_shape(matrix), static_shape(rhs)
    if len(b) < 2 or a[-2] != b[-2]:
        raise InvalidArgumentError(
            f"Input matrix and rhs must have the same number of rows, got shapes {list(a)} and {list(b)}"
        )


@op("MatrixSolve", "BatchMatrixSolve", shape=_solve_shape)
@quiet
def matrix_solve(matrix: Any, rhs: Any, *, adjoint: bool) -> Any:
    """x with matrix x = rhs, or with its adjoint.

    matrix   [..., m, m]
    rhs      [..., m, k]
    raises   InvalidArgumentError for a matrix without an inverse
    differs  compiled, such a matrix gives inf and nan
    """
    check_square(matrix)
    _check_rows(matrix, rhs)
    matrix = adjoint_of(matrix) if adjoint else matrix
    if not on_host(matrix, rhs):
        return jnp.linalg.solve(matrix, rhs)
    try:
        return np.linalg.solve(matrix, rhs).astype(rhs.dtype, copy=False)
    except np.linalg.LinAlgError as e:
        raise InvalidArgumentError("Input matrix is not invertible.") from e


@matrix_solve.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    flipped, y = node.get_attr("adjoint"), node.outputs[0]
    gb = b.MatrixSolve(node.inputs[0], dy, adjoint=not flipped)
    left, right = (y, gb) if flipped else (gb, y)
    return -b.matmul(left, right, adjoint_b=True), gb


def _triangular_shape(c: ShapeContext) -> list[Sizes]:
    batch, n = square(c, 0)
    rhs = at_least_rank(c, c.input(1), 2)
    if batch is None or rhs is None:
        return [None]
    return [(*(broadcast_shapes(c, batch, rhs[:-2]) or ()), merge_dim(c, n, rhs[-2]), rhs[-1])]


@op("MatrixTriangularSolve", "BatchMatrixTriangularSolve", shape=_triangular_shape)
@quiet
def matrix_triangular_solve(matrix: Any, rhs: Any, *, lower: bool, adjoint: bool) -> Any:
    """x with matrix x = rhs, of a lower or upper triangular matrix or its adjoint; batch axes broadcast.

    Reads the one triangle alone; a 0 on the diagonal gives inf and nan.
    """
    check_square(matrix)
    _check_rows(matrix, rhs)
    xp = namespace(matrix, rhs)
    batch = np.broadcast_shapes(static_shape(matrix)[:-2], static_shape(rhs)[:-2])
    matrix = xp.broadcast_to(matrix, (*batch, *static_shape(matrix)[-2:]))
    rhs = xp.broadcast_to(rhs, (*batch, *static_shape(rhs)[-2:]))
    if not on_host(matrix, rhs):
        return lax.linalg.triangular_solve(
            matrix, rhs, left_side=True, lower=lower, transpose_a=adjoint, conjugate_a=adjoint
        )
    matrix = np.tril(matrix) if lower else np.triu(matrix)
    matrix, forwards = (adjoint_of(matrix), not lower) if adjoint else (matrix, lower)
    out = np.zeros_like(rhs)
    for i in range(matrix.shape[-1]) if forwards else reversed(range(matrix.shape[-1])):
        known = np.matmul(matrix[..., i : i + 1, :], out)[..., 0, :]
        out[..., i, :] = (rhs[..., i, :] - known) / matrix[..., i, i, None]
    return out


@matrix_triangular_solve.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    a, rhs = node.inputs
    flipped, lower, y = node.get_attr("adjoint"), node.get_attr("lower"), node.outputs[0]
    gb = node_triangular_solve(b, a, dy, lower=lower, adjoint=not flipped)
    left, right = (y, gb) if flipped else (gb, y)
    ga = -b.matmul(left, right, adjoint_b=True)
    ga = b.MatrixBandPart(ga, -1, 0) if lower else b.MatrixBandPart(ga, 0, -1)
    if a.shape.known and rhs.shape.known and a.shape[:-2].sizes == rhs.shape[:-2].sizes:
        return ga, gb
    shape_a, shape_b = b.shape(a), b.shape(rhs)
    axes_a, axes_b = b.BroadcastGradientArgs(shape_a[:-2], shape_b[:-2])
    ga = b.reshape(b.reduce_sum(ga, axes_a), shape_a)
    return ga, b.reshape(b.reduce_sum(gb, axes_b), shape_b)


def _least_squares_shape(c: ShapeContext) -> list[Sizes]:
    a, rhs = at_least_rank(c, c.input(0), 2), at_least_rank(c, c.input(1), 2)
    if a is None or rhs is None:
        return [None]
    merge_dim(c, a[-2], rhs[-2])
    return [(*(merge(c, a[:-2], rhs[:-2]) or ()), a[-1], rhs[-1])]


@op("MatrixSolveLs", shape=_least_squares_shape)
@quiet
def matrix_solve_ls(matrix: Any, rhs: Any, l2_regularizer: Any, *, fast: bool) -> Any:
    """x that makes |matrix x - rhs|^2 + l2_regularizer |x|^2 least.

    matrix          [..., m, n]
    rhs             [..., m, k]
    l2_regularizer  scalar; only for `fast`, which solves the normal equations
    """
    _check_rows(matrix, rhs)
    xp = namespace(matrix, rhs)
    if not fast:
        return xp.matmul(xp.linalg.pinv(matrix), rhs).astype(rhs.dtype)
    rows, columns = static_shape(matrix)[-2:]
    turned = adjoint_of(matrix)
    tall = rows >= columns
    gram = xp.matmul(turned, matrix) if tall else xp.matmul(matrix, turned)
    ridge = l2_regularizer.astype(matrix.dtype) * np.eye(min(rows, columns), dtype=matrix.dtype)
    if tall:
        return xp.linalg.solve(gram + ridge, xp.matmul(turned, rhs)).astype(rhs.dtype)
    return xp.matmul(turned, xp.linalg.solve(gram + ridge, rhs)).astype(rhs.dtype)


@matrix_solve_ls.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    if not node.get_attr("fast"):
        raise ValueError("Gradient not defined for fast=False")
    a, rhs = node.inputs[:2]
    rows, columns = a.shape[-2:].sizes or (None, None)
    if rows is None or columns is None:
        raise NotImplementedError(
            f"the gradient of {node.name!r} (MatrixSolveLs) needs a matrix of known shape, got {a.shape}"
        )
    tall = rows >= columns
    factor = _gramian_cholesky(b, a, b.cast(node.inputs[2], a.dtype.base), tall)
    if tall:
        z = _cholesky_solve(b, factor, dy)
        xz = b.matmul(node.outputs[0], z, adjoint_b=True)
        symmetric = xz + node_transpose(b, xz)
        ga = -b.matmul(a, symmetric) + b.matmul(rhs, z, adjoint_b=True)
        return ga, b.matmul(a, z), None
    gb = _cholesky_solve(b, factor, b.matmul(a, dy))
    solved = _cholesky_solve(b, factor, rhs)
    first = b.matmul(solved, a, adjoint_a=True)
    first = -b.matmul(gb, first)
    second = dy - b.matmul(a, gb, adjoint_a=True)
    second = b.matmul(solved, second, adjoint_b=True)
    return first + second, gb, None


def _gramian_cholesky(b: Any, matrix: Any, ridge: Any, first_kind: bool) -> Any:
    gram = b.matmul(matrix, matrix, adjoint_a=first_kind, adjoint_b=not first_kind)
    shape = b.shape(matrix)
    batch = shape[:-2]
    eye = node_eye(b, shape[-1 if first_kind else -2], batch, matrix.dtype.base)
    return b.Cholesky(gram + ridge * eye)


def _cholesky_solve(b: Any, factor: Any, rhs: Any) -> Any:
    with b.graph.name_scope("cholesky_solve"):
        half = b.MatrixTriangularSolve(factor, rhs, adjoint=False, lower=True)
        return b.MatrixTriangularSolve(factor, half, adjoint=True, lower=True)


# Bands


@op("TridiagonalMatMul", shape=same_as(3))
def tridiagonal_matmul(superdiag: Any, maindiag: Any, subdiag: Any, rhs: Any) -> Any:
    """The product of a matrix of three diagonals, each [..., 1, m], with rhs [..., m, n]."""
    xp = namespace(superdiag, maindiag, subdiag, rhs)
    up, main, down = (xp.swapaxes(d, -1, -2) for d in (superdiag, maindiag, subdiag))
    zero = xp.zeros_like(rhs[..., :1, :])
    below = xp.concatenate([rhs[..., 1:, :], zero], axis=-2)
    above = xp.concatenate([zero, rhs[..., :-1, :]], axis=-2)
    return up * below + main * rhs + down * above


def _tridiagonal_shape(c: ShapeContext) -> list[Sizes]:
    diagonals, rhs = at_least_rank(c, c.input(0), 2), at_least_rank(c, c.input(1), 2)
    if diagonals is None or rhs is None:
        return [None]
    merge_dim(c, diagonals[-2], 3)
    return [(*(merge(c, diagonals[:-2], rhs[:-2]) or ()), merge_dim(c, diagonals[-1], rhs[-2]), rhs[-1])]


@op("TridiagonalSolve", shape=_tridiagonal_shape)
@quiet
def tridiagonal_solve(diagonals: Any, rhs: Any) -> Any:
    """x with A x = rhs, of A's diagonals [..., 3, m]: upper (its last unused), main, and lower (its first unused)."""
    xp = namespace(diagonals, rhs)
    size = static_shape(diagonals)[-1]
    up, main, down = (diagonals[..., i, :] for i in range(3))
    eye = np.eye(size, dtype=diagonals.dtype)
    above, below = np.eye(size, k=1, dtype=diagonals.dtype), np.eye(size, k=-1, dtype=diagonals.dtype)
    matrix = up[..., :, None] * above + main[..., :, None] * eye + down[..., :, None] * below
    try:
        return xp.linalg.solve(matrix, rhs).astype(rhs.dtype)
    except np.linalg.LinAlgError as e:
        raise InvalidArgumentError("The first element of diagonal is zero, or the matrix is not invertible.") from e


@op("BandedTriangularSolve", shape=lambda c: [_banded_shape(c)])
@quiet
def banded_triangular_solve(matrix: Any, rhs: Any, *, lower: bool, adjoint: bool) -> Any:
    """MatrixTriangularSolve of a matrix given by its bands [..., k, m], the main one first if `lower`, else last."""
    xp = namespace(matrix, rhs)
    bands, size = static_shape(matrix)[-2:]
    full = 0
    for i in range(bands):
        offset = -i if lower else bands - 1 - i
        band = matrix[..., i, :]
        # A lower band is aligned to the right, an upper one to the left: its unused elements fall off the matrix.
        where = np.eye(size, k=offset, dtype=matrix.dtype)
        full = full + band[..., :, None] * where
    return matrix_triangular_solve(xp.asarray(full), rhs, lower=lower, adjoint=adjoint)


def _banded_shape(c: ShapeContext) -> Sizes:
    bands, rhs = at_least_rank(c, c.input(0), 2), at_least_rank(c, c.input(1), 2)
    if bands is None or rhs is None:
        return None
    return (*(broadcast_shapes(c, bands[:-2], rhs[:-2]) or ()), merge_dim(c, bands[-1], rhs[-2]), rhs[-1])
