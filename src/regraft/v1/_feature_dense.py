"""Columns of numbers: numeric features, buckets of them, indicators and embeddings of categories."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._array import expand_dims, reshape, shape, stack, transpose
from regraft.v1._feature_categorical import CategoricalColumn, WeightedCategoricalColumn
from regraft.v1._feature_inputs import FeatureColumn, IdWeightPair, LazyBuilder, check_key
from regraft.v1._graph import name_scope
from regraft.v1._indexing import one_hot
from regraft.v1._math import cast
from regraft.v1._nn_embedding_sparse import embedding_lookup_sparse, safe_embedding_lookup_sparse
from regraft.v1._opening import on
from regraft.v1._parsing_features import FixedLenFeature
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_sum
from regraft.v1._sparse import merge, to_dense
from regraft.v1._sparse import slice as sparse_slice
from regraft.v1._sparse_tensor import SparseTensor, is_sparse
from regraft.v1._variable_scope import get_variable
from regraft.variables.initializers import TruncatedNormal

__all__ = [
    "bucketized_column",
    "embedding_column",
    "indicator_column",
    "numeric_column",
    "shared_embedding_columns",
]


class DenseColumn(FeatureColumn):
    """A column of numbers, [batch, *_variable_shape]."""

    @property
    def _variable_shape(self) -> TensorShape:
        raise NotImplementedError(f"{type(self).__name__} does not say its shape")

    def _get_dense_tensor(self, inputs: LazyBuilder, weight_collections: Any = None, trainable: Any = None) -> Any:
        """The numbers."""
        return inputs.get(self)


@dataclass(frozen=True)
class NumericColumn(DenseColumn):
    """A feature of numbers."""

    key: str
    shape: tuple[int, ...]
    default_value: Any
    dtype: DType
    normalizer_fn: Any

    @property
    def name(self) -> str:
        return self.key

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        return {self.key: FixedLenFeature(self.shape, self.dtype, self.default_value)}

    @property
    def _variable_shape(self) -> TensorShape:
        return TensorShape(self.shape)

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        tensor = inputs.get(self.key)
        if is_sparse(tensor):
            raise ValueError(
                "The corresponding Tensor of numerical column must be a Tensor. SparseTensor is not supported. "
                f"key: {self.key}"
            )
        if self.normalizer_fn is not None:
            tensor = self.normalizer_fn(tensor)
        return cast(tensor, dtypes.float32)


@dataclass(frozen=True)
class BucketizedColumn(DenseColumn, CategoricalColumn):
    """Which of the ranges between boundaries a number is in."""

    source_column: NumericColumn
    boundaries: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"{self.source_column.name}_bucketized"

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        return self.source_column._parse_example_spec

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        source = inputs.get(self.source_column)
        return on(source).Bucketize(source, boundaries=list(self.boundaries))

    @property
    def _variable_shape(self) -> TensorShape:
        return TensorShape([*self.source_column.shape, len(self.boundaries) + 1])

    def _get_dense_tensor(self, inputs: LazyBuilder, weight_collections: Any = None, trainable: Any = None) -> Any:
        buckets = cast(inputs.get(self), dtypes.int64)
        return one_hot(buckets, depth=len(self.boundaries) + 1, on_value=1.0, off_value=0.0)

    @property
    def _num_buckets(self) -> int:
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    def _get_sparse_tensors(self, inputs: LazyBuilder, weight_collections: Any = None, trainable: Any = None) -> Any:
        buckets = inputs.get(self)
        b = on(buckets)
        batch = shape(buckets)[0]
        width = self.source_column.shape[0]
        rows = reshape(b.Tile(expand_dims(range_(0, batch), 1), [1, width]), (-1,))
        columns = b.Tile(range_(0, width), [batch])
        ids = reshape(buckets, (-1,)) + (len(self.boundaries) + 1) * columns
        indices = cast(transpose(stack((rows, columns))), dtypes.int64)
        sizes = cast(stack([batch, width]), dtypes.int64)
        return IdWeightPair(SparseTensor(indices, ids, sizes), None)


@dataclass(frozen=True)
class IndicatorColumn(DenseColumn):
    """How often each category stands in the feature."""

    categorical_column: Any

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_indicator"

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        found: dict[str, Any] = self.categorical_column._parse_example_spec
        return found

    @property
    def _variable_shape(self) -> TensorShape:
        return TensorShape([1, self.categorical_column._num_buckets])

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        ids, weights = self.categorical_column._get_sparse_tensors(inputs)
        count = self.categorical_column._num_buckets
        if weights is not None:
            weighted = merge(sp_ids=ids, sp_values=weights, vocab_size=int(count))
            weighted = sparse_slice(weighted, [0, 0], weighted.dense_shape)
            return on(weighted.values).ScatterNd(weighted.indices, weighted.values, weighted.dense_shape)
        dense = to_dense(ids, default_value=-1)
        return reduce_sum(one_hot(dense, depth=count, on_value=1.0, off_value=0.0), axis=[-2])


@dataclass(frozen=True)
class EmbeddingColumn(DenseColumn):
    """A vector for each category, combined over the categories of an item."""

    categorical_column: Any
    dimension: int
    combiner: str
    initializer: Any
    ckpt_to_load_from: str | None
    tensor_name_in_ckpt: str | None
    max_norm: float | None
    trainable: bool
    use_safe_embedding_lookup: bool

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_embedding"

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        found: dict[str, Any] = self.categorical_column._parse_example_spec
        return found

    def _transform_feature(self, inputs: LazyBuilder) -> Any:
        return inputs.get(self.categorical_column)

    @property
    def _variable_shape(self) -> TensorShape:
        return TensorShape([self.dimension])

    def _get_dense_tensor(self, inputs: LazyBuilder, weight_collections: Any = None, trainable: Any = None) -> Any:
        found = self.categorical_column._get_sparse_tensors(inputs, weight_collections, trainable)
        return self._looked_up(found, self._weights(weight_collections, trainable))

    def _weights(self, weight_collections: Any, trainable: Any) -> Any:
        if weight_collections and GraphKeys.GLOBAL_VARIABLES not in weight_collections:
            weight_collections.append(GraphKeys.GLOBAL_VARIABLES)
        return get_variable(
            name="embedding_weights",
            shape=(self.categorical_column._num_buckets, self.dimension),
            dtype=dtypes.float32,
            initializer=self.initializer,
            trainable=self.trainable and trainable,
            collections=weight_collections,
        )

    def _looked_up(self, found: IdWeightPair, weights: Any) -> Any:
        if self.ckpt_to_load_from is not None:
            from regraft.v1.train import init_from_checkpoint

            parts = list(weights) if hasattr(weights, "_get_partitions") else weights
            init_from_checkpoint(self.ckpt_to_load_from, {self.tensor_name_in_ckpt: parts})
        ids = found.id_tensor
        ndims = ids.dense_shape.shape.as_list()[0]
        plain = not self.use_safe_embedding_lookup and ndims is not None and ndims <= 2
        look_up = embedding_lookup_sparse if plain else safe_embedding_lookup_sparse
        return look_up(
            weights,
            ids,
            found.weight_tensor,
            combiner=self.combiner,
            name=f"{self.name}_weights",
            max_norm=self.max_norm,
        )


@dataclass(frozen=True)
class SharedEmbeddingColumn(EmbeddingColumn):
    """An embedding column that shares its vectors with others, through a collection."""

    shared_embedding_collection_name: str

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_shared_embedding"

    @property
    def _var_scope_name(self) -> str:
        return self.shared_embedding_collection_name

    def _get_dense_tensor(self, inputs: LazyBuilder, weight_collections: Any = None, trainable: Any = None) -> Any:
        with name_scope(None, default_name=self.name):
            found = self.categorical_column._get_sparse_tensors(inputs, weight_collections, trainable)
            graph = _context.get_default_graph()
            shared = graph.get_collection(self.shared_embedding_collection_name)
            if len(shared) > 1:
                raise ValueError(
                    f"Collection {self.shared_embedding_collection_name} must hold the shared embedding alone, "
                    f"but it holds {shared}: choose another shared_embedding_collection_name"
                )
            wanted = [self.categorical_column._num_buckets, self.dimension]
            if not shared:
                shared = [self._weights(weight_collections, trainable)]
                graph.add_to_collection(self.shared_embedding_collection_name, shared[0])
            elif shared[0].get_shape().as_list() != wanted:
                raise ValueError(
                    f"Shared embedding collection {self.shared_embedding_collection_name} contains variable "
                    f"{shared[0].name} of unexpected shape {shared[0].get_shape()}. Expected shape is {wanted}."
                )
            return self._looked_up(found, shared[0])


# As programs make them


def _sizes(given: Any, key: str) -> tuple[int, ...]:
    sizes = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    for size in sizes:
        if not isinstance(size, int):
            raise TypeError(f"shape dimensions must be integer. shape: {sizes}, key: {key}")
        if size < 1:
            raise ValueError(f"shape dimensions must be greater than 0. shape: {sizes}, key: {key}")
    return sizes


def _filled(sizes: tuple[int, ...], value: Any) -> Any:
    return tuple(_filled(sizes[1:], value) for _ in range(sizes[0])) if sizes else value


def _nested_tuple(value: Any, sizes: tuple[int, ...]) -> Any:
    """`value` as tuples of this shape. ValueError for another shape."""
    if isinstance(value, (list, tuple)) != bool(sizes) or (sizes and len(value) != sizes[0]):
        raise ValueError
    return tuple(_nested_tuple(v, sizes[1:]) for v in value) if sizes else value


def _default(value: Any, sizes: tuple[int, ...], dtype: DType, key: str) -> Any:
    if value is None:
        return None
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, int) or (isinstance(value, float) and dtype.is_floating):
        return _filled(sizes, value)
    if isinstance(value, (list, tuple)):
        try:
            found = _nested_tuple(value, sizes)
        except ValueError:
            raise ValueError(
                "The shape of default_value must be equal to given shape. "
                f"default_value: {value}, shape: {sizes}, key: {key}"
            ) from None
        leaves = _leaves(found)
        if all(isinstance(v, int) for v in leaves) or (dtype.is_floating and any(isinstance(v, float) for v in leaves)):
            return found
    raise TypeError(f"default_value must be compatible with dtype. default_value: {value}, dtype: {dtype}, key: {key}")


def _leaves(value: Any) -> list[Any]:
    return [leaf for v in value for leaf in _leaves(v)] if isinstance(value, tuple) else [value]


def numeric_column(
    key: str, shape: Any = (1,), default_value: Any = None, dtype: Any = dtypes.float32, normalizer_fn: Any = None
) -> Any:
    """A feature of numbers, [batch, *shape]; `normalizer_fn` is applied to the tensor."""
    sizes = _sizes(shape, key)
    kind = as_dtype(dtype)
    if not (kind.is_integer or kind.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {kind}, key: {key}")
    default = _default(default_value, sizes, kind, key)
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    check_key(key)
    return NumericColumn(key, sizes, default, kind, normalizer_fn)


def bucketized_column(source_column: Any, boundaries: Any) -> Any:
    """Which of the ranges between `boundaries`, in order, the numbers of a numeric column are in."""
    if not isinstance(source_column, NumericColumn):
        raise ValueError(f"source_column must be a column generated with numeric_column(). Given: {source_column}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not boundaries:
        raise ValueError("boundaries must not be empty.")
    if not isinstance(boundaries, (list, tuple)) or any(a >= b for a, b in itertools.pairwise(boundaries)):
        raise ValueError("boundaries must be a sorted list.")
    return BucketizedColumn(source_column, tuple(boundaries))


def indicator_column(categorical_column: Any) -> Any:
    """A categorical column as numbers: how often each category is there."""
    return IndicatorColumn(categorical_column)


def _check_embedding(dimension: Any, initializer: Any, checkpoint: Any, tensor_name: Any, where: str = "") -> Any:
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if (checkpoint is None) != (tensor_name is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified.{where}")
    return TruncatedNormal(0.0, 1 / math.sqrt(dimension)) if initializer is None else initializer


def embedding_column(
    categorical_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> Any:
    """A vector of length `dimension` for each category; several of an item are combined ("mean", "sqrtn" or "sum").

    ckpt_to_load_from    a checkpoint whose tensor `tensor_name_in_ckpt` the vectors start with
    max_norm             longer vectors are scaled down
    """
    where = f" Embedding of column_name: {categorical_column.name}"
    initializer = _check_embedding(dimension, initializer, ckpt_to_load_from, tensor_name_in_ckpt, where)
    return EmbeddingColumn(
        categorical_column,
        dimension,
        combiner,
        initializer,
        ckpt_to_load_from,
        tensor_name_in_ckpt,
        max_norm,
        trainable,
        use_safe_embedding_lookup,
    )


def shared_embedding_columns(
    categorical_columns: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> list[Any]:
    """`embedding_column` of several columns of one kind, which share their vectors."""
    initializer = _check_embedding(dimension, initializer, ckpt_to_load_from, tensor_name_in_ckpt)
    ordered = sorted(categorical_columns, key=lambda column: str(column.name))
    first = _unweighted(ordered[0])
    if not isinstance(first, CategoricalColumn):
        raise ValueError(
            f"All categorical_columns must be subclasses of _CategoricalColumn. Given: {first}, of type: {type(first)}"
        )
    for column in map(_unweighted, ordered[1:]):
        if not isinstance(column, type(first)):
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same type, or be "
                f"weighted_categorical_column of the same type. Given column: {first} of type: {type(first)} does not "
                f"match given column: {column} of type: {type(column)}"
            )
        if column._num_buckets != first._num_buckets:
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same number of buckets. "
                f"Given column: {first} with buckets: {first._num_buckets} does not match column: {column} with "
                f"buckets: {column._num_buckets}"
            )
    name = shared_embedding_collection_name or "_".join(c.name for c in ordered) + "_shared_embedding"
    return [
        SharedEmbeddingColumn(
            column,
            dimension,
            combiner,
            initializer,
            ckpt_to_load_from,
            tensor_name_in_ckpt,
            max_norm,
            trainable,
            use_safe_embedding_lookup,
            name,
        )
        for column in categorical_columns
    ]


def _unweighted(column: Any) -> Any:
    while isinstance(column, WeightedCategoricalColumn):
        column = column.categorical_column
    return column
