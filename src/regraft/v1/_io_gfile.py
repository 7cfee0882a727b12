"""tf.io.gfile: `tf.gfile` under the names of later releases."""

from __future__ import annotations

import os
from typing import Any

from regraft.v1.gfile import Copy as copy
from regraft.v1.gfile import DeleteRecursively as rmtree
from regraft.v1.gfile import Exists as exists
from regraft.v1.gfile import GFile as GFile
from regraft.v1.gfile import Glob as glob
from regraft.v1.gfile import IsDirectory as isdir
from regraft.v1.gfile import ListDirectory as listdir
from regraft.v1.gfile import MakeDirs as makedirs
from regraft.v1.gfile import MkDir as mkdir
from regraft.v1.gfile import Remove as remove
from regraft.v1.gfile import Rename as rename
from regraft.v1.gfile import Stat as stat

__all__ = [
    "GFile",
    "copy",
    "exists",
    "glob",
    "isdir",
    "join",
    "listdir",
    "makedirs",
    "mkdir",
    "remove",
    "rename",
    "rmtree",
    "stat",
    "walk",
]


def join(path: Any, *paths: Any) -> str:
    """The parts of a path put together."""
    return os.path.join(os.fsdecode(path), *map(os.fsdecode, paths))


def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Any:
    """Each folder below `top` with the folders and files in it; before those in it, or after them.

    onerror  called with the NotFoundError of a `top` that is no folder
    """
    from regraft.base.errors import NotFoundError
    from regraft.v1.gfile import IsDirectory, Walk

    if onerror is not None and not IsDirectory(top):
        onerror(NotFoundError(f"Could not find directory {os.fsdecode(top)}"))
    return Walk(top, topdown)
