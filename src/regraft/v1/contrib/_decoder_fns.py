"""The decoders of TensorFlow 1.0: a function that says how to go on, run by `dynamic_rnn_decoder`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.opkit import nest
from regraft.v1 import _context
from regraft.v1._array import ones, shape, transpose, zeros
from regraft.v1._control_flow import cond
from regraft.v1._graph import convert_to_tensor, name_scope
from regraft.v1._indexing import gather
from regraft.v1._math import cast, equal
from regraft.v1._reduction import argmax
from regraft.v1._rnn import raw_rnn
from regraft.v1._tensor_array import TensorArray

__all__ = ["dynamic_rnn_decoder", "simple_decoder_fn_inference", "simple_decoder_fn_train"]

DecoderFn = Callable[[Any, Any, Any, Any, Any], Any]


def simple_decoder_fn_train(encoder_state: Any, name: str | None = None) -> DecoderFn:
    """A decoder function that begins with the encoder's state and takes its inputs as they come."""
    with name_scope(name, "simple_decoder_fn_train", [encoder_state]):
        pass

    def decoder_fn(time: Any, cell_state: Any, cell_input: Any, cell_output: Any, context_state: Any) -> Any:
        with name_scope(name, "simple_decoder_fn_train", [time, cell_state, cell_input, cell_output, context_state]):
            state = encoder_state if cell_state is None else cell_state
            return None, state, cell_input, cell_output, context_state

    return decoder_fn


def simple_decoder_fn_inference(
    output_fn: Callable[[Any], Any] | None,
    encoder_state: Any,
    embeddings: Any,
    start_of_sequence_id: Any,
    end_of_sequence_id: Any,
    maximum_length: Any,
    num_decoder_symbols: Any,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> DecoderFn:
    """A decoder function that feeds back the embedding of the likeliest class.

    output_fn       makes logits of the cell's outputs; they are taken as they are where it is None
    maximum_length  steps after which all sequences are finished
    """
    with name_scope(name, "simple_decoder_fn_inference", [encoder_state, embeddings]):
        start = convert_to_tensor(start_of_sequence_id, dtype)
        end = convert_to_tensor(end_of_sequence_id, dtype)
        limit = convert_to_tensor(maximum_length, dtype)
        symbols = convert_to_tensor(num_decoder_symbols, dtype)
        state = nest.flatten(encoder_state)[0]
        batch_size = state.shape.as_list()[0]
        if batch_size is None:
            batch_size = shape(state)[0]

    def decoder_fn(time: Any, cell_state: Any, cell_input: Any, cell_output: Any, context_state: Any) -> Any:
        values = [time, cell_state, cell_input, cell_output, context_state]
        with name_scope(name, "simple_decoder_fn_inference", values):
            if cell_input is not None:
                raise ValueError(f"Expected cell_input to be None, but saw: {cell_input}")
            if cell_output is None:
                ids = ones([batch_size], dtype=dtype) * start
                done = zeros([batch_size], dtype=dtypes.bool_)
                cell_state = encoder_state
                cell_output = zeros([symbols], dtype=dtypes.float32)
            else:
                cell_output = cell_output if output_fn is None else output_fn(cell_output)
                ids = cast(argmax(cell_output, 1), dtype)
                done = equal(ids, end)
            following = gather(embeddings, ids)
            over = _context.builder().Greater(time, limit)
            done = cond(over, lambda: ones([batch_size], dtype=dtypes.bool_), lambda: done)
            return done, cell_state, following, cell_output, context_state

    return decoder_fn


def dynamic_rnn_decoder(
    cell: Any,
    decoder_fn: DecoderFn,
    inputs: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
    name: str | None = None,
) -> Any:
    """(outputs, final state, final context) of a cell that goes on as `decoder_fn` says.

    decoder_fn       function of (time, cell state, next input or None, cell output, context) that returns (finished
                     [batch] or None, cell state, input, what to emit, context)
    inputs           [batch, time, depth], or [time, batch, depth] with `time_major`; None for what feeds itself
    sequence_length  [batch] integers, for a function that does not say what is finished
    raises           ValueError for inputs of less than three dimensions
    """
    with name_scope(name, "dynamic_rnn_decoder", [inputs, sequence_length]):
        if inputs is not None:
            inputs = convert_to_tensor(inputs)
            if inputs.shape.rank is not None and inputs.shape.rank < 3:
                raise ValueError("Inputs must have at least three dimensions")
            if not time_major:
                inputs = transpose(inputs, perm=[1, 0, 2])
            max_time, known_batch, depth = inputs.shape.as_list()
            max_time = shape(inputs)[0] if max_time is None else max_time
            steps = TensorArray(inputs.dtype, size=max_time).unstack(inputs)

        def read(time: Any, done: Any) -> Any:
            batch_size = shape(done)[0] if known_batch is None else known_batch
            over = equal(time, max_time)
            return cond(over, lambda: zeros([batch_size, depth], dtype=inputs.dtype), lambda: steps.read(time))

        def loop_fn(time: Any, cell_output: Any, cell_state: Any, loop_state: Any) -> Any:
            done, context = loop_state if isinstance(loop_state, tuple) else (loop_state, None)
            following = None
            if inputs is not None:
                following = steps.read(0) if cell_state is None else read(time, done)
            done, state, following, emit, context = decoder_fn(time, cell_state, following, cell_output, context)
            if done is None:
                done = time >= sequence_length
            return done, following, state, emit, done if context is None else (done, context)

        outputs, state, last = raw_rnn(cell, loop_fn, parallel_iterations, swap_memory, scope)
        stacked = outputs.stack()
        if not time_major:
            stacked = transpose(stacked, perm=[1, 0, 2])
        return stacked, state, last[1] if isinstance(last, tuple) else None
