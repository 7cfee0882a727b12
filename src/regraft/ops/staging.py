"""Staging areas, in order and by key. See `opkit.staging`."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import found, made, shared
from regraft.opkit.shapes import no_outputs, scalar, unknown
from regraft.opkit.staging import KIND, MapStagingArea, StagingArea
from regraft.opkit.waiting import Task

_USE: dict[str, Any] = {"runs": Runs.HOST, "session": True}
_WAIT: dict[str, Any] = {**_USE, "blocking": True}


def _area(
    session: Any, node: str, container: bytes, shared_name: bytes, capacity: int, memory_limit: int
) -> StagingArea:
    name = shared(container, shared_name, node)
    return found(session, made(session, KIND, name, lambda: StagingArea(capacity, memory_limit)), KIND, StagingArea)


@op("Stage", shape=no_outputs, **_WAIT)
def stage(
    values: tuple[Any, ...],
    *,
    capacity: int,
    memory_limit: int,
    container: bytes,
    shared_name: bytes,
    session: Any,
    node: str,
) -> Task:
    """Put an element in, when there is room. ResourceExhaustedError for one that is larger than all the room."""
    yield _area(session, node, container, shared_name, capacity, memory_limit).put(values)
    return None


@op("Unstage", shape=unknown, **_WAIT)
def unstage(*, capacity: int, memory_limit: int, container: bytes, shared_name: bytes, session: Any, node: str) -> Task:
    """Take the oldest element out, when there is one."""
    return (yield _area(session, node, container, shared_name, capacity, memory_limit).get())


@op("StagePeek", shape=unknown, **_WAIT)
def stage_peek(
    index: Any, *, capacity: int, memory_limit: int, container: bytes, shared_name: bytes, session: Any, node: str
) -> Task:
    """The element at an index, when there are so many; it stays."""
    return (yield _area(session, node, container, shared_name, capacity, memory_limit).peek(int(index)))


@op("StageSize", shape=scalar, **_USE)
def stage_size(
    *, capacity: int, memory_limit: int, container: bytes, shared_name: bytes, session: Any, node: str
) -> Any:
    """How many elements there are, int32."""
    return np.array(_area(session, node, container, shared_name, capacity, memory_limit).size(), np.int32)


@op("StageClear", shape=no_outputs, **_USE)
def stage_clear(
    *, capacity: int, memory_limit: int, container: bytes, shared_name: bytes, session: Any, node: str
) -> None:
    """Throw all elements away."""
    _area(session, node, container, shared_name, capacity, memory_limit).clear()


def _integers(values: Any) -> list[int]:
    found: list[int] = np.asarray(values).reshape(-1).tolist()
    return found


def _register_maps(prefix: str, ordered: bool) -> None:
    def area(
        session: Any,
        node: str,
        attrs: tuple[int, int, bytes, bytes],
    ) -> MapStagingArea:
        capacity, memory_limit, container, shared_name = attrs
        name = shared(container, shared_name, node)
        handle = made(session, KIND, name, lambda: MapStagingArea(capacity, memory_limit, ordered))
        return found(session, handle, KIND, MapStagingArea)

    @op(f"{prefix}Stage", shape=no_outputs, **_WAIT)
    def put(
        key: Any,
        indices: Any,
        values: tuple[Any, ...],
        *,
        capacity: int,
        memory_limit: int,
        dtypes: tuple[DType, ...],
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> Task:
        """Put components of the element of a key in, when there is room. InvalidArgumentError for some twice."""
        attrs = (capacity, memory_limit, container, shared_name)
        yield area(session, node, attrs).put(int(key), _integers(indices), values, len(dtypes))
        return None

    @op(f"{prefix}Unstage", shape=unknown, **_WAIT)
    def pop(
        key: Any,
        indices: Any,
        *,
        capacity: int,
        memory_limit: int,
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> Task:
        """Take components of a key's element out, when it is complete."""
        attrs = (capacity, memory_limit, container, shared_name)
        return (yield area(session, node, attrs).pop(int(key), _integers(indices)))

    @op(f"{prefix}Peek", shape=unknown, **_WAIT)
    def peek(
        key: Any,
        indices: Any,
        *,
        capacity: int,
        memory_limit: int,
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> Task:
        """Components of a key's element, when it is complete; they stay."""
        attrs = (capacity, memory_limit, container, shared_name)
        return (yield area(session, node, attrs).peek(int(key), _integers(indices)))

    @op(f"{prefix}UnstageNoKey", shape=unknown, **_WAIT)
    def pop_any(
        indices: Any,
        *,
        capacity: int,
        memory_limit: int,
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> Task:
        """The key of a complete element, and components of it, which are taken out.

        differs  an area without order gives the oldest; in TensorFlow it is any
        """
        attrs = (capacity, memory_limit, container, shared_name)
        return (yield area(session, node, attrs).pop_any(_integers(indices)))

    @op(f"{prefix}Size", shape=scalar, **_USE)
    def size(
        *,
        capacity: int,
        memory_limit: int,
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> Any:
        """How many elements are complete, int32."""
        attrs = (capacity, memory_limit, container, shared_name)
        return np.array(area(session, node, attrs).size(), np.int32)

    @op(f"{prefix}IncompleteSize", shape=scalar, **_USE)
    def incomplete_size(
        *,
        capacity: int,
        memory_limit: int,
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> Any:
        """How many elements are not complete, int32."""
        attrs = (capacity, memory_limit, container, shared_name)
        return np.array(area(session, node, attrs).incomplete_size(), np.int32)

    @op(f"{prefix}Clear", shape=no_outputs, **_USE)
    def clear(
        *,
        capacity: int,
        memory_limit: int,
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> None:
        """Throw all elements away."""
        area(session, node, (capacity, memory_limit, container, shared_name)).clear()


_register_maps("Map", ordered=False)
_register_maps("OrderedMap", ordered=True)
