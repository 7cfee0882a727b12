"""Decompositions of batches of matrices: QR, SVD, eigenvalues, LU; logarithms and square roots."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import LazyModule, jnp, lax, namespace, on_host
from regraft.opkit.elementwise import quiet
from regraft.opkit.matrices import (
    check_square,
    node_adjoint,
    node_diag,
    node_diag_part,
    node_set_diag,
    node_transpose,
    node_triangular_solve,
    square,
    square_shape,
)
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, at_least_rank

scipy_linalg: Any = LazyModule("scipy.linalg")


def _smaller(a: Dim, b: Dim) -> Dim:
    if 0 in (a, b):
        return 0
    return None if a is None or b is None else min(a, b)


def _qr_shape(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 2)
    if sizes is None:
        return [None, None]
    batch, m, n = sizes[:-2], sizes[-2], sizes[-1]
    k = m if c.attr("full_matrices") else _smaller(m, n)
    return [(*batch, m, k), (*batch, k, n)]


@op("Qr", shape=_qr_shape)
@quiet
def qr(input: Any, *, full_matrices: bool) -> Any:
    """Q with orthogonal columns and upper triangular R, input = Q R."""
    q, r = namespace(input).linalg.qr(input, mode="complete" if full_matrices else "reduced")
    return q.astype(input.dtype), r.astype(input.dtype)


@qr.gradient
def _(b: Any, node: Any, dq: Any, dr: Any) -> Any:
    q, r = node.outputs
    if r.shape.rank is None or None in r.shape.sizes[-2:]:
        raise NotImplementedError(f"QrGrad not implemented with dynamic shapes. Received r.shape: {r.shape}")
    rows, columns = r.shape.sizes[-2:]
    if rows > columns and q.shape.sizes[-2] == q.shape.sizes[-1]:
        raise NotImplementedError(
            f"QrGrad not implemented when nrows > ncols and full_matrices is true. Received r.shape={r.shape}"
        )
    rows = q.shape.sizes[-2]
    if rows >= columns:
        return [_qr_deep(b, q, r, dq, dr)]
    a = node.inputs[0]
    y = a[..., :, rows:]
    u = r[..., :, :rows]
    dv = dr[..., :, rows:]
    du = dr[..., :, :rows]
    dy = b.matmul(q, dv)
    dx = _qr_deep(b, q, u, dq + b.matmul(y, dv, adjoint_b=True), du)
    return [b.concat([dx, dy], -1)]


def _qr_deep(b: Any, q: Any, r: Any, dq: Any, dr: Any) -> Any:
    """For no fewer rows than columns: https://arxiv.org/abs/2009.10071."""

    def solve(x: Any) -> Any:
        flipped = node_adjoint(b, x)
        return node_adjoint(b, node_triangular_solve(b, r, flipped, lower=False))

    qdq = b.matmul(q, dq, adjoint_a=True)
    skew_q = qdq - node_adjoint(b, qdq)
    rdr = b.matmul(r, dr, adjoint_b=True)
    skew_r = rdr - node_adjoint(b, rdr)
    lower = b.MatrixBandPart(skew_q + skew_r, -1, 0)
    first = b.matmul(q, dr + solve(lower))
    second = solve(dq - b.matmul(q, qdq))
    total = first + second
    if q.dtype.is_complex:
        m = rdr - node_adjoint(b, qdq)
        eye = node_set_diag(b, b.zeros_like(m), node_diag_part(b, m))
        correction = eye - b.cast(b.Real(eye, Tout=q.dtype.real_dtype), q.dtype.base)
        total = total + solve(b.matmul(q, node_adjoint(b, correction)))
    return total


def _svd_shape(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 2)
    vectors = c.attr("compute_uv", True)
    if sizes is None:
        return [None, None, None] if vectors else [None, (0,), (0,)]
    batch, m, n = sizes[:-2], sizes[-2], sizes[-1]
    k = _smaller(m, n)
    if not vectors:
        return [(*batch, k), (0,), (0,)]
    full = c.attr("full_matrices", False)
    return [(*batch, k), (*batch, m, m if full else k), (*batch, n, n if full else k)]


@op("Svd", "BatchSvd", shape=_svd_shape)
@quiet
def svd(input: Any, *, compute_uv: bool, full_matrices: bool) -> Any:
    """Singular values s, descending, and u, v with input = u s v^H.

    differs  u and v agree with TensorFlow's up to the signs (phases) of their columns; without `compute_uv` they are
             zeros, where TensorFlow hands out what lies in memory
    """
    linalg = namespace(input).linalg
    if not compute_uv:
        s = linalg.svd(input, compute_uv=False).astype(input.dtype)
        none = np.zeros((), input.dtype)
        return s, none, none
    u, s, vh = linalg.svd(input, full_matrices=full_matrices)
    v = namespace(input).conj(namespace(input).swapaxes(vh, -1, -2))
    return s.astype(input.dtype), u.astype(input.dtype), v.astype(input.dtype)


def _safe_reciprocal(b: Any, x: Any) -> Any:
    """1 / x, and about 0 at 0, so that equal singular values give no nan."""
    return x * b.Reciprocal(x * x + 1e-20)


@svd.gradient
def _(b: Any, node: Any, ds: Any, du: Any, dv: Any) -> Any:
    # The formulas, for complex matrices too: https://re-ra.xyz/misc/complexsvd.pdf
    a = node.inputs[0]
    ds = b.cast(ds, a.dtype.base)
    ds_matrix = node_diag(b, ds)
    if not node.get_attr("compute_uv"):
        _, u, v = b.Svd(a, compute_uv=True, full_matrices=False)
        return [b.matmul(u, b.matmul(ds_matrix, v, adjoint_b=True))]
    m, n = (a.shape.sizes or (None, None))[-2:]
    if m is None or n is None:
        raise NotImplementedError("SVD gradient has not been implemented for input with unknown inner matrix shape.")
    full = node.get_attr("full_matrices")
    s, u, v = node.outputs
    s = b.cast(s, a.dtype.base)
    flipped = m > n
    if flipped:
        m, n, u, v, du, dv = n, m, v, u, dv, du
    with b.graph.control_dependencies([ds, du, dv]):
        if full and abs(m - n) > 1:
            raise NotImplementedError(
                "svd gradient is not implemented for abs(m - n) > 1 when full_matrices is True. "
                f"Received: m={m} and n={n}"
            )
        s_matrix = node_diag(b, s)
        squares = b.Square(s)
        b.shape(s)  # TensorFlow adds it for complex matrices, and leaves it behind for real ones
        f = _spread(b, squares, s)
        s_inverse = node_diag(b, _safe_reciprocal(b, s))
        v1, dv1 = v[..., :, :m], dv[..., :, :m]
        u_du = b.matmul(u, du, adjoint_a=True)
        v_dv = b.matmul(v1, dv1, adjoint_a=True)
        f_u, f_v = f * u_du, f * v_dv
        left = b.matmul(f_u + node_adjoint(b, f_u), s_matrix)
        core = ds_matrix + left + b.matmul(s_matrix, f_v + node_adjoint(b, f_v))
        out = b.matmul(u, b.matmul(core, v1, adjoint_b=True))
        if m != n:
            turned = node_transpose(b, dv1, conjugate=True)
            inner = b.matmul(turned, v1)
            rest = turned - b.matmul(inner, v1, adjoint_b=True)
            if full:
                v2, dv2 = v[..., :, m:n], dv[..., :, m:n]
                cross = b.matmul(v1, dv2, adjoint_a=True)
                rest = rest - b.matmul(cross, v2, adjoint_b=True)
            scaled = b.matmul(u, s_inverse)
            out = out + b.matmul(scaled, rest)
        if a.dtype.is_complex:
            raise NotImplementedError(f"the gradient of {node.name!r} (Svd) of a complex matrix with its vectors")
        return [node_transpose(b, out, conjugate=True) if flipped else out]


def _spread(b: Any, values: Any, shaped_as: Any) -> Any:
    """1 / (values_j - values_i) off the diagonal, 0 on it."""
    inverse = _safe_reciprocal(b, b.expand_dims(values, -2) - b.expand_dims(values, -1))
    return node_set_diag(b, inverse, b.zeros_like(shaped_as))


# Eigenvalues


def _eig_shape(c: ShapeContext) -> list[Sizes]:
    batch, n = square(c, 0)
    vectors: Sizes = (0,)
    if c.attr("compute_v", True):
        vectors = None if batch is None else (*batch, n, n)
    return [None if batch is None else (*batch, n), vectors]


@op("SelfAdjointEigV2", "BatchSelfAdjointEigV2", shape=_eig_shape)
@quiet
def self_adjoint_eig(input: Any, *, compute_v: bool) -> Any:
    """Eigenvalues, ascending, and eigenvectors of symmetric (Hermitian) matrices; reads the lower triangle alone.

    differs  eigenvectors agree with TensorFlow's up to their signs (phases); without `compute_v` they are a zero, where
             TensorFlow hands out what lies in memory
    """
    check_square(input)
    linalg = namespace(input).linalg
    if not compute_v:
        return linalg.eigvalsh(input, UPLO="L").astype(input.dtype), np.zeros((), input.dtype)
    if on_host(input):
        values, vectors = np.linalg.eigh(input, UPLO="L")
    else:
        values, vectors = jnp.linalg.eigh(input, UPLO="L", symmetrize_input=False)
    return values.astype(input.dtype), vectors.astype(input.dtype)


@self_adjoint_eig.gradient
def _(b: Any, node: Any, de: Any, dv: Any) -> Any:
    e = node.outputs[0]
    with b.graph.control_dependencies([de, dv]):
        if node.get_attr("compute_v"):
            v = node.outputs[1]
            f = _spread(b, e, e)
            core = node_diag(b, de) + f * b.matmul(v, dv, adjoint_a=True)
            ga = b.matmul(v, b.matmul(core, v, adjoint_b=True))
        else:
            _, v = b.SelfAdjointEigV2(node.inputs[0], compute_v=True)
            ga = b.matmul(v, b.matmul(node_diag(b, de), v, adjoint_b=True))
        ga = b.MatrixBandPart(ga + node_adjoint(b, ga), -1, 0)
        return [node_set_diag(b, ga, 0.5 * node_diag_part(b, ga))]


@op("Eig", shape=_eig_shape, runs=Runs.HOST)
@quiet
def eig(input: Any, *, Tout: DType, compute_v: bool) -> Any:  # the attribute's name
    """Complex eigenvalues and eigenvectors of general matrices.

    differs  as SelfAdjointEigV2; the order of the eigenvalues is LAPACK's
    """
    check_square(input)
    values, vectors = np.linalg.eig(input)
    none = np.zeros((), Tout.numpy)
    return values.astype(Tout.numpy), vectors.astype(Tout.numpy) if compute_v else none


# Factors and functions


def _lu_shape(c: ShapeContext) -> list[Sizes]:
    batch, n = square(c, 0)
    return [None, None] if batch is None else [(*batch, n, n), (*batch, n)]


@op("Lu", shape=_lu_shape, lax=True)
def lu(input: Any, *, output_idx_type: DType) -> Any:
    """L (below the diagonal, ones on it) and U in one matrix, and the order of the rows that they factor."""
    factors, _, order = lax.linalg.lu(input)
    return factors, order.astype(output_idx_type.numpy)


def _of_each(function: Any, input: Any, what: str) -> Any:
    check_square(input)
    matrices = input.reshape(-1, *input.shape[-2:])
    out = [np.asarray(function(m)) for m in matrices]
    if input.dtype.kind != "c" and any(np.iscomplexobj(m) and np.abs(m.imag).max() > 0 for m in out):
        raise InvalidArgumentError(f"a matrix has no real {what}")
    result = np.zeros_like(matrices)
    for i, m in enumerate(out):
        result[i] = m.real if input.dtype.kind != "c" else m
    return result.reshape(input.shape)


@op("MatrixLogarithm", shape=square_shape, runs=Runs.HOST)
@quiet
def matrix_logarithm(input: Any) -> Any:
    """The principal logarithm of complex matrices."""
    return _of_each(lambda m: scipy_linalg.logm(m.astype(np.complex128)), input, "logarithm")


@op("MatrixSquareRoot", shape=square_shape, runs=Runs.HOST)
@quiet
def matrix_square_root(input: Any) -> Any:
    """The principal square root of each matrix. InvalidArgumentError for a real matrix that has no real one."""
    return _of_each(scipy_linalg.sqrtm, input, "square root")
