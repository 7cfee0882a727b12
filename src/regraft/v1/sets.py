"""tf.sets: each row along the last dimension is a set; results are sparse."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._opening import on
from regraft.v1._sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor, parts

__all__ = [
    "difference",
    "intersection",
    "set_difference",
    "set_intersection",
    "set_size",
    "set_union",
    "size",
    "union",
]

_TYPES = (
    *(dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64),
    *(dtypes.uint8, dtypes.uint16, dtypes.string),
)


def size(a: Any, validate_indices: bool = True) -> Any:
    """How many distinct values each row of a sparse tensor has, int32. TypeError for a dense one."""
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if not isinstance(a, SparseTensor):
        raise TypeError(f"Expected `SparseTensor`, got {a}.")
    if a.dtype.base not in _TYPES:
        raise TypeError(f"Invalid dtype `{a.dtype}` not in supported dtypes: `{_TYPES}`.")
    return on(*parts(a)).SetSize(*parts(a), validate_indices=validate_indices)


def _operands(a: Any, b: Any) -> tuple[Any, Any, bool]:
    """Both as tensors, a dense one first, and whether they changed places."""
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if a.dtype.base not in _TYPES:
        raise TypeError(f"'a' has invalid dtype `{a.dtype}` not in supported dtypes: `{_TYPES}`.")
    b = convert_to_tensor_or_sparse_tensor(b, name="b")
    if b.dtype.base is not a.dtype.base:
        raise TypeError(f"Types don't match, {a.dtype} vs {b.dtype}.")
    if isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        return b, a, True
    return a, b, False


def _operation(a: Any, b: Any, kind: str, validate_indices: bool) -> SparseTensor:
    options = {"set_operation": kind, "validate_indices": validate_indices}
    if isinstance(a, SparseTensor):
        out = on(*parts(a), *parts(b)).SparseToSparseSetOperation(*parts(a), *parts(b), **options)
    elif isinstance(b, SparseTensor):
        out = on(a, *parts(b)).DenseToSparseSetOperation(a, *parts(b), **options)
    else:
        out = on(a, b).DenseToDenseSetOperation(a, b, **options)
    return SparseTensor(*out)


def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What the rows of both have."""
    a, b, _ = _operands(a, b)
    return _operation(a, b, "intersection", validate_indices)


def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """What the rows of the first have and those of the second have not; the reverse without `aminusb`."""
    a, b, flipped = _operands(a, b)
    return _operation(a, b, "a-b" if aminusb != flipped else "b-a", validate_indices)


def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What the rows of one or both have."""
    a, b, _ = _operands(a, b)
    return _operation(a, b, "union", validate_indices)


set_size, set_intersection, set_difference, set_union = size, intersection, difference, union
