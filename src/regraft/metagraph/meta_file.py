"""MetaGraph files: binary or text, told apart by trying."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from regraft import proto
from regraft.base.errors import NotFoundError
from regraft.checkpoint import files

M = TypeVar("M")


def read_meta_graph_file(filename: Any) -> proto.MetaGraphDef:
    """The MetaGraphDef in a file, in binary or text form.

    raises  OSError if there is no such file, or it holds neither form
    """
    return read_proto_file(filename, proto.MetaGraphDef)


def read_proto_file(filename: Any, kind: type[M]) -> M:
    """The message of class `kind` in a file, in binary or text form. OSError as in `read_meta_graph_file`."""
    return read_with_bytes(filename, kind)[0]


def read_with_bytes(filename: Any, kind: type[M]) -> tuple[M, bytes]:
    """The message of class `kind` in a file, and the file's bytes."""
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
        return proto.parse(data, kind), data  # type: ignore[type-var]  # kind is a message class
    except proto.DecodeError as e:
        binary_error = e
    try:
        return proto.parse_text(data.decode(), kind), data  # type: ignore[type-var]
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


def write_graph(graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Write a message (a GraphDef, a MetaGraphDef) as `logdir/name` and return that path."""
    return write_proto_file(graph_def, os.path.join(files.as_text(logdir), name), as_text)
