"""Datasets whose elements pass through functions of the library, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.ir.attr import FunctionRef
from regraft.opkit import threads
from regraft.opkit.datasets import Dataset, Element, Mapped, Run, dataset_op
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]


def _mapped(input_dataset: Dataset, function: Any, types: Types, shapes: Shapes) -> Dataset:
    return Dataset(lambda run: Mapped(input_dataset, function, run), types, shapes, input_dataset.size)


@dataset_op("MapDataset", "ExperimentalMapDataset")
def map_dataset(
    input_dataset: Any,
    other_arguments: tuple[Any, ...],
    *,
    f: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """f(*element, *other_arguments) for each element."""
    return _mapped(input_dataset, functions.bind(f, other_arguments), output_types, output_shapes)


def _truth(results: list[Any]) -> bool:
    if len(results) != 1 or np.ndim(results[0]) or results[0].dtype != np.bool_:
        raise InvalidArgumentError("Filter predicate `f` must return a scalar bool.")
    return bool(results[0])


class _Filtered(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, predicate: Any, run: Run) -> None:
        self._input = input_dataset.start(run)
        self._predicate = predicate
        self._scope = run.scope

    def __next__(self) -> Element:
        while True:
            element = next(self._input)
            if _truth(self._predicate(self._scope, *element)):
                return element


@dataset_op("FilterDataset", "ParallelFilterDataset")
def filter_dataset(
    input_dataset: Any, other_arguments: tuple[Any, ...], *hints: Any, predicate: FunctionRef, functions: Any
) -> Any:
    """The elements of which `predicate` says that they are wanted, in order.

    hints  how parallel it should be
    """
    function = functions.bind(predicate, other_arguments)
    return input_dataset.like(lambda run: _Filtered(input_dataset, function, run))


class _FilteredByLast(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, run: Run) -> None:
        self._input = input_dataset.start(run)

    def __next__(self) -> Element:
        while True:
            *element, last = next(self._input)
            if _truth([last]):
                return tuple(element)


@dataset_op("FilterByLastComponentDataset")
def filter_by_last_component_dataset(
    input_dataset: Any, *, output_types: Types, output_shapes: Shapes, functions: Any
) -> Any:
    """The elements whose last component is true, without it."""
    return Dataset(lambda run: _FilteredByLast(input_dataset, run), output_types, output_shapes)


class _TakenWhile(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, predicate: Any, run: Run) -> None:
        self._input = input_dataset.start(run)
        self._predicate = predicate
        self._scope = run.scope
        self._done = False

    def __next__(self) -> Element:
        if not self._done:
            element = next(self._input)
            if _truth(self._predicate(self._scope, *element)):
                return element
            self._done = True
        raise StopIteration


@dataset_op("TakeWhileDataset", "ExperimentalTakeWhileDataset")
def take_while_dataset(
    input_dataset: Any, other_arguments: tuple[Any, ...], *, predicate: FunctionRef, functions: Any
) -> Any:
    """The elements before the first of which `predicate` says no."""
    function = functions.bind(predicate, other_arguments)
    return input_dataset.like(lambda run: _TakenWhile(input_dataset, function, run))


class _Scanned(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, state: tuple[Any, ...], function: Any, run: Run) -> None:
        self._input = input_dataset.start(run)
        self._state = state
        self._function = function
        self._scope = run.scope

    def __next__(self) -> Element:
        results = self._function(self._scope, *self._state, *next(self._input))
        count = len(self._state)
        self._state = tuple(results[:count])
        return tuple(results[count:])


@dataset_op("ScanDataset", "ExperimentalScanDataset")
def scan_dataset(
    input_dataset: Any,
    initial_state: tuple[Any, ...],
    other_arguments: tuple[Any, ...],
    *,
    f: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """f(*state, *element, *other_arguments) -> (*state, *result): the results."""
    function = functions.bind(f, other_arguments)
    return Dataset(
        lambda run: _Scanned(input_dataset, initial_state, function, run),
        output_types,
        output_shapes,
        input_dataset.size,
    )


class Interleaved(Iterator[Element]):
    """The elements of datasets that are made of the input's elements, `cycle` of them at a time in turns of `block`."""

    def __init__(
        self, input_dataset: Dataset, make: Callable[[Element], Dataset], cycle: int, block: int, run: Run
    ) -> None:
        self._input = input_dataset.start(run)
        self._make = make
        self._run = run
        self._slots: list[Iterator[Element] | None] = [None] * cycle
        self._block = block
        self._at = self._taken = self._open = 0
        self._ended = False

    def __next__(self) -> Element:
        slots = self._slots
        while self._open or not self._ended:
            source = slots[self._at]
            if source is None and self._ended:
                self._turn()
            elif source is None:
                given = next(self._input, None)
                if given is None:
                    self._ended = True
                    continue
                slots[self._at] = self._make(given).start(self._run)
                self._open += 1
            else:
                element = next(source, None)
                if element is None:
                    slots[self._at] = None
                    self._open -= 1
                    self._turn()
                    continue
                self._taken += 1
                if self._taken == self._block:
                    self._turn()
                return element
        raise StopIteration

    def _turn(self) -> None:
        self._at = (self._at + 1) % len(self._slots)
        self._taken = 0


def interleaved(input_dataset: Dataset, function: Any, cycle: Any, block: Any, types: Types, shapes: Shapes) -> Dataset:
    """The dataset of the interleaving ops: `function` makes a dataset of each element."""
    length, size = int(cycle), int(block)
    length = threads.cores() if length == -1 else length  # in TensorFlow, too
    if length < 1:
        raise InvalidArgumentError("`cycle_length` must be > 0")
    if size < 1:
        raise InvalidArgumentError("`block_length` must be > 0")

    def start(run: Run) -> Iterator[Element]:
        def make(element: Element) -> Dataset:
            (made,) = function(run.scope, *element)
            if not isinstance(made, Dataset):
                raise InvalidArgumentError("The function does not return a dataset")
            return made

        return Interleaved(input_dataset, make, length, size, run)

    return Dataset(start, types, shapes)


@dataset_op("FlatMapDataset")
def flat_map_dataset(
    input_dataset: Any,
    other_arguments: tuple[Any, ...],
    *,
    f: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """The elements of the datasets that f(*element, *other_arguments) gives, one dataset behind the other."""
    return interleaved(input_dataset, functions.bind(f, other_arguments), 1, 1, output_types, output_shapes)


@dataset_op(
    *("InterleaveDataset", "ParallelInterleaveDataset", "ExperimentalParallelInterleaveDataset"),
    *("ParallelInterleaveDatasetV2", "ParallelInterleaveDatasetV3", "ParallelInterleaveDatasetV4"),
    "LegacyParallelInterleaveDatasetV2",
)
def interleave_dataset(
    input_dataset: Any,
    other_arguments: tuple[Any, ...],
    cycle_length: Any,
    block_length: Any,
    *hints: Any,
    f: FunctionRef,
    output_types: Types,
    output_shapes: Shapes,
    functions: Any,
) -> Any:
    """The elements of the datasets that `f` gives, `cycle_length` datasets in turns of `block_length` elements.

    Parallel forms keep this order, sloppy ones too.

    hints  how parallel it should be
    """
    function = functions.bind(f, other_arguments)
    return interleaved(input_dataset, function, cycle_length, block_length, output_types, output_shapes)


def _components(c: ShapeContext) -> list[Sizes]:
    return [TensorShape(shape).sizes for shape in c.attr("output_shapes", ())]


@op("ReduceDataset", shape=_components, runs=Runs.HOST, session=True, blocking=True)
def reduce_dataset(
    input_dataset: Any,
    initial_state: tuple[Any, ...],
    other_arguments: tuple[Any, ...],
    *,
    f: FunctionRef,
    functions: Any,
) -> Any:
    """The state after f(*state, *element, *other_arguments) -> state for each element."""
    function, run = functions.bind(f, other_arguments), Run(functions)
    state = initial_state
    try:
        for element in input_dataset.start(run):
            state = tuple(function(run.scope, *state, *element))
    finally:
        run.close()
    return state


@op(
    "DatasetToSingleElement",
    shape=_components,
    runs=Runs.HOST,
    session=True,
    blocking=True,
    no_gradient="an element of a dataset",
)
def dataset_to_single_element(dataset: Any, *, functions: Any) -> Any:
    """The one element of a dataset. InvalidArgumentError where it has none, or more."""
    run = Run(functions)
    try:
        elements = dataset.start(run)
        first = next(elements, None)
        if first is None:
            raise InvalidArgumentError("Dataset was empty.")
        if next(elements, None) is not None:
            raise InvalidArgumentError("Dataset had more than one element.")
    finally:
        run.close()
    return first


@op(
    "DatasetCardinality",
    "ExperimentalDatasetCardinality",
    shape=lambda c: [()],
    runs=Runs.HOST,
    session=True,
    no_gradient="integer result",
)
def dataset_cardinality(input_dataset: Any, *, session: Any) -> Any:
    """The number of elements: -1 for a dataset without an end, -2 where only running it would tell."""
    return np.array(input_dataset.size, np.int64)
