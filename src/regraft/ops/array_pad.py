"""Padding: with a constant, and with the tensor's own edge mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.ir.node import Operation
from regraft.opkit.arrays import lax, namespace, on_host, static_shape
from regraft.opkit.builder import Builder
from regraft.opkit.registry import op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, with_rank


def _pad_shape(c: ShapeContext) -> list[Sizes]:
    rows, columns = with_rank(c, c.input(1), 2)
    if columns not in (None, 2):
        raise c.fail(f"Dimension must be 2 but is {columns}")
    sizes, paddings = c.input(0), c.value(1)
    if len(c) == 3:
        with_rank(c, c.input(2), 0)
    rank = rows if sizes is None else len(sizes)
    if sizes is not None and rows is not None and rows != len(sizes):
        raise c.fail(f"Shape must be rank {rows} but is rank {len(sizes)}")
    if rank is None:
        return [None]
    if sizes is None or paddings is None:
        return [(None,) * rank]
    out: list[Dim] = []
    for size, (before, after) in zip(sizes, paddings.tolist(), strict=True):
        if before < 0 or after < 0:
            raise c.fail("Paddings must be non-negative")
        out.append(None if size is None else size + before + after)
    return [tuple(out)]


def _pairs(input: Any, paddings: Any) -> list[tuple[int, int]]:
    rank = len(static_shape(input))
    if np.shape(paddings) != (rank, 2):
        raise InvalidArgumentError(
            f"The first dimension of paddings must be the rank of inputs, and the second 2: got "
            f"{list(np.shape(paddings))} for an input of shape {list(static_shape(input))}"
        )
    pairs = [(int(a), int(z)) for a, z in paddings]
    for a, z in pairs:
        if a < 0 or z < 0:
            raise InvalidArgumentError(f"Paddings must be non-negative: {a} {z}")
    return pairs


def _padded(input: Any, paddings: Any, value: Any) -> Any:
    pairs = _pairs(input, paddings)
    if on_host(input, value):
        out = np.full([n + a + z for n, (a, z) in zip(input.shape, pairs, strict=True)], value, input.dtype)
        out[tuple(slice(a, a + n) for n, (a, _) in zip(input.shape, pairs, strict=True))] = input
        return out
    return lax.pad(input, namespace(input).asarray(value, input.dtype), [(a, z, 0) for a, z in pairs])


@op("Pad", shape=_pad_shape, static="paddings")
def pad(input: Any, paddings: Any) -> Any:
    """The input with paddings[i, 0] zeros before and paddings[i, 1] behind dimension i."""
    return _padded(input, paddings, input.dtype.type(0) if input.dtype != object else b"")


@op("PadV2", shape=_pad_shape, static="paddings")
def pad_v2(input: Any, paddings: Any, constant_values: Any) -> Any:
    """The input with `constant_values` around it."""
    return _padded(input, paddings, constant_values)


def _unpadded(b: Builder, node: Operation, dy: Any) -> list[Any]:
    x, paddings = node.inputs[:2]
    before = b.Slice(paddings, [0, 0], b.stack([b.rank(x), 1]))
    begin = b.reshape(before, [-1])
    sizes = b.shape(x, out_type=begin.dtype.base)
    return [b.Slice(dy, begin, sizes), *[None] * (len(node.inputs) - 1)]


pad.gradient(_unpadded)
pad_v2.gradient(_unpadded)


def _edge(mode: bytes) -> int:
    """How many elements of the edge are not repeated."""
    if mode not in (b"REFLECT", b"SYMMETRIC"):
        raise InvalidArgumentError(f"mode must be either REFLECT or SYMMETRIC, got {mode.decode()}.")
    return 1 if mode == b"REFLECT" else 0


def _mirrored(size: int, before: int, after: int, offset: int) -> np.ndarray[Any, Any]:
    """For each position of a padded dimension, the position that it repeats."""
    if before > size - offset or after > size - offset:
        raise InvalidArgumentError(
            f"paddings must be {'less than' if offset else 'no greater than'} the dimension size: "
            f"{before}, {after} not {'less than' if offset else 'no greater than'} {size}"
        )
    front = np.arange(before, 0, -1) - 1 + offset
    back = size - 1 - offset - np.arange(after)
    return np.concatenate([front, np.arange(size), back])


@op("MirrorPad", shape=_pad_shape, static="paddings")
def mirror_pad(input: Any, paddings: Any, *, mode: bytes) -> Any:
    """The input with its mirror image around it; REFLECT leaves out the edge itself, SYMMETRIC repeats it."""
    offset = _edge(mode)
    out = input
    xp = namespace(input)
    for axis, (before, after) in enumerate(_pairs(input, paddings)):
        if before or after:
            out = xp.take(out, _mirrored(static_shape(input)[axis], before, after, offset), axis=axis)
    return out


@mirror_pad.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.MirrorPadGrad(dy, node.inputs[1], mode=node.get_attr("mode")), None]


def _mirror_grad_shape(c: ShapeContext) -> list[Sizes]:
    rows = with_rank(c, c.input(1), 2)[0]
    sizes, paddings = c.input(0), c.value(1)
    rank = rows if sizes is None else len(sizes)
    if paddings is None or sizes is None:
        return [None if rank is None else (None,) * rank]
    return [tuple(None if n is None else n - a - z for n, (a, z) in zip(sizes, paddings.tolist(), strict=True))]


@op("MirrorPadGrad", shape=_mirror_grad_shape, static="paddings")
def mirror_pad_grad(input: Any, paddings: Any, *, mode: bytes) -> Any:
    """The gradient of MirrorPad: every padded element is added to the one that it repeats."""
    offset = _edge(mode)
    xp = namespace(input)
    out = input
    for axis, (before, after) in enumerate(_pairs(input, paddings)):
        if not before and not after:
            continue
        size = static_shape(input)[axis] - before - after
        source = _mirrored(size, before, after, offset)
        moved = xp.moveaxis(out, axis, 0)
        total = moved[before : before + size]
        for part, places in ((moved[:before], source[:before]), (moved[before + size :], source[before + size :])):
            if len(places):
                # The mirrored positions are one run, backwards.
                low, high = int(places.min()), int(places.max()) + 1
                flipped = part[::-1]
                rest = [xp.zeros((n, *moved.shape[1:]), moved.dtype) for n in (low, size - high)]
                total = total + xp.concatenate([rest[0], flipped, rest[1]])
        out = xp.moveaxis(total, 0, axis)
    return out


@mirror_pad_grad.gradient
def _(b: Builder, node: Operation, dy: Any) -> list[Any]:
    return [b.MirrorPad(dy, node.inputs[1], mode=node.get_attr("mode")), None]
