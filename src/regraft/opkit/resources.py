"""What handles of tables, queues and other resources hold.

The resources themselves live in the session (`session.resources`, by kind and name); a handle only says which one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from regraft.base.errors import CancelledError, FailedPreconditionError, InvalidArgumentError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResourceHandle:
    """Stands for a resource of the session, in the place of a resource tensor or of a reference to a string."""

    kind: str
    name: str


def shared(container: bytes, shared_name: bytes, node_name: str) -> str:
    """The name of a node's resource: its shared name, else the node's own."""
    name = shared_name.decode() or node_name
    return f"{container.decode()}/{name}" if container else name


def made(session: Any, kind: str, name: str, make: Callable[[], Any]) -> ResourceHandle:
    """The handle of a resource, which is made if the session has none of that name.

    raises  CancelledError if the session is closed
    """
    if (kind, name) not in session.resources:
        with session.resource_lock:
            if session.closed.is_set():
                raise CancelledError("Session has been closed.")
            if (kind, name) not in session.resources:
                session.resources[kind, name] = make()
    return ResourceHandle(kind, name)


def found(session: Any, handle: Any, kind: str, cls: type[T]) -> T:
    """The resource that a handle stands for.

    raises  InvalidArgumentError if the handle is no handle of that kind; CancelledError if the session is closed;
            FailedPreconditionError if there is no such resource
    """
    if not isinstance(handle, ResourceHandle) or handle.kind != kind:
        raise InvalidArgumentError(f"expected the handle of a {kind}, got {handle!r}")
    resource = session.resources.get((handle.kind, handle.name))
    if not isinstance(resource, cls):
        if session.closed.is_set():
            raise CancelledError("Session has been closed.")
        raise FailedPreconditionError(f"there is no {kind} named {handle.name!r} in this session")
    return resource
