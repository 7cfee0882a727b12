"""tf.data.experimental: transformations as functions, for `Dataset.apply`, and further datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Operation, Tensor
from regraft.v1 import _context
from regraft.v1.data import _batching, _functional, _nest, _structure
from regraft.v1.data._base import AUTOTUNE as AUTOTUNE
from regraft.v1.data._base import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from regraft.v1.data._base import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from regraft.v1.data._base import dataset, optional, seeds, tensor
from regraft.v1.data._csv import CsvDataset as CsvDataset
from regraft.v1.data._csv import make_csv_dataset as make_csv_dataset
from regraft.v1.data._dataset import Dataset
from regraft.v1.data._examples import make_batched_features_dataset as make_batched_features_dataset
from regraft.v1.data._examples import parse_example_dataset as parse_example_dataset
from regraft.v1.data._function import ElementFunction
from regraft.v1.data._iterator import Iterator
from regraft.v1.data._iterator import Optional as Optional
from regraft.v1.data._options import Options

Transformation = Callable[[Dataset], Any]

# Names of groups of options.
OptimizationOptions = ThreadingOptions = DistributeOptions = AutotuneOptions = StatsOptions = Options

DatasetStructure = _structure.DatasetSpec
TensorStructure = _structure.TensorSpec
SparseTensorStructure = _structure.SparseTensorSpec


def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: Any = False,
    num_parallel_calls: Any = None,
) -> Transformation:
    """`map` and `batch` in one op. ValueError where both kinds of parallelism are given."""
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError(
            "`map_and_batch` allows only one of `num_parallel_batches` and `num_parallel_calls` to be set, but "
            f"`num_parallel_batches` was set to {num_parallel_batches} and `num_parallel_calls` as set to "
            f"{num_parallel_calls}."
        )
    calls = num_parallel_calls
    if calls is None:
        calls = batch_size if num_parallel_batches is None else batch_size * num_parallel_batches
    return lambda source: _batching.map_and_batched(source, map_func, batch_size, calls, drop_remainder)


map_and_batch_with_legacy_function = map_and_batch


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """`shuffle` and `repeat` in one op: the buffer does not run empty between the epochs."""

    def apply(source: Dataset) -> Dataset:
        size = tensor(buffer_size, "buffer_size")
        times = tensor(-1 if count is None else count, "count")
        return source._same("ShuffleAndRepeatDataset", size, *seeds(seed), times)

    return apply


def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: bool | None = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Transformation:
    """`interleave`; elements come in its order, those of a sloppy one too."""
    return lambda source: _functional.parallel_interleaved(
        source, map_func, cycle_length, block_length, sloppy, buffer_output_elements, prefetch_input_elements
    )


def group_by_window(
    key_func: Callable[..., Any],
    reduce_func: Callable[..., Any],
    window_size: Any = None,
    window_size_func: Callable[..., Any] | None = None,
) -> Transformation:
    """The elements of `reduce_func(key, dataset)` for each so many elements of one key."""
    return lambda source: source.group_by_window(key_func, reduce_func, window_size, window_size_func)


def bucket_by_sequence_length(
    element_length_func: Callable[..., Any],
    bucket_boundaries: Sequence[int],
    bucket_batch_sizes: Sequence[int],
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> Transformation:
    """Padded batches of elements whose length lies between the same two boundaries."""
    return lambda source: source.bucket_by_sequence_length(
        element_length_func,
        bucket_boundaries,
        bucket_batch_sizes,
        padded_shapes,
        padding_values,
        pad_to_bucket_boundary,
        no_padding,
        drop_remainder,
    )


def unbatch() -> Transformation:
    """An element for each entry of the first axis of each element."""
    return lambda source: source.unbatch()


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Every `batch_size` dense elements as one sparse tensor."""
    return lambda source: source.sparse_batch(batch_size, row_shape)


def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """The second of what `scan_func(state, element)` gives, whose first is the next state."""
    return lambda source: source.scan(initial_state, scan_func)


def take_while(predicate: Callable[..., Any]) -> Transformation:
    """The elements before the first for which `predicate` gives false."""
    return lambda source: source.take_while(predicate)


def unique() -> Transformation:
    """Each different element once."""
    return lambda source: source.unique()


def ignore_errors(log_warning: bool = False) -> Transformation:
    """The elements that can be made; those that raise an error are left out."""
    return lambda source: source.ignore_errors(log_warning)


def enumerate_dataset(start: Any = 0) -> Transformation:
    """Pairs of a number that counts from `start`, and an element."""
    return lambda source: source.enumerate(start)


def copy_to_device(target_device: Any, source_device: str = "/cpu:0") -> Transformation:
    """The dataset itself: devices change no element."""
    return lambda source: source


def prefetch_to_device(device: Any, buffer_size: Any = None) -> Transformation:
    """The elements, made ahead by a thread."""
    return lambda source: source.prefetch(AUTOTUNE if buffer_size is None else buffer_size)


def assert_cardinality(expected_cardinality: Any) -> Transformation:
    """The same elements; a run raises FailedPreconditionError where they are not as many."""
    return lambda source: source._same("AssertCardinalityDataset", tensor(expected_cardinality, "expected_cardinality"))


def cardinality(dataset: Dataset) -> Tensor:
    """The number of elements, int64: -1 for no end, -2 where only running it would tell."""
    return dataset.cardinality()


def get_single_element(dataset: Dataset) -> Any:
    """The only element as tensors; a run raises InvalidArgumentError where there is none, or more."""
    return dataset.get_single_element()


def get_structure(dataset_or_iterator: Any) -> Any:
    """The structure of the elements."""
    return dataset_or_iterator.element_spec


def get_next_as_optional(iterator: Iterator) -> Optional:
    """The next element, which has no value behind the last one."""
    return iterator.get_next_as_optional()


def sample_from_datasets(
    datasets: Sequence[Any], weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False
) -> Dataset:
    """Elements of datasets that are chosen at random."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def choose_from_datasets(
    datasets: Sequence[Any], choice_dataset: Dataset, stop_on_empty_dataset: bool = False
) -> Dataset:
    """Elements of the datasets whose numbers `choice_dataset` gives."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


def Counter(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64) -> Dataset:
    """The numbers from `start`, `step` apart, without end."""
    b = _context.builder()
    with b.graph.name_scope("counter"):
        first = b.convert(start, dtype, name="start")
        gap = b.convert(step, dtype, name="step")
        return Dataset.from_tensors(0).repeat(None).scan(first, lambda state, _: (state + gap, state))


class RandomDataset(Dataset):
    """Random integers without end."""

    def __init__(self, seed: Any = None) -> None:
        made = Dataset.random(seed)
        super().__init__(made._variant_tensor, made.element_spec)


class Reducer:
    """What `group_by_reducer` does with the elements of a key.

    init_func      from the key to the first state
    reduce_func    from state and element to the next state
    finalize_func  from the last state to the result
    """

    def __init__(
        self, init_func: Callable[..., Any], reduce_func: Callable[..., Any], finalize_func: Callable[..., Any]
    ) -> None:
        self.init_func = init_func
        self.reduce_func = reduce_func
        self.finalize_func = finalize_func


def group_by_reducer(key_func: Callable[..., Any], reducer: Reducer) -> Transformation:
    """For each key what a reducer makes of its elements."""
    of = "tf.data.experimental.group_by_reducer()"
    int64 = _structure.TensorSpec([], dtypes.int64)

    def apply(source: Dataset) -> Dataset:
        key = ElementFunction(key_func, of, source.element_spec)
        if not _structure.compatible(key.spec, int64):
            raise ValueError(
                "Invalid `key_func`. Expected `key_func` to return a scalar tf.int64 tensor, but instead `key_func` "
                f"has output {key.spec}."
            )
        init = ElementFunction(reducer.init_func, of, int64)
        reduce, state = _functional.state_function(
            reducer.reduce_func, of, init.spec, source.element_spec, lambda result: result
        )
        finalize = ElementFunction(reducer.finalize_func, of, state)
        return dataset(
            "ExperimentalGroupByReducerDataset",
            source._variant_tensor,
            key.captured,
            init.captured,
            reduce.captured,
            finalize.captured,
            key_func=key.ref,
            init_func=init.ref,
            reduce_func=reduce.ref,
            finalize_func=finalize.ref,
            spec=finalize.spec,
        )

    return apply


def to_variant(dataset: Dataset) -> Tensor:
    """The tensor that holds a dataset."""
    return dataset._variant_tensor


def from_variant(variant: Tensor, structure: Any) -> Dataset:
    """The dataset that a tensor holds, of elements of this structure."""
    return Dataset(variant, _nest.map_structure(_structure.component, structure))


class TFRecordWriter:
    """Writes the elements of a dataset, scalar strings, to a TFRecord file.

    compression_type  "", "ZLIB" or "GZIP"
    """

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._filename = tensor(filename, "filename", dtypes.string)
        self._compression_type = optional(compression_type, "compression_type", "", dtypes.string)

    def write(self, dataset: Dataset) -> Operation:
        """The operation that writes. TypeError for a dataset of anything but scalar strings."""
        if not _structure.compatible(dataset.element_spec, _structure.TensorSpec([], dtypes.string)):
            raise TypeError(
                "Invalid `dataset`. Expected a dataset that produces scalar `tf.string` elements, but got "
                f"{dataset.element_spec}."
            )
        inputs = (dataset._variant_tensor, self._filename, self._compression_type)
        return _context.builder().operation("DatasetToTFRecord", *inputs)
