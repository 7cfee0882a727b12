"""Batches out of a queue that a queue runner fills: tf.train.batch, shuffle_batch and their kin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.node import Operation
from regraft.v1 import _context
from regraft.v1._array import expand_dims, ones, shape, squeeze
from regraft.v1._conversion import convert_n_to_tensor_or_indexed_slices
from regraft.v1._graph import colocate_with, no_op
from regraft.v1._graph_control import with_dependencies
from regraft.v1._indexing import gather
from regraft.v1._layer import smart_cond
from regraft.v1._math import cast
from regraft.v1._opening import on, opened
from regraft.v1._plain import function as plain
from regraft.v1._queue_runners import QueueRunner, add_queue_runner
from regraft.v1._queues import FIFOQueue, PaddingFIFOQueue, QueueBase, RandomShuffleQueue
from regraft.v1._sparse import retain
from regraft.v1._sparse_tensor import SparseTensor
from regraft.v1.summary import scalar

__all__ = [
    "batch",
    "batch_join",
    "maybe_batch",
    "maybe_batch_join",
    "maybe_shuffle_batch",
    "maybe_shuffle_batch_join",
    "shuffle_batch",
    "shuffle_batch_join",
]


class _Options(NamedTuple):
    """What all of them are told; see `batch`."""

    batch_size: Any
    capacity: int
    keep_input: Any
    enqueue_many: bool
    shapes: Any
    allow_smaller_final_batch: bool
    shared_name: str | None
    name: str | None


def batch(
    tensors: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of `batch_size` examples in the order in which threads bring them.

    tensors                    one example, a list or a mapping of tensors; sparse ones may be among them
    num_threads                how many threads compute examples
    capacity                   how many examples the queue has room for
    enqueue_many               the tensors are many examples, one a row
    shapes                     of an example's tensors, where their own do not say it
    dynamic_pad                fill up the tensors of a batch to one shape
    allow_smaller_final_batch  give what is left at the end as a last, smaller batch; else it is lost
    returns                    tensors in the same structure, each with a first axis more
    raises                     ValueError where a shape is needed and not known
    """
    options = _Options(batch_size, capacity, True, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name)
    return _in_order("batch", [tensors], tensors, num_threads, dynamic_pad, options)


def maybe_batch(
    tensors: Any,
    keep_input: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, of the examples for which `keep_input` is true: a bool, or with `enqueue_many` one for each row."""
    options = _Options(
        batch_size, capacity, keep_input, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name
    )
    return _in_order("batch", [tensors], tensors, num_threads, dynamic_pad, options)


def batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, with a thread for each element of `tensors_list`: each brings examples of its own."""
    options = _Options(batch_size, capacity, True, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name)
    return _in_order("batch_join", _joined(tensors_list), tensors_list[0], None, dynamic_pad, options)


def maybe_batch_join(
    tensors_list: Any,
    keep_input: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch_join`, of the examples for which `keep_input` is true."""
    options = _Options(
        batch_size, capacity, keep_input, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name
    )
    return _in_order("batch_join", _joined(tensors_list), tensors_list[0], None, dynamic_pad, options)


def shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `batch`, of examples drawn at random.

    min_after_dequeue  how many stay behind to be drawn from, until there will be no more
    seed               for the same choice in each session
    """
    options = _Options(batch_size, capacity, True, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name)
    return _shuffled("shuffle_batch", [tensors], tensors, num_threads, min_after_dequeue, seed, options)


def maybe_shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch`, of the examples for which `keep_input` is true."""
    options = _Options(
        batch_size, capacity, keep_input, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name
    )
    return _shuffled("shuffle_batch", [tensors], tensors, num_threads, min_after_dequeue, seed, options)


def shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch`, with a thread for each element of `tensors_list`."""
    options = _Options(batch_size, capacity, True, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name)
    first, lists = tensors_list[0], _joined(tensors_list)
    return _shuffled("shuffle_batch_join", lists, first, None, min_after_dequeue, seed, options)


def maybe_shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `shuffle_batch_join`, of the examples for which `keep_input` is true."""
    options = _Options(
        batch_size, capacity, keep_input, enqueue_many, shapes, allow_smaller_final_batch, shared_name, name
    )
    first, lists = tensors_list[0], _joined(tensors_list)
    return _shuffled("shuffle_batch_join", lists, first, None, min_after_dequeue, seed, options)


def _joined(tensors_list: Any) -> list[Any]:
    if not tensors_list:
        raise ValueError("Expected at least one set of tensors")
    first = tensors_list[0]
    if isinstance(first, Mapping) and any(set(t) != set(first) for t in tensors_list):
        raise ValueError("All dictionaries in tensors_list must have the same keys")
    return list(tensors_list)


# From tensors to a queue, and out of it


def _in_order(
    scope: str, lists: list[Any], original: Any, threads: int | None, dynamic_pad: bool, options: _Options
) -> Any:
    def make(types: Any, shapes: Any) -> QueueBase:
        cls = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        return cls(capacity=options.capacity, dtypes=types, shapes=shapes, shared_name=options.shared_name)

    def summarize(queue: QueueBase) -> None:
        full = cast(queue.size(), dtypes.float32) * (1.0 / options.capacity)
        scalar(f"fraction_of_{options.capacity}_full", full)

    return _batches(scope, lists, original, threads, make, summarize, options)


def _shuffled(
    scope: str,
    lists: list[Any],
    original: Any,
    threads: int | None,
    least: int,
    seed: int | None,
    options: _Options,
) -> Any:
    capacity = options.capacity
    over = capacity - least

    def make(types: Any, shapes: Any) -> QueueBase:
        return RandomShuffleQueue(
            capacity=capacity,
            min_after_dequeue=least,
            seed=seed,
            dtypes=types,
            shapes=shapes,
            shared_name=options.shared_name,
        )

    def summarize(queue: QueueBase) -> None:
        full = cast(plain("maximum")(0, queue.size() - least), dtypes.float32) * (1.0 / over)
        scalar(f"fraction_over_{least}_of_{over}_full", full)

    def check() -> None:
        if over <= 0:
            raise ValueError(f"capacity {capacity} must be bigger than min_after_dequeue {least}.")

    return _batches(scope, lists, original, threads, make, summarize, options, check)


def _batches(
    default_scope: str,
    lists: list[Any],
    original: Any,
    threads: int | None,
    make: Callable[[Any, Any], QueueBase],
    summarize: Callable[[QueueBase], None],
    options: _Options,
    check: Callable[[], None] = lambda: None,
) -> Any:
    """Batches of the examples `lists`.

    threads  how many threads run the one enqueue op; None for one thread with an op for each list
    make     a queue for components of these dtypes and shapes
    """
    if _context.executing_eagerly():
        raise ValueError(
            "Input pipelines based on Queues are not supported when eager execution is enabled. Please use tf.data to "
            "ingest data into your model instead."
        )
    listed = [_in_a_list(tensors) for tensors in lists]
    with opened(options.name, default_scope, *(t for one in listed for t in one)) as (b, scope):
        check()
        tensors = [_converted(one) for one in listed]
        keep = _checked(b.convert(options.keep_input), options.enqueue_many)
        stored, sparse = _store(tensors[0], options.enqueue_many, keep, [None] * len(tensors[0]))
        components = [stored]
        for one in tensors[1:]:
            stored, found = _store(one, options.enqueue_many, keep, [s and s.map_op for s in sparse])
            if [s and s.map_op for s in found] != [s and s.map_op for s in sparse]:
                raise ValueError(f"Inconsistent SparseTensors list: {tensors[0]} vs. {one}")
            components.append(stored)
        queue = make(_types(components), _shapes(components, options.shapes, options.enqueue_many))
        put = queue.enqueue_many if options.enqueue_many else queue.enqueue
        ops = [_enqueued(put, one, keep) for one in components]
        add_queue_runner(QueueRunner(queue, ops if threads is None else ops * threads))
        summarize(queue)
        take = queue.dequeue_up_to if options.allow_smaller_final_batch else queue.dequeue_many
        taken = take(options.batch_size, name=scope)
        return _in_the_form_of(original, _restored(taken, sparse))


def _in_a_list(tensors: Any) -> list[Any]:
    if isinstance(tensors, Mapping):
        return [tensors[key] for key in sorted(tensors, key=str)]
    found: list[Any] = tensors
    return found


def _in_the_form_of(original: Any, tensors: Any) -> Any:
    if not isinstance(original, Mapping):
        return tensors
    if len(original) == 1:
        tensors = [tensors]
    return dict(zip(sorted(original, key=str), tensors, strict=True))


def _converted(tensors: Sequence[Any]) -> list[Any]:
    if not len(tensors):
        raise ValueError("Expected at least one tensor in batch().")
    return [t if isinstance(t, SparseTensor) else convert_n_to_tensor_or_indexed_slices([t])[0] for t in tensors]


def _checked(keep: Any, enqueue_many: bool) -> Any:
    rank = keep.shape.rank
    if rank is None:
        raise ValueError("`keep_input` dimensions must be known at graph construction.")
    if rank == 1 and not enqueue_many:
        raise ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.")
    if rank > 1:
        raise ValueError("`keep_input` must be 0 or 1 dimensions.")
    return keep


def _types(components: list[list[Any]]) -> list[Any]:
    types, *others = [[t.dtype for t in one] for one in components]
    for other in others:
        if other != types:
            texts = [", ".join(d.name for d in found) for found in (types, other)]
            raise TypeError(f"Expected types to be consistent: {texts[0]} vs. {texts[1]}.")
    return types


def _shapes(components: list[list[Any]], shapes: Any, enqueue_many: bool) -> Any:
    if shapes is not None:
        return shapes
    merged = []
    for of_one in zip(*components, strict=True):
        for tensor in of_one:
            if tensor.shape.rank is None:
                raise ValueError(f"Cannot infer Tensor's rank: {tensor}")
        found = [t.shape.with_rank_at_least(1)[1:] if enqueue_many else t.shape for t in of_one]
        for other in found[1:]:
            found[0].merge_with(other)
        merged.append(found[0].as_list())
    return merged


def _enqueued(put: Callable[[Any], Any], components: list[Any], keep: Any) -> Any:
    if keep.shape.rank == 1:
        kept = cast(keep, dtypes.int32)
        return put([plain("dynamic_partition")(t, kept, num_partitions=2)[1] for t in components])
    return smart_cond(keep, lambda: put(components), no_op)


# Sparse tensors stand in a queue as the numbers under which a table keeps them


class _Stored(NamedTuple):
    """How a sparse tensor was stored: the op that did so, and the rank of an example."""

    map_op: Operation
    rank: int | None


def _store(
    tensors: list[Any], enqueue_many: bool, keep: Any, shared: Sequence[Operation | None]
) -> tuple[list[Any], list[_Stored | None]]:
    """The components for a queue: tensors, and numbers of sparse tensors.

    shared  the ops whose tables take the sparse tensors
    """
    components: list[Any] = []
    found: list[_Stored | None] = []
    for tensor, table in zip(tensors, shared, strict=True):
        components.append(_number(tensor, enqueue_many, keep, table) if isinstance(tensor, SparseTensor) else tensor)
    for i, (tensor, table) in enumerate(zip(tensors, shared, strict=True)):
        if not isinstance(tensor, SparseTensor):
            found.append(None)
            continue
        rank = tensor.dense_shape.shape.with_rank(1)[0].value
        if enqueue_many and rank is not None:
            rank -= 1
        found.append(_Stored(table or _storing(components[i].op), rank))
    for i, how in enumerate(found):
        if how is not None:
            components[i] = expand_dims(components[i], [-1])
    return components, found


def _storing(op: Operation) -> Operation:
    """The op that stored a sparse tensor: this one, or the one that this merges."""
    return next((t.op for t in op.inputs if t.op.type.endswith("SparseToTensorsMap")), op)


def _number(tensor: SparseTensor, enqueue_many: bool, keep: Any, table: Operation | None) -> Any:
    shared_name = None if table is None else table.name

    def add(op_type: str, sparse: SparseTensor) -> Any:
        b = on(sparse.indices, sparse.values, sparse.dense_shape)
        return b.op(op_type, sparse.indices, sparse.values, sparse.dense_shape, shared_name=shared_name)

    if keep.shape.rank == 1:
        places: Any = tensor.indices
        kept = retain(tensor, gather(keep, places[:, 0]))
        return add("AddManySparseToTensorsMap", kept)
    if not enqueue_many:
        return smart_cond(
            keep, lambda: add("AddSparseToTensorsMap", tensor), lambda: _context.builder().constant(-1, dtypes.int64)
        )
    numbers = smart_cond(
        keep,
        lambda: add("AddManySparseToTensorsMap", tensor),
        lambda: -1 * ones(shape(tensor)[0:1], dtypes.int64),
    )
    numbers.set_shape([None])
    return numbers


def _restored(taken: Any, found: list[_Stored | None]) -> Any:
    """What was taken out of the queue, with sparse tensors in the places of their numbers."""
    several = isinstance(taken, list)
    tensors = [
        t if how is None else _taken(how, squeeze(t, [1]))
        for t, how in zip(taken if several else [taken], found, strict=True)
    ]
    if any(how is not None for how in found):
        # All together: a number may be taken once.
        values = [t.values if isinstance(t, SparseTensor) else t for t in tensors]
        tensors = [
            SparseTensor(*(with_dependencies(values, part) for part in (t.indices, t.values, t.dense_shape)))
            if isinstance(t, SparseTensor)
            else with_dependencies(values, t)
            for t in tensors
        ]
    return tensors if several else tensors[0]


def _taken(how: _Stored, numbers: Any) -> SparseTensor:
    op = how.map_op
    rank = None if how.rank is None else how.rank + 1
    with colocate_with(op):
        indices, values, sizes = _context.builder().TakeManySparseFromTensorsMap(
            numbers,
            dtype=op.get_attr("T"),
            container=op.get_attr("container"),
            shared_name=op.get_attr("shared_name") or op.name,
        )
    indices.set_shape(TensorShape([None, rank]))
    sizes.set_shape(TensorShape([rank]))
    return SparseTensor(indices, values, sizes)
