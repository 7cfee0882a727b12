"""tf.train.Scaffold: the ops and the saver that a monitored session needs, found in the graph or added to it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Operation
from regraft.v1 import _context
from regraft.v1._array import concat
from regraft.v1._resources import (
    initialize_resources,
    local_resources,
    report_uninitialized_resources,
    shared_resources,
)
from regraft.v1._saver import _get_saver_or_default
from regraft.v1._variables import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)
from regraft.v1.summary import merge_all

_log = logging.getLogger("regraft")


def _default_init_op() -> Operation:
    return _context.builder().group(
        global_variables_initializer(),
        initialize_resources(shared_resources()),
        _context.get_default_graph().get_collection("saved_model_initializers"),
    )


def _default_ready_op() -> Any:
    return concat([report_uninitialized_variables(), report_uninitialized_resources()], 0)


def _default_ready_for_local_init_op() -> Any:
    return concat(
        [report_uninitialized_variables(global_variables()), report_uninitialized_resources(shared_resources())], 0
    )


class Scaffold:
    """What makes a graph runnable. What is None is found in the graph's collections by `finalize`, or made there.

    init_op                  initializes the model, fed with `init_feed_dict`
    init_fn                  called then, with the scaffold and the session
    ready_op                 gives the names of what is not initialized
    ready_for_local_init_op  the same, before `local_init_op` runs (fed with `local_init_feed_dict`)
    summary_op               what a SummarySaverHook runs
    saver                    what restores and saves
    copy_from_scaffold       where to take from what is None. TypeError if it is no Scaffold
    """

    def __init__(
        self,
        init_op: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[[Any, Any], Any] | None = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        local_init_op: Any = None,
        summary_op: Any = None,
        saver: Any = None,
        copy_from_scaffold: Scaffold | None = None,
        local_init_feed_dict: Any = None,
    ) -> None:
        given: dict[str, Any] = {
            "init_op": init_op,
            "init_feed_dict": init_feed_dict,
            "user_init_fn": init_fn,
            "ready_op": ready_op,
            "ready_for_local_init_op": ready_for_local_init_op,
            "local_init_op": local_init_op,
            "local_init_feed_dict": local_init_feed_dict,
            "summary_op": summary_op,
            "saver": saver,
        }
        if copy_from_scaffold is not None and not isinstance(copy_from_scaffold, Scaffold):
            raise TypeError("copy_from_scaffold is not a Scaffold instance.")
        for name, value in given.items():
            if value is None and copy_from_scaffold is not None:
                value = getattr(copy_from_scaffold, f"_{name}")
            setattr(self, f"_{name}", value)

    _init_op: Any
    _init_feed_dict: Any
    _user_init_fn: Any
    _ready_op: Any
    _ready_for_local_init_op: Any
    _local_init_op: Any
    _local_init_feed_dict: Any
    _summary_op: Any
    _saver: Any

    def finalize(self) -> Scaffold:
        """Find or make what is missing, build the saver, and finalize the default graph."""
        if self._init_op is None:
            self._init_op = self.get_or_default("init_op", GraphKeys.INIT_OP, _default_init_op)
        if self._ready_op is None:
            self._ready_op = self.get_or_default("ready_op", GraphKeys.READY_OP, _default_ready_op)
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = self.get_or_default(
                "ready_for_local_init_op", GraphKeys.READY_FOR_LOCAL_INIT_OP, _default_ready_for_local_init_op
            )
        if self._local_init_op is None:
            self._local_init_op = self.get_or_default(
                "local_init_op", GraphKeys.LOCAL_INIT_OP, self.default_local_init_op
            )
        if self._summary_op is None:
            self._summary_op = self.get_or_default("summary_op", GraphKeys.SUMMARY_OP, merge_all)
        if self._saver is None:
            self._saver = _get_saver_or_default()
        self._saver.build()
        _context.get_default_graph().finalize()
        _log.info("Graph was finalized.")
        return self

    @property
    def init_fn(self) -> Callable[[Any], Any] | None:
        """A function of a session that initializes the model, or None."""
        function = self._user_init_fn
        return None if not function else lambda session: function(self, session)

    @property
    def init_op(self) -> Any:
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        return self._init_feed_dict

    @property
    def ready_op(self) -> Any:
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        return self._ready_for_local_init_op

    @property
    def local_init_op(self) -> Any:
        return self._local_init_op

    @property
    def local_init_feed_dict(self) -> Any:
        return self._local_init_feed_dict

    @property
    def summary_op(self) -> Any:
        return self._summary_op

    @property
    def saver(self) -> Any:
        return self._saver

    @staticmethod
    def get_or_default(arg_name: str, collection_key: str, default_constructor: Callable[[], Any]) -> Any:
        """The item of a collection, else what `default_constructor()` makes, put there. RuntimeError for several."""
        graph = _context.get_default_graph()
        found = graph.get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(
                f'More than one item in the collection "{collection_key}". Please indicate which one to use by passing '
                f"it to the tf.Scaffold constructor as:  tf.Scaffold({arg_name}=item to use)"
            )
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            graph.add_to_collection(collection_key, made)
        return made

    @staticmethod
    def default_local_init_op() -> Operation:
        """An operation that initializes local variables, tables and local resources."""
        return _context.builder().group(
            local_variables_initializer(), tables_initializer(), initialize_resources(local_resources())
        )
