"""Losses over a sample of the classes, and the samplers."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.v1._array import (
    concat,
    expand_dims,
    ones,
    ones_like,
    reshape,
    shape,
    stack,
    stop_gradient,
    zeros_like,
)
from regraft.v1._indexing import slice as slice_
from regraft.v1._linalg import matmul
from regraft.v1._math import cast
from regraft.v1._nn_embedding import embedding_lookup, parts_of
from regraft.v1._nn_loss import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits_v2
from regraft.v1._opening import opened
from regraft.v1._random import get_seed
from regraft.v1.raw_ops import add_op

__all__ = [
    "all_candidate_sampler",
    "compute_accidental_hits",
    "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler",
    "nce_loss",
    "sampled_softmax_loss",
    "uniform_candidate_sampler",
]


def _sampler(op_type: str, doc: str) -> Any:
    def function(
        true_classes: Any,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: int | None = None,
        name: str | None = None,
    ) -> Any:
        first, second = get_seed(seed)
        given = {"true_classes": true_classes, "num_true": num_true, "num_sampled": num_sampled, "unique": unique}
        return add_op(op_type, {**given, "range_max": range_max, "seed": first, "seed2": second}, name)

    function.__doc__ = f"(sampled classes, expected counts of the true and of the sampled ones): {doc}."
    return function


uniform_candidate_sampler = _sampler("UniformCandidateSampler", "all classes are equally likely")
log_uniform_candidate_sampler = _sampler("LogUniformCandidateSampler", "lower class numbers are likelier (Zipf)")
learned_unigram_candidate_sampler = _sampler("LearnedUnigramCandidateSampler", "as likely as they were seen so far")


def all_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: int | None = None, name: str | None = None
) -> Any:
    """(sampled classes, expected counts of the true and of the sampled ones): all classes."""
    first, second = get_seed(seed)
    given = {"true_classes": true_classes, "num_true": num_true, "num_sampled": num_sampled, "unique": unique}
    return add_op("AllCandidateSampler", {**given, "seed": first, "seed2": second}, name)


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Any = (),
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """(sampled classes, expected counts of the true and of the sampled ones): as likely as a file or list says."""
    first, second = get_seed(seed)
    given = {
        "true_classes": true_classes,
        "num_true": num_true,
        "num_sampled": num_sampled,
        "unique": unique,
        "range_max": range_max,
        "vocab_file": vocab_file,
        "distortion": distortion,
        "num_reserved_ids": num_reserved_ids,
        "num_shards": num_shards,
        "shard": shard,
        "unigrams": list(unigrams),
    }
    return add_op("FixedUnigramCandidateSampler", {**given, "seed": first, "seed2": second}, name)


def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: int | None = None, name: str | None = None
) -> Any:
    """(rows, positions in the sample, weights) of those true classes that were sampled."""
    first, second = get_seed(seed)
    given = {"true_classes": true_classes, "sampled_candidates": sampled_candidates, "num_true": num_true}
    return add_op("ComputeAccidentalHits", {**given, "seed": first, "seed2": second}, name)


def _row_sums(x: Any) -> Any:
    columns = shape(x)[1]
    return reshape(matmul(x, ones(stack([columns, 1]), x.dtype)), [-1])


def _sampled_logits(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Any,
    remove_accidental_hits: bool,
    partition_strategy: str,
    name: str | None,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """(logits, labels) of the true classes and of a sample of the others, the log of how likely they were taken off."""
    parts = parts_of(weights)
    with opened(name, "compute_sampled_logits", parts, biases, inputs, labels) as (b, _):
        labels = cast(labels, dtypes.int64)
        flat = reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
        sampled, true_count, sampled_count = [stop_gradient(s) for s in sampled_values]
        sampled = cast(sampled, dtypes.int64)
        ids = concat([flat, sampled], 0)
        rows = cast(embedding_lookup(parts, ids, partition_strategy), inputs.dtype)
        true_rows = slice_(rows, [0, 0], stack([shape(flat)[0], -1]))
        sampled_rows = slice_(rows, stack([shape(flat)[0], 0]), [-1, -1])
        sampled_logits = matmul(inputs, sampled_rows, transpose_b=True)
        offsets = cast(embedding_lookup(biases, ids, partition_strategy), inputs.dtype)
        true_offsets = slice_(offsets, [0], shape(flat))
        sampled_offsets = slice_(offsets, shape(flat), [-1])
        width = shape(true_rows)[1:2]
        spread = concat([[-1, num_true], width], 0)
        products = b.Mul(expand_dims(inputs, 1), reshape(true_rows, spread))
        products = reshape(products, concat([[-1], width], 0))
        true_logits = reshape(_row_sums(products), [-1, num_true])
        true_offsets = reshape(true_offsets, [-1, num_true])
        true_logits = true_logits + true_offsets
        sampled_logits = sampled_logits + sampled_offsets
        if remove_accidental_hits:
            sampled_logits = sampled_logits + _hits(b, labels, sampled, num_true, num_sampled, sampled_logits)
        true_logits = true_logits - b.Log(true_count)
        sampled_logits = sampled_logits - b.Log(sampled_count)
        logits = concat([true_logits, sampled_logits], 1)
        targets = [ones_like(true_logits) / num_true, zeros_like(sampled_logits)]
        return logits, concat(targets, 1)


def _hits(b: Any, labels: Any, sampled: Any, num_true: int, num_sampled: int, logits: Any) -> Any:
    rows, positions, weights = compute_accidental_hits(labels, sampled, num_true)
    rows = reshape(rows, [-1, 1])
    positions = reshape(cast(positions, dtypes.int32), [-1, 1])
    indices = concat([rows, positions], 1, "sparse_indices")
    whole = concat([shape(labels)[:1], expand_dims(num_sampled, 0)], 0)
    weights = cast(weights, logits.dtype)
    return b.SparseToDense(indices, whole, weights, 0.0, validate_indices=False)


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str = "nce_loss",
) -> Any:
    """Noise-contrastive estimation: a loss for each row of `inputs` against `num_sampled` sampled classes."""
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
    )
    return _row_sums(sigmoid_cross_entropy_with_logits(targets, logits, name="sampled_losses"))


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str = "sampled_softmax_loss",
    seed: int | None = None,
) -> Any:
    """The cross entropy of each row of `inputs` over the true classes and `num_sampled` sampled ones."""
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
        seed,
    )
    targets = stop_gradient(targets, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(targets, logits)
