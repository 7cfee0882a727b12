"""Datasets: what the variant tensors of tf.data hold, and what kernels of datasets share.

A dataset is a recipe; `start` begins to make its elements. An element is a tuple with a value for each component: a
NumPy array, or an object (a nested dataset, an optional, a handle). An iterator is a plain Python one that can go on
after an error, as TensorFlow's do: so they are no generators where something that can fail is inside.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, OpError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.opkit import random
from regraft.opkit.registry import Kernel, Runs, op
from regraft.opkit.shapes import scalar
from regraft.opkit.stacking import stack

Element = tuple[Any, ...]

INFINITE = -1
"""The size of a dataset without an end."""
UNKNOWN = -2
"""The size of a dataset that only running it tells."""

_BLOCKS = 64


class Run:
    """One iterator over a dataset, all datasets inside it included.

    session    the session's resources
    scope      where functions keep their state (see `runtime.functions`)
    cancelled  set when the iterator is closed; threads of it end then
    """

    def __init__(self, functions: Any) -> None:
        self.session = functions.session
        self.scope = functions.scope()
        self.cancelled = threading.Event()
        self._closers: dict[Callable[[], None], None] = {}

    def on_close(self, function: Callable[[], None]) -> None:
        """Call `function` when the iterator is closed."""
        self._closers[function] = None

    def forget(self, function: Callable[[], None]) -> None:
        """There is nothing left to close."""
        self._closers.pop(function, None)

    def close(self) -> None:
        """End the threads of the iterator, and wake who waits for them."""
        self.cancelled.set()
        while self._closers:
            self._closers.popitem()[0]()


class Dataset:
    """What a variant tensor of a dataset holds.

    start   begins an iterator over the elements
    types   of the components, as the node says them
    shapes  of the components, as the node says them
    size    the number of elements, INFINITE or UNKNOWN
    """

    __slots__ = ("shapes", "size", "start", "types")

    def __init__(
        self,
        start: Callable[[Run], Iterator[Element]],
        types: Sequence[DType],
        shapes: Sequence[TensorShape],
        size: int = UNKNOWN,
    ) -> None:
        self.start = start
        self.types = tuple(types)
        self.shapes = tuple(shapes)
        self.size = size

    def like(self, start: Callable[[Run], Iterator[Element]], size: int = UNKNOWN) -> Dataset:
        """Other elements of the same types and shapes."""
        return Dataset(start, self.types, self.shapes, size)


def dataset_op(*names: str) -> Callable[[Callable[..., Any]], Kernel]:
    """Register the decorated function as the kernel of ops that make a dataset of their inputs."""
    return op(*names, shape=scalar, runs=Runs.HOST, session=True, no_gradient="a dataset")


def integer(value: Any, name: str, least: int | None = None) -> int:
    """A scalar input as an int. InvalidArgumentError where it is no scalar, or below `least`."""
    if np.ndim(value):
        raise InvalidArgumentError(f"{name} must be a scalar, got shape {list(np.shape(value))}")
    number = int(np.asarray(value))
    if least is not None and number < least:
        what = {1: "greater than zero", 0: "greater than or equal to zero"}.get(least, f"at least {least}")
        raise InvalidArgumentError(f"{name} must be {what}, got {number}")
    return number


def text(value: Any) -> str:
    """A scalar string input."""
    item: Any = np.asarray(value, object)[()]
    return item.decode(errors="surrogateescape") if isinstance(item, bytes) else str(item)


def texts(value: Any) -> list[str]:
    """A string input of any shape as a list."""
    return [text(item) for item in np.asarray(value, object).reshape(-1)]


def string(value: bytes) -> np.ndarray[Any, Any]:
    """A scalar string as an element holds it."""
    return np.array(value, object)


def row(array: Any, index: int) -> np.ndarray[Any, Any]:
    """Entry `index` of the first axis as an array, of strings too."""
    found: np.ndarray[Any, Any] = array[index, ...]
    return found


def stacked(values: Sequence[Any], component: int = 0) -> np.ndarray[Any, Any]:
    """Arrays of one shape behind each other on a new first axis. InvalidArgumentError where their shapes differ."""
    first = values[0]
    if not isinstance(first, np.ndarray):
        raise InvalidArgumentError(f"component {component} of the elements holds {type(first).__name__}, not numbers")
    shape = first.shape
    for i, value in enumerate(values):
        if value.shape != shape:
            raise InvalidArgumentError(
                f"Cannot batch tensors with different shapes in component {component}. First element had shape "
                f"[{','.join(map(str, shape))}] and element {i} had shape [{','.join(map(str, value.shape))}]."
            )
    return stack(values)


class Several(Iterator[Element]):
    """An iterator that gives several elements at once, to who will take so many in any case."""

    def some(self, most: int) -> list[Element]:
        """The next elements: at least one, at most `most`; none at the end. An error is raised where its turn comes."""
        raise NotImplementedError

    def __next__(self) -> Element:
        found = self.some(1)
        if not found:
            raise StopIteration
        return found[0]


class _OneByOne(Several):
    """Several elements of an iterator that makes them one by one."""

    def __init__(self, source: Iterator[Element]) -> None:
        self._source = source
        # What came behind the elements that were given.
        self._behind: OpError | StopIteration | None = None

    def some(self, most: int) -> list[Element]:
        found: list[Element] = []
        try:
            if self._behind is not None:
                behind, self._behind = self._behind, None
                raise behind
            while len(found) < most:
                found.append(next(self._source))
        except (OpError, StopIteration) as e:
            if found:
                self._behind = e
            elif isinstance(e, OpError):
                raise
        return found


def several(source: Iterator[Element]) -> Several:
    """The iterator, as one that gives several elements at once."""
    return source if isinstance(source, Several) else _OneByOne(source)


class Mapped(Several):
    """The results of a function on each element. One that raises OutOfRangeError ends the dataset."""

    def __init__(self, input_dataset: Dataset, function: Any, run: Run) -> None:
        self._input = several(input_dataset.start(run))
        self._function = function
        self._scope = run.scope
        self._ready: deque[Sequence[Any] | OpError] = deque()

    def some(self, most: int) -> list[Element]:
        ready = self._ready
        if not ready:
            elements = self._input.some(min(most, self._function.most))
            if not elements:
                return []
            ready.extend(self.results(elements))
        found: list[Element] = []
        while ready and len(found) < most:
            result = ready[0]
            if isinstance(result, OpError) and found:
                break
            ready.popleft()
            if isinstance(result, OutOfRangeError):
                break
            if isinstance(result, OpError):
                raise result
            found.append(tuple(result))
        return found

    def results(self, elements: Sequence[Element]) -> Sequence[Sequence[Any] | OpError]:
        """For each element what the function gives, or the error that it raises."""
        if len(elements) > 1:
            found: list[Sequence[Any] | OpError] = self._function.each(self._scope, elements)
            return found
        try:
            return [self._function(self._scope, *elements[0])]
        except OpError as e:
            return [e]


class Samples:
    """A stream of random uint32, as the kernels of datasets draw them."""

    __slots__ = ("_counter", "_key", "_ready")

    def __init__(self, seed: int, seed2: int) -> None:
        self._key, self._counter = random.initial_state(seed, seed2)
        self._ready: list[int] = []

    def __call__(self) -> int:
        """The next sample."""
        if not self._ready:
            drawn = random.blocks(self._key, self._counter, _BLOCKS)
            self._counter = random.skip(self._counter, _BLOCKS)
            self._ready = np.asarray(drawn).reshape(-1)[::-1].tolist()
        return self._ready.pop()


class SeedGenerator:
    """Where iterators get their seeds from: two new ones each, or always the same."""

    def __init__(self, seed: int, seed2: int, reshuffle: bool) -> None:
        if not (seed or seed2):
            seed, seed2 = secrets.randbits(63), secrets.randbits(63)
        self._fixed = None if reshuffle else (seed, seed2)
        self._samples = Samples(seed, seed2)
        self._lock = threading.Lock()

    def seeds(self) -> tuple[int, int]:
        """The seeds of the next iterator."""
        if self._fixed is not None:
            return self._fixed
        with self._lock:
            return self._samples(), self._samples()
