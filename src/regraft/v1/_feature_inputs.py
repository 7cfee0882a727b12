"""Features by name, as tensors, and what columns make of them: each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from regraft.base import dtypes
from regraft.v1._array import expand_dims, rank, shape
from regraft.v1._checks import assert_positive
from regraft.v1._graph import name_scope
from regraft.v1._indexing import gather_nd, where
from regraft.v1._math import cast, equal, not_equal
from regraft.v1._sparse import reshape_ as sparse_reshape
from regraft.v1._sparse_cond import cond_of
from regraft.v1._sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor, is_sparse

__all__: list[str] = []


class IdWeightPair(NamedTuple):
    """What a categorical column gives: sparse ids, and sparse weights or None."""

    id_tensor: Any
    weight_tensor: Any


class FeatureColumn:
    """What a model takes as one of its inputs, from one or more features.

    A subclass defines `name`, `_transform_feature(inputs)` and `_parse_example_spec`.
    """

    @property
    def name(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} has no name")

    @property
    def _var_scope_name(self) -> str:
        return self.name

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not transform features")

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} does not say how its features are parsed")


class LazyBuilder:
    """Features, and columns of them that were asked for already."""

    def __init__(self, features: Mapping[str, Any]) -> None:
        self._features = dict(features)
        self._found: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        """The tensor of a feature (a string), with at least two dimensions, or what a column makes of its features.

        raises  ValueError for a feature that is not there, or a scalar; TypeError for anything else
        """
        if key in self._found:
            return self._found[key]
        if key in self._features:
            value = self._raw(key)
        elif isinstance(key, str):
            raise ValueError(f"Feature {key} is not in features dictionary.")
        elif isinstance(key, FeatureColumn):
            value = key._transform_feature(self)
            if value is None:
                raise ValueError(f"Column {key.name} is not supported.")
        else:
            raise TypeError(f'"key" must be either a "str" or "_FeatureColumn". Provided: {key}')
        self._found[key] = value
        return value

    def _raw(self, key: str) -> Any:
        tensor = convert_to_tensor_or_sparse_tensor(self._features[key])
        ndims = tensor.get_shape().ndims
        scalar = f"Feature (key: {key}) cannot have rank 0. Given: {tensor}"
        if ndims == 0:
            raise ValueError(scalar)
        if ndims is not None:
            return _as_matrix(tensor) if ndims == 1 else tensor
        check = assert_positive(rank(tensor), message=scalar)
        with tensor.graph.control_dependencies([check]):
            return cond_of(tensor, equal(1, rank(tensor)), lambda: _as_matrix(tensor), lambda: tensor)


def _as_matrix(tensor: Any) -> Any:
    if is_sparse(tensor):
        return sparse_reshape(tensor, [shape(tensor)[0], 1])
    return expand_dims(tensor, -1)


def to_sparse(tensor: Any, ignore_value: Any = None) -> SparseTensor:
    """The sparse tensor of what is not `ignore_value`: "" for strings, -1 for integers, 0 for floats."""
    tensor = convert_to_tensor_or_sparse_tensor(tensor)
    if is_sparse(tensor):
        found: SparseTensor = tensor
        return found
    with name_scope(None, "to_sparse_input", (tensor, ignore_value)):
        if ignore_value is None:
            kind = tensor.dtype.base
            ignore_value = "" if kind is dtypes.string else -1 if kind.is_integer else kind.numpy.type()
        ignore_value = cast(ignore_value, tensor.dtype, name="ignore_value")
        indices = where(not_equal(tensor, ignore_value), name="indices")
        return SparseTensor(
            indices=indices,
            values=gather_nd(tensor, indices, name="values"),
            dense_shape=shape(tensor, out_type=dtypes.int64, name="dense_shape"),
        )


def check_string_or_int(dtype: Any, prefix: str) -> None:
    """ValueError for other types."""
    if dtype.base is not dtypes.string and not dtype.is_integer:
        raise ValueError(f"{prefix} dtype must be string or integer. dtype: {dtype}.")


def check_key(key: Any) -> None:
    """ValueError unless the key is a string."""
    if not isinstance(key, str):
        raise ValueError(f"key must be a string. Got: type {type(key)}. Given key: {key}.")
