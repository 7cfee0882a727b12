"""tf.random: random values and their seeds. Those that are one op come from the table."""

from __future__ import annotations

from typing import Any

from regraft.v1 import _plain
from regraft.v1._random import categorical as categorical
from regraft.v1._random import get_seed as get_seed
from regraft.v1._random import multinomial as multinomial
from regraft.v1._random import random_gamma as gamma
from regraft.v1._random import random_normal as normal
from regraft.v1._random import random_poisson as poisson
from regraft.v1._random import random_shuffle as shuffle
from regraft.v1._random import random_uniform as uniform
from regraft.v1._random import set_random_seed as set_random_seed
from regraft.v1._random import truncated_normal as truncated_normal

__all__ = [
    "categorical",
    "gamma",
    "get_seed",
    "multinomial",
    "normal",
    "poisson",
    "set_random_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]


def __getattr__(name: str) -> Any:
    if name.endswith("_candidate_sampler"):
        from regraft.v1 import nn

        return getattr(nn, name)
    if name.startswith("stateless_"):
        from regraft.v1 import _random_stateless

        if name in _random_stateless.__all__:
            return getattr(_random_stateless, name)
    return _plain.function(f"random.{name}")
