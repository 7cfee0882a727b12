"""tf.data.Dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.opkit.func_graph import FuncGraph
from regraft.v1 import _context
from regraft.v1._sparse_tensor import SparseTensor
from regraft.v1.data import _batching, _functional, _nest, _structure
from regraft.v1.data._base import dataset, metadata, seeds, tensor
from regraft.v1.data._iterator import Iterator, of_spec
from regraft.v1.data._options import Options

Function = Callable[..., Any]


class Dataset(_structure.Structured):
    """Elements one after the other, as an input of a program. Each method gives a new dataset.

    An element is a tensor, a sparse tensor, a dataset, or a tuple or mapping of these; a list is one tensor.
    """

    _variant_tensor: Tensor
    _options: Options | None = None
    # Whether it is a component of an element, or made of one: TensorFlow has another class for those.
    _nested = False

    def __init__(self, variant_tensor: Any = None, element_spec: Any = None) -> None:
        """For subclasses: the tensor that holds the dataset, and the structure of its elements."""
        if variant_tensor is None:
            raise TypeError("a dataset is made by tf.data.Dataset.from_tensors() and its like")
        self._variant_tensor = variant_tensor
        self._element_spec = element_spec

    def __repr__(self) -> str:
        return f"<{type(self).__name__} element_spec={self._element_spec}>"

    def __iter__(self) -> Any:
        raise RuntimeError(
            "`tf.data.Dataset` only supports Python-style iteration in eager mode or within tf.function."
        )

    def __bool__(self) -> bool:
        return True

    def _same(self, op: str, *inputs: Any, **attrs: Any) -> Dataset:
        """A dataset of elements of this structure."""
        return dataset(op, self, *inputs, spec=self._element_spec, **attrs)

    # Sources

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element."""
        element = _structure.normalize(tensors)
        spec = _structure.spec_of_element(element)
        return dataset("TensorDataset", _structure.to_tensors(spec, element), spec=spec, structure="shapes", name=name)

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """An element for each entry of the first axis, which all components must have of one length."""
        return sliced(tensors, name)

    @staticmethod
    def from_sparse_tensor_slices(sparse_tensor: Any) -> Dataset:
        """For each row of a sparse tensor the triple of its indices, values and dense shape."""
        if not isinstance(sparse_tensor, SparseTensor):
            raise TypeError(
                "Invalid `sparse_tensor`. `sparse_tensor` must be a `tf.sparse.SparseTensor`. Got "
                f"{type(sparse_tensor)}."
            )
        rank = (sparse_tensor.indices.shape[1] - 1).merge_with(sparse_tensor.dense_shape.shape[0] - 1)
        spec = (
            _structure.TensorSpec([None, rank], dtypes.int64),
            _structure.TensorSpec([None], sparse_tensor.dtype),
            _structure.TensorSpec([rank], dtypes.int64),
        )
        parts = (sparse_tensor.indices, sparse_tensor.values, sparse_tensor.dense_shape)
        return dataset("SparseTensorSliceDataset", *parts, spec=spec, structure="none")

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What `generator(*args)` yields. It runs in this process: files that are written do not hold it."""
        from regraft.v1.data._generator import generated

        return generated(generator, output_types, output_shapes, args, output_signature, name)

    @staticmethod
    def range(*args: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Dataset:
        """The integers of Python's `range` of the same arguments."""
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid `args`. The length of `args` should be between 1 and 3 but was {len(args)}.")
        given = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        bounds = [tensor(value, label) for value, label in zip(given, ("start", "stop", "step"), strict=True)]
        return dataset("RangeDataset", *bounds, spec=_structure.TensorSpec([], output_type), name=name)

    @staticmethod
    def random(seed: Any = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
        """Random integers without end."""
        spec = _structure.TensorSpec([], dtypes.int64)
        if not rerandomize_each_iteration:
            return dataset("RandomDataset", *seeds(seed), spec=spec, name=name)
        first, second = seeds(seed)
        dummy = _context.builder().op("DummySeedGenerator")
        return dataset("RandomDatasetV2", first, second, dummy, rerandomize_each_iteration=True, spec=spec, name=name)

    @staticmethod
    def list_files(
        file_pattern: Any, shuffle: bool | None = None, seed: Any = None, name: str | None = None
    ) -> Dataset:
        """The names of the files that match any of the patterns, shuffled unless `shuffle` is False.

        A run raises InvalidArgumentError where no file matches.
        """
        from regraft.v1.data._files import listed

        return listed(file_pattern, shuffle, seed, name)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Elements in the structure of `datasets` (a tuple or mapping of them), until one of them ends."""
        if not args and datasets is None:
            raise TypeError("Must pass at least one dataset to `zip`.")
        if args and datasets is not None:
            raise TypeError("Both `*args` and `datasets` cannot be set.")
        given = datasets if datasets is not None else args[0] if len(args) == 1 else args
        flat = _nest.flatten(given)
        for one in flat:
            if not isinstance(one, Dataset):
                what = "Python `list` is not supported" if isinstance(one, list) else f"got {type(one)}"
                raise TypeError(
                    f"Invalid input to `zip`. Inputs are expected to be (nested) structures of `tf.data.Dataset` "
                    f"objects; {what}."
                )
        spec = _nest.pack(given, [d.element_spec for d in flat])
        return dataset("ZipDataset", [d._variant_tensor for d in flat], spec=spec, name=name)

    # Elements as they are: fewer, more often, in another order

    def concatenate(self, dataset: Any, name: str | None = None) -> Dataset:
        """These elements, then those of another dataset of the same structure."""
        try:
            spec = _nest.map_structure(lambda a, b: a.common(b), self._element_spec, dataset.element_spec)
        except (TypeError, ValueError) as e:
            raise TypeError(
                f"Incompatible dataset elements:\n  {self._element_spec} vs.   {dataset.element_spec}"
            ) from e
        return _made("ConcatenateDataset", self._variant_tensor, dataset._variant_tensor, spec=spec, name=name)

    def repeat(self, count: Any = None, name: str | None = None) -> Dataset:
        """The elements `count` times; without end for None or -1."""
        return self._same("RepeatDataset", tensor(-1 if count is None else count, "count"), name=name)

    def take(self, count: Any, name: str | None = None) -> Dataset:
        """The first `count` elements; all for -1."""
        return self._same("TakeDataset", tensor(count, "count"), name=name)

    def skip(self, count: Any, name: str | None = None) -> Dataset:
        """The elements behind the first `count`; none for -1."""
        return self._same("SkipDataset", tensor(count, "count"), name=name)

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Dataset:
        """Every element number `index` of `num_shards`."""
        return self._same("ShardDataset", tensor(num_shards, "num_shards"), tensor(index, "index"), name=name)

    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """The elements drawn at random from a buffer of `buffer_size` that is kept full.

        reshuffle_each_iteration  each turn of a repeat has another order; so it is for None
        """
        size = tensor(buffer_size, "buffer_size")
        again = True if reshuffle_each_iteration is None else reshuffle_each_iteration
        return self._same("ShuffleDataset", size, *seeds(seed), reshuffle_each_iteration=again, name=name)

    def cache(self, filename: Any = "", name: str | None = None) -> Dataset:
        """The elements, kept in memory for further turns when they have all been made once."""
        return self._same("CacheDataset", tensor(filename, "filename", dtypes.string), name=name)

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Dataset:
        """The elements, up to `buffer_size` of them made ahead by a thread."""
        automatic = buffer_size is None or (isinstance(buffer_size, int) and buffer_size == -1)
        size = tensor(-1 if buffer_size is None else buffer_size, "buffer_size")
        with _context.builder().graph.colocate_with(self._variant_tensor.op):
            return self._same("PrefetchDataset", size, legacy_autotune=automatic, name=name)

    def unique(self, name: str | None = None) -> Dataset:
        """Each different element once."""
        for kind in _nest.flatten(self.output_types):
            if kind not in (dtypes.int32, dtypes.int64, dtypes.string):
                raise TypeError(
                    f"`tf.data.Dataset.unique` does not support type {kind!r} -- only `tf.int32`, `tf.int64`, and "
                    "`tf.string` are supported."
                )
        return self._same("UniqueDataset", name=name)

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Dataset:
        """The elements that can be made; those that raise an error are left out."""
        return self._same("IgnoreErrorsDataset", log_warning=log_warning, name=name)

    def enumerate(self, start: Any = 0, name: str | None = None) -> Dataset:
        """Pairs of a number that counts from `start`, and an element."""
        numbers = Dataset.range(start, int(np.iinfo(np.int64).max), name=name)
        numbers = numbers._same("RewriteDataset", "replicate_on_split")
        return Dataset.zip((numbers, self), name=name)

    # Functions

    def map(
        self,
        map_func: Function,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """What `map_func` gives for each element: it takes the components of a tuple one by one.

        num_parallel_calls  accepted; elements come in order all the same
        """
        return _functional.mapped(self, map_func, num_parallel_calls, deterministic, name=name)

    map_with_legacy_function = map

    def filter(self, predicate: Function, name: str | None = None) -> Dataset:
        """The elements for which `predicate` gives a true scalar bool."""
        return _functional.filtered(self, predicate, name)

    filter_with_legacy_function = filter

    def flat_map(self, map_func: Function, name: str | None = None) -> Dataset:
        """The elements of the datasets that `map_func` gives, one dataset behind the other."""
        return _functional.flat_mapped(self, map_func, name)

    def interleave(
        self,
        map_func: Function,
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """The elements of the datasets that `map_func` gives, `cycle_length` of them in turns of `block_length`."""
        return _functional.interleaved(
            self, map_func, cycle_length, block_length, num_parallel_calls, deterministic, name
        )

    def scan(self, initial_state: Any, scan_func: Function, name: str | None = None) -> Dataset:
        """The second of what `scan_func(state, element)` gives, whose first is the next state."""
        return _functional.scanned(self, initial_state, scan_func, name)

    def take_while(self, predicate: Function, name: str | None = None) -> Dataset:
        """The elements before the first for which `predicate` gives false."""
        return _functional.taken_while(self, predicate, name)

    def reduce(self, initial_state: Any, reduce_func: Function, name: str | None = None) -> Any:
        """The state after `reduce_func(state, element)` for each element: tensors, no dataset."""
        return _functional.reduced(self, initial_state, reduce_func, name)

    def group_by_window(
        self,
        key_func: Function,
        reduce_func: Function,
        window_size: Any = None,
        window_size_func: Function | None = None,
        name: str | None = None,
    ) -> Dataset:
        """The elements of `reduce_func(key, dataset)` for each so many elements of one key."""
        return _functional.grouped_by_window(self, key_func, reduce_func, window_size, window_size_func, name)

    def bucket_by_sequence_length(self, element_length_func: Function, *args: Any, **kwargs: Any) -> Dataset:
        """Padded batches of elements of about one length; see `tf.data.experimental.bucket_by_sequence_length`."""
        return _batching.bucketed(self, element_length_func, *args, **kwargs)

    def apply(self, transformation_func: Callable[[Dataset], Any]) -> Any:
        """`transformation_func(self)`. TypeError where it gives no dataset."""
        result = transformation_func(self)
        if not isinstance(result, Dataset):
            raise TypeError(
                f"`transformation_func` must return a `tf.data.Dataset` object. Got {type(result).__name__}."
            )
        return result

    # Batches

    def batch(
        self,
        batch_size: Any,
        drop_remainder: Any = False,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Every `batch_size` elements as one, on a new first axis; the last has fewer, or is left out."""
        return _batching.batched(self, batch_size, drop_remainder, num_parallel_calls, deterministic, name)

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: Any = False,
        name: str | None = None,
    ) -> Dataset:
        """As `batch`, with each component filled up to a shape; None and -1 stand for the longest in the batch."""
        return _batching.padded_batched(self, batch_size, padded_shapes, padding_values, drop_remainder, name)

    def window(
        self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: Any = False, name: str | None = None
    ) -> Dataset:
        """Datasets of `size` elements that stand `stride` apart, each beginning `shift` behind the one before."""
        return _batching.windowed(self, size, shift, stride, drop_remainder, name)

    def unbatch(self, name: str | None = None) -> Dataset:
        """An element for each entry of the first axis of each element."""
        return _batching.unbatched(self, name)

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Dataset:
        """Every `batch_size` dense elements as one sparse tensor."""
        return _batching.sparse_batched(self, batch_size, row_shape, name)

    # Several datasets

    @staticmethod
    def sample_from_datasets(
        datasets: Sequence[Any],
        weights: Any = None,
        seed: Any = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Dataset:
        """Elements of datasets that are chosen at random."""
        from regraft.v1.data._choosing import sampled

        return sampled(datasets, weights, seed, stop_on_empty_dataset, rerandomize_each_iteration)

    @staticmethod
    def choose_from_datasets(
        datasets: Sequence[Any], choice_dataset: Any, stop_on_empty_dataset: bool = True
    ) -> Dataset:
        """Elements of the datasets whose numbers `choice_dataset` gives."""
        from regraft.v1.data._choosing import chosen

        return chosen(datasets, choice_dataset, stop_on_empty_dataset)

    # Options, size, iterators

    def options(self) -> Options:
        """What `with_options` said of this dataset."""
        return self._options or Options()

    def with_options(self, options: Options, name: str | None = None) -> Dataset:
        """The same elements, with options: they say how TensorFlow runs the input, and change no element."""
        with _context.builder().graph.colocate_with(self._variant_tensor.op):
            result = self._same("OptionsDataset", serialized_options=options.serialized(), name=name)
        result._options = self.options().merge(options)
        return result

    def cardinality(self) -> Tensor:
        """The number of elements, int64: -1 for no end, -2 where only running it would tell."""
        size: Tensor = _context.builder().op("DatasetCardinality", self._variant_tensor)
        return size

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element as tensors; a run raises InvalidArgumentError where there is none, or more."""
        node = _context.builder().operation(
            "DatasetToSingleElement",
            self._variant_tensor,
            output_types=_structure.flat_types(self._element_spec),
            output_shapes=_structure.flat_shapes(self._element_spec),
            metadata=metadata(name),
        )
        return _structure.from_tensors(self._element_spec, node.outputs)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """An iterator that a run of its `initializer` begins."""
        self._check_graph()
        b = _context.builder()
        with b.graph.colocate_with(self._variant_tensor.op):
            resource = b.op("IteratorV2", container="", shared_name=shared_name or "", **self._flat())
            initializer = b.operation("MakeIterator", self._variant_tensor, resource)
            return of_spec(resource, initializer, self._element_spec)

    def make_one_shot_iterator(self) -> Iterator:
        """An iterator that needs no initializer, and goes through the dataset once in a session.

        raises  ValueError where the dataset depends on a placeholder, variable, table or other state
        """
        from regraft.v1._random import get_seed
        from regraft.v1._tracing import captured_by_value

        self._check_graph()
        get_seed(None)  # TensorFlow draws one for the function
        ref = captured_by_value("_make_dataset", self._variant_tensor)
        b = _context.builder()
        with b.graph.colocate_with(self._variant_tensor.op):
            resource = b.op("OneShotIterator", dataset_factory=ref, **self._flat())
            return of_spec(resource, None, self._element_spec)

    def _flat(self) -> dict[str, Any]:
        return {
            "output_types": _structure.flat_types(self._element_spec),
            "output_shapes": _structure.flat_shapes(self._element_spec),
        }

    def _check_graph(self) -> None:
        current = _context.get_default_graph()
        if self._variant_tensor.graph is not current and not isinstance(current, FuncGraph):
            raise ValueError(
                "The graph of the iterator is different from the graph the dataset was created in. If you are using "
                "the Estimator API, make sure that no part of the dataset returned by the `input_fn` function is "
                "defined outside the `input_fn` function. Otherwise, make sure that the nested dataset and the "
                "iterator are created in the same graph."
            )


class DatasetOfVariant(Dataset):
    """The dataset that a variant tensor holds."""


def _made(op: str, *inputs: Any, **attrs: Any) -> Dataset:
    return dataset(op, *inputs, **attrs)


def sliced(tensors: Any, name: str | None = None, is_files: bool = False) -> Dataset:
    """`Dataset.from_tensor_slices`; `is_files` notes that the elements are names of files."""
    element = _structure.normalize(tensors)
    spec = _structure.spec_of_element(element)
    pairs = zip(_nest.flatten(spec), _nest.flatten(element), strict=True)
    rows = [s.pack_batch(v) for s, v in pairs]
    if not rows:
        raise ValueError("Invalid `element`. `element` should not be empty.")
    first = rows[0].shape[:1] if rows[0].shape.rank is not None else None
    for other in rows[1:]:
        if first is not None and other.shape.rank is not None:
            first[0].assert_is_compatible_with(other.shape[0])
    return dataset(
        "TensorSliceDataset",
        rows,
        spec=_nest.map_structure(lambda s: s.unbatch(), spec),
        structure="shapes",
        is_files=is_files,
        name=name,
    )
