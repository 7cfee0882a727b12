"""Datasets out of nothing but tensors, numbers and functions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef
from regraft.opkit.datasets import (
    INFINITE,
    Dataset,
    Element,
    Run,
    Samples,
    SeedGenerator,
    dataset_op,
    integer,
    row,
)

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]


@dataset_op("TensorDataset")
def tensor_dataset(components: tuple[Any, ...], *, Toutput_types: Types, output_shapes: Shapes, functions: Any) -> Any:
    """One element, of these tensors."""
    return Dataset(lambda run: iter((components,)), Toutput_types, output_shapes, 1)


@dataset_op("TensorSliceDataset")
def tensor_slice_dataset(
    components: tuple[Any, ...], *, Toutput_types: Types, output_shapes: Shapes, functions: Any
) -> Any:
    """An element for each entry of the tensors' first axis. InvalidArgumentError where these differ in length."""
    lengths = [len(c) if np.ndim(c) else None for c in components]
    if None in lengths:
        raise InvalidArgumentError("All components must be at least 1-dimensional")
    if len(set(lengths)) > 1:
        raise InvalidArgumentError(f"All components must have the same size in the 0th dimension, got {lengths}")
    count = lengths[0] or 0
    return Dataset(
        lambda run: (tuple(row(c, i) for c in components) for i in range(count)), Toutput_types, output_shapes, count
    )


@dataset_op("ListDataset")
def list_dataset(tensors: tuple[Any, ...], *, output_types: Types, output_shapes: Shapes, functions: Any) -> Any:
    """Elements laid out one behind the other."""
    width = max(len(output_types), 1)
    elements = [tensors[i : i + width] for i in range(0, len(tensors), width)]
    return Dataset(lambda run: iter(elements), output_types, output_shapes, len(elements))


@dataset_op("SparseTensorSliceDataset")
def sparse_tensor_slice_dataset(indices: Any, values: Any, dense_shape: Any, *, Tvalues: DType, functions: Any) -> Any:
    """For each entry of a sparse tensor's first axis its indices, values and dense shape.

    raises  InvalidArgumentError where the indices are not ordered by that axis
    """
    if indices.ndim != 2 or indices.shape[0] != values.shape[0]:
        raise InvalidArgumentError(
            f"Input indices should be a matrix with a row for each value, got shapes {list(indices.shape)} and "
            f"{list(values.shape)}"
        )
    rows = indices[:, 0]
    if rows.size and (np.diff(rows) < 0).any():
        raise InvalidArgumentError("sparse_tensor's indices are not ordered in the batch dimension")
    count = int(dense_shape[0])
    bounds = np.searchsorted(rows, np.arange(count + 1))
    inner = np.asarray(dense_shape[1:])

    def elements(run: Run) -> Iterator[Element]:
        return ((indices[a:b, 1:], values[a:b], inner) for a, b in pairwise(bounds))

    width = inner.shape[0]
    shapes = (TensorShape([None, width]), TensorShape([None]), TensorShape([width]))
    return Dataset(elements, (dtypes.int64, Tvalues, dtypes.int64), shapes, count)


@dataset_op("RangeDataset")
def range_dataset(
    start: Any, stop: Any, step: Any, *, output_types: Types, output_shapes: Shapes, functions: Any
) -> Any:
    """The integers from `start` to before `stop`, `step` apart."""
    first, end, gap = integer(start, "start"), integer(stop, "stop"), _step(step)
    dtype = output_types[0].numpy
    count = max(0, -(-(end - first) // gap))  # len() of a range has an upper limit
    return Dataset(
        lambda run: ((np.array(n, dtype),) for n in range(first, end, gap)), output_types, output_shapes, count
    )


def _step(value: Any) -> int:
    step = integer(value, "step")
    if not step:
        raise InvalidArgumentError("step must be a non-zero integer.")
    return step


class _Random(Iterator[Element]):
    def __init__(self, seed: int, seed2: int, dtype: np.dtype[Any]) -> None:
        self._samples = Samples(seed, seed2)
        self._dtype = dtype

    def __next__(self) -> Element:
        return (np.array(self._samples(), self._dtype),)


def _random(seeds: SeedGenerator, types: Types, shapes: Shapes) -> Dataset:
    return Dataset(lambda run: _Random(*seeds.seeds(), types[0].numpy), types, shapes, INFINITE)


@dataset_op("RandomDataset", "ExperimentalRandomDataset")
def random_dataset(seed: Any, seed2: Any, *, output_types: Types, output_shapes: Shapes, functions: Any) -> Any:
    """Random uint32 numbers without end, the same ones in every iterator."""
    seeds = SeedGenerator(integer(seed, "seed"), integer(seed2, "seed2"), reshuffle=False)
    return _random(seeds, output_types, output_shapes)


@dataset_op("RandomDatasetV2")
def random_dataset_v2(
    seed: Any,
    seed2: Any,
    seed_generator: Any,
    *,
    rerandomize_each_iteration: bool,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """Random uint32 numbers without end."""
    seeds = SeedGenerator(integer(seed, "seed"), integer(seed2, "seed2"), rerandomize_each_iteration)
    return _random(seeds, output_types, output_shapes)


class _Generated(Iterator[Element]):
    def __init__(self, run: Run, init: Any, following: Any, finalize: Any) -> None:
        self._scope, self._functions = run.scope, (init, following, finalize)
        self._state: tuple[Any, ...] | None = None
        self._done = False
        self._forget = run.forget
        run.on_close(self._finish)

    def __next__(self) -> Element:
        if self._done:
            raise StopIteration
        init, following, _ = self._functions
        if self._state is None:
            self._state = tuple(init(self._scope))
        try:
            return tuple(following(self._scope, *self._state))
        except OutOfRangeError:
            self._finish()
            raise StopIteration from None

    def _finish(self) -> None:
        """Give the generator back, once."""
        if self._state is not None and not self._done:
            self._functions[2](self._scope, *self._state)
        self._done = True
        self._forget(self._finish)


@dataset_op("GeneratorDataset")
def generator_dataset(
    init_func_other_args: tuple[Any, ...],
    next_func_other_args: tuple[Any, ...],
    finalize_func_other_args: tuple[Any, ...],
    *,
    init_func: FunctionRef,
    next_func: FunctionRef,
    finalize_func: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """What a function returns again and again, from a state that another made, until it raises OutOfRangeError."""
    init = functions.bind(init_func, init_func_other_args)
    following = functions.bind(next_func, next_func_other_args)
    finalize = functions.bind(finalize_func, finalize_func_other_args)
    return Dataset(lambda run: _Generated(run, init, following, finalize), output_types, output_shapes)


@dataset_op("WrapDatasetVariant", "UnwrapDatasetVariant")
def wrap_dataset_variant(input_handle: Any, *, functions: Any) -> Any:
    """The dataset itself."""
    return input_handle
