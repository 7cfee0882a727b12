"""Connectionist temporal classification (Graves et al. 2006): the loss with its gradient, and two decoders.

The blank is the last class. All three run on the host, as TensorFlow's run on the CPU alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.elementwise import quiet
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge_dim, with_rank

Array = np.ndarray[Any, Any]

_NEVER = -np.inf


def _loss_shape(c: ShapeContext) -> list[Sizes]:
    x = with_rank(c, c.input(0), 3)
    indices, values, lengths = with_rank(c, c.input(1), 2), with_rank(c, c.input(2), 1), with_rank(c, c.input(3), 1)
    merge_dim(c, indices[0], values[0])
    batch = merge_dim(c, x[1], lengths[0])
    return [(batch,), (x[0], batch, x[2])]


def _check(x: Array, lengths: Array) -> None:
    if x.ndim != 3:
        raise InvalidArgumentError(f"inputs is not a 3-Tensor, got shape {list(x.shape)}")
    if lengths.shape != (x.shape[1],):
        raise InvalidArgumentError(f"len(sequence_length) != batch_size. {list(lengths.shape)} vs {x.shape[1]}")
    for i, length in enumerate(lengths):
        if not 0 <= length <= x.shape[0]:
            raise InvalidArgumentError(f"sequence_length({i}) <= {x.shape[0]} and not below 0, got {length}")


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def _label_rows(indices: Array, values: Array, batch: int) -> list[Array]:
    """The labels of each example, out of the parts of a SparseTensor."""
    if indices.ndim != 2 or values.ndim != 1 or len(indices) != len(values):
        raise InvalidArgumentError(
            f"labels_indices must be [n, 2] and labels_values [n], got {list(indices.shape)} and {list(values.shape)}"
        )
    if np.any((indices[:, 0] < 0) | (indices[:, 0] >= batch)):
        raise InvalidArgumentError(f"labels batch index must be between 0 and {batch}, got {indices[:, 0].tolist()}")
    rows = [values[indices[:, 0] == i] for i in range(batch)]
    for i, row in enumerate(rows):
        if not len(row):
            raise InvalidArgumentError(f"Labels length is zero in batch {i}")
    return rows


def _prepared(labels: Array, blank: int, collapse: bool) -> Array:
    """The labels up to the first that is none, repeats collapsed if so asked."""
    if np.any(labels < 0):
        raise InvalidArgumentError(f"All labels must be nonnegative integers, got {labels.tolist()}")
    beyond = np.flatnonzero(labels >= blank)
    if len(beyond):
        if np.any(labels[beyond[0] :] < blank):
            raise InvalidArgumentError(
                f"Saw a non-null label (index >= num_classes - 1) following a null label: {labels.tolist()}, "
                f"num_classes {blank + 1}"
            )
        labels = labels[: beyond[0]]
    if collapse and len(labels):
        labels = labels[np.concatenate([[True], labels[1:] != labels[:-1]])]
    return labels


class _Lattice:
    """The states of one example: its labels with blanks around them, and which may follow which."""

    def __init__(self, labels: Array, blank: int, merge: bool) -> None:
        self.states = np.full(2 * len(labels) + 1, blank, np.int64)
        self.states[1::2] = labels
        is_blank = self.states == blank
        self.stays = is_blank | merge
        before = np.concatenate([[-1, -1], self.states[:-2]]) if len(self.states) > 1 else np.full(1, -1)
        self.skips = ~is_blank & ~(merge & (before == self.states)) & (np.arange(len(self.states)) > 1)

    def alphas(self, log_y: Array) -> Array:
        """Log probability of all beginnings that end in each state, [time, states]."""
        found = np.full((len(log_y), len(self.states)), _NEVER, log_y.dtype)
        emit = log_y[:, self.states]
        found[0, :2] = emit[0, :2]
        for t in range(1, len(log_y)):
            last = found[t - 1]
            total = np.where(self.stays, last, _NEVER)
            total[1:] = np.logaddexp(total[1:], last[:-1])
            total[2:] = np.logaddexp(total[2:], np.where(self.skips[2:], last[:-2], _NEVER))
            found[t] = total + emit[t]
        return found

    def betas(self, log_y: Array) -> Array:
        """Log probability of all ends that follow each state, [time, states]."""
        found = np.full((len(log_y), len(self.states)), _NEVER, log_y.dtype)
        emit = log_y[:, self.states]
        found[-1, -2:] = 0
        for t in range(len(log_y) - 2, -1, -1):
            nxt = found[t + 1] + emit[t + 1]
            total = np.where(self.stays, nxt, _NEVER)
            total[:-1] = np.logaddexp(total[:-1], nxt[1:])
            total[:-2] = np.logaddexp(total[:-2], np.where(self.skips[2:], nxt[2:], _NEVER))
            found[t] = total
        return found


def _one_loss(log_y: Array, lattice: _Lattice) -> tuple[Any, Array]:
    """The loss of one example and its gradient towards the logits [time, classes]."""
    both = lattice.alphas(log_y) + lattice.betas(log_y)
    y = np.exp(log_y)
    log_p = np.logaddexp.reduce(both[0])
    if log_p == _NEVER:
        return np.inf, y
    share = np.exp(both - log_p)
    gradient = y
    for state, label in enumerate(lattice.states):
        gradient[:, label] -= share[:, state]
    return -log_p, gradient


def _ctc_loss(
    inputs: Array, indices: Array, values: Array, lengths: Array, collapse: bool, merge: bool, ignore_longer: bool
) -> tuple[Array, Array]:
    _check(inputs, lengths)
    _, batch, classes = inputs.shape
    loss, gradient = np.zeros(batch, inputs.dtype), np.zeros_like(inputs)
    for i, row in enumerate(_label_rows(indices, values, batch)):
        labels, length = _prepared(row, classes - 1, collapse), int(lengths[i])
        if len(labels) > length:
            if ignore_longer:
                continue
            raise InvalidArgumentError(
                f"Not enough time for target transition sequence (required: {len(labels)}, available: {length}). "
                "You can turn this error into a warning by using the flag ignore_longer_outputs_than_inputs"
            )
        if length:
            lattice = _Lattice(labels, classes - 1, merge)
            loss[i], gradient[:length, i] = _one_loss(_log_softmax(inputs[:length, i]), lattice)
    return loss, gradient


@op("CTCLoss", shape=_loss_shape, runs=Runs.HOST)
@quiet
def ctc_loss(
    inputs: Any,
    labels_indices: Any,
    labels_values: Any,
    sequence_length: Any,
    *,
    preprocess_collapse_repeated: bool,
    ctc_merge_repeated: bool,
    ignore_longer_outputs_than_inputs: bool,
) -> Any:
    """The negative log probability of the labels, and its gradient towards the logits.

    inputs                          [time, batch, classes] logits; the last class is the blank
    labels_indices, labels_values   a sparse [batch, length] of int32 labels; labels of classes - 1 or more end a row
    sequence_length                 [batch] steps that count
    returns                         [batch]; [time, batch, classes]. inf where no path spells the labels
    raises                          InvalidArgumentError for rows without labels, or with more labels than steps
    """
    return _ctc_loss(
        inputs,
        labels_indices,
        labels_values,
        sequence_length,
        preprocess_collapse_repeated,
        ctc_merge_repeated,
        ignore_longer_outputs_than_inputs,
    )


_MESSAGE = (
    "Currently there is no way to take the second  derivative of ctc_loss due to the fused implementation's "
    "interaction  with tf.gradients()"
)


@ctc_loss.gradient
def _(b: Any, node: Any, grad_loss: Any, _grad_grad: Any) -> Any:
    first_order = b.PreventGradient(node.outputs[1], message=_MESSAGE)
    return [b.expand_dims(grad_loss, -1) * first_order, None, None, None]


# Decoders


def _decoded_shape(paths: Any) -> Any:
    def rule(c: ShapeContext) -> list[Sizes]:
        x, lengths = with_rank(c, c.input(0), 3), with_rank(c, c.input(1), 1)
        batch, count = merge_dim(c, x[1], lengths[0]), paths(c)
        return [(None, 2)] * count + [(None,)] * count + [(2,)] * count + [(batch, count)]

    return rule


def _sparse(rows: list[list[int]]) -> tuple[Array, Array, Array]:
    """Rows of labels as indices, values and dense shape."""
    indices = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    values = [label for row in rows for label in row]
    shape = (len(rows), max(map(len, rows), default=0))
    return np.array(indices, np.int64).reshape(-1, 2), np.array(values, np.int64), np.array(shape, np.int64)


@op("CTCGreedyDecoder", shape=_decoded_shape(lambda c: 1), runs=Runs.HOST, no_gradient="a decoding")
def ctc_greedy_decoder(inputs: Any, sequence_length: Any, *, merge_repeated: bool, blank_index: int) -> Any:
    """The likeliest class of each step, blanks dropped.

    inputs           [time, batch, classes] logits
    merge_repeated   whether a class that repeats without a blank between counts once
    blank_index      the blank; from the end if negative
    returns          the labels' indices [n, 2], values [n] and dense shape [2]; [batch, 1] minus the sum of the logits
    """
    _check(inputs, sequence_length)
    _, batch, classes = inputs.shape
    blank = blank_index + classes if blank_index < 0 else blank_index
    if not 0 <= blank < classes:
        raise InvalidArgumentError(
            f"blank_index expected to be between {-classes} and {classes - 1}, got {blank_index}"
        )
    rows: list[list[int]] = []
    scores = np.zeros((batch, 1), inputs.dtype)
    for i in range(batch):
        steps = inputs[: int(sequence_length[i]), i]
        best = steps.argmax(-1)
        scores[i, 0] = -steps.max(-1).sum(dtype=inputs.dtype) if len(steps) else 0
        repeats = np.concatenate([[False], best[1:] == best[:-1]]) if len(best) else np.zeros(0, bool)
        rows.append(
            [int(k) for k, again in zip(best, repeats, strict=True) if k != blank and not (merge_repeated and again)]
        )
    return (*_sparse(rows), scores)


class _Beam:
    """A prefix: its last label, the prefix before it, and log probabilities of its paths by how they end."""

    __slots__ = ("blank", "children", "label", "label_p", "old", "parent", "total")

    def __init__(self, parent: _Beam | None, label: int) -> None:
        self.parent, self.label = parent, label
        self.children: list[_Beam] = []
        self.total = self.blank = self.label_p = _NEVER
        self.old = (_NEVER, _NEVER, _NEVER)

    def reset(self) -> None:
        self.total = self.blank = self.label_p = _NEVER

    def labels(self, merge_repeated: bool) -> list[int]:
        found: list[int] = []
        beam, last = self, -1
        while beam.parent is not None:
            if not merge_repeated or beam.label != last:
                found.append(beam.label)
            last, beam = beam.label, beam.parent
        return found[::-1]


def _by_probability(beams: list[_Beam]) -> list[_Beam]:
    return sorted(beams, key=lambda b: -b.total)


def _search(log_y: Array, width: int) -> list[_Beam]:
    """The likeliest prefixes after all steps of [time, classes], best first."""
    blank = log_y.shape[1] - 1
    root = _Beam(None, -1)
    root.total = root.blank = 0.0
    leaves = [root]
    for step in log_y:
        branches = _by_probability(leaves)
        for b in branches:
            b.old = (b.total, b.blank, b.label_p)
        for b in branches:
            if b.parent is not None:
                if b.parent.total != _NEVER:
                    into = b.parent.old[1] if b.label == b.parent.label else b.parent.old[0]
                    b.label_p = np.logaddexp(b.label_p, into)
                b.label_p += step[b.label]
            b.blank = b.old[0] + step[blank]
            b.total = np.logaddexp(b.blank, b.label_p)
        leaves = list(branches)
        for child in _expanded(branches, leaves, width, step, blank):
            leaves.append(child)
    return _by_probability(leaves)


def _expanded(branches: list[_Beam], leaves: list[_Beam], width: int, step: Array, blank: int) -> Iterator[_Beam]:
    """Prefixes that are one label longer and good enough; `leaves`, to which each is to be added, loses its worst."""

    def wanted(total: float) -> bool:
        return total > _NEVER and (len(leaves) < width or total > min(leaf.total for leaf in leaves))

    for b in branches:
        if not wanted(b.old[0]):
            continue
        if not b.children:
            b.children = [_Beam(b, label) for label in range(blank)]
        for child in b.children:
            if child.total != _NEVER:
                continue
            total = step[child.label] + (b.old[1] if child.label == b.label else b.old[0])
            if not wanted(total):
                child.old = (_NEVER, _NEVER, _NEVER)
                child.reset()
                continue
            if len(leaves) >= width:
                worst = min(leaves, key=lambda leaf: leaf.total)
                worst.reset()
                leaves.remove(worst)
            child.blank, child.label_p, child.total = _NEVER, total, total
            yield child


@op(
    "CTCBeamSearchDecoder",
    shape=_decoded_shape(lambda c: c.attr("top_paths")),
    runs=Runs.HOST,
    no_gradient="a decoding",
)
@quiet
def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, *, beam_width: int, top_paths: int, merge_repeated: bool
) -> Any:
    """The likeliest label sequences, by a search that keeps `beam_width` prefixes.

    inputs          [time, batch, classes] logits; the last class is the blank
    merge_repeated  whether labels that repeat in a result are dropped from it
    returns         for each of the top_paths: indices [n, 2], then values [n], then dense shapes [2]; and
                    [batch, top_paths] log probabilities
    """
    _check(inputs, sequence_length)
    if top_paths > beam_width:
        raise InvalidArgumentError(f"top_paths {top_paths} is larger than beam_width {beam_width}")
    batch = inputs.shape[1]
    rows: list[list[list[int]]] = [[] for _ in range(top_paths)]
    scores = np.zeros((batch, top_paths), inputs.dtype)
    for i in range(batch):
        leaves = _search(_log_softmax(inputs[: int(sequence_length[i]), i].astype(np.float64)), beam_width)
        if len(leaves) < top_paths:
            raise InvalidArgumentError(f"Less leaves in the beam search than requested: {len(leaves)} of {top_paths}")
        for path, leaf in enumerate(leaves[:top_paths]):
            rows[path].append(leaf.labels(merge_repeated))
            scores[i, path] = leaf.total
    indices, values, shapes = zip(*(_sparse(r) for r in rows), strict=True)
    return (*indices, *values, *shapes, scores)
