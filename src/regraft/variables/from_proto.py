"""Variables of a graph that was read: from their VariableDef, or from their nodes alone."""

from __future__ import annotations

from typing import Any

from regraft import proto
from regraft.base import names
from regraft.ir.graph import Graph
from regraft.ir.node import Operation, Tensor
from regraft.variables.policy import VariableAggregation, VariableSynchronization
from regraft.variables.ref import RefVariable
from regraft.variables.resource import ResourceVariable
from regraft.variables.save_slice import SaveSliceInfo
from regraft.variables.variable import Variable

_SYNCHRONIZATIONS = frozenset(kind.value for kind in VariableSynchronization)
_AGGREGATIONS = frozenset(kind.value for kind in VariableAggregation)


def variable_from_proto(graph: Graph, variable_def: Any, import_scope: str | None = None) -> Variable:
    """The variable whose nodes a VariableDef names; the nodes are in the graph, below `import_scope`.

    raises  KeyError where a node does not exist, ValueError where a name is that of another kind of element
    """
    message = proto.as_ours(variable_def, proto.VariableDef)
    kind = ResourceVariable if message.is_resource else RefVariable
    variable: Variable = kind.__new__(kind)
    _fill(variable, graph, message, import_scope or "")
    return variable


def is_complete(graph: Graph, message: proto.VariableDef, import_scope: str | None = None) -> bool:
    """Whether `variable_from_proto` is sure to find all that the VariableDef names; latent nodes stay latent."""
    wanted = [message.variable_name, message.initializer_name, message.snapshot_name]
    if message.initial_value_name:
        wanted.append(message.initial_value_name)
    usual = message.synchronization in _SYNCHRONIZATIONS and message.aggregation in _AGGREGATIONS
    if not usual or message.HasField("save_slice_info_def"):
        return False
    for name in wanted:
        op, colon, index = (names.prepend_scope(name, import_scope) if import_scope else name).partition(":")
        outputs = graph.count_outputs(op)
        if outputs is None or (colon and not (index.isdecimal() and int(index) < outputs)):
            return False
    return True


def _fill(variable: Variable, graph: Graph, message: proto.VariableDef, scope: str) -> None:
    def element(name: str) -> Any:
        full = names.prepend_scope(name, scope) if scope else name
        if full.endswith(":0"):
            op = graph.find(full[:-2])
            if op is not None and op.output_types:
                return op.outputs[0]
        return graph.as_graph_element(full)

    found = element(message.variable_name)
    variable._variable = found.outputs[0] if isinstance(found, Operation) else found
    variable._initializer_op = element(message.initializer_name)
    variable._initial_value = element(message.initial_value_name) if message.initial_value_name else None
    variable._trainable = message.trainable
    variable._synchronization = VariableSynchronization(message.synchronization)
    variable._aggregation = VariableAggregation(message.aggregation)
    if message.HasField("save_slice_info_def"):
        variable._save_slice_info = SaveSliceInfo(
            save_slice_info_def=message.save_slice_info_def, import_scope=scope or None
        )
    if isinstance(variable, RefVariable):
        variable._snapshot = element(message.snapshot_name)
    elif isinstance(variable, ResourceVariable):
        if message.snapshot_name:
            snapshot: Tensor = element(message.snapshot_name)
        else:
            snapshot = graph.get_tensor_by_name(f"{variable._variable.op.name}/Read/ReadVariableOp:0")
        variable._cached_value = None if snapshot.op.type == "ReadVariableOp" else snapshot
        while snapshot.op.type != "ReadVariableOp" and snapshot.op.inputs:
            snapshot = snapshot.op.inputs[0]
        variable._graph_element = snapshot


__all__ = ["is_complete", "variable_from_proto"]
