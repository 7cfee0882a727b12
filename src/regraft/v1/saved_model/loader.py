"""tf.saved_model.loader: a SavedModel into a session."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from typing import Any

from regraft import proto
from regraft.base.names import prepend_scope
from regraft.checkpoint import files
from regraft.ir.graph import Graph
from regraft.metagraph.meta_file import read_proto_file
from regraft.saver.saver import saveable_variables
from regraft.v1 import _context
from regraft.v1._saver import import_with_elements
from regraft.v1.saved_model import constants

__all__ = ["SavedModelLoader", "load", "maybe_saved_model_directory", "parse_saved_model"]

_log = logging.getLogger("regraft")


def maybe_saved_model_directory(export_dir: Any) -> bool:
    """Whether a folder has the file of a SavedModel, binary or text."""
    return _file(export_dir) is not None


def _file(export_dir: Any) -> str | None:
    for name in (constants.SAVED_MODEL_FILENAME_PB, constants.SAVED_MODEL_FILENAME_PBTXT):
        path = os.path.join(files.as_text(export_dir), name)
        if files.exists(path):
            return path
    return None


def parse_saved_model(export_dir: Any) -> Any:
    """The SavedModel message of a folder. OSError where there is none, or the file is none."""
    path = _file(export_dir)
    if path is None:
        raise OSError(
            f"SavedModel file does not exist at: {files.as_text(export_dir)}/"
            f"{{{constants.SAVED_MODEL_FILENAME_PBTXT}|{constants.SAVED_MODEL_FILENAME_PB}}}"
        )
    return read_proto_file(path, proto.SavedModel)


def load(
    sess: Any, tags: Collection[str], export_dir: Any, import_scope: str | None = None, **saver_kwargs: Any
) -> Any:
    """Add the graph with exactly these tags to the session's graph, restore its variables, and run its init op.

    import_scope  a name scope to import into
    saver_kwargs  arguments of `import_meta_graph`: `clear_devices`, `input_map`, `return_elements`, ...
    returns       the MetaGraphDef, its names without the scope
    raises        OSError for a folder without a SavedModel; RuntimeError listing the tags that there are
    """
    return SavedModelLoader(export_dir).load(sess, tags, import_scope, **saver_kwargs)


class SavedModelLoader:
    """Loads the graphs of one SavedModel, in steps."""

    def __init__(self, export_dir: Any) -> None:
        self._export_dir = files.as_text(export_dir)
        self._saved_model = parse_saved_model(export_dir)

    @property
    def export_dir(self) -> str:
        return self._export_dir

    @property
    def saved_model(self) -> Any:
        """The SavedModel message."""
        return self._saved_model

    @property
    def variables_path(self) -> str:
        """The prefix of the checkpoint."""
        return os.path.join(self._export_dir, constants.VARIABLES_DIRECTORY, constants.VARIABLES_FILENAME)

    def get_meta_graph_def_from_tags(self, tags: Collection[str]) -> Any:
        """The MetaGraphDef with exactly these tags. RuntimeError where there is none."""
        wanted = {tags} if isinstance(tags, str) else set(tags)
        there = [set(graph.meta_info_def.tags) for graph in self._saved_model.meta_graphs]
        if wanted not in there:
            raise RuntimeError(
                f"MetaGraphDef associated with tags {sorted(wanted)} could not be found in SavedModel, with available "
                f"tags {[sorted(t) for t in there]}"
            )
        return self._saved_model.meta_graphs[there.index(wanted)]

    def load_graph(
        self, graph: Graph, tags: Collection[str], import_scope: str | None = None, **saver_kwargs: Any
    ) -> tuple[Any, Any]:
        """Add nodes and collections to a graph; returns the Saver (None without variables) and elements asked for."""
        # A Saver that is imported into a scope renames its SaverDef in the message: give it its own.
        message = proto.MetaGraphDef()
        message.CopyFrom(self.get_meta_graph_def_from_tags(tags))
        with _context.graph_as_default(graph):
            return import_with_elements(message, import_scope=import_scope, **saver_kwargs)

    def restore_variables(self, sess: Any, saver: Any, import_scope: str | None = None) -> None:
        """Restore the variables. ValueError where there are some, and no saver."""
        if saver is not None:
            with _context.graph_as_default(sess.graph):
                saver.restore(sess, self.variables_path)
        elif saveable_variables(sess.graph, scope=import_scope):
            raise ValueError("the graph has variables, but no tf.train.Saver was given to restore them")
        else:
            _log.info("The specified SavedModel has no variables; no checkpoints were restored.")

    def run_init_ops(self, sess: Any, tags: Collection[str], import_scope: str | None = None) -> None:
        """Run the graph's init op, if it has one, with the paths of its assets as they are here."""
        message = self.get_meta_graph_def_from_tags(tags)
        init_op = _init_op(sess.graph, message, import_scope)
        if init_op is not None:
            sess.run([init_op], _asset_feeds(self._export_dir, message, import_scope))

    def load(self, sess: Any, tags: Collection[str], import_scope: str | None = None, **saver_kwargs: Any) -> Any:
        """See the function `load`."""
        saver, _ = self.load_graph(sess.graph, tags, import_scope, **saver_kwargs)
        self.restore_variables(sess, saver, import_scope)
        self.run_init_ops(sess, tags, import_scope)
        return self.get_meta_graph_def_from_tags(tags)


def _scoped(name: str, import_scope: str | None) -> str:
    return prepend_scope(name, import_scope) if import_scope else name


def _init_op(graph: Graph, message: Any, import_scope: str | None) -> Any:
    """The operation to run after loading: that of the signature for it, the main op, or the legacy one."""
    key = constants.INIT_OP_SIGNATURE_KEY
    if key in message.signature_def:
        return graph.as_graph_element(_scoped(message.signature_def[key].outputs[key].name, import_scope))
    for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
        if key in message.collection_def:
            names = message.collection_def[key].node_list.value
            if len(names) != 1:
                raise RuntimeError(f"Expected exactly one SavedModel init op. Found {len(names)}: {list(names)}.")
            return graph.as_graph_element(_scoped(names[0], import_scope))
    return None


def _asset_feeds(export_dir: str, message: Any, import_scope: str | None) -> dict[str, str]:
    """The paths of the asset files by the names of the tensors that hold them."""
    assets = list(message.asset_file_def)
    if not assets and constants.ASSETS_KEY in message.collection_def:
        packed = message.collection_def[constants.ASSETS_KEY].any_list.value
        assets = [proto.AssetFileDef.FromString(item.value) for item in packed]
    folder = os.path.join(export_dir, constants.ASSETS_DIRECTORY)
    return {_scoped(a.tensor_info.name, import_scope): os.path.join(folder, a.filename) for a in assets}
