"""tf.train.Saver, import_meta_graph and export_meta_graph on the default graph."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from regraft import proto
from regraft import saver as _saver
from regraft.checkpoint.management import (
    checkpoint_exists,
    get_checkpoint_mtimes,
    latest_checkpoint,
    list_variables,
    load_variable,
    remove_checkpoint,
)
from regraft.checkpoint.state import generate_checkpoint_state_proto, get_checkpoint_state
from regraft.checkpoint.state import update_checkpoint_state as _update_checkpoint_state
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.metagraph import export_meta_graph as _export
from regraft.metagraph import import_meta_graph as _import
from regraft.metagraph import register_proto_function
from regraft.saver import checkpoints_iterator
from regraft.saver import init_from_checkpoint as _init_from_checkpoint
from regraft.saver.build import V2
from regraft.v1 import _context

__all__ = [
    "Saver",
    "checkpoint_exists",
    "checkpoints_iterator",
    "export_meta_graph",
    "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "import_meta_graph",
    "init_from_checkpoint",
    "latest_checkpoint",
    "list_variables",
    "load_variable",
    "remove_checkpoint",
    "update_checkpoint_state",
]

_log = logging.getLogger("regraft")
_NOT_EAGER = (
    "Exporting/importing meta graphs is not supported when eager execution is enabled. "
    "No graph exists when eager execution is enabled."
)


class Saver(_saver.Saver):
    """Saves and restores variables of the default graph. See `regraft.saver.Saver` for the arguments.

    raises  RuntimeError while eager execution is declared on, unless `var_list` says what to save
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = V2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ) -> None:
        if _context.executing_eagerly() and var_list is None:
            raise RuntimeError(
                "When eager execution is enabled, `var_list` must specify a list or dict of variables to save"
            )
        super().__init__(
            _context.get_default_graph(),
            var_list,
            reshape,
            sharded,
            max_to_keep,
            keep_checkpoint_every_n_hours,
            name,
            restore_sequentially,
            saver_def,
            builder,
            defer_build,
            allow_empty,
            write_version,
            pad_step_number,
            save_relative_paths,
            filename,
        )

    def build(self) -> None:
        """Add the sub-graph; for a Saver made with `defer_build`. RuntimeError while eager execution is declared on."""
        if _context.executing_eagerly():
            raise RuntimeError("Use save/restore instead of build in eager mode.")
        if not self._is_built and self._var_list is None:
            self._graph = _context.get_default_graph()
        # Builders and saveable objects of the user's own add to the default graph.
        with _context.graph_as_default(self._graph):
            super().build()

    def restore(self, sess: Any, save_path: Any, *, partial: bool = False) -> Any:
        """Restore the variables; see `regraft.saver.Saver.restore`. Returns None unless `partial`."""
        left = super().restore(sess, save_path, partial=partial)
        return left if partial else None

    def _graph_to_export(self) -> Graph:
        """The default graph, as in TensorFlow; where it lacks the nodes of this Saver, the Saver's own."""
        graph = _context.get_default_graph()
        if self.saver_def is None or graph.find(self.saver_def.restore_op_name) is not None:
            return graph
        return self._graph

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None, *, graph: Graph | None = None) -> Saver:
        """A Saver over the ops that a SaverDef names in the default graph, under `import_scope`."""
        with _context.graph_as_default(graph or _context.get_default_graph()):
            return Saver(saver_def=saver_def, name=import_scope)


register_proto_function(
    GraphKeys.SAVERS,
    proto_type=proto.SaverDef,
    to_proto=Saver.to_proto,
    from_proto=Saver.from_proto,
    takes_graph=True,
    registered=__name__,
)


def import_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    graph: Graph | None = None,
    input_map: Mapping[Any, Any] | None = None,
    return_elements: Sequence[Any] | None = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
) -> Any:
    """Recreate a graph saved in a MetaGraphDef, in the default graph; returns its Saver.

    meta_graph_or_file  a MetaGraphDef or the path of a `.meta` file, binary or text
    clear_devices       forget the devices that the file names
    import_scope        a name scope to import into
    input_map           tensors to use in place of nodes of the file, by name
    returns             a Saver for the file's variables; where the file has none, one for all variables of the graph;
                        None when there is no variable
    raises              RuntimeError while eager execution is declared on; OSError for a file that is missing or none
    """
    return import_with_elements(
        meta_graph_or_file,
        clear_devices,
        import_scope,
        return_elements,
        graph=graph,
        input_map=input_map,
        unbound_inputs_col_name=unbound_inputs_col_name,
        restore_collections_predicate=restore_collections_predicate,
    )[0]


def import_with_elements(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    return_elements: Sequence[Any] | None = None,
    graph: Graph | None = None,
    **options: Any,
) -> tuple[Saver | None, Any]:
    """As `import_meta_graph`; returns the Saver and the elements asked for."""
    if _context.executing_eagerly():
        raise RuntimeError(_NOT_EAGER)
    target = graph or _context.get_default_graph()
    with _context.graph_as_default(target):
        imported = _import(
            target, meta_graph_or_file, clear_devices, import_scope, return_elements=return_elements, **options
        )
        message = imported.meta_graph
        if message.HasField("saver_def"):
            saver_def = proto.SaverDef()
            saver_def.CopyFrom(message.saver_def)
            for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
                setattr(saver_def, field, imported.new_name(getattr(saver_def, field)))
            return Saver(saver_def=saver_def), imported.elements
        if _saver.saveable_variables(target, scope=import_scope):
            return Saver(), imported.elements
    _log.info("Saver not created because there are no variables in the graph to restore")
    return None, imported.elements


def export_meta_graph(
    filename: str | None = None,
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Any = None,
    as_text: bool = False,
    graph: Graph | None = None,
    export_scope: str | None = None,
    clear_devices: bool = False,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    **options: Any,
) -> Any:
    """The MetaGraphDef of a graph (the default one), written to `filename` if there is one.

    raises  RuntimeError while eager execution is declared on, unless `graph_def` and `graph` are both given
    """
    if _context.executing_eagerly() and not (graph_def is not None and graph is not None):
        raise RuntimeError(_NOT_EAGER)
    return _export(
        filename,
        meta_info_def=meta_info_def,
        graph_def=graph_def,
        saver_def=saver_def,
        collection_list=collection_list,
        as_text=as_text,
        graph=graph or _context.get_default_graph(),
        export_scope=export_scope,
        clear_devices=clear_devices,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
        save_debug_info=save_debug_info,
        **options,
    )


def update_checkpoint_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    latest_filename: str | None = None,
    all_model_checkpoint_timestamps: Sequence[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """Replace the state file of a folder."""
    _update_checkpoint_state(
        save_dir,
        model_checkpoint_path,
        all_model_checkpoint_paths,
        latest_filename,
        all_model_checkpoint_timestamps,
        last_preserved_timestamp,
    )


def init_from_checkpoint(ckpt_dir_or_file: Any, assignment_map: Any) -> None:
    """Let variables of the default graph start from the values in a checkpoint; see `regraft.saver.init_from`."""
    _init_from_checkpoint(_context.get_default_graph(), ckpt_dir_or_file, assignment_map)


def warm_start(
    ckpt_to_initialize_from: Any,
    vars_to_warm_start: Any = ".*",
    var_name_to_vocab_info: Any = None,
    var_name_to_prev_var_name: Any = None,
) -> None:
    """Let variables of the default graph start from the values in a checkpoint; see `regraft.saver.warm_start`."""
    from regraft.saver.warm_start import warm_start

    graph = _context.get_default_graph()
    warm_start(graph, ckpt_to_initialize_from, vars_to_warm_start, var_name_to_vocab_info, var_name_to_prev_var_name)


def _get_saver_or_default() -> Saver:
    """The Saver of the default graph's collection, or a new one for all variables, put there.

    raises  RuntimeError if there are several
    """
    graph = _context.get_default_graph()
    found = graph.get_collection(GraphKeys.SAVERS)
    if len(found) > 1:
        raise RuntimeError(
            f"More than one item in collection {GraphKeys.SAVERS}. Please indicate which one to use by passing it to "
            "the constructor."
        )
    if not found:
        found = [Saver(sharded=True, allow_empty=True)]
        graph.add_to_collection(GraphKeys.SAVERS, found[0])
    saver: Saver = found[0]
    return saver
