"""Slots: the variables that an optimizer keeps beside each variable it trains, named `<variable>/<optimizer>`."""

from __future__ import annotations

from typing import Any

from regraft.ir.graph import Graph
from regraft.opkit.builder import Builder
from regraft.variables import ResourceVariable, SaveSliceInfo, Variable
from regraft.variables.scope import get_variable, get_variable_scope, variable_scope


def create_slot(graph: Graph, primary: Any, value: Any, name: str, colocate: bool = True) -> Any:
    """A variable beside `primary` with the initial value `value` (a tensor)."""
    known = value.shape.is_fully_defined()
    return _create(graph, primary, value, None, None, name, known, colocate)


def create_slot_with_initializer(
    graph: Graph, primary: Any, initializer: Any, shape: Any, dtype: Any, name: str, colocate: bool = True
) -> Any:
    """A variable beside `primary` that `initializer(shape, dtype)` fills."""
    return _create(graph, primary, initializer, shape, dtype, name, shape.is_fully_defined(), colocate)


def create_zeros_slot(graph: Graph, primary: Any, name: str, dtype: Any = None, colocate: bool = True) -> Any:
    """A variable of zeros beside `primary`, of its shape."""
    dtype = dtype or primary.dtype.base_dtype
    shape = primary.get_shape()
    if shape.is_fully_defined():
        return create_slot_with_initializer(graph, primary, zeros(graph), shape, dtype, name, colocate)
    b = Builder(graph)
    source = primary.initialized_value() if isinstance(primary, Variable) else primary
    return create_slot(graph, primary, b.zeros(b.shape(source), dtype), name, colocate)


def zeros(graph: Graph) -> Any:
    """An initializer of zeros."""

    def start(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return Builder(graph).zeros(shape, dtype)

    return start


def _create(
    graph: Graph, primary: Any, value: Any, shape: Any, dtype: Any, name: str, known: bool, colocate: bool
) -> Any:
    prefix = primary._shared_name if isinstance(primary, Variable) else primary.op.name
    with variable_scope(graph, None, f"{prefix}/{name}"):
        if colocate:
            with graph.colocate_with(primary):
                return _variable(graph, primary, value, shape, dtype, known)
        return _variable(graph, primary, value, shape, dtype, known)


def _variable(graph: Graph, primary: Any, value: Any, shape: Any, dtype: Any, known: bool) -> Any:
    scope = get_variable_scope(graph)
    partitioner = scope.partitioner
    scope.set_partitioner(None)
    resource = isinstance(primary, ResourceVariable) if isinstance(primary, Variable) else None
    slot = get_variable(
        graph,
        "",
        initializer=value,
        trainable=False,
        use_resource=resource,
        shape=shape,
        dtype=dtype,
        validate_shape=known,
    )
    scope.set_partitioner(partitioner)
    info = primary._save_slice_info if isinstance(primary, Variable) else None
    if info is not None:
        own = slot.name[len(primary.op.name) + 1 : -2]
        rank = slot.shape.ndims
        if rank is None or rank > 0:
            whole, offset, part = (p[:rank] for p in (info.full_shape, info.var_offset, info.var_shape or []))
            slot._set_save_slice_info(SaveSliceInfo(f"{info.full_name}/{own}", whole, offset, part))
    return slot
