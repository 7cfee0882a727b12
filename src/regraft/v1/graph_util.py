"""tf.graph_util: parts of GraphDefs, and GraphDefs with their variables' values in them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Any

from regraft.base.dtypes import as_dtype, int32, string
from regraft.base.errors import FailedPreconditionError
from regraft.ir.graph import Graph
from regraft.ir.node import Operation
from regraft.metagraph import sub_graph
from regraft.metagraph.freeze import VARIABLE_OPS, freeze
from regraft.opkit.resources import shared
from regraft.v1._graph import import_graph_def as import_graph_def

__all__ = [
    "convert_variables_to_constants",
    "extract_sub_graph",
    "import_graph_def",
    "must_run_on_cpu",
    "remove_training_nodes",
    "tensor_shape_from_node_def_name",
]

_log = logging.getLogger("regraft")

_PINNED = {"Assign", "AssignAdd", "AssignSub", "Queue", "ScatterAdd", "ScatterSub", "ScatterUpdate", "TruncatedNormal"}
_PINNED |= {"Variable", "VariableV2"}


def convert_variables_to_constants(
    sess: Any,
    input_graph_def: Any,
    output_node_names: Iterable[str],
    variable_names_whitelist: Collection[str] | None = None,
    variable_names_blacklist: Collection[str] | None = None,
) -> Any:
    """The part of a GraphDef that the named nodes need, with the session's values as constants for variables.

    variable_names_whitelist, variable_names_blacklist  the only variables to convert, and those not to convert

    raises  FailedPreconditionError listing the variables that the session has no values for
    """
    part = extract_sub_graph(input_graph_def, output_node_names)
    values = {}
    missing = []
    for node in part.node:
        if node.op not in VARIABLE_OPS or (
            variable_names_whitelist is not None and node.name not in variable_names_whitelist
        ):
            continue
        if variable_names_blacklist is not None and node.name in variable_names_blacklist:
            continue
        attrs = node.attr
        value = sess.variables.value(shared(attrs["container"].s, attrs["shared_name"].s, node.name))
        if value is None:
            missing.append(node.name)
        values[node.name] = value
    if missing:
        raise FailedPreconditionError(
            f"Attempting to use uninitialized value {', '.join(missing)}",
            hint="initialize or restore the variables in this session before they become constants",
        )
    frozen = freeze(part, values)
    _log.info("Converted %d variables to const ops.", len(values))
    return frozen


def extract_sub_graph(graph_def: Any, dest_nodes: Iterable[str]) -> Any:
    """The GraphDef of all that the named nodes need, in the order in which they stand.

    raises  TypeError for what is no GraphDef, and for one name in place of several; AssertionError for a node that the
            graph does not have
    """
    if isinstance(dest_nodes, (str, bytes)):
        raise TypeError(f"dest_nodes must be an iterable of strings, but got type {type(dest_nodes)}.")
    return sub_graph.extract_sub_graph(sub_graph.as_graph_def(graph_def), dest_nodes)


def remove_training_nodes(input_graph: Any, protected_nodes: Collection[str] | None = None) -> Any:
    """The GraphDef without its CheckNumerics nodes, and without Identity and StopGradient nodes that change nothing."""
    return sub_graph.remove_training_nodes(sub_graph.as_graph_def(input_graph), protected_nodes or ())


def tensor_shape_from_node_def_name(graph: Graph, input_name: str) -> Any:
    """The static shape of the tensor that an input of a NodeDef (`a`, `a:1`) names."""
    return graph.get_tensor_by_name(input_name if ":" in input_name else f"{input_name}:0").get_shape()


def must_run_on_cpu(node: Any, pin_variables_on_cpu: bool = False) -> bool:
    """Whether TensorFlow has an operation (or NodeDef) on the CPU alone: constants of strings and int32, and others."""
    node_def: Any = node.node_def if isinstance(node, Operation) else node  # type: ignore[attr-defined]  # installed
    if pin_variables_on_cpu and node_def.op in _PINNED:
        return True
    attr, types = {
        "Const": ("dtype", (string, int32)),
        "DynamicStitch": ("T", (int32,)),
        "ParallelDynamicStitch": ("T", (int32,)),
        "Cast": ("SrcT", (int32,)),
    }.get(node_def.op, ("", ()))
    return bool(attr) and as_dtype(node_def.attr[attr].type) in types
