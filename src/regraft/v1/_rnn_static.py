"""Recurrent networks over lists of tensors, one copy of the cell's operations for each step."""

from __future__ import annotations

import functools
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.opkit import nest
from regraft.v1._array import concat, identity, reverse_sequence, shape, stack, unstack, zeros
from regraft.v1._graph import control_dependencies, convert_to_tensor
from regraft.v1._math import cast
from regraft.v1._reduction import reduce_max, reduce_min
from regraft.v1._rnn import rnn_scope, starting_state
from regraft.v1._rnn_state import check_cell, joined, joined_shape
from regraft.v1._rnn_step import one_dtype, step
from regraft.v1._variable_scope import variable_scope

__all__ = [
    "bidirectional_rnn",
    "rnn",
    "state_saving_rnn",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
]


def _check_inputs(inputs: Any) -> None:
    if not nest.is_nested(inputs):
        raise TypeError(f"Argument `inputs` must be a sequence. Received: {inputs}")
    if not inputs:
        raise ValueError("Argument `inputs` must not be empty.")


def static_rnn(
    cell: Any,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """(list of outputs, final state) of a cell that goes along a list of inputs [batch, depth].

    initial_state    in the structure of `cell.state_size`; zeros of `dtype` where it is None
    sequence_length  [batch] integers: behind the end of a sequence outputs are zero and the state stays
    raises           TypeError for no cell and no list, ValueError for an empty one and shapes that are not known
    """
    check_cell("cell", cell)
    _check_inputs(inputs)
    outputs = []
    with rnn_scope(scope) as opened:
        known_batch = _known_batch(nest.flatten(inputs))
        batch_size = known_batch or shape(nest.flatten(inputs[0])[0])[0]
        state = starting_state(cell, batch_size, dtype) if initial_state is None else initial_state
        if sequence_length is not None:
            sequence_length = convert_to_tensor(sequence_length, name="sequence_length")
            if sequence_length.shape.rank not in (None, 1):
                raise ValueError(
                    f"Argument `sequence_length` must be a vector of length {batch_size}. Received "
                    f"sequence_length={sequence_length}."
                )

            def zero_output(size: Any) -> Any:
                output = zeros(joined(batch_size, size), one_dtype(dtype, state))
                output.set_shape(joined_shape(known_batch, size))
                return output

            none = nest.map_structure(zero_output, cell.output_size)
            sequence_length = cast(sequence_length, dtypes.int32)
            shortest, longest = reduce_min(sequence_length), reduce_max(sequence_length)
        for time, value in enumerate(inputs):
            if time > 0:
                opened.reuse_variables()
            if sequence_length is None:
                output, state = cell(value, state)
            else:
                call = functools.partial(cell, value, state)
                output, state = step(time, sequence_length, shortest, longest, none, state, call)
            outputs.append(output)
        return outputs, state


def _known_batch(inputs: list[Any]) -> int | None:
    """The number of rows of all inputs, where it is known. ValueError where they differ, or a depth is not known."""
    found: int | None = None
    if inputs[0].shape.rank == 1:
        first: int | None = inputs[0].shape.as_list()[0]
        return first
    for tensor in inputs:
        sizes = tensor.shape.with_rank_at_least(2).as_list()
        for i, size in enumerate(sizes[1:]):
            if size is None:
                raise ValueError(
                    f"Input size (dimension {i} of input {tensor}) must be accessible via shape inference, but saw "
                    "value None."
                )
        if found is not None and sizes[0] is not None and found != sizes[0]:
            raise ValueError(f"Dimensions {found} and {sizes[0]} are not compatible")
    return inputs[0].shape.as_list()[0]  # type: ignore[no-any-return]  # its first dimension


def static_state_saving_rnn(
    cell: Any, inputs: Any, state_saver: Any, state_name: Any, sequence_length: Any = None, scope: Any = None
) -> Any:
    """`static_rnn` that takes its first state from `state_saver.state(name)`, and hands it the last one.

    state_saver  an object with `state(name)` and `save_state(name, value)`
    state_name   one name, or names in the structure of `cell.state_size`; ValueError for another structure
    """
    sizes = cell.state_size
    if nest.is_nested(sizes) != nest.is_nested(state_name):
        raise ValueError(
            "Argument `state_name` should be the same type as `cell.state_size`. Received: "
            f"state_name={state_name!s}, cell.state_size={sizes!s}."
        )
    names = nest.flatten(state_name)
    if len(names) != len(nest.flatten(sizes)):
        raise ValueError(
            "Number of elements in argument `state_name` and `cell.state_size` are mismatched. Received "
            f"state_name={state_name} and cell.state_size={sizes}."
        )
    first = nest.pack(sizes, [state_saver.state(name) for name in names])
    outputs, state = static_rnn(cell, inputs, first, sequence_length=sequence_length, scope=scope)
    saved = [state_saver.save_state(n, part) for n, part in zip(names, nest.flatten(state), strict=True)]
    with control_dependencies(saved):
        outputs[-1] = nest.map_structure(identity, outputs[-1])
        return outputs, nest.map_structure(identity, state)


def _reversed(inputs: Any, lengths: Any) -> list[Any]:
    """The inputs from the last to the first; with lengths, each sequence by itself."""
    if lengths is None:
        return list(reversed(inputs))
    results: list[list[Any]] = [[] for _ in inputs]
    for sequence in zip(*[nest.flatten(value) for value in inputs], strict=True):
        unknown = TensorShape([None] * sequence[0].shape.rank if sequence[0].shape.rank is not None else None)
        for tensor in sequence:
            tensor.set_shape(unknown)
        turned = reverse_sequence(stack(sequence), lengths, 0, 1)
        for result, tensor in zip(results, unstack(turned), strict=True):
            tensor.set_shape(unknown)
            result.append(tensor)
    return [nest.pack(value, flat) for value, flat in zip(inputs, results, strict=True)]


def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """(list of outputs of both directions side by side, state forward, state backward); see `static_rnn`."""
    check_cell("cell_fw", cell_fw)
    check_cell("cell_bw", cell_bw)
    _check_inputs(inputs)
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forward:
            outputs, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, forward)
        with variable_scope("bw") as backward:
            turned = _reversed(inputs, sequence_length)
            back, state_bw = static_rnn(cell_bw, turned, initial_state_bw, dtype, sequence_length, backward)
    back = _reversed(back, sequence_length)
    pairs = zip(nest.flatten(outputs), nest.flatten(back), strict=True)
    return nest.pack(outputs, [concat([fw, bw], 1) for fw, bw in pairs]), state_fw, state_bw


# Their names before TensorFlow 1.0
rnn = static_rnn
state_saving_rnn = static_state_saving_rnn
bidirectional_rnn = static_bidirectional_rnn
