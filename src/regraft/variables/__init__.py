"""Variables as objects over a graph: what is added for one, what reads it, what changes it, how it is written down."""

from __future__ import annotations

from typing import Any

from regraft.ir.graph import Graph
from regraft.variables.from_proto import variable_from_proto
from regraft.variables.partitioned import PartitionedVariable
from regraft.variables.policy import VariableAggregation, VariableSynchronization
from regraft.variables.ref import RefVariable
from regraft.variables.resource import ResourceVariable
from regraft.variables.save_slice import SaveSliceInfo
from regraft.variables.variable import Variable


def make_variable(graph: Graph, initial_value: Any, use_resource: bool = False, **arguments: Any) -> Variable:
    """A new variable of the wanted kind; `arguments` are those of `RefVariable` and `ResourceVariable`."""
    kind: Any = ResourceVariable if use_resource else RefVariable
    variable: Variable = kind(graph, initial_value, **arguments)
    return variable


__all__ = [
    "PartitionedVariable",
    "RefVariable",
    "ResourceVariable",
    "SaveSliceInfo",
    "Variable",
    "VariableAggregation",
    "VariableSynchronization",
    "make_variable",
    "variable_from_proto",
]
