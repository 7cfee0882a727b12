"""Stacks of tensors: as a list in the interpreter, as one array [capacity, ...element] and a count in a trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, lax, on_host, static_shape
from regraft.opkit.objects import Objects, RunObject, TracedObject, TracedObjects, Untraceable


class HostStack(RunObject):
    """A stack of NumPy arrays. `max_size` below zero is no bound."""

    def __init__(self, objects: Objects, dtype: DType, max_size: Any, name: str) -> None:
        self.dtype = dtype
        self._objects = objects
        self._key = objects.node
        self._max = int(max_size)
        self._name = name
        self._elements: list[Any] = []
        self._closed = False

    def _open(self) -> None:
        if self._closed:
            raise InvalidArgumentError(f"Stack[{self._name}] has already been closed.")

    def push(self, value: Any) -> None:
        self._open()
        if 0 <= self._max <= len(self._elements):
            raise InvalidArgumentError(f"Stack[{self._name}] overflowed its max_size ({self._max})")
        self._elements.append(value)
        self._objects.note(self._key, len(self._elements))

    def pop(self) -> Any:
        self._open()
        if not self._elements:
            raise InvalidArgumentError(f"Stack[{self._name}] is empty when calling Pop().")
        return self._elements.pop()

    def close(self) -> None:
        self._closed = True
        self._elements = []


class TracedStack(TracedObject):
    """A stack with room for a number of elements of one shape. Pushing beyond it is an excess (see `TracedObject`).

    One that only takes a value which is known when it is traced, such as a shape, gives it back as such.
    """

    def __init__(self, objects: TracedObjects, dtype: DType, max_size: Any, name: str) -> None:
        self.dtype = dtype
        self._objects = objects
        self._name = name
        self._key = objects.node
        self._data: Any = None
        self._count: Any = np.int32(0)
        self._most: Any = np.int32(0)
        self._known: Any = None

    def leaves(self) -> tuple[Any, ...]:
        if self._data is None:
            return ()
        return self._data, jnp.asarray(self._count, jnp.int32), jnp.asarray(self._most, jnp.int32)

    def restore(self, leaves: tuple[Any, ...]) -> None:
        if leaves:
            self._data, self._count, self._most = leaves
        else:
            self._data, self._count, self._most = None, np.int32(0), np.int32(0)

    def zeros(self, like: tuple[Any, ...]) -> tuple[Any, ...]:
        none = jnp.zeros((), jnp.int32)
        return jnp.zeros(like[0].shape, like[0].dtype), none, none

    def excess(self) -> tuple[str, Any] | None:
        if self._data is None:
            return None
        return self._key, jnp.where(self._most > self._data.shape[0], self._most, 0)

    def push(self, value: Any) -> None:
        if isinstance(value, RunObject):
            raise Untraceable(f"stack {self._name!r} holds handles")
        if self._data is None and on_host(value) and (self._known is None or np.array_equal(self._known, value)):
            self._known = np.asarray(value)
            return
        if self._known is not None:
            raise Untraceable(f"stack {self._name!r} takes a constant and other values")
        value = jnp.asarray(value)
        shape = static_shape(value)
        if self._data is None:
            self._data = jnp.zeros((self._objects.capacity(self._key, 0), *shape), value.dtype)
        elif tuple(self._data.shape[1:]) != shape:
            raise Untraceable(
                f"stack {self._name!r} takes values of shapes {list(self._data.shape[1:])} and {list(shape)}"
            )
        self._data = lax.dynamic_update_index_in_dim(self._data, value, self._count, 0)
        self._count = jnp.asarray(self._count + np.int32(1), jnp.int32)
        self._most = jnp.maximum(self._most, self._count)
        self.version += 1

    def pop(self) -> Any:
        if self._known is not None:
            return self._known
        if self._data is None:
            raise Untraceable(f"stack {self._name!r} is popped before the shape of its elements is known")
        self._count = jnp.asarray(self._count - np.int32(1), jnp.int32)
        self.version += 1
        return lax.dynamic_index_in_dim(self._data, self._count, 0, keepdims=False)

    def close(self) -> None:
        return None
