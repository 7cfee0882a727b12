"""What convolutions and pooling have in common: sizes, paddings, batches of several dimensions, dilation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_value
from regraft.v1._array import concat, required_space_to_batch_paddings, reshape, shape, stack
from regraft.v1._opening import on, opened

__all__: list[str] = []


def sizes_of(value: Any, count: int, channel_index: int, name: str) -> list[Any]:
    """Strides and the like as a list for all dimensions: from one number, one for each spatial dimension, or all."""
    if value is None:
        return [1] * (count + 2)
    given: list[Any] = list(value) if isinstance(value, Iterable) else [value]
    if len(given) == count + 2:
        return given
    if len(given) == 1:
        given = given * count
    elif len(given) != count:
        raise ValueError(
            f"{name} should be of length 1, {count} or {count + 2}. Received: {name}={value} of length {len(given)}"
        )
    return [1, 1, *given] if channel_index == 1 else [1, *given, 1]


def padding_of(padding: Any, length: int = 4) -> tuple[Any, list[int]]:
    """(padding, explicit paddings): a list of pairs becomes "EXPLICIT" and one flat list."""
    if padding == "EXPLICIT":
        raise ValueError(
            "'EXPLICIT' is not a valid value for `padding`. To use explicit padding, `padding` must be a list."
        )
    if not isinstance(padding, (list, tuple)):
        return padding, []
    flat: list[int] = []
    for index, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(
                "When `padding` is a list, each element of `padding` must be a list/tuple of size 2. "
                f"Received: padding={padding} with element at index {index}: {pair!r}"
            )
        flat.extend(pair)
    if len(padding) != length:
        raise ValueError(
            f"When padding is a list, it must be of size {length}. Received: padding={padding} of size {len(padding)}"
        )
    return "EXPLICIT", flat


def over_batches(inp: Any, function: Callable[[Any], Any], inner_rank: int, name: str | None) -> Any:
    """`function` of a tensor whose leading dimensions, all but `inner_rank`, are made one for it."""
    with opened(name, "squeeze_batch_dims", inp) as (b, _):
        inp = b.convert(inp, name="input")
        inner: Any = inp.shape[-inner_rank:]
        if not inner.known:
            inner = shape(inp)[-inner_rank:]
        batch: Any = inp.shape[:-inner_rank]
        if not batch.known:
            batch = shape(inp)[:-inner_rank]
        if isinstance(inner, TensorShape):
            flat = reshape(inp, [-1, *inner.as_list()])
        else:
            flat = reshape(inp, concat(([-1], inner), -1))
        out = function(flat)
        last: Any = out.shape[-inner_rank:]
        if not last.known:
            last = shape(out)[-inner_rank:]
        out = reshape(out, concat((batch, last), -1))
        out.set_shape(inp.shape[:-inner_rank].concatenate(out.shape[-inner_rank:]))
        return out


def strides_and_rate(count: int, strides: Any, rate: Any) -> tuple[Any, Any]:
    """Both as arrays of one number for each spatial dimension. ValueError when they do not fit."""
    found = []
    for value, name in ((rate, "dilation_rate"), (strides, "strides")):
        value = [1] * count if value is None else value
        if len(value) != count:
            raise ValueError(f"`len({name})` should be {count}. Received: {name}={value} of length {len(value)}")
        array = np.array(value, np.int32)
        if np.any(array < 1):
            raise ValueError(f"all values of `{name}` must be positive. Received: {name}={array}")
        found.append(array)
    if np.any(found[1] > 1) and np.any(found[0] > 1):
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
            f"Received: strides={found[1]} and dilation_rate={found[0]}"
        )
    return found[1], found[0]


def dilated(
    inp: Any,
    rate: Any,
    padding: Any,
    function: Callable[[Any, Any], Any],
    filter_shape: Any = None,
    spatial_dims: Sequence[int] | None = None,
    data_format: str | None = None,
    batch_dims: int = 1,
    filter: Any = None,
) -> Any:
    """`function(input, padding)` with holes in its window: on the input with space moved into the batch, and back.

    rate          distance between the taps in each spatial dimension
    filter_shape  of the window; needed for SAME
    """
    b = on(inp)
    rates = b.convert(rate, dtypes.int32, name="dilation_rate")
    if rates.shape.rank not in (None, 1) or not rates.shape.known:
        raise ValueError(f"`dilation_rate` must be a vector of known length. Received: {rates}")
    count = rates.shape.num_elements() or 0
    channels_first = data_format is not None and data_format.startswith("NC")
    if spatial_dims is None:
        first = batch_dims + 1 if channels_first else batch_dims
        spatial_dims = range(first, first + count)
    dims = list(spatial_dims)
    if dims != sorted(set(dims)) or any(d < 1 for d in dims):
        raise ValueError(
            f"`spatial_dims` must be a monotonically increasing sequence of positive integers. Received: {dims}"
        )
    least = dims[-1] if channels_first else dims[-1] + 1
    if inp.shape.rank is not None and inp.shape.rank < least:
        raise ValueError(
            f"`input.shape.rank` must be at least {least}. Received: input.shape={inp.shape} with rank {inp.shape.rank}"
        )
    known: Any = constant_value(rates)
    if known is not None:
        if np.any(known < 1):
            raise ValueError(f"`dilation_rate` must be positive. Received: dilation_rate={known}")
        if np.all(known == 1):
            return function(inp, padding)
    padding, explicit = padding_of(padding)
    base = _base_paddings(b, padding, explicit, filter_shape, count, rates if known is None else known, channels_first)
    sizes: Any = None if inp.shape.sizes is None else [inp.shape.sizes[d] for d in dims]
    if sizes is None or None in sizes:
        whole = shape(inp)
        sizes = stack([whole[d] for d in dims])
    if base is None:
        base = _same_paddings(shape(filter), count, rates if known is None else known)
    paddings, crops = required_space_to_batch_paddings(sizes, rates, base)
    block = _adjusted(rates, 1, dims)
    paddings, crops = _adjusted(paddings, 0, dims), _adjusted(crops, 0, dims)
    moved = b.SpaceToBatchND(inp, block, paddings)
    result = function(moved, "VALID")
    out = b.BatchToSpaceND(result, block, crops)
    if channels_first and filter is not None and out.shape.sizes is not None and not out.shape.sizes[1]:
        out.set_shape([out.shape.sizes[0], filter.shape.sizes[-1], *out.shape.sizes[2:]])
    return out


def _base_paddings(
    b: Any, padding: Any, explicit: list[int], filter_shape: Any, count: int, rate: Any, channels_first: bool
) -> Any:
    if padding == "SAME":
        if filter_shape is None:
            raise ValueError("`filter_shape` must be specified for `padding='SAME'`.")
        if isinstance(filter_shape, TensorShape) and not filter_shape.known:
            return None
        window = b.convert(filter_shape, name="filter_shape")
        known = constant_value(window)
        return None if known is None else _same_paddings(known, count, rate)
    if padding == "VALID":
        return np.zeros([count, 2], np.int32)
    if padding == "EXPLICIT":
        pairs = np.array(explicit).reshape([count + 2, 2])
        return pairs[2:] if channels_first else pairs[1:-1]
    raise ValueError(f"`padding` must be one of 'SAME' or 'VALID'. Received: padding={padding}")


def _same_paddings(filter_shape: Any, count: int, rate: Any) -> Any:
    more = (filter_shape[:count] - 1) * rate
    start = more // 2
    end = more - start
    return stack([[start[i], end[i]] for i in range(count)])


def _adjusted(orig: Tensor, fill: int, dims: list[int]) -> Any:
    """`orig`, which has a row for each of `dims`, with rows of `fill` for the dimensions between."""
    known: Any = constant_value(orig)
    rows: Any = orig if known is None else known
    rest: list[Any] = orig.shape.as_list()[1:]
    parts = []
    before = i = 0
    while i < len(dims):
        start = i
        if dims[i] > 1:
            parts.append(np.full([dims[i] - 1 - before, *rest], fill, orig.dtype.numpy))
        while i + 1 < len(dims) and dims[i + 1] == dims[i] + 1:
            i += 1
        parts.append(rows[start : i + 1])
        before = dims[i]
        i += 1
    return concat(parts, 0) if known is None else np.concatenate(parts)
