"""The arithmetic of windows that slide over an axis: output sizes, and what is padded before and behind.

`padding` is TensorFlow's attribute in bytes. For b"EXPLICIT" the pairs come from `explicit_paddings`, which lists
(before, after) for every dimension of the input in the order of its data format.
"""

from __future__ import annotations

from collections.abc import Sequence

from regraft.base.errors import InvalidArgumentError

Dim = int | None
Pads = tuple[tuple[int, int], ...]


def extent(kernel: int, dilation: int = 1) -> int:
    """How many cells a window covers from its first to its last."""
    return (kernel - 1) * dilation + 1


def explicit_pairs(explicit_paddings: Sequence[int], axes: Sequence[int]) -> Pads:
    """(before, after) for each of `axes`, out of the flat list of the attribute."""
    return tuple((explicit_paddings[2 * axis], explicit_paddings[2 * axis + 1]) for axis in axes)


def output_size(size: Dim, window: Dim, stride: int, padding: bytes, pad: tuple[int, int] = (0, 0)) -> Dim:
    """The number of places of a window that covers `window` cells; None where a size is unknown.

    raises ValueError where the window does not fit
    """
    if size is None:
        return None
    if padding == b"SAME":
        return -(-size // stride)
    if window is None:
        return None
    before, after = pad if padding == b"EXPLICIT" else (0, 0)
    padded = size + before + after
    if padded < window:
        raise ValueError(f"Negative dimension size caused by subtracting {window} from {padded}")
    return (padded - window) // stride + 1


def window_pads(size: int, window: int, stride: int, padding: bytes, pad: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """The cells that are padded before and behind an axis of `size`; SAME puts the odd one behind."""
    if padding == b"VALID":
        return (0, 0)
    if padding == b"EXPLICIT":
        return pad
    if padding != b"SAME":
        raise InvalidArgumentError(f"padding is {padding!r}; it must be SAME, VALID or EXPLICIT")
    total = max(0, (-(-size // stride) - 1) * stride + window - size)
    return (total // 2, total - total // 2)


def all_pads(
    sizes: Sequence[int],
    windows: Sequence[int],
    strides: Sequence[int],
    padding: bytes,
    explicit: Pads | None = None,
) -> Pads:
    """`window_pads` for each spatial axis."""
    pairs = explicit or ((0, 0),) * len(sizes)
    return tuple(window_pads(n, w, s, padding, p) for n, w, s, p in zip(sizes, windows, strides, pairs, strict=True))


def covered(
    size: int, position: int, places: int, stride: int, dilation: int, pad: tuple[int, int]
) -> tuple[slice, slice]:
    """Along one axis: the cells of an input that one position of the window meets, and the places where it does."""
    offset = position * dilation - pad[0]
    first = max(0, -(offset // stride))
    last = min(places - 1, (size - 1 - offset) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(first * stride + offset, last * stride + offset + 1, stride), slice(first, last + 1)
