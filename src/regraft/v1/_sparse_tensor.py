"""SparseTensor: a tensor by its places, their values, and its shape; and its value as a session gives it."""

from __future__ import annotations

from typing import Any, NamedTuple

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.opkit.constant import constant_sizes
from regraft.session.fetches import register_conversion
from regraft.v1._opening import on, opened

__all__ = ["SparseTensor", "SparseTensorValue", "convert_to_tensor_or_sparse_tensor"]


class SparseTensorValue(NamedTuple):
    """The value of a sparse tensor: int64 places [n, rank], values [n], int64 shape [rank]."""

    indices: Any
    values: Any
    dense_shape: Any


class SparseTensor:
    """A sparse tensor.

    indices      [n, rank] int64, a place a row
    values       [n], what stands at these places
    dense_shape  [rank] int64

    Each may be a tensor or what becomes one. ValueError for shapes that do not fit together.
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        with opened(None, "SparseTensor", indices, values, dense_shape) as (b, _):
            self._indices: Tensor = b.convert(indices, dtypes.int64, name="indices")
            self._values: Tensor = b.convert(values, name="values")
            self._dense_shape: Tensor = b.convert(dense_shape, dtypes.int64, name="dense_shape")
        self._shape = static_shape(self._dense_shape)
        places = self._indices.shape.with_rank(2)
        places[0].assert_is_compatible_with(self._values.shape.with_rank(1)[0])
        places[1].assert_is_compatible_with(self._dense_shape.shape.with_rank(1)[0])

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """The sparse tensor of a value's constants. TypeError for anything else."""
        if not isinstance(sparse_tensor_value, (SparseTensor, SparseTensorValue)):
            raise TypeError(
                f"Argument sparse_tensor_value={sparse_tensor_value} is neither a SparseTensor nor SparseTensorValue."
            )
        return cls(*parts(sparse_tensor_value))

    @property
    def indices(self) -> Tensor:
        return self._indices

    @property
    def values(self) -> Tensor:
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape."""
        return self._shape

    def get_shape(self) -> TensorShape:
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Merge what is known of the shape with `shape`. ValueError if they differ."""
        self._shape = self._shape.merge_with(TensorShape(shape))

    def with_values(self, new_values: Any) -> SparseTensor:
        """Other values at the same places."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    @property
    def op(self) -> Operation:
        """The operation that makes the values."""
        return self._values.op

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def graph(self) -> Graph:
        return self._indices.graph

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """The value, from `session` or the default session. ValueError if there is none."""
        from regraft.v1._session import evaluate

        return evaluate(self, feed_dict, session)

    def consumers(self) -> list[Operation]:
        """The operations that take a part of it."""
        found = [op for t in parts(self) for op in t.consumers()]
        return list(dict.fromkeys(found))

    def __mul__(self, other: Any) -> SparseTensor:
        return self._with_dense("SparseDenseCwiseMul", other, "mul")

    def __truediv__(self, other: Any) -> SparseTensor:
        return self._with_dense("SparseDenseCwiseDiv", other, "truediv")

    def __div__(self, other: Any) -> SparseTensor:
        return self._with_dense("SparseDenseCwiseDiv", other, "div")

    def _with_dense(self, op_type: str, other: Any, name: str) -> SparseTensor:
        with opened(None, name, *parts(self), other) as (b, scope):
            dense = b.convert(other, self.dtype.base, name="y")
            return self.with_values(b.op(op_type, *parts(self), dense, name=scope))

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"


def static_shape(dense_shape: Tensor) -> TensorShape:
    """What is known of the shape that a 1-D tensor holds."""
    return TensorShape.of(constant_sizes(dense_shape))


def parts(sparse: Any) -> tuple[Any, Any, Any]:
    """The three parts of a sparse tensor or value."""
    return sparse.indices, sparse.values, sparse.dense_shape


def is_sparse(value: Any) -> bool:
    """Whether it is a sparse tensor or the value of one."""
    return isinstance(value, (SparseTensor, SparseTensorValue))


def as_sparse(value: Any) -> SparseTensor:
    """The sparse tensor that a value stands for. TypeError if it stands for none."""
    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        raise TypeError(f"Input must be a SparseTensor, not {type(value).__name__}: {value!r}")
    return value


def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A sparse tensor as it is (or of a SparseTensorValue); anything else as a tensor.

    raises RuntimeError if a sparse tensor has another type than `dtype`
    """
    if not is_sparse(value):
        return on(value).convert(value, None if dtype is None else as_dtype(dtype), name=name)
    sparse = as_sparse(value)
    if dtype is not None and not as_dtype(dtype).is_compatible_with(sparse.dtype):
        raise RuntimeError(f"Sparse dtype mismatch. Requested: {as_dtype(dtype).name},  Actual: {sparse.dtype.name}")
    return sparse


def _fetch(sparse: SparseTensor) -> Any:
    return list(parts(sparse)), lambda values: SparseTensorValue(*values)


def _feed(sparse: SparseTensor, value: Any) -> list[tuple[Any, Any]]:
    given = parts(value) if isinstance(value, SparseTensorValue) else tuple(value)
    if len(given) != 3:
        raise ValueError(
            f"the value of a SparseTensor has three parts (indices, values, dense_shape), not {len(given)}"
        )
    return list(zip(parts(sparse), given, strict=True))


register_conversion(SparseTensor, _fetch, _feed)
