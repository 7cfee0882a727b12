"""Saver: saves and restores variables, keeps the newest checkpoints, and writes the graph beside them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regraft import proto
from regraft.base.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, OpError
from regraft.checkpoint import CheckpointReader, open_checkpoint
from regraft.checkpoint.management import (
    checkpoint_exists,
    get_checkpoint_mtimes,
    meta_graph_filename,
    remove_checkpoint,
)
from regraft.checkpoint.state import get_checkpoint_state, state_path, update_checkpoint_state
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.saver import direct
from regraft.saver.build import V1, V2, BulkSaverBuilder
from regraft.saver.object_based import object_graph_keys
from regraft.session import Session
from regraft.variables import Variable

_log = logging.getLogger("regraft")


class Saver:
    """Saves and restores the variables of one graph. Arguments and behaviour are TensorFlow's.

    graph    the graph to add the sub-graph to (Regraft has no default graph below `regraft.v1`)
    eager    whether eager execution is declared on
    raises   ValueError without variables (unless `allow_empty`), and for arguments that contradict each other
    """

    def __init__(
        self,
        graph: Graph,
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
        if defer_build and var_list:
            raise ValueError(
                "If `var_list` is provided then build cannot be deferred. "
                "Either set defer_build=False or var_list=None."
            )
        self._graph = graph
        self._var_list = var_list
        self._reshape = reshape
        self._sharded = sharded
        self._max_to_keep = max_to_keep
        self._keep_checkpoint_every_n_hours = keep_checkpoint_every_n_hours
        self._name = name
        self._restore_sequentially = restore_sequentially
        self._builder = builder
        self._is_built = False
        self._allow_empty = allow_empty
        self._is_empty = False
        self._write_version = write_version
        self._pad_step_number = pad_step_number
        self._save_relative_paths = save_relative_paths
        self._filename = filename
        self._last_checkpoints: list[tuple[str, float]] = []
        self._to_be_deleted: list[tuple[str, float]] = []
        self._next_checkpoint_time = 0.0
        self._plan: tuple[int, list[direct.Item] | None] | None = None
        self._found_before: dict[str, list[str]] = {}
        self.saver_def: Any = _checked_def(saver_def)
        if not defer_build:
            self.build()
        if self.saver_def is not None:
            self._check_saver_def()
            self._write_version = self.saver_def.version

    # Building

    def build(self) -> None:
        """Add the sub-graph; for a Saver made with `defer_build`."""
        if self._is_built:
            return
        self._is_built = True
        if self.saver_def is None or self._builder is not None:
            if self._builder is None:
                self._builder = BulkSaverBuilder(self._write_version)
            if self._var_list is None:
                self._var_list = saveable_variables(self._graph)
            if not self._var_list:
                if not self._allow_empty:
                    raise ValueError("No variables to save")
                self._is_empty = True
                return
            self._is_empty = False
            self.saver_def = self._builder.build(
                self._graph,
                self._var_list,
                reshape=self._reshape,
                sharded=self._sharded,
                max_to_keep=self._max_to_keep or 0,
                keep_checkpoint_every_n_hours=self._keep_checkpoint_every_n_hours,
                name=self._name,
                restore_sequentially=self._restore_sequentially,
                filename=self._filename or "model",
            )
        elif self._name:
            from regraft.base.names import prepend_scope

            d = self.saver_def
            d.filename_tensor_name = prepend_scope(d.filename_tensor_name, self._name)
            d.save_tensor_name = prepend_scope(d.save_tensor_name, self._name)
            d.restore_op_name = prepend_scope(d.restore_op_name, self._name)
        self._check_saver_def()
        self._next_checkpoint_time = time.time() + self.saver_def.keep_checkpoint_every_n_hours * 3600

    def _check_saver_def(self) -> None:
        if not self.saver_def.save_tensor_name:
            raise ValueError(f"saver_def must specify the save_tensor_name: {self.saver_def}")
        if not self.saver_def.restore_op_name:
            raise ValueError(f"saver_def must specify the restore_op_name: {self.saver_def}")

    def as_saver_def(self) -> Any:
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The SaverDef, its names without the scope; None when they lie outside it."""
        d = self.saver_def
        if export_scope is None:
            return d
        names = (d.filename_tensor_name, d.save_tensor_name, d.restore_op_name)
        if not all(n.startswith(export_scope) for n in names):
            return None
        from regraft.base.names import strip_scope

        copy = proto.SaverDef()
        copy.CopyFrom(d)
        copy.filename_tensor_name, copy.save_tensor_name, copy.restore_op_name = (
            strip_scope(n, export_scope) for n in names
        )
        return copy

    # Checkpoints that are kept

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that are kept, oldest first."""
        return [path for path, _ in self._last_checkpoints]

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Replace the list by names without times; such checkpoints count as new."""
        assert isinstance(last_checkpoints, list)
        self._last_checkpoints = [(path, float("inf")) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list[tuple[str, float]]) -> None:
        assert isinstance(last_checkpoints_with_time, list)
        self._last_checkpoints = last_checkpoints_with_time

    def recover_last_checkpoints(self, checkpoint_paths: Sequence[str]) -> None:
        """Take up the list of an earlier Saver: those of the paths whose files exist, with their times."""
        found = [(path, get_checkpoint_mtimes([path])) for path in checkpoint_paths if checkpoint_exists(path)]
        self.set_last_checkpoints_with_time([(path, times[0]) for path, times in found if times])

    def _record(self, path: str) -> None:
        if not self.saver_def.max_to_keep:
            return
        self._last_checkpoints = [entry for entry in self._last_checkpoints if entry[0] != path]
        self._last_checkpoints.append((path, time.time()))
        if len(self._last_checkpoints) > self.saver_def.max_to_keep:
            self._to_be_deleted.append(self._last_checkpoints.pop(0))

    def _all_checkpoints(self, folder: str, latest_filename: str) -> list[str]:
        """What the state file is to list: those of this Saver, behind those that an earlier process left.

        TensorFlow forgets the latter after a resume. They stay listed as long as they exist, and are never deleted.
        """
        path = os.path.abspath(state_path(folder, latest_filename))
        if path not in self._found_before:
            self._found_before[path] = [] if path in _states_written else _listed(folder, latest_filename)
            _states_written.add(path)
        if not self.saver_def.max_to_keep:
            return []
        own = self.last_checkpoints
        return [p for p in self._found_before[path] if p not in own and checkpoint_exists(p)] + own

    def _delete_old(self, meta_graph_suffix: str) -> None:
        if not self._to_be_deleted:
            return
        path, written = self._to_be_deleted.pop(0)
        if written > self._next_checkpoint_time:
            self._next_checkpoint_time += self.saver_def.keep_checkpoint_every_n_hours * 3600
            return
        try:
            remove_checkpoint(path, self.saver_def.version, meta_graph_suffix)
        except (OSError, OpError) as e:
            _log.warning("Ignoring: %s", e)

    # Saving

    def save(
        self,
        sess: Any,
        save_path: Any,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> str | None:
        """Write a checkpoint, the state file and the .meta; returns the prefix, None if there is nothing to save.

        global_step  an int, or a tensor or variable of one (or its name): its value goes behind the prefix
        raises       ValueError when the folder does not exist or names collide; FailedPreconditionError naming a
                     variable without a value. Nothing of an earlier checkpoint is lost then
        """
        if not self._is_built:
            raise RuntimeError("`build()` should be called before save if defer_build==True")
        latest_filename = latest_filename or "checkpoint"
        if self._write_version != V2:
            _log.warning("Saving in the V1 checkpoint format, which is deprecated; write_version=2 is the default.")
        if os.path.split(latest_filename)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        save_path = os.fspath(save_path)
        if global_step is not None:
            step = self._step(sess, global_step)
            checkpoint_file = f"{save_path}-{step:08d}" if self._pad_step_number else f"{save_path}-{step}"
        else:
            checkpoint_file = save_path
            if os.path.basename(save_path) == latest_filename and not self._sharded:
                raise ValueError(f"'latest_filename' collides with 'save_path': {latest_filename!r} and {save_path!r}")
        if not isinstance(sess, Session):
            raise TypeError(f"'sess' must be a Session; {sess}")
        model_path = None if self._is_empty else self._write(sess, checkpoint_file, save_path)
        if model_path is not None and write_state:
            self._record(model_path)
            update_checkpoint_state(
                os.path.dirname(save_path),
                model_path,
                all_model_checkpoint_paths=self._all_checkpoints(os.path.dirname(save_path), latest_filename),
                latest_filename=latest_filename,
                save_relative_paths=self._save_relative_paths,
            )
            self._delete_old(meta_graph_suffix)
        if write_meta_graph:
            self._export(sess.graph, meta_graph_filename(checkpoint_file, meta_graph_suffix), strip_default_attrs)
        return model_path

    def _write(self, sess: Any, checkpoint_file: str, save_path: str) -> str:
        folder = os.path.dirname(save_path)
        try:
            path = sess.run(self.saver_def.save_tensor_name, {self.saver_def.filename_tensor_name: checkpoint_file})
        except (NotFoundError, FailedPreconditionError) as e:
            if folder and "://" not in folder and not os.path.isdir(folder):
                raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.") from e
            raise
        return path.decode() if isinstance(path, bytes) else str(path)

    def _step(self, sess: Any, global_step: Any) -> int:
        if isinstance(global_step, (int, np.integer)):
            return int(global_step)
        if isinstance(global_step, str):
            global_step = sess.graph.as_graph_element(global_step, allow_operation=False)
        value = sess.run(global_step._as_graph_element() if isinstance(global_step, Variable) else global_step)
        if not isinstance(value, (int, np.integer)):
            raise TypeError(f"global_step must be an integer, got {value!r}")
        return int(value)

    def _export(self, graph: Graph, path: str, strip_default_attrs: bool) -> None:
        from regraft.metagraph import write_meta_graph

        write_meta_graph(path, graph, self.saver_def, strip_default_attrs)

    def export_meta_graph(
        self,
        filename: str | None = None,
        collection_list: Any = None,
        as_text: bool = False,
        export_scope: str | None = None,
        clear_devices: bool = False,
        clear_extraneous_savers: bool = False,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> Any:
        """The MetaGraphDef of the graph with this saver, written to `filename` if there is one."""
        from regraft.metagraph import export_meta_graph

        return export_meta_graph(
            filename,
            graph=self._graph,
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
        )

    # Restoring

    def restore(self, sess: Any, save_path: Any, *, partial: bool = False) -> list[str]:
        """Restore the variables from a checkpoint, straight into the session.

        partial  restore what fits and leave the rest as it is, instead of refusing
        returns  what did not fit: the keys that are missing or of another shape or dtype; [] as a rule
        raises   ValueError when there is no checkpoint; NotFoundError, InvalidArgumentError listing at once every key
                 that is missing or does not fit (no variable has changed then); DataLossError for damaged files
        """
        if self._is_empty:
            return []
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        path = os.fspath(save_path)
        if not checkpoint_exists(path):
            raise ValueError(f"The passed save_path is not a valid checkpoint: {path}")
        _log.info("Restoring parameters from %s", path)
        items = self._restore_plan(sess.graph)
        if items is None:
            self._run_restore(sess, path)
            return []
        with open_checkpoint(path) as reader:
            keys: Mapping[str, str] = {}
            found = direct.problems(items, reader, keys)
            if found.missing:
                keys = object_graph_keys(reader) or {}
                if keys:
                    found = self._object_based(items, reader, keys)
            if not partial:
                direct.raise_problems(found, reader, path)
            bad = set(found.bad)
            with sess.state.lock:
                direct.read([item for item in items if item not in bad], reader, keys, sess.variables)
        return [item.key for item in found.bad]

    def _object_based(
        self, items: list[direct.Item], reader: CheckpointReader, keys: Mapping[str, str]
    ) -> direct.Problems:
        found = direct.problems(items, reader, keys)
        if not found.missing:
            _log.warning(
                "Restoring an object-based checkpoint by the names of its variables. tf.train.Checkpoint wrote it; "
                "names are unique only as far as its program kept them so."
            )
        return found

    def _restore_plan(self, graph: Graph) -> list[direct.Item] | None:
        if self._plan is None or self._plan[0] != graph.version:
            self._plan = (graph.version, direct.plan_restore(graph, self.saver_def))
        return self._plan[1]

    def _run_restore(self, sess: Any, path: str) -> None:
        advice = (
            "Please ensure that you have not altered the graph expected based on the checkpoint. Original error:\n\n"
        )
        try:
            sess.run(self.saver_def.restore_op_name, {self.saver_def.filename_tensor_name: path})
        except NotFoundError as e:
            raise NotFoundError(
                "Restoring from checkpoint failed. This is most likely due to a Variable name or other graph key that "
                f"is missing from the checkpoint. {advice}{e.message}"
            ) from e
        except InvalidArgumentError as e:
            raise InvalidArgumentError(
                "Restoring from checkpoint failed. This is most likely due to a mismatch between the current graph and "
                f"the graph from the checkpoint. {advice}{e.message}"
            ) from e

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None, graph: Graph | None = None) -> Saver:
        """A Saver over the ops that a SaverDef names, under `import_scope`."""
        if graph is None:
            raise ValueError("from_proto needs the graph that the SaverDef is about")
        return Saver(graph, saver_def=saver_def, name=import_scope)


# State files that this process wrote: what they list, one of its Savers has put there.
_states_written: set[str] = set()


def _listed(folder: str, latest_filename: str) -> list[str]:
    try:
        state = get_checkpoint_state(folder, latest_filename)
    except ValueError:
        return []
    return [] if state is None else list(state.all_model_checkpoint_paths)


def _checked_def(saver_def: Any) -> Any:
    if saver_def is None:
        return None
    try:
        return proto.as_ours(saver_def, proto.SaverDef)
    except TypeError as e:
        raise ValueError(f"saver_def must be a saver_pb2.SaverDef: {saver_def}") from e


def saveable_variables(graph: Graph, scope: str | None = None) -> list[Any]:
    """What a Saver saves by default: all global variables and registered saveable objects."""
    return graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope) + graph.get_collection(
        GraphKeys.SAVEABLE_OBJECTS, scope
    )


__all__ = ["V1", "V2", "Saver", "saveable_variables"]
