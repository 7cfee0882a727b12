"""Input files that a graph names: what is said when they are not there."""

from __future__ import annotations

from regraft.base.errors import NotFoundError


def missing(path: str, feed: str) -> NotFoundError:
    """The error for a file that is not there, which says how to go on without it.

    feed  what may be fed in its place: "feed ..."
    """
    return NotFoundError(
        f"{path}; No such file or directory",
        hint=f"the graph has this path from where it was made: give the files' folder as assets_dir=, or {feed}",
    )
