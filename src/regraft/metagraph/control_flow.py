"""Contexts of conditionals and loops as the collections `cond_context` and `while_context` keep them."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from regraft import proto
from regraft.base import names
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.metagraph.collections import register_proto_function
from regraft.metagraph.rename import rename
from regraft.opkit.control_context import ControlFlowContext, from_proto

M = TypeVar("M", bound=Any)


class ContextRecord(Generic[M]):
    """What a file says of a branch of a conditional, or of a loop, of which the graph lacks nodes.

    message  CondContextDef or WhileContextDef
    """

    def __init__(self, message: M) -> None:
        self.message = message

    @property
    def name(self) -> str:
        """The name of the context: the scope of its nodes."""
        found: str = self.message.context_name
        return found

    def to_proto(self, export_scope: str | None = None) -> M | None:
        """The message with names below `export_scope`, or None when the context lies elsewhere."""
        scope = export_scope or ""
        if not names.in_scope(self.name, scope):
            return None
        message: M = type(self.message)()
        message.CopyFrom(self.message)
        if scope:
            rename(message, lambda name: names.strip_scope(name, scope))
        return message

    def __repr__(self) -> str:
        return f"<{type(self.message).__name__} {self.name!r}>"


def _from_proto(
    message: Any, import_scope: str | None = None, *, graph: Graph
) -> ControlFlowContext | ContextRecord[Any]:
    """The context itself where all nodes that the message names are there, else what the file says of it."""
    if import_scope:
        rename(message, lambda name: names.prepend_scope(name, import_scope))
        _move_frames(message, graph)
    return from_proto(graph, message) if _complete(message, graph) else ContextRecord(message)


def _complete(message: Any, graph: Graph) -> bool:
    """Whether the graph has every tensor that the context is made of. Unused fields hold the empty name."""
    parts = [message.pivot_name]
    if isinstance(message, proto.WhileContextDef):
        parts += [message.pivot_for_pred_name, message.pivot_for_body_name]
        parts += [*message.loop_exit_names, *message.loop_enter_names]
        if message.maximum_iterations_name:
            parts.append(message.maximum_iterations_name)
    else:
        parts.append(message.pred_name)
    values = message.values_def
    parts += values.external_values.values()
    parts += [name for name in values.values if name not in values.external_values]
    nested = [getattr(n, n.WhichOneof("ctxt") or "cond_ctxt") for n in message.nested_contexts]
    return all(_has(graph, name) for name in parts) and all(_complete(n, graph) for n in nested)


def _has(graph: Graph, name: str) -> bool:
    op, _, index = name.partition(":")
    found = graph.find(op)
    return found is not None and index.isdecimal() and int(index) < len(found.output_types)


def _move_frames(message: Any, graph: Graph) -> None:
    """Call the frames of loops what the loops are called now, so that two copies of a loop in a graph stay apart."""
    if isinstance(message, proto.WhileContextDef):
        # The values of a loop may hold those of loops inside it, which come after and have the last word.
        for name in message.values_def.values:
            enter = graph.find(name.partition(":")[0])
            if enter is not None and enter.type in ("Enter", "RefEnter"):
                graph.set_attr(enter, "frame_name", message.context_name.encode())
    for nested in message.nested_contexts:
        _move_frames(getattr(nested, nested.WhichOneof("ctxt") or "cond_ctxt"), graph)


def _to_proto(record: Any, export_scope: str | None = None) -> Any:
    return record.to_proto(export_scope=export_scope)


for _key, _type in ((GraphKeys.COND_CONTEXT, proto.CondContextDef), (GraphKeys.WHILE_CONTEXT, proto.WhileContextDef)):
    register_proto_function(_key, _type, _to_proto, _from_proto, takes_graph=True, registered=__name__)
