"""GraphDef to Graph and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from regraft import proto
from regraft.ir.function import FunctionDef
from regraft.ir.graph import PRODUCER, Graph
from regraft.ir.op_def import OpDef
from regraft.serde.file_nodes import FileNodes
from regraft.serde.node import node_to_proto
from regraft.serde.node_table import MessageTable, NodeTable
from regraft.serde.nodes import Naming, NodeReader
from regraft.serde.op_def import op_def_from_proto

NO_MAPPING: Mapping[tuple[str, int], Any] = {}


class OpFinder:
    """The OpDefs that the nodes of a file name: TensorFlow's own, else a function of the library, else the file's list.

    The file's list comes last, as it is older than what the kernels are written for; it serves ops nobody else knows.
    What was found in a function or in the list is kept in `graph.local_op_defs`.
    """

    def __init__(self, graph: Graph, op_list: Iterable[Any] = ()) -> None:
        self._graph = graph
        self._own = {message.name: message for message in op_list}

    def trusts(self, definition: OpDef) -> bool:
        """Whether the program that wrote the file knew no attribute of the op that we do not know."""
        own = self._own.get(definition.name)
        return own is not None and all(attr.name in definition.attrs for attr in own.attr)

    def __call__(self, op_type: str) -> OpDef | None:
        found = self._graph.op_def(op_type)
        if found is None:
            function = self._graph.function(op_type)
            if function is not None:
                found = op_def_from_proto(function.proto.signature)
            elif op_type in self._own:
                found = op_def_from_proto(self._own[op_type])
            if found is not None:
                self._graph.local_op_defs[op_type] = found
        return found


def add_functions(graph: Graph, library: Any) -> None:
    """Add the functions of a FunctionDefLibrary, with their gradients. ValueError when a name has another body."""
    gradients = {g.function_name: g.gradient_func for g in library.gradient}
    for function in library.function:
        name = function.signature.name
        graph.add_function(FunctionDef(name, function, gradients.get(name, "")))


def merge_versions(graph: Graph, versions: Any) -> None:
    """Make the graph's versions those that suit both it and what `versions` came with.

    raises  ValueError where this program is too old for the file, or the file for this program
    """
    if versions.producer < 0:
        raise ValueError(
            f"GraphDef producer version {versions.producer} below min producer 0 supported. "
            "Please regenerate your graph."
        )
    if versions.min_consumer > PRODUCER:
        raise ValueError(
            f"GraphDef min consumer version {versions.min_consumer} above current version {PRODUCER}. "
            "Please upgrade Regraft."
        )
    if PRODUCER in versions.bad_consumers:
        raise ValueError(
            f"GraphDef disallows consumer version {PRODUCER}. Please upgrade Regraft: the file asks for it."
        )
    graph.producer = min(graph.producer, versions.producer)
    graph.min_consumer = max(graph.min_consumer, versions.min_consumer)
    graph.bad_consumers = tuple(sorted({*graph.bad_consumers, *versions.bad_consumers}))


def refuse(node: Any, name: str) -> bool:
    """The `strip` of a reader that drops no attribute."""
    return False


def read_nodes(
    graph: Graph,
    nodes: Sequence[Any] | NodeTable,
    *,
    op_list: Iterable[Any] = (),
    naming: Naming | None = None,
    mapping: Mapping[tuple[str, int], Any] = NO_MAPPING,
    strip: Callable[[Any, str], bool] = refuse,
    internal: bool = False,
) -> tuple[FileNodes, NodeReader]:
    """Read NodeDefs that nobody changes afterwards. The nodes are not in the graph yet (`graph.adopt`).

    nodes     the messages, or their table
    op_list   OpDef messages for ops that are unknown otherwise
    internal  whether names may begin with an underscore, as in the bodies of functions
    """
    finder = OpFinder(graph, op_list)
    reader = NodeReader(graph, finder, naming or Naming(), mapping, strip, finder.trusts, graph.producer, internal)
    table = nodes if isinstance(nodes, NodeTable) else MessageTable(nodes)
    return reader.read(table), reader


def graph_from_proto(message: Any, op_list: Iterable[Any] = ()) -> Graph:
    """A new Graph from a GraphDef, ours or TensorFlow's. The message must not be changed while the graph lives.

    raises  ValueError where the nodes contradict each other or their ops
    """
    graph_def = proto.as_ours(message, proto.GraphDef)
    graph = Graph()
    merge_versions(graph, graph_def.versions)
    add_functions(graph, graph_def.library)
    nodes, _ = read_nodes(graph, list(graph_def.node), op_list=op_list)
    graph.adopt(nodes)
    return graph


def graph_to_proto(graph: Graph, add_shapes: bool = False) -> proto.GraphDef:
    """The GraphDef of a graph: nodes in order of creation, functions, versions.

    add_shapes  with static shapes as the attribute `_output_shapes` of each node
    """
    message = proto.GraphDef()
    put_versions(graph, message.versions)
    nodes = message.node
    for op in graph.get_operations():
        node_to_proto(op, nodes.add(), add_shapes)
    put_functions(graph, message)
    return message


def put_versions(graph: Graph, message: Any) -> None:
    """Write the graph's versions into a VersionDef."""
    message.producer = graph.producer
    message.min_consumer = graph.min_consumer
    message.bad_consumers.extend(graph.bad_consumers)


def put_functions(graph: Graph, message: Any) -> None:
    """Write the graph's functions, and their gradients, into the library of a GraphDef."""
    for function in graph.functions.values():
        message.library.function.add().CopyFrom(function.proto)
        if function.gradient:
            message.library.gradient.add(function_name=function.name, gradient_func=function.gradient)


__all__ = [
    "NO_MAPPING",
    "OpFinder",
    "add_functions",
    "graph_from_proto",
    "graph_to_proto",
    "merge_versions",
    "node_to_proto",
    "put_functions",
    "put_versions",
    "read_nodes",
]
