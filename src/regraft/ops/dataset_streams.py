"""Datasets that change how elements come: read ahead, kept, checked, in turns with others, without errors."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from regraft.base.errors import (
    CancelledError,
    FailedPreconditionError,
    InvalidArgumentError,
    OpError,
    UnimplementedError,
)
from regraft.opkit.datasets import UNKNOWN, Dataset, Element, Run, dataset_op, integer, text
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle
from regraft.opkit.shapes import no_outputs, scalar
from regraft.opkit.waking import wake

# How many elements are read ahead where the graph leaves it to the program.
_AHEAD = 4


class _Ahead(Iterator[Element]):
    """Elements made by a thread before they are asked for. The thread ends with the dataset or with the iterator."""

    def __init__(self, input_dataset: Dataset, size: int, run: Run) -> None:
        self._dataset, self._run, self._size = input_dataset, run, size
        self._changed = threading.Condition()
        self._ready: deque[Element | BaseException] = deque()
        self._thread: threading.Thread | None = None
        self._ended = False

    def __next__(self) -> Element:
        if self._thread is None:
            self._run.on_close(self._close)
            self._thread = threading.Thread(target=self._work, name="regraft-prefetch", daemon=True)
            self._thread.start()
        with self._changed:
            while not self._ready and not self._ended and not self._run.cancelled.is_set():
                self._changed.notify_all()  # whoever took the last element may not have done so yet
                self._changed.wait()
            if self._run.cancelled.is_set():
                raise CancelledError("the iterator was closed")
            if not self._ready:
                self._run.forget(self._close)
                raise StopIteration
            item = self._ready.popleft()
        wake(self._wake)
        if isinstance(item, BaseException):
            raise item
        return item

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _work(self) -> None:
        source: Iterator[Element] | None = None
        while True:
            item: Element | BaseException | None
            try:
                source = self._dataset.start(self._run) if source is None else source
                item = next(source, None)
            except Exception as e:  # noqa: BLE001  it is raised where the element is asked for
                item = e
            with self._changed:
                if item is None:
                    self._ended = True
                    self._changed.notify_all()
                    return
                while len(self._ready) >= self._size and not self._run.cancelled.is_set():
                    self._changed.wait()
                if self._run.cancelled.is_set():
                    return
                self._ready.append(item)
                self._changed.notify_all()

    def _close(self) -> None:
        with self._changed:
            self._ready.clear()
            self._changed.notify_all()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)


# How long closing an iterator waits for an element that is being made.
_PATIENCE = 5.0


@dataset_op("PrefetchDataset")
def prefetch_dataset(input_dataset: Any, buffer_size: Any, *, functions: Any) -> Any:
    """The same elements, up to `buffer_size` of them made ahead by a thread.

    differs  -1, which lets TensorFlow adapt the size, is 4
    """
    size = integer(buffer_size, "buffer_size")
    if size < -1:
        raise InvalidArgumentError(f"buffer_size must be >= 0 or set buffer_size to be -1 for auto-tuning, got {size}")
    if not size:
        return input_dataset
    ahead = _AHEAD if size < 0 else size
    return input_dataset.like(lambda run: _Ahead(input_dataset, ahead, run), input_dataset.size)


class _Kept:
    """What iterators over a cached dataset share: its elements, once one of them has come to the end."""

    def __init__(self) -> None:
        self.elements: Sequence[Element] | None = None


class _Caching(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, kept: _Kept, run: Run) -> None:
        self._input = input_dataset.start(run)
        self._kept = kept
        self._seen: list[Element] = []

    def __next__(self) -> Element:
        element = next(self._input, None)
        if element is None:
            if self._kept.elements is None:
                self._kept.elements = tuple(self._seen)
            raise StopIteration
        self._seen.append(element)
        return element


def _cached(input_dataset: Dataset, filename: Any, kept: _Kept) -> Dataset:
    path = text(filename)
    if path:
        raise UnimplementedError(
            f"a cache in a file ({path!r}) is not supported", hint="give no filename, to keep the elements in memory"
        )

    def start(run: Run) -> Iterator[Element]:
        return _Caching(input_dataset, kept, run) if kept.elements is None else iter(kept.elements)

    return input_dataset.like(start, input_dataset.size)


@dataset_op("CacheDataset")
def cache_dataset(input_dataset: Any, filename: Any, *, functions: Any) -> Any:
    """The elements, kept in memory when an iterator has come to the end. UnimplementedError for a file name."""
    return _cached(input_dataset, filename, _Kept())


_MEMORY = "memory cache"


@dataset_op("CacheDatasetV2")
def cache_dataset_v2(input_dataset: Any, filename: Any, cache: Any, *, functions: Any) -> Any:
    """As CacheDataset, in the memory cache of a handle."""
    kept = _Kept()
    if isinstance(cache, ResourceHandle) and cache.name:
        kept = functions.session.resources.setdefault((cache.kind, cache.name), kept)
    return _cached(input_dataset, filename, kept)


@op("DummyMemoryCache", shape=scalar, runs=Runs.HOST, session=True, no_gradient="a handle")
def dummy_memory_cache(*, session: Any) -> Any:
    """A handle of nothing: who takes it has a cache of its own."""
    return ResourceHandle(_MEMORY, "")


@op("AnonymousMemoryCache", shape=scalar, runs=Runs.HOST, session=True, no_gradient="a handle")
def anonymous_memory_cache(*, session: Any) -> Any:
    """The handle of a new memory cache with each run, and what DeleteMemoryCache takes beside it."""
    handle = ResourceHandle(_MEMORY, secrets.token_hex(8))
    return handle, handle


@op("DeleteMemoryCache", shape=no_outputs, runs=Runs.HOST, session=True)
def delete_memory_cache(handle: Any, deleter: Any, *, session: Any) -> None:
    """Take a memory cache away."""
    session.resources.pop((handle.kind, handle.name), None)


class _Sound(Iterator[Element]):
    """What follows an error, in the place of it."""

    def __init__(self, input_dataset: Dataset, run: Run) -> None:
        self._input = input_dataset.start(run)

    def __next__(self) -> Element:
        while True:
            try:
                return next(self._input)
            except CancelledError:
                raise
            except OpError:
                continue


@dataset_op("IgnoreErrorsDataset", "ExperimentalIgnoreErrorsDataset")
def ignore_errors_dataset(input_dataset: Any, *, functions: Any) -> Any:
    """The elements that can be made; the others are left out."""
    return input_dataset.like(lambda run: _Sound(input_dataset, run))


class _Counted(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, count: int, run: Run) -> None:
        self._input, self._count, self._seen = input_dataset.start(run), count, 0

    def __next__(self) -> Element:
        element = next(self._input, None)
        self._seen += element is not None
        if element is None and self._count not in (self._seen, UNKNOWN):
            raise self._wrong("")
        if element is None:
            raise StopIteration
        if 0 <= self._count < self._seen:
            raise self._wrong("at least ")
        return element

    def _wrong(self, bound: str) -> OpError:
        wanted = "an infinite number of elements" if self._count < 0 else f"{self._count} elements"
        return FailedPreconditionError(
            f"Input dataset was expected to contain {wanted} but contained {bound}{self._seen}"
        )


@dataset_op("AssertCardinalityDataset")
def assert_cardinality_dataset(input_dataset: Any, cardinality: Any, *, functions: Any) -> Any:
    """The same elements. FailedPreconditionError when they turn out to be more or fewer than was said."""
    count = integer(cardinality, "cardinality")
    return input_dataset.like(lambda run: _Counted(input_dataset, count, run), count)


class _Unique(Iterator[Element]):
    def __init__(self, input_dataset: Dataset, run: Run) -> None:
        self._input = input_dataset.start(run)
        self._seen: set[Any] = set()

    def __next__(self) -> Element:
        while True:
            element = next(self._input)
            value = element[0]
            key = tuple(value.reshape(-1)) if value.dtype.kind == "O" else (value.shape, value.tobytes())
            if key not in self._seen:
                self._seen.add(key)
                return element


@dataset_op("UniqueDataset", "ExperimentalUniqueDataset")
def unique_dataset(input_dataset: Any, *, functions: Any) -> Any:
    """Each different element once, where it is met first."""
    return input_dataset.like(lambda run: _Unique(input_dataset, run))


class _Directed(Iterator[Element]):
    def __init__(self, selector: Dataset, datasets: Sequence[Dataset], stops: bool, run: Run) -> None:
        self._selector = selector.start(run)
        self._inputs: list[Iterator[Element] | None] = [d.start(run) for d in datasets]
        self._stops = stops

    def __next__(self) -> Element:
        while any(source is not None for source in self._inputs):
            chosen = int(next(self._selector)[0])
            if not 0 <= chosen < len(self._inputs):
                raise InvalidArgumentError(f"Selector index out of range: {chosen} >= {len(self._inputs)}")
            source = self._inputs[chosen]
            element = None if source is None else next(source, None)
            if element is not None:
                return element
            self._inputs[chosen] = None
            if self._stops:
                self._inputs = []
        raise StopIteration


@dataset_op("DirectedInterleaveDataset")
def directed_interleave_dataset(
    selector_input_dataset: Any,
    data_input_datasets: tuple[Any, ...],
    *,
    stop_on_empty_dataset: bool,
    functions: Any,
) -> Any:
    """Elements of several datasets, each from the one whose number the selector gives."""
    first = data_input_datasets[0]
    return first.like(lambda run: _Directed(selector_input_dataset, data_input_datasets, stop_on_empty_dataset, run))


@dataset_op("ExperimentalDirectedInterleaveDataset")
def experimental_directed_interleave_dataset(
    selector_input_dataset: Any, data_input_datasets: tuple[Any, ...], *, functions: Any
) -> Any:
    """Elements of several datasets, each from the one whose number the selector gives."""
    first = data_input_datasets[0]
    return first.like(lambda run: _Directed(selector_input_dataset, data_input_datasets, False, run))


@dataset_op(
    *("ModelDataset", "OptionsDataset", "FinalizeDataset", "RewriteDataset", "OptimizeDataset", "OptimizeDatasetV2"),
    *("NonSerializableDataset", "ExperimentalNonSerializableDataset"),
    *("MaxIntraOpParallelismDataset", "ExperimentalMaxIntraOpParallelismDataset"),
    *("PrivateThreadPoolDataset", "ExperimentalPrivateThreadPoolDataset"),
    *("ThreadPoolDataset", "ExperimentalThreadPoolDataset"),
    *("LatencyStatsDataset", "ExperimentalLatencyStatsDataset"),
    *("BytesProducedStatsDataset", "ExperimentalBytesProducedStatsDataset"),
    *("AssertNextDataset", "ExperimentalAssertNextDataset"),
)
def same_dataset(input_dataset: Any, *said: Any, functions: Any) -> Any:
    """The dataset itself: what is said of how it should be run changes no element."""
    return input_dataset


@dataset_op("ChooseFastestDataset", "ExperimentalChooseFastestDataset")
def choose_fastest_dataset(input_datasets: tuple[Any, ...], *, functions: Any) -> Any:
    """The first of several datasets with equal elements."""
    return input_datasets[0]
