"""MetaGraph files: binary or text, told apart by trying."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from regraft import proto
from regraft.base.errors import DataLossError, NotFoundError
from regraft.checkpoint import files
from regraft.ir.graph import Graph
from regraft.serde.graph import graph_to_proto
from regraft.serde.node_table import MessageTable, NodeTable, read_table
from regraft.wire import fields

M = TypeVar("M")
T = TypeVar("T")

_GRAPH_DEF = 2  # of a MetaGraphDef
_NODE = 1  # of a GraphDef


def read_meta_graph_file(filename: Any) -> proto.MetaGraphDef:
    """The MetaGraphDef in a file, in binary or text form.

    raises  OSError if there is no such file, or it holds neither form
    """
    return read_proto_file(filename, proto.MetaGraphDef)


def read_proto_file(filename: Any, kind: type[M]) -> M:
    """The message of class `kind` in a file, in binary or text form. OSError as in `read_meta_graph_file`."""
    return _read(filename, kind, lambda data: proto.parse(data, kind))[0]  # type: ignore[type-var]  # a message class


@dataclass(frozen=True)
class OpenedMetaGraph:
    """A MetaGraph file.

    message  all of it but the nodes of the graph
    nodes    those
    data     the bytes of the file
    """

    message: proto.MetaGraphDef
    nodes: NodeTable
    data: bytes


def open_meta_graph_file(filename: Any) -> OpenedMetaGraph:
    """A MetaGraph file, in binary or text form, its nodes apart. OSError as in `read_meta_graph_file`."""
    found, data = _read(filename, proto.MetaGraphDef, _apart)
    message, nodes = found if isinstance(found, tuple) else (found, MessageTable(found.graph_def.node))
    return OpenedMetaGraph(message, nodes, data)


def _apart(data: bytes) -> tuple[proto.MetaGraphDef, NodeTable] | proto.MetaGraphDef:
    """A MetaGraphDef without its nodes, and those; or whole, where its parts do not lie as they usually do."""
    try:
        graphs = [place for place in fields.places(data) if place[0] == _GRAPH_DEF]
        if len(graphs) != 1:
            return proto.MetaGraphDef.FromString(data)
        _, _, at, start, end = graphs[0]
        nodes, behind = read_table(data, start, end)
        rest = data[behind:end]
        if any(number == _NODE for number, *_ in fields.places(rest)):
            return proto.MetaGraphDef.FromString(data)
    except DataLossError:
        return proto.MetaGraphDef.FromString(data)  # which says what is wrong, in its own words
    message = proto.MetaGraphDef.FromString(data[:at] + data[end:])
    message.graph_def.ParseFromString(rest)
    return message, nodes


def _read(filename: Any, kind: type[M], parse: Callable[[bytes], T]) -> tuple[T | M, bytes]:
    """What `parse` makes of a file's bytes, or if they are text, the message of class `kind` in it; and the bytes."""
    path = files.as_text(filename)
    if not files.exists(path):
        raise FileNotFoundError(f"File {path} does not exist.")
    if files.is_folder(path):
        raise IsADirectoryError(f"{path} is a folder. Cannot parse file {path}: give the file in it.")
    try:
        data = files.read_bytes(path)
    except NotFoundError as e:
        raise FileNotFoundError(f"File {path} does not exist.") from e
    try:
        return parse(data), data
    except proto.DecodeError as e:
        binary_error = e
    try:
        return proto.parse_text(data.decode(), kind), data  # type: ignore[type-var]  # a message class
    except UnicodeDecodeError as e:
        raise OSError(
            f"Cannot parse file {path}: it is no binary {kind.__name__} ({binary_error}), and no text.{_hint(data)}"
        ) from e
    except proto.ParseError as e:
        raise OSError(f"Cannot parse file {path}: {e}.{_hint(data)}") from e


def _hint(data: bytes) -> str:
    if data.startswith(b"version https://git-lfs"):
        return " It is a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`."
    if data.lstrip()[:1] in (b"{", b"["):
        return " It looks like JSON."
    if data.lstrip()[:1] == b"<":
        return " It looks like HTML."
    return ""


def write_proto_file(message: Any, filename: Any, as_text: bool = False) -> str:
    """Write a message, all or nothing, and return the path; the folder is made if it is missing."""
    path = files.as_text(filename)
    folder = files.folder_of(path)
    if folder and not files.is_remote(path):
        files.make_folders(folder)
    content = proto.to_text(message).encode() if as_text else message.SerializeToString(deterministic=True)
    files.write_bytes(path, content)
    return path


def write_graph(graph_or_graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Write a graph or a message (a GraphDef, a MetaGraphDef) as `logdir/name` and return that path."""
    message = graph_to_proto(graph_or_graph_def) if isinstance(graph_or_graph_def, Graph) else graph_or_graph_def
    return write_proto_file(message, os.path.join(files.as_text(logdir), name), as_text)
