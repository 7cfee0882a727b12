"""tf.contrib.crf: linear-chain conditional random fields. Source: Lafferty, McCallum, Pereira, ICML 2001.

inputs             [batch, time, tags] scores of each tag at each time
tag_indices        [batch, time] integers
sequence_lengths   [batch] integers
transition_params  [tags, tags] scores of one tag behind another
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.v1 import _context
from regraft.v1._array import concat, expand_dims, fill, reshape, sequence_mask, shape, squeeze, stack, zeros_like
from regraft.v1._indexing import gather, gather_nd, where
from regraft.v1._indexing import slice as slice_
from regraft.v1._layer import smart_cond
from regraft.v1._math import cast, equal
from regraft.v1._reduction import argmax, reduce_logsumexp, reduce_max, reduce_sum
from regraft.v1._rnn import dynamic_rnn
from regraft.v1._rnn_cells import RNNCell
from regraft.v1._variable_scope import get_variable
from regraft.v1.contrib._missing import missing_from

__getattr__ = missing_from("crf")


def _of_one_step(inputs: Any, then: Any, otherwise: Any) -> Any:
    """`then()` where the sequences have one step, else `otherwise()`."""
    return smart_cond(equal(inputs.shape.as_list()[1] or shape(inputs)[1], 1), then, otherwise)


def _zero_if_empty(values: Any, lengths: Any) -> Any:
    return where(_context.builder().LessEqual(lengths, 0), zeros_like(values), values)


def _one_less(lengths: Any) -> Any:
    """The number of transitions."""
    b = _context.builder()
    return b.Maximum(b.constant(0, lengths.dtype), lengths - 1)


def crf_sequence_score(inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The score [batch] of each sequence of tags, which is not normalised."""

    def one() -> Any:
        b = _context.builder()
        kind = tag_indices.dtype.base
        rows = reshape(b.range(shape(inputs, out_type=kind)[0], dtype=kind), [-1, 1])
        scores = gather_nd(squeeze(inputs, [1]), concat([rows, tag_indices], axis=1))
        return _zero_if_empty(scores, sequence_lengths)

    def several() -> Any:
        unary = crf_unary_score(tag_indices, sequence_lengths, inputs)
        return unary + crf_binary_score(tag_indices, sequence_lengths, transition_params)

    return _of_one_step(inputs, one, several)


def crf_multitag_sequence_score(inputs: Any, tag_bitmap: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The score [batch] of all sequences whose tags are true in `tag_bitmap` [batch, time, tags]."""

    def allowed() -> Any:
        return where(tag_bitmap, inputs, fill(shape(inputs), float("-inf")))

    return _of_one_step(
        inputs,
        lambda: reduce_logsumexp(allowed(), axis=[1, 2], keepdims=False),
        lambda: crf_log_norm(allowed(), sequence_lengths, transition_params),
    )


def crf_log_norm(inputs: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The logarithm [batch] of the sum over all sequences of tags."""
    first = squeeze(slice_(inputs, [0, 0, 0], [-1, 1, -1]), [1])

    def one() -> Any:
        return _zero_if_empty(reduce_logsumexp(first, [1]), sequence_lengths)

    def several() -> Any:
        rest = slice_(inputs, [0, 1, 0], [-1, -1, -1])
        cell = CrfForwardRnnCell(transition_params)
        _, alphas = dynamic_rnn(
            cell, rest, sequence_length=_one_less(sequence_lengths), initial_state=first, dtype=dtypes.float32
        )
        return _zero_if_empty(reduce_logsumexp(alphas, [1]), sequence_lengths)

    return _of_one_step(inputs, one, several)


def crf_log_likelihood(
    inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any = None
) -> tuple[Any, Any]:
    """(the log-likelihood [batch] of each sequence of tags, the transitions); without these a new variable."""
    if transition_params is None:
        tags = inputs.shape.as_list()[2]
        transition_params = get_variable("transitions", [tags, tags])
    scores = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return scores - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


def crf_unary_score(tag_indices: Any, sequence_lengths: Any, inputs: Any) -> Any:
    """The sum [batch] of the scores of the tags."""
    b = _context.builder()
    batch, time, tags = (shape(inputs)[i] for i in range(3))
    flat = reshape(inputs, [-1])
    offsets = expand_dims(b.range(batch) * time * tags, 1)
    offsets += expand_dims(b.range(time) * tags, 0)
    if tag_indices.dtype.base is dtypes.int64:
        offsets = cast(offsets, dtypes.int64)
    positions = reshape(offsets + tag_indices, [-1])
    scores = reshape(gather(flat, positions), [batch, time])
    masks = sequence_mask(sequence_lengths, maxlen=shape(tag_indices)[1], dtype=dtypes.float32)
    return reduce_sum(scores * masks, 1)


def crf_binary_score(tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The sum [batch] of the scores of the transitions."""
    tags = transition_params.shape.as_list()[0]
    count = shape(tag_indices)[1] - 1
    start = slice_(tag_indices, [0, 0], [-1, count])
    end = slice_(tag_indices, [0, 1], [-1, count])
    positions = start * tags + end
    scores = gather(reshape(transition_params, [-1]), positions)
    masks = sequence_mask(sequence_lengths, maxlen=shape(tag_indices)[1], dtype=dtypes.float32)
    return reduce_sum(scores * slice_(masks, [0, 1], [-1, -1]), 1)


class _OverTags(RNNCell):
    """A cell whose state is a score for each tag."""

    def __init__(self, transition_params: Any) -> None:
        super().__init__()
        self._transition_params = expand_dims(transition_params, 0)
        self._num_tags = transition_params.shape.as_list()[0]

    @property
    def state_size(self) -> Any:
        return self._num_tags

    @property
    def output_size(self) -> Any:
        return self._num_tags


class CrfForwardRnnCell(_OverTags):
    """The alphas of the forward algorithm."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(alphas, alphas) behind one more step."""
        scores = expand_dims(state, 2) + self._transition_params
        alphas = inputs + reduce_logsumexp(scores, [1])
        return alphas, alphas


class CrfDecodeForwardRnnCell(_OverTags):
    """The best score of a sequence that ends in each tag, and which tag it comes from."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(the tags before, best scores) behind one more step."""
        scores = expand_dims(state, 2) + self._transition_params
        best = inputs + reduce_max(scores, [1])
        return cast(argmax(scores, 1), dtypes.int32), best


class CrfDecodeBackwardRnnCell(RNNCell):
    """From a tag to the one before it; inputs are the outputs of `CrfDecodeForwardRnnCell`."""

    def __init__(self, num_tags: int) -> None:
        super().__init__()
        self._num_tags = num_tags

    @property
    def state_size(self) -> Any:
        return 1

    @property
    def output_size(self) -> Any:
        return 1

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(tags, tags) one step back."""
        state = squeeze(state, axis=[1])
        rows = _context.builder().range(shape(inputs)[0])
        tags = expand_dims(gather_nd(inputs, stack([rows, state], axis=1)), axis=-1)
        return tags, tags


def crf_decode(potentials: Any, transition_params: Any, sequence_length: Any) -> Any:
    """(the best sequences of tags [batch, time] int32, their scores [batch])."""
    b = _context.builder()

    def one() -> Any:
        scores = squeeze(potentials, [1])
        tags = expand_dims(argmax(scores, axis=1), 1)
        best = reduce_max(scores, axis=1)
        return cast(tags, dtypes.int32), best

    def several() -> Any:
        forward = CrfDecodeForwardRnnCell(transition_params)
        first = squeeze(slice_(potentials, [0, 0, 0], [-1, 1, -1]), axis=[1])
        rest = slice_(potentials, [0, 1, 0], [-1, -1, -1])
        transitions = _one_less(sequence_length)
        before, last = dynamic_rnn(forward, rest, sequence_length=transitions, initial_state=first, dtype=dtypes.int32)
        before = b.ReverseSequence(before, transitions, seq_dim=1)
        backward = CrfDecodeBackwardRnnCell(potentials.shape.as_list()[2])
        end = expand_dims(cast(argmax(last, axis=1), dtypes.int32), axis=-1)
        tags, _ = dynamic_rnn(backward, before, sequence_length=transitions, initial_state=end, dtype=dtypes.int32)
        tags = concat([end, squeeze(tags, axis=[2])], axis=1)
        return b.ReverseSequence(tags, sequence_length, seq_dim=1), reduce_max(last, axis=1)

    return _of_one_step(potentials, one, several)


def viterbi_decode(score: Any, transition_params: Any) -> tuple[list[Any], Any]:
    """(the best sequence of tags, its score) for scores [time, tags], in NumPy."""
    best = np.zeros_like(score)
    before = np.zeros_like(score, dtype=np.int32)
    best[0] = score[0]
    for t in range(1, score.shape[0]):
        scores = best[t - 1][:, None] + transition_params
        best[t] = score[t] + scores.max(0)
        before[t] = scores.argmax(0)
    tags = [np.argmax(best[-1])]
    for row in reversed(before[1:]):
        tags.append(row[tags[-1]])
    return tags[::-1], best[-1].max()
