"""Reductions: which axes, the static shape of the result, and that shape with a 1 for every reduced axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Tensor
from regraft.opkit.builder import Builder
from regraft.opkit.constant import literal_value
from regraft.opkit.shapes import ShapeContext, Sizes


def axes_of(indices: Any, rank: int) -> tuple[int, ...]:
    """The axes that a reduction reduces, in [0, rank). InvalidArgumentError for what is no axis, and for one twice."""
    axes = []
    for axis in np.asarray(indices).reshape(-1).tolist():
        if not -rank <= axis < rank:
            raise InvalidArgumentError(f"Invalid reduction dimension ({axis} for input with {rank} dimension(s)")
        if axis % rank in axes:
            raise InvalidArgumentError(f"Invalid reduction arguments: Axes contains duplicate dimension: {axis % rank}")
        axes.append(axis % rank)
    return tuple(axes)


def reduction(c: ShapeContext) -> list[Sizes]:
    """Input 0 without the axes that input 1 names, or with 1 in their place for `keep_dims`."""
    sizes, keep = c.input(0), c.attr("keep_dims", False)
    shape_of_axes = c.input(1)
    if shape_of_axes is not None and len(shape_of_axes) > 1:
        raise c.fail(f"Shape must be at most rank 1 but is rank {len(shape_of_axes)}")
    axes = None if sizes is None else c.value(1)
    if sizes is None:
        return [None]
    if axes is None:
        return [(None,) * len(sizes) if keep else None]
    try:
        reduced = axes_of(axes, len(sizes))
    except InvalidArgumentError as e:
        raise c.fail(str(e)) from e
    if keep:
        return [tuple(1 if i in reduced else d for i, d in enumerate(sizes))]
    return [tuple(d for i, d in enumerate(sizes) if i not in reduced)]


def reduced_shape(b: Builder, shape: Tensor, axes: Any) -> Any:
    """The tensor `shape` with 1 at `axes`: an array where both are literal, else the nodes that work it out."""
    known, known_axes = literal_value(shape), literal_value(axes)
    if known is not None and known_axes is not None:
        kept = np.array(known, np.int32)
        kept[np.asarray(known_axes, np.int32)] = 1
        return kept
    rank = b.size(shape, out_type=axes.dtype.base)
    axes = (axes + rank) % rank
    ones_shape = b.shape(axes)
    return b.DynamicStitch([b.range(rank), axes], [shape, b.ones(ones_shape, shape.dtype.base)])
