"""Products and other functions of matrices: matmul, tensordot, einsum, norm, eye, decompositions."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.ir.node import Tensor
from regraft.v1._array import (
    concat,
    expand_dims,
    matrix_diag,
    matrix_set_diag,
    matrix_transpose,
    ones,
    rank,
    reshape,
    shape,
    squeeze,
    stack,
    transpose,
    zeros,
)
from regraft.v1._indexing import gather
from regraft.v1._math import abs as abs_
from regraft.v1._math import cast, conj, pow, real
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_max, reduce_prod, reduce_sum

__all__ = [
    "cholesky_solve",
    "eye",
    "lbeta",
    "matmul",
    "matrix_triangular_solve",
    "norm",
    "self_adjoint_eig",
    "self_adjoint_eigvals",
    "svd",
    "tensordot",
]


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Any:
    """The product of matrices, or of stacks of them where either has a rank above 2.

    transpose_a, adjoint_a      exchange the last two dimensions of `a` first (and conjugate)
    a_is_sparse, b_is_sparse    float32 and bfloat16 matrices with many zeros: SparseMatMul
    output_type                 type of the product, where it is not that of the inputs
    """
    with opened(name, "MatMul", a, b) as (build, scope):
        if transpose_a and adjoint_a:
            raise ValueError(
                "Only one of `transpose_a` and `adjoint_a` can be True. "
                f"Received `transpose_a`={transpose_a}, `adjoint_a`={adjoint_a}."
            )
        if transpose_b and adjoint_b:
            raise ValueError(
                "Only one of `transpose_b` and `adjoint_b` can be True. "
                f"Received `transpose_b`={transpose_b}, `adjoint_b`={adjoint_b}."
            )
        a = build.convert(a, name="a")
        b = build.convert(b, name="b", preferred=a.dtype.base)
        wanted = None if output_type is None else as_dtype(output_type)
        stacked = any(t.shape.rank is None or t.shape.rank > 2 for t in (a, b))
        sparse = a_is_sparse or b_is_sparse
        retyped = wanted is not None and (wanted is not a.dtype.base or wanted is not b.dtype.base)
        if stacked and not sparse:
            if transpose_a:
                a, adjoint_a = conj(a), True
            if transpose_b:
                b, adjoint_b = conj(b), True
            flags = {"adj_x": adjoint_a, "adj_y": adjoint_b, "grad_x": grad_a, "grad_y": grad_b}
            if retyped:
                return build.BatchMatMulV3(a, b, Tout=wanted, name=scope, **flags)
            return build.BatchMatMulV2(a, b, name=scope, **flags)
        if adjoint_a:
            a, transpose_a = conj(a), True
        if adjoint_b:
            b, transpose_b = conj(b), True
        kinds = (a.dtype.base, b.dtype.base)
        if (sparse and all(k in (dtypes.bfloat16, dtypes.float32) for k in kinds)) or (
            dtypes.bfloat16 in kinds
            and kinds[0] is not kinds[1]
            and not any(k in (dtypes.int8, dtypes.uint8) for k in kinds)
        ):
            product = build.SparseMatMul(
                a,
                b,
                transpose_a=transpose_a,
                transpose_b=transpose_b,
                a_is_sparse=a_is_sparse,
                b_is_sparse=b_is_sparse,
                name=scope,
            )
            both = kinds == (dtypes.bfloat16, dtypes.bfloat16)
            return cast(product, dtypes.bfloat16) if both else product
        if retyped:
            return build.BatchMatMulV3(
                a, b, adj_x=transpose_a, adj_y=transpose_b, Tout=wanted, grad_x=grad_a, grad_y=grad_b, name=scope
            )
        return build.MatMul(
            a, b, transpose_a=transpose_a, transpose_b=transpose_b, grad_a=grad_a, grad_b=grad_b, name=scope
        )


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The product of a matrix and a vector, or of stacks of them."""
    with opened(name, "MatVec", a, b):
        product = matmul(
            a,
            expand_dims(b, -1),
            transpose_a=transpose_a,
            adjoint_a=adjoint_a,
            a_is_sparse=a_is_sparse,
            b_is_sparse=b_is_sparse,
        )
        return squeeze(product, -1)


# Tensordot


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    """The sum of products over pairs of axes.

    axes  a number n (the last n of `a` with the first n of `b`), or the axes of `a` and those of `b`
    """
    with opened(name, "Tensordot", a, b, axes) as (build, scope):
        a, b = build.convert(a, name="a"), build.convert(b, name="b")
        a_axes, b_axes = _contracted(build, a, axes)
        left, a_free, a_known = _as_matrix(build, a, a_axes)
        right, b_free, b_known = _as_matrix(build, b, b_axes, flipped=True)
        product = matmul(left, right)
        if isinstance(a_free, list) and isinstance(b_free, list):
            if product.shape.known and product.shape.as_list() == a_free + b_free:
                return product
            return reshape(product, a_free + b_free, name=scope)
        sizes = [build.convert(free, dtypes.int32) for free in (a_free, b_free)]
        product = reshape(product, concat(sizes, 0), name=scope)
        if a_known is not None and b_known is not None:
            product.set_shape(a_known + b_known)
        return product


def _contracted(build: Any, a: Tensor, axes: Any) -> tuple[Any, Any]:
    """The axes of `a`, and those of the other tensor, that are summed over."""
    if isinstance(axes, numbers.Integral):
        count = int(axes)
        if count < 0:
            raise ValueError(f"`axes` must be at least 0. Received: {axes}.")
        ndims = a.shape.rank
        if ndims is None:
            ranks = rank(a)
            return range_(ranks - count, ranks, dtype=dtypes.int32), range_(count, dtype=dtypes.int32)
        if count > ndims:
            raise ValueError(
                f"`axes` must not be larger than the number of dimensions of tensor {a}.  "
                f"Received {axes}, vs tensor dimensions {ndims}."
            )
        return list(range(ndims - count, ndims)), list(range(count))
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            raise ValueError(f"`axes` must be an integer or have length 2. Received {axes}.")
        first, second = axes
        if isinstance(first, numbers.Integral) and isinstance(second, numbers.Integral):
            first, second = [first], [second]
        if len(first) != len(second):
            raise ValueError(f"Different number of contraction axes `a` and `b`, {len(first)} != {len(second)}.")
        return first, second
    both: Any = build.convert(axes, dtypes.int32, name="axes")
    return both[0], both[1]


def _as_matrix(build: Any, a: Tensor, axes: Any, flipped: bool = False) -> tuple[Any, Any, Any]:
    """(matrix, sizes of the axes that stay, what is known of them): contracted axes last, or first if `flipped`."""
    listed = isinstance(axes, (list, tuple))
    sizes = a.shape.sizes
    known = None
    if listed and sizes is not None:
        axes = [i if i >= 0 else i + len(sizes) for i in axes]
        free = [i for i in range(len(sizes)) if i not in axes]
        known = [sizes[i] for i in free]
        if a.shape.known:
            lengths = [math.prod(sizes[i] or 0 for i in group) for group in (free, axes)]
            order = list(axes) + free if flipped else free + list(axes)
            wanted = lengths[::-1] if flipped else lengths
            moved = transpose(a, order) if order != list(range(len(sizes))) else a
            return moved if moved.shape.as_list() == wanted else reshape(moved, wanted), known, known
        axes = build.convert(axes, dtypes.int32, name="axes")
        kept = build.convert(free, dtypes.int32, name="free")
        whole = shape(a)
    else:
        whole = shape(a)
        ranks = rank(a)
        axes = build.convert(axes, dtypes.int32, name="axes")
        axes = build.Select(axes >= 0, axes, axes + ranks)
        kept, _ = build.ListDiff(range_(ranks), axes, out_idx=dtypes.int32)
    free_sizes = gather(whole, kept)
    axes_sizes = gather(whole, axes)
    free_count, axes_count = reduce_prod(free_sizes), reduce_prod(axes_sizes)
    if flipped:
        order, wanted = concat([axes, kept], 0), stack([axes_count, free_count])
    else:
        order, wanted = concat([kept, axes], 0), stack([free_count, axes_count])
    return reshape(transpose(a, order), wanted), free_sizes, known


# Other functions


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
    keep_dims: Any = None,
) -> Any:
    """The norm of vectors (`axis` a number or None) or of matrices (`axis` two numbers).

    ord  "euclidean", "fro", 1, inf, or for vectors any positive number
    raises  NotImplementedError for the spectral norm (ord 2) of matrices
    """
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    matrices = isinstance(axis, (tuple, list)) and len(axis) == 2
    wanted = f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}"
    if matrices:
        axis = tuple(axis)
        if not all(isinstance(a, int) for a in axis) or axis[0] == axis[1]:
            raise ValueError(wanted)
        if ord not in ("euclidean", "fro", 1, 2, np.inf):
            raise ValueError(f"'ord' must be a supported matrix norm in euclidean, fro, 1, 2, inf, got {ord}")
        if ord == 2:
            raise NotImplementedError("tf.norm: the spectral norm of matrices (ord=2) is not supported")
    else:
        if not (isinstance(axis, int) or axis is None):
            raise ValueError(wanted)
        if ord not in ("euclidean", 1, 2, np.inf) and (isinstance(ord, str) or not np.isreal(ord) or ord <= 0):
            raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
        axis = None if axis is None else (axis,)
    with opened(name, "norm", tensor) as (b, _):
        x: Any = b.convert(tensor)
        if ord in ("fro", "euclidean", 2):
            result = b.Sqrt(reduce_sum(x * conj(x), axis, True))
        else:
            result = abs_(x)
            first = None if axis is None else axis[0]
            if ord == 1:
                result = reduce_sum(result, first, True)
                if matrices:
                    result = reduce_max(result, axis[-1], True)
            elif ord == np.inf:
                if matrices:
                    result = reduce_sum(result, axis[1], True)
                result = reduce_max(result, first, True)
            else:
                result = pow(reduce_sum(pow(result, ord), axis, True), 1.0 / ord)
        return result if keepdims else squeeze(result, axis)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Any:
    """Matrices with ones on the main diagonal and zeros elsewhere."""
    with opened(name, "eye", num_rows, num_columns, batch_shape) as (b, _):
        square = num_columns is None
        columns = num_rows if square else num_columns
        batch: Any = [] if batch_shape is None else batch_shape
        length: Any
        if isinstance(num_rows, Tensor) or isinstance(columns, Tensor):
            length = b.Minimum(num_rows, columns)
        elif isinstance(num_rows, numbers.Integral) and isinstance(columns, numbers.Integral):
            square = num_rows == columns
            length = min(int(num_rows), int(columns))
        else:
            raise TypeError(
                "Arguments `num_rows` and `num_columns` must be positive integer values. "
                f"Received: num_rows={num_rows}, num_columns={columns}"
            )
        whole: Any = None
        if isinstance(batch, Tensor) or isinstance(length, Tensor):
            batch = b.convert(batch, dtypes.int32, name="shape")
            diagonal = concat((batch, [length]), 0)
            if not square:
                whole = concat((batch, [num_rows, columns]), 0)
        else:
            diagonal = [*batch, length]
            whole = [*batch, num_rows, columns]
        on_it = ones(diagonal, dtype)
        return matrix_diag(on_it) if square else matrix_set_diag(zeros(whole, dtype), on_it)


def lbeta(x: Any, name: str | None = None) -> Any:
    """log of the Beta function of each vector in the last dimension."""
    with opened(name, "lbeta", x) as (b, _):
        x = b.convert(x, name="x")
        each = reduce_sum(b.Lgamma(x), [-1])
        whole = b.Lgamma(reduce_sum(x, [-1]))
        return each - whole


def matrix_triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Any:
    """The solution of matrix @ x = rhs for triangular matrices."""
    with opened(name, "triangular_solve", matrix, rhs) as (b, _):
        return b.MatrixTriangularSolve(matrix, rhs, lower=lower, adjoint=adjoint)


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Any:
    """The solution of A @ x = rhs from the Cholesky factor of A."""
    with opened(name, "cholesky_solve", chol, rhs) as (b, _):
        y = b.MatrixTriangularSolve(chol, rhs, lower=True, adjoint=False)
        return b.MatrixTriangularSolve(chol, y, lower=True, adjoint=True)


def self_adjoint_eig(tensor: Any, name: str | None = None) -> Any:
    """(eigenvalues, eigenvectors) of self-adjoint matrices."""
    values, vectors = on(tensor).SelfAdjointEigV2(tensor, compute_v=True, name=name)
    return values, vectors


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Any:
    """The eigenvalues of self-adjoint matrices."""
    return on(tensor).SelfAdjointEigV2(tensor, compute_v=False, name=name)[0]


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """(singular values, left vectors, right vectors) of matrices, or the values alone."""
    s, u, v = on(tensor).Svd(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (real(s), u, v) if compute_uv else real(s)


def adjoint(matrix: Any, name: str | None = None) -> Any:
    """The last two dimensions exchanged, and complex elements conjugated."""
    with opened(name, "adjoint", matrix) as (b, _):
        return matrix_transpose(b.convert(matrix, name="matrix"), conjugate=True)
