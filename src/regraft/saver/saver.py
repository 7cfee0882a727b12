"""Saver: saves and restores variables, keeps the newest checkpoints, and writes the graph beside them."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft import proto
from regraft.base.errors import InvalidArgumentError, NotFoundError
from regraft.base.names import in_scope, prepend_scope, strip_scope
from regraft.checkpoint import files, open_checkpoint
from regraft.checkpoint.management import checkpoint_exists, meta_graph_filename
from regraft.checkpoint.state import DEFAULT_NAME, update_checkpoint_state
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.metagraph import export_meta_graph, write_debug_info
from regraft.metagraph import write_meta_graph as write_meta_graph_file
from regraft.saver import restore as restoring
from regraft.saver.build import V2, BulkSaverBuilder
from regraft.saver.object_based import object_graph_keys
from regraft.saver.plan import RestorePlan, Wanted, plan_restore
from regraft.saver.retention import Retention
from regraft.saver.saveables import graph_of
from regraft.session import Session

_log = logging.getLogger("regraft")
_ONE_OF_ITS_FILES = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
_NAMES = ("filename_tensor_name", "save_tensor_name", "restore_op_name")


class Saver:
    """Saves and restores the variables of one graph. Arguments and behaviour are TensorFlow's.

    graph                 whose variables are saved where `var_list` is None (below `regraft.v1` there is no default)
    var_list              a list of variables, or a dict from keys in the checkpoint to variables; None for all
    reshape               bring restored values into the shapes of the variables
    sharded               write a file for each device
    max_to_keep           how many checkpoints are kept; None or 0 for all
    keep_checkpoint_every_n_hours  keep one more each time so much has passed
    name                  the name scope of the added nodes; with `saver_def`, the scope that its names lie in
    restore_sequentially  for builders that look at it; ours do not
    saver_def             use the nodes that it names, and what it says of retention and format
    builder               a BaseSaverBuilder that adds the nodes
    defer_build           add no nodes before `build`
    allow_empty           accept that there is nothing to save
    write_version         1 or 2, the format; both are read
    pad_step_number       write steps with eight digits
    save_relative_paths   write paths in the state file so that the folder can be moved
    filename              the path that the nodes use when none is fed

    raises  ValueError, TypeError for what cannot be saved, and for arguments that contradict each other
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
        self._graph = graph_of(var_list) or graph
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
        self._kept = Retention()
        self._plan: tuple[Graph, int, RestorePlan | None] | None = None
        self.saver_def: Any = _checked_def(saver_def)
        if not defer_build:
            self.build()
        if self.saver_def is not None:
            self._write_version = self.saver_def.version

    # Building

    def build(self) -> None:
        """Add the sub-graph; for a Saver made with `defer_build`. Nothing happens the second time."""
        if self._is_built:
            return
        self._is_built = True
        if self.saver_def is None:
            self._is_empty = self._build_nodes()
            if self._is_empty:
                return
        elif self._name:
            for field in _NAMES:
                setattr(self.saver_def, field, prepend_scope(getattr(self.saver_def, field), self._name))
        self._kept.start(self.saver_def, time.time())

    def _build_nodes(self) -> bool:
        """Add the sub-graph; True if there is nothing to save."""
        if self._var_list is None:
            self._var_list = saveable_variables(self._graph)
        if isinstance(self._var_list, (list, tuple, set, dict)) and not self._var_list:
            if not self._allow_empty:
                raise ValueError("No variables to save")
            return True
        builder = self._builder or BulkSaverBuilder(self._write_version)
        self.saver_def = _checked_def(
            builder.build(
                self._var_list,
                reshape=self._reshape,
                sharded=self._sharded,
                max_to_keep=self._max_to_keep,
                keep_checkpoint_every_n_hours=self._keep_checkpoint_every_n_hours,
                name=self._name,
                restore_sequentially=self._restore_sequentially,
                filename=self._filename or "model",
            )
        )
        return False

    def as_saver_def(self) -> Any:
        """The SaverDef itself; None before `build` and where there is nothing to save."""
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The SaverDef, its names without the scope; None when they lie outside it."""
        if export_scope is None:
            return self.saver_def
        if not all(in_scope(getattr(self.saver_def, field), export_scope) for field in _NAMES):
            return None
        copy = proto.SaverDef()
        copy.CopyFrom(self.saver_def)
        for field in _NAMES:
            setattr(copy, field, strip_scope(getattr(copy, field), export_scope))
        return copy

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None, *, graph: Graph) -> Saver:
        """A Saver over the ops of `graph` that a SaverDef names, under `import_scope`."""
        return Saver(graph, saver_def=saver_def, name=import_scope)

    # Checkpoints that are kept

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that are kept, oldest first."""
        return self._kept.paths()

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Replace the list by paths without times: each counts as written after all that has a time, and is kept."""
        assert isinstance(last_checkpoints, list)
        self._kept.window = [(path, float("inf")) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list[tuple[str, float]]) -> None:
        """Replace the list by paths with the times of their writing, in seconds since 1970."""
        assert isinstance(last_checkpoints_with_time, list)
        self._kept.window = list(last_checkpoints_with_time)

    def recover_last_checkpoints(self, checkpoint_paths: Sequence[str]) -> None:
        """Take up the list of an earlier Saver: those of the paths whose files exist, with their times."""
        self._kept.recover(checkpoint_paths)

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

        save_path    the prefix of the files. A folder that does not exist is made, if the one above it exists
        global_step  an int, or a tensor or variable of one (or its name): its value goes behind the prefix
        raises       ValueError when the folder cannot be made or names collide; FailedPreconditionError naming a
                     variable without a value. Nothing of an earlier checkpoint is lost then
        """
        if not self._is_built:
            raise RuntimeError("`build()` should be called before save if defer_build==True")
        latest_filename = latest_filename or DEFAULT_NAME
        if self._write_version != V2:
            _log.warning("Saving in the V1 checkpoint format, which is deprecated; write_version=2 is the default.")
        if os.path.split(latest_filename)[0]:
            raise ValueError(f"'latest_filename' must not contain path components: {latest_filename!r}")
        save_path = os.fsdecode(save_path)
        checkpoint_file = save_path
        if global_step is not None:
            step = _step(sess, global_step)
            checkpoint_file = f"{save_path}-{step:08d}" if self._pad_step_number else f"{save_path}-{step}"
        elif os.path.basename(save_path) == latest_filename and not self._sharded:
            raise ValueError(f"'latest_filename' collides with 'save_path': {latest_filename!r} and {save_path!r}")
        if not isinstance(sess, Session):
            raise TypeError(f"'sess' must be a Session; {sess}")
        path = None if self._is_empty else self._write(sess, save_path, checkpoint_file)
        if path is not None and write_state:
            self._put_state(path, latest_filename, meta_graph_suffix)
        if write_meta_graph:
            meta = meta_graph_filename(checkpoint_file, meta_graph_suffix)
            write_meta_graph_file(meta, sess.graph, self.saver_def, strip_default_attrs)
            if save_debug_info:
                write_debug_info(sess.graph, meta)
        return path

    def _write(self, sess: Session, save_path: str, checkpoint_file: str) -> str:
        try:
            path = sess.run(self.saver_def.save_tensor_name, {self.saver_def.filename_tensor_name: checkpoint_file})
        except NotFoundError as e:
            folder = os.path.dirname(save_path)
            if folder and not files.is_folder(folder):
                raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.") from e
            raise
        return os.fsdecode(path)

    def _put_state(self, path: str, latest_filename: str, meta_graph_suffix: str) -> None:
        self._kept.record(path, self.saver_def, time.time())
        update_checkpoint_state(
            os.path.dirname(path),
            path,
            all_model_checkpoint_paths=self._kept.listed(path, latest_filename),
            latest_filename=latest_filename,
            save_relative_paths=self._save_relative_paths,
        )
        self._kept.delete_one(self.saver_def, meta_graph_suffix)

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
        return export_meta_graph(
            filename,
            graph=self._graph_to_export(),
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
            save_debug_info=save_debug_info,
        )

    def _graph_to_export(self) -> Graph:
        return self._graph

    # Restoring

    def restore(self, sess: Any, save_path: Any, *, partial: bool = False) -> list[str]:
        """Restore the variables from a checkpoint of either format, straight into the session.

        partial  restore what fits and leave the rest as it is, instead of refusing
        returns  the keys that were not restored; [] unless `partial`
        raises   ValueError when there is no checkpoint; NotFoundError, InvalidArgumentError listing at once every key
                 that is missing or does not fit; DataLossError for damaged files. No variable has changed then
        differs  TensorFlow gives a resource variable a value of another shape without a word
        """
        if self._is_empty:
            return []
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        if not self._is_built:
            raise RuntimeError("`build()` should be called before restore if defer_build==True")
        path = os.fsdecode(save_path)
        _check_exists(path)
        if not isinstance(sess, Session):
            raise TypeError(f"'sess' must be a Session; {sess}")
        if sess.closed:
            raise RuntimeError("Attempted to use a closed Session.")
        _log.info("Restoring parameters from %s", path)
        plan = self._restore_plan(sess.graph)
        left = self._run_restore(sess, path) if plan is None else _restore(sess, plan, path, partial)
        self._kept.resume(path)
        return left

    def _restore_plan(self, graph: Graph) -> RestorePlan | None:
        known = self._plan
        if known is None or known[0] is not graph or known[1] != graph.version:
            try:
                plan = plan_restore(graph, self.saver_def)
            except KeyError as e:
                raise ValueError(f"The Saver's nodes are not in the session's graph: {e.args[0]}") from e
            self._plan = known = (graph, graph.version, plan)
        return known[2]

    def _run_restore(self, sess: Session, path: str) -> list[str]:
        try:
            sess.run(self.saver_def.restore_op_name, {self.saver_def.filename_tensor_name: path})
        except (NotFoundError, InvalidArgumentError) as e:
            raise restoring.failure(e) from e
        return []


def _restore(sess: Session, plan: RestorePlan, path: str, partial: bool) -> list[str]:
    with open_checkpoint(path) as reader:
        keys: dict[str, str] = {}
        found = restoring.compare(plan, reader, keys)
        if found.missing:
            keys = object_graph_keys(reader)
            if keys:
                found = restoring.compare(plan, reader, keys)
                _log.warning(
                    "%s is an object-based checkpoint, which tf.train.Checkpoint wrote. Variables are found in it by "
                    "the names that they had then",
                    path,
                )
        if not partial:
            restoring.raise_misfits(found, reader, keys)
        targets = [t for t in plan.targets if t.wanted not in found.wanted]
        fed = [(tensor, wanted) for tensor, wanted in plan.feeds if wanted not in found.wanted]
        arrays = restoring.read([*(t.wanted for t in targets), *(wanted for _, wanted in fed)], reader, keys)
    feeds = {tensor: arrays[wanted] for tensor, wanted in fed}
    given: set[Wanted] = set()
    with sess.state.lock:
        for target in targets:
            array = arrays[target.wanted]
            if target.wanted in given:
                array = array.copy()  # variables of one key do not share memory
            given.add(target.wanted)
            if target.reshape:
                array = array.reshape(target.shape.as_list())
            sess.variables.assign(target.variable, array)
    if plan.operations and len(fed) == len(plan.feeds):
        sess.run(list(plan.operations), feeds)
    return sorted({wanted.key for wanted in found.wanted})


def _check_exists(path: str) -> None:
    """ValueError where there is no checkpoint, and for the path of one of the files of one."""
    prefix = _ONE_OF_ITS_FILES.sub("", path)
    hint = ""
    if prefix != path and files.exists(f"{prefix}.index") and not files.exists(f"{path}.index"):
        hint = f". It is one of the files of a checkpoint: give its prefix, {prefix}"
    if hint or not checkpoint_exists(path):
        raise ValueError(f"The passed save_path is not a valid checkpoint: {path}{hint}")


def _step(sess: Any, global_step: Any) -> int:
    """The number of a step that is given as such, or as a tensor or its name."""
    if not isinstance(global_step, (int, np.integer)):
        global_step = np.asarray(sess.run(global_step)).item()
    return int(global_step)


def _checked_def(saver_def: Any) -> Any:
    """The SaverDef as ours, or None. ValueError for what is none, and for one that lacks the names of its nodes."""
    if saver_def is None:
        return None
    try:
        checked = proto.as_ours(saver_def, proto.SaverDef)
    except TypeError as e:
        raise ValueError(f"saver_def must be a saver_pb2.SaverDef: {saver_def}") from e
    for field in ("save_tensor_name", "restore_op_name"):
        if not getattr(checked, field):
            raise ValueError(f"saver_def must specify the {field}: {saver_def}")
    return checked


def saveable_variables(graph: Graph, scope: str | None = None) -> list[Any]:
    """What a Saver saves by default: all global variables and registered saveable objects.

    scope  a regular expression that their names must match from the start on
    """
    return graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope) + graph.get_collection(
        GraphKeys.SAVEABLE_OBJECTS, scope
    )
