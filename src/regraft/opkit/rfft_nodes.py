"""TensorFlow's Python functions around RFFT and IRFFT: they pad the input to the length of the transform."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.opkit.constant import literal_value

NAMES = {1: "RFFT", 2: "RFFT2D", 3: "RFFT3D"}


def rfft(b: Any, x: Any, length: Any, rank: int, name: str | None = None) -> Any:
    """tf.signal.rfft, rfft2d, rfft3d: `length` is a tensor, or its value; by default the input's."""
    with b.graph.name_scope(name or NAMES[rank].lower()) as scope:
        x = b.convert(x, preferred=dtypes.float32)
        if x.dtype.base not in (dtypes.float32, dtypes.float64):
            raise ValueError(f"RFFT requires tf.float32 or tf.float64 inputs, got: {x}")
        x.shape.with_rank_at_least(rank)
        x, length = _padded(b, x, _length(b, x, rank) if length is None else length, rank, False)
        wide = "complex64" if x.dtype.base.name == "float32" else "complex128"
        return b.op(NAMES[rank], x, length, Tcomplex=wide, name=scope)


def irfft(b: Any, x: Any, length: Any, rank: int, name: str | None = None) -> Any:
    """tf.signal.irfft, irfft2d, irfft3d: `length` is a tensor, or its value; by default that of an even output."""
    with b.graph.name_scope(name or "i" + NAMES[rank].lower()) as scope:
        x = b.convert(x, preferred=dtypes.complex64)
        x.shape.with_rank_at_least(rank)
        if x.dtype.base not in (dtypes.complex64, dtypes.complex128):
            raise ValueError(f"IRFFT requires tf.complex64 or tf.complex128 inputs, got: {x}")
        x, length = _padded(b, x, _length_of_inverse(b, x, rank) if length is None else length, rank, True)
        return b.op("I" + NAMES[rank], x, length, Treal=x.dtype.real_dtype, name=scope)


def _inner_sizes(x: Any, rank: int) -> list[int] | None:
    sizes = x.shape.sizes
    return None if sizes is None or None in sizes[-rank:] else list(sizes[-rank:])


def _length(b: Any, x: Any, rank: int) -> Any:
    sizes = _inner_sizes(x, rank)
    return b.shape(x)[-rank:] if sizes is None else b.convert(sizes, dtypes.int32)


def _length_of_inverse(b: Any, x: Any, rank: int) -> Any:
    sizes = _inner_sizes(x, rank)
    if sizes is not None:
        return b.convert([*sizes[:-1], max(0, 2 * (sizes[-1] - 1))], dtypes.int32)
    parts = list(b.Unpack(b.shape(x)[-rank:], num=rank, name="unstack"))
    parts[-1] = b.Maximum(0, 2 * (parts[-1] - 1))
    return b.stack(parts)


def _padded(b: Any, x: Any, length: Any, rank: int, is_reverse: bool) -> tuple[Any, Any]:
    length = b.convert(length, "int32")
    known = literal_value(length)
    padded = _maybe_pad(b, x, length, known, rank, is_reverse)
    return padded, length if known is None else known


def _maybe_pad(b: Any, x: Any, length: Any, known: Any, rank: int, is_reverse: bool) -> Any:
    sizes = x.shape.sizes
    if sizes is not None and 0 in sizes:
        return x
    if known is not None and sizes is not None and None not in sizes[-rank:]:
        wanted = known.tolist()
        if is_reverse:
            wanted[-1] = wanted[-1] // 2 + 1
        paddings = [[0, max(w - d, 0)] for w, d in zip(wanted, sizes[-rank:], strict=True)]
        if not any(after for _, after in paddings):
            return x
        return b.Pad(x, [[0, 0]] * (len(sizes) - rank) + paddings, name="Pad")
    input_rank = b.rank(x)
    inner = b.shape(x)[-rank:]
    outer = b.Maximum(0, input_rank - rank)
    outer_paddings = b.zeros([outer], length.dtype.base)
    if is_reverse:
        length = b.concat([length[:-1], length[-1:] // 2 + 1], 0)
    inner_paddings = b.Maximum(0, length - inner)
    paddings = b.concat([outer_paddings, inner_paddings], 0)
    paddings = b.stack([b.zeros_like(paddings), paddings], axis=1)
    return b.Pad(x, paddings, name="Pad")


def inner_size(b: Any, tensor: Any, rank: int) -> Any:
    """How many elements the last `rank` axes have, as a tensor."""
    return b.reduce_prod(b.shape(tensor)[-rank:])


# Pieces of the gradients


def even_odd_signs(b: Any, length: Any, dtype: Any) -> Any:
    """1, -1, 1, -1, ... of this length."""
    return b.cast(1 - 2 * (b.range(length) % 2), dtype)


def twiddles(b: Any, length: Any, dtype: Any) -> Any:
    """The matrix e^(-2 pi i jk / length)."""
    rows = b.Tile(b.expand_dims(b.range(length), 0), (length, 1))
    columns = b.transpose(rows, [1, 0])
    return b.Exp(-2j * np.pi * b.cast(rows * columns, dtype) / b.cast(length, dtype))


def tiled_like(b: Any, matrix: Any, tensor: Any) -> Any:
    """The matrix repeated along the batch axes of the tensor."""
    ones = b.ones([b.rank(tensor) - 2], "int32")
    expanded = b.reshape(matrix, b.concat([ones, b.shape(matrix)], 0))
    return b.Tile(expanded, b.concat([b.shape(tensor)[:-2], [1, 1]], 0))
