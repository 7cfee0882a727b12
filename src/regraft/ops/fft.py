"""Fourier transforms of the last one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit import rfft_nodes
from regraft.opkit.arrays import lax, namespace, on_host, static_shape
from regraft.opkit.constant import literal_value
from regraft.opkit.registry import Kernel, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank


def _same_of_rank(rank: int) -> Callable[[ShapeContext], list[Sizes]]:
    return lambda c: [at_least_rank(c, c.input(0), rank)]


def _complex(name: str, rank: int, forward: bool) -> Kernel:
    """FFT or IFFT over the last `rank` axes; the inverse divides by the number of elements."""

    @op(name, f"Batch{name}", shape=_same_of_rank(rank))
    def kernel(input: Any) -> Any:
        shape = static_shape(input)
        if len(shape) < rank:
            raise InvalidArgumentError(f"Input must have rank of at least {rank} but got: {list(shape)}")
        if 0 in shape:
            return input
        axes = tuple(range(-rank, 0))
        if on_host(input):
            return (np.fft.fftn if forward else np.fft.ifftn)(input, axes=axes).astype(input.dtype, copy=False)
        return lax.fft(input, "FFT" if forward else "IFFT", shape[-rank:])

    @kernel.gradient
    def _(b: Any, node: Any, dy: Any) -> Any:
        size = rfft_nodes.inner_size(b, dy, rank)
        if forward:
            scale = b.cast(size, dy.dtype.base)
            return [b.op("I" + name, dy) * scale]
        scale = b.cast(1.0 / b.cast(size, dy.dtype.real_dtype), dy.dtype.base)
        return [b.op(name[1:], dy) * scale]

    return kernel


fft, fft2d, fft3d = _complex("FFT", 1, True), _complex("FFT2D", 2, True), _complex("FFT3D", 3, True)
ifft, ifft2d, ifft3d = _complex("IFFT", 1, False), _complex("IFFT2D", 2, False), _complex("IFFT3D", 3, False)


def _lengths(fft_length: Any, rank: int) -> list[int]:
    lengths = [int(n) for n in np.asarray(fft_length).reshape(-1)]
    if len(lengths) != rank or min(lengths) < 0:
        raise InvalidArgumentError(f"fft_length must have {rank} elements, none below 0, but got {lengths}")
    return lengths


def _cropped(input: Any, wanted: list[int]) -> Any:
    """The first elements of the last axes, as many as the transform takes."""
    rank, shape = len(wanted), static_shape(input)
    if len(shape) < rank:
        raise InvalidArgumentError(f"Input must have rank of at least {rank} but got: {list(shape)}")
    for axis, (have, need) in enumerate(zip(shape[-rank:], wanted, strict=True)):
        if have < need and 0 not in shape:
            raise InvalidArgumentError(
                f"Input dimension {len(shape) - rank + axis} must have length of at least {need} but got: {have}"
            )
    return input[(..., *(slice(0, n) for n in wanted))]


def _real_shape(rank: int, halves: bool) -> Callable[[ShapeContext], list[Sizes]]:
    def rule(c: ShapeContext) -> list[Sizes]:
        sizes = at_least_rank(c, c.input(0), rank)
        length = c.value(1)
        if c.input(1) is not None and c.input(1) not in ((rank,), (None,)):
            raise c.fail(f"Shape must be rank 1 with {rank} elements")
        if sizes is None:
            return [None]
        if length is None:
            return [(*sizes[: len(sizes) - rank], *(None,) * rank)]
        inner = [int(n) for n in length]
        if halves and inner[-1]:
            inner[-1] = inner[-1] // 2 + 1
        return [(*sizes[: len(sizes) - rank], *inner)]

    return rule


def _to_half(name: str, rank: int) -> Kernel:
    """RFFT over the last `rank` axes: the first half of the spectrum of real numbers."""

    @op(name, shape=_real_shape(rank, True), static=("fft_length",))
    def kernel(input: Any, fft_length: Any, *, Tcomplex: DType) -> Any:  # the attribute's name
        lengths = _lengths(fft_length, rank)
        x = _cropped(input, lengths)
        if 0 in static_shape(x):
            shape = (*static_shape(input)[:-rank], *lengths[:-1], lengths[-1] // 2 + 1 if lengths[-1] else 0)
            return namespace(input).zeros(shape, Tcomplex.numpy)
        if on_host(x):
            return np.fft.rfftn(x, lengths, tuple(range(-rank, 0))).astype(Tcomplex.numpy, copy=False)
        return lax.fft(x, "RFFT", tuple(lengths)).astype(Tcomplex.numpy)

    return kernel


def _from_half(name: str, rank: int) -> Kernel:
    """IRFFT over the last `rank` axes: real numbers from the first half of their spectrum."""

    @op(name, shape=_real_shape(rank, False), static=("fft_length",))
    def kernel(input: Any, fft_length: Any, *, Treal: DType) -> Any:
        lengths = _lengths(fft_length, rank)
        x = _cropped(input, [*lengths[:-1], lengths[-1] // 2 + 1 if lengths[-1] else 0])
        if 0 in static_shape(x):
            return namespace(input).zeros((*static_shape(input)[:-rank], *lengths), Treal.numpy)
        if on_host(x):
            return np.fft.irfftn(x, lengths, tuple(range(-rank, 0))).astype(Treal.numpy, copy=False)
        return lax.fft(x, "IRFFT", tuple(lengths)).astype(Treal.numpy)

    return kernel


rfft, rfft2d, rfft3d = _to_half("RFFT", 1), _to_half("RFFT2D", 2), _to_half("RFFT3D", 3)
irfft, irfft2d, irfft3d = _from_half("IRFFT", 1), _from_half("IRFFT2D", 2), _from_half("IRFFT3D", 3)


def _gradient_of_half(rank: int) -> Callable[..., Any]:
    """The inverse transform of dy, and what the dropped half of the spectrum adds."""

    def rule(b: Any, node: Any, dy: Any) -> Any:
        length, wide = node.inputs[1], dy.dtype.base
        real = wide.real_dtype
        shape = b.shape(node.inputs[0])
        is_even = b.cast(1 - (length[-1] % 2), wide)
        first = dy[..., 0:1]
        if rank == 1:
            last = dy[..., -1:]
            extra = first + is_even * last * rfft_nodes.even_odd_signs(b, shape[-1], wide)
        else:
            mask = rfft_nodes.tiled_like(b, rfft_nodes.twiddles(b, shape[-2], wide), first)
            extra = b.matmul(mask, b.conj(first))
            last = dy[..., -1:]
            term = b.matmul(mask, b.conj(last))
            columns = shape[-1]
            ones = b.ones([b.rank(dy) - 1], "int32")
            term = b.Tile(term, b.concat([ones, [columns]], 0)) * rfft_nodes.even_odd_signs(b, columns, wide)
            extra = extra + is_even * term
        size = b.cast(rfft_nodes.inner_size(b, node.inputs[0], rank), real)
        inverse = rfft_nodes.irfft(b, dy, length, rank)
        return 0.5 * (inverse * size + b.Real(extra, Tout=real)), None

    return rule


def _gradient_from_half(rank: int) -> Callable[..., Any]:
    """The transform of dy, twice for what stands in the spectrum once instead of twice."""

    def rule(b: Any, node: Any, dy: Any) -> Any:
        length = node.inputs[1]
        known = literal_value(length)
        real = dy.dtype.base
        wide = "complex64" if real.name == "float32" else "complex128"
        is_odd = b.FloorMod(length[-1] if known is None else known[-1], 2, name="mod")
        columns = b.shape(node.inputs[0])[-1]
        middle = 2.0 * b.ones([columns - 2 + is_odd], real)
        mask = b.concat([[1.0], middle, b.ones([1 - is_odd], real)], 0)
        scale = b.Reciprocal(b.cast(rfft_nodes.inner_size(b, dy, rank), real))
        transform = rfft_nodes.rfft(b, dy, length if known is None else known, rank)
        return transform * b.cast(scale * mask, wide), None

    return rule


rfft.gradient(_gradient_of_half(1))
rfft2d.gradient(_gradient_of_half(2))
irfft.gradient(_gradient_from_half(1))
irfft2d.gradient(_gradient_from_half(2))
