"""Variable scopes, get_variable and partitioners, on the default graph. The mechanism is `regraft.variables.scope`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.graph_keys import GraphKeys
from regraft.v1 import _context
from regraft.v1._graph import graph_of
from regraft.variables import ambient
from regraft.variables import scope as _scope
from regraft.variables.scope import AUTO_REUSE, VariableScope
from regraft.variables.store import variable_store

__all__ = [
    "AUTO_REUSE",
    "VariableScope",
    "create_partitioned_variables",
    "fixed_size_partitioner",
    "get_local_variable",
    "get_variable",
    "get_variable_scope",
    "min_max_variable_partitioner",
    "no_regularizer",
    "variable_axis_size_partitioner",
    "variable_op_scope",
    "variable_scope",
]

ambient.register(_context.get_default_graph, _context.resource_variables)


def get_variable_scope() -> VariableScope:
    """The current variable scope."""
    return _scope.get_variable_scope(_context.get_default_graph())


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = None,
    aggregation: Any = None,
) -> Any:
    """The variable `name` in the current variable scope: found where the scope says reuse, else made.

    shape        needed where it does not follow from `initializer`
    initializer  an initializer, a function, or a value; the scope's, or Glorot's uniform values, where it is None
    regularizer  function of the variable, whose result goes into the collection REGULARIZATION_LOSSES
    partitioner  function of shape and dtype that says in how many parts to cut each dimension

    raises  ValueError if the variable is there and must not be, is not there and must be, or has another shape or dtype
    """
    return _scope.get_variable(
        _context.get_default_graph(),
        name,
        shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def get_local_variable(name: str, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
    """`get_variable` for a variable that is not saved and not trained: in the collection LOCAL_VARIABLES."""
    names = ("dtype", "initializer", "regularizer", "trainable", "collections")
    kwargs.update(zip(names, args, strict=False))
    kwargs["collections"] = [*(kwargs.get("collections") or ()), GraphKeys.LOCAL_VARIABLES]
    kwargs["trainable"] = False
    return get_variable(name, shape, **kwargs)


class variable_scope:
    """Open a variable scope, and a name scope of its name, on the graph of `values`; see `regraft.variables.scope`."""

    def __init__(
        self,
        name_or_scope: Any,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if reuse not in (True, False, None, AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}")
        self._graph = graph_of(values)
        self._positional = (name_or_scope, default_name, reuse, auxiliary_name_scope)
        self._settings = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._entered: list[contextlib.ExitStack] = []

    def __enter__(self) -> VariableScope:
        with contextlib.ExitStack() as stack:
            stack.enter_context(_context.graph_as_default(self._graph))
            scope = stack.enter_context(_scope.variable_scope(self._graph, *self._positional, **self._settings))
            self._entered.append(stack.pop_all())
        return scope

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self._entered.pop().__exit__(kind, value, trace)


@contextlib.contextmanager
def variable_op_scope(values: Any, name_or_scope: Any, default_name: str | None = None, **kwargs: Any) -> Iterator[Any]:
    """The older order of arguments of `variable_scope`."""
    with variable_scope(name_or_scope, default_name, values, **kwargs) as scope:
        yield scope


def no_regularizer(_: Any) -> None:
    """A regularizer that says nothing; overrides that of a scope."""
    return


# Partitioners

Partitioner = Callable[..., list[int]]


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """`num_shards` parts along `axis`, or as many as there are elements."""

    def partitioner(shape: TensorShape, **unused: Any) -> list[int]:
        parts = [1] * len(shape)
        parts[axis] = min(num_shards, shape.as_list()[axis] or 1)
        return parts

    return partitioner


def variable_axis_size_partitioner(
    max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16, max_shards: int | None = None
) -> Partitioner:
    """As few parts along `axis` as keep each within `max_shard_bytes`, but not more than `max_shards`."""
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError(
            "Both max_shard_bytes and bytes_per_string_element must be positive. Currently, max_shard_bytes is "
            f"{max_shard_bytes} and bytes_per_string_element is {bytes_per_string_element}"
        )
    if max_shards and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape: TensorShape, dtype: Any) -> list[int]:
        length, count = _length(shape, axis)
        bytes_per_slice = 1.0 * (count / length) * _element_size(as_dtype(dtype), bytes_per_string_element)
        slices = max(1, math.floor(max_shard_bytes / bytes_per_slice))
        shards = math.ceil(1.0 * length / slices)
        parts = [1] * len(shape)
        parts[axis] = min(max_shards, shards) if max_shards else shards
        return parts

    return partitioner


def min_max_variable_partitioner(
    max_partitions: int = 1, axis: int = 0, min_slice_size: int = 256 << 10, bytes_per_string_element: int = 16
) -> Partitioner:
    """Parts of at least `min_slice_size` bytes along `axis`, but not more than `max_partitions`."""

    def partitioner(shape: TensorShape, dtype: Any) -> list[int]:
        if axis >= len(shape):
            raise ValueError(f"Cannot partition variable along axis {axis} when shape is only {shape}")
        length, count = _length(shape, axis)
        size = count * _element_size(as_dtype(dtype), bytes_per_string_element)
        parts = [1] * len(shape)
        parts[axis] = max(1, min(length, max_partitions, math.ceil(size / min_slice_size)))
        return parts

    return partitioner


def _length(shape: TensorShape, axis: int) -> tuple[int, int]:
    """(size of the axis, number of elements). ValueError where they are not known."""
    count = shape.num_elements()
    if count is None:
        raise ValueError(f"shape is not fully defined: {shape}")
    return shape.as_list()[axis] or 0, count


def _element_size(dtype: DType, bytes_per_string: int) -> int:
    return bytes_per_string if dtype.base is dtypes.string else dtype.size


def create_partitioned_variables(
    shape: Any,
    slicing: Any,
    initializer: Any,
    dtype: Any = dtypes.float32,
    trainable: bool = True,
    collections: Any = None,
    name: str | None = None,
    reuse: Any = None,
) -> list[Any]:
    """The parts of a new variable, cut as `slicing` says: how many parts in each dimension."""
    if len(shape) != len(slicing):
        raise ValueError(
            "The 'shape' and 'slicing' of a partitioned Variable must have the length: "
            f"shape: {shape}, slicing: {slicing}"
        )
    if not len(shape):
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    graph = _context.get_default_graph()
    with variable_scope(name, "PartitionedVariable", reuse=reuse) as scope, graph.name_scope(None):
        made = variable_store(graph).partitioned(
            scope.name,
            lambda **unused: slicing,
            shape,
            dtype,
            initializer=scope.initializer if initializer is None else initializer,
            regularizer=scope.regularizer,
            reuse=scope.reuse,
            trainable=trainable,
            collections=collections,
            caching_device=scope.caching_device,
            validate_shape=True,
            use_resource=scope.use_resource,
            constraint=scope.constraint,
            synchronization=None,
            aggregation=None,
        )
        return list(made)
