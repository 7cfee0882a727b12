"""One step of a beam search: scores of all continuations, and the best of them."""

from __future__ import annotations

import collections
from typing import Any

from regraft.base import dtypes
from regraft.base.shapes import TensorShape
from regraft.opkit.constant import literal_value
from regraft.v1 import _context
from regraft.v1 import nest as nest_names
from regraft.v1._array import concat, expand_dims, fill, ones_like, reshape, shape
from regraft.v1._graph import convert_to_tensor, name_scope
from regraft.v1._indexing import gather, one_hot, where
from regraft.v1._math import cast, div, equal, to_int64
from regraft.v1._nn_basic import log_softmax, top_k
from regraft.v1._reduction import reduce_mean, reduce_sum
from regraft.v1._tensor_array import TensorArray
from regraft.v1.contrib._attention_wrapper import AttentionWrapperState

__all__ = ["BeamSearchDecoderOutput", "BeamSearchDecoderState"]

BeamSearchDecoderState = collections.namedtuple(
    "BeamSearchDecoderState", ("cell_state", "log_probs", "finished", "lengths", "accumulated_attention_probs")
)
"""The state of a search: all [batch, beam, ...]; what was seen of the memory is () without a penalty for it."""

BeamSearchDecoderOutput = collections.namedtuple("BeamSearchDecoderOutput", ("scores", "predicted_ids", "parent_ids"))
"""What a step gives for each beam: its score, its newest id, and which beam it goes on with."""


def known_batch(batch_size: Any) -> int | None:
    """The number of sequences where it is known."""
    found = literal_value(batch_size)
    return None if found is None else int(found)


def beam_step(
    time: Any,
    logits: Any,
    cell_state: Any,
    state: Any,
    batch_size: Any,
    beam_width: int,
    end_token: Any,
    length_penalty_weight: Any,
    coverage_penalty_weight: Any,
) -> tuple[Any, Any]:
    """(output, next state) for logits [batch, beam, classes] and the cell's new state."""
    b = _context.builder()
    over = state.finished
    running = b.LogicalNot(over)
    log_probs = _with_ends(log_softmax(logits), end_token, over)
    total = expand_dims(state.log_probs, 2) + log_probs
    classes = logits.shape.as_list()[-1] or shape(logits)[-1]
    longer = one_hot(
        indices=fill([batch_size, beam_width], end_token),
        depth=classes,
        on_value=to_int64(0),
        off_value=to_int64(1),
        dtype=dtypes.int64,
    )
    still = cast(running, dtypes.int64)
    longer *= expand_dims(still, 2)
    lengths = longer + expand_dims(state.lengths, 2)
    seen = None
    probabilities = attention_probabilities(cell_state, coverage_penalty_weight)
    if probabilities is not None:
        probabilities *= expand_dims(cast(running, dtypes.float32), 2)
        seen = state.accumulated_attention_probs + probabilities
    scores = _scores(total, lengths, length_penalty_weight, coverage_penalty_weight, over, seen)
    convert_to_tensor(time, name="time")

    flat = reshape(scores, [batch_size, -1])
    best, words = top_k(flat, k=convert_to_tensor(beam_width, dtypes.int32, name="beam_width"))
    for tensor in (best, words):
        tensor.set_shape([known_batch(batch_size), beam_width])

    def chosen(indices: Any, source: Any, width: Any, form: list[Any], name: str | None = None) -> Any:
        return _picked(indices, source, batch_size, width, form, name)

    next_log_probs = chosen(words, total, beam_width * classes, [-1], "next_beam_probs")
    ids = cast(b.FloorMod(words, classes, name="next_beam_word_ids"), dtypes.int32)
    parents = cast(words / classes, dtypes.int32, name="next_beam_parent_ids")
    over = chosen(parents, over, beam_width, [-1])
    finished = b.LogicalOr(over, equal(ids, end_token), name="next_beam_finished")
    more = cast(b.LogicalNot(over), dtypes.int64)
    next_lengths = chosen(parents, state.lengths, beam_width, [-1])
    next_lengths += more
    next_seen: Any = ()
    if seen is not None:
        form = [batch_size * beam_width, -1]
        next_seen = chosen(parents, seen, beam_width, form, "next_accumulated_attention_probs")

    def moved(part: Any) -> Any:
        form = [batch_size * beam_width, -1]
        if isinstance(part, TensorArray):
            return part
        if part.shape.rank is None:
            raise ValueError(f"Expected tensor ({part}) to have known rank, but ndims == None.")
        return chosen(parents, part, beam_width, form) if part.shape.rank >= len(form) else part

    new = BeamSearchDecoderState(
        cell_state=nest_names.map_structure(moved, cell_state),
        log_probs=next_log_probs,
        lengths=next_lengths,
        finished=finished,
        accumulated_attention_probs=next_seen,
    )
    return BeamSearchDecoderOutput(best, ids, parents), new


def _with_ends(log_probs: Any, end_token: Any, finished: Any) -> Any:
    """The log-probabilities, but for beams that are finished: there the end is certain."""
    b = _context.builder()
    dtype = log_probs.dtype
    classes = shape(log_probs)[2]
    row = one_hot(end_token, classes, dtype=dtype, on_value=convert_to_tensor(0.0, dtype), off_value=dtype.min)
    rows = b.Tile(reshape(row, [1, 1, -1]), concat([shape(finished), [1]], 0))
    mask = b.Tile(expand_dims(finished, 2), [1, 1, classes])
    return where(mask, rows, log_probs)


def _scores(log_probs: Any, lengths: Any, length_weight: Any, coverage_weight: Any, finished: Any, seen: Any) -> Any:
    """Log-probabilities, divided by the penalty for the length, and less that for what was not seen."""
    b = _context.builder()
    scores = log_probs / cast(_length_penalty(lengths, length_weight), log_probs.dtype)
    weight = convert_to_tensor(coverage_weight, name="coverage_penalty_weight")
    if weight.shape.rank != 0:
        raise ValueError(f"coverage_penalty_weight should be a scalar, but saw shape: {weight.shape}")
    known = literal_value(weight)
    if known is not None and known == 0.0:
        return scores
    if seen is None:
        raise ValueError("accumulated_attention_probs can be None only if coverage penalty is disabled.")
    seen = where(equal(seen, 0.0), ones_like(seen), seen)
    penalty = reduce_sum(b.Log(b.Minimum(seen, 1.0)), 2)
    penalty *= cast(finished, dtypes.float32)
    return scores + expand_dims(penalty * weight, 2)


def _length_penalty(lengths: Any, factor: Any) -> Any:
    """((5 + length) / 6) ** factor. Source: Wu et al., arXiv:1609.08144."""
    factor = convert_to_tensor(factor, name="penalty_factor")
    factor.set_shape(())
    known = literal_value(factor)
    if known is not None and known == 0:
        return 1.0
    return div((5.0 + cast(lengths, dtypes.float32)) ** factor, (5.0 + 1.0) ** factor)


def attention_probabilities(cell_state: Any, weight: Any) -> Any:
    """The weights of the memory in a state, over all mechanisms; None where no penalty asks for them.

    raises  ValueError where no cell of the state has attention
    """
    if weight == 0.0:
        return None
    if isinstance(cell_state, AttentionWrapperState):
        found = [_of_state(cell_state)]
    else:
        parts = cell_state if isinstance(cell_state, tuple) else ()
        found = [_of_state(part) for part in parts if isinstance(part, AttentionWrapperState)]
    if not found:
        raise ValueError("coverage_penalty_weight must be 0.0 if no cell is attentional.")
    return found[0] if len(found) == 1 else _mean(found)


def _of_state(state: Any) -> Any:
    return _mean(state.alignments) if isinstance(state.alignments, tuple) else state.alignments


def _mean(tensors: Any) -> Any:
    return reduce_mean(concat([expand_dims(tensor, -1) for tensor in tensors], -1), -1)


def _picked(indices: Any, source: Any, batch_size: Any, width: Any, form: list[Any], name: str | None = None) -> Any:
    """What stands at `indices` [batch, beam] of each sequence, which has `width` of them in `source`."""
    b = _context.builder()
    with name_scope(name, "tensor_gather_helper"):
        first = expand_dims(b.range(batch_size) * width, 1)
        flat = reshape(indices + first, [-1])
        rows = gather(reshape(source, form), flat)
        end = 1 + len(form)
        sizes = shape(source)[:end]
        rows = reshape(rows, sizes, name="output")
        rows.set_shape(TensorShape([known_batch(batch_size)]).concatenate(source.shape[1:end]))
        return rows
