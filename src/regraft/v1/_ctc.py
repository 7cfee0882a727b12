"""Connectionist temporal classification: its loss, its decoders, and the edit distance that judges them."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.ir.node import Tensor
from regraft.v1._array import concat, expand_dims, ones_like, reshape, sequence_mask, shape, transpose
from regraft.v1._indexing import boolean_mask, where
from regraft.v1._math import cast, not_equal
from regraft.v1._opening import on, opened, renamed
from regraft.v1._reduction import range as range_
from regraft.v1._reduction import reduce_max, reduce_sum
from regraft.v1._sparse_tensor import SparseTensor, is_sparse, parts

__all__ = [
    "collapse_repeated",
    "ctc_beam_search_decoder",
    "ctc_beam_search_decoder_v2",
    "ctc_greedy_decoder",
    "ctc_loss",
    "ctc_loss_v2",
    "edit_distance",
]


def ctc_loss(
    labels: Any,
    inputs: Any = None,
    sequence_length: Any = None,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
    time_major: bool = True,
    logits: Any = None,
) -> Any:
    """The negative log probability of each label sequence, [batch].

    labels           sparse int32 [batch, longest label]
    inputs           logits [time, batch, classes] ([batch, time, classes] without `time_major`); the last is blank
    sequence_length  int32 [batch], the steps of each sequence
    raises           TypeError for labels that are not sparse
    """
    if not isinstance(labels, SparseTensor):
        raise TypeError(
            f"Expected argument `labels` to be a SparseTensor. Received labels={labels} of type: "
            f"{type(labels).__name__}"
        )
    inputs = renamed("logits", logits, "inputs", inputs)
    inputs = on(inputs, *parts(labels), sequence_length).convert(inputs, name="logits")
    if not time_major:
        inputs = transpose(inputs, [1, 0, 2])
    kind = inputs.dtype.base
    if kind in (dtypes.half, dtypes.bfloat16):
        inputs = cast(inputs, dtypes.float32)
    loss, _ = on(inputs).CTCLoss(
        inputs,
        labels.indices,
        labels.values,
        sequence_length,
        preprocess_collapse_repeated=preprocess_collapse_repeated,
        ctc_merge_repeated=ctc_merge_repeated,
        ignore_longer_outputs_than_inputs=ignore_longer_outputs_than_inputs,
    )
    return cast(loss, kind)


def ctc_loss_v2(
    labels: Any,
    logits: Any,
    label_length: Any,
    logit_length: Any,
    logits_time_major: bool = True,
    unique: Any = None,
    blank_index: Any = None,
    name: str | None = None,
) -> Any:
    """`ctc_loss` of sparse labels with the blank at any class. NotImplementedError for dense labels."""
    if not isinstance(labels, SparseTensor):
        raise NotImplementedError("ctc_loss_v2 takes sparse labels; make them so with tf.sparse.from_dense")
    if blank_index is None:
        raise ValueError("Argument `blank_index` must be provided when labels is a SparseTensor.")
    classes = _size_at(logits, 2)
    if blank_index < 0:
        blank_index += classes
    if blank_index != classes - 1:
        before, behind = logits[:, :, :blank_index], logits[:, :, blank_index + 1 :]
        logits = concat([before, behind, logits[:, :, blank_index : blank_index + 1]], axis=2)
        values: Any = labels.values
        labels = labels.with_values(where(values < blank_index, values, values - 1))
    return ctc_loss(labels, logits, logit_length, time_major=logits_time_major)


def _size_at(tensor: Tensor, axis: int) -> Any:
    known = tensor.shape.sizes
    return shape(tensor)[axis] if known is None or known[axis] is None else known[axis]


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> tuple[list[SparseTensor], Any]:
    """([sparse classes of the likeliest path of each sequence], negative sum of its logits [batch, 1])."""
    *decoded, score = on(inputs, sequence_length).CTCGreedyDecoder(
        inputs, sequence_length, merge_repeated=merge_repeated, blank_index=blank_index
    )
    return [SparseTensor(*decoded)], score


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = True
) -> tuple[list[SparseTensor], Any]:
    """(the sparse classes of the `top_paths` likeliest labels, their log probabilities [batch, top_paths])."""
    *decoded, score = on(inputs, sequence_length).CTCBeamSearchDecoder(
        inputs, sequence_length, beam_width=beam_width, top_paths=top_paths, merge_repeated=merge_repeated
    )
    return [SparseTensor(*path) for path in zip(*decoded, strict=True)], score


def ctc_beam_search_decoder_v2(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[SparseTensor], Any]:
    """`ctc_beam_search_decoder` that keeps repeated classes."""
    return ctc_beam_search_decoder(inputs, sequence_length, beam_width, top_paths, merge_repeated=False)


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str | None = "edit_distance") -> Any:
    """The Levenshtein distance of the sequences in the last dimension, over the true length if `normalize`."""
    for role, given in (("Hypothesis", hypothesis), ("Truth", truth)):
        if not is_sparse(given):
            raise TypeError(f"{role} must be a SparseTensor.")
    return on(*parts(hypothesis), *parts(truth)).EditDistance(
        *parts(hypothesis), *parts(truth), normalize=normalize, name=name
    )


def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Any, Any]:
    """(labels [batch, time] without repetitions, their lengths)."""
    with opened(name, "collapse_repeated_labels", labels, seq_length) as (b, _):
        labels = b.convert(labels, name="labels")
        seq_length = b.convert(seq_length, name="seq_length")
        first = ones_like(labels[:, :1], dtypes.bool_)
        fresh = concat([first, not_equal(labels[:, 1:], labels[:, :-1])], axis=1)
        fresh = b.LogicalAnd(fresh, sequence_mask(seq_length, maxlen=_size_at(labels, 1)))
        lengths = reduce_sum(cast(fresh, dtypes.int32), axis=1)
        longest = reduce_max(lengths)
        places = sequence_mask(lengths, maxlen=longest)
        flat, fresh, places = (reshape(t, [-1]) for t in (labels, fresh, places))
        numbers = range_(_size_at(places, 0))
        out = b.ScatterNd(expand_dims(boolean_mask(numbers, places), axis=1), boolean_mask(flat, fresh), shape(places))
        return reshape(out, [_size_at(labels, 0), longest]), cast(lengths, seq_length.dtype)
