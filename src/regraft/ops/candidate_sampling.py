"""Samplers of classes for losses over many classes (sampled softmax, NCE), and the hits among them that are no samples.

A sampler draws `num_sampled` classes below `range_max`, different ones if `unique`. It reserves 2,048 samples of 32
bits for each. It also tells how often each true and each sampled class is expected among that many draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError, UnimplementedError
from regraft.opkit.random import Rng, SingleSamples
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, fixed, with_rank

_RESERVED = 2048


def _samples(c: ShapeContext) -> list[Sizes]:
    batch, _ = with_rank(c, c.input(0), 2)
    sampled = (c.attr("num_sampled"),)
    return [sampled, (batch, c.attr("num_true")), sampled]


def _check_true(true_classes: Any, num_true: int, range_max: int | None = None) -> None:
    if range_max is not None:
        for value in true_classes[(true_classes < 0) | (true_classes >= range_max)].tolist():
            raise InvalidArgumentError(f"`true_candidate` out of range [0, {range_max}), received {value}")
    if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
        raise InvalidArgumentError(f"true_classes must have {num_true} columns, got shape {list(true_classes.shape)}")


def _sample(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    rng: Rng,
    draw: Callable[[SingleSamples], int],
    chance: Callable[[Any], Any],
) -> tuple[Any, Any, Any]:
    """The outputs of a sampler that draws a class with `draw` and gives each class the probability `chance`."""
    _check_true(true_classes, num_true, range_max)
    if unique and num_sampled > range_max:
        raise InvalidArgumentError(f"Sampler's range is too small: {num_sampled} different classes below {range_max}")
    source = SingleSamples(rng.key, rng.reserve(_RESERVED // 4 * num_sampled))
    picked: list[int] = []
    seen: set[int] = set()
    tries = 0
    while len(picked) < num_sampled:
        tries += 1
        value = draw(source)
        if not unique or value not in seen:
            seen.add(value)
            picked.append(value)
    sampled = np.array(picked, np.int64)

    def expected(classes: Any) -> Any:
        p = np.asarray(chance(classes), np.float32)
        if tries == num_sampled:
            return p * np.float32(num_sampled)
        return -np.expm1(np.float32(tries) * np.log1p(-p))

    return sampled, expected(true_classes), expected(sampled)


def _below(source: SingleSamples, limit: int) -> int:
    """A uniform integer below `limit` from samples of 64 bits, without those that would favour low integers."""
    odd = 0 if limit & (limit - 1) == 0 else (1 << 64) % limit
    while True:
        low, high = source.take(2).tolist()
        sample = low | high << 32
        if sample >= odd:
            return int(sample % limit)


@op("UniformCandidateSampler", shape=_samples, runs=Runs.HOST, random=True)
def uniform_candidate_sampler(
    true_classes: Any, *, num_true: int, num_sampled: int, unique: bool, range_max: int, rng: Rng
) -> Any:
    """Every class alike."""

    def chance(classes: Any) -> Any:
        return np.full(classes.shape, 1 / range_max, np.float32)

    def draw(source: SingleSamples) -> int:
        return _below(source, range_max)

    return _sample(true_classes, num_true, num_sampled, unique, range_max, rng, draw, chance)


@op("LogUniformCandidateSampler", shape=_samples, runs=Runs.HOST, random=True)
def log_uniform_candidate_sampler(
    true_classes: Any, *, num_true: int, num_sampled: int, unique: bool, range_max: int, rng: Rng
) -> Any:
    """Class k with chance log((k + 2) / (k + 1)) / log(range_max + 1): for classes in order of falling frequency."""
    log_range = math.log1p(range_max)

    def chance(classes: Any) -> Any:
        return np.log((classes + 2.0) / (classes + 1.0)) / log_range

    def draw(source: SingleSamples) -> int:
        return (int(math.exp(source.double() * log_range)) - 1) % range_max

    return _sample(true_classes, num_true, num_sampled, unique, range_max, rng, draw, chance)


@op("AllCandidateSampler", shape=_samples, runs=Runs.HOST, random=True)
def all_candidate_sampler(true_classes: Any, *, num_true: int, num_sampled: int, rng: Rng) -> Any:
    """All classes below `num_sampled`, each expected once; nothing is drawn."""
    _check_true(true_classes, num_true, num_sampled)
    return (
        np.arange(num_sampled, dtype=np.int64),
        np.ones(true_classes.shape, np.float32),
        np.ones(num_sampled, np.float32),
    )


def _alias_table(weights: list[float]) -> tuple[list[float], list[int]]:
    """Walker's alias method, paired from the ends of both lists: for each class (chance to stay, where to go else)."""
    total = sum(weights)
    stay = [w * len(weights) / total for w in weights]
    other = list(range(len(weights)))
    low = [i for i, p in enumerate(stay) if p < 1]
    high = [i for i, p in enumerate(stay) if p >= 1]
    while low and high:
        poor, rich = low.pop(), high.pop()
        other[poor] = rich
        stay[rich] -= 1 - stay[poor]
        (low if stay[rich] < 1 else high).append(rich)
    for i in (*low, *high):
        stay[i] = 1.0
    return stay, other


@op("FixedUnigramCandidateSampler", shape=_samples, runs=Runs.HOST, random=True)
def fixed_unigram_candidate_sampler(
    true_classes: Any,
    *,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: bytes,
    distortion: float,
    num_reserved_ids: int,
    num_shards: int,
    shard: int,
    unigrams: tuple[float, ...],
    rng: Rng,
) -> Any:
    """Each class with a chance in proportion to its weight to the power `distortion`; reserved classes never."""
    if vocab_file:
        raise UnimplementedError(
            f"weights from the file {vocab_file.decode(errors='replace')!r} are not supported", hint="give `unigrams`"
        )
    words = [np.float32(0)] * num_reserved_ids
    words += [np.float32(w) ** np.float32(distortion) for w in unigrams]
    kept = [w if i >= num_reserved_ids else np.float32(0) for i, w in enumerate(words)]
    kept = [w for i, w in enumerate(kept) if i < num_reserved_ids or i % num_shards == shard]
    if len(kept) != range_max and num_shards == 1:
        raise InvalidArgumentError(f"range_max is {range_max}, but there are weights for {len(kept)} classes")
    weights = np.array(kept, np.float32)
    total = float(weights.astype(np.float64).sum())
    stay, other = _alias_table([float(w) for w in weights])

    def chance(classes: Any) -> Any:
        inside = (classes >= 0) & (classes < len(weights))
        return np.where(inside, weights[np.where(inside, classes, 0)] / total, 0)

    def draw(source: SingleSamples) -> int:
        chance = source.single()
        i = source.below(len(weights))
        return i if chance < np.float32(stay[i]) else other[i]

    return _sample(true_classes, num_true, num_sampled, unique, range_max, rng, draw, chance)


@op("ComputeAccidentalHits", shape=fixed((None,), (None,), (None,)), runs=Runs.HOST)
def compute_accidental_hits(true_classes: Any, sampled_candidates: Any, *, num_true: int) -> Any:
    """Where a sampled class is one of a row's true classes: rows, positions among the samples, the lowest float32."""
    _check_true(true_classes, num_true)
    place = {int(v): i for i, v in enumerate(sampled_candidates)}
    hits = [(row, place[int(v)]) for row, classes in enumerate(true_classes) for v in classes if int(v) in place]
    rows = np.array([row for row, _ in hits], np.int32)
    ids = np.array([at for _, at in hits], np.int64)
    return rows, ids, np.full(len(hits), np.finfo(np.float32).min, np.float32)
