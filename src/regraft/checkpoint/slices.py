"""Slices of tensors: which part of a partitioned variable a tensor holds.

Written `start,length` for each dimension, `-` for a whole one, joined by ":"; behind the sizes of the whole tensor that
makes a shape-and-slice, as in "100 300 0,40:-".
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from regraft import proto
from regraft.base.errors import InvalidArgumentError

WHOLE = -1  # the length that stands for all of a dimension
_PAIR = re.compile(r"(-?\d+),(-?\d+)")


@dataclass(frozen=True)
class TensorSlice:
    """A part of a tensor: (start, length) for each dimension, (0, WHOLE) for all of it."""

    extents: tuple[tuple[int, int], ...]

    @classmethod
    def whole(cls, rank: int) -> "TensorSlice":
        return cls(((0, WHOLE),) * rank)

    @classmethod
    def parse(cls, text: str) -> "TensorSlice":
        """The slice that `text` spells, such as "0,40:-". InvalidArgumentError if it spells none."""
        extents = []
        for part in text.split(":") if text else []:
            if part == "-":
                extents.append((0, WHOLE))
                continue
            pair = _PAIR.fullmatch(part)
            if pair is None:
                raise InvalidArgumentError(f"Expected a pair of numbers or '-' but got '{part}': string = {text}")
            start, length = int(pair[1]), int(pair[2])
            if start < 0 or length <= 0:
                raise InvalidArgumentError(
                    "Expected non-negative start and positive length but got"
                    f" start = {start}, length = {length}: string = {text}"
                )
            extents.append((start, length))
        return cls(tuple(extents))

    @classmethod
    def from_proto(cls, message: proto.TensorSliceProto) -> "TensorSlice":
        """The slice in a message; an extent without a length is whole."""
        return cls(
            tuple(
                (extent.start, extent.length) if extent.HasField("length") else (0, WHOLE) for extent in message.extent
            )
        )

    def to_proto(self) -> proto.TensorSliceProto:
        message = proto.TensorSliceProto()
        for start, length in self.extents:
            extent = message.extent.add()
            if length != WHOLE:
                extent.length = length
                if start:
                    extent.start = start
        return message

    def __str__(self) -> str:
        return ":".join("-" if length == WHOLE else f"{start},{length}" for start, length in self.extents)

    def bounds(self, shape: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """(start, stop) in each dimension of a tensor of `shape`.

        raises   InvalidArgumentError if the ranks differ, or the slice goes past the end
        """
        if len(shape) != len(self.extents):
            raise InvalidArgumentError(f"Mismatching ranks: shape = {bracketed(shape)}, slice = {self}")
        found = []
        for dim, ((start, length), size) in enumerate(zip(self.extents, shape, strict=True)):
            stop = size if length == WHOLE else start + length
            if start < 0 or stop < start or stop > size:
                raise InvalidArgumentError(
                    f"Extent in dimension {dim} out of bounds: shape = {bracketed(shape)}, slice = {self}"
                )
            found.append((start, stop))
        return tuple(found)

    def shape_in(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of this part of a tensor of `shape`; raises as `bounds` does."""
        return tuple(stop - start for start, stop in self.bounds(shape))

    def covers(self, shape: Sequence[int]) -> bool:
        """Whether this is all of a tensor of `shape`; raises as `bounds` does."""
        return self.shape_in(shape) == tuple(shape)


@dataclass(frozen=True)
class ShapeAndSlice:
    """A slice, with the shape of the tensor that it is a part of."""

    shape: tuple[int, ...]
    slice: TensorSlice

    @classmethod
    def parse(cls, text: str) -> "ShapeAndSlice | None":
        """What the string of a save or restore op spells, such as "100 300 0,40:-"; None for "", the whole tensor.

        raises   InvalidArgumentError if it is not of that form, or the slice does not lie in the shape
        """
        if not text:
            return None
        *sizes, extents = text.split(" ")
        if not sizes:
            raise InvalidArgumentError(f"Need least two elements in shape_and_slice specification: {text}")
        if not all(size.isdecimal() for size in sizes):
            raise InvalidArgumentError(f"Non numerical dimension in shape_and_slice: {text}")
        found = cls(tuple(map(int, sizes)), TensorSlice.parse(extents))
        found.slice.bounds(found.shape)
        return found

    def __str__(self) -> str:
        return " ".join([*map(str, self.shape), str(self.slice)])


def bracketed(shape: Iterable[int]) -> str:
    """A shape as messages show it: [2,3]."""
    return f"[{','.join(map(str, shape))}]"


Bounds = tuple[tuple[int, int], ...]


def overlap(a: Bounds, b: Bounds) -> Bounds | None:
    """The part that two boxes share, None if there is none. Boxes without dimensions share everything."""
    shared = tuple((max(p[0], q[0]), min(p[1], q[1])) for p, q in zip(a, b, strict=True))
    return shared if all(start < stop for start, stop in shared) else None


def within(inner: Bounds, outer: Bounds) -> tuple[slice, ...]:
    """Where `inner` lies in an array that holds `outer`."""
    return tuple(slice(p[0] - q[0], p[1] - q[0]) for p, q in zip(inner, outer, strict=True))


def count(bounds: Bounds) -> int:
    """The number of elements in a box."""
    return math.prod(stop - start for start, stop in bounds)


def covered(wanted: Bounds, parts: Sequence[Bounds]) -> bool:
    """Whether `parts`, boxes within `wanted`, hold all of its elements between them."""
    if sum(map(count, parts)) < count(wanted):
        return False
    if len(parts) == 1 or not count(wanted):
        return True
    cut = [dim for dim, whole in enumerate(wanted) if any(part[dim] != whole for part in parts)]
    if len(cut) == 1:
        reached = wanted[cut[0]][0]
        for start, stop in sorted(part[cut[0]] for part in parts):
            if start > reached:
                return False
            reached = max(reached, stop)
        return reached == wanted[cut[0]][1]
    seen = np.zeros([stop - start for start, stop in wanted], bool)
    for part in parts:
        seen[within(part, wanted)] = True
    return bool(seen.all())
