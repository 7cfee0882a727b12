"""How the items of a collection become protos and come back: by functions that are registered for its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regraft import proto
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import GraphKeys
from regraft.variables import variable_from_proto


@dataclass(frozen=True)
class ProtoFunctions:
    """What is registered for a collection.

    proto_type   message class of an item
    to_proto     (item, export_scope=...) -> message, or None for an item outside the scope
    from_proto   (message, import_scope=...) -> item; with `graph=...` too where `takes_graph`
    registered   "FUNCTION FILE:LINE" of the registration
    """

    proto_type: Any = None
    to_proto: Callable[..., Any] | None = None
    from_proto: Callable[..., Any] | None = None
    takes_graph: bool = False
    registered: str = ""


_registry: dict[str, ProtoFunctions] = {}


def register_proto_function(
    collection_name: str,
    proto_type: Any = None,
    to_proto: Callable[..., Any] | None = None,
    from_proto: Callable[..., Any] | None = None,
    *,
    takes_graph: bool = False,
    registered: str = "",
) -> None:
    """Register how a collection's items are written into MetaGraphs and read back.

    takes_graph  `from_proto` is called with the graph as well, as `graph=`
    registered   where the call stands, for the error of a second one
    raises       TypeError if a function is none; KeyError if the collection has functions already
    """
    if to_proto is not None and not callable(to_proto):
        raise TypeError("to_proto must be callable.")
    if from_proto is not None and not callable(from_proto):
        raise TypeError("from_proto must be callable.")
    known = _registry.get(collection_name)
    if known is not None:
        raise KeyError(
            f"Registering two proto functions with name {collection_name!r}! (Previous registration was in "
            f"{known.registered})"
        )
    _registry[collection_name] = ProtoFunctions(proto_type, to_proto, from_proto, takes_graph, registered)


def proto_functions(collection_name: Any) -> ProtoFunctions:
    """What is registered for a collection; an entry of Nones where nothing is."""
    return _registry.get(collection_name, _NOTHING)


def get_collection_proto_type(collection_name: str) -> Any:
    """The message class that is registered for a collection, or None."""
    return proto_functions(collection_name).proto_type


def get_to_proto_function(collection_name: str) -> Callable[..., Any] | None:
    return proto_functions(collection_name).to_proto


def get_from_proto_function(collection_name: str) -> Callable[..., Any] | None:
    return proto_functions(collection_name).from_proto


_NOTHING = ProtoFunctions()


def _variable_to_proto(variable: Any, export_scope: str | None = None) -> Any:
    return variable.to_proto(export_scope=export_scope)


def collected_variable(message: Any, import_scope: str | None = None, *, graph: Graph) -> Any:
    return variable_from_proto(graph, message, import_scope)


for _name in (
    GraphKeys.GLOBAL_VARIABLES,
    GraphKeys.TRAINABLE_VARIABLES,
    GraphKeys.MOVING_AVERAGE_VARIABLES,
    GraphKeys.LOCAL_VARIABLES,
    GraphKeys.MODEL_VARIABLES,
    GraphKeys.GLOBAL_STEP,
    GraphKeys.METRIC_VARIABLES,
):
    register_proto_function(
        _name,
        proto.VariableDef,
        _variable_to_proto,
        collected_variable,
        takes_graph=True,
        registered="regraft.metagraph.collections",
    )
