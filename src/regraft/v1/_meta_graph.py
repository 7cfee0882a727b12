"""What TensorFlow keeps in `tensorflow.python.framework.meta_graph`: MetaGraphs of scopes, on the default graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from regraft import proto
from regraft.ir.graph import Graph
from regraft.metagraph import copy_scoped_meta_graph as _copy
from regraft.metagraph import export_collections, export_meta, stripped_ops
from regraft.metagraph import export_scoped_meta_graph as _export
from regraft.metagraph import import_meta_graph as _import
from regraft.metagraph import read_meta_graph_file as read_meta_graph_file
from regraft.v1 import _context

__all__ = [
    "add_collection_def",
    "copy_scoped_meta_graph",
    "create_meta_graph_def",
    "export_scoped_meta_graph",
    "import_scoped_meta_graph",
    "import_scoped_meta_graph_with_return_elements",
    "ops_used_by_graph_def",
    "read_meta_graph_file",
    "strip_graph_default_valued_attrs",
    "stripped_op_list_for_graph",
]


def _graph(graph: Graph | None) -> Graph:
    return _context.get_default_graph() if graph is None else graph


def import_scoped_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: Mapping[Any, Any] | None = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
) -> dict[str, Any]:
    """Add a MetaGraph to a graph, below a scope; returns its global variables by their names without the scope.

    raises  ValueError while eager execution is declared on, and where inputs are missing in `input_map`
    """
    return import_scoped_meta_graph_with_return_elements(
        meta_graph_or_file,
        clear_devices,
        graph,
        import_scope,
        input_map,
        unbound_inputs_col_name,
        restore_collections_predicate,
    )[0]


def import_scoped_meta_graph_with_return_elements(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: Mapping[Any, Any] | None = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
    return_elements: Sequence[Any] | None = None,
) -> tuple[dict[str, Any], Any]:
    """As `import_scoped_meta_graph`; returns the variables, and the elements asked for (None if none were)."""
    if _context.executing_eagerly():
        raise ValueError("Exporting/importing meta graphs is not supported when eager execution is enabled.")
    target = _graph(graph)
    with _context.graph_as_default(target):
        found = _import(
            target,
            meta_graph_or_file,
            clear_devices=clear_devices,
            import_scope=import_scope,
            input_map=input_map,
            unbound_inputs_col_name=unbound_inputs_col_name,
            restore_collections_predicate=restore_collections_predicate,
            return_elements=return_elements,
        )
    return found.variables, found.elements


def export_scoped_meta_graph(
    filename: Any = None,
    graph_def: Any = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    as_text: bool = False,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    clear_devices: bool = False,
    saver_def: Any = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    **kwargs: Any,
) -> tuple[Any, dict[str, Any]]:
    """The MetaGraphDef of a graph or one scope of it, and its global variables by their names in there.

    kwargs  `meta_info_def`, `collection_list`
    raises  ValueError while eager execution is declared on, unless `graph_def` and `graph` are both given
    """
    if _context.executing_eagerly() and (graph_def is None or graph is None):
        raise ValueError("Exporting/importing meta graphs is not supported when Eager Execution is enabled.")
    return _export(
        filename,
        graph=_graph(graph),
        graph_def=graph_def,
        export_scope=export_scope,
        as_text=as_text,
        unbound_inputs_col_name=unbound_inputs_col_name,
        clear_devices=clear_devices,
        saver_def=saver_def,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
        save_debug_info=save_debug_info,
        **kwargs,
    )


def copy_scoped_meta_graph(
    from_scope: str, to_scope: str, from_graph: Graph | None = None, to_graph: Graph | None = None
) -> dict[str, Any]:
    """Copy what lies below one scope below another; returns the new variables by their names below it.

    raises  ValueError if graph and scope are the same
    """
    source, target = _graph(from_graph), _graph(to_graph)
    with _context.graph_as_default(target):
        return _copy(from_scope, to_scope, source, target)


def create_meta_graph_def(
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Any = None,
    graph: Any = None,
    export_scope: str | None = None,
    exclude_nodes: Collection[str] | None = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
) -> Any:
    """Put a MetaGraphDef together. TypeError where an argument is of another kind."""
    return export_meta.create_meta_graph_def(
        _graph(graph),
        meta_info_def=meta_info_def,
        graph_def=graph_def,
        saver_def=saver_def,
        collection_list=collection_list,
        export_scope=export_scope,
        exclude_nodes=exclude_nodes or (),
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
    )


def add_collection_def(
    meta_graph_def: Any,
    key: Any,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: Collection[str] | None = None,
    override_contents: Sequence[Any] | None = None,
) -> None:
    """Write one collection of a graph into a MetaGraphDef of ours. TypeError for what is no graph."""
    if graph is not None and not isinstance(graph, Graph):
        raise TypeError(f"graph must be of type Graph. Received type: {type(graph)}.")
    export_collections.add_collection_def(
        meta_graph_def, key, _graph(graph), export_scope, exclude_nodes or (), override_contents
    )


def ops_used_by_graph_def(graph_def: Any) -> list[str]:
    """The op types of the nodes, and of the bodies of functions that they call."""
    return sorted(stripped_ops.ops_used_by(proto.as_ours(graph_def, proto.GraphDef)))


def stripped_op_list_for_graph(graph_def: Any) -> Any:
    """The OpList of the ops that a GraphDef uses, sorted by name. ValueError for one that nobody knows."""
    message = proto.OpList()
    ours = proto.as_ours(graph_def, proto.GraphDef)
    graph = Graph()
    for name in ops_used_by_graph_def(ours):
        if graph.op_def(name) is None and name not in ("_Arg", "_Retval", "_ListToArray", "_ArrayToList"):
            raise ValueError(f"Op {name} is used by the graph, but is not registered")
    stripped_ops.put_op_list(graph, ours, message)
    return message


def strip_graph_default_valued_attrs(meta_graph_def: Any) -> None:
    """Take attributes with their op's default value out of a MetaGraphDef of ours, and say so in it."""
    stripped_ops.strip_default_attrs(meta_graph_def.graph_def)
    meta_graph_def.meta_info_def.stripped_default_attrs = True
