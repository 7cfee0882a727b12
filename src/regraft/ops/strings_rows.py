"""Strings of rows: n-grams of ragged rows, and the strings of each segment joined."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, with_rank
from regraft.opkit.texts import vector


def _grams_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(0), 1)
    return [(None,), with_rank(c, c.input(1), 1)]


@op("StringNGrams", shape=_grams_shape, runs=Runs.HOST, no_gradient="strings")
def string_n_grams(
    data: Any,
    data_splits: Any,
    *,
    separator: bytes,
    ngram_widths: tuple[int, ...],
    left_pad: bytes,
    right_pad: bytes,
    pad_width: int,
    preserve_short_sequences: bool,
    Tsplits: DType,
) -> Any:
    """The runs of `ngram_widths` strings of each row, joined, and where the runs of each row end.

    pad_width                 how many pads stand before and behind a row; -1: as many as make sense
    preserve_short_sequences  give a row that is too short for all widths as one run
    """
    items, ends = data.tolist(), data_splits.tolist()
    if ends and (ends[0] != 0 or ends[-1] != len(items) or ends != sorted(ends)):
        raise InvalidArgumentError(f"Invalid split values {ends} for {len(items)} strings")
    rows = [
        _grams(items[a:b], separator, ngram_widths, (left_pad, right_pad), pad_width, preserve_short_sequences)
        for a, b in pairwise(ends)
    ]
    splits = np.cumsum([0, *(len(row) for row in rows)]) if ends else np.zeros(0)
    return vector([gram for row in rows for gram in row]), splits.astype(Tsplits.numpy)


def _grams(
    row: list[bytes], separator: bytes, widths: tuple[int, ...], pads: tuple[bytes, bytes], pad: int, whole: bool
) -> list[bytes]:
    out = []
    for width in widths:
        count = min(width - 1 if pad < 0 else pad, width - 1)
        padded = [pads[0]] * count + row + [pads[1]] * count
        starts = range(len(row) + 2 * count - width + 1)
        out += [separator.join(padded[i : i + width]) for i in starts]
    if not out and whole and row:
        width = min(widths)
        count = min(width - 1 if pad < 0 else pad, width - 1)
        out.append(separator.join([pads[0]] * count + row + [pads[1]] * count))
    return out


def _joined_shape(c: ShapeContext) -> list[Sizes]:
    sizes, ids = c.input(0), c.input(1)
    count = c.value(2)
    with_rank(c, c.input(2), 0)
    if sizes is None or ids is None:
        return [None]
    if len(ids) > len(sizes):
        raise c.fail("The rank of segment_ids must not exceed that of the inputs")
    return [(None if count is None else int(count), *sizes[len(ids) :])]


@op("UnsortedSegmentJoin", shape=_joined_shape, runs=Runs.HOST, no_gradient="strings")
def unsorted_segment_join(inputs: Any, segment_ids: Any, num_segments: Any, *, separator: bytes) -> Any:
    """[num_segments, ...]: the strings of each segment joined in their order.

    raises InvalidArgumentError for ids that do not fit the inputs, or are outside
    """
    values, ids, count = np.asarray(inputs, object), np.asarray(segment_ids), int(num_segments)
    if values.shape[: ids.ndim] != ids.shape:
        raise InvalidArgumentError(
            f"segment_ids.shape must start with inputs.shape, {list(ids.shape)} and {list(values.shape)}"
        )
    rest = values.shape[ids.ndim :]
    rows: list[list[Any]] = [[] for _ in range(count)]
    for index in np.ndindex(*ids.shape):
        segment = int(ids[index])
        if not 0 <= segment < count:
            raise InvalidArgumentError(f"segment_ids{list(index)} = {segment} is out of range [0, {count})")
        rows[segment].append(np.asarray(values[index], object))
    out = np.empty((count, *rest), object)
    for segment, found in enumerate(rows):
        for place in np.ndindex(*rest):
            out[(segment, *place)] = separator.join(part[place] for part in found)
    return out
