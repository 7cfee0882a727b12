"""Queues that give file names, numbers or rows again and again: the start of an input pipeline."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.graph_keys import GraphKeys
from regraft.ir.node import Tensor
from regraft.v1 import _context
from regraft.v1._array import identity, shape, size
from regraft.v1._assertion import Assert
from regraft.v1._conversion import convert_n_to_tensor_or_indexed_slices
from regraft.v1._indexing import gather
from regraft.v1._math import cast
from regraft.v1._opening import opened
from regraft.v1._plain import function as plain
from regraft.v1._queue_runners import QueueRunner, add_queue_runner
from regraft.v1._queues import FIFOQueue
from regraft.v1._random import random_shuffle
from regraft.v1._reduction import range as range_
from regraft.v1._variables import Variable
from regraft.v1.summary import scalar

__all__ = [
    "input_producer",
    "limit_epochs",
    "match_filenames_once",
    "range_input_producer",
    "slice_input_producer",
    "string_input_producer",
]

# Which class it makes, the program's settings say.
_variable: Any = Variable
_EMPTY = "string_input_producer requires a non-null input tensor"


def match_filenames_once(pattern: Any, name: str | None = None) -> Any:
    """A local variable that its initializer sets to the names of the files that match a pattern, or several."""
    with opened(name, "matching_filenames", pattern) as (_, scope):
        return _variable(
            name=scope,
            initial_value=plain("matching_files")(pattern),
            trainable=False,
            validate_shape=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )


def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> Any:
    """`tensor`, which may be computed `num_epochs` times, then OutOfRangeError; `epochs`, a local variable, counts.

    raises  ValueError unless the number is positive
    """
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with opened(name, "limit_epochs", tensor) as (b, scope):
        zero = b.constant(0, dtypes.int64)
        epochs = _variable(zero, name="epochs", trainable=False, collections=[GraphKeys.LOCAL_VARIABLES])
        with b.graph.control_dependencies([epochs.count_up_to(num_epochs)]):
            return identity(tensor, name=scope)


def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> FIFOQueue:
    """A queue of the rows of a tensor, which a queue runner puts in again and again, or `num_epochs` times.

    element_shape  of a row, where the tensor's shape does not say it
    shuffle        put the rows of each epoch in in a random order
    summary_name   for a summary of how full the queue is
    cancel_op      for the queue runner, in the place of its own
    raises         ValueError where the shape of a row is not fully known
    """
    if _context.executing_eagerly():
        raise RuntimeError(
            "Input pipelines based on Queues are not supported when eager execution is enabled. Please use tf.data to "
            "ingest data into your model instead."
        )
    with opened(name, "input_producer", input_tensor) as (b, _):
        rows = b.convert(input_tensor, name="input_tensor")
        row_shape = rows.shape[1:].merge_with(TensorShape(element_shape))
        if not row_shape.is_fully_defined():
            raise ValueError(
                "Either `input_tensor` must have a fully defined shape or `element_shape` must be specified"
            )
        if shuffle:
            rows = random_shuffle(rows, seed=seed)
        rows = limit_epochs(rows, num_epochs)
        queue = FIFOQueue(
            capacity=capacity, dtypes=[rows.dtype.base], shapes=[row_shape], shared_name=shared_name, name=name or ""
        )
        add_queue_runner(QueueRunner(queue, [queue.enqueue_many([rows])], cancel_op=cancel_op))
        if summary_name is not None:
            scalar(summary_name, cast(queue.size(), dtypes.float32) * (1.0 / capacity))
        return queue


def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> FIFOQueue:
    """A queue of strings, names of files mostly; see `input_producer`. ValueError for an empty list of them."""
    if not isinstance(string_tensor, Tensor) and not string_tensor:
        raise ValueError(_EMPTY)
    with opened(name, "input_producer", string_tensor) as (b, scope):
        strings = b.convert(string_tensor, dtypes.string)
        with b.graph.control_dependencies([Assert(plain("greater")(size(strings), 0), [_EMPTY])]):
            strings = identity(strings)
        return input_producer(
            strings,
            [],
            num_epochs,
            shuffle,
            seed,
            capacity,
            shared_name,
            summary_name=f"fraction_of_{capacity}_full",
            name=scope,
            cancel_op=cancel_op,
        )


def range_input_producer(
    limit: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> FIFOQueue:
    """A queue of the integers from 0 to `limit` - 1; see `input_producer`."""
    with opened(name, "input_producer", limit) as (_, scope):
        return input_producer(
            range_(limit), [], num_epochs, shuffle, seed, capacity, shared_name, f"fraction_of_{capacity}_full", scope
        )


def slice_input_producer(
    tensor_list: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Any]:
    """A row of each of some tensors of one length, another one with each run; see `input_producer`."""
    with opened(name, "input_producer", *tensor_list):
        tensors = convert_n_to_tensor_or_indexed_slices(tensor_list)
        if not tensors:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        queue = range_input_producer(
            shape(tensors[0])[0],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
        )
        index = queue.dequeue()
        return [gather(t, index) for t in tensors]
