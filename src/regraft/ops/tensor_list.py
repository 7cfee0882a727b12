"""Lists in variant tensors, on which TensorFlow 2's loops and their gradients are built. They live on the host."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.opkit.registry import Runs
from regraft.opkit.registry import op as any_op
from regraft.opkit.shapes import ShapeContext, Sizes, scalar, unknown
from regraft.opkit.tensor_lists import Optional, TensorList, shape_of

op = partial(any_op, runs=Runs.HOST, objects=True)


def _two(c: ShapeContext) -> list[Sizes]:
    return [(), None]


@op("EmptyTensorList", shape=scalar, no_gradient="a list")
def empty_tensor_list(element_shape: Any, max_num_elements: Any, *, element_dtype: DType) -> Any:
    """A list without elements, of at most `max_num_elements` where that is not negative."""
    return TensorList(element_dtype, shape_of(element_shape), (), int(max_num_elements))


@op("TensorListReserve", shape=scalar, no_gradient="a list")
def tensor_list_reserve(element_shape: Any, num_elements: Any, *, element_dtype: DType) -> Any:
    """A list of elements that are not set yet."""
    return TensorList(element_dtype, shape_of(element_shape), (None,) * int(num_elements))


@op("TensorListFromTensor", shape=scalar)
def tensor_list_from_tensor(tensor: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    """The list of the tensor's rows."""
    return TensorList(element_dtype, shape_of(element_shape), tuple(tensor))


@op("TensorListLength", shape=scalar, no_gradient="an integer")
def tensor_list_length(input_handle: Any) -> Any:
    return np.int32(len(input_handle.items))


@op("TensorListElementShape", shape=unknown, no_gradient="an integer")
def tensor_list_element_shape(input_handle: Any, *, shape_type: DType) -> Any:
    """What is known of the elements' shape: -1 where a dimension is unknown, a scalar -1 where the rank is."""
    shape = input_handle.shape
    if shape.rank is None:
        return np.asarray(-1, shape_type.numpy)
    return np.array([-1 if d is None else d for d in shape.as_list()], shape_type.numpy)


@op("TensorListPushBack", shape=scalar)
def tensor_list_push_back(input_handle: Any, tensor: Any, *, element_dtype: DType) -> Any:
    """The list with `tensor` behind it."""
    if 0 <= input_handle.most <= len(input_handle.items):
        raise InvalidArgumentError(
            f"Tried to push item into a full list list size: {len(input_handle.items)} "
            f"max_num_elements: {input_handle.most}"
        )
    return input_handle.with_items((*input_handle.items, tensor))


@op("TensorListPopBack", shape=_two)
def tensor_list_pop_back(input_handle: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    """The list without its last element, and that element."""
    if not input_handle.items:
        raise InvalidArgumentError("Trying to pop from an empty list.")
    rest = input_handle.with_items(input_handle.items[:-1])
    return rest, input_handle.filled(input_handle.items[-1], shape_of(element_shape))


@op("TensorListGetItem", shape=unknown)
def tensor_list_get_item(input_handle: Any, index: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    """Element `index`; zeros where it was not set."""
    return input_handle.at(index, shape_of(element_shape))


@op("TensorListSetItem", shape=scalar)
def tensor_list_set_item(
    input_handle: Any, index: Any, item: Any, *, element_dtype: DType, resize_if_index_out_of_bounds: bool
) -> Any:
    """The list with element `index` replaced."""
    i, items = int(index), list(input_handle.items)
    if i >= len(items) and resize_if_index_out_of_bounds:
        items += [None] * (i + 1 - len(items))
    if not 0 <= i < len(items):
        raise InvalidArgumentError(f"Trying to modify element {i} in a list with {len(items)} elements.")
    items[i] = item
    return input_handle.with_items(items)


@op("TensorListResize", shape=scalar)
def tensor_list_resize(input_handle: Any, size: Any) -> Any:
    """The list cut, or grown by elements that are not set."""
    items, size = input_handle.items, int(size)
    return input_handle.with_items((*items[:size], *[None] * (size - len(items))))


@op("TensorListStack", shape=unknown)
def tensor_list_stack(input_handle: Any, element_shape: Any, *, element_dtype: DType, num_elements: int) -> Any:
    """All elements as one tensor."""
    if num_elements not in (-1, len(input_handle.items)):
        raise InvalidArgumentError(
            f"Operation expected a list with {num_elements} elements but got a list with "
            f"{len(input_handle.items)} elements."
        )
    return input_handle.stacked(input_handle.items, shape_of(element_shape))


@op("TensorListGather", shape=unknown)
def tensor_list_gather(input_handle: Any, indices: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    """The elements of these indices as one tensor."""
    shape = shape_of(element_shape)
    return input_handle.stacked([input_handle.at(i, shape) for i in indices], shape)


def _scattered(items: list[Any], tensor: Any, indices: Any) -> list[Any]:
    for i, row in zip(indices, tensor, strict=True):
        items += [None] * (int(i) + 1 - len(items))
        items[int(i)] = row
    return items


@op("TensorListScatter", shape=scalar)
def tensor_list_scatter(tensor: Any, indices: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    """A list with row i of the tensor as element `indices[i]`."""
    return TensorList(element_dtype, shape_of(element_shape), tuple(_scattered([], tensor, indices)))


@op("TensorListScatterV2", shape=scalar)
def tensor_list_scatter_v2(
    tensor: Any, indices: Any, element_shape: Any, num_elements: Any, *, element_dtype: DType
) -> Any:
    """A list of at least `num_elements` with row i of the tensor as element `indices[i]`."""
    items = _scattered([None] * max(int(num_elements), 0), tensor, indices)
    return TensorList(element_dtype, shape_of(element_shape), tuple(items))


@op("TensorListScatterIntoExistingList", shape=scalar)
def tensor_list_scatter_into(input_handle: Any, tensor: Any, indices: Any, *, element_dtype: DType) -> Any:
    """The list with row i of the tensor as element `indices[i]`."""
    return input_handle.with_items(_scattered(list(input_handle.items), tensor, indices))


def _joined(input_handle: Any, shape: Any, leading: Any) -> Any:
    parts = []
    for i, item in enumerate(input_handle.items):
        if item is None and len(leading):
            item = np.zeros((int(leading[i]), *(d for d in shape.as_list()[1:])), input_handle.dtype.numpy)
        parts.append(input_handle.filled(item, shape))
    lengths = np.array([len(p) for p in parts], np.int64)
    if not parts:
        rest = shape.as_list()[1:] if shape.rank is not None else []
        return np.zeros((0, *(d or 0 for d in rest)), input_handle.dtype.numpy), lengths
    return np.concatenate(parts), lengths


@op("TensorListConcat", shape=unknown)
def tensor_list_concat(input_handle: Any, *, element_dtype: DType, element_shape: Any) -> Any:
    """All elements along their first dimension, and the length of each."""
    return _joined(input_handle, TensorShape(element_shape), ())


@op("TensorListConcatV2", shape=unknown)
def tensor_list_concat_v2(input_handle: Any, element_shape: Any, leading_dims: Any, *, element_dtype: DType) -> Any:
    """All elements along their first dimension, and the length of each."""
    return _joined(input_handle, shape_of(element_shape), leading_dims)


@op("TensorListSplit", shape=scalar)
def tensor_list_split(tensor: Any, element_shape: Any, lengths: Any, *, element_dtype: DType) -> Any:
    """The list of consecutive parts of these lengths."""
    if int(np.sum(lengths)) != len(tensor):
        raise InvalidArgumentError(
            f"Tensor at index {len(lengths)} has {len(tensor)} rows, the lengths add up to {int(np.sum(lengths))}"
        )
    parts = np.split(tensor, np.cumsum(lengths)[:-1]) if len(lengths) else []
    return TensorList(element_dtype, shape_of(element_shape), tuple(parts))


@op("TensorListConcatLists", shape=scalar)
def tensor_list_concat_lists(input_a: Any, input_b: Any, *, element_dtype: DType) -> Any:
    """One list behind the other."""
    return input_a.with_items((*input_a.items, *input_b.items))


# What may be absent: how gradients of `If` hand on what only one branch computed.


def _components(c: ShapeContext) -> list[Sizes]:
    return [TensorShape(shape).sizes for shape in c.attr("output_shapes", ())]


@op("OptionalFromValue", shape=scalar, no_gradient="not a number")
def optional_from_value(components: tuple[Any, ...]) -> Any:
    return Optional(tuple(components))


@op("OptionalNone", shape=scalar, no_gradient="not a number")
def optional_none() -> Any:
    return Optional()


@op("OptionalHasValue", shape=scalar, no_gradient="not a number")
def optional_has_value(optional: Any) -> Any:
    return np.asarray(optional.values is not None)


@op("OptionalGetValue", shape=_components, no_gradient="not a number")
def optional_get_value(optional: Any) -> Any:
    if optional.values is None:
        raise InvalidArgumentError("The given optional does not have a value.")
    return optional.values
