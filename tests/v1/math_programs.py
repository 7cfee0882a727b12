"""Programs of arithmetic, reductions, products, clipping and random values, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _xy(tf: Any) -> tuple[Any, Any]:
    return tf.placeholder(tf.float32, [3, 4], name="x"), tf.placeholder(tf.float32, [None, 4], name="y")


@program
def arithmetic(tf: Any) -> None:
    x, y = _xy(tf)
    for function in (tf.add, tf.subtract, tf.multiply, tf.divide, tf.truediv, tf.div, tf.floordiv, tf.pow):
        function(x, y)
        function(x, 2.0)
        function(3.0, y)
        function(x, y, name="named")
    tf.maximum(x, y)
    tf.squared_difference(x, 1.0)
    tf.mod(x, 2.0)
    tf.div_no_nan(x, y)
    tf.div_no_nan(1.0, y)
    tf.scalar_mul(2.0, x)


@program
def integer_arithmetic(tf: Any) -> None:
    i = tf.placeholder(tf.int32, [3], name="i")
    j = tf.placeholder(tf.int64, [], name="j")
    tf.divide(i, 2)
    tf.truediv(i, 2)
    tf.div(i, 2)
    tf.floordiv(j, 3)
    tf.divide(7, 2)
    tf.divide(4, i)
    tf.add(j, 1)
    tf.round(i)
    tf.abs(i)
    tf.sign(i)


@program
def strings(tf: Any) -> None:
    s = tf.placeholder(tf.string, [None], name="s")
    tf.add(s, "suffix")
    tf.equal(s, "x")


@program
def elementwise(tf: Any) -> None:
    x, _ = _xy(tf)
    names = "abs negative square sqrt rsqrt exp log log1p expm1 sin cos tan asin acos atan sinh cosh tanh sigmoid"
    for name in [
        *names.split(),
        *[
            "floor",
            "ceil",
            "round",
            "sign",
            "erf",
            "erfc",
            "lgamma",
            "digamma",
            "reciprocal",
            "is_nan",
            "is_inf",
            "is_finite",
        ],
    ]:
        getattr(tf, name)(x)
        getattr(tf, name)(x, name=f"my_{name}")
    tf.log_sigmoid(x)
    tf.sigmoid([1.0, 2.0])
    tf.round(1.5)
    tf.exp(0.5, "e")


@program
def comparison(tf: Any) -> None:
    x, y = _xy(tf)
    for name in ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]:
        getattr(tf, name)(x, y)
        getattr(tf, name)(x, 0.5, name="half")
    a, b = tf.less(x, 0.0), tf.greater(x, 1.0)
    tf.logical_and(a, b)
    tf.logical_or(a, b)
    tf.logical_not(a)
    tf.logical_xor(a, b)


@program
def casts(tf: Any) -> None:
    x, _ = _xy(tf)
    tf.cast(x, tf.float32)
    tf.cast(x, tf.int32)
    tf.cast(x, "float64", name="wide")
    tf.cast(1, tf.float32)
    tf.cast([1, 2], tf.int32)
    tf.to_float(tf.constant(1))
    tf.to_int32(x)
    tf.to_int64(x)
    tf.to_double(x)
    tf.to_bfloat16(x)
    tf.saturate_cast(x, tf.uint8)
    tf.saturate_cast(tf.cast(x, tf.int32), tf.int8)


@program
def complex_numbers(tf: Any) -> None:
    x, _ = _xy(tf)
    z = tf.complex(x, x)
    tf.real(z)
    tf.imag(z)
    tf.conj(z)
    tf.angle(z)
    tf.abs(z)
    tf.sign(z)
    tf.real(x)
    tf.imag(x)
    tf.conj(x)
    tf.angle(x)
    tf.cast(z, tf.complex128)


@program
def sums(tf: Any) -> None:
    x, y = _xy(tf)
    z = tf.placeholder(tf.float32, [3, 4])
    tf.add_n([x, y, z])
    tf.add_n([x])
    tf.add_n([x], name="one")
    tf.accumulate_n([x, z])
    tf.add_n([x, np.ones([3, 4], np.float32)])


@program
def reductions(tf: Any) -> None:
    x, y = _xy(tf)
    unknown = tf.placeholder(tf.float32, name="unknown")
    scalar = tf.placeholder(tf.float32, [], name="scalar")
    for name in ["reduce_sum", "reduce_mean", "reduce_prod", "reduce_max", "reduce_min", "reduce_logsumexp"]:
        function = getattr(tf, name)
        function(x)
        function(y, 1)
        function(y, axis=[0, 1], keepdims=True)
        function(unknown)
        function(scalar)
        function(unknown, reduction_indices=[0], keep_dims=True, name="older")
    flags = tf.less(y, 0.0)
    tf.reduce_all(flags)
    tf.reduce_any(flags, 1)
    tf.reduce_sum([1.0, 2.0])
    tf.reduce_mean(np.ones([2, 2], np.float32), axis=0)
    tf.count_nonzero(x)
    tf.count_nonzero(y, axis=1, dtype=tf.int32)
    tf.math.reduce_variance(x, axis=0)
    tf.math.reduce_std(x)
    tf.math.reduce_euclidean_norm(x, 1)


@program
def extremes(tf: Any) -> None:
    x, y = _xy(tf)
    tf.argmax(x)
    tf.argmax(y, 1)
    tf.argmax(x, axis=1, output_type=tf.int32, name="best")
    tf.argmin(x, dimension=0)
    tf.arg_max(x, 1)


@program
def cumulative(tf: Any) -> None:
    x, _ = _xy(tf)
    tf.cumsum(x)
    tf.cumsum(x, axis=1, exclusive=True, reverse=True)
    tf.cumprod(x, 1, name="products")
    tf.math.cumulative_logsumexp(x)


@program
def segments(tf: Any) -> None:
    x, _ = _xy(tf)
    ids = tf.constant([0, 0, 1])
    tf.segment_sum(x, ids)
    tf.segment_mean(x, ids)
    tf.segment_max(x, ids)
    tf.unsorted_segment_sum(x, ids, 2)
    tf.unsorted_segment_mean(x, ids, 2)
    tf.unsorted_segment_sqrt_n(x, ids, 2)
    tf.sparse_segment_sum(x, [0, 1], [0, 0])
    tf.sparse_segment_mean(x, [0, 1], [0, 0], num_segments=3)


@program
def ranges(tf: Any) -> None:
    n = tf.placeholder(tf.int32, [], name="n")
    tf.range(5)
    tf.range(n)
    tf.range(1, 10, 2)
    tf.range(0.0, 1.0, 0.25)
    tf.range(3, dtype=tf.float32)
    tf.range(0, n, name="up")
    tf.linspace(0.0, 1.0, 5)
    tf.lin_space(tf.constant(0.0), 1.0, n)


@program
def products(tf: Any) -> None:
    x, y = _xy(tf)
    t3 = tf.placeholder(tf.float32, [None, 3, 4], name="t3")
    tf.matmul(x, y, transpose_b=True)
    tf.matmul(x, tf.ones([4, 2]), name="product")
    tf.matmul(t3, t3, transpose_a=True)
    tf.matmul(t3, t3, adjoint_b=True)
    tf.matmul([[1.0, 2.0]], [[3.0], [4.0]])
    tf.matmul(x, x, a_is_sparse=True, transpose_b=True)
    tf.linalg.matvec(x, tf.ones([4]))
    z = tf.complex(x, x)
    tf.matmul(z, z, adjoint_a=True)
    tf.linalg.matmul(z, z, transpose_b=True)


@program
def tensordots(tf: Any) -> None:
    x, y = _xy(tf)
    t3 = tf.placeholder(tf.float32, [None, 3, 4], name="t3")
    known = tf.placeholder(tf.float32, [2, 3, 4], name="known")
    unknown = tf.placeholder(tf.float32, name="unknown")
    w = tf.placeholder(tf.float32, [4, 5], name="w")
    tf.tensordot(x, w, 1)
    tf.tensordot(t3, w, axes=[[2], [0]])
    tf.tensordot(known, known, axes=[[0, 1], [0, 1]])
    tf.tensordot(known, w, 1, name="dot")
    tf.tensordot(unknown, w, 1)
    tf.tensordot(unknown, w, [[1], [0]])
    tf.tensordot(x, y, tf.constant([[1], [1]]))
    tf.tensordot(known, known, 0)


@program
def einsums(tf: Any) -> None:
    x, y = _xy(tf)
    t3 = tf.placeholder(tf.float32, [None, 3, 4], name="t3")
    tf.einsum("ij,kj->ik", x, y)
    tf.einsum("ij,kj", x, y)
    tf.einsum("bij,bkj->bik", t3, t3, name="scores")
    tf.einsum("...ij->...ji", t3)
    tf.einsum("ij,jk,kl->il", x, tf.ones([4, 5]), tf.ones([5, 6]))


@program
def norms(tf: Any) -> None:
    x, y = _xy(tf)
    tf.norm(x)
    tf.norm(y, axis=1)
    tf.norm(x, ord=1, axis=0, keepdims=True)
    tf.norm(x, ord=np.inf)
    tf.norm(x, ord=3, axis=-1)
    tf.norm(x, ord="fro", axis=[0, 1])
    tf.norm(x, ord=1, axis=[0, 1])
    tf.trace(x)


@program
def matrices(tf: Any) -> None:
    n = tf.placeholder(tf.int32, [], name="n")
    m = tf.placeholder(tf.float32, [4, 4], name="m")
    tf.eye(3)
    tf.eye(2, 3, dtype=tf.int32)
    tf.eye(n)
    tf.eye(2, batch_shape=[4])
    tf.eye(n, 3)
    tf.matrix_diag(m)
    tf.matrix_diag_part(m)
    tf.matrix_set_diag(m, [1.0, 2.0, 3.0, 4.0])
    tf.diag([1.0, 2.0])
    tf.diag_part(m)
    tf.matrix_transpose(m)
    tf.matrix_inverse(m)
    tf.matrix_determinant(m)
    tf.cholesky(m)
    tf.cholesky_solve(m, m)
    tf.matrix_triangular_solve(m, m)
    tf.matrix_solve(m, m)
    tf.self_adjoint_eig(m)
    tf.self_adjoint_eigvals(m)
    tf.svd(m)
    tf.qr(m)
    tf.matrix_band_part(m, -1, 0)
    tf.linalg.inv(m)
    tf.linalg.det(m)
    tf.lbeta(m)


@program
def clipping(tf: Any) -> None:
    x, y = _xy(tf)
    tf.clip_by_value(x, -1.0, 1.0)
    tf.clip_by_value(y, x[0], 2.0, name="clip")
    tf.clip_by_norm(x, 5.0)
    tf.clip_by_norm(y, tf.constant(1.0), axes=[1])
    tf.clip_by_average_norm(x, 1.0)
    tf.global_norm([x, None, y])
    tf.clip_by_global_norm([x, None, y], 5.0)
    tf.clip_by_global_norm([x, y], tf.constant(2.0), name="all")


@program
def sorting(tf: Any) -> None:
    x, y = _xy(tf)
    tf.sort(x)
    tf.sort(y, axis=0, direction="DESCENDING")
    tf.argsort(x, axis=0)
    tf.sort(tf.constant([3, 1, 2]))
    tf.nn.top_k(x, 2)
    tf.searchsorted(x, x)


@program
def random_values(tf: Any) -> None:
    n = tf.placeholder(tf.int32, [], name="n")
    tf.random_uniform([2, 3])
    tf.random_uniform([2], -1.0, 1.0)
    tf.random_uniform([n, 3], maxval=5, dtype=tf.int32)
    tf.random_uniform([], 0, 3.0, seed=7)
    tf.random_normal([2, 3], stddev=0.1)
    tf.random_normal((n, 2), 1.0, name="noise")
    tf.truncated_normal([3], dtype=tf.float64)
    tf.random_shuffle(tf.range(3))
    tf.multinomial(tf.ones([2, 3]), 4)
    tf.random_gamma([2], [1.0, 2.0])
    tf.random_gamma([2], 1.0, beta=3.0)
    tf.random_poisson([1.0, 2.0], [3])


@program
def seeds(tf: Any) -> None:
    tf.random_uniform([2], seed=3)
    tf.set_random_seed(42)
    tf.random_uniform([2])
    tf.random_normal([2], seed=5)
    tf.truncated_normal([2])
    tf.random_shuffle([1, 2, 3])
    tf.set_random_seed(0)
    tf.random_uniform([2], seed=0)
    tf.random_uniform([2])


@program
def special(tf: Any) -> None:
    x, _ = _xy(tf)
    tf.math.polyval([1.0, 2.0, x], x)
    tf.math.reciprocal_no_nan(x)
    tf.math.xdivy(x, x)
    tf.math.xlog1py(x, 1.0)
    tf.math.erfinv(x)
    tf.math.multiply_no_nan(x, x)
    tf.lgamma(x)
    tf.betainc(x, x, x)
    tf.igamma(x, x)
    tf.polygamma(x, x)
    tf.zeta(x, x)


@program
def operators(tf: Any) -> None:
    x, y = _xy(tf)
    i = tf.placeholder(tf.int32, [3], name="i")
    _ = x + y
    _ = x + 1
    _ = 1.0 + x
    _ = x - y
    _ = 2 - x
    _ = x * y
    _ = 0.5 * x
    _ = x / y
    _ = x / 2
    _ = 1 / x
    _ = i / 2
    _ = i // 2
    _ = i % 2
    _ = x // 2.0
    _ = x**2
    _ = 2.0**x
    _ = -x
    _ = abs(x)
    _ = x < y
    _ = x <= 0
    _ = x < 0
    _ = x >= y
    _ = (x < 0) & (x > 1)
    _ = (x < 0) | (x > 1)
    _ = (x < 0) ^ (x > 1)
    _ = ~(x < 0)
    _ = i & 3
    _ = x @ tf.ones([4, 2])
    _ = np.float32(2.0) * x
    _ = np.ones([3, 4], np.float32) + x
    row = [1.0, 2.0, 3.0, 4.0]
    _ = operator.add(row, x)
    _ = x * np.float64(2.0)
