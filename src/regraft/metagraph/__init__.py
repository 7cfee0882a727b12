"""Graphs and MetaGraphs in and out: import under a prefix, export of a scope, collections and what they hold."""

from regraft.metagraph import control_flow as control_flow  # registers its collections
from regraft.metagraph.collections import register_proto_function
from regraft.metagraph.export_meta import (
    copy_scoped_meta_graph,
    export_meta_graph,
    export_scoped_meta_graph,
    write_debug_info,
    write_meta_graph,
)
from regraft.metagraph.import_graph import import_graph_def
from regraft.metagraph.import_meta import ImportedMetaGraph, import_meta_graph
from regraft.metagraph.meta_file import read_meta_graph_file, write_graph

__all__ = [
    "ImportedMetaGraph",
    "copy_scoped_meta_graph",
    "export_meta_graph",
    "export_scoped_meta_graph",
    "import_graph_def",
    "import_meta_graph",
    "read_meta_graph_file",
    "register_proto_function",
    "write_debug_info",
    "write_graph",
    "write_meta_graph",
]
