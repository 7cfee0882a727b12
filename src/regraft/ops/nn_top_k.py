"""The largest entries of each row, and whether a class is among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import lax, namespace, on_host, static_shape
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import op
from regraft.opkit.shapes import Dim, ShapeContext, Sizes, at_least_rank, merge_dim, with_rank


def _k_input(c: ShapeContext) -> Dim:
    if len(c) == 1:
        return int(c.attr("k"))
    with_rank(c, c.input(1), 0)
    value = c.value(1)
    if value is not None and value < 0:
        raise c.fail(f"Dimension size, given by scalar input 1, must be non-negative but is {int(value)}")
    return None if value is None else int(value)


def _top_k_shape(c: ShapeContext) -> list[Sizes]:
    x, k = at_least_rank(c, c.input(0), 1), _k_input(c)
    if x is None:
        return [None, None]
    if x[-1] is not None and k is not None and x[-1] < k:
        raise c.fail(f"input must have last dimension >= k = {k} but is {x[-1]}")
    return [(*x[:-1], k)] * 2


def _top_k(x: Any, k: int, index_type: Any) -> Any:
    sizes = static_shape(x)
    if k < 0:
        raise InvalidArgumentError(f"Need k >= 0, got {k}")
    if not sizes or sizes[-1] < k:
        raise InvalidArgumentError(f"input must have at least k columns. Had {list(sizes)}, needed {k}")
    if not on_host(x):
        values, indices = lax.top_k(x, k)
        return values, lax.convert_element_type(indices, index_type)
    # A stable sort of the reversed row, read backwards: among equals the lower index comes first.
    order = np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    indices = sizes[-1] - 1 - order
    return np.take_along_axis(x, indices, -1), indices.astype(index_type)


@op("TopKV2", shape=_top_k_shape, static="k")
def top_k_v2(input: Any, k: Any, *, index_type: DType) -> Any:
    """The k largest entries of each row and their positions, largest first, equals by position.

    input    [..., n]
    k        scalar
    returns  [..., k] values and positions
    raises   InvalidArgumentError if a row has fewer than k entries
    differs  sorted=False sorts too; nan counts as larger than all (TensorFlow's order is then undefined)
    """
    return _top_k(input, int(k), index_type.numpy)


@op("TopK", shape=_top_k_shape)
def top_k(input: Any, *, k: int) -> Any:
    """TopKV2 of TensorFlow before 0.8, with k as an attribute."""
    return _top_k(input, k, np.dtype(np.int32))


@top_k.gradient
@top_k_v2.gradient
def _(b: Any, node: Any, dy: Any, _indices: Any) -> Any:
    in_shape = b.shape(node.inputs[0])
    indices_shape = b.shape(node.outputs[1])

    def last(shape: Any) -> Any:
        wide = b.cast(shape, dtypes.int64)
        return b.GatherV2(wide, b.size(shape) - 1, 0)

    rows = b.reshape(node.outputs[1], b.stack([-1, last(indices_shape)]))
    width = last(in_shape)
    count = b.shape(rows)[0]
    starts = b.expand_dims(b.range(0, b.cast(count, dtypes.int64) * width, width), -1)
    flat = b.reshape(rows + b.cast(starts, dtypes.int32), [-1])
    positions = b.expand_dims(flat, -1)
    values = b.reshape(dy, [-1])
    scattered = b.ScatterNd(positions, values, [b.reduce_prod(in_shape)])
    return [b.reshape(scattered, in_shape), b.zeros([], dtype=dtypes.int32)]


def _in_top_k_shape(c: ShapeContext) -> list[Sizes]:
    predictions, targets = with_rank(c, c.input(0), 2), with_rank(c, c.input(1), 1)
    return [(merge_dim(c, predictions[0], targets[0]),)]


def _in_top_k(predictions: Any, targets: Any, k: Any) -> Any:
    xp = namespace(predictions, targets, k)
    rows, classes = static_shape(predictions)
    if static_shape(targets) != (rows,):
        raise InvalidArgumentError(
            f"First dimension of predictions {rows} must match length of targets {list(static_shape(targets))}"
        )
    if classes == 0:
        return xp.zeros(rows, bool)
    valid = (targets >= 0) & (targets < classes)
    at = xp.where(valid, targets, xp.zeros_like(targets))[:, None]
    own = xp.take_along_axis(predictions, at, 1)
    larger = xp.sum(predictions > own, axis=1, dtype=targets.dtype)
    sure = xp.all(xp.isfinite(predictions), axis=1)
    return valid & sure & (larger < xp.asarray(k, targets.dtype))


@op("InTopK", shape=_in_top_k_shape, no_gradient="a truth value")
@quiet
def in_top_k(predictions: Any, targets: Any, *, k: int) -> Any:
    """Whether fewer than k classes are predicted above the target. False for rows that are not all finite."""
    return _in_top_k(predictions, targets, k)


@op("InTopKV2", shape=_in_top_k_shape, no_gradient="a truth value")
@quiet
def in_top_k_v2(predictions: Any, targets: Any, k: Any) -> Any:
    """Whether fewer than k classes are predicted above the target. False for rows that are not all finite.

    predictions  [batch, classes] float32
    targets      [batch] integers; False where out of range
    """
    return _in_top_k(predictions, targets, k)


def _nth_shape(c: ShapeContext) -> list[Sizes]:
    x = at_least_rank(c, c.input(0), 1)
    n = _k_input(c)
    if x is None:
        return [None]
    if x[-1] is not None and n is not None and x[-1] <= n:
        raise c.fail(f"Input must have last dimension > n = {n} but is {x[-1]}")
    return [x[:-1]]


@op("NthElement", shape=_nth_shape, static="n")
@quiet
def nth_element(input: Any, n: Any, *, reverse: bool) -> Any:
    """Entry n of each row when it is sorted, from below; from above with `reverse`."""
    size, n = static_shape(input)[-1], int(n)
    if not 0 <= n < size:
        raise InvalidArgumentError(f"Input must have last dimension > n = {n} but is {size}")
    at = size - 1 - n if reverse else n
    if on_host(input):
        return np.asarray(np.partition(input, at, -1)[..., at])
    return lax.index_in_dim(lax.sort(input, dimension=-1), at, -1, keepdims=False)


@nth_element.gradient
def _(b: Any, node: Any, dy: Any) -> Any:
    equal = b.Equal(b.expand_dims(node.outputs[0], -1), node.inputs[0])
    indicators = b.cast(equal, dy.dtype)
    dy = b.expand_dims(dy, -1)
    selected = b.expand_dims(b.reduce_sum(indicators, -1), -1)
    return [indicators / selected * dy, None]
