"""Recurrent networks over sequences as loops: tf.nn.dynamic_rnn, tf.nn.bidirectional_dynamic_rnn, tf.nn.raw_rnn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit import nest
from regraft.opkit.constant import literal_value
from regraft.v1 import _context
from regraft.v1._array import concat, identity, rank, reverse_sequence, shape, stack, transpose, zeros
from regraft.v1._assertion import Assert
from regraft.v1._control_flow import while_loop
from regraft.v1._graph import control_dependencies, convert_to_tensor, name_scope
from regraft.v1._math import cast, equal
from regraft.v1._reduction import reduce_all, reduce_max, reduce_min
from regraft.v1._rnn_state import check_cell, joined, joined_shape
from regraft.v1._rnn_step import one_dtype, step, where_not_scalar
from regraft.v1._tensor_array import TensorArray
from regraft.v1._variable_scope import variable_scope

__all__ = ["bidirectional_dynamic_rnn", "dynamic_rnn", "raw_rnn"]


def cache_variables(scope: Any) -> None:
    """Let the variables of the scope be read once for all steps of its loops, where it is in no loop itself."""
    around = _context.get_default_graph().scopes.control_flow_context
    if (around is None or around.GetWhileContext() is None) and scope.caching_device is None:
        scope.set_caching_device(lambda op: op.device)


@contextlib.contextmanager
def rnn_scope(scope: Any) -> Iterator[Any]:
    """The variable scope of a network, with `cache_variables`."""
    with variable_scope(scope or "rnn") as opened:
        cache_variables(opened)
        yield opened


def transpose_batch_time(x: Tensor) -> Tensor:
    """The tensor with its first two dimensions swapped."""
    sizes = x.shape.sizes
    if sizes is not None and len(sizes) < 2:
        return x
    b = _context.builder()
    out: Tensor = transpose(x, concat(([1, 0], b.range(2, rank(x))), axis=0))
    if sizes is not None:
        out.set_shape([sizes[1], sizes[0], *sizes[2:]])
    return out


def best_effort_input_batch_size(inputs: Any) -> Any:
    """The number of sequences in tensors [time, batch, ...]."""
    for tensor in inputs:
        sizes = tensor.shape.sizes
        if sizes is None:
            continue
        if len(sizes) < 2:
            raise ValueError(f"Input tensor should have rank >= 2. Received input={tensor} of rank {len(sizes)}")
        if sizes[1] is not None:
            return sizes[1]
    return shape(inputs[0])[1]


def starting_state(cell: Any, batch_size: Any, dtype: Any) -> Any:
    """The state that a cell begins with. ValueError without a dtype."""
    if not dtype:
        raise ValueError("If no initial_state is provided, argument `dtype` must be specified")
    if getattr(cell, "get_initial_state", None) is not None:
        return cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
    return cell.zero_state(batch_size, dtype)


def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """(outputs, final state) of a cell that goes along sequences.

    inputs           [batch, time, ...], or [time, batch, ...] with `time_major`; or a structure of these
    sequence_length  [batch] integers: behind the end of a sequence outputs are zero and the state stays
    initial_state    in the structure of `cell.state_size`; zeros of `dtype` where it is None
    returns          outputs as `inputs`, in the structure of `cell.output_size`
    raises           TypeError for no cell, ValueError for shapes that are not known or do not fit
    """
    check_cell("cell", cell)
    with rnn_scope(scope):
        flat = nest.flatten(inputs)
        if not time_major:
            flat = [convert_to_tensor(value) for value in flat]
            flat = [transpose_batch_time(tensor) for tensor in flat]
        if sequence_length is not None:
            sequence_length = cast(sequence_length, dtypes.int32)
            if sequence_length.shape.rank not in (None, 1):
                raise ValueError(
                    "Argument sequence_length must be a vector of length batch_size. Received sequence_length="
                    f"{sequence_length} of shape: {sequence_length.shape}"
                )
            sequence_length = identity(sequence_length, name="sequence_length")
        batch_size = best_effort_input_batch_size(flat)
        state = starting_state(cell, batch_size, dtype) if initial_state is None else initial_state
        if sequence_length is not None:
            with control_dependencies([_has_length(sequence_length, batch_size)]):
                sequence_length = identity(sequence_length, name="CheckSeqLen")
        outputs, final = _loop(
            cell, inputs, flat, state, parallel_iterations or 32, swap_memory, sequence_length, dtype
        )
        if not time_major:
            outputs = nest.map_structure(transpose_batch_time, outputs)
        return outputs, final


def _has_length(vector: Tensor, length: Any) -> Any:
    found, wanted = shape(vector), stack([length])
    return Assert(
        reduce_all(equal(found, wanted)),
        [f"Expected shape for Tensor {vector.name} is ", wanted, " but saw shape: ", found],
    )


def _loop(
    cell: Any,
    form: Any,
    inputs: list[Tensor],
    state: Any,
    parallel_iterations: int,
    swap_memory: bool,
    sequence_length: Any,
    dtype: Any,
) -> tuple[Any, Any]:
    """The loop over `inputs` [time, batch, ...], which the cell takes in the structure `form`."""
    output_sizes = nest.flatten(cell.output_size)
    time_steps = shape(inputs[0])[0]
    batch_size = best_effort_input_batch_size(inputs)
    known_steps, known_batch = _known(inputs)

    def zero_output(size: Any) -> Any:
        return zeros(joined(batch_size, size), one_dtype(dtype, state))

    none = nest.pack(cell.output_size, [zero_output(size) for size in output_sizes])
    shortest, longest = None, time_steps
    if sequence_length is not None:
        shortest, longest = reduce_min(sequence_length), reduce_max(sequence_length)
    b = _context.builder()
    time = b.constant(0, dtypes.int32, name="time")
    with name_scope("dynamic_rnn") as prefix:
        pass

    def array(name: str, element_shape: Any, kind: Any) -> Any:
        return TensorArray(kind, time_steps, element_shape=element_shape, tensor_array_name=prefix + name)

    outputs = tuple(
        array(f"output_{i}", TensorShape([known_batch]).concatenate(_static(size)), one_dtype(dtype, state))
        for i, size in enumerate(output_sizes)
    )
    rows = [array(f"input_{i}", tensor.shape[1:], tensor.dtype) for i, tensor in enumerate(inputs)]
    rows = [row.unstack(tensor) for row, tensor in zip(rows, inputs, strict=True)]

    def one_step(time: Any, outputs: Any, state: Any) -> Any:
        now = [row.read(time) for row in rows]
        for value, tensor in zip(now, inputs, strict=True):
            value.set_shape(tensor.shape[1:])

        def call() -> Any:
            return cell(nest.pack(form, now), state)

        if sequence_length is None:
            output, new = call()
        else:
            output, new = step(time, sequence_length, shortest, longest, none, state, call, skip_conditionals=True)
        outputs = tuple(array.write(time, o) for array, o in zip(outputs, nest.flatten(output), strict=True))
        return time + 1, outputs, new

    bound = b.Minimum(time_steps, b.Maximum(1, longest))
    _, outputs, final = while_loop(
        lambda time, *_: time < bound,
        one_step,
        (time, outputs, state),
        parallel_iterations=parallel_iterations,
        maximum_iterations=time_steps,
        swap_memory=swap_memory,
    )
    stacked = [array.stack() for array in outputs]
    for output, size in zip(stacked, output_sizes, strict=True):
        output.set_shape(joined_shape([known_steps, known_batch], size))
    return nest.pack(cell.output_size, stacked), final


def _static(size: Any) -> Any:
    return TensorShape(literal_value(size)) if isinstance(size, Tensor) else size


def _known(inputs: list[Tensor]) -> tuple[int | None, int | None]:
    """(time, batch) of the inputs, as far as they are known. ValueError where they differ, or a depth is not known."""
    shapes = [tensor.shape.with_rank_at_least(3).as_list() for tensor in inputs]
    for tensor, sizes in zip(inputs, shapes, strict=True):
        if None in sizes[2:]:
            raise ValueError(
                "Input size (depth of inputs) must be accessible via shape inference, but saw value None for "
                f"input={tensor}."
            )
        for at, what in enumerate(("Time steps", "Batch_size")):
            if sizes[at] != shapes[0][at]:
                raise ValueError(
                    f"{what} is not the same for all the elements in the input: {sizes[at]} for input={tensor}, "
                    f"{shapes[0][at]} for the first"
                )
    return shapes[0][0], shapes[0][1]


def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """((outputs forward, outputs backward), (state forward, state backward)); see `dynamic_rnn`."""
    check_cell("cell_fw", cell_fw)
    check_cell("cell_bw", cell_bw)
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)

    def reverse(tensor: Any) -> Any:
        if sequence_length is None:
            return _context.builder().ReverseV2(tensor, [time_axis])
        return reverse_sequence(tensor, sequence_length, seq_axis=time_axis, batch_axis=batch_axis)

    def run(cell: Any, inputs: Any, initial_state: Any, scope: Any) -> Any:
        return dynamic_rnn(
            cell, inputs, sequence_length, initial_state, dtype, parallel_iterations, swap_memory, time_major, scope
        )

    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forward:
            output_fw, state_fw = run(cell_fw, inputs, initial_state_fw, forward)
        with variable_scope("bw") as backward:
            reversed_inputs = nest.map_structure(reverse, inputs)
            output_bw, state_bw = run(cell_bw, reversed_inputs, initial_state_bw, backward)
    return (output_fw, nest.map_structure(reverse, output_bw)), (state_fw, state_bw)


def raw_rnn(
    cell: Any,
    loop_fn: Callable[..., Any],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> Any:
    """(TensorArrays of what was emitted, final state, final loop state) of a cell that goes on as `loop_fn` says.

    loop_fn  function of (time, cell output, cell state, loop state), all but the time None for the first call, that
             returns (finished [batch], next input, next cell state, what to emit, next loop state). The first call's
             state is the initial one, and its emission says which sizes and dtypes to expect: the cell's where it
             is None
    raises   TypeError for no cell and no function, ValueError for structures that differ
    """
    check_cell("cell", cell)
    if not callable(loop_fn):
        raise TypeError(f"Argument `loop_fn` must be a callable. Received: {loop_fn}.")
    with rnn_scope(scope):
        b = _context.builder()
        time = b.constant(0, dtypes.int32)
        finished, next_input, state, emission, first_loop_state = loop_fn(time, None, None, None)
        inputs = nest.flatten(next_input)
        loop_state = b.constant(0, dtypes.int32) if first_loop_state is None else first_loop_state
        known_batch = None
        for tensor in inputs:
            found = None if tensor.shape.rank is None else tensor.shape.as_list()[0]
            if known_batch is not None and found is not None and known_batch != found:
                raise ValueError(f"Dimensions {known_batch} and {found} are not compatible")
            known_batch = found if known_batch is None else known_batch
        batch_size = shape(inputs[0])[0] if known_batch is None else known_batch
        nest.check_same(state, cell.state_size)
        state = nest.map_structure(convert_to_tensor, state)
        emitted = nest.flatten(cell.output_size if emission is None else emission)
        if emission is None:
            emission, sizes = cell.output_size, emitted
            kinds = [nest.flatten(state)[0].dtype] * len(emitted)
        else:
            sizes = [v.shape if v.shape.is_fully_defined() else shape(v) for v in emitted]
            kinds = [v.dtype for v in emitted]
        arrays = [
            TensorArray(
                kind,
                dynamic_size=True,
                element_shape=TensorShape([known_batch]).concatenate(_static(size)),
                size=0,
                name=f"rnn_output_{i}",
            )
            for i, (kind, size) in enumerate(zip(kinds, sizes, strict=True))
        ]
        nothing = nest.pack(
            emission, [zeros(joined(batch_size, size), kind) for size, kind in zip(sizes, kinds, strict=True)]
        )

        def body(time: Any, finished: Any, now: Any, arrays: Any, state: Any, loop_state: Any) -> Any:
            output, cell_state = cell(now, state)
            nest.check_same(state, cell_state)
            nest.check_same(cell.output_size, output)
            after = time + 1
            done, following, new, emit, new_loop_state = loop_fn(after, output, cell_state, loop_state)
            nest.check_same(state, new)
            nest.check_same(now, following)
            nest.check_same(arrays, emit)
            loop_state = loop_state if new_loop_state is None else new_loop_state
            emit = _kept(finished, nothing, emit)
            new = _kept(finished, state, new)
            written = [a.write(time, e) for a, e in zip(nest.flatten(arrays), nest.flatten(emit), strict=True)]
            finished = b.LogicalOr(finished, done)
            return after, finished, following, nest.pack(arrays, written), new, loop_state

        _, _, _, arrays, state, loop_state = while_loop(
            lambda time, finished, *_: b.LogicalNot(reduce_all(finished)),
            body,
            [time, finished, next_input, nest.pack(emission, arrays), state, loop_state],
            parallel_iterations=parallel_iterations or 32,
            swap_memory=swap_memory,
        )
        return arrays, state, None if first_loop_state is None else loop_state


def _kept(finished: Any, old: Any, new: Any) -> Any:
    """The new values, but the old ones for those sequences that are finished."""
    pairs = zip(nest.flatten(old), nest.flatten(new), strict=True)
    return nest.pack(new, [where_not_scalar(finished, o, n) for o, n in pairs])
