"""Input files that a graph names: where they are, and what is said when they are not there."""

from __future__ import annotations

from typing import Any

from regraft.base.errors import NotFoundError
from regraft.checkpoint import files


def located(session: Any, path: str) -> str:
    """The path, or where its file is in the session's folder of assets, if it is not where the path says.

    The file is looked for there under as many of the path's last parts as there are, then under fewer.
    """
    folder = session.assets_dir
    if not folder or files.exists(path):
        return path
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    for first in range(len(parts)):
        candidate = "/".join((folder, *parts[first:]))
        if files.exists(candidate):
            return candidate
    return path


def missing(path: str, feed: str) -> NotFoundError:
    """The error for a file that is not there, which says how to go on without it.

    feed  what may be fed in its place: "feed ..."
    """
    return NotFoundError(
        f"{path}; No such file or directory",
        hint="the graph has this path from where it was made: give the files' folder to the session as assets_dir=, "
        f"or {feed}",
    )
