"""`tensorflow.python.tools.freeze_graph`: a graph and a checkpoint, from files, into one GraphDef of constants."""

from __future__ import annotations

from typing import Any

from regraft import proto
from regraft.checkpoint import open_checkpoint
from regraft.checkpoint.management import checkpoint_exists
from regraft.ir.graph import Graph
from regraft.metagraph.freeze import VARIABLE_OPS
from regraft.metagraph.meta_file import read_proto_file, write_proto_file
from regraft.runtime.planner import variable_name
from regraft.v1 import _context
from regraft.v1._graph import import_graph_def
from regraft.v1._saver import Saver, import_meta_graph
from regraft.v1._session import Session
from regraft.v1.graph_util import convert_variables_to_constants


def freeze_graph(
    input_graph: Any,
    input_saver: Any,
    input_binary: bool,
    input_checkpoint: Any,
    output_node_names: str,
    restore_op_name: str | None,
    filename_tensor_name: str | None,
    output_graph: Any,
    clear_devices: bool,
    initializer_nodes: str,
    variable_names_whitelist: str = "",
    variable_names_denylist: str = "",
    input_meta_graph: Any = None,
    input_saved_model_dir: Any = None,
    saved_model_tags: str = "serve",
    checkpoint_version: int = 2,
    variable_names_blacklist: str = "",
) -> Any:
    """Read a graph and a checkpoint, write the GraphDef with constants for variables to `output_graph`, and return it.

    input_graph            the file of a GraphDef; or None, and one of the next two
    input_meta_graph       the file of a MetaGraphDef
    input_saved_model_dir  the folder of a SavedModel, which brings its checkpoint; `saved_model_tags` says which graph
    input_saver            the file of a SaverDef; "" to read variables by their names
    output_node_names, initializer_nodes, variable_names_...  names split by commas
    clear_devices          forget the devices that the graph names

    `input_binary`, `restore_op_name` and `filename_tensor_name` decide nothing: the form of a file is found out.

    raises  ValueError where there is no checkpoint, or no output is named; OSError for files that are none
    """
    if not input_saved_model_dir and not checkpoint_exists(input_checkpoint):
        raise ValueError(f"Input checkpoint {str(input_checkpoint)!r} doesn't exist!")
    if not output_node_names:
        raise ValueError("You need to supply the name of a node to --output_node_names.")
    graph = Graph()
    with _context.graph_as_default(graph), Session(graph=graph) as sess:
        if input_saved_model_dir:
            from regraft.v1.saved_model.loader import load

            graph_def = load(sess, _names(saved_model_tags), input_saved_model_dir).graph_def
        elif input_meta_graph:
            meta_graph = read_proto_file(input_meta_graph, proto.MetaGraphDef)
            import_meta_graph(meta_graph, clear_devices=True).restore(sess, input_checkpoint)
            graph_def = meta_graph.graph_def
        else:
            graph_def = read_proto_file(input_graph, proto.GraphDef)
            import_graph_def(graph_def, name="")
            if input_saver:
                Saver(saver_def=read_proto_file(input_saver, proto.SaverDef)).restore(sess, input_checkpoint)
            else:
                _restore_by_name(sess, input_checkpoint)
        if initializer_nodes and not input_saved_model_dir:
            sess.run(_names(initializer_nodes))
        if clear_devices:
            for node in graph_def.node:
                node.device = ""
        frozen = convert_variables_to_constants(
            sess,
            graph_def,
            _names(output_node_names),
            variable_names_whitelist=_names(variable_names_whitelist) or None,
            variable_names_blacklist=_names(variable_names_denylist or variable_names_blacklist) or None,
        )
    if output_graph:
        write_proto_file(frozen, output_graph)
    return frozen


def _names(text: str) -> list[str]:
    return [name for name in text.replace(" ", "").split(",") if name]


def _restore_by_name(sess: Session, checkpoint: Any) -> None:
    """Give the variables that the checkpoint has tensors of the same name for their values."""
    with open_checkpoint(checkpoint) as reader:
        for op in sess.graph.get_operations():
            if op.type in VARIABLE_OPS and reader.has_tensor(op.name):
                sess.variables.assign(variable_name(op), reader.get_tensor(op.name))
