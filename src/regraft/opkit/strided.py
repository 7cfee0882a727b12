"""StridedSlice: what begin, end, strides and the five masks mean for a shape.

`resolve` turns them into one entry for each input dimension, and the shape of the result with new and dropped axes.
Bit i of a mask speaks of entry i of begin, end and strides:

ellipsis_mask     the entry stands for as many whole dimensions as are left (one such entry at most)
new_axis_mask     the entry adds a dimension of size 1
shrink_axis_mask  the entry picks one index, and the dimension goes
begin_mask        the entry's begin is not looked at: from the first element
end_mask          the entry's end is not looked at: to the last element

An ellipsis goes before a new axis, and a new axis before shrinking. Without an ellipsis there is one at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regraft.base.errors import InvalidArgumentError

Dim = int | None

NEW = -1


@dataclass(frozen=True, slots=True)
class Masks:
    begin: int = 0
    end: int = 0
    ellipsis: int = 0
    new_axis: int = 0
    shrink_axis: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What happens to one input dimension.

    spec    its position in begin, end and strides; None for a dimension of the ellipsis, which is taken whole
    whole   whether all of the dimension is taken, in order
    shrink  whether one index is picked
    """

    spec: int | None
    shrink: bool = False
    begin_masked: bool = True
    end_masked: bool = True

    @property
    def whole(self) -> bool:
        return self.spec is None


@dataclass(frozen=True, slots=True)
class Layout:
    """`entries`, one an input dimension; `gather`: for each output axis the input dimension it is, or NEW."""

    entries: tuple[Entry, ...]
    gather: tuple[int, ...]


def layout(rank: int, count: int, masks: Masks) -> Layout:
    """How `count` entries spread over the dimensions of an input of `rank`.

    raises InvalidArgumentError for a second ellipsis, or more entries than dimensions
    """
    ellipsis = masks.ellipsis & ((1 << count) - 1)
    if ellipsis & (ellipsis - 1):
        raise InvalidArgumentError("Multiple ellipses in slice spec not allowed")
    new_after = 0
    seen = False
    for i in range(count):
        bit = 1 << i
        if ellipsis & bit:
            seen = True
        elif seen and masks.new_axis & bit:
            new_after += 1
    total = count if ellipsis else count + 1
    entries: list[Entry] = []
    gather: list[int] = []
    for i in range(total):
        bit = 1 << i
        if i == count or ellipsis & bit:
            until = rank if i == count else min(rank - (count - i) + 1 + new_after, rank)
            while len(entries) < until:
                gather.append(len(entries))
                entries.append(Entry(None))
        elif masks.new_axis & bit:
            gather.append(NEW)
        else:
            if len(entries) == rank:
                raise InvalidArgumentError(f"Index out of range using input dim {rank}; input has only {rank} dims")
            shrink = bool(masks.shrink_axis & bit)
            if not shrink:
                gather.append(len(entries))
            entries.append(Entry(i, shrink, bool(masks.begin & bit), bool(masks.end & bit)))
    return Layout(tuple(entries), tuple(gather))


@dataclass(frozen=True, slots=True)
class Span:
    """The elements of one dimension that are taken: `start`, then every `step`, `size` of them."""

    start: int
    step: int
    size: int

    def as_slice(self) -> slice:
        if self.size == 0:
            return slice(0, 0)
        stop = self.start + self.size * self.step
        return slice(self.start, None if stop < 0 else stop, self.step)


def span(entry: Entry, size: int, begin: int, end: int, stride: int, where: int = 0) -> Span:
    """The part of a dimension of `size` that an entry takes.

    raises InvalidArgumentError for stride 0, and for a picked index that is out of bounds
    """
    if entry.whole:
        return Span(0, 1, size)
    if stride == 0:
        raise InvalidArgumentError(f"strides[{entry.spec}] must be non-zero")
    if entry.shrink:
        if stride <= 0:
            raise InvalidArgumentError("only stride 1 allowed on non-range indexing.")
        # TensorFlow does not look at begin_mask here.
        index = begin if begin >= 0 else begin + size
        if not 0 <= index < size:
            raise InvalidArgumentError(f"slice index {begin} of dimension {where} out of bounds.")
        return Span(index, 1, 1)
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    start = _bound(begin, size, low, high) if not entry.begin_masked else (low if stride > 0 else high)
    stop = _bound(end, size, low, high) if not entry.end_masked else (high if stride > 0 else low)
    length = stop - start
    if length == 0 or (length < 0) != (stride < 0):
        return Span(start, stride, 0)
    return Span(start, stride, -(-length // stride) if stride > 0 else -(length // -stride))


def _bound(value: int, size: int, low: int, high: int) -> int:
    value = value + size if value < 0 else value
    return min(max(value, low), high)


def spans(
    shape: Sequence[int], begin: Sequence[int], end: Sequence[int], strides: Sequence[int], masks: Masks
) -> tuple[Layout, list[Span]]:
    """The part of every input dimension that is taken."""
    found = layout(len(shape), len(begin), masks)
    out = []
    for i, (entry, size) in enumerate(zip(found.entries, shape, strict=True)):
        b, e, s = (0, 0, 1) if entry.spec is None else (begin[entry.spec], end[entry.spec], strides[entry.spec])
        out.append(span(entry, size, b, e, s, i))
    return found, out


def sliced_shape(
    shape: Sequence[Dim] | None,
    begin: Sequence[int] | None,
    end: Sequence[int] | None,
    strides: Sequence[int] | None,
    masks: Masks,
) -> tuple[Dim, ...] | None:
    """The static shape of the result; None for what is not known. Begin and end count only where both are known."""
    if shape is None or strides is None:
        return None
    found = layout(len(shape), len(strides), masks)
    sizes = [
        _static_size(entry, size, begin, end, strides, i)
        for i, (entry, size) in enumerate(zip(found.entries, shape, strict=True))
    ]
    return tuple(1 if source == NEW else sizes[source] for source in found.gather)


def _static_size(
    entry: Entry,
    size: Dim,
    begin: Sequence[int] | None,
    end: Sequence[int] | None,
    strides: Sequence[int],
    where: int,
) -> Dim:
    if entry.spec is None:
        return size
    stride = strides[entry.spec]
    if stride == 0:
        raise InvalidArgumentError(f"strides[{entry.spec}] must be non-zero")
    if size is None:
        return 1 if entry.shrink else None
    if begin is not None and end is not None:
        return span(entry, size, begin[entry.spec], end[entry.spec], stride, where).size
    if entry.shrink:
        return 1
    return span(entry, size, 0, 0, stride, where).size if entry.begin_masked and entry.end_masked else None
