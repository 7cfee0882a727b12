"""Products of matrices, and of batches of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.dtypes import DType, as_dtype
from regraft.base.errors import InvalidArgumentError
from regraft.opkit import onednn
from regraft.opkit.arrays import lax, on_host, static_shape
from regraft.opkit.elementwise import broadcast_to, quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, broadcast_shapes, merge, merge_dim, with_rank


def matrix_product(x: Any, y: Any, adj_x: bool, adj_y: bool, out_type: Any) -> Any:
    """x @ y over the last two axes, whose batch axes broadcast; each factor may be transposed (the caller conjugates).

    16-bit floats are multiplied and summed as float32.
    """
    if on_host(x, y):
        wide = np.dtype(np.float32) if out_type.itemsize == 2 and out_type.kind not in "iu" else out_type
        x = np.swapaxes(x, -1, -2) if adj_x else x
        y = np.swapaxes(y, -1, -2) if adj_y else y
        return np.matmul(x.astype(wide, copy=False), y.astype(wide, copy=False)).astype(out_type, copy=False)
    if x.dtype != y.dtype:
        x, y = lax.convert_element_type(x, out_type), lax.convert_element_type(y, out_type)
    if y.ndim > 2:
        batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        x, y = (v if v.shape[:-2] == batch else broadcast_to(v, batch + v.shape[-2:]) for v in (x, y))
    inner, columns = y.shape[-2:][::-1] if adj_y else y.shape[-2:]
    if x.ndim == y.ndim == 2 and onednn.multiplies(x.shape[adj_x], inner, columns, x.dtype, y.dtype, out_type):
        return onednn.matmul(x, y, adj_x, adj_y)
    if x.ndim == y.ndim in (3, 4):
        batches = math.prod(y.shape[:-2])
        if onednn.multiplies_batches(batches, x.shape[-1 if adj_x else -2], inner, columns, x.dtype, y.dtype, out_type):
            return onednn.matmul(x, y, adj_x, adj_y)
    axes = tuple(range(y.ndim - 2))
    contract = ((x.ndim - (2 if adj_x else 1),), (y.ndim - (1 if adj_y else 2),))
    if y.ndim == 2 and x.ndim > 2 and adj_x:
        x, contract = lax.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)), ((x.ndim - 1,), contract[1])
    return lax.dot_general(x, y, (contract, (axes, axes)), preferred_element_type=out_type)


def _check_inner(x: Any, y: Any, x_transposed: bool, y_transposed: bool) -> None:
    a, b = static_shape(x), static_shape(y)
    if a[-2 if x_transposed else -1] != b[-1 if y_transposed else -2]:
        raise InvalidArgumentError(f"Matrix size-incompatible: In[0]: {list(a)}, In[1]: {list(b)}")


def _matmul_shape(c: ShapeContext) -> list[Sizes]:
    a, b = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 2)
    a = a[::-1] if c.attr("transpose_a") else a
    b = b[::-1] if c.attr("transpose_b") else b
    merge_dim(c, a[1], b[0])
    return [(a[0], b[1])]


@op("MatMul", shape=_matmul_shape)
@quiet
def matmul(a: Any, b: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
    """The product of two matrices, each transposed if the attribute says so.

    a        [n, k]
    b        [k, m]
    returns  [n, m]
    """
    for i, value in enumerate((a, b)):
        if len(static_shape(value)) != 2:
            raise InvalidArgumentError(f"In[{i}] is not a matrix. Its shape is {list(static_shape(value))}")
    _check_inner(a, b, transpose_a, transpose_b)
    return matrix_product(a, b, transpose_a, transpose_b, a.dtype)


@matmul.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    t_x, t_y = node.get_attr("transpose_a"), node.get_attr("transpose_b")
    x, y = b.conj(node.inputs[0]), b.conj(node.inputs[1])
    first, second = {"grad_a": True}, {"grad_b": True}
    if t_x:
        gx = b.MatMul(y, dy, transpose_a=t_y, transpose_b=True, **first)
    else:
        gx = b.MatMul(dy, y, transpose_b=not t_y, **first)
    if t_y:
        gy = b.MatMul(dy, x, transpose_a=True, transpose_b=t_x, **second)
    else:
        gy = b.MatMul(x, dy, transpose_a=not t_x, **second)
    return gx, gy


@op("SparseMatMul", shape=_matmul_shape)
@quiet
def sparse_matmul(a: Any, b: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
    """The product of two dense matrices of float32 or bfloat16 that may hold many zeros, as float32."""
    _check_inner(a, b, transpose_a, transpose_b)
    a, b = a.astype(np.float32), b.astype(np.float32)
    return matrix_product(a, b, transpose_a, transpose_b, np.dtype(np.float32))


@sparse_matmul.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    t_x, t_y = node.get_attr("transpose_a"), node.get_attr("transpose_b")
    x, y = node.inputs
    sparse = {x: node.get_attr("a_is_sparse"), y: node.get_attr("b_is_sparse"), dy: dy.op.type == "ReluGrad"}

    def product(s: Any, t: Any, wanted: DType, transpose_s: bool = False, transpose_t: bool = False) -> Any:
        kinds = {"a_is_sparse": sparse[s], "b_is_sparse": sparse[t]}
        t = b.transpose(t) if transpose_t else t
        mixed = s.dtype.base is not t.dtype.base
        if not (any(kinds.values()) or mixed):
            out = b.matmul(s, t, transpose_a=transpose_s)
        else:
            out = b.SparseMatMul(s, t, transpose_a=transpose_s, name="MatMul", **kinds)
            if s.dtype.base is t.dtype.base is as_dtype("bfloat16"):
                out = b.cast(out, "bfloat16")
        return b.cast(out, wanted)

    dtype_x, dtype_y = x.dtype.base, y.dtype.base
    if t_x:
        gx = product(y, dy, dtype_x, t_y, True)
    else:
        gx = product(dy, y, dtype_x, False, not t_y)
    if t_y:
        gy = product(dy, x, dtype_y, True, t_x)
    else:
        gy = product(x, dy, dtype_y, not t_x)
    return gx, gy


def _batch_shape(c: ShapeContext, broadcasts: bool) -> list[Sizes]:
    x, y = at_least_rank(c, c.input(0), 2), at_least_rank(c, c.input(1), 2)
    if x is None or y is None:
        return [None]
    a = x[:-3:-1] if c.attr("adj_x") else x[-2:]
    b = y[:-3:-1] if c.attr("adj_y") else y[-2:]
    merge_dim(c, a[1], b[0])
    batch = broadcast_shapes(c, x[:-2], y[:-2]) if broadcasts else merge(c, x[:-2], y[:-2])
    return [(*(batch or ()), a[0], b[1])]


def _batch_matmul(x: Any, y: Any, adj_x: bool, adj_y: bool, out_type: Any) -> Any:
    _check_inner(x, y, adj_x, adj_y)
    conjugate = np.conj if on_host(x, y) else lax.conj
    if x.dtype.kind == "c":
        x = conjugate(x) if adj_x else x
        y = conjugate(y) if adj_y else y
    try:
        return matrix_product(x, y, adj_x, adj_y, out_type)
    except ValueError as e:
        shapes = f"{list(static_shape(x))} vs. {list(static_shape(y))}"
        raise InvalidArgumentError(f"In[0] and In[1] must have compatible batch dimensions: {shapes}") from e


@op("BatchMatMul", shape=lambda c: _batch_shape(c, False))
@quiet
def batch_matmul(x: Any, y: Any, *, adj_x: bool, adj_y: bool) -> Any:
    """The products of matrices [..., n, k] and [..., k, m], pair by pair; of their adjoints if the attributes say."""
    if static_shape(x)[:-2] != static_shape(y)[:-2]:
        raise InvalidArgumentError(
            f"In[0] and In[1] must have the same batch dimensions: {list(static_shape(x))} vs. {list(static_shape(y))}"
        )
    return _batch_matmul(x, y, adj_x, adj_y, x.dtype)


@batch_matmul.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    return _batch_gradients(b, node, dy, {}, {})


@op("BatchMatMulV2", shape=lambda c: _batch_shape(c, True))
@quiet
def batch_matmul_v2(x: Any, y: Any, *, adj_x: bool, adj_y: bool) -> Any:
    """BatchMatMul whose batch axes broadcast."""
    return _batch_matmul(x, y, adj_x, adj_y, x.dtype)


@op("BatchMatMulV3", shape=lambda c: _batch_shape(c, True))
@quiet
def batch_matmul_v3(x: Any, y: Any, *, Tout: DType, adj_x: bool, adj_y: bool) -> Any:
    """BatchMatMulV2 of factors whose dtypes may differ from each other and from the result's."""
    return _batch_matmul(x, y, adj_x, adj_y, Tout.numpy)


@batch_matmul_v2.gradient
@batch_matmul_v3.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    x, y = node.inputs
    gx, gy = _batch_gradients(b, node, dy, {"grad_a": True}, {"grad_b": True})
    ranks = (x.shape.rank, y.shape.rank)
    if all(r is not None and r <= 2 for r in ranks):
        return gx, gy
    batches = (x.shape[:-2], y.shape[:-2])
    if batches[0].known and batches[1].known and batches[0].sizes == batches[1].sizes:
        return gx, gy
    shape_x, shape_y = b.shape(x), b.shape(y)
    axes_x, axes_y = b.BroadcastGradientArgs(shape_x[:-2], shape_y[:-2])
    gx = b.reshape(b.reduce_sum(gx, axes_x), shape_x)
    gy = b.reshape(b.reduce_sum(gy, axes_y), shape_y)
    return gx, gy


def _batch_gradients(b: Any, node: Any, dy: Any, first: Any, second: Any) -> Any:
    x, y = node.inputs
    adj_x, adj_y = node.get_attr("adj_x"), node.get_attr("adj_y")
    if adj_x:
        gx = b.matmul(y, dy, adjoint_a=adj_y, adjoint_b=True, **first)
    else:
        gx = b.matmul(dy, y, adjoint_b=not adj_y, **first)
    if adj_y:
        gy = b.matmul(dy, x, adjoint_a=True, adjoint_b=adj_x, **second)
    else:
        gy = b.matmul(x, dy, adjoint_a=not adj_x, **second)
    return gx, gy
