"""tf.distributions: probability distributions as objects over tensors."""

from __future__ import annotations

from regraft.v1.distributions._discrete import Bernoulli, Categorical, Multinomial
from regraft.v1.distributions._distribution import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    Distribution,
    ReparameterizationType,
)
from regraft.v1.distributions._divergence import RegisterKL, kl_divergence
from regraft.v1.distributions._location import Laplace, Normal, StudentT, Uniform
from regraft.v1.distributions._positive import Beta, Dirichlet, Exponential, Gamma

__all__ = [
    "FULLY_REPARAMETERIZED",
    "NOT_REPARAMETERIZED",
    "Bernoulli",
    "Beta",
    "Categorical",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "Gamma",
    "Laplace",
    "Multinomial",
    "Normal",
    "RegisterKL",
    "ReparameterizationType",
    "StudentT",
    "Uniform",
    "kl_divergence",
]
