"""Iterators of tf.data as resources of a session."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from regraft.base.dtypes import DType
from regraft.base.errors import CancelledError, FailedPreconditionError, InvalidArgumentError, OutOfRangeError
from regraft.base.shapes import TensorShape
from regraft.opkit.datasets import Dataset, Element, Run
from regraft.opkit.resources import ResourceHandle, found

KIND = "iterator"


class IteratorResource:
    """An iterator that lives in a session: made with a node, begun over a dataset, and begun again.

    types, shapes  of the elements; empty where the iterator takes those of its first dataset
    """

    def __init__(self, types: Sequence[DType], shapes: Sequence[TensorShape]) -> None:
        self.types = tuple(types)
        self.shapes = tuple(shapes)
        self._lock = threading.Lock()
        self._source: Iterator[Element] | None = None
        self._run: Run | None = None
        self._closed = False

    def begin(self, dataset: Dataset, run: Run) -> None:
        """Start over the elements of `dataset`. InvalidArgumentError where they are of other types or shapes."""
        check_structure(self.types, self.shapes, dataset.types, dataset.shapes)
        if self._run is not None:
            self._run.close()  # before the lock: who waits for an element must let go of it
        with self._lock:
            self._source, self._run = dataset.start(run), run

    def next(self) -> Element:
        """The next element.

        raises  OutOfRangeError at the end, FailedPreconditionError before `begin`, CancelledError once it is closed
        """
        with self._lock:
            if self._closed:
                raise CancelledError("the iterator was closed with its session")
            if self._source is None:
                raise FailedPreconditionError(
                    "GetNext() failed because the iterator has not been initialized. Ensure that you have run the "
                    "initializer operation for this iterator before getting the next element."
                )
            element = next(self._source, None)
        if element is None:
            raise OutOfRangeError("End of sequence")
        return element

    def close_session(self) -> None:
        """End the threads of the iterator."""
        self._closed = True
        if self._run is not None:
            self._run.close()


def iterator_of(session: Any, handle: Any) -> IteratorResource:
    """The iterator that a handle stands for."""
    return found(session, handle, KIND, IteratorResource)


def check_structure(
    types: Sequence[DType], shapes: Sequence[TensorShape], given: Sequence[DType], given_shapes: Sequence[TensorShape]
) -> None:
    """InvalidArgumentError unless elements of the given types and shapes can be those that are wanted."""
    if types and tuple(types) != tuple(given):
        if len(types) != len(given):
            raise InvalidArgumentError(
                f"Number of components does not match: expected {len(types)} types but got {len(given)}."
            )
        i = next(i for i, (a, b) in enumerate(zip(types, given, strict=True)) if a is not b)
        raise InvalidArgumentError(
            f"Data type mismatch at component {i}: expected {types[i].status_name} but got {given[i].status_name}."
        )
    for i, (wanted, shape) in enumerate(zip(shapes, given_shapes, strict=False)):
        if not wanted.is_compatible_with(shape):
            raise InvalidArgumentError(f"Incompatible shapes at component {i}: expected {wanted} but got {shape}.")


def to_string(handle: ResourceHandle) -> bytes:
    """The handle as a string, by which programs feed iterators."""
    return f"{handle.kind}:{handle.name}".encode()


def from_string(value: Any) -> ResourceHandle:
    """The handle that `to_string` gave. InvalidArgumentError for another string."""
    raw: Any = value[()] if hasattr(value, "dtype") else value
    kind, colon, name = raw.decode(errors="replace").partition(":") if isinstance(raw, bytes) else ("", "", "")
    if kind != KIND or not colon:
        raise InvalidArgumentError(
            f"{raw!r} is no string handle of an iterator",
            hint="feed what `sess.run(iterator.string_handle())` gave in this session",
        )
    return ResourceHandle(KIND, name)
