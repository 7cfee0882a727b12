"""tf.QueueBase and the queues: objects over a queue's handle, whose methods add ops."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from regraft.base import dtypes as types_
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import Dimension, TensorShape
from regraft.ir.node import Operation, Tensor
from regraft.opkit.constant import constant_value
from regraft.opkit.random_values import get_seed
from regraft.v1 import _context
from regraft.v1._graph import device
from regraft.v1._opening import on, opened

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]


class QueueBase:
    """A queue of elements; an element is one tensor or several, its components.

    dtypes     of the components
    shapes     of the components; None where each element may have its own
    names      of the components: elements are then mappings; or None
    queue_ref  the queue's handle
    """

    def __init__(
        self, dtypes: Sequence[Any], shapes: Sequence[Any] | None, names: Sequence[str] | None, queue_ref: Tensor
    ) -> None:
        for what, given in (("shapes", shapes), ("names", names)):
            if given is not None and len(given) != len(dtypes):
                raise ValueError(
                    f"Queue {what} must have the same length as dtypes, received len({what})={len(given)}, "
                    f"len(dtypes)={len(dtypes)}"
                )
        self._dtypes = list(dtypes)
        self._shapes = [TensorShape(None)] * len(dtypes) if shapes is None else [TensorShape(s) for s in shapes]
        self._names = names
        self._queue_ref = queue_ref
        self._name = queue_ref.op.name.rpartition("/")[2]

    @staticmethod
    def from_list(index: Any, queues: list[QueueBase]) -> QueueBase:
        """The queue that an int32 scalar chooses. TypeError for queues of different components."""
        if not isinstance(queues, list) or not queues or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError("A list of queues expected")
        first = queues[0]
        if any(q.dtypes != first.dtypes for q in queues):
            raise TypeError("Queues do not have matching component dtypes.")
        if any(q.names != first.names for q in queues):
            raise TypeError("Queues do not have matching component names.")
        from regraft.v1._array import stack
        from regraft.v1._indexing import gather

        shapes = [reduce(_in_common, of_one) for of_one in zip(*(q.shapes for q in queues), strict=True)]
        chosen = gather(stack([q.queue_ref for q in queues]), index)
        return QueueBase(first.dtypes, shapes, first.names, chosen)

    @property
    def queue_ref(self) -> Tensor:
        return self._queue_ref

    @property
    def name(self) -> str:
        return self._queue_ref.op.name

    @property
    def dtypes(self) -> list[DType]:
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        return self._shapes

    @property
    def names(self) -> Sequence[str] | None:
        return self._names

    def enqueue(self, vals: Any, name: str | None = None) -> Operation:
        """Put one element in: a tensor, a list of them, or a mapping by names. It waits while the queue is full."""
        with opened(name, f"{self._name}_enqueue", *_values(vals)) as (b, scope):
            tensors = self._tensors(vals)
            for tensor, shape in zip(tensors, self._shapes, strict=False):
                tensor.shape.assert_is_compatible_with(shape)
            return b.operation(self._op("QueueEnqueue"), self._queue_ref, tensors, name=scope)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Operation:
        """Put the rows of tensors in, one element a row. It waits while the queue is full."""
        with opened(name, f"{self._name}_EnqueueMany", *_values(vals)) as (b, scope):
            tensors = self._tensors(vals)
            rows = Dimension(None)
            for tensor, shape in zip(tensors, self._shapes, strict=False):
                sizes = tensor.shape.with_rank_at_least(1)
                rows = rows.merge_with(sizes[0])
                sizes[1:].assert_is_compatible_with(shape)
            return b.operation("QueueEnqueueManyV2", self._queue_ref, tensors, name=scope)

    def dequeue(self, name: str | None = None) -> Any:
        """Take one element out. It waits while the queue is empty; OutOfRangeError when it is closed and empty."""
        return self._taken("QueueDequeue", name or f"{self._name}_Dequeue", self._shapes)

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Take `n` elements out, stacked along a new first axis. OutOfRangeError when it is closed and has less."""
        return self._taken("QueueDequeueManyV2", name or f"{self._name}_DequeueMany", None, n)

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """As `dequeue_many`, but of a closed queue take what is left, if it is anything."""
        shapes = [TensorShape([None]).concatenate(s) for s in self._shapes]
        return self._taken("QueueDequeueUpToV2", name or f"{self._name}_DequeueUpTo", shapes, n)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """Let nothing more in; what waits to get in still does, unless it is cancelled."""
        return on(self._queue_ref).operation(
            self._op("QueueClose"),
            self._queue_ref,
            cancel_pending_enqueues=cancel_pending_enqueues,
            name=name or f"{self._name}_Close",
        )

    def is_closed(self, name: str | None = None) -> Any:
        """Whether the queue lets nothing more in, a bool."""
        return on(self._queue_ref).op(
            self._op("QueueIsClosed"), self._queue_ref, name=name or f"{self._name}_Is_Closed"
        )

    def size(self, name: str | None = None) -> Any:
        """How many elements there are, an int32."""
        return on(self._queue_ref).op(self._op("QueueSize"), self._queue_ref, name=name or f"{self._name}_Size")

    def _op(self, name: str) -> str:
        return f"{name}V2" if self._queue_ref.dtype.base is types_.resource else name

    def _taken(self, op_type: str, name: str, shapes: list[TensorShape] | None, *count: Any) -> Any:
        op_type = op_type if op_type.endswith("V2") else self._op(op_type)
        node = on(self._queue_ref).operation(op_type, self._queue_ref, *count, component_types=self._dtypes, name=name)
        if shapes is None:
            known = constant_value(node.inputs[1])
            rows = TensorShape([None if known is None else int(known)])
            shapes = [rows.concatenate(s) for s in self._shapes]
        for tensor, shape in zip(node.outputs, shapes, strict=True):
            tensor.set_shape(shape)
        if self._names:
            return dict(zip(self._names, node.outputs, strict=True))
        return node.outputs[0] if len(node.outputs) == 1 else list(node.outputs)

    def _tensors(self, vals: Any) -> list[Tensor]:
        if isinstance(vals, Mapping):
            if not self._names:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names, key=str) != sorted(vals, key=str):
                raise ValueError(
                    f"Keys in dictionary to enqueue do not match names of Queue.  Dictionary: {sorted(vals)},"
                    f"Queue: {sorted(self._names)}"
                )
            vals = [vals[name] for name in self._names]
        elif self._names:
            raise ValueError("You must enqueue a dictionary in a Queue with names")
        elif not isinstance(vals, (list, tuple)):
            vals = [vals]
        b = _context.builder()
        pairs = enumerate(zip(vals, self._dtypes, strict=False))
        return [b.convert(value, dtype, name=f"component_{i}") for i, (value, dtype) in pairs]


class FIFOQueue(QueueBase):
    """First in, first out.

    capacity     how many elements there is room for
    dtypes       of the components: one, or a list
    shapes       of the components, fully known; None where each element may have its own: then none are taken out
                 together
    names        of the components, or None
    shared_name  queues of one shared name are one
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        types = _type_list(dtypes)
        sizes = _shape_list(shapes)
        called = _name_list(names, types)
        with _context.get_default_graph().control_dependencies(None), device("CPU"):
            handle = _handle("FIFOQueueV2", types, sizes, capacity, shared_name, name)
        super().__init__(types, sizes, called, handle)


class PaddingFIFOQueue(QueueBase):
    """First in, first out; elements that are taken out together are filled up with zeros to one shape.

    shapes  of the components, a list; dimensions that differ are None
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:
        types = _type_list(dtypes)
        if not isinstance(shapes, (list, tuple)) or not shapes or any(s is None or isinstance(s, int) for s in shapes):
            raise ValueError("When providing partial shapes, a list of shapes must be provided.")
        sizes = _shape_list(shapes, partial=True) or []
        called = _name_list(names, types)
        if len(types) != len(sizes):
            raise ValueError(
                f"Shapes must be provided for all components, but received {len(types)} dtypes and {len(sizes)} shapes."
            )
        super().__init__(types, sizes, called, _handle("PaddingFIFOQueueV2", types, sizes, capacity, shared_name, name))


class PriorityQueue(QueueBase):
    """Gives the element of least priority, an int64 that is its first component; `types` are those of the others."""

    def __init__(
        self,
        capacity: int,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        others = _type_list(types)
        sizes = _shape_list(shapes)
        if sizes is None:
            raise TypeError("Expected list for 'shapes' argument to 'PriorityQueueV2' Op, not None.")
        handle = _handle("PriorityQueueV2", others, sizes, capacity, shared_name, name)
        super().__init__([types_.int64, *others], [TensorShape([]), *sizes] if sizes else sizes, names, handle)


class RandomShuffleQueue(QueueBase):
    """Gives its elements at random.

    min_after_dequeue  how many stay in it until it is closed, so that there is something to choose from
    seed               for the same order in each session
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        types = _type_list(dtypes)
        sizes = _shape_list(shapes)
        called = _name_list(names, types)
        first, second = get_seed(_context.get_default_graph(), seed)
        if first is not None and seed is None and shared_name is not None:
            # The same in every process that shares the queue, whatever ops it has made before.
            digest = hashlib.md5(f"{first}{shared_name}".encode(), usedforsecurity=False).hexdigest()
            second = int(digest[:8], 16) & 0x7FFFFFFF
        seeds = {"min_after_dequeue": min_after_dequeue, "seed": first or 0, "seed2": second or 0}
        handle = _handle("RandomShuffleQueueV2", types, sizes, capacity, shared_name, name, **seeds)
        super().__init__(types, sizes, called, handle)


def _handle(
    op_type: str,
    types: list[DType],
    shapes: list[TensorShape] | None,
    capacity: int,
    shared_name: str | None,
    name: str,
    **attrs: int,
) -> Tensor:
    b = _context.builder()
    handle: Tensor = b.op(
        op_type,
        component_types=types,
        shapes=shapes or [],
        capacity=capacity,
        shared_name=shared_name,
        name=name,
        **attrs,
    )
    return handle


def _values(vals: Any) -> list[Any]:
    if isinstance(vals, Mapping):
        return list(vals.values())
    return list(vals) if isinstance(vals, (list, tuple)) else [vals]


def _type_list(dtypes: Any) -> list[DType]:
    return [as_dtype(d) for d in (dtypes if isinstance(dtypes, (list, tuple)) else [dtypes])]


def _shape_list(shapes: Any, partial: bool = False) -> list[TensorShape] | None:
    """Shapes as a list; one shape alone stands for a list of one. ValueError for unknown sizes, unless `partial`."""
    if shapes is None:
        return None
    if isinstance(shapes, TensorShape):
        shapes = [shapes]
    if not isinstance(shapes, (tuple, list)):
        raise TypeError(f"Shapes must be a TensorShape or a list or tuple of TensorShapes, got {type(shapes)} instead.")
    if all(s is None or isinstance(s, int) for s in shapes):
        shapes = [shapes]
    found = [s if isinstance(s, TensorShape) else TensorShape(s) for s in shapes]
    if not partial and not all(s.is_fully_defined() for s in found):
        raise ValueError(f"All shapes must be fully defined: {found}")
    if any(s.rank is None for s in found):
        raise ValueError(f"All shapes must have a defined rank: {found}")
    return found


def _name_list(names: Any, types: list[DType]) -> list[str] | None:
    if names is None:
        return None
    called = list(names) if isinstance(names, (list, tuple)) else [names]
    if len(called) != len(types):
        raise ValueError(
            "List of names must have the same length as the list of dtypes, received "
            f"len(names)={len(called)},len(dtypes)={len(types)}"
        )
    return called


def _in_common(a: TensorShape, b: TensorShape) -> TensorShape:
    """What two shapes agree on."""
    if a.sizes is None or b.sizes is None or len(a.sizes) != len(b.sizes):
        return TensorShape(None)
    return TensorShape([x if x == y else None for x, y in zip(a.sizes, b.sizes, strict=True)])
