"""Sequences: the edit distance between them, and the paths of a beam search."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.arrays import jnp, lax, namespace, on_host, static_shape
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, merge, with_rank


def _distance_shape(c: ShapeContext) -> list[Sizes]:
    for i, rank in enumerate((2, 1, 1, 2, 1, 1)):
        with_rank(c, c.input(i), rank)
    one, other = c.value(2), c.value(5)
    if one is None or other is None:
        return [None]
    if len(one) != len(other):
        raise c.fail(f"Num elements of hypothesis_shape does not match truth_shape: {len(one)} vs. {len(other)}")
    return [tuple(max(int(a), int(b)) for a, b in zip(one[:-1], other[:-1], strict=True))]


def _sequences(indices: Any, values: Any) -> dict[tuple[int, ...], list[Any]]:
    out: dict[tuple[int, ...], list[Any]] = {}
    for index, value in zip(indices.tolist(), values.tolist(), strict=True):
        out.setdefault(tuple(index[:-1]), []).append(value)
    return out


def levenshtein(a: list[Any], b: list[Any]) -> int:
    """The number of insertions, deletions and substitutions that turn one into the other."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@op("EditDistance", shape=_distance_shape, runs=Runs.HOST, no_gradient="not defined by TensorFlow")
def edit_distance(
    hypothesis_indices: Any,
    hypothesis_values: Any,
    hypothesis_shape: Any,
    truth_indices: Any,
    truth_values: Any,
    truth_shape: Any,
    *,
    normalize: bool,
) -> Any:
    """The Levenshtein distance between sequences of two sparse tensors; their last dimension is the sequence.

    normalize  divide by the length of the truth; infinite where the truth is empty and the hypothesis is not
    returns    float32, of the larger of both shapes without the last dimension
    """
    if len(hypothesis_shape) != len(truth_shape):
        raise InvalidArgumentError(
            f"truth_shape and hypothesis_shape must have the same length: {len(truth_shape)} vs. "
            f"{len(hypothesis_shape)}"
        )
    sizes = tuple(max(int(a), int(b)) for a, b in zip(hypothesis_shape[:-1], truth_shape[:-1], strict=True))
    hypotheses = _sequences(hypothesis_indices, hypothesis_values)
    truths = _sequences(truth_indices, truth_values)
    out = np.zeros(sizes, np.float32)
    for at in hypotheses.keys() | truths.keys():
        guess, truth = hypotheses.get(at, []), truths.get(at, [])
        distance = float(levenshtein(guess, truth))
        if normalize:
            distance = distance / len(truth) if truth else float("inf")
        out[at] = distance
    return out


def _tree_shape(c: ShapeContext) -> list[Sizes]:
    steps = merge(c, with_rank(c, c.input(0), 3), with_rank(c, c.input(1), 3))
    with_rank(c, c.input(2), 1)
    with_rank(c, c.input(3), 0)
    return [steps]


@op("GatherTree", shape=_tree_shape)
def gather_tree(step_ids: Any, parent_ids: Any, max_sequence_lengths: Any, end_token: Any) -> Any:
    """The full sequences of a beam search, from the tokens and the parent beams of each step.

    step_ids, parent_ids  [time, batch, beams]
    max_sequence_lengths  [batch]: where each search ended
    end_token             fills what lies behind the end of a sequence

    raises   InvalidArgumentError for a parent that is no beam
    differs  a compiled program does not check the parents
    """
    time, _, beams = static_shape(step_ids)
    if on_host(step_ids, parent_ids, max_sequence_lengths, end_token):
        return _trees(step_ids, parent_ids, max_sequence_lengths, end_token)
    ids, parents = jnp.asarray(step_ids), jnp.asarray(parent_ids)
    end = jnp.asarray(end_token)
    last = jnp.minimum(jnp.asarray(max_sequence_lengths), time)[:, None] - 1

    def step(parent: Any, at: Any) -> Any:
        level, tokens, up = at
        inside = level <= last
        start = jnp.broadcast_to(jnp.arange(beams, dtype=parents.dtype), parent.shape)
        parent = jnp.where(level == last, start, parent)
        token = jnp.where(inside, jnp.take_along_axis(tokens, parent, axis=1), end)
        return jnp.where(inside, jnp.take_along_axis(up, parent, axis=1), parent), token

    start = jnp.zeros(ids.shape[1:], parents.dtype)
    levels = jnp.arange(time, dtype=last.dtype)
    _, out = lax.scan(step, start, (levels, ids, parents), reverse=True)
    return _ended(out, end)


def _trees(step_ids: Any, parent_ids: Any, lengths: Any, end_token: Any) -> Any:
    time, batches, beams = step_ids.shape
    out = np.full_like(step_ids, end_token)
    for batch in range(batches):
        last = min(time, int(lengths[batch])) - 1
        if last < 0:
            continue
        parent = np.arange(beams)
        for level in range(last, -1, -1):
            bad = (parent < 0) | (parent >= beams)
            if bad.any():
                raise InvalidArgumentError(
                    f"Saw invalid parent id {int(parent[bad][0])} at (batch, time)=({batch}, {level})"
                )
            out[level, batch] = step_ids[level, batch][parent]
            parent = parent_ids[level, batch][parent]
    return _ended(out, end_token)


def _ended(ids: Any, end_token: Any) -> Any:
    """After the first end token of a sequence, nothing but end tokens."""
    xp = namespace(ids, end_token)
    ended = xp.cumsum((ids == end_token).astype(np.int32), axis=0) > 0
    return xp.where(ended, xp.asarray(end_token, ids.dtype), ids)
