"""Decoders of tf.contrib.seq2seq: what makes a sequence step by step, and the loop that runs it."""

from __future__ import annotations

import collections
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.opkit import nest
from regraft.opkit.constant import literal_value
from regraft.v1 import _context
from regraft.v1 import nest as nest_names
from regraft.v1._array import fill, shape, zeros_like
from regraft.v1._control_flow import while_loop
from regraft.v1._graph import convert_to_tensor, name_scope
from regraft.v1._indexing import where
from regraft.v1._layer import Layer
from regraft.v1._reduction import reduce_all
from regraft.v1._rnn import cache_variables, transpose_batch_time
from regraft.v1._rnn_state import check_cell, zero_state
from regraft.v1._tensor_array import TensorArray
from regraft.v1._variable_scope import variable_scope
from regraft.v1.contrib._decoder_inputs import Helper

__all__ = ["BasicDecoder", "BasicDecoderOutput", "Decoder", "dynamic_decode"]


class Decoder:
    """What `dynamic_decode` runs: `initialize()`, then `step(time, inputs, state)` until all sequences are finished.

    A subclass has `batch_size`, and in one structure `output_size` (without the batch) and `output_dtype`.
    """

    @property
    def batch_size(self) -> Any:
        """The number of sequences."""
        raise NotImplementedError

    @property
    def output_size(self) -> Any:
        """The sizes of a step's outputs, without the batch."""
        raise NotImplementedError

    @property
    def output_dtype(self) -> Any:
        """The dtypes of a step's outputs."""
        raise NotImplementedError

    def initialize(self, name: str | None = None) -> Any:
        """(finished [batch], first inputs, first state)."""
        raise NotImplementedError

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """(outputs, next state, next inputs, finished [batch])."""
        raise NotImplementedError

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """(outputs, final state) as they are to be returned."""
        raise NotImplementedError

    @property
    def tracks_own_finished(self) -> bool:
        """Whether `step` may take back that a sequence is finished, because it changes their places."""
        return False


def dynamic_decode(
    decoder: Any,
    output_time_major: bool = False,
    impute_finished: bool = False,
    maximum_iterations: Any = None,
    parallel_iterations: int = 32,
    swap_memory: bool = False,
    scope: Any = None,
) -> Any:
    """(outputs, final state, lengths of the sequences) of a decoder that runs to its end.

    output_time_major   outputs are [time, batch, ...]; else [batch, time, ...]
    impute_finished     behind the end of a sequence outputs are zeros, and the state stays
    maximum_iterations  the most steps to take; no limit where it is None
    raises              TypeError for no decoder, ValueError for a limit that is no scalar
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with variable_scope(scope, "decoder") as opened:
        cache_variables(opened)
        b = _context.builder()
        if maximum_iterations is not None:
            maximum_iterations = convert_to_tensor(maximum_iterations, dtypes.int32, name="maximum_iterations")
            if maximum_iterations.shape.rank != 0:
                raise ValueError("maximum_iterations must be a scalar")
        finished, inputs, state = decoder.initialize()
        nothing = nest_names.map_structure(
            lambda size, kind: zero_state(size, decoder.batch_size, kind), decoder.output_size, decoder.output_dtype
        )
        if maximum_iterations is not None:
            finished = b.LogicalOr(finished, maximum_iterations <= 0)
        lengths = zeros_like(finished, dtype=dtypes.int32)
        time = b.constant(0, dtypes.int32)
        arrays = nest_names.map_structure(
            lambda size, kind: TensorArray(kind, 0, True, element_shape=_with_batch(decoder.batch_size, size)),
            decoder.output_size,
            decoder.output_dtype,
        )

        def body(time: Any, arrays: Any, state: Any, inputs: Any, finished: Any, lengths: Any) -> Any:
            outputs, new, following, done = decoder.step(time, inputs, state)
            if not decoder.tracks_own_finished:
                done = b.LogicalOr(done, finished)
            running = b.LogicalNot(finished)
            lengths = where(running, fill(shape(lengths), time + 1), lengths)
            nest.check_same(state, new)
            nest.check_same(arrays, outputs)
            nest.check_same(inputs, following)
            if impute_finished:
                outputs = nest_names.map_structure(lambda o, zero: where(finished, zero, o), outputs, nothing)
                new = nest_names.map_structure(lambda n, old: _kept(finished, n, old), new, state)
            arrays = nest_names.map_structure(lambda array, o: array.write(time, o), arrays, outputs)
            return time + 1, arrays, new, following, done, lengths

        _, arrays, state, _, _, lengths = while_loop(
            lambda time, arrays, state, inputs, finished, lengths: b.LogicalNot(reduce_all(finished)),
            body,
            (time, arrays, state, inputs, finished, lengths),
            parallel_iterations=parallel_iterations,
            maximum_iterations=maximum_iterations,
            swap_memory=swap_memory,
        )
        outputs = nest_names.map_structure(lambda array: array.stack(), arrays)
        if type(decoder).finalize is not Decoder.finalize:
            outputs, state = decoder.finalize(outputs, state, lengths)
        if not output_time_major:
            outputs = nest_names.map_structure(transpose_batch_time, outputs)
    return outputs, state, lengths


def _with_batch(batch_size: Any, size: Any) -> TensorShape | None:
    if not isinstance(size, TensorShape) or size.rank == 0:
        return None
    known = literal_value(convert_to_tensor(batch_size, name="batch_size"))
    return TensorShape([None if known is None else int(known)]).concatenate(size)


def _kept(finished: Any, new: Any, old: Any) -> Any:
    if isinstance(old, TensorArray):
        return new
    new.set_shape(old.shape)
    return new if new.shape.rank == 0 else where(finished, old, new)


def output_size_of(cell: Any, layer: Any) -> Any:
    """The size of the cell's output behind the layer, without the batch."""
    if layer is None:
        return cell.output_size

    def behind(size: Any) -> Any:
        return layer.compute_output_shape(TensorShape([None]).concatenate(size))[1:]

    return nest.map_structure(behind, cell.output_size)


def check_output_layer(layer: Any) -> None:
    """TypeError where it is neither a layer nor None."""
    if layer is not None and not isinstance(layer, Layer):
        raise TypeError(f"output_layer must be a Layer, received: {type(layer)}")


BasicDecoderOutput = collections.namedtuple("BasicDecoderOutput", ("rnn_output", "sample_id"))
"""What a `BasicDecoder` gives at a step: the cell's output (behind the layer), and what was chosen from it."""


class BasicDecoder(Decoder):
    """A cell whose next inputs a helper chooses.

    initial_state  of the cell
    output_layer   a layer for the cell's outputs, or None
    raises         TypeError for no cell, helper or layer
    """

    def __init__(self, cell: Any, helper: Any, initial_state: Any, output_layer: Any = None) -> None:
        check_cell("cell", cell)
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        check_output_layer(output_layer)
        self._cell = cell
        self._helper = helper
        self._initial_state = initial_state
        self._output_layer = output_layer

    @property
    def batch_size(self) -> Any:
        return self._helper.batch_size

    @property
    def output_size(self) -> Any:
        return BasicDecoderOutput(output_size_of(self._cell, self._output_layer), self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> Any:
        dtype = nest.flatten(self._initial_state)[0].dtype
        sizes = output_size_of(self._cell, self._output_layer)
        return BasicDecoderOutput(nest.map_structure(lambda _: dtype, sizes), self._helper.sample_ids_dtype)

    def initialize(self, name: str | None = None) -> Any:
        return (*self._helper.initialize(), self._initial_state)

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        with name_scope(name, "BasicDecoderStep", (time, inputs, state)):
            outputs, state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            chosen = self._helper.sample(time=time, outputs=outputs, state=state)
            finished, following, state = self._helper.next_inputs(
                time=time, outputs=outputs, state=state, sample_ids=chosen
            )
        return BasicDecoderOutput(outputs, chosen), state, following, finished
