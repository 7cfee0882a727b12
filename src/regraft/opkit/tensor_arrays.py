"""TensorArrays: as a list of NumPy arrays in the interpreter, as one array [size, ...element] in a trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.base.shapes import TensorShape
from regraft.opkit.arrays import jnp, lax, on_host, static_shape
from regraft.opkit.objects import Objects, RunObject, TracedObject, TracedObjects, Untraceable


def _text(shape: Any) -> str:
    return "<unknown>" if shape.rank is None else f"[{','.join('?' if d is None else str(d) for d in shape.sizes)}]"


class HostTensorArray(RunObject):
    """A TensorArray of NumPy arrays.

    dynamic           it grows when an index beyond its end is written
    clear_after_read  an element may be read once
    identical         all elements have one shape
    accumulates       writing to an element that is there adds to it: so do the TensorArrays of gradients
    """

    def __init__(
        self,
        objects: Objects,
        dtype: DType,
        size: Any,
        element_shape: Any = None,
        dynamic: bool = False,
        clear_after_read: bool = True,
        identical: bool = False,
        accumulates: bool = False,
        name: str = "",
    ) -> None:
        if np.shape(size) != ():
            raise InvalidArgumentError(f"TensorArray size must be scalar, but had shape: {list(np.shape(size))}")
        if int(size) < 0:
            raise InvalidArgumentError("Size should be >= 0.")
        self._objects = objects
        self._key = objects.node
        self.dtype = dtype
        self._shape = TensorShape(element_shape)
        self._elements: list[Any] = [None] * int(size)
        self._cleared: set[int] = set()
        self._dynamic = dynamic
        self._clear = clear_after_read
        self._identical = identical
        self._accumulates = accumulates
        self._name = name
        self._gradients: dict[bytes, HostTensorArray] = {}
        self._like: list[tuple[int, ...] | None] = []

    def size(self) -> Any:
        return np.int32(len(self._elements))

    def write(self, index: Any, value: Any) -> None:
        """Set element `index`."""
        i = int(index)
        self._room(i)
        value = np.asarray(value)
        shape = TensorShape(value.shape)
        if not self._shape.is_compatible_with(shape):
            raise InvalidArgumentError(
                f"TensorArray {self._name}: Could not write to TensorArray index {i} because the value shape is "
                f"{list(value.shape)} which is incompatible with the TensorArray's inferred element shape: "
                f"{_text(self._shape)} (consider setting infer_shape=False)."
            )
        if self._identical:
            self._shape = self._shape.merge_with(shape)
        old = self._elements[i]
        if old is None and i not in self._cleared:
            self._elements[i] = np.array(value)
        elif not self._accumulates:
            raise InvalidArgumentError(
                f"TensorArray {self._name}: Could not write to TensorArray index {i} because it has already been "
                + ("read." if i in self._cleared else "written to.")
            )
        elif old.shape != value.shape:
            raise InvalidArgumentError(
                f"TensorArray {self._name}: Could not aggregate to TensorArray index {i} because the existing shape "
                f"is {list(old.shape)} but the new input shape is {list(value.shape)}."
            )
        else:
            self._elements[i] = old + value

    def _room(self, index: int) -> None:
        size = len(self._elements)
        if index < 0 or (index >= size and not self._dynamic):
            raise InvalidArgumentError(
                f"TensorArray {self._name}: Tried to write to index {index} but array is "
                f"{'' if self._dynamic else 'not '}resizeable and size is: {size}"
            )
        if index >= size:
            self._elements += [None] * (index + 1 - size)
            self._objects.note(self._key, index + 1)

    def read(self, index: Any, clear: bool = True) -> Any:
        """Element `index`; zeros where it was not written and its shape is known."""
        i = int(index)
        if not 0 <= i < len(self._elements):
            raise InvalidArgumentError(f"Tried to read from index {i} but array size is: {len(self._elements)}")
        if i in self._cleared:
            raise InvalidArgumentError(
                f"TensorArray {self._name}: Could not read index {i} twice because it was cleared after a previous "
                "read (perhaps try setting clear_after_read = false?)."
            )
        value = self._elements[i]
        if value is None:
            value = np.zeros(self._unwritten(i), self.dtype.numpy)
        if self._clear and clear:
            self._cleared.add(i)
            self._elements[i] = None
        return value

    def _unwritten(self, i: int) -> tuple[int, ...]:
        if i < len(self._like) and self._like[i] is not None:
            return self._like[i]  # type: ignore[return-value]  # just asked
        if not self._shape.is_fully_defined():
            raise InvalidArgumentError(
                f"TensorArray {self._name}: Could not read from TensorArray index {i}.  Furthermore, the element "
                f"shape is not fully defined: {_text(self._shape)}."
            )
        return tuple(self._shape.as_list())  # type: ignore[arg-type]  # fully defined

    def _shape_of(self, i: int) -> tuple[int, ...] | None:
        value = self._elements[i]
        if value is not None:
            return tuple(value.shape)
        return tuple(self._shape.as_list()) if self._shape.is_fully_defined() else None  # type: ignore[arg-type]  # fully defined

    def gather(self, indices: Any, element_shape: Any) -> Any:
        """The elements of these indices, stacked."""
        if len(indices) == 0:
            shape = self._shape.merge_with(TensorShape(element_shape))
            if not shape.is_fully_defined():
                raise UnimplementedError(
                    f"TensorArray has size zero, but element shape {_text(shape)} is not fully defined. Currently only "
                    "static shapes are supported when packing zero-size TensorArrays."
                )
            return np.zeros((0, *shape.as_list()), self.dtype.numpy)
        parts = [self.read(i) for i in indices]
        for at, part in enumerate(parts):
            if part.shape != parts[0].shape:
                raise InvalidArgumentError(
                    f"TensorArray has inconsistent shapes.  Index 0 has shape: {list(parts[0].shape)} but index {at} "
                    f"has shape: {list(part.shape)}"
                )
        return np.stack(parts)

    def scatter(self, indices: Any, value: Any) -> None:
        """Write row i of `value` to element `indices[i]`."""
        if len(indices) != len(value):
            raise InvalidArgumentError(
                f"Expected len(indices) == values.shape[0], but saw: {len(indices)} vs. {len(value)}"
            )
        top = max((int(i) for i in indices), default=-1)
        if top >= len(self._elements) and not self._dynamic:
            raise InvalidArgumentError(f"Max scatter index must be < array size ({top} vs. {len(self._elements)})")
        for i, row in zip(indices, value, strict=True):
            self.write(i, row)

    def unstack(self, value: Any) -> None:
        self.scatter(np.arange(len(value)), value)

    def stack(self, element_shape: Any) -> Any:
        return self.gather(np.arange(len(self._elements)), element_shape)

    def concat(self, except0: Any) -> tuple[Any, Any]:
        """All elements along their first dimension, and how long each is."""
        if not self._elements:
            shape = TensorShape(except0)
            if not shape.is_fully_defined():
                raise UnimplementedError(
                    f"TensorArray has size zero, but element_shape_except0 {_text(shape)} is not fully defined. "
                    "Currently only static shapes are supported when concatenating zero-size TensorArrays."
                )
            return np.zeros((0, *shape.as_list()), self.dtype.numpy), np.zeros(0, np.int64)
        parts = [self.read(i) for i in range(len(self._elements))]
        for at, part in enumerate(parts):
            if part.ndim == 0:
                raise InvalidArgumentError(f"Concat saw a scalar shape at index {at} but requires at least vectors.")
            if part.shape[1:] != parts[0].shape[1:]:
                raise InvalidArgumentError(
                    f"TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: "
                    f"{list(parts[0].shape[1:])} but index {at} has (excepting dimension 0) shape: "
                    f"{list(part.shape[1:])}"
                )
        return np.concatenate(parts), np.array([len(p) for p in parts], np.int64)

    def split(self, value: Any, lengths: Any) -> None:
        """Write to element i the next `lengths[i]` rows of `value`."""
        if sum(int(n) for n in lengths) != len(value):
            raise InvalidArgumentError(
                "Expected sum of lengths to be equal to values.shape[0], but sum of lengths is "
                f"{int(np.sum(lengths))} and value's shape is: {list(np.shape(value))}"
            )
        if len(lengths) != len(self._elements) and not (self._dynamic and len(lengths) > len(self._elements)):
            raise InvalidArgumentError(
                f"TensorArray's size is not equal to the size of lengths ({len(self._elements)} vs. {len(lengths)}), "
                "and the TensorArray is not marked as dynamically resizeable"
            )
        at = 0
        for i, n in enumerate(lengths):
            self.write(i, value[at : at + int(n)])
            at += int(n)

    def gradient(self, source: bytes, prepend: Any = ()) -> Any:
        """The TensorArray that takes the gradients of this one for the computation `source`; made if there is none."""
        found = self._gradients.get(source)
        if found is None:
            self._dynamic = False
            shape = TensorShape([*map(int, prepend)]).concatenate(self._shape)
            found = self._objects.tensor_array(
                self.dtype,
                len(self._elements),
                element_shape=shape,
                clear_after_read=False,
                identical=self._identical,
                accumulates=True,
                name=f"{self._name}@{source.decode()}",
            )
            lead = tuple(map(int, prepend))
            shapes = [self._shape_of(i) for i in range(len(self._elements))]
            found._like = [None if s is None else (*lead, *s) for s in shapes]
            self._gradients[source] = found
        return found

    def close(self) -> None:
        self._elements = []


class TracedTensorArray(TracedObject):
    """A TensorArray as one traced array. All elements have one shape; what an index says is not checked.

    A dynamic one has room for `capacity` elements: its size is traced, and writing beyond the room is an overflow,
    upon which the program is run again with more room.
    """

    def __init__(
        self,
        objects: TracedObjects,
        dtype: DType,
        size: Any,
        element_shape: Any = None,
        dynamic: bool = False,
        clear_after_read: bool = True,
        identical: bool = False,
        accumulates: bool = False,
        name: str = "",
    ) -> None:
        if not on_host(size):
            raise Untraceable(f"the size of TensorArray {name!r} is not known when it is traced")
        self._objects = objects
        self.dtype = dtype
        self._shape = TensorShape(element_shape)
        self._dynamic = dynamic
        self._accumulates = accumulates
        self._name = name
        self._key = objects.node
        self._count: Any = int(size)
        self._room = objects.capacity(self._key, int(size)) if dynamic else int(size)
        self._data: Any = None
        self._gradients: dict[bytes, TracedTensorArray] = {}
        self.parent: TracedObject | None = None

    def leaves(self) -> tuple[Any, ...]:
        if self._data is None and self._shape.is_fully_defined():
            self._allocate(tuple(self._shape.as_list()))  # type: ignore[arg-type]  # fully defined
        if self._data is None:
            return ()
        return (self._data, jnp.asarray(self._count, jnp.int32)) if self._dynamic else (self._data,)

    def restore(self, leaves: tuple[Any, ...]) -> None:
        if not leaves:
            self._data = None
        elif self._dynamic:
            self._data, self._count = leaves
        else:
            (self._data,) = leaves

    def zeros(self, like: tuple[Any, ...]) -> tuple[Any, ...]:
        data = jnp.zeros(like[0].shape, like[0].dtype)
        return (data, jnp.asarray(self._count, jnp.int32)) if self._dynamic else (data,)

    @property
    def fixed_size(self) -> int:
        """The number of elements, 0 if it can grow."""
        return 0 if self._dynamic else self._room

    def excess(self) -> tuple[str, Any] | None:
        if not self._dynamic or self._data is None:
            return None
        return self._key, jnp.where(self._count > self._room, self._count, 0).astype(jnp.int32)

    def _allocate(self, shape: tuple[int, ...]) -> Any:
        if self._data is None:
            self._data = jnp.zeros((self._room, *shape), self.dtype.numpy)
        elif tuple(self._data.shape[1:]) != shape:
            raise Untraceable(
                f"TensorArray {self._name!r} has elements of shapes {list(self._data.shape[1:])} and {list(shape)}"
            )
        return self._data

    def _contents(self) -> Any:
        if not self.leaves():
            raise Untraceable(f"TensorArray {self._name!r} is read before the shape of its elements is known")
        return self._data

    def size(self) -> Any:
        return np.int32(self._count) if isinstance(self._count, int) else self._count

    def write(self, index: Any, value: Any) -> None:
        value = jnp.asarray(value)
        data = self._allocate(static_shape(value))
        if self._dynamic:
            self._count = jnp.maximum(self._count, jnp.asarray(index, jnp.int32) + 1)
        index = jnp.asarray(index, jnp.int32)
        if self._accumulates:
            value = lax.dynamic_index_in_dim(data, index, 0, keepdims=False) + value
        self._data = lax.dynamic_update_index_in_dim(data, value, index, 0)
        self.version += 1

    def read(self, index: Any) -> Any:
        return lax.dynamic_index_in_dim(self._contents(), jnp.asarray(index, jnp.int32), 0, keepdims=False)

    def gather(self, indices: Any, element_shape: Any) -> Any:
        count = static_shape(indices)[0]
        if count == 0 and not self.leaves():
            self._allocate(tuple(TensorShape(element_shape).as_list()))  # type: ignore[arg-type]  # fully defined
        data = self._contents()
        if on_host(indices) and count == data.shape[0] and np.array_equal(indices, np.arange(count)):
            return data
        return jnp.take(data, jnp.asarray(indices), axis=0, mode="clip")

    def scatter(self, indices: Any, value: Any) -> None:
        value = jnp.asarray(value)
        count = static_shape(indices)[0]
        data = self._allocate(static_shape(value)[1:])
        self.version += 1
        if self._dynamic:
            if not on_host(indices):
                raise Untraceable(f"the indices scattered to TensorArray {self._name!r} are not known when traced")
            top = int(np.max(indices, initial=-1)) + 1
            self._count = max(self._count, top) if isinstance(self._count, int) else jnp.maximum(self._count, top)
            if top > self._room:
                self._room = top
                data = self._data = jnp.concatenate([data, jnp.zeros((top - len(data), *data.shape[1:]), data.dtype)])
        if self._accumulates:
            self._data = data.at[jnp.asarray(indices)].add(value)
        elif on_host(indices) and count == data.shape[0] and np.array_equal(indices, np.arange(count)):
            self._data = value
        else:
            self._data = data.at[jnp.asarray(indices)].set(value)

    def unstack(self, value: Any) -> None:
        self.scatter(np.arange(static_shape(value)[0]), value)

    def stack(self, element_shape: Any) -> Any:
        return self.gather(np.arange(self._fixed()), element_shape)

    def _fixed(self) -> int:
        if not isinstance(self._count, int):
            raise Untraceable(f"the size of TensorArray {self._name!r} is not known when it is traced")
        return self._count

    def concat(self, except0: Any) -> tuple[Any, Any]:
        data = self._contents()[: self._fixed()]
        if data.ndim < 2:
            raise InvalidArgumentError("Concat saw a scalar shape at index 0 but requires at least vectors.")
        lengths = np.full(data.shape[0], data.shape[1], np.int64)
        return data.reshape(data.shape[0] * data.shape[1], *data.shape[2:]), lengths

    def split(self, value: Any, lengths: Any) -> None:
        if not on_host(lengths) or len(set(map(int, lengths))) > 1:
            raise Untraceable(f"TensorArray {self._name!r} is split into parts of unequal length")
        value = jnp.asarray(value)
        self.unstack(value.reshape(len(lengths), *([int(lengths[0])] if len(lengths) else [0]), *value.shape[1:]))

    def gradient(self, source: bytes, prepend: Any = ()) -> Any:
        found = self._gradients.get(source)
        if found is None:
            found = self._objects.tensor_array(
                self.dtype,
                self._room,
                element_shape=None,
                accumulates=True,
                name=f"{self._name}@{source.decode()}",
            )
            found.parent = self
            found._data = self._zero_gradient(prepend)
            self._gradients[source] = found
        return found

    def _zero_gradient(self, prepend: Any) -> Any:
        if not self.leaves():
            return None
        data = self._data
        return jnp.zeros((data.shape[0], *(int(d) for d in prepend), *data.shape[1:]), data.dtype)

    def forget(self, known: Any) -> None:
        self._gradients = {k: v for k, v in self._gradients.items() if v in known}

    def close(self) -> None:
        return None
