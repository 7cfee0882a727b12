"""Beam search: the likeliest sequences of a decoder, and not the sequence of its likeliest steps alone."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit import nest
from regraft.opkit.constant import literal_value
from regraft.v1 import _context
from regraft.v1 import nest as nest_names
from regraft.v1._array import concat, expand_dims, reshape, sequence_mask, shape, size, stack, transpose, zeros
from regraft.v1._assertion import Assert
from regraft.v1._control_flow import cond
from regraft.v1._graph import control_dependencies, convert_to_tensor, name_scope
from regraft.v1._indexing import gather_nd, one_hot, where
from regraft.v1._math import cast, equal
from regraft.v1._reduction import reduce_all, reduce_max
from regraft.v1._rnn_state import check_cell
from regraft.v1._tensor_array import TensorArray
from regraft.v1.contrib._beam_step import (
    BeamSearchDecoderOutput,
    BeamSearchDecoderState,
    attention_probabilities,
    beam_step,
    known_batch,
)
from regraft.v1.contrib._decoder import Decoder, check_output_layer, output_size_of
from regraft.v1.contrib._decoder_inputs import embedding_function

__all__ = [
    "BeamSearchDecoder",
    "FinalBeamSearchDecoderOutput",
    "gather_tree",
    "gather_tree_from_array",
    "tile_batch",
]

FinalBeamSearchDecoderOutput = collections.namedtuple(
    "FinalBeamSearchDecoderOutput", ("predicted_ids", "beam_search_decoder_output")
)
"""What a search gives: the sequences [batch, time, beam] from the best to the worst, and the steps that led to them."""


def tile_batch(t: Any, multiplier: int, name: str | None = None) -> Any:
    """Each row `multiplier` times, of a tensor or of each tensor of a structure: what a search needs of a memory."""
    flat = nest.flatten(t)
    with name_scope(name, "tile_batch", [*flat, multiplier]):
        return nest.map_structure(lambda one: _tiled(one, multiplier), t)


def _tiled(t: Any, multiplier: int) -> Any:
    t = convert_to_tensor(t, name="t")
    sizes = shape(t)
    if not t.shape.rank:
        raise ValueError("t must have statically known rank")
    known = t.shape.as_list()
    tiling = [1, multiplier] + [1] * (t.shape.rank - 1)
    tiled = _context.builder().Tile(expand_dims(t, 1), tiling)
    tiled = reshape(tiled, concat(([sizes[0] * multiplier], sizes[1:]), 0))
    tiled.set_shape([None if known[0] is None else known[0] * multiplier, *known[1:]])
    return tiled


def gather_tree(
    step_ids: Any, parent_ids: Any, max_sequence_lengths: Any, end_token: Any, name: str | None = None
) -> Any:
    """The sequences [time, batch, beam] that end in each beam, followed back from parent to parent."""
    return _context.builder().GatherTree(step_ids, parent_ids, max_sequence_lengths, end_token, name=name)


def gather_tree_from_array(t: Any, parent_ids: Any, sequence_length: Any) -> Any:
    """A tensor [time, batch, beam, ...] in the order of the beams that each sequence went through.

    parent_ids       [time, batch, beam]
    sequence_length  [batch, beam]
    """
    b = _context.builder()
    time, batch, beam = (d or shape(parent_ids)[i] for i, d in enumerate(parent_ids.shape.as_list()))
    beams = b.Tile(expand_dims(expand_dims(b.range(beam), 0), 0), [time, batch, 1])
    longest = cast(reduce_max(sequence_length, axis=1), dtypes.int32)
    order = gather_tree(beams, parent_ids, longest, beam + 1)
    within = transpose(sequence_mask(sequence_length, maxlen=time), perm=[2, 0, 1])
    order = where(within, x=order, y=beams)
    times = b.Tile(reshape(b.range(time), [-1, 1, 1]), [1, batch, beam])
    batches = transpose(b.Tile(reshape(b.range(batch), [-1, 1, 1]), [1, time, beam]), perm=[1, 0, 2])
    indices = stack([times, batches, order], -1)
    sizes = shape(t)
    return reshape(gather_nd(reshape(t, [time, batch, beam, -1]), indices), sizes)


class BeamSearchDecoder(Decoder):
    """A decoder that keeps the `beam_width` likeliest beginnings of each sequence.

    cell                     whose memories and states are tiled with `tile_batch`
    embedding                a function of ids, or a matrix
    start_tokens             [batch] int32, the ids to start with
    end_token                the id that ends a sequence
    initial_state            of the cell, for batch * beam_width rows
    output_layer             makes logits of the cell's outputs
    length_penalty_weight    longer sequences score higher; 0 for the plain likelihood
    coverage_penalty_weight  sequences that leave parts of the memory unseen score lower
    reorder_tensor_arrays    put TensorArrays of the state in the order of the beams at the end
    raises                   TypeError for no cell and no layer, ValueError for shapes that do not fit
    """

    def __init__(
        self,
        cell: Any,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        initial_state: Any,
        beam_width: int,
        output_layer: Any = None,
        length_penalty_weight: Any = 0.0,
        coverage_penalty_weight: Any = 0.0,
        reorder_tensor_arrays: bool = True,
    ) -> None:
        check_cell("cell", cell)
        check_output_layer(output_layer)
        self._cell = cell
        self._output_layer = output_layer
        self._reorder_tensor_arrays = reorder_tensor_arrays
        self._beam_width = beam_width
        self._length_penalty_weight = length_penalty_weight
        self._coverage_penalty_weight = coverage_penalty_weight
        self._embedding_fn = embedding_function(embedding)
        tokens = convert_to_tensor(start_tokens, dtypes.int32, name="start_tokens")
        if tokens.shape.rank != 1:
            raise ValueError("start_tokens must be a vector")
        self._end_token = convert_to_tensor(end_token, dtypes.int32, name="end_token")
        if self._end_token.shape.rank != 0:
            raise ValueError("end_token must be a scalar")
        self._batch_size = size(start_tokens)
        self._initial_cell_state = nest_names.map_structure(self._split_part, initial_state, cell.state_size)
        tokens = _context.builder().Tile(expand_dims(tokens, 1), [1, beam_width])
        self._start_inputs = self._embedding_fn(tokens)
        self._finished = self._of_first_beam(False, True, dtypes.bool_)

    def _of_first_beam(self, first: Any, others: Any, dtype: Any) -> Any:
        """[batch, beam] with one value for the first beam, another for the others: all begin alike."""
        return one_hot(
            zeros([self._batch_size], dtype=dtypes.int32),
            depth=self._beam_width,
            on_value=first,
            off_value=others,
            dtype=dtype,
        )

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def tracks_own_finished(self) -> bool:
        return True

    @property
    def output_size(self) -> Any:
        return BeamSearchDecoderOutput(*[TensorShape([self._beam_width]) for _ in range(3)])

    @property
    def output_dtype(self) -> Any:
        dtype = nest.flatten(self._initial_cell_state)[0].dtype
        sizes = output_size_of(self._cell, self._output_layer)
        return BeamSearchDecoderOutput(nest.map_structure(lambda _: dtype, sizes), dtypes.int32, dtypes.int32)

    def initialize(self, name: str | None = None) -> Any:
        dtype = nest.flatten(self._initial_cell_state)[0].dtype
        index = zeros([self._batch_size], dtype=dtypes.int32)
        log_probs = one_hot(
            index,
            depth=self._beam_width,
            on_value=convert_to_tensor(0.0, dtype),
            off_value=convert_to_tensor(-np.inf, dtype),
            dtype=dtype,
        )
        seen = attention_probabilities(self._initial_cell_state, self._coverage_penalty_weight)
        state = BeamSearchDecoderState(
            cell_state=self._initial_cell_state,
            log_probs=log_probs,
            finished=self._finished,
            lengths=zeros([self._batch_size, self._beam_width], dtype=dtypes.int64),
            accumulated_attention_probs=() if seen is None else seen,
        )
        return self._finished, self._start_inputs, state

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        longest = cast(reduce_max(final_state.lengths, axis=1), dtypes.int32)
        ids = gather_tree(outputs.predicted_ids, outputs.parent_ids, longest, self._end_token)
        if self._reorder_tensor_arrays:
            state = nest_names.map_structure(
                lambda t: self._ordered(t, outputs.parent_ids, final_state.lengths), final_state.cell_state
            )
            final_state = final_state._replace(cell_state=state)
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _ordered(self, array: Any, parent_ids: Any, lengths: Any) -> Any:
        """What a TensorArray of the state holds, in the order of the beams; it stays one where that cannot be done."""
        if not isinstance(array, TensorArray):
            return array
        element = array.element_shape
        if not element.rank or not self._splits(element.as_list()):
            return array
        t = array.stack()
        with control_dependencies([self._has_beams(t)]):
            return gather_tree_from_array(t, parent_ids, lengths)

    def _splits(self, sizes: list[int | None]) -> bool:
        batch, beam = known_batch(self._batch_size), self._beam_width
        if batch is None or sizes[0] is None:
            return True
        apart = len(sizes) < 2 or sizes[1] is None or (sizes[0], sizes[1]) == (batch, beam)
        return sizes[0] == batch * beam and apart

    def _has_beams(self, t: Any) -> Any:
        b = _context.builder()
        sizes = shape(t)
        if t.shape.rank == 2:
            holds = equal(sizes[1], self._batch_size * self._beam_width)
        else:
            together = equal(sizes[1], self._batch_size * self._beam_width)
            apart = b.LogicalAnd(equal(sizes[1], self._batch_size), equal(sizes[2], self._beam_width))
            holds = b.LogicalOr(together, apart)
        said = (
            "TensorArray reordering expects elements to be reshapable to [batch_size, beam_size, -1] which is "
            f"incompatible with the dynamic shape of {t.name} elements. Consider setting reorder_tensor_arrays to "
            "False to disable TensorArray reordering during the beam search."
        )
        return Assert(holds, [said])

    # [batch, beam, ...] and [batch * beam, ...]

    def _merged(self, t: Any, rest: Any) -> Any:
        sizes = shape(t)
        batch = known_batch(self._batch_size)
        merged = reshape(t, concat(([self._batch_size * self._beam_width], sizes[2:]), 0))
        merged.set_shape(TensorShape([None if batch is None else batch * self._beam_width]).concatenate(_rest(rest)))
        return merged

    def _split(self, t: Any, rest: Any) -> Any:
        sizes = shape(t)
        split = reshape(t, concat(([self._batch_size, self._beam_width], sizes[1:]), 0))
        wanted = TensorShape([known_batch(self._batch_size), self._beam_width]).concatenate(_rest(rest))
        if not split.shape.is_compatible_with(wanted):
            raise ValueError(
                "Unexpected behavior when reshaping between beam width and batch size.  The reshaped tensor has shape: "
                f"{split.shape}.  We expected it to have shape (batch_size, beam_width, depth) == {wanted}.  Perhaps "
                "you forgot to create a zero_state with batch_size=encoder_batch_size * beam_width?"
            )
        split.set_shape(wanted)
        return split

    def _split_part(self, t: Any, rest: Any) -> Any:
        return self._split(t, rest) if _has_rank(t, 1) else t

    def _merged_part(self, t: Any, rest: Any) -> Any:
        return self._merged(t, rest) if _has_rank(t, 2) else t

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        with name_scope(name, "BeamSearchDecoderStep", (time, inputs, state)):
            inputs = nest.map_structure(lambda one: self._merged(one, one.shape[2:]), inputs)
            cell_state = nest_names.map_structure(self._merged_part, state.cell_state, self._cell.state_size)
            logits, cell_state = self._cell(inputs, cell_state)
            logits = nest.map_structure(lambda one: self._split(one, one.shape[1:]), logits)
            cell_state = nest_names.map_structure(self._split_part, cell_state, self._cell.state_size)
            if self._output_layer is not None:
                logits = self._output_layer(logits)
            output, new = beam_step(
                time,
                logits,
                cell_state,
                state,
                self._batch_size,
                self._beam_width,
                self._end_token,
                self._length_penalty_weight,
                self._coverage_penalty_weight,
            )
            following = cond(
                reduce_all(new.finished),
                lambda: self._start_inputs,
                lambda: self._embedding_fn(output.predicted_ids),
            )
        return output, new, following, new.finished


def _rest(sizes: Any) -> TensorShape:
    return TensorShape(literal_value(sizes) if isinstance(sizes, Tensor) else sizes)


def _has_rank(t: Any, least: int) -> bool:
    if isinstance(t, TensorArray):
        return False
    if t.shape.rank is None:
        raise ValueError(f"Expected tensor ({t}) to have known rank, but ndims == None.")
    return bool(t.shape.rank >= least)
