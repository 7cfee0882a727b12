"""Datasets that hand on the elements of others: fewer, more often, in another order, from several."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from regraft.base.dtypes import DType
from regraft.base.errors import FailedPreconditionError, InvalidArgumentError, OpError
from regraft.base.shapes import TensorShape
from regraft.opkit.datasets import (
    INFINITE,
    UNKNOWN,
    Dataset,
    Element,
    Run,
    Samples,
    SeedGenerator,
    Several,
    dataset_op,
    integer,
    several,
)
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle, made
from regraft.opkit.shapes import no_outputs, scalar

Types = tuple[DType, ...]
Shapes = tuple[TensorShape, ...]


@dataset_op("TakeDataset")
def take_dataset(input_dataset: Any, count: Any, *, functions: Any) -> Any:
    """The first elements; all of them for a negative count."""
    limit = integer(count, "count")
    if limit < 0:
        return input_dataset
    size = input_dataset.size
    return input_dataset.like(
        lambda run: islice(input_dataset.start(run), limit), limit if size == INFINITE else min(size, limit)
    )


@dataset_op("SkipDataset")
def skip_dataset(input_dataset: Any, count: Any, *, functions: Any) -> Any:
    """The elements behind the first ones; none for a negative count."""
    skipped = integer(count, "count")
    if skipped < 0:
        return input_dataset.like(lambda run: iter(()), 0)
    size = input_dataset.size
    return input_dataset.like(
        lambda run: islice(input_dataset.start(run), skipped, None), max(0, size - skipped) if size >= 0 else size
    )


class _Repeated(Several):
    """count  -1 for no end; a dataset without elements ends all the same"""

    def __init__(self, input_dataset: Dataset, count: int, run: Run) -> None:
        self._dataset, self._run, self._left = input_dataset, run, count
        self._input: Several | None = None

    def some(self, most: int) -> list[Element]:
        while True:
            fresh = self._input is None
            if self._input is None:
                if not self._left:
                    return []
                self._left -= 1
                self._input = several(self._dataset.start(self._run))
            elements = self._input.some(most)
            if elements:
                return elements
            self._input = None
            if fresh and self._left < 0:
                self._left = 0


@dataset_op("RepeatDataset")
def repeat_dataset(input_dataset: Any, count: Any, *, functions: Any) -> Any:
    """The elements again and again: `count` times, without end for a negative count."""
    times = integer(count, "count")
    times = -1 if times < 0 else times
    size = input_dataset.size
    total = (size and INFINITE) if times < 0 else 0 if not times else size * times if size >= 0 else size
    return input_dataset.like(lambda run: _Repeated(input_dataset, times, run), total)


@dataset_op("ConcatenateDataset")
def concatenate_dataset(
    input_dataset: Any, another_dataset: Any, *, output_types: Types, output_shapes: Shapes, functions: Any
) -> Any:
    """The elements of one dataset, then those of the other."""
    sizes = (input_dataset.size, another_dataset.size)
    size = INFINITE if INFINITE in sizes else UNKNOWN if UNKNOWN in sizes else sum(sizes)
    return Dataset(
        lambda run: chain(input_dataset.start(run), _late(another_dataset, run)), output_types, output_shapes, size
    )


def _late(dataset: Dataset, run: Run) -> Iterator[Element]:
    """The elements of a dataset that is begun with the first of them."""
    return _Repeated(dataset, 1, run)


class _Zipped(Iterator[Element]):
    def __init__(self, inputs: list[Iterator[Element]]) -> None:
        self._inputs = inputs

    def __next__(self) -> Element:
        return tuple(chain.from_iterable([next(source) for source in self._inputs]))


@dataset_op("ZipDataset")
def zip_dataset(input_datasets: tuple[Any, ...], *, output_types: Types, output_shapes: Shapes, functions: Any) -> Any:
    """Elements with the components of one element of each dataset, until one of them ends."""
    sizes = [d.size for d in input_datasets]
    finite = [s for s in sizes if s >= 0]
    size = UNKNOWN if UNKNOWN in sizes else min(finite) if finite else INFINITE
    return Dataset(
        lambda run: _Zipped([d.start(run) for d in input_datasets]) if input_datasets else iter(()),
        output_types,
        output_shapes,
        size,
    )


@dataset_op("ShardDataset")
def shard_dataset(input_dataset: Any, num_shards: Any, index: Any, *, require_non_empty: bool, functions: Any) -> Any:
    """Every element number `index` of `num_shards`."""
    count, own = integer(num_shards, "Number of shards"), integer(index, "Index")
    if count < 1:
        raise InvalidArgumentError(f"Number of shards must be greater than zero (currently num_shards = {count}).")
    if not 0 <= own < count:
        raise InvalidArgumentError(
            f"Index must be between 0 and {count - 1} (currently index = {own}, num_shards = {count})."
        )
    size = input_dataset.size
    return input_dataset.like(
        lambda run: islice(input_dataset.start(run), own, None, count),
        len(range(own, size, count)) if size >= 0 else size,
    )


class _Shuffled(Several):
    """Elements drawn from a buffer that is kept full. One epoch comes before the next, which is drawn with new seeds.

    The buffer is a ring; what belongs to one epoch is a span of it.
    """

    # So many epochs may stand in the buffer at a time.
    _EPOCHS = 3
    # A buffer without a limit is filled by so many elements at once.
    _MANY = 64

    def __init__(self, input_dataset: Dataset, size: int, count: int, seeds: SeedGenerator, run: Run) -> None:
        self._dataset, self._run = input_dataset, run
        self._size, self._count, self._seeds = size, count, seeds
        self._samples = Samples(*seeds.seeds())
        self._buffer: list[Element] = []
        self._spans: deque[list[int]] = deque()
        self._held = self._epoch = 0
        self._input: Several | None = None
        # Of the input, what will go into the buffer next.
        self._coming: deque[Element] = deque()
        self._behind: OpError | None = None
        self._empty = False

    def some(self, most: int) -> list[Element]:
        if self._behind is not None:
            error, self._behind = self._behind, None
            raise error
        found: list[Element] = []
        while len(found) < most:
            try:
                self._fill(most - len(found))
            except OpError as e:
                if not found:
                    raise
                self._behind = e
                break
            if not self._held:
                break
            found.append(self._drawn())
        return found

    def _drawn(self) -> Element:
        while self._spans[0][0] == self._spans[0][1]:
            self._spans.popleft()
            self._samples = Samples(*self._seeds.seeds())
        span, buffer, room = self._spans[0], self._buffer, len(self._buffer)
        chosen = (span[0] + self._samples() % (span[1] - span[0])) % room
        first = span[0] % room
        element = buffer[chosen]
        buffer[chosen] = buffer[first]
        buffer[first] = ()
        span[0] += 1
        self._held -= 1
        return element

    def _fill(self, wanted: int) -> None:
        """Fill the buffer, to draw `wanted` elements one after the other: so many more will go into it."""
        while self._held != self._size and self._wants_more():
            if self._input is None:
                end = self._spans[-1][1] if self._spans else 0
                self._spans.append([end, end])
                self._input = several(self._dataset.start(self._run))
                self._epoch += 1
            if not self._coming:
                room = self._MANY if self._size < 0 else self._size - self._held
                self._coming.extend(self._input.some(room + wanted - 1))
            if not self._coming:
                self._input = None
                if self._spans[-1][1] == 0:
                    self._empty = True
                continue
            self._put(self._coming.popleft())

    def _wants_more(self) -> bool:
        if self._empty or (self._input is None and self._count >= 0 and self._epoch >= self._count):
            return False
        if len(self._spans) > self._EPOCHS and self._held:
            return False
        return self._size < 0 or self._held < self._size

    def _put(self, element: Element) -> None:
        span = self._spans[-1]
        if self._size < 0 or len(self._buffer) < self._size:
            self._buffer.append(element)  # the ring has not come round yet
        else:
            self._buffer[span[1] % self._size] = element
        span[1] += 1
        self._held += 1


def _shuffled(input_dataset: Dataset, buffer_size: Any, count: int, seeds: SeedGenerator) -> Dataset:
    room = integer(buffer_size, "buffer_size")
    if room < 1 and room != -1:
        raise InvalidArgumentError("buffer_size must be greater than zero or UNKNOWN_CARDINALITY")
    size = input_dataset.size
    total = (size and INFINITE) if count < 0 else size * count if size >= 0 else size
    return input_dataset.like(lambda run: _Shuffled(input_dataset, room, count, seeds, run), total)


def _seeds(seed: Any, seed2: Any, reshuffle: bool) -> SeedGenerator:
    return SeedGenerator(integer(seed, "seed"), integer(seed2, "seed2"), reshuffle)


_SEEDS = "seed generator"


def _generator(session: Any, handle: Any) -> SeedGenerator | None:
    """The seed generator of a handle, or None where the handle is a dummy's."""
    return session.resources.get((handle.kind, handle.name)) if isinstance(handle, ResourceHandle) else None


@op("DummySeedGenerator", shape=scalar, runs=Runs.HOST, session=True, no_gradient="a handle")
def dummy_seed_generator(*, session: Any) -> Any:
    """A handle of nothing: who takes it uses seeds of its own."""
    return ResourceHandle(_SEEDS, "")


@op("AnonymousSeedGenerator", shape=scalar, runs=Runs.HOST, session=True, no_gradient="a handle")
def anonymous_seed_generator(seed: Any, seed2: Any, reshuffle: Any, *, session: Any) -> Any:
    """The handle of a new seed generator with each run, and what DeleteSeedGenerator takes beside it."""
    made_now = _seeds(seed, seed2, bool(reshuffle))
    handle = made(session, _SEEDS, secrets.token_hex(8), lambda: made_now)
    return handle, handle


@op("AnonymousRandomSeedGenerator", shape=scalar, runs=Runs.HOST, session=True, no_gradient="a handle")
def anonymous_random_seed_generator(seed: Any, seed2: Any, *, session: Any) -> Any:
    """As AnonymousSeedGenerator, with other seeds for each iterator."""
    return anonymous_seed_generator(seed, seed2, True, session=session)


@op("DeleteSeedGenerator", "DeleteRandomSeedGenerator", shape=no_outputs, runs=Runs.HOST, session=True)
def delete_seed_generator(handle: Any, deleter: Any, *, session: Any) -> None:
    """Take a seed generator away."""
    session.resources.pop((handle.kind, handle.name), None)


@dataset_op("ShuffleDataset")
def shuffle_dataset(
    input_dataset: Any, buffer_size: Any, seed: Any, seed2: Any, *, reshuffle_each_iteration: bool, functions: Any
) -> Any:
    """Elements drawn at random from a buffer of `buffer_size`, in TensorFlow's order for the seeds.

    reshuffle_each_iteration  each iterator over it (each turn of a repeat) has another order
    """
    return _shuffled(input_dataset, buffer_size, 1, _seeds(seed, seed2, reshuffle_each_iteration))


@dataset_op("ShuffleDatasetV2")
def shuffle_dataset_v2(input_dataset: Any, buffer_size: Any, seed_generator: Any, *, functions: Any) -> Any:
    """As ShuffleDataset, with the seeds of a resource."""
    seeds = _generator(functions.session, seed_generator)
    if seeds is None:
        raise FailedPreconditionError("ShuffleDatasetV2 needs a seed generator, and this one is a dummy")
    return _shuffled(input_dataset, buffer_size, 1, seeds)


@dataset_op("ShuffleDatasetV3")
def shuffle_dataset_v3(
    input_dataset: Any,
    buffer_size: Any,
    seed: Any,
    seed2: Any,
    seed_generator: Any,
    *,
    reshuffle_each_iteration: bool,
    functions: Any,
) -> Any:
    """As ShuffleDataset, with the seeds of a resource where there is one."""
    seeds = _generator(functions.session, seed_generator) or _seeds(seed, seed2, reshuffle_each_iteration)
    return _shuffled(input_dataset, buffer_size, 1, seeds)


@dataset_op("ShuffleAndRepeatDataset")
def shuffle_and_repeat_dataset(
    input_dataset: Any,
    buffer_size: Any,
    seed: Any,
    seed2: Any,
    count: Any,
    *,
    reshuffle_each_iteration: bool,
    functions: Any,
) -> Any:
    """As ShuffleDataset and RepeatDataset behind it, but the buffer does not run empty between the epochs."""
    seeds = _seeds(seed, seed2, reshuffle_each_iteration)
    return _shuffled(input_dataset, buffer_size, integer(count, "count"), seeds)


@dataset_op("ShuffleAndRepeatDatasetV2")
def shuffle_and_repeat_dataset_v2(
    input_dataset: Any,
    buffer_size: Any,
    seed: Any,
    seed2: Any,
    count: Any,
    seed_generator: Any,
    *,
    reshuffle_each_iteration: bool,
    functions: Any,
) -> Any:
    """As ShuffleAndRepeatDataset, with the seeds of a resource where there is one."""
    seeds = _generator(functions.session, seed_generator) or _seeds(seed, seed2, reshuffle_each_iteration)
    return _shuffled(input_dataset, buffer_size, integer(count, "count"), seeds)
