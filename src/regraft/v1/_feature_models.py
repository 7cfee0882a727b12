"""What models make of feature columns: one matrix, or a weighted sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._array import concat, reshape, shape
from regraft.v1._feature_categorical import CategoricalColumn
from regraft.v1._feature_dense import DenseColumn
from regraft.v1._feature_inputs import FeatureColumn, LazyBuilder
from regraft.v1._graph import name_scope
from regraft.v1._linalg import matmul
from regraft.v1._math import add_n
from regraft.v1._nn_basic import bias_add
from regraft.v1._nn_embedding_sparse import safe_embedding_lookup_sparse
from regraft.v1._sparse import reshape_ as sparse_reshape
from regraft.v1._variable_scope import get_variable, variable_scope
from regraft.variables.initializers import Zeros

__all__ = ["input_layer", "linear_model", "make_parse_example_spec"]


def _columns(feature_columns: Any) -> list[Any]:
    """The columns in the order of their names. ValueError for what are none, none at all, or two of one name."""
    if isinstance(feature_columns, FeatureColumn):
        feature_columns = [feature_columns]
    elif isinstance(feature_columns, Iterator):
        feature_columns = list(feature_columns)
    if isinstance(feature_columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    by_name: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(
                f"Items of feature_columns must be a _FeatureColumn. Given (type {type(column)}): {column}."
            )
        if column.name in by_name:
            raise ValueError(
                f"Duplicate feature column name found for columns: {column} and {by_name[column.name]}. This usually "
                "means that these columns refer to same base feature. Either one must be discarded or a duplicated "
                "but renamed item must be inserted in features dict."
            )
        by_name[column.name] = column
    if not by_name:
        raise ValueError("feature_columns must not be empty.")
    return [by_name[name] for name in sorted(by_name)]


def _collections(weight_collections: Any) -> list[Any]:
    wanted = [*(weight_collections or ()), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]
    return list(dict.fromkeys(wanted))


def _check_batches(tensors: list[Any], columns: list[Any]) -> None:
    known = [(t.shape.as_list()[0], c.name) for t, c in zip(tensors, columns, strict=True)]
    known = [(size, name) for size, name in known if size is not None]
    for size, name in known[1:]:
        if size != known[0][0]:
            raise ValueError(
                "Batch size (first dimension) of each feature must be same. "
                f"Batch size of columns ({known[0][1]}, {name}): ({known[0][0]}, {size})"
            )


def _as_rows(column: Any, inputs: LazyBuilder, collections: Any, trainable: bool) -> Any:
    """A dense column as [batch, numbers]."""
    tensor = column._get_dense_tensor(inputs, weight_collections=collections, trainable=trainable)
    numbers = column._variable_shape.num_elements()
    return reshape(tensor, shape=(shape(tensor)[0], numbers))


def input_layer(
    features: Mapping[str, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: Any = None,
    cols_to_output_tensors: Any = None,
) -> Any:
    """[batch, numbers]: the dense columns side by side, in the order of their names.

    cols_to_vars            a dict to fill: the variables of each column
    cols_to_output_tensors  a dict to fill: the part of each column
    raises                  ValueError for categorical columns, two columns of one name, batches that differ
    """
    columns = _columns(feature_columns)
    for column in columns:
        if not isinstance(column, DenseColumn):
            raise ValueError(
                "Items of feature_columns must be a _DenseColumn. You can wrap a categorical column with an "
                f"embedding_column or indicator_column. Given: {column}"
            )
    collections = _collections(weight_collections)
    graph = _context.get_default_graph()
    with variable_scope(None, default_name="input_layer", values=list(features.values())):
        inputs = LazyBuilder(features)
        outputs = []
        for column in columns:
            with variable_scope(None, default_name=column._var_scope_name) as scope:
                outputs.append(_as_rows(column, inputs, collections, trainable))
                if cols_to_vars is not None:
                    cols_to_vars[column] = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=scope.name)
                if cols_to_output_tensors is not None:
                    cols_to_output_tensors[column] = outputs[-1]
        _check_batches(outputs, columns)
        return concat(outputs, 1)


def _weight(name: str, sizes: Any, collections: list[Any], trainable: bool) -> Any:
    return get_variable(name, shape=sizes, initializer=Zeros(), trainable=trainable, collections=collections)


def _weighted_sum(
    column: Any, inputs: LazyBuilder, units: int, combiner: str, collections: list[Any], trainable: bool
) -> Any:
    """The column times new weights, [batch, units]."""
    if not isinstance(column, CategoricalColumn):
        weights = _weight("weights", [column._variable_shape.num_elements(), units], collections, trainable)
        return matmul(_as_rows(column, inputs, collections, trainable), weights, name="weighted_sum")
    weights = _weight("weights", (column._num_buckets, units), collections, trainable)
    ids, id_weights = column._get_sparse_tensors(inputs, weight_collections=collections, trainable=trainable)
    ids = sparse_reshape(ids, [shape(ids)[0], -1])
    if id_weights is not None:
        id_weights = sparse_reshape(id_weights, [shape(id_weights)[0], -1])
    return safe_embedding_lookup_sparse(weights, ids, sparse_weights=id_weights, combiner=combiner, name="weighted_sum")


def linear_model(
    features: Mapping[str, Any],
    feature_columns: Any,
    units: int = 1,
    sparse_combiner: str = "sum",
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: Any = None,
) -> Any:
    """[batch, units]: the sum of all columns times their weights, and a bias.

    sparse_combiner  how several categories of an item add up: "sum", "mean" or "sqrtn"
    cols_to_vars     a dict to fill: the variables of each column, and of "bias"
    """
    columns = _columns(feature_columns)
    for column in columns:
        if not isinstance(column, (DenseColumn, CategoricalColumn)):
            raise ValueError(
                f"Items of feature_columns must be either a _DenseColumn or _CategoricalColumn. Given: {column}"
            )
    collections = _collections(weight_collections)
    graph = _context.get_default_graph()
    # TensorFlow makes layers first, whose names are unique, and then calls the model, a layer as well.
    with variable_scope(None, "linear_model") as scope:
        model = scope.name.rsplit("/", 1)[-1]
    named = {}
    for column in columns:
        with variable_scope(None, default_name=column._var_scope_name) as scope:
            named[scope.name.rsplit("/", 1)[-1]] = column
    with name_scope(model), variable_scope(model):
        inputs = LazyBuilder(features)
        sums, ordered = [], []
        for name in sorted(named):
            column = named[name]
            ordered.append(column)
            with variable_scope(None, default_name=name) as scope:
                sums.append(_weighted_sum(column, inputs, units, sparse_combiner, collections, trainable))
            if cols_to_vars is not None:
                cols_to_vars[column] = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=scope.name)
        _check_batches(sums, ordered)
        total = add_n(sums, name="weighted_sum_no_bias")
        bias = _weight("bias_weights", [units], collections, trainable)
        if cols_to_vars is not None:
            cols_to_vars["bias"] = list(bias) if hasattr(bias, "_get_partitions") else [bias]
        return bias_add(total, bias, name="weighted_sum")


def make_parse_example_spec(feature_columns: Any) -> dict[str, Any]:
    """What `tf.parse_example` needs to know to read the features of the columns. ValueError where two disagree."""
    result: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"All feature_columns must be _FeatureColumn instances. Given: {column}")
        for key, value in column._parse_example_spec.items():
            if result.setdefault(key, value) != value:
                raise ValueError(
                    f"feature_columns contain different parse_spec for key {key}. Given {value} and {result[key]}"
                )
    return result
