"""Staging areas: a step puts in what a later step takes out. The ops of `ops/staging.py` keep them in a session."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError, ResourceExhaustedError
from regraft.opkit.waiting import NOT_YET, Attempt, Shared

KIND = "staging area"

Element = tuple[Any, ...]


def _bytes(element: Sequence[Any]) -> int:
    return sum(np.asarray(value).nbytes for value in element if value is not None)


class _Area(Shared):
    """What bounds an area.

    capacity      how many elements there is room for; 0 for no limit
    memory_limit  how many bytes; 0 for no limit
    """

    def __init__(self, capacity: int, memory_limit: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.memory_limit = memory_limit
        self._held = 0

    def _full(self, count: int, size: int) -> bool:
        """Whether there is no room for one more element, of `size` bytes, beside `count`."""
        return 0 < self.capacity <= count or (0 < self.memory_limit < self._held + size and self._held > 0)


class StagingArea(_Area):
    """First in, first out."""

    def __init__(self, capacity: int, memory_limit: int) -> None:
        super().__init__(capacity, memory_limit)
        self._elements: deque[Element] = deque()

    def put(self, element: Sequence[Any]) -> Attempt:
        """Put an element in. ResourceExhaustedError for one that can never have room."""
        held = tuple(np.array(value) for value in element)
        size = _bytes(held)
        if 0 < self.memory_limit < size:
            raise ResourceExhaustedError(
                f"Attempted to insert tensors with combined size of '{size}' bytes into Staging Area with a memory "
                f"limit of '{self.memory_limit}'."
            )

        def serve() -> Any:
            if self._full(len(self._elements), size):
                return NOT_YET
            self._elements.append(held)
            self._held += size
            return ()

        return self.ask(serve)

    def get(self) -> Attempt:
        """Take the oldest element out."""

        def serve() -> Any:
            if not self._elements:
                return NOT_YET
            element = self._elements.popleft()
            self._held -= _bytes(element)
            return element

        return self.ask(serve)

    def peek(self, index: int) -> Attempt:
        """The element at `index`, which stays."""
        return self.ask(lambda: self._elements[index] if index < len(self._elements) else NOT_YET)

    def size(self) -> int:
        return len(self._elements)

    def clear(self) -> None:
        """Throw all elements away."""
        with self._lock:
            self._elements.clear()
            self._held = 0
            self.changed()


class MapStagingArea(_Area):
    """Elements under keys; the components of one may come, and go, one by one.

    ordered  what is taken without a key is the element of the least key; else the oldest
    """

    def __init__(self, capacity: int, memory_limit: int, ordered: bool) -> None:
        super().__init__(capacity, memory_limit)
        self._ordered = ordered
        self._complete: dict[int, list[Any]] = {}
        self._incomplete: dict[int, list[Any]] = {}

    def put(self, key: int, indices: Sequence[int], values: Sequence[Any], count: int) -> Attempt:
        """Put some of the `count` components of an element in.

        raises  InvalidArgumentError for one that is there already, and for indices out of order
        """
        if any(a >= b for a, b in pairwise(indices)):
            raise InvalidArgumentError("Indices are not strictly ordered")
        if len(indices) != len(values) or (len(indices) and not 0 <= indices[0] <= indices[-1] < count):
            raise InvalidArgumentError(
                f"indices {list(indices)} of {len(values)} values do not fit an element of {count} tensors"
            )
        held = [np.array(value) for value in values]
        size = _bytes(held)

        def serve() -> Any:
            if key not in self._incomplete and self._full(len(self._complete) + len(self._incomplete), size):
                return NOT_YET
            parts = self._incomplete.setdefault(key, [None] * count)
            for at, value in zip(indices, held, strict=True):
                if parts[at] is not None:
                    raise InvalidArgumentError(
                        f"The tensor for index '{at}' for key '{key}' was already initialized '{count}'."
                    )
                parts[at] = value
            self._held += size
            if all(part is not None for part in parts):
                del self._incomplete[key]
                if key in self._complete:
                    self._held -= _bytes(parts)  # the one that is there stays
                else:
                    self._complete[key] = parts
            return ()

        return self.ask(serve)

    def peek(self, key: int, indices: Sequence[int]) -> Attempt:
        """Components of a complete element, which stay."""
        return self.ask(self._when(lambda: key, lambda found: self._parts(found, indices)))

    def pop(self, key: int, indices: Sequence[int]) -> Attempt:
        """Take components of a complete element out; when none is left the key is free again."""
        return self.ask(self._when(lambda: key, lambda found: self._taken(found, indices)))

    def pop_any(self, indices: Sequence[int]) -> Attempt:
        """As `pop`, of the element whose turn it is: its key comes first."""

        def key() -> int | None:
            if not self._complete:
                return None
            return min(self._complete) if self._ordered else next(iter(self._complete))

        return self.ask(self._when(key, lambda found: (np.array(found, np.int64), *self._taken(found, indices))))

    def _when(self, key: Callable[[], int | None], give: Callable[[int], Element]) -> Callable[[], Any]:
        def serve() -> Any:
            found = key()
            return NOT_YET if found is None or found not in self._complete else give(found)

        return serve

    def _parts(self, key: int, indices: Sequence[int]) -> Element:
        parts = self._complete[key]
        for at in indices:
            if not 0 <= at < len(parts):
                raise InvalidArgumentError(f"Index '{at}' for key '{key}' was out of bounds '{len(parts)}'.")
            if parts[at] is None:
                raise InvalidArgumentError(f"Tensor at index '{at}' for key '{key}' has already been removed.")
        return tuple(parts[at] for at in indices)

    def _taken(self, key: int, indices: Sequence[int]) -> Element:
        found = self._parts(key, indices)
        self._held -= _bytes(found)
        parts = self._complete[key]
        for at in indices:
            parts[at] = None
        if all(part is None for part in parts):
            del self._complete[key]
        return found

    def size(self) -> int:
        """How many elements are complete."""
        return len(self._complete)

    def incomplete_size(self) -> int:
        return len(self._incomplete)

    def clear(self) -> None:
        """Throw all elements away."""
        with self._lock:
            self._complete.clear()
            self._incomplete.clear()
            self._held = 0
            self.changed()
