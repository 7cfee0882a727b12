"""What variant tensors hold: lists of tensors and optional values. They never change, unlike TensorArrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape


@dataclass(frozen=True, slots=True, eq=False)
class TensorList:
    """A list.

    dtype  of its elements
    shape  what is known of theirs
    items  NumPy arrays, or lists where the dtype is variant; None where nothing was set
    most   how many it may hold, negative for any number
    """

    dtype: DType
    shape: TensorShape
    items: tuple[Any, ...] = ()
    most: int = -1

    def with_items(self, items: Any) -> TensorList:
        return replace(self, items=tuple(items))

    def at(self, index: Any, shape: Any) -> Any:
        """Element `index`; zeros where it was not set."""
        i = int(index)
        if not 0 <= i < len(self.items):
            raise InvalidArgumentError(f"Trying to access element {i} in a list with {len(self.items)} elements.")
        return self.filled(self.items[i], shape)

    def filled(self, item: Any, shape: Any) -> Any:
        """The item, or zeros of the elements' shape."""
        if item is not None:
            return item
        known = self._known(shape)
        if not known.is_fully_defined():
            raise InvalidArgumentError(
                "Trying to read an uninitialized tensor but element_shape is not fully defined: "
                f"{known} and no list element is set."
            )
        return np.zeros(known.as_list(), self.dtype.numpy)

    def _known(self, shape: Any) -> TensorShape:
        known = self.shape.merge_with(shape)
        for item in self.items:
            if item is not None and not isinstance(item, TensorList):
                return known.merge_with(TensorShape(item.shape))
        return known

    def stacked(self, items: Any, shape: Any) -> Any:
        """Items as one array."""
        if not items:
            known = self._known(shape)
            if not known.is_fully_defined():
                raise InvalidArgumentError(
                    f"Tried to stack elements of an empty list with non-fully-defined element_shape: {known}"
                )
            return np.zeros((0, *known.as_list()), self.dtype.numpy)
        parts = [self.filled(item, shape) for item in items]
        for part in parts:
            if part.shape != parts[0].shape:
                raise InvalidArgumentError(
                    f"Tried to stack list which only contains tensors of shapes {list(parts[0].shape)} and "
                    f"{list(part.shape)}"
                )
        return np.stack(parts)

    def zeros_like(self) -> TensorList:
        """A list as long, of zeros."""
        return self.with_items(
            None if i is None else i.zeros_like() if isinstance(i, TensorList) else np.zeros_like(i) for i in self.items
        )

    def plus(self, other: TensorList) -> TensorList:
        """The sum of two lists, element by element."""
        if len(self.items) != len(other.items):
            raise InvalidArgumentError(
                f"Trying to add two lists of tensors of different lengths: {len(self.items)} vs. {len(other.items)}"
            )
        return self.with_items(_sum(a, b) for a, b in zip(self.items, other.items, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Optional:
    """What may be absent: `values` is None then."""

    values: tuple[Any, ...] | None = None

    def zeros_like(self) -> Optional:
        return self if self.values is None else Optional(tuple(np.zeros_like(v) for v in self.values))

    def plus(self, other: Optional) -> Optional:
        """The sum, component by component, where both are there."""
        if self.values is None or other.values is None:
            return Optional() if self.values is other.values else self if other.values is None else other
        return Optional(tuple(_sum(a, b) for a, b in zip(self.values, other.values, strict=True)))


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return a.plus(b) if isinstance(a, (TensorList, Optional)) else np.asarray(a + b)


def shape_of(value: Any) -> TensorShape:
    """The shape that an element_shape input gives: -1 is an unknown dimension, a scalar -1 an unknown rank."""
    array = np.asarray(value)
    if array.ndim == 0:
        return TensorShape(None)
    return TensorShape([None if d < 0 else int(d) for d in array])
