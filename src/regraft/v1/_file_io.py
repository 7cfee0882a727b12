"""`tensorflow.python.lib.io.file_io`: `tf.gfile` under the names that it has inside TensorFlow."""

from __future__ import annotations

from typing import Any

from regraft.checkpoint import files
from regraft.v1.gfile import Copy as copy
from regraft.v1.gfile import DeleteRecursively as delete_recursively
from regraft.v1.gfile import Exists as file_exists
from regraft.v1.gfile import GFile as FileIO
from regraft.v1.gfile import Glob as get_matching_files
from regraft.v1.gfile import IsDirectory as is_directory
from regraft.v1.gfile import ListDirectory as list_directory
from regraft.v1.gfile import MakeDirs as recursive_create_dir
from regraft.v1.gfile import MkDir as create_dir
from regraft.v1.gfile import Remove as delete_file
from regraft.v1.gfile import Rename as rename
from regraft.v1.gfile import Stat as stat
from regraft.v1.gfile import Walk as walk

__all__ = [
    "FileIO",
    "atomic_write_string_to_file",
    "copy",
    "create_dir",
    "delete_file",
    "delete_recursively",
    "file_exists",
    "get_matching_files",
    "is_directory",
    "list_directory",
    "read_file_to_string",
    "recursive_create_dir",
    "rename",
    "stat",
    "walk",
    "write_string_to_file",
]


def read_file_to_string(filename: Any, binary_mode: bool = False) -> Any:
    """The whole content of a file, as text unless it is binary."""
    data = files.read_bytes(filename)
    return data if binary_mode else data.decode()


def write_string_to_file(filename: Any, file_content: Any) -> None:
    """Replace the content of a file by text or bytes."""
    files.write_bytes(filename, file_content.encode() if isinstance(file_content, str) else file_content)


def atomic_write_string_to_file(filename: Any, contents: Any, overwrite: bool = True) -> None:
    """Replace the content of a file, all or nothing. AlreadyExistsError where it is there and must not be replaced."""
    if not overwrite and files.exists(filename):
        from regraft.base.errors import AlreadyExistsError

        raise AlreadyExistsError(f"file already exists: {files.as_text(filename)}")
    write_string_to_file(filename, contents)
