"""What a builder hands to the writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Feeds = Mapping[str, np.ndarray]
"""Arrays by tensor name (`x:0`)."""


@dataclass(frozen=True)
class Model:
    """A graph that stands in the current default graph.

    outputs         inference fetches, computed from `inference_feeds`
    training_feeds  from the step number to the feeds of that step (dropout off)
    dropout_feeds   fed on top of these to switch seeded dropout on; empty for a model without dropout
    """

    loss: Any
    train_op: Any
    outputs: tuple[Any, ...]
    inference_feeds: Feeds
    training_feeds: Callable[[int], Feeds]
    dropout_feeds: Feeds = field(default_factory=dict)


def step_rng(step: int) -> np.random.Generator:
    """The generator of a step's feeds; step -1 is the inference batch."""
    return np.random.default_rng([20160101, step + 1])
