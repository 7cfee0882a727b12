"""`import_meta_graph`: a MetaGraph's nodes, and the collections that name them."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from regraft import proto
from regraft.base import names
from regraft.base.collector import no_collection
from regraft.ir.graph import Graph
from regraft.ir.graph_keys import VARIABLE_COLLECTIONS, GraphKeys
from regraft.metagraph.collections import ProtoFunctions, collected_variable, proto_functions
from regraft.metagraph.import_graph import Elements, Imported, import_nodes
from regraft.metagraph.meta_file import open_meta_graph_file
from regraft.metagraph.rename import rename
from regraft.variables.from_proto import is_complete, variable_from_proto

_log = logging.getLogger("regraft")

_ONCE_NODE_LISTS = (GraphKeys.LOCAL_VARIABLES, GraphKeys.MODEL_VARIABLES)


@dataclass(frozen=True)
class ImportedMetaGraph:
    """What an import of a MetaGraph brought.

    meta_graph  the message; of one that was read from a file, all but the nodes
    scope       put before all names, "" at the root
    variables   the global variables of the graph below the scope, by their name without it, as TensorFlow returns them
    elements    those that were asked for, or None
    """

    meta_graph: proto.MetaGraphDef
    scope: str
    elements: Elements | None
    _graph: Graph
    _names: _Names

    @cached_property
    def variables(self) -> dict[str, Any]:
        pattern = re.escape(self.scope.removesuffix("/") + "/") if self.scope else None
        found = self._graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=pattern)
        return {names.strip_scope(v.name, self.scope): v for v in found}

    def new_name(self, name: str) -> str:
        """The name that a node, tensor (`a:0`) or control input (`^a`) of the file has in the graph."""
        return self._names.of(name)


class _Names:
    """From names in the file to names in the graph."""

    def __init__(self, scope: str, imported: Imported) -> None:
        self.scope = scope
        prefix = imported.naming.prefix
        self._renamed = {k[len(prefix) :]: v[len(prefix) :] for k, v in imported.naming.renames.items()}

    def moved(self, name: str) -> str:
        """The name, still without the scope, where the node had to take another."""
        if not self._renamed:
            return name
        mark = "^" if name.startswith("^") else "loc:@" if name.startswith("loc:@") else ""
        node, colon, index = name[len(mark) :].partition(":")
        return f"{mark}{self._renamed.get(node, node)}{colon}{index}"

    def of(self, name: str) -> str:
        return names.prepend_scope(self.moved(name), self.scope)

    def move_all(self, message: Any) -> None:
        """Rename the nodes that the text fields of a message name. What is named for checkpoints stays."""
        if self._renamed:
            rename(message, self.moved)


def import_meta_graph(
    graph: Graph,
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    input_map: Mapping[Any, Any] | None = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
    return_elements: Sequence[Any] | None = None,
) -> ImportedMetaGraph:
    """Add the nodes and collections of a MetaGraph to the graph, in its current scopes.

    meta_graph_or_file             a MetaGraphDef (ours or TensorFlow's; it is not changed) or the path of a file
    clear_devices                  take no device from the nodes
    import_scope                   name scope to import into, made unique
    input_map                      see `import_graph_def`
    unbound_inputs_col_name        the collection that lists inputs which `input_map` must give; None asks for none
    restore_collections_predicate  which collections to restore, by name

    raises  OSError where the file can't be read; ValueError where inputs are missing in `input_map`, and what
            `import_graph_def` raises
    differs  TensorFlow fails when a collection names a node that does not exist; here the item is left out, with a
             warning. Where names were taken already, collections follow the renamed nodes
    """
    given = hasattr(meta_graph_or_file, "DESCRIPTOR")
    if given:
        message, table = proto.as_ours(meta_graph_or_file, proto.MetaGraphDef), None
    else:
        opened = open_meta_graph_file(meta_graph_or_file)
        message, table = opened.message, opened.nodes
    _check_unbound(message, unbound_inputs_col_name, input_map)
    info = message.meta_info_def
    with no_collection():
        scope = graph.unique_name(import_scope or "", mark_as_used=False)
        with contextlib.nullcontext() if given else _told(meta_graph_or_file):
            imported = import_nodes(
                graph,
                message.graph_def,
                input_map,
                return_elements,
                name=import_scope or scope,
                producer_op_list=info.stripped_op_list if info.HasField("stripped_op_list") else None,
                clear_devices=clear_devices,
                owned=message is not meta_graph_or_file,
                table=table,
            )
        known_names = _Names(scope, imported)
        restored = _Collections(graph, known_names, _knows_trainable(info.tensorflow_version))
        for key in _in_order(message.collection_def):
            if key != unbound_inputs_col_name and restore_collections_predicate(key):
                restored.add(key, message.collection_def[key])
    return ImportedMetaGraph(message, scope, imported.elements, graph, known_names)


@contextlib.contextmanager
def _told(filename: Any) -> Iterator[None]:
    """A ValueError from inside says which file was read."""
    try:
        yield
    except ValueError as e:
        raise ValueError(f"{e}\n  at {os.fsdecode(filename)}") from e


def _check_unbound(message: proto.MetaGraphDef, key: str | None, input_map: Mapping[Any, Any] | None) -> None:
    if not key or key not in message.collection_def:
        return
    collection = message.collection_def[key]
    values = getattr(collection, collection.WhichOneof("kind") or "bytes_list").value
    wanted = {v.decode() if isinstance(v, bytes) else v for v in values}
    given = {k.decode() if isinstance(k, bytes) else k for k in input_map or {}}
    if wanted and wanted != given:
        missing = sorted(wanted - given)
        more = sorted(given - wanted)
        extra = f" These keys of input_map are not among them: {','.join(more)}." if more else ""
        raise ValueError(
            f"Graph contains unbound inputs: {','.join(missing)}. Must provide these inputs through input_map.{extra}"
        )


def _knows_trainable(version: str) -> bool:
    """Whether VariableDefs of this version of TensorFlow say if the variable is trainable (since 1.9)."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is None or (int(found[1]), int(found[2])) >= (1, 9)


def _in_order(collections: Any) -> list[str]:
    """Sorted, but trainable variables first: they decide what is trainable in files that do not say."""
    return sorted(collections, key=lambda key: (key != GraphKeys.TRAINABLE_VARIABLES, key))


class _Variable:
    """A variable of several collections, made when the first of them is looked at."""

    def __init__(self, graph: Graph, message: Any, scope: str, made: Any) -> None:
        self._graph = graph
        self._message = message
        self._scope = scope
        self._made = made

    def made(self) -> Any:
        if self._made is None:
            self._made = variable_from_proto(self._graph, self._message, self._scope)
        return self._made


class _Collections:
    """Restores the collections of one MetaGraph. A VariableDef in several of them becomes one Variable."""

    def __init__(self, graph: Graph, known_names: _Names, knows_trainable: bool) -> None:
        self._graph = graph
        self._names = known_names
        self._knows_trainable = knows_trainable
        self._variables: dict[bytes, _Variable] = {}

    def add(self, key: str, collection: Any) -> None:
        kind = collection.WhichOneof("kind")
        if kind is None:
            _log.error("Cannot identify data type for collection %s. Skipping.", key)
            return
        functions = proto_functions(GraphKeys.GLOBAL_VARIABLES if key == GraphKeys.METRIC_VARIABLES else key)
        if functions.from_proto is not None and kind == "bytes_list":
            self._add_protos(key, collection.bytes_list.value, functions)
            return
        if key in _ONCE_NODE_LISTS:
            _log.warning(
                "The saved meta_graph is possibly from an older release:\n'%s' collection should be of type "
                "'byte_list', but instead is of type '%s'.",
                key,
                kind,
            )
        for value in getattr(collection, kind).value:
            self._add_value(key, kind, value)

    def _add_protos(self, key: str, values: Sequence[bytes], functions: ProtoFunctions) -> None:
        if key in VARIABLE_COLLECTIONS and functions.from_proto is collected_variable:
            found = [variable for data in values if (variable := self._variable(key, data, functions)) is not None]
            if found:
                self._graph.add_to_collection_later(key, lambda: [variable.made() for variable in found])
            return
        for data in values:
            message = self._message(key, data, functions)
            item = None if message is None else self._item(key, message, functions)
            if item is not None:
                self._graph.add_to_collection(key, item)

    def _variable(self, key: str, data: bytes, functions: ProtoFunctions) -> _Variable | None:
        """A variable, made only where it is not sure that it can be made; None where it can't."""
        found = self._variables.get(data)
        if found is not None:
            return found
        message = self._message(key, data, functions)
        if message is None:
            return None
        if not self._knows_trainable:
            message.trainable = key == GraphKeys.TRAINABLE_VARIABLES
        made = None
        if not is_complete(self._graph, message, self._names.scope):
            made = self._item(key, message, functions)
            if made is None:
                return None
        found = self._variables[data] = _Variable(self._graph, message, self._names.scope, made)
        return found

    def _message(self, key: str, data: bytes, functions: ProtoFunctions) -> Any:
        message = functions.proto_type()
        try:
            message.ParseFromString(data)
        except proto.DecodeError:
            _log.warning(
                "Collection %s holds %d bytes that are no %s; left out.", key, len(data), type(message).__name__
            )
            return None
        self._names.move_all(message)
        return message

    def _item(self, key: str, message: Any, functions: ProtoFunctions) -> Any:
        assert functions.from_proto is not None
        extra = {"graph": self._graph} if functions.takes_graph else {}
        with self._reported(key):
            return functions.from_proto(message, import_scope=self._names.scope, **extra)
        return None

    def _add_value(self, key: str, kind: str, value: Any) -> None:
        graph = self._graph
        if kind == "node_list":
            with self._reported(key):
                graph.add_to_collection(key, graph.as_graph_element(self._names.of(value)))
        elif kind == "bytes_list":
            graph.add_to_collection(key, self._text(value))
        else:
            graph.add_to_collection(key, value)

    def _text(self, value: bytes) -> str | bytes:
        """TensorFlow puts the import scope before strings too, whatever they say. Bytes that are no text stay."""
        if not self._names.scope:
            return value
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return value
        # A message whose kind nobody registered may be valid UTF-8, but has control characters.
        return names.prepend_scope(text, self._names.scope) if text.isprintable() else value

    @contextlib.contextmanager
    def _reported(self, key: str) -> Iterator[None]:
        """A name that is none in the graph is a warning: the item is left out."""
        try:
            yield
        except (KeyError, ValueError) as e:
            _log.warning("Collection %s: %s The item is left out.", key, e.args[0] if e.args else e)
