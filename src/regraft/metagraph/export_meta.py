"""`export_meta_graph`: a graph with its collections, as a message and as a file."""

from __future__ import annotations

import os
import weakref
from collections.abc import Collection, Iterable
from typing import Any

from regraft import proto
from regraft.base import names
from regraft.checkpoint import files
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.metagraph.debug_info import debug_info
from regraft.metagraph.export_collections import add_collection_def, included
from regraft.metagraph.export_nodes import extraneous_saver_nodes, scoped_graph_def
from regraft.metagraph.meta_file import write_proto_file
from regraft.metagraph.stripped_ops import put_op_list
from regraft.metagraph.stripped_ops import strip_default_attrs as strip
from regraft.serde.graph import graph_to_proto

# The release whose op signatures we ship; readers tell from it what a file's variables say about themselves.
TENSORFLOW_VERSION = "2.21.0"
GIT_VERSION = "regraft"


def export_meta_graph(filename: Any = None, **options: Any) -> proto.MetaGraphDef:
    """The MetaGraphDef of a graph, written to `filename` if there is one; options as `export_scoped_meta_graph`."""
    return export_scoped_meta_graph(filename, **options)[0]


def export_scoped_meta_graph(
    filename: Any = None,
    *,
    graph: Graph,
    graph_def: Any = None,
    export_scope: str | None = None,
    as_text: bool = False,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    clear_devices: bool = False,
    saver_def: Any = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    meta_info_def: Any = None,
    collection_list: Iterable[Any] | None = None,
) -> tuple[proto.MetaGraphDef, dict[str, Any]]:
    """The MetaGraphDef of a graph or of one scope, and the global variables in it by their names there.

    graph_def                take the nodes from here, not from the graph
    export_scope             only what lies below this scope, under its name without it; inputs from outside are renamed
                             `$unbound_inputs_NAME` and listed in the collection `unbound_inputs_col_name`
    clear_extraneous_savers  leave out the nodes of all Savers but that of `saver_def`
    strip_default_attrs      leave out attributes with their default value, so that older programs can read the file
    meta_info_def            what to begin with; the version fields are overwritten, in this very message
    collection_list          names of the collections to write; None for all

    save_debug_info          write the lines that made the operations beside `filename`, as `NAME.debug`
    raises  TypeError where a message is of another kind; ValueError for a GraphDef of 2 GB or more
    """
    saver_def = _checked(saver_def, proto.SaverDef, "saver_def")
    graph_def = _checked(graph_def, proto.GraphDef, "graph_def")
    scope = export_scope or ""
    exclude: Collection[str] = ()
    if scope or clear_extraneous_savers or clear_devices:
        if clear_extraneous_savers:
            every = graph_def.node if graph_def is not None else ()
            nodes = ((n.name, n.op) for n in every) if graph_def is not None else _nodes_of(graph)
            exclude = extraneous_saver_nodes(nodes, saver_def)
        graph_def, unbound = scoped_graph_def(graph, graph_def, scope, clear_devices, exclude)
        if unbound_inputs_col_name and not graph.finalized:
            graph.clear_collection(unbound_inputs_col_name)
            for name in unbound:
                graph.add_to_collection(unbound_inputs_col_name, name)
    message = create_meta_graph_def(
        graph,
        meta_info_def=meta_info_def,
        graph_def=graph_def,
        saver_def=saver_def,
        collection_list=collection_list,
        export_scope=export_scope,
        exclude_nodes=exclude,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
    )
    variables = {
        names.strip_scope(v.name, scope): v
        for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES)
        if included(v, scope, exclude)
    }
    if filename:
        write_proto_file(message, filename, as_text)
        if save_debug_info:
            write_debug_info(graph, filename, as_text)
    return message, variables


def write_debug_info(graph: Graph, filename: Any, as_text: bool = False) -> None:
    """Write where the graph's operations were made, beside the MetaGraph in `filename`."""
    write_proto_file(debug_info(graph), f"{os.path.splitext(files.as_text(filename))[0]}.debug", as_text)


def create_meta_graph_def(
    graph: Graph,
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Iterable[Any] | None = None,
    export_scope: str | None = None,
    exclude_nodes: Collection[str] = (),
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
) -> proto.MetaGraphDef:
    """Put a MetaGraphDef together; see `export_scoped_meta_graph`. TypeError where an argument is of another kind."""
    if not isinstance(graph, Graph):
        raise TypeError(f"graph must be of type Graph, not {type(graph)}")
    _checked(meta_info_def, proto.MetaGraphDef.MetaInfoDef, "meta_info_def")
    graph_def = _checked(graph_def, proto.GraphDef, "graph_def")
    saver_def = _checked(saver_def, proto.SaverDef, "saver_def")
    message = proto.MetaGraphDef()
    _put_info(message.meta_info_def, meta_info_def)
    message.graph_def.CopyFrom(graph_to_proto(graph, add_shapes=True) if graph_def is None else graph_def)
    if not len(message.meta_info_def.stripped_op_list.op):
        put_op_list(graph, message.graph_def, message.meta_info_def.stripped_op_list)
    if strip_default_attrs:
        strip(message.graph_def)
        message.meta_info_def.stripped_default_attrs = True
    _put_rest(message, graph, saver_def, collection_list, export_scope, exclude_nodes, clear_extraneous_savers)
    return message


def _put_info(message: Any, given: Any) -> None:
    if given is not None:
        given.tensorflow_version = TENSORFLOW_VERSION
        given.tensorflow_git_version = GIT_VERSION
        message.MergeFromString(given.SerializeToString())
    message.tensorflow_version = TENSORFLOW_VERSION
    message.tensorflow_git_version = GIT_VERSION


def _put_rest(
    message: proto.MetaGraphDef,
    graph: Graph,
    saver_def: proto.SaverDef | None,
    collection_list: Iterable[Any] | None,
    export_scope: str | None,
    exclude_nodes: Collection[str],
    clear_extraneous_savers: bool,
) -> None:
    if saver_def is not None:
        message.saver_def.CopyFrom(saver_def)
    for key in graph.get_all_collection_keys() if collection_list is None else collection_list:
        if clear_extraneous_savers and key == GraphKeys.SAVERS:
            _put_only_saver(message, saver_def, export_scope or "")
        else:
            add_collection_def(message, key, graph, export_scope, exclude_nodes)


def _put_only_saver(message: proto.MetaGraphDef, saver_def: proto.SaverDef | None, scope: str) -> None:
    if saver_def is None:
        return
    own = proto.SaverDef()
    own.CopyFrom(saver_def)
    for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
        name = getattr(own, field)
        if not names.in_scope(name, scope):
            return
        setattr(own, field, names.strip_scope(name, scope))
    message.collection_def[GraphKeys.SAVERS].bytes_list.value.append(own.SerializeToString())


def _checked(message: Any, kind: Any, name: str) -> Any:
    """The message as ours, or None. TypeError when it is another."""
    if message is None:
        return None
    try:
        return proto.as_ours(message, kind)
    except TypeError as e:
        raise TypeError(f"{name} must be of type {kind.__name__}, not {type(message)}") from e


def _nodes_of(graph: Graph) -> Iterable[tuple[str, str]]:
    return ((op.name, op.type) for op in graph.get_operations())


# Training saves the same graph again and again: what follows from the nodes alone is kept in its written form.

_written: weakref.WeakKeyDictionary[Graph, tuple[tuple[int, bool], bytes]] = weakref.WeakKeyDictionary()


def write_meta_graph(filename: Any, graph: Graph, saver_def: Any = None, strip_default_attrs: bool = False) -> None:
    """Write what `export_meta_graph` of the whole graph writes. Nodes that are the same as last time cost nothing."""
    key = (graph.version, strip_default_attrs)
    known = _written.get(graph)
    if known is None or known[0] != key:
        nodes = create_meta_graph_def(graph, collection_list=(), strip_default_attrs=strip_default_attrs)
        known = (key, nodes.SerializeToString())
        _written[graph] = known
    rest = proto.MetaGraphDef()
    _put_rest(rest, graph, _checked(saver_def, proto.SaverDef, "saver_def"), None, None, (), False)
    folder = files.folder_of(filename)
    if folder and not files.is_remote(folder):
        files.make_folders(folder)
    # Messages written one behind the other are read as one with the fields of both.
    files.write_bytes(filename, known[1] + rest.SerializeToString())


def copy_scoped_meta_graph(from_scope: str, to_scope: str, from_graph: Graph, to_graph: Graph) -> dict[str, Any]:
    """Copy what lies below one scope below another; returns the new variables by their names below it.

    raises  ValueError if graph and scope are the same
    """
    from regraft.metagraph.import_meta import import_meta_graph

    if from_graph is to_graph and from_scope == to_scope:
        raise ValueError(
            "'from_scope' and 'to_scope' need to be different when performing copy in the same graph. "
            f"Both are {from_scope!r}."
        )
    message, _ = export_scoped_meta_graph(graph=from_graph, export_scope=from_scope)
    return import_meta_graph(to_graph, message, import_scope=to_scope).variables
