"""The same elements in another order: transposing, reversing, rolling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit.arrays import lax, namespace, on_host, static_shape
from regraft.opkit.axes import normalize_axes, normalize_axis
from regraft.opkit.builder import Builder
from regraft.opkit.registry import op
from regraft.opkit.several import only_first
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, merge_dim, with_rank


def _transpose_shape(c: ShapeContext) -> list[Sizes]:
    sizes, perm_sizes = c.input(0), with_rank(c, c.input(1), 1)
    perm = c.value(1)
    rank = len(sizes) if sizes is not None else perm_sizes[0] if perm is None else len(perm)
    if rank is None:
        return [None]
    if perm_sizes[0] is not None:
        merge_dim(c, perm_sizes[0], rank)
    if perm is None or sizes is None:
        if rank <= 1 and sizes is not None:
            return [sizes]
        return [(None,) * rank]
    order = [int(p) for p in perm]
    for p in order:
        if not -rank <= p < rank:
            raise c.fail(f"perm dim {p} is out of range of input rank {rank}")
    return [tuple(sizes[p] for p in order)]


def _order(x: Any, perm: Any) -> list[int]:
    rank = len(static_shape(x))
    if np.ndim(perm) != 1 or len(perm) != rank:
        raise InvalidArgumentError(
            f"transpose expects a vector of size {rank}. But input(1) is a vector of size {np.size(perm)}"
        )
    order = [int(p) for p in perm]
    for p in order:
        if not -rank <= p < rank:
            raise InvalidArgumentError(f"{p} is out of range [0 .. {rank})")
    order = [p % rank for p in order]
    if len(set(order)) != rank:
        missing = next(i for i in range(rank) if i not in order)
        raise InvalidArgumentError(f"{missing} is missing from {{{','.join(map(str, order))}}}.")
    return order


@op("Transpose", shape=_transpose_shape, static="perm")
def transpose(x: Any, perm: Any) -> Any:
    """Dimension i of the result is dimension perm[i] of x."""
    order = _order(x, perm)
    return np.transpose(x, order) if on_host(x) else lax.transpose(x, order)


@transpose.rows
def _(x: Any, perm: Any, *, rows: Sequence[Any]) -> Any:
    return np.transpose(x, (0, *(i + 1 for i in _order(x[0], perm)))) if only_first(rows) else None


@transpose.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.transpose(dy, b.InvertPermutation(node.inputs[1])), None]


@op("ConjugateTranspose", shape=_transpose_shape, static="perm")
def conjugate_transpose(x: Any, perm: Any) -> Any:
    """The conjugate of x transposed."""
    return namespace(x).conj(transpose(x, perm))


@conjugate_transpose.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.transpose(dy, b.InvertPermutation(node.inputs[1]), conjugate=True), None]


def _flipped(tensor: Any, axes: list[int]) -> Any:
    if not axes:
        return tensor
    return np.flip(tensor, tuple(axes)) if on_host(tensor) else lax.rev(tensor, axes)


def _reverse_shape(c: ShapeContext) -> list[Sizes]:
    dims = with_rank(c, c.input(1), 1)[0]
    sizes = c.input(0)
    if dims is not None:
        return [with_rank(c, sizes, dims)]
    return [sizes]


@op("Reverse", shape=_reverse_shape, static="dims")
def reverse(tensor: Any, dims: Any) -> Any:
    """The tensor backwards along the dimensions for which `dims` is true."""
    if len(dims) != len(static_shape(tensor)):
        raise InvalidArgumentError(
            f"'dims' must have the same number of values as 'input' has dimensions: {len(dims)} values, "
            f"{len(static_shape(tensor))} dimensions"
        )
    return _flipped(tensor, [i for i, d in enumerate(dims) if d])


@reverse.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.Reverse(dy, node.inputs[1]), None]


def _reverse_v2_shape(c: ShapeContext) -> list[Sizes]:
    with_rank(c, c.input(1), 1)
    sizes, axes = c.input(0), c.value(1)
    if sizes is not None and axes is not None:
        seen = set()
        for axis in (int(a) for a in axes):
            if not -len(sizes) <= axis < len(sizes):
                raise c.fail(f"reversed axis {axis} is out of valid range [{-len(sizes)}, {len(sizes)})")
            if axis % len(sizes) in seen:
                raise c.fail(f"axis {axis} specified more than once.")
            seen.add(axis % len(sizes))
    return [sizes]


@op("ReverseV2", shape=_reverse_v2_shape, static="axis")
def reverse_v2(tensor: Any, axis: Any) -> Any:
    """The tensor backwards along these axes."""
    axes = normalize_axes(axis, len(static_shape(tensor)))
    if len(set(axes)) != len(axes):
        raise InvalidArgumentError(f"axis {next(a for a in axes if axes.count(a) > 1)} specified more than once.")
    return _flipped(tensor, axes)


@reverse_v2.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.ReverseV2(dy, node.inputs[1]), None]


def _reverse_sequence_shape(c: ShapeContext) -> list[Sizes]:
    sizes, count = c.input(0), with_rank(c, c.input(1), 1)[0]
    if sizes is None:
        return [None]
    seq, batch = c.attr("seq_dim"), c.attr("batch_dim", 0)
    if batch >= len(sizes):
        raise c.fail(f"batch_dim must be < input rank: {batch} vs. {len(sizes)}")
    if seq >= len(sizes):
        raise c.fail(f"seq_dim must be < input rank: {seq} vs. {len(sizes)}")
    size = merge_dim(c, sizes[batch], count, batch)
    return [(*sizes[:batch], size, *sizes[batch + 1 :])]


@op("ReverseSequence", shape=_reverse_sequence_shape)
def reverse_sequence(input: Any, seq_lengths: Any, *, seq_dim: int, batch_dim: int) -> Any:
    """For each i along `batch_dim`, the first seq_lengths[i] slices along `seq_dim` backwards, the rest as they are.

    raises   InvalidArgumentError if a length is negative or above the size of `seq_dim`
    differs  a compiled program does not check the lengths
    """
    xp = namespace(input, seq_lengths)
    shape = static_shape(input)
    rank = len(shape)
    seq, batch = normalize_axis(seq_dim, rank, "seq_dim"), normalize_axis(batch_dim, rank, "batch_dim")
    if seq == batch:
        raise InvalidArgumentError(f"batch_dim == seq_dim == {seq_dim}")
    if static_shape(seq_lengths) != (shape[batch],):
        raise InvalidArgumentError(
            f"Length of seq_lengths != input.dims({batch}), ({list(static_shape(seq_lengths))} vs. {shape[batch]})"
        )
    if on_host(seq_lengths):
        for i, n in enumerate(seq_lengths):
            if n < 0:
                raise InvalidArgumentError(f"seq_lens({i}) < 0")
            if n > shape[seq]:
                raise InvalidArgumentError(f"seq_lens({i}) > input.dims({seq})")
    steps = xp.arange(shape[seq]).astype(seq_lengths.dtype)
    lengths = xp.reshape(seq_lengths, (-1, 1))
    index = xp.where(steps < lengths, lengths - 1 - steps, steps)
    if batch > seq:
        index = index.T
    expanded = tuple(shape[i] if i in (seq, batch) else 1 for i in range(rank))
    return xp.take_along_axis(input, xp.reshape(index, expanded), axis=seq)


@reverse_sequence.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [
        b.ReverseSequence(dy, node.inputs[1], seq_dim=node.get_attr("seq_dim"), batch_dim=node.get_attr("batch_dim")),
        None,
    ]


def _roll_shape(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 1)
    for i in (1, 2):
        given = c.input(i)
        if given is not None and len(given) > 1:
            raise c.fail(f"Shape must be at most rank 1 but is rank {len(given)}")
    return [sizes]


@op("Roll", shape=_roll_shape, static="axis")
def roll(input: Any, shift: Any, axis: Any) -> Any:
    """The elements moved by `shift` along `axis`, round the end; several axes at once, where one may come up again."""
    rank = len(static_shape(input))
    if rank < 1:
        raise InvalidArgumentError("input must be 1-D or higher")
    axes = normalize_axes(axis, rank)
    xp = namespace(input, shift)
    shifts = xp.reshape(shift, (-1,))
    if static_shape(shifts) != (len(axes),):
        raise InvalidArgumentError(
            f"shift and axis must have the same size, got {static_shape(shifts)[0]} and {len(axes)}"
        )
    out = input
    for i, where in enumerate(axes):
        size = static_shape(input)[where]
        if size:
            index = (xp.arange(size).astype(shifts.dtype) - shifts[i]) % shifts.dtype.type(size)
            out = xp.take(out, index, axis=where)
    return out


@roll.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    shift: Any = node.inputs[1]
    return [b.Roll(dy, -shift, node.inputs[2]), None, None]
