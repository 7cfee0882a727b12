"""Queues between threads, as the ops of `ops/queues.py` keep them in a session.

Who wants to put something in, and who wants to take something out, wait in two lines. Only the first of a line is
served, bit by bit: the first to ask for ten elements gets each as it comes, and nobody behind it gets any before.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import CancelledError, InvalidArgumentError, OpError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.opkit.random import blocks, skip
from regraft.opkit.stacking import stack
from regraft.opkit.waiting import Attempt

KIND = "queue"

Element = tuple[Any, ...]
_CANCELLED = "operation was cancelled"
# Random numbers are drawn so many blocks of four at a time.
_BLOCKS = 64
# What a queue without a limit has room for.
_PLENTY = 1 << 30


class _Enqueue(Attempt):
    """Puts elements in, or closes the queue when its turn comes."""

    __slots__ = ("closes", "elements")

    def __init__(self, withdrawn: Any, elements: Iterable[Element], closes: bool = False) -> None:
        super().__init__(withdrawn)
        self.elements = deque(elements)
        self.closes = closes


class _Dequeue(Attempt):
    """Takes `count` elements out, or fewer when the queue is closed and `fewer` will do."""

    __slots__ = ("count", "fewer", "join", "taken")

    def __init__(self, withdrawn: Any, count: int, fewer: bool, join: Callable[[list[Element]], Element]) -> None:
        super().__init__(withdrawn)
        self.count = count
        self.fewer = fewer
        self.join = join
        self.taken: list[Element] = []


class Queue:
    """First in, first out. Subclasses keep the elements in another order.

    capacity  how many elements there is room for; a negative number for no limit
    dtypes    of the components of an element
    shapes    of the components; None where each element may have its own
    """

    type = "FIFOQueue"

    def __init__(self, name: str, capacity: int, dtypes: Sequence[DType], shapes: Sequence[TensorShape] | None) -> None:
        self.name = name
        self.capacity = capacity
        self.dtypes = tuple(d.base for d in dtypes)
        self.shapes = None if shapes is None else tuple(shapes)
        self._closed = False
        self._over = False
        self._lock = threading.Lock()
        self._enqueues: deque[_Enqueue] = deque()
        self._dequeues: deque[_Dequeue] = deque()
        self._make_room()

    # How elements are kept

    def _make_room(self) -> None:
        self._elements: deque[Element] = deque()

    def _put(self, element: Element) -> None:
        self._elements.append(element)

    def _take(self) -> Element:
        return self._elements.popleft()

    def _put_back(self, elements: list[Element]) -> None:
        self._elements.extendleft(reversed(elements))

    def _size(self) -> int:
        return len(self._elements)

    def _available(self) -> int:
        """How many elements may be taken now."""
        return self._size()

    # What ops do

    def enqueue(self, components: Sequence[Any]) -> Attempt:
        """Put one element in. It fails with CancelledError once the queue is closed."""
        self._check(components)
        return self._ask_in([tuple(np.array(v) for v in components)])

    def room(self) -> int:
        """How many elements can be put in without waiting; any large number where there is no limit."""
        with self._lock:
            if self._closed or self._enqueues:
                return 0
            return _PLENTY if self.capacity < 0 else self.capacity - self._size()

    def fitting(self, elements: Sequence[Element]) -> int:
        """How many of the elements, from the first on, are such as `enqueue` takes."""
        last = None
        for i, element in enumerate(elements):
            kind = [(value.shape, value.dtype) for value in element]
            if kind != last:
                try:
                    self._check(element)
                except InvalidArgumentError:
                    return i
            last = kind
        return len(elements)

    def put(self, elements: Sequence[Element]) -> Attempt:
        """Put elements in that fit, one after another. Their arrays are the queue's to keep."""
        return self._ask_in(elements)

    def take(self, most: int) -> list[Element]:
        """Take out what is there, at most `most` elements, and nothing where somebody else waits for them."""
        with self._lock:
            if self._dequeues:
                return []
            taken = [self._take() for _ in range(min(most, self._available()))]
            self._serve()
            return taken

    def enqueue_many(self, components: Sequence[Any]) -> Attempt:
        """Put the rows of the components in, one after another."""
        self._check_types(components)
        count = np.shape(components[0])[:1]
        for i, value in enumerate(components):
            self._check_shape(i, np.shape(value), count or (0,))
        held = [np.array(v) for v in components]
        return self._ask_in([tuple(_row(v, i) for v in held) for i in range(count[0])])

    def dequeue(self) -> Attempt:
        """Take one element out. It fails with OutOfRangeError when the queue is closed and empty."""
        return self._ask_out(1, False, lambda taken: taken[0])

    def dequeue_many(self, count: int, fewer: bool = False) -> Attempt:
        """Take `count` elements out, each component stacked along a new first axis.

        fewer  take what is left, if it is anything, when the queue is closed before there are enough
        """
        if self.shapes is None or any(s.rank is None for s in self.shapes):
            raise InvalidArgumentError(
                f"{self.type}'s DequeueMany and DequeueUpTo require the components to have specified shapes."
            )
        if count < 0:
            raise InvalidArgumentError(f"DequeueMany requested {count} < 0 elements")
        if count == 0:
            attempt = Attempt(self._withdraw)
            sizes = [tuple(d or 0 for d in s.sizes or ()) for s in self.shapes]
            attempt.succeed(tuple(np.zeros((0, *s), d.numpy) for s, d in zip(sizes, self.dtypes, strict=True)))
            return attempt
        return self._ask_out(count, fewer, self._joined)

    def close(self, cancel: bool) -> Attempt:
        """Let nothing more in, once all that wait to put something in have done so.

        cancel  at once: those that wait fail with CancelledError
        """
        if not cancel:
            return self._ask_in((), closes=True)
        attempt = Attempt(self._withdraw)
        with self._lock:
            self._closed = True
            self._cancel_enqueues()
            self._serve()
        attempt.succeed()
        return attempt

    def size(self) -> int:
        with self._lock:
            return self._size()

    @property
    def closed(self) -> bool:
        return self._closed

    def close_session(self) -> None:
        """End all that wait, and all that comes, with CancelledError."""
        with self._lock:
            self._over = self._closed = True
            self._cancel_enqueues()
            while self._dequeues:
                self._dequeues.popleft().fail(CancelledError(f"Dequeue {_CANCELLED}"))
            self._make_room()

    # The two lines

    def _ask_in(self, elements: Iterable[Element], closes: bool = False) -> Attempt:
        attempt = _Enqueue(self._withdraw, elements, closes)
        with self._lock:
            self._enqueues.append(attempt)
            if self._over:
                self._cancel_enqueues()
            self._serve()
        return attempt

    def _ask_out(self, count: int, fewer: bool, join: Callable[[list[Element]], Element]) -> Attempt:
        attempt = _Dequeue(self._withdraw, count, fewer, join)
        if self._over:
            attempt.fail(CancelledError(f"Dequeue {_CANCELLED}"))
            return attempt
        with self._lock:
            self._dequeues.append(attempt)
            self._serve()
        return attempt

    def _withdraw(self, attempt: Any, error: OpError) -> None:
        with self._lock:
            if attempt in self._enqueues:
                self._enqueues.remove(attempt)
            elif attempt in self._dequeues:
                self._dequeues.remove(attempt)
                self._put_back(attempt.taken)
            attempt.fail(error)
            self._serve()

    def _cancel_enqueues(self) -> None:
        while self._enqueues:
            self._enqueues.popleft().fail(CancelledError(f"Enqueue {_CANCELLED}"))

    def _serve(self) -> None:
        """Serve the first of each line as long as something moves."""
        while self._serve_line(self._enqueues, self._serve_enqueue) | self._serve_line(
            self._dequeues, self._serve_dequeue
        ):
            pass

    @staticmethod
    def _serve_line(line: deque[Any], serve: Callable[[Any], bool]) -> bool:
        moved = False
        while line:
            moved |= serve(line[0])
            if not line[0].done:
                return moved
            line.popleft()
            moved = True
        return moved

    def _serve_enqueue(self, attempt: _Enqueue) -> bool:
        if self._closed:
            what = f"Queue '{self.name}' is already" if attempt.closes else f"{self.type} '{self.name}' is"
            attempt.fail(CancelledError(f"{what} closed."))
            return True
        moved = False
        while attempt.elements and (self.capacity < 0 or self._size() < self.capacity):
            self._put(attempt.elements.popleft())
            moved = True
        if not attempt.elements:
            self._closed = attempt.closes
            attempt.succeed()
        return moved

    def _serve_dequeue(self, attempt: _Dequeue) -> bool:
        lacking = attempt.count - len(attempt.taken)
        if self._closed and self._size() < lacking:
            if not (attempt.fewer and (attempt.taken or self._size())):
                self._put_back(attempt.taken)
                attempt.taken = []
                attempt.fail(
                    OutOfRangeError(
                        f"{self.type} '{self.name}' is closed and has insufficient elements "
                        f"(requested {attempt.count}, current size {self._size()})"
                    )
                )
                return True
            attempt.count -= lacking - self._size()
            lacking = self._size()
        count = min(lacking, self._available())
        attempt.taken.extend(self._take() for _ in range(count))
        if len(attempt.taken) == attempt.count:
            attempt.succeed(attempt.join(attempt.taken))
        return count > 0

    # Components

    def _joined(self, taken: list[Element]) -> Element:
        return tuple(map(stack, zip(*taken, strict=True)))

    def _check(self, components: Sequence[Any]) -> None:
        self._check_types(components)
        for i, value in enumerate(components):
            self._check_shape(i, np.shape(value), ())

    def _check_types(self, components: Sequence[Any]) -> None:
        if len(components) != len(self.dtypes):
            raise InvalidArgumentError(
                f"Wrong number of components in tuple. Expected {len(self.dtypes)}, got {len(components)}"
            )
        for i, (value, dtype) in enumerate(zip(components, self.dtypes, strict=True)):
            if np.asarray(value).dtype != dtype.numpy:
                raise InvalidArgumentError(
                    f"Type mismatch in tuple component {i}. Expected {dtype.status_name}, got {np.asarray(value).dtype}"
                )

    def _check_shape(self, i: int, found: tuple[int, ...], count: tuple[int, ...]) -> None:
        """`found` must be `count` and the component's shape."""
        sizes = None if self.shapes is None else self.shapes[i].sizes
        if sizes is None:
            if count and found[:1] != count:
                raise InvalidArgumentError(
                    f"All input tensors must have the same size in the 0th dimension. Component {i} has "
                    f"{list(found)}, and should have {count[0]}"
                )
            return
        wanted = (*count, *sizes)
        if len(found) != len(wanted) or any(w not in (None, d) for w, d in zip(wanted, found, strict=True)):
            expected, got = (",".join("?" if d is None else str(d) for d in dims) for dims in (wanted, found))
            raise InvalidArgumentError(f"Shape mismatch in tuple component {i}. Expected [{expected}], got [{got}]")


class PaddingQueue(Queue):
    """First in, first out; what is taken together is filled up with zeros to one shape."""

    type = "PaddingFIFOQueue"

    def _joined(self, taken: list[Element]) -> Element:
        return tuple(map(_padded, zip(*taken, strict=True)))


class ShuffleQueue(Queue):
    """Gives any of its elements, at random: TensorFlow's choice for the same seeds.

    least  how many elements stay in it until it is closed
    state  (key, counter) of its generator
    """

    type = "RandomShuffleQueue"

    def __init__(
        self,
        name: str,
        capacity: int,
        dtypes: Sequence[DType],
        shapes: Sequence[TensorShape] | None,
        *,
        least: int,
        state: tuple[Any, Any],
    ) -> None:
        super().__init__(name, capacity, dtypes, shapes)
        self.least = least
        self._key, self._counter = state
        self._numbers: list[int] = []

    def _make_room(self) -> None:
        self._held: list[Element] = []

    def _put(self, element: Element) -> None:
        self._held.append(element)

    def _put_back(self, elements: list[Element]) -> None:
        self._held.extend(reversed(elements))

    def _take(self) -> Element:
        if not self._numbers:
            self._numbers = self._draw()
        at = self._numbers.pop() % len(self._held)
        self._held[at], self._held[-1] = self._held[-1], self._held[at]
        return self._held.pop()

    def _draw(self) -> list[int]:
        words = blocks(self._key, self._counter, _BLOCKS)
        self._counter = skip(self._counter, _BLOCKS)
        numbers: list[int] = np.asarray(words).reshape(-1)[::-1].tolist()
        return numbers

    def _size(self) -> int:
        return len(self._held)

    def _available(self) -> int:
        return self._size() if self._closed else max(self._size() - self.least, 0)


class _Ranked:
    """An element in a heap. Equal ones are not told apart: then they leave the heap as those of TensorFlow do."""

    __slots__ = ("element", "priority")

    def __init__(self, element: Element) -> None:
        self.element = element
        self.priority = int(element[0])

    def __lt__(self, other: _Ranked) -> bool:
        return self.priority < other.priority


class PriorityQueue(Queue):
    """Gives the element whose first component, an int64, is least."""

    type = "PriorityQueue"

    def _make_room(self) -> None:
        self._heap: list[_Ranked] = []

    def _put(self, element: Element) -> None:
        heapq.heappush(self._heap, _Ranked(element))

    def _put_back(self, elements: list[Element]) -> None:
        for element in elements:
            self._put(element)

    def _take(self) -> Element:
        return heapq.heappop(self._heap).element

    def _size(self) -> int:
        return len(self._heap)


def _row(values: Any, i: int) -> Any:
    row = values[i]
    return row if isinstance(row, np.ndarray) else np.asarray(row, values.dtype)


def _padded(parts: Sequence[Any]) -> Any:
    """The arrays, of one rank, stacked; each filled up with zeros, or empty strings, at the ends of its axes."""
    sizes = tuple(map(max, *(p.shape for p in parts))) if len(parts) > 1 else parts[0].shape
    dtype = parts[0].dtype
    out = np.full((len(parts), *sizes), b"" if dtype.kind == "O" else dtype.type(0), dtype)
    for i, part in enumerate(parts):
        place: Any = tuple(slice(d) for d in part.shape)
        out[i][place] = part
    return out
