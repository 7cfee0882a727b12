"""Barriers: the components of an element come one by one, under its key, and complete elements are taken.

The ops of `ops/barriers.py` keep them in a session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import CancelledError, InvalidArgumentError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.opkit.queues import PriorityQueue
from regraft.opkit.waiting import NOT_YET, Attempt, Shared

KIND = "barrier"

_FIRST = -(2**63)


class Barrier(Shared):
    """Elements by key.

    dtypes, shapes  of the components
    """

    def __init__(self, name: str, types: Sequence[DType], shapes: Sequence[TensorShape] | None) -> None:
        super().__init__()
        self.name = name
        self._count = len(types)
        self._types = [t.base for t in types]
        self._shapes = shapes
        scalars = [TensorShape([])] * 2
        # By the insertion that brought their keys.
        self._ready = PriorityQueue(
            name, -1, [dtypes.int64, dtypes.string, *types], None if shapes is None else [*scalars, *shapes]
        )
        self._incomplete: dict[bytes, list[Any]] = {}
        self._inserted = 0
        self._closed = self._cancelled = False

    def insert_many(self, component: int, keys: Sequence[bytes], values: Any) -> None:
        """Set a component of the elements of these keys.

        raises  InvalidArgumentError for a component that is set already; CancelledError for a new key when it is closed
        """
        if not 0 <= component < self._count:
            raise InvalidArgumentError(
                f"component_index {component} is not one of the {self._count} of barrier {self.name}"
            )
        shape = None if self._shapes is None else self._shapes[component]
        if len(values.shape) == 0 or values.shape[0] != len(keys):
            raise InvalidArgumentError(
                f"Shape mismatch in component {component}: {len(keys)} keys, values of shape {list(values.shape)}"
            )
        if shape is not None and not shape.is_compatible_with(values.shape[1:]):
            raise InvalidArgumentError(
                f"Shape mismatch in component {component}. Expected {shape}, got {list(values.shape[1:])}"
            )
        if values.dtype != self._types[component].numpy:
            raise InvalidArgumentError(
                f"Type mismatch in component {component}. Expected {self._types[component].name}, got {values.dtype}"
            )
        held = np.array(values)
        with self._lock:
            batch = _FIRST + self._inserted
            self._inserted += 1
            for i, key in enumerate(keys):
                self._insert(component, key, np.asarray(held[i], held.dtype), batch)
            self.changed()

    def _insert(self, component: int, key: bytes, value: Any, batch: int) -> None:
        text = key.decode(errors="replace")
        if self._cancelled or (self._closed and key not in self._incomplete):
            raise CancelledError(
                f"Barrier {self.name} is closed, but attempted to insert a brand new key: {text}.  "
                f"Pending enqueues cancelled: {int(self._cancelled)}.  Insertion index: {component}.  "
                f"Number of incomplete keys: {len(self._incomplete)}."
            )
        parts = self._incomplete.setdefault(key, [np.array(batch, np.int64), *[None] * self._count])
        if parts[1 + component] is not None:
            raise InvalidArgumentError(
                f"Key {text} already has a value for component {component} in barrier {self.name}"
            )
        parts[1 + component] = value
        if all(part is not None for part in parts):
            del self._incomplete[key]
            self._ready.enqueue([parts[0], np.array(key, object), *parts[1:]])

    def take_many(self, count: int, fewer: bool) -> Attempt:
        """Take `count` complete elements: (batches, keys, *components).

        fewer  take what is complete, if it is anything, once the barrier is closed
        """

        def serve() -> Any:
            ready = self._ready.size()
            wanted = min(count, ready) if fewer and self._closed else count
            if self._closed:
                total = ready if fewer else ready + len(self._incomplete)
                if total < max(wanted, 1):
                    raise OutOfRangeError(
                        f"Barrier '{self.name}' is closed and has insufficient elements "
                        f"(requested {wanted}, total size {total})"
                    )
            return self._ready.dequeue_many(wanted).result() if ready >= wanted else NOT_YET

        return self.ask(serve)

    def close(self, cancel: bool) -> None:
        """Let no new key in; with `cancel`, no component of those that are there either."""
        with self._lock:
            if self._closed and not (cancel and not self._cancelled):
                raise CancelledError(f"Barrier '{self.name}' is already closed.")
            self._closed = True
            if cancel:
                self._cancelled = True
                self._incomplete.clear()
            self.changed()

    def ready_size(self) -> int:
        """How many elements are complete."""
        return self._ready.size()

    def incomplete_size(self) -> int:
        return len(self._incomplete)
