"""Datasets of parsed Examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.base.shapes import TensorShape
from regraft.opkit.datasets import Dataset, Element, Run, dataset_op
from regraft.opkit.examples import Batch
from regraft.serde.example import features_of_all

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]


class _Parsed(Iterator[Element]):
    """For each vector of serialized Examples its features, in the order of their keys."""

    def __init__(self, source: Iterator[Element], sparse: dict[str, DType], dense: dict[str, tuple[Any, ...]]) -> None:
        self._input, self._sparse, self._dense = source, sparse, dense
        self._keys = sorted({*sparse, *dense})

    def __next__(self) -> Element:
        (serialized,) = next(self._input)
        if serialized.ndim != 1:
            raise InvalidArgumentError(f"Examples must come as vectors of strings, got shape {list(serialized.shape)}")
        wanted = set(self._keys)
        batch = Batch(features_of_all(serialized.tolist(), wanted), [], False)
        return tuple(self._feature(batch, key) for key in self._keys)

    def _feature(self, batch: Batch, key: str) -> Any:
        if key in self._dense:
            return batch.dense(key, *self._dense[key])
        whole = np.empty(3, object)
        whole[:] = [np.asarray(part) for part in batch.sparse(key, self._sparse[key])]
        return whole


def _parsing(
    input_dataset: Dataset,
    defaults: Sequence[Any],
    sparse_keys: Sequence[bytes],
    dense_keys: Sequence[bytes],
    sparse_types: Types,
    dense_types: Types,
    dense_shapes: Sequence[Any],
    ragged_keys: Sequence[bytes],
    types: Types,
    shapes: Shapes,
) -> Dataset:
    if ragged_keys:
        raise UnimplementedError(f"ragged features are not parsed: {', '.join(key.decode() for key in ragged_keys)}")
    sparse = {key.decode(): dtype for key, dtype in zip(sparse_keys, sparse_types, strict=True)}
    parts = zip(dense_keys, dense_types, dense_shapes, defaults, strict=True)
    dense = {key.decode(): (dtype, TensorShape(shape), np.asarray(value)) for key, dtype, shape, value in parts}

    def start(run: Run) -> Iterator[Element]:
        return _Parsed(input_dataset.start(run), sparse, dense)

    return Dataset(start, types, shapes, input_dataset.size)


@dataset_op("ParseExampleDataset", "ParseExampleDatasetV2")
def parse_example_dataset(
    input_dataset: Any,
    num_parallel_calls: Any,
    dense_defaults: tuple[Any, ...],
    *,
    sparse_keys: tuple[bytes, ...],
    dense_keys: tuple[bytes, ...],
    sparse_types: Types,
    Tdense: Types,
    dense_shapes: tuple[Any, ...],
    ragged_keys: tuple[bytes, ...],
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """The features of each vector of serialized Examples, in the order of their keys.

    A sparse feature is one variant of three: its indices, values and shape.

    raises  InvalidArgumentError with an element as ParseExample; UnimplementedError for ragged features
    """
    return _parsing(
        input_dataset,
        dense_defaults,
        sparse_keys,
        dense_keys,
        sparse_types,
        Tdense,
        dense_shapes,
        ragged_keys,
        output_types,
        output_shapes,
    )


@dataset_op("ExperimentalParseExampleDataset")
def experimental_parse_example_dataset(
    input_dataset: Any,
    num_parallel_calls: Any,
    dense_defaults: tuple[Any, ...],
    *,
    sparse_keys: tuple[bytes, ...],
    dense_keys: tuple[bytes, ...],
    sparse_types: Types,
    Tdense: Types,
    dense_shapes: tuple[Any, ...],
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """As ParseExampleDataset."""
    return _parsing(
        input_dataset,
        dense_defaults,
        sparse_keys,
        dense_keys,
        sparse_types,
        Tdense,
        dense_shapes,
        (),
        output_types,
        output_shapes,
    )
