"""Queues: first in first out, padding, shuffling, by priority. See `opkit.queues`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.opkit.queues import KIND, PaddingQueue, PriorityQueue, Queue, ShuffleQueue
from regraft.opkit.random import initial_state
from regraft.opkit.registry import Runs, op
from regraft.opkit.resources import ResourceHandle, found, made, shared
from regraft.opkit.shapes import ShapeContext, Sizes, fixed, no_outputs, scalar, unknown
from regraft.opkit.waiting import Task

_pair = fixed((2,))
_HANDLE: dict[str, Any] = {"runs": Runs.HOST, "session": True, "repeated": "same", "no_gradient": "a handle"}
_USE: dict[str, Any] = {"runs": Runs.HOST, "session": True, "blocking": True}


def _queue(session: Any, handle: Any) -> Queue:
    return found(session, handle, KIND, Queue)


def _made(session: Any, name: str, cls: type[Queue], make: Callable[[], Queue]) -> ResourceHandle:
    """The handle of a queue; one that another node made must be of the same make."""
    wanted = make()
    handle = made(session, KIND, name, lambda: wanted)
    queue = _queue(session, handle)
    if queue is wanted:
        return handle
    if type(queue) is not cls:
        raise InvalidArgumentError(f"Expected {queue.type}, found {wanted.type}")
    for what, of, asked in (
        ("capacity", queue.capacity, wanted.capacity),
        ("component types", _types(queue), _types(wanted)),
        ("component shapes", _shapes(queue), _shapes(wanted)),
    ):
        if of != asked:
            was = "was" if what == "capacity" else "were"
            raise InvalidArgumentError(f"Shared queue '{name}' has {what} {of} but requested {what} {was} {asked}")
    return handle


def _types(queue: Queue) -> str:
    return ", ".join(d.status_name for d in queue.dtypes)


def _shapes(queue: Queue) -> str:
    return "[" + ",".join(str(s) for s in queue.shapes or ()) + "]"


def _register(cls: type[Queue], *names: str) -> None:
    for name in names:

        @op(name, shape=scalar if name.endswith("V2") else _pair, **_HANDLE)
        def kernel(
            *,
            component_types: tuple[DType, ...],
            shapes: tuple[Any, ...],
            capacity: int,
            container: bytes,
            shared_name: bytes,
            session: Any,
            node: str,
        ) -> Any:
            """The handle of a queue."""
            types, sizes = component_types, [TensorShape(s) for s in shapes] if shapes else None
            if cls is PriorityQueue:
                types, sizes = (dtypes.int64, *types), [TensorShape([]), *(sizes or [])]
            name = shared(container, shared_name, node)
            return _made(session, name, cls, lambda: cls(name, capacity, types, sizes))


_register(Queue, "FIFOQueue", "FIFOQueueV2")
_register(PaddingQueue, "PaddingFIFOQueue", "PaddingFIFOQueueV2")
_register(PriorityQueue, "PriorityQueue", "PriorityQueueV2")


def _register_shuffling(name: str, shape: Any) -> None:
    @op(name, shape=shape, **_HANDLE)
    def kernel(
        *,
        component_types: tuple[DType, ...],
        shapes: tuple[Any, ...],
        capacity: int,
        min_after_dequeue: int,
        seed: int,
        seed2: int,
        container: bytes,
        shared_name: bytes,
        session: Any,
        node: str,
    ) -> Any:
        """The handle of a queue that gives its elements at random; seeds of 0 and 0 are chosen by the system."""
        sizes = [TensorShape(s) for s in shapes] if shapes else None
        name = shared(container, shared_name, node)
        seeds = (seed, seed2) if seed or seed2 else (secrets.randbits(64), secrets.randbits(64))

        def make() -> ShuffleQueue:
            state = initial_state(*seeds)
            return ShuffleQueue(name, capacity, component_types, sizes, least=min_after_dequeue, state=state)

        return _made(session, name, ShuffleQueue, make)


_register_shuffling("RandomShuffleQueue", _pair)
_register_shuffling("RandomShuffleQueueV2", scalar)


@op("FakeQueue", shape=_pair, runs=Runs.HOST, session=True)
def fake_queue(resource: Any, *, session: Any) -> Any:
    """A queue's handle as a reference, for ops that only take one."""
    _queue(session, resource)
    return resource


@op("QueueEnqueue", "QueueEnqueueV2", shape=no_outputs, repeated="takes", **_USE)
def queue_enqueue(handle: Any, components: tuple[Any, ...], *, session: Any) -> Task:
    """Put one element in, when there is room. CancelledError once the queue is closed."""
    yield _queue(session, handle).enqueue(components)
    return None


@queue_enqueue.rows
def _(handle: Any, elements: list[tuple[Any, ...]], *, session: Any) -> Task:
    queue = _queue(session, handle)
    fitting = queue.fitting(elements)
    yield queue.put(elements[:fitting])
    if fitting < len(elements):
        yield queue.enqueue(elements[fitting])


@op("QueueEnqueueMany", "QueueEnqueueManyV2", shape=no_outputs, **_USE)
def queue_enqueue_many(handle: Any, components: tuple[Any, ...], *, session: Any) -> Task:
    """Put the rows of the components in, each when there is room. CancelledError once the queue is closed."""
    yield _queue(session, handle).enqueue_many(components)
    return None


@op("QueueDequeue", "QueueDequeueV2", shape=unknown, repeated="gives", **_USE)
def queue_dequeue(handle: Any, *, session: Any) -> Task:
    """Take one element out, when there is one. OutOfRangeError when the queue is closed and empty."""
    return (yield _queue(session, handle).dequeue())


@queue_dequeue.rows
def _(handle: Any, *, session: Any, count: int) -> Task:
    queue = _queue(session, handle)
    first = yield queue.dequeue()
    return [list(items) for items in zip(first, *queue.take(count - 1), strict=True)]


@op("QueueDequeueMany", "QueueDequeueManyV2", shape=unknown, **_USE)
def queue_dequeue_many(handle: Any, n: Any, *, session: Any) -> Task:
    """Take n elements out, as they come. OutOfRangeError when the queue is closed and has less."""
    return (yield _queue(session, handle).dequeue_many(int(n)))


@op("QueueDequeueUpTo", "QueueDequeueUpToV2", shape=unknown, **_USE)
def queue_dequeue_up_to(handle: Any, n: Any, *, session: Any) -> Task:
    """Take n elements out, as they come, or what is left in a closed queue. OutOfRangeError when that is nothing."""
    return (yield _queue(session, handle).dequeue_many(int(n), fewer=True))


@op("QueueClose", "QueueCloseV2", shape=no_outputs, **_USE)
def queue_close(handle: Any, *, cancel_pending_enqueues: bool, session: Any) -> Task:
    """Let nothing more in. CancelledError if the queue is closed already."""
    yield _queue(session, handle).close(cancel_pending_enqueues)
    return None


def _size(c: ShapeContext) -> list[Sizes]:
    return [c.input(0) if c.node.type.endswith("V2") else ()]


@op("QueueSize", "QueueSizeV2", shape=_size, runs=Runs.HOST, session=True)
def queue_size(handle: Any, *, session: Any) -> Any:
    """How many elements are in the queue, int32."""
    return np.array(_queue(session, handle).size(), np.int32)


@op("QueueIsClosed", "QueueIsClosedV2", shape=scalar, runs=Runs.HOST, session=True)
def queue_is_closed(handle: Any, *, session: Any) -> Any:
    """Whether the queue lets nothing more in."""
    return np.array(_queue(session, handle).closed)
