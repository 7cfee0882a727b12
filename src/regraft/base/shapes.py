"""Static shapes: known and unknown dimensions, known and unknown rank, and the arithmetic of what is known."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Dim = int | None


class Dimension:
    """One dimension as programs written for TensorFlow 1 see it: `.value` is an int, or None when unknown."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        if value is None or isinstance(value, Dimension):
            self._value: Dim = None if value is None else value._value
            return
        try:
            self._value = operator.index(value)
        except TypeError:
            if not (isinstance(value, str) and value.isdigit()):
                raise TypeError(
                    f"Dimension value must be integer or None or have an __index__ method, got {value!r}"
                ) from None
            self._value = int(value)
        if self._value < 0:
            raise ValueError(f"Dimension {self._value} must be >= 0")

    @property
    def value(self) -> Dim:
        return self._value

    def is_compatible_with(self, other: Any) -> bool:
        other = as_dim(other)
        return self._value is None or other is None or self._value == other

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {Dimension(other)} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        self.assert_is_compatible_with(other)
        return Dimension(as_dim(other) if self._value is None else self._value)

    def _apply(self, other: Any, function: Callable[[int, int], int]) -> Any:
        if isinstance(other, float):
            return NotImplemented
        try:
            other = as_dim(other)
        except (TypeError, ValueError):
            return NotImplemented
        return Dimension(None if self._value is None or other is None else function(self._value, other))

    def __add__(self, other: Any) -> Any:
        return self._apply(other, operator.add)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._apply(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._apply(other, lambda a, b: b - a)

    def __mul__(self, other: Any) -> Any:
        return self._apply(other, operator.mul)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return self._apply(other, operator.floordiv)

    __div__ = __floordiv__

    def __rfloordiv__(self, other: Any) -> Any:
        return self._apply(other, lambda a, b: b // a)

    def __truediv__(self, other: Any) -> Any:
        raise TypeError("unsupported operand type(s) for /: 'Dimension' and others, please use // instead")

    def __mod__(self, other: Any) -> Any:
        return self._apply(other, operator.mod)

    def __rmod__(self, other: Any) -> Any:
        return self._apply(other, lambda a, b: b % a)

    def _compare(self, other: Any, function: Callable[[int, int], bool]) -> Any:
        other = as_dim(other)
        return None if self._value is None or other is None else function(self._value, other)

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._compare(other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, operator.ge)

    def __eq__(self, other: object) -> Any:
        try:
            return self._compare(other, operator.eq)
        except (TypeError, ValueError):
            return NotImplemented

    def __ne__(self, other: object) -> Any:
        try:
            return self._compare(other, operator.ne)
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __int__(self) -> Any:
        return self._value

    def __index__(self) -> Any:
        return self._value

    def __repr__(self) -> str:
        return f"Dimension({self._value!r})"

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)


def as_dim(value: Any) -> Dim:
    """An int, or None for unknown, from an int, None or Dimension."""
    if value is None or type(value) is int:
        return value
    return value._value if isinstance(value, Dimension) else Dimension(value)._value


class TensorShape:
    """A static shape. Immutable.

    dims  a tuple of ints and Nones, or None when the rank itself is unknown (`.dims` gives Dimension objects, as
          TensorFlow 1 does; Regraft's own code reads `.sizes`)
    """

    __slots__ = ("sizes",)

    sizes: tuple[Dim, ...] | None

    def __init__(self, dims: Any) -> None:
        if dims is None:
            self.sizes = None
        elif isinstance(dims, TensorShape):
            self.sizes = dims.sizes
        elif hasattr(dims, "unknown_rank") and hasattr(dims, "dim"):  # a TensorShapeProto, ours or TensorFlow's
            self.sizes = None if dims.unknown_rank else tuple(None if d.size < 0 else d.size for d in dims.dim)
        elif isinstance(dims, (str, bytes)):
            self.sizes = (as_dim(dims),)
        else:
            try:
                items: Iterable[Any] = iter(dims)
            except TypeError:
                items = (dims,)
            self.sizes = tuple(None if type(d) is int and d == -1 else as_dim(d) for d in items)

    @staticmethod
    def of(dims: tuple[Dim, ...] | None) -> TensorShape:
        """The shape of a tuple that is known to be well formed; does no checks."""
        shape = TensorShape.__new__(TensorShape)
        shape.sizes = dims
        return shape

    @property
    def rank(self) -> int | None:
        return None if self.sizes is None else len(self.sizes)

    @property
    def ndims(self) -> int | None:
        return self.rank

    @property
    def dims(self) -> list[Dimension] | None:
        return None if self.sizes is None else [Dimension(d) for d in self.sizes]

    @property
    def known(self) -> bool:
        """Whether rank and all dimensions are known."""
        return self.sizes is not None and None not in self.sizes

    def is_fully_defined(self) -> bool:
        return self.known

    def assert_is_fully_defined(self) -> None:
        if not self.known:
            raise ValueError(f"Shape {self} is not fully defined")

    def num_elements(self) -> int | None:
        if self.sizes is None:
            return None
        count = 1
        for d in self.sizes:
            if d is None:
                return None
            count *= d
        return count

    def as_list(self) -> list[Dim]:
        """The dimensions as a list. ValueError when the rank is unknown."""
        if self.sizes is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self.sizes)

    def is_compatible_with(self, other: Any) -> bool:
        other = as_shape(other)
        if self.sizes is None or other.sizes is None:
            return True
        return len(self.sizes) == len(other.sizes) and all(
            a is None or b is None or a == b for a, b in zip(self.sizes, other.sizes, strict=True)
        )

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {as_shape(other)} are incompatible")

    def assert_has_rank(self, rank: int) -> None:
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_same_rank(self, other: Any) -> None:
        other = as_shape(other)
        if self.rank is not None and other.rank is not None and self.rank != other.rank:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def with_rank(self, rank: int) -> TensorShape:
        if self.rank is None:
            return TensorShape.of((None,) * rank)
        if self.rank != rank:
            raise ValueError(f"Shape {self} must have rank {rank}")
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        if self.rank is not None and self.rank < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        if self.rank is not None and self.rank > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def merge_with(self, other: Any) -> TensorShape:
        """What is known of either. ValueError when they contradict each other."""
        that: TensorShape = as_shape(other)
        self.assert_is_compatible_with(that)
        if self.sizes is None:
            return that
        if that.sizes is None:
            return self
        return TensorShape.of(tuple(b if a is None else a for a, b in zip(self.sizes, that.sizes, strict=True)))

    def concatenate(self, other: Any) -> TensorShape:
        other = as_shape(other)
        return UNKNOWN if self.sizes is None or other.sizes is None else TensorShape.of(self.sizes + other.sizes)

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        other = as_shape(other)
        if self.sizes is None or other.sizes is None or len(self.sizes) != len(other.sizes):
            return UNKNOWN
        return TensorShape.of(tuple(a if a == b else None for a, b in zip(self.sizes, other.sizes, strict=True)))

    def __len__(self) -> int:
        if self.sizes is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self.sizes)

    def __bool__(self) -> bool:
        return self.sizes is not None

    def __iter__(self) -> Iterator[Dimension]:
        if self.sizes is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter([Dimension(d) for d in self.sizes])

    def __getitem__(self, key: Any) -> Any:
        if self.sizes is not None:
            picked = self.sizes[key]
            return TensorShape.of(picked) if isinstance(key, slice) else Dimension(picked)
        if not isinstance(key, slice):
            return Dimension(None)
        start, stop = key.start or 0, key.stop
        if key.step is not None:
            raise ValueError("Steps are not yet handled")
        if stop is None or start < 0 or stop < 0:
            return UNKNOWN
        return TensorShape.of((None,) * max(0, stop - start))

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        left: TensorShape = as_shape(other)
        joined: TensorShape = left.concatenate(self)
        return joined

    def __eq__(self, other: object) -> bool:
        try:
            return bool(self.sizes == as_shape(other).sizes)
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self.sizes)

    def __reduce__(self) -> Any:
        return (TensorShape, (self.sizes,))

    def __repr__(self) -> str:
        return f"TensorShape({None if self.sizes is None else [Dimension(d) for d in self.sizes]})"

    def __str__(self) -> str:
        if self.sizes is None:
            return "<unknown>"
        if len(self.sizes) == 1:
            return f"({Dimension(self.sizes[0])},)"
        return f"({', '.join(str(Dimension(d)) for d in self.sizes)})"


UNKNOWN = TensorShape(None)
SCALAR = TensorShape(())


def as_shape(value: Any) -> TensorShape:
    return value if isinstance(value, TensorShape) else TensorShape(value)
