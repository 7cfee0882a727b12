"""Resources that are no variables but need initialization as these do: what creates each, and whether it is there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from regraft.base import dtypes
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation, Tensor
from regraft.v1 import _context
from regraft.v1._graph import name_scope
from regraft.v1._indexing import boolean_mask


class Resource(NamedTuple):
    """The handle, the operation that creates it, and the tensor that says whether it is there."""

    handle: Any
    create: Any
    is_initialized: Any


def register_resource(handle: Any, create_op: Any, is_initialized_op: Any, is_shared: bool = True) -> None:
    """Add a resource to the collection of those shared between sessions, or of the local ones."""
    key = GraphKeys.RESOURCES if is_shared else GraphKeys.LOCAL_RESOURCES
    _context.get_default_graph().add_to_collection(key, Resource(handle, create_op, is_initialized_op))


def shared_resources() -> list[Any]:
    return _context.get_default_graph().get_collection(GraphKeys.RESOURCES)


def local_resources() -> list[Any]:
    return _context.get_default_graph().get_collection(GraphKeys.LOCAL_RESOURCES)


def initialize_resources(resource_list: list[Any], name: str = "init") -> Operation:
    """An operation that creates the resources."""
    b = _context.builder()
    return b.group(*[r.create for r in resource_list], name=name) if resource_list else b.no_op(name=name)


def report_uninitialized_resources(
    resource_list: list[Any] | None = None, name: str = "report_uninitialized_resources"
) -> Tensor:
    """A 1-D tensor of the names of those resources (all) that are not there."""
    if resource_list is None:
        resource_list = shared_resources() + local_resources()
    with name_scope(name):
        b = _context.builder()
        with b.graph.device("/cpu:0"):
            if not resource_list:
                return b.constant(np.array([], object), dtype=dtypes.string)
            missing = b.op("LogicalNot", b.stack([r.is_initialized for r in resource_list]))
            names = b.constant([r.handle.name for r in resource_list])
            found: Tensor = boolean_mask(names, missing)
            return found
