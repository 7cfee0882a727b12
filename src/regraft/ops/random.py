"""Random tensors whose numbers come from the node's own counter: uniform, normal, truncated normal, shuffles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.opkit import random_fill
from regraft.opkit.arrays import on_host
from regraft.opkit.random import Rng, SingleSamples
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import Rule, ShapeContext, Sizes, same_as


def _drawn(*scalars: int) -> Rule:
    """The output has the shape that input 0 gives; the inputs `scalars` are scalars."""

    def rule(c: ShapeContext) -> list[Sizes]:
        for i in scalars:
            if c.input(i) not in (None, ()):
                raise c.fail(f"Shape must be rank 0 but is rank {len(c.input(i) or ())}")
        return [c.sizes(0)]

    return rule


@op("RandomUniform", shape=_drawn(), static="shape", random=True, mask="draws", no_gradient="its inputs are integers")
def random_uniform(shape: Any, *, dtype: DType, rng: Rng) -> Any:
    """Floats in [0, 1)."""
    return random_fill.reserved_uniform(rng, random_fill.sizes_of(shape), dtype.numpy)()


@op("RandomUniformInt", shape=_drawn(1, 2), static="shape", random=True)
def random_uniform_int(shape: Any, minval: Any, maxval: Any, *, rng: Rng) -> Any:
    """Integers in [minval, maxval), slightly biased where the width is no power of two, as in TensorFlow."""
    sizes = random_fill.sizes_of(shape)
    if on_host(minval, maxval) and 0 not in sizes and minval >= maxval:
        raise InvalidArgumentError(f"Need minval < maxval, got {minval} >= {maxval}")
    start = rng.reserve(random_fill.OUTPUT_BLOCKS * math.prod(sizes))
    return random_fill.uniform_int(rng.key, start, sizes, minval, maxval)


@op("RandomStandardNormal", shape=_drawn(), static="shape", random=True, no_gradient="its inputs are integers")
def random_standard_normal(shape: Any, *, dtype: DType, rng: Rng) -> Any:
    """Normals of mean 0 and deviation 1."""
    sizes = random_fill.sizes_of(shape)
    start = rng.reserve(random_fill.OUTPUT_BLOCKS * math.prod(sizes))
    return random_fill.normal(rng.key, start, sizes, dtype.numpy)


@op("TruncatedNormal", shape=_drawn(), static="shape", random=True, no_gradient="its inputs are integers")
def truncated_normal(shape: Any, *, dtype: DType, rng: Rng) -> Any:
    """Normals of mean 0 and deviation 1, drawn again while their magnitude is 2 or more."""
    sizes = random_fill.sizes_of(shape)
    start = rng.reserve(random_fill.OUTPUT_BLOCKS * math.prod(sizes))
    return random_fill.truncated_normal(rng.key, start, sizes, dtype.numpy)


@op("RandomShuffle", shape=same_as(0), runs=Runs.HOST, random=True, no_gradient="not differentiable")
def random_shuffle(value: Any, *, rng: Rng) -> Any:
    """The rows in random order: Fisher and Yates from the front, a sample a row."""
    value = np.asarray(value)
    if value.size <= 1 or value.ndim == 0:
        return value
    count = len(value)
    samples = SingleSamples(rng.key, rng.reserve(-(-count // 4))).take(count - 1).tolist()
    order = list(range(count))
    for i, sample in enumerate(samples):
        j = i + sample % (count - i)
        order[i], order[j] = order[j], order[i]
    return value[order]
