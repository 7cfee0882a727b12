"""Sparse tensors with dense ones: SparseToDense, products, sums and elementwise ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit import gather, matrices, scatter
from regraft.opkit.arrays import namespace, on_host, shape_text, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.coordinates import first_outside, linear
from regraft.opkit.getitem import getitem
from regraft.opkit.registry import op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, with_rank


def _list(values: Any) -> str:
    return f"[{','.join(str(int(v)) for v in values)}]"


def _dense_shape(c: ShapeContext) -> list[Sizes]:
    return [c.sizes(1)]


@op("SparseToDense", shape=_dense_shape, static="output_shape")
def sparse_to_dense(
    sparse_indices: Any, output_shape: Any, sparse_values: Any, default_value: Any, *, validate_indices: bool
) -> Any:
    """A tensor of `output_shape` that holds the values at their indices, and the default elsewhere.

    sparse_indices  [n, rank]; [n] or a scalar where the rank is 1
    raises          InvalidArgumentError for an index out of range, and for indices out of order or repeated if
                    `validate_indices`
    differs         a compiled program passes over indices out of range and does not check their order
    """
    at, sizes = static_shape(sparse_indices), tuple(int(d) for d in np.asarray(output_shape))
    if len(at) > 2:
        raise InvalidArgumentError(f"sparse_indices should be a scalar, vector, or matrix, got shape {_list(at)}")
    count, rank = (at[0] if at else 1), (at[1] if len(at) == 2 else 1)
    if len(sizes) != rank:
        raise InvalidArgumentError(f"output_shape has incorrect number of elements: {len(sizes)} should be: {rank}")
    values = static_shape(sparse_values)
    if values not in ((), (count,)):
        raise InvalidArgumentError(f"sparse_values has incorrect shape {_list(values)}, should be [] or [{count}]")
    xp = namespace(sparse_indices, sparse_values, default_value)
    indices = xp.reshape(sparse_indices, (count, rank))
    if xp is np:
        _check_places(indices, sizes, validate_indices)
        out = np.empty(sizes, sparse_values.dtype)
        out[...] = default_value
        out[tuple(indices.T)] = sparse_values
        return out
    out = xp.broadcast_to(xp.asarray(default_value), sizes)
    inside = xp.all(indices >= 0, axis=1, keepdims=True)
    indices = xp.where(inside, indices, np.array(sizes, indices.dtype))
    return out.at[tuple(indices[:, i] for i in range(rank))].set(sparse_values, mode="drop")


def _check_places(indices: Any, sizes: tuple[int, ...], ordered: bool) -> None:
    bad = first_outside(indices, sizes)
    if bad is not None:
        raise InvalidArgumentError(
            f"indices[{bad}] = {_list(indices[bad])} is out of bounds: need 0 <= index < {_list(sizes)}"
        )
    if not ordered:
        return
    steps = np.diff(linear(indices, sizes))
    wrong = np.flatnonzero(steps <= 0)
    if wrong.size:
        i = int(wrong[0]) + 1
        if steps[i - 1] == 0:
            raise InvalidArgumentError(f"indices[{i}] = {_list(indices[i])} is repeated")
        raise InvalidArgumentError(
            f"indices[{i}] = {_list(indices[i])} is out of order. Many sparse ops require sorted indices.",
            hint="put them in order with tf.sparse.reorder, or set validate_indices=False",
        )


@sparse_to_dense.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    indices, shape, _, _ = node.inputs
    values: Any = b.GatherNd(dy, indices)
    total: Any = b.reduce_sum(dy)
    default = total - b.reduce_sum(values)
    return [b.zeros_like(indices), b.zeros_like(shape), values, default]


def _product_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 2)
    with_rank(c, c.input(1), 1)
    a = with_rank(c, c.sizes(2), 2)
    b = with_rank(c, c.input(3), 2)
    rows, inner = (a[1], a[0]) if c.attr("adjoint_a", False) else a
    merge_dim(c, inner, b[1] if c.attr("adjoint_b", False) else b[0])
    return [(rows, b[0] if c.attr("adjoint_b", False) else b[1])]


@op("SparseTensorDenseMatMul", shape=_product_shape, static="a_shape")
def sparse_tensor_dense_mat_mul(
    a_indices: Any, a_values: Any, a_shape: Any, b: Any, *, adjoint_a: bool, adjoint_b: bool
) -> Any:
    """The matrix product of a sparse and a dense matrix, either conjugated and transposed first.

    a_indices  [n, 2]
    raises     InvalidArgumentError for an index out of range, and for inner dimensions that differ
    differs    a compiled program passes over indices out of range
    """
    if len(a_shape) != 2 or len(static_shape(b)) != 2:
        raise InvalidArgumentError(f"Tensors must be matrices, got shapes {_list(a_shape)} and {shape_text(b)}")
    xp = namespace(a_indices, a_values, b)
    rows, columns = int(a_shape[0]), int(a_shape[1])
    to, source = a_indices[:, 0], a_indices[:, 1]
    if adjoint_a:
        rows, columns, to, source, a_values = columns, rows, source, to, xp.conj(a_values)
    if adjoint_b:
        b = xp.conj(xp.swapaxes(b, 0, 1))
    if static_shape(b)[0] != columns:
        raise InvalidArgumentError(
            f"Cannot multiply A and B because inner dimension does not match: {columns} vs. {static_shape(b)[0]}. "
            f"Did you forget a transpose? Dimensions of A: {_list(a_shape)}. Dimensions of B: {shape_text(b)}"
        )
    if on_host(a_indices):
        for name, index, size in (("m", to, rows), ("k", source, columns)):
            bad = np.flatnonzero((index < 0) | (index >= size))
            if bad.size:
                place = int(name == "k") ^ int(adjoint_a)
                raise InvalidArgumentError(
                    f"{name} ({index[bad[0]]}) from index[{bad[0]},{place}] out of bounds (>={size})"
                )
    parts = xp.take(xp.asarray(b), source, axis=0) * a_values[:, None].astype(b.dtype)
    return scatter.scatter_rows("add", xp.zeros((rows, static_shape(b)[1]), b.dtype), to, parts)


@sparse_tensor_dense_mat_mul.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    indices, values, shape, dense = node.inputs
    adjoint_a, adjoint_b = node.get_attr("adjoint_a"), node.get_attr("adjoint_b")
    dense_grad = b.SparseTensorDenseMatMul(indices, values, shape, dy, adjoint_a=not adjoint_a)
    if adjoint_b:
        dense_grad = matrices.node_transpose(b, dense_grad, conjugate=True)
    to, source = (
        getitem(b, indices, (slice(None), 0)),
        getitem(b, indices, (slice(None), 1)),
    )
    if adjoint_a:
        to, source = source, to
    left = b.gather(dy, to)
    right = b.gather(b.transpose(dense) if adjoint_b else dense, source)
    # Row vectors or columns, so that the product is one number for each value.
    left = b.expand_dims(left, -1 if adjoint_a else -2)
    right = b.expand_dims(right, -1 if adjoint_a != adjoint_b else -2)
    product = b.matmul(left, right, adjoint_a=adjoint_a, adjoint_b=adjoint_a == adjoint_b)
    return [None, b.squeeze(product, axis=[-2, -1]), None, dense_grad]


def _same_as_dense(c: ShapeContext) -> list[Sizes]:
    return [c.input(3)]


@op("SparseTensorDenseAdd", shape=_same_as_dense)
def sparse_tensor_dense_add(a_indices: Any, a_values: Any, a_shape: Any, b: Any) -> Any:
    """The dense sum; values at equal indices all count.

    raises   InvalidArgumentError for shapes that differ, and for an index out of range
    differs  a compiled program passes over indices out of range
    """
    sizes = static_shape(b)
    if static_shape(a_shape)[0] != len(sizes):
        raise InvalidArgumentError(
            f"Two operands must have the same ranks; got: {static_shape(a_shape)[0]} vs. {len(sizes)}"
        )
    if on_host(a_indices, a_shape):
        for i, (x, y) in enumerate(zip(a_shape, sizes, strict=True)):
            if x != y:
                raise InvalidArgumentError(
                    f"Dimension {i} does not equal (no broadcasting is supported): sparse side {x} vs dense side {y}"
                )
        bad = first_outside(a_indices, sizes)
        if bad is not None:
            d = int(np.argmax((a_indices[bad] < 0) | (a_indices[bad] >= np.array(sizes))))
            raise InvalidArgumentError(
                f"Sparse tensor has an invalid index on dimension {d}: a_indices({bad},{d}) = {a_indices[bad, d]}, "
                f"dense tensor shape: {_list(sizes)}"
            )
    return scatter.scatter_nd("add", b, a_indices, a_values)


@sparse_tensor_dense_add.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [None, b.GatherNd(dy, node.inputs[0]), None, dy]


def _values_shape(c: ShapeContext) -> list[Sizes]:
    indices = with_rank(c, c.input(0), 2)
    return [(indices[0],)]


def _spread(sp_indices: Any, sp_shape: Any, dense: Any) -> Any:
    """The dense tensor, broadcast to the sparse one's shape, at the sparse one's indices."""
    sizes, rank = static_shape(dense), static_shape(sp_shape)[0]
    fits = len(sizes) <= rank
    if fits and on_host(sp_shape):
        fits = all(d in (1, s) for d, s in zip(sizes[::-1], sp_shape[::-1], strict=False))
    if not fits:
        seen = _list(sp_shape) if on_host(sp_shape) else f"of rank {rank}"
        raise InvalidArgumentError(
            f"SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: {seen} vs. "
            f"{_list(sizes)}"
        )
    keep = np.array([d != 1 for d in sizes], sp_indices.dtype)
    return gather.gather_nd(dense, sp_indices[:, rank - len(sizes) :] * keep)


@op("SparseDenseCwiseAdd", shape=_values_shape)
def sparse_dense_cwise_add(sp_indices: Any, sp_values: Any, sp_shape: Any, dense: Any) -> Any:
    """The values of the sum at the sparse tensor's indices; the dense tensor is broadcast."""
    return sp_values + _spread(sp_indices, sp_shape, dense)


@op("SparseDenseCwiseMul", shape=_values_shape)
def sparse_dense_cwise_mul(sp_indices: Any, sp_values: Any, sp_shape: Any, dense: Any) -> Any:
    """The values of the product; the dense tensor is broadcast."""
    return sp_values * _spread(sp_indices, sp_shape, dense)


@op("SparseDenseCwiseDiv", shape=_values_shape)
def sparse_dense_cwise_div(sp_indices: Any, sp_values: Any, sp_shape: Any, dense: Any) -> Any:
    """The values of the quotient, truncated for integers; the dense tensor is broadcast."""
    by = _spread(sp_indices, sp_shape, dense)
    if np.dtype(by.dtype).kind not in "iu":
        return sp_values / by
    xp = namespace(sp_values, by)
    if xp is np and (by == 0).any():
        raise InvalidArgumentError("Integer division by zero")
    quotient = abs(sp_values) // abs(by)
    return xp.where((sp_values < 0) != (by < 0), -quotient, quotient).astype(by.dtype)


def _cwise_gradient(b: Builder, node: Operation, dy: Any, product: bool) -> list[Any]:
    indices, values, shape, dense = node.inputs
    dense_shape: Any = b.cast(b.shape(dense), dtypes.int64)
    rank: Any = b.size(shape)
    added = b.expand_dims(rank - b.size(dense_shape), 0)
    padded = b.concat([b.ones(added, dtypes.int64), dense_shape], 0)
    sizes: Any = shape
    scaling = sizes // padded
    places: Any = indices
    places = places // scaling
    places = b.Slice(places, b.concat([[0], added], 0), [-1, -1])
    at: Any = b.GatherNd(dense, places)
    if product:
        d_values, d_dense = dy * at, dy * values
    else:
        held: Any = values
        d_values, d_dense = dy / at, dy * (-held / b.Square(at))
    back = b.SparseTensorDenseAdd(places, d_dense, dense_shape, b.zeros_like(dense))
    return [None, d_values, None, back]


@sparse_dense_cwise_mul.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return _cwise_gradient(b, node, dy, True)


@sparse_dense_cwise_div.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return _cwise_gradient(b, node, dy, False)
