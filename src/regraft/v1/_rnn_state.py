"""Sizes and zeros of the states and outputs of recurrent cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit import nest
from regraft.opkit.constant import literal_value
from regraft.v1 import _context
from regraft.v1._array import concat, expand_dims, zeros

Known = list[int | None] | None


def _part(value: Any) -> tuple[Any, Known]:
    """A size as a vector, None where it is not known, and what is known of it."""
    if not isinstance(value, Tensor):
        shape = TensorShape(value)
        if shape.rank is None:
            return None, None
        known = shape.as_list()
        vector = _context.builder().constant(known, dtypes.int32) if shape.is_fully_defined() else None
        return vector, known
    static = literal_value(value)
    if value.shape.rank == 0:
        value = expand_dims(value, 0)
    elif value.shape.rank != 1:
        raise ValueError(f"a size must be either a scalar or vector, but saw tensor: {value}")
    return value, None if static is None else [int(d) for d in static.reshape(-1)]


def joined(prefix: Any, suffix: Any) -> Tensor:
    """Two sizes (ints, shapes or tensors) as one vector. ValueError where one is not known."""
    first, last = _part(prefix)[0], _part(suffix)[0]
    if first is None or last is None:
        raise ValueError(f"Provided a prefix or suffix of None: {prefix} and {suffix}")
    vector: Tensor = concat((first, last), 0)
    return vector


def joined_shape(prefix: Any, suffix: Any) -> TensorShape:
    """What is known of `joined`, which may be less than all. It adds nodes too, as TensorFlow's function does."""
    first, last = _part(prefix)[1], _part(suffix)[1]
    return TensorShape(None) if first is None or last is None else TensorShape([*first, *last])


def zero_state(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros of the sizes [batch_size, size], in the structure of `state_size`."""

    def one(size: Any) -> Any:
        made = zeros(joined(batch_size, size), dtype)
        made.set_shape(joined_shape(batch_size, size))
        return made

    return nest.map_structure(one, state_size)


def check_cell(name: str, cell: Any) -> None:
    """TypeError where `cell` has not what a recurrent cell has."""
    wanted = {
        "'output_size' property is missing": _has(cell, "output_size"),
        "'state_size' property is missing": _has(cell, "state_size"),
        "either 'zero_state' or 'get_initial_state' method is required": _has(cell, "zero_state")
        or _has(cell, "get_initial_state"),
        "is not callable": callable(cell),
    }
    problems = [problem for problem, there in wanted.items() if not there]
    if problems:
        raise TypeError(f"The argument {name!r} ({cell}) is not an RNNCell: {', '.join(problems)}.")


def _has(cell: Any, name: str) -> bool:
    try:  # a property may raise NotImplementedError, which is not for this function to judge
        getattr(cell, name)
    except AttributeError:
        return False
    return True


def check_dtype(dtype: Any) -> None:
    """ValueError where it is neither a float nor None: a cell has no values of other types."""
    if dtype is not None and not (dtype.is_floating or dtype.is_complex):
        raise ValueError(f"RNN cell only supports floating point inputs, but received dtype: {dtype}")


def check_dtypes(tensors: Iterable[Any]) -> None:
    """`check_dtype` of each tensor."""
    for tensor in nest.flatten(tensors):
        check_dtype(tensor.dtype)
