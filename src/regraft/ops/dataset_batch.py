"""Datasets whose elements are several elements of another, or parts of one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import DataLossError, InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef
from regraft.opkit.datasets import Dataset, Element, Mapped, Run, dataset_op, integer, row, several, stacked

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]
Join = Callable[[Sequence[Element]], Element]


class _Batches(Iterator[Element]):
    """Elements joined, `size` at a time."""

    def __init__(self, source: Iterator[Element], size: int, drop: bool, join: Join) -> None:
        self._input, self._size, self._drop, self._join = several(source), size, drop, join
        self._done = False

    def __next__(self) -> Element:
        if self._done:
            raise StopIteration
        elements: list[Element] = []
        while not self._done and len(elements) < self._size:
            found = self._input.some(self._size - len(elements))
            elements += found
            self._done = not found
        if self._done and (self._drop or not elements):
            raise StopIteration
        return self._join(elements)


def _join(elements: Sequence[Element]) -> Element:
    return tuple(stacked(values, i) for i, values in enumerate(zip(*elements, strict=True)))


def _batched(
    input_dataset: Dataset, batch_size: Any, drop: Any, types: Types, shapes: Shapes, join: Join = _join
) -> Dataset:
    size, drops = integer(batch_size, "Batch size", 1), bool(drop)
    count = input_dataset.size
    if count >= 0:
        count = count // size if drops else -(-count // size)
    return Dataset(
        lambda run: _Batches(input_dataset.start(run), size, drops, join),
        types,
        shapes,
        count,
    )


@dataset_op("BatchDataset")
def batch_dataset(
    input_dataset: Any, batch_size: Any, *, output_types: Types, output_shapes: Shapes, functions: Any
) -> Any:
    """Every `batch_size` elements as one; the last may have fewer. InvalidArgumentError where shapes differ in it."""
    return _batched(input_dataset, batch_size, False, output_types, output_shapes)


@dataset_op("BatchDatasetV2")
def batch_dataset_v2(
    input_dataset: Any,
    batch_size: Any,
    drop_remainder: Any,
    *,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """Every `batch_size` elements as one; with `drop_remainder` none has fewer."""
    return _batched(input_dataset, batch_size, drop_remainder, output_types, output_shapes)


@dataset_op("ParallelBatchDataset")
def parallel_batch_dataset(
    input_dataset: Any,
    batch_size: Any,
    num_parallel_calls: Any,
    drop_remainder: Any,
    *,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """As BatchDatasetV2."""
    return _batched(input_dataset, batch_size, drop_remainder, output_types, output_shapes)


@dataset_op("MapAndBatchDataset", "ExperimentalMapAndBatchDataset")
def map_and_batch_dataset(
    input_dataset: Any,
    other_arguments: tuple[Any, ...],
    batch_size: Any,
    num_parallel_calls: Any,
    drop_remainder: Any,
    *,
    f: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """As MapDataset with BatchDatasetV2 behind it."""
    function = functions.bind(f, other_arguments)
    mapped = input_dataset.like(lambda run: Mapped(input_dataset, function, run), input_dataset.size)
    return _batched(mapped, batch_size, drop_remainder, output_types, output_shapes)


def _padded(values: Sequence[Any], shape: Sequence[int], padding: Any, component: int) -> np.ndarray[Any, Any]:
    """Arrays of one rank on a new first axis, each filled up to `shape`; -1 is the longest of them."""
    rank = len(shape)
    for value in values:
        if value.ndim != rank:
            raise InvalidArgumentError(
                "All elements in a batch must have the same rank as the padded shape for component"
                f"{component}: expected rank {rank} but got element with rank {value.ndim}"
            )
    longest = [max(sizes) for sizes in zip(*(v.shape for v in values), strict=True)]
    for i, (wanted, most) in enumerate(zip(shape, longest, strict=True)):
        if 0 <= wanted < most:
            raise DataLossError(
                "Attempted to pad to a smaller size than the input element: "
                f"component {component}, axis {i} is {most}, to be padded to {wanted}"
            )
    full = [most if wanted < 0 else wanted for wanted, most in zip(shape, longest, strict=True)]
    out = np.empty((len(values), *full), values[0].dtype)
    out[...] = padding
    for i, value in enumerate(values):
        place: tuple[Any, ...] = (i, *(slice(n) for n in value.shape))
        out[place] = value
    return out


def _padded_batched(
    input_dataset: Dataset,
    batch_size: Any,
    padded_shapes: tuple[Any, ...],
    padding_values: tuple[Any, ...],
    drop: Any,
    types: Types,
    shapes: Shapes,
) -> Dataset:
    wanted = [np.asarray(shape).reshape(-1).tolist() for shape in padded_shapes]

    def join(elements: Sequence[Element]) -> Element:
        columns = zip(*elements, strict=True)
        return tuple(
            _padded(values, shape, padding, i)
            for i, (values, shape, padding) in enumerate(zip(columns, wanted, padding_values, strict=True))
        )

    return _batched(input_dataset, batch_size, drop, types, shapes, join)


@dataset_op("PaddedBatchDataset")
def padded_batch_dataset(
    input_dataset: Any,
    batch_size: Any,
    padded_shapes: tuple[Any, ...],
    padding_values: tuple[Any, ...],
    *,
    Toutput_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """As BatchDataset, each component filled up to a shape; where that says -1, to the longest in the batch."""
    return _padded_batched(
        input_dataset, batch_size, padded_shapes, padding_values, False, Toutput_types, output_shapes
    )


@dataset_op("PaddedBatchDatasetV2")
def padded_batch_dataset_v2(
    input_dataset: Any,
    batch_size: Any,
    padded_shapes: tuple[Any, ...],
    padding_values: tuple[Any, ...],
    drop_remainder: Any,
    *,
    Toutput_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """As PaddedBatchDataset; with `drop_remainder` no batch has fewer elements."""
    return _padded_batched(
        input_dataset, batch_size, padded_shapes, padding_values, drop_remainder, Toutput_types, output_shapes
    )


@dataset_op("DenseToSparseBatchDataset", "ExperimentalDenseToSparseBatchDataset")
def dense_to_sparse_batch_dataset(
    input_dataset: Any,
    batch_size: Any,
    row_shape: Any,
    *,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """Every `batch_size` dense elements as one sparse tensor in one piece: [3], its indices, values and dense shape.

    row_shape  [rank], the shape of a row; -1 is the longest in the batch
    """
    wanted = np.asarray(row_shape).tolist()

    def join(elements: Sequence[Element]) -> Element:
        values = [element[0] for element in elements]
        if any(v.ndim != len(wanted) for v in values):
            raise InvalidArgumentError(f"Input element had a rank other than that of `row_shape`, {len(wanted)}")
        longest = [max(sizes) for sizes in zip(*(v.shape for v in values), strict=True)]
        for most, size in zip(longest, wanted, strict=True):
            if 0 <= size < most:
                raise DataLossError(f"Input element had shape larger than `row_shape`: {most} > {size}")
        full = [most if size < 0 else size for most, size in zip(longest, wanted, strict=True)]
        indices = [
            np.concatenate([np.full((v.size, 1), i), np.argwhere(np.ones(v.shape, np.bool_))], axis=1)
            for i, v in enumerate(values)
        ]
        flat = np.concatenate([v.reshape(-1) for v in values])
        sparse = np.empty(3, object)
        sparse[:] = [np.concatenate(indices).astype(np.int64), flat, np.array([len(values), *full], np.int64)]
        return (sparse,)

    return _batched(input_dataset, batch_size, False, output_types, output_shapes, join)


class _Rows(Iterator[Element]):
    """The entries of each element's first axis."""

    def __init__(self, input_dataset: Dataset, run: Run) -> None:
        self._input = input_dataset.start(run)
        self._element: Element = ()
        self._at = self._count = 0

    def __next__(self) -> Element:
        while self._at >= self._count:
            self._element = next(self._input)
            counts = {len(value) if value.ndim else None for value in self._element}
            if None in counts:
                raise InvalidArgumentError("Unbatching requires all components to have at least one dimension")
            if len(counts) > 1:
                raise InvalidArgumentError("Input element must have the same batch size in each component.")
            self._at, self._count = 0, counts.pop() or 0
        self._at += 1
        return tuple(row(value, self._at - 1) for value in self._element)


@dataset_op("UnbatchDataset", "ExperimentalUnbatchDataset")
def unbatch_dataset(input_dataset: Any, *, output_types: Types, output_shapes: Shapes, functions: Any) -> Any:
    """An element for each entry of the first axis of each element."""
    return Dataset(lambda run: _Rows(input_dataset, run), output_types, output_shapes)


class _Windows(Iterator[list[Element]]):
    """Lists of `size` elements that stand `stride` apart; the next begins `shift` elements on."""

    def __init__(self, source: Iterator[Element], size: int, shift: int, stride: int, drop: bool) -> None:
        self._input, self._size, self._shift, self._stride, self._drop = source, size, shift, stride, drop
        self._buffer: deque[Element] = deque()
        self._skip = 0
        self._ended = False

    def __next__(self) -> list[Element]:
        span = (self._size - 1) * self._stride + 1
        while not self._ended and len(self._buffer) < span:
            element = next(self._input, None)
            if element is None:
                self._ended = True
            elif self._skip:
                self._skip -= 1
            else:
                self._buffer.append(element)
        if not self._buffer or (self._drop and len(self._buffer) < span):
            raise StopIteration
        window = list(islice(self._buffer, 0, span, self._stride))
        self._skip = max(0, self._shift - len(self._buffer))
        for _ in range(min(self._shift, len(self._buffer))):
            self._buffer.popleft()
        return window


def _of_elements(elements: list[Element], types: Types, shapes: Shapes) -> Dataset:
    return Dataset(lambda run: iter(elements), types, shapes, len(elements))


class _Components:
    """From a window to a dataset for each component. No generator: a window may follow an error."""

    def __init__(self, types: Types, shapes: Shapes) -> None:
        self._kinds = [(types[i : i + 1], shapes[i : i + 1]) for i in range(len(types))]

    def __call__(self, window: list[Element]) -> Element:
        return tuple(
            _of_elements([(element[i],) for element in window], types, shapes)
            for i, (types, shapes) in enumerate(self._kinds)
        )


@dataset_op("WindowDataset")
def window_dataset(
    input_dataset: Any,
    size: Any,
    shift: Any,
    stride: Any,
    drop_remainder: Any,
    *,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """Datasets of `size` elements, `stride` apart, each beginning `shift` behind the one before."""
    span, step, gap = (integer(v, f"Window {n}", 1) for v, n in ((size, "size"), (shift, "shift"), (stride, "stride")))
    types, shapes = input_dataset.types, input_dataset.shapes

    def start(run: Run) -> Iterator[Element]:
        windows = _Windows(input_dataset.start(run), span, step, gap, bool(drop_remainder))
        return map(_Components(types, shapes), windows)

    return Dataset(start, output_types, output_shapes)


def _slid(
    input_dataset: Dataset, size: Any, shift: Any, stride: Any, drop: bool, types: Types, shapes: Shapes
) -> Dataset:
    span, step, gap = (
        integer(v, n, 1) for v, n in ((size, "Window size"), (shift, "Window shift"), (stride, "stride"))
    )
    return Dataset(
        lambda run: map(_join, _Windows(input_dataset.start(run), span, step, gap, drop)),
        types,
        shapes,
    )


@dataset_op("SlidingWindowDataset")
def sliding_window_dataset(
    input_dataset: Any,
    window_size: Any,
    window_shift: Any,
    window_stride: Any,
    *,
    drop_remainder: bool,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """Batches of `window_size` elements, each beginning `window_shift` behind the one before."""
    return _slid(input_dataset, window_size, window_shift, window_stride, drop_remainder, output_types, output_shapes)


@dataset_op("ExperimentalSlidingWindowDataset")
def experimental_sliding_window_dataset(
    input_dataset: Any,
    window_size: Any,
    window_shift: Any,
    window_stride: Any,
    *,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """Full batches of `window_size` elements, each beginning `window_shift` behind the one before."""
    return _slid(input_dataset, window_size, window_shift, window_stride, True, output_types, output_shapes)


class _Grouped(Iterator[Element]):
    """Elements by key; what a function makes of each group of a key that is full, and at the end of the others."""

    def __init__(self, input_dataset: Dataset, key: Any, reduce: Any, size: Any, run: Run) -> None:
        self._input, self._run = input_dataset.start(run), run
        self._types, self._shapes = input_dataset.types, input_dataset.shapes
        self._key, self._reduce, self._window_size = key, reduce, size
        self._groups: dict[int, list[Element]] = {}
        self._sizes: dict[int, int] = {}
        self._output: Iterator[Element] | None = None
        self._ended = False

    def __next__(self) -> Element:
        while True:
            if self._output is not None:
                element = next(self._output, None)
                if element is not None:
                    return element
                self._output = None
            if self._ended:
                if not self._groups:
                    raise StopIteration
                self._begin(min(self._groups))
                continue
            given = next(self._input, None)
            if given is None:
                self._ended = True
            else:
                self._take(given)

    def _take(self, element: Element) -> None:
        scope = self._run.scope
        (found,) = self._key(scope, *element)
        key = int(found)
        if key not in self._sizes:
            (size,) = self._window_size(scope, np.array(key, np.int64))
            if int(size) <= 0:
                raise InvalidArgumentError(f"Window size must be greater than zero, but got {int(size)}.")
            self._sizes[key] = int(size)
        group = self._groups.setdefault(key, [])
        group.append(element)
        if len(group) == self._sizes[key]:
            self._begin(key)

    def _begin(self, key: int) -> None:
        group = _of_elements(self._groups.pop(key), self._types, self._shapes)
        (made,) = self._reduce(self._run.scope, np.array(key, np.int64), group)
        self._output = made.start(self._run)


@dataset_op("GroupByWindowDataset", "ExperimentalGroupByWindowDataset")
def group_by_window_dataset(
    input_dataset: Any,
    key_func_other_arguments: tuple[Any, ...],
    reduce_func_other_arguments: tuple[Any, ...],
    window_size_func_other_arguments: tuple[Any, ...],
    *,
    key_func: FunctionRef,
    reduce_func: FunctionRef,
    window_size_func: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """The elements of reduce_func(key, dataset of elements with that key), for every window_size_func(key) of them."""
    key = functions.bind(key_func, key_func_other_arguments)
    reduce = functions.bind(reduce_func, reduce_func_other_arguments)
    size = functions.bind(window_size_func, window_size_func_other_arguments)
    return Dataset(lambda run: _Grouped(input_dataset, key, reduce, size, run), output_types, output_shapes)


class _Reduced(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, key: Any, init: Any, reduce: Any, finalize: Any, run: Run) -> None:
        self._input, self._scope = input_dataset.start(run), run.scope
        self._functions = (key, init, reduce, finalize)
        self._finished: Iterator[Element] | None = None

    def __next__(self) -> Element:
        if self._finished is None:
            self._finished = iter(self._run_all())
        return next(self._finished)

    def _run_all(self) -> list[Element]:
        key, init, reduce, finalize = self._functions
        states: dict[int, Sequence[Any]] = {}
        for element in self._input:
            (found,) = key(self._scope, *element)
            group = int(found)
            if group not in states:
                states[group] = init(self._scope, np.array(group, np.int64))
            states[group] = reduce(self._scope, *states[group], *element)
        return [tuple(finalize(self._scope, *states[group])) for group in sorted(states)]


@dataset_op("GroupByReducerDataset", "ExperimentalGroupByReducerDataset")
def group_by_reducer_dataset(
    input_dataset: Any,
    key_func_other_arguments: tuple[Any, ...],
    init_func_other_arguments: tuple[Any, ...],
    reduce_func_other_arguments: tuple[Any, ...],
    finalize_func_other_arguments: tuple[Any, ...],
    *,
    key_func: FunctionRef,
    init_func: FunctionRef,
    reduce_func: FunctionRef,
    finalize_func: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """For each key, in order, finalize_func of what reduce_func made of its elements, beginning with init_func(key)."""
    key = functions.bind(key_func, key_func_other_arguments)
    init = functions.bind(init_func, init_func_other_arguments)
    reduce = functions.bind(reduce_func, reduce_func_other_arguments)
    finalize = functions.bind(finalize_func, finalize_func_other_arguments)
    return Dataset(lambda run: _Reduced(input_dataset, key, init, reduce, finalize, run), output_types, output_shapes)
