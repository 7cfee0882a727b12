"""Columns of categories: ids from strings and integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.v1 import _context
from regraft.v1._array import fill, shape
from regraft.v1._feature_inputs import (
    FeatureColumn,
    IdWeightPair,
    LazyBuilder,
    check_key,
    check_string_or_int,
    to_sparse,
)
from regraft.v1._math import cast
from regraft.v1._opening import on
from regraft.v1._parsing_features import VarLenFeature
from regraft.v1._sparse import cross_hashed
from regraft.v1._sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor, is_sparse

__all__ = [
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list",
    "crossed_column",
    "weighted_categorical_column",
]


class CategoricalColumn(FeatureColumn):
    """A column of ids from 0 to `_num_buckets` - 1, as a sparse tensor."""

    @property
    def _num_buckets(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} does not say how many ids there are")

    def _get_sparse_tensors(self, inputs: LazyBuilder, weight_collections: Any = None, trainable: Any = None) -> Any:
        """The ids, and their weights or None."""
        return IdWeightPair(inputs.get(self), None)


@dataclass(frozen=True)
class _OfKey(CategoricalColumn):
    key: str

    @property
    def name(self) -> str:
        return self.key

    @property
    def _dtype(self) -> DType:
        return dtypes.int64

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        return {self.key: VarLenFeature(self._dtype)}

    def _values(self, inputs: LazyBuilder) -> SparseTensor:
        """The feature, sparse. ValueError where it is of another type than the column."""
        tensor = to_sparse(inputs.get(self.key))
        check_string_or_int(tensor.dtype, f"column_name: {self.key} input_tensor")
        if self._dtype.is_integer != tensor.dtype.is_integer:
            raise ValueError(
                f"Column dtype and SparseTensors dtype must be compatible. key: {self.key}, "
                f"column dtype: {self._dtype}, tensor dtype: {tensor.dtype}"
            )
        return tensor


@dataclass(frozen=True)
class HashedCategoricalColumn(_OfKey):
    """Ids by a hash."""

    hash_bucket_size: int
    dtype: DType

    @property
    def _dtype(self) -> DType:
        return self.dtype

    @property
    def _num_buckets(self) -> int:
        return self.hash_bucket_size

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        tensor = self._values(inputs)
        b = on(tensor.values)
        words = tensor.values if self.dtype.base is dtypes.string else b.AsString(tensor.values)
        ids = b.StringToHashBucketFast(words, num_buckets=self.hash_bucket_size, name="lookup")
        return SparseTensor(tensor.indices, ids, tensor.dense_shape)


@dataclass(frozen=True)
class _Looked(_OfKey):
    """Ids by a table."""

    def _table(self, kind: DType) -> Any:
        raise NotImplementedError

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        tensor = self._values(inputs)
        kind = self._dtype
        if tensor.dtype.is_integer:
            kind = dtypes.int64
            tensor = cast(tensor, dtypes.int64)
        with _context.get_default_graph().control_dependencies(None):
            table = self._table(kind)
        return table.lookup(tensor)


@dataclass(frozen=True)
class VocabularyFileCategoricalColumn(_Looked):
    """Ids by the lines of a file."""

    vocabulary_file: str
    vocabulary_size: int
    num_oov_buckets: int
    dtype: DType
    default_value: int

    @property
    def _dtype(self) -> DType:
        return self.dtype

    @property
    def _num_buckets(self) -> int:
        return self.vocabulary_size + self.num_oov_buckets

    def _table(self, kind: DType) -> Any:
        from regraft.v1._lookup_tables import index_table_from_file

        return index_table_from_file(
            vocabulary_file=self.vocabulary_file,
            num_oov_buckets=self.num_oov_buckets,
            vocab_size=self.vocabulary_size,
            default_value=self.default_value,
            key_dtype=kind,
            name=f"{self.key}_lookup",
        )


@dataclass(frozen=True)
class VocabularyListCategoricalColumn(_Looked):
    """Ids by a list of words."""

    vocabulary_list: tuple[Any, ...]
    dtype: DType
    default_value: int
    num_oov_buckets: int

    @property
    def _dtype(self) -> DType:
        return self.dtype

    @property
    def _num_buckets(self) -> int:
        return len(self.vocabulary_list) + self.num_oov_buckets

    def _table(self, kind: DType) -> Any:
        from regraft.v1._lookup_tables import index_table_from_tensor

        return index_table_from_tensor(
            vocabulary_list=self.vocabulary_list,
            default_value=self.default_value,
            num_oov_buckets=self.num_oov_buckets,
            dtype=kind,
            name=f"{self.key}_lookup",
        )


@dataclass(frozen=True)
class IdentityCategoricalColumn(_OfKey):
    """Integers that are ids themselves."""

    number_buckets: int
    default_value: int | None

    @property
    def _num_buckets(self) -> int:
        return self.number_buckets

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        tensor = to_sparse(inputs.get(self.key))
        if not tensor.dtype.is_integer:
            raise ValueError(f"Invalid input, not integer. key: {self.key} dtype: {tensor.dtype}")
        b = on(tensor.values)
        values: Any = tensor.values
        if values.dtype.base is not dtypes.int64:
            values = cast(values, dtypes.int64, name="values")
        if self.default_value is not None:
            values = cast(tensor.values, dtypes.int64, name="values")
            count = cast(self.number_buckets, dtypes.int64, name="num_buckets")
            zero = cast(0, dtypes.int64, name="zero")
            outside = b.LogicalOr(values < zero, values >= count, name="out_of_range")
            sizes = shape(values)
            default = cast(self.default_value, dtypes.int64)
            values = b.SelectV2(outside, fill(sizes, default, name="default_values"), values)
        return SparseTensor(tensor.indices, values, tensor.dense_shape)


@dataclass(frozen=True)
class WeightedCategoricalColumn(CategoricalColumn):
    """Another column with weights from a feature."""

    categorical_column: Any
    weight_feature_key: str
    dtype: DType

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        config: dict[str, Any] = self.categorical_column._parse_example_spec
        if self.weight_feature_key in config:
            raise ValueError(
                f"Parse config {config[self.weight_feature_key]} already exists for {self.weight_feature_key}."
            )
        return {**config, self.weight_feature_key: VarLenFeature(self.dtype)}

    @property
    def _num_buckets(self) -> int:
        found: int = self.categorical_column._num_buckets
        return found

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        weights = convert_to_tensor_or_sparse_tensor(inputs.get(self.weight_feature_key))
        if self.dtype is not weights.dtype.base:
            raise ValueError(f"Bad dtype, expected {self.dtype}, but got {weights.dtype}.")
        if not is_sparse(weights):
            weights = to_sparse(weights, ignore_value=0.0)
        if not weights.dtype.is_floating:
            weights = cast(weights, dtypes.float32)
        return inputs.get(self.categorical_column), weights

    def _get_sparse_tensors(self, inputs: LazyBuilder, weight_collections: Any = None, trainable: Any = None) -> Any:
        return IdWeightPair(*inputs.get(self))


@dataclass(frozen=True)
class CrossedColumn(CategoricalColumn):
    """A hash of the values of several features together."""

    keys: tuple[Any, ...]
    hash_bucket_size: int
    hash_key: int | None

    def _leaves(self) -> list[Any]:
        found: list[Any] = []
        for key in self.keys:
            found.extend(key._leaves() if isinstance(key, CrossedColumn) else [key])
        return found

    @property
    def name(self) -> str:
        return "_X_".join(sorted(key if isinstance(key, str) else key.name for key in self._leaves()))

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        config: dict[str, Any] = {}
        for key in self.keys:
            config.update({key: VarLenFeature(dtypes.string)} if isinstance(key, str) else key._parse_example_spec)
        return config

    @property
    def _num_buckets(self) -> int:
        return self.hash_bucket_size

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        tensors = []
        for key in self._leaves():
            if isinstance(key, str):
                tensors.append(inputs.get(key))
                continue
            found = key._get_sparse_tensors(inputs)
            if found.weight_tensor is not None:
                raise ValueError(
                    "crossed_column does not support weight_tensor, but the given column populates weight_tensor. "
                    f"Given column: {key.name}"
                )
            tensors.append(found.id_tensor)
        return cross_hashed(inputs=tensors, num_buckets=self.hash_bucket_size, hash_key=self.hash_key)


# As programs make them


def categorical_column_with_hash_bucket(key: str, hash_bucket_size: int, dtype: Any = dtypes.string) -> Any:
    """Strings or integers, as ids by a hash: different values may share one."""
    if hash_bucket_size is None:
        raise ValueError(f"hash_bucket_size must be set. key: {key}")
    if hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    check_key(key)
    kind = as_dtype(dtype)
    check_string_or_int(kind, f"column_name: {key}")
    return HashedCategoricalColumn(key, hash_bucket_size, kind)


def _check_oov(key: str, num_oov_buckets: int | None, default_is_given: bool) -> None:
    if num_oov_buckets:
        if default_is_given:
            raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
        if num_oov_buckets < 0:
            raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}.")


def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str,
    vocabulary_size: int | None = None,
    num_oov_buckets: int | None = 0,
    default_value: int | None = None,
    dtype: Any = dtypes.string,
) -> Any:
    """Strings or integers, as ids by the lines of a file.

    vocabulary_size  how many lines count; None for all, which are counted now
    num_oov_buckets  ids for what is not in the file, by a hash
    default_value    the id for what is not in the file, else -1
    """
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    if vocabulary_size is None:
        from regraft.v1 import gfile

        if not gfile.Exists(vocabulary_file):
            raise ValueError(f"vocabulary_file in {key} does not exist.")
        with gfile.GFile(vocabulary_file, mode="rb") as f:
            vocabulary_size = sum(1 for _ in f)
    if vocabulary_size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}.")
    _check_oov(key, num_oov_buckets, default_value is not None)
    kind = as_dtype(dtype)
    check_string_or_int(kind, f"column_name: {key}")
    check_key(key)
    default = -1 if default_value is None else default_value
    return VocabularyFileCategoricalColumn(key, vocabulary_file, vocabulary_size, num_oov_buckets or 0, kind, default)


def categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Any, dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> Any:
    """Strings or integers, as ids by their places in a list; what is not in it as for a file."""
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    if len(set(vocabulary_list)) != len(vocabulary_list):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    found = as_dtype(np.array(vocabulary_list).dtype)
    _check_oov(key, num_oov_buckets, default_value != -1)
    check_string_or_int(found, f"column_name: {key} vocabulary")
    kind = found if dtype is None else as_dtype(dtype)
    if kind.is_integer != found.is_integer:
        raise ValueError(f"dtype {kind} and vocabulary dtype {found} do not match, column_name: {key}")
    check_string_or_int(kind, f"column_name: {key}")
    check_key(key)
    return VocabularyListCategoricalColumn(key, tuple(vocabulary_list), kind, default_value, num_oov_buckets)


def categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> Any:
    """Integers from 0 to num_buckets - 1; others fail, or are `default_value`."""
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    check_key(key)
    return IdentityCategoricalColumn(key, num_buckets, default_value)


def weighted_categorical_column(categorical_column: Any, weight_feature_key: str, dtype: Any = dtypes.float32) -> Any:
    """A categorical column with weights from the feature `weight_feature_key`."""
    kind = None if dtype is None else as_dtype(dtype)
    if kind is None or not (kind.is_integer or kind.is_floating):
        raise ValueError(f"dtype {dtype} is not convertible to float.")
    return WeightedCategoricalColumn(categorical_column, weight_feature_key, kind)


def crossed_column(keys: Any, hash_bucket_size: int, hash_key: int | None = None) -> Any:
    """Combinations of features (their names) and categorical columns, as ids by a hash."""
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise ValueError(
                "Unsupported key type. All keys must be either string, or categorical column except "
                f"HashedCategoricalColumn. Given: {key}"
            )
        if isinstance(key, HashedCategoricalColumn):
            raise ValueError(
                "categorical_column_with_hash_bucket is not supported for crossing. Hashing before crossing will "
                f"increase probability of collision. Instead, use the feature name as a string. Given: {key}"
            )
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key)
