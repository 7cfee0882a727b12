"""Sparse tensors reduced, multiplied, compared, and put into one piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.v1._array import transpose
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import reduction_axes as axes_of
from regraft.v1._sparse_tensor import SparseTensor, as_sparse, is_sparse, parts


def _reduction(op_type: str, doc: str) -> Callable[..., Any]:
    def function(
        sp_input: Any, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
    ) -> Any:
        keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
        axis = renamed("axis", axis, "reduction_axes", reduction_axes)
        axes = axes_of(sp_input, axis)
        out = on(*parts(sp_input)).op(op_type, *parts(sp_input), axes, keep_dims=bool(keepdims))
        return SparseTensor(*out) if op_type.endswith("Sparse") else out

    function.__doc__ = f"{doc} of the values along axes, by default all of them, as a "
    function.__doc__ += "sparse tensor." if op_type.endswith("Sparse") else "dense tensor."
    return function


reduce_sum = _reduction("SparseReduceSum", "The sum")
reduce_sum_sparse = _reduction("SparseReduceSumSparse", "The sum")
reduce_max = _reduction("SparseReduceMax", "The largest")
reduce_max_sparse = _reduction("SparseReduceMaxSparse", "The largest")


def matmul(sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None) -> Any:
    """The product of a sparse matrix and a dense one, in either order, as a dense matrix."""
    if is_sparse(b):
        flipped = (adjoint_a, adjoint_b) if adjoint_a != adjoint_b else (not adjoint_a, not adjoint_b)
        return transpose(matmul(b, sp_a, *flipped))
    sparse = as_sparse(sp_a)
    with opened(name, "SparseTensorDenseMatMul", sparse.indices, sparse.values, b) as (build, _):
        dense = build.convert(b, name="b")
        return build.SparseTensorDenseMatMul(*parts(sparse), dense, adjoint_a=adjoint_a, adjoint_b=adjoint_b)


def softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Softmax over the values of each row of the last dimension."""
    with opened(name, "SparseSoftmax", sp_input.indices, sp_input.values) as (b, _):
        return SparseTensor(sp_input.indices, b.SparseSoftmax(*parts(sp_input)), sp_input.dense_shape)


def _extreme(op_type: str, doc: str) -> Callable[..., SparseTensor]:
    def function(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
        with opened(name, op_type, sp_a.indices, sp_a.values, sp_b.indices, sp_b.values) as (b, scope):
            indices, values = b.op(op_type, *parts(sp_a), *parts(sp_b), name=scope)
        return SparseTensor(indices, values, sp_a.dense_shape)

    function.__doc__ = f"{doc} of two sparse tensors at each place; where one has no value it is 0."
    return function


maximum = _extreme("SparseSparseMaximum", "The larger")
minimum = _extreme("SparseSparseMinimum", "The smaller")


def _serializer(op_type: str, doc: str) -> Callable[..., Any]:
    def function(sp_input: Any, name: str | None = None, out_type: Any = dtypes.string) -> Any:
        sparse = as_sparse(sp_input)
        return on(*parts(sparse)).op(op_type, *parts(sparse), out_type=out_type, name=name)

    function.__doc__ = doc
    return function


serialize_sparse = _serializer("SerializeSparse", "The sparse tensor as three strings, [3].")
serialize_many_sparse = _serializer(
    "SerializeManySparse", "What stands at each place of the first dimension as three strings, [places, 3]."
)


def _deserializer(op_type: str, doc: str) -> Callable[..., SparseTensor]:
    def function(serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None) -> SparseTensor:
        indices, values, shape = on(serialized_sparse).op(op_type, serialized_sparse, dtype=dtype, name=name)
        indices.set_shape([None, rank])
        shape.set_shape([rank])
        return SparseTensor(indices, values, shape)

    function.__doc__ = doc
    return function


deserialize_sparse = _deserializer("DeserializeSparse", "One sparse tensor of serialized ones [..., 3].")
deserialize_many_sparse = _deserializer(
    "DeserializeManySparse", "Serialized sparse tensors [n, 3] stacked along a new first dimension."
)
