"""Distributions of positive numbers and of shares: gamma, exponential, beta, Dirichlet."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.v1._array import concat, fill, identity, matrix_set_diag, ones, ones_like, shape
from regraft.v1._checks import (
    assert_less,
    assert_near,
    assert_positive,
    assert_rank_at_least,
    assert_same_float_dtype,
)
from regraft.v1._graph_control import with_dependencies
from regraft.v1._linalg import lbeta, matmul
from regraft.v1._math import cast, exp, rsqrt, sqrt
from regraft.v1._opening import on, opened
from regraft.v1._random import random_gamma, random_uniform
from regraft.v1._reduction import reduce_all, reduce_sum
from regraft.v1.distributions._distribution import FULLY_REPARAMETERIZED, Broadcast, Distribution
from regraft.v1.distributions._divergence import RegisterKL
from regraft.v1.distributions._parts import expanded, given, new_seed


def _start(self: Any, kind: Any, arguments: dict[str, Any], name: str, parents: list[Any]) -> None:
    Distribution.__init__(
        self,
        dtype=kind,
        reparameterization_type=FULLY_REPARAMETERIZED,
        validate_args=arguments["validate_args"],
        allow_nan_stats=arguments["allow_nan_stats"],
        parameters=arguments,
        graph_parents=parents,
        name=name,
    )


def _nan(self: Any, sizes: Any) -> Any:
    return fill(sizes, np.array(np.nan, self.dtype.numpy), name="nan")


class Gamma(Broadcast):
    """The gamma distribution: the mean is concentration / rate."""

    _shaping = ("concentration", "rate")

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Gamma",
    ) -> None:
        arguments = given(locals())
        with opened(None, name, concentration, rate) as (b, scope):
            checks = [assert_positive(concentration), assert_positive(rate)] if validate_args else []
            with b.graph.control_dependencies(checks):
                self._concentration = identity(concentration, name="concentration")
                self._rate: Any = identity(rate, name="rate")
                assert_same_float_dtype([self._concentration, self._rate])
        _start(self, self._concentration.dtype.base, arguments, scope, [self._concentration, self._rate])

    @property
    def concentration(self) -> Any:
        return self._concentration

    @property
    def rate(self) -> Any:
        return self._rate

    def _checked(self, x: Any) -> Any:
        assert_same_float_dtype(tensors=[x], dtype=self.dtype)
        return with_dependencies([assert_positive(x)], x) if self.validate_args else x

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        return random_gamma([n], self.concentration, beta=self.rate, dtype=self.dtype, seed=seed)

    def _log_prob(self, x: Any) -> Any:
        b = on(x)
        x = self._checked(x)
        unnormalized = b.Xlogy(self.concentration - 1.0, x) - self.rate * x
        return unnormalized - (b.Lgamma(self.concentration) - self.concentration * b.Log(self.rate))

    def _cdf(self, x: Any) -> Any:
        x = self._checked(x)
        return on(x).Igamma(self.concentration, self.rate * x)

    def _entropy(self) -> Any:
        b = on(self.rate)
        known = self.concentration - b.Log(self.rate) + b.Lgamma(self.concentration)
        return known + (1.0 - self.concentration) * b.Digamma(self.concentration)

    def _mean(self) -> Any:
        return self.concentration / self.rate

    def _variance(self) -> Any:
        return self.concentration / on(self.rate).Square(self.rate)

    def _stddev(self) -> Any:
        return sqrt(self.concentration) / self.rate

    def _mode(self) -> Any:
        mode = (self.concentration - 1.0) / self.rate
        if self.allow_nan_stats:
            nan = _nan(self, self.batch_shape_tensor())
            return on(mode).SelectV2(self.concentration > 1.0, mode, nan)
        message = "mode not defined when any concentration <= 1"
        return with_dependencies([assert_less(ones([], self.dtype), self.concentration, message=message)], mode)


@RegisterKL(Gamma, Gamma)
def _kl_gamma(a: Gamma, b: Gamma, name: str | None = None) -> Any:
    with opened(name, "kl_gamma_gamma", a.concentration, a.rate, b.concentration, b.rate) as (builder, _):
        found = (a.concentration - b.concentration) * builder.Digamma(a.concentration)
        found = found + builder.Lgamma(b.concentration) - builder.Lgamma(a.concentration)
        found = found + b.concentration * builder.Log(a.rate) - b.concentration * builder.Log(b.rate)
        return found + a.concentration * (b.rate / a.rate - 1.0)


class Exponential(Gamma):
    """The exponential distribution: the mean is 1 / rate."""

    def __init__(
        self, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Exponential"
    ) -> None:
        arguments = given(locals())
        with opened(None, name, rate) as (b, scope):
            rate = b.convert(rate, name="rate")
        super().__init__(ones([], rate.dtype.base), rate, validate_args, allow_nan_stats, scope)
        self._parameters = arguments
        self._graph_parents += [self._rate]

    def _log_survival_function(self, value: Any) -> Any:
        return self._log_prob(value) - on(value).Log(self._rate)

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        sizes = concat([[n], shape(self._rate)], 0)
        tiny = np.finfo(self.dtype.numpy).tiny  # not 0, of which the logarithm is infinite
        drawn = random_uniform(sizes, tiny, 1.0, seed=seed, dtype=self.dtype)
        return -on(drawn).Log(drawn) / self._rate


class Beta(Distribution):
    """The beta distribution of shares between 0 and 1: the mean is concentration1 / (their sum)."""

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Beta",
    ) -> None:
        arguments = given(locals())
        with opened(None, name, concentration1, concentration0) as (b, scope):
            self._concentration1: Any = _positive(b.convert(concentration1, name="concentration1"), validate_args)
            self._concentration0: Any = _positive(b.convert(concentration0, name="concentration0"), validate_args)
            assert_same_float_dtype([self._concentration1, self._concentration0])
            self._total: Any = self._concentration1 + self._concentration0
        parents = [self._concentration1, self._concentration0, self._total]
        _start(self, self._total.dtype.base, arguments, scope, parents)

    @property
    def concentration1(self) -> Any:
        return self._concentration1

    @property
    def concentration0(self) -> Any:
        return self._concentration0

    @property
    def total_concentration(self) -> Any:
        return self._total

    def _batch_shape_tensor(self) -> Any:
        return shape(self._total)

    def _batch_shape(self) -> Any:
        return self._total.shape

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        first = ones_like(self._total, dtype=self.dtype) * self.concentration1
        second = ones_like(self._total, dtype=self.dtype) * self.concentration0
        gamma1 = random_gamma([n], first, dtype=self.dtype, seed=seed)
        gamma2 = random_gamma([n], second, dtype=self.dtype, seed=new_seed(seed, "beta"))
        return gamma1 / (gamma1 + gamma2)

    def _log_prob(self, x: Any) -> Any:
        b = on(x)
        if self.validate_args:
            positive = assert_positive(x, message="sample must be positive")
            below = assert_less(x, ones([], self.dtype), message="sample must be less than `1`.")
            x = with_dependencies([positive, below], x)
        unnormalized = b.Xlogy(self.concentration1 - 1.0, x) + (self.concentration0 - 1.0) * b.Log1p(-x)
        return unnormalized - self._log_normalization()

    def _log_normalization(self) -> Any:
        b = on(self._total)
        return b.Lgamma(self.concentration1) + b.Lgamma(self.concentration0) - b.Lgamma(self._total)

    def _prob(self, x: Any) -> Any:
        return exp(self._log_prob(x))

    def _log_cdf(self, x: Any) -> Any:
        return on(x).Log(self._cdf(x))

    def _cdf(self, x: Any) -> Any:
        return on(x).Betainc(self.concentration1, self.concentration0, x)

    def _entropy(self) -> Any:
        b = on(self._total)
        found = self._log_normalization()
        found = found - (self.concentration1 - 1.0) * b.Digamma(self.concentration1)
        found = found - (self.concentration0 - 1.0) * b.Digamma(self.concentration0)
        return found + (self._total - 2.0) * b.Digamma(self._total)

    def _mean(self) -> Any:
        return self._concentration1 / self._total

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self._mean()) / (1.0 + self._total)

    def _mode(self) -> Any:
        mode = (self.concentration1 - 1.0) / (self._total - 2.0)
        if self.allow_nan_stats:
            b = on(mode)
            nan = _nan(self, self.batch_shape_tensor())
            defined = b.LogicalAnd(self.concentration1 > 1.0, self.concentration0 > 1.0)
            return b.SelectV2(defined, mode, nan)
        checks = [
            assert_less(ones([], self.dtype), c, message=f"Mode undefined for concentration{i} <= 1.")
            for i, c in ((1, self.concentration1), (0, self.concentration0))
        ]
        return with_dependencies(checks, mode)


def _positive(concentration: Any, validate_args: bool) -> Any:
    if not validate_args:
        return concentration
    check = assert_positive(concentration, message="Concentration parameter must be positive.")
    return with_dependencies([check], concentration)


@RegisterKL(Beta, Beta)
def _kl_beta(a: Beta, b: Beta, name: str | None = None) -> Any:
    with opened(name, "kl_beta_beta", a.concentration1, b.concentration1) as (builder, _):
        second, first = b._log_normalization(), a._log_normalization()
        found = second - first
        found = found - builder.Digamma(a.concentration1) * (b.concentration1 - a.concentration1)
        found = found - builder.Digamma(a.concentration0) * (b.concentration0 - a.concentration0)
        return found + builder.Digamma(a.total_concentration) * (b.total_concentration - a.total_concentration)


class Dirichlet(Distribution):
    """The Dirichlet distribution of shares that sum to 1. concentration  [batch, n]"""

    def __init__(
        self, concentration: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Dirichlet"
    ) -> None:
        arguments = given(locals())
        with opened(None, name, concentration) as (b, scope):
            self._concentration: Any = b.convert(concentration, name="concentration")
            if validate_args:
                self._concentration = _shares(self._concentration)
            self._total: Any = reduce_sum(self._concentration, -1)
        _start(self, self._concentration.dtype.base, arguments, scope, [self._concentration, self._total])

    @property
    def concentration(self) -> Any:
        return self._concentration

    @property
    def total_concentration(self) -> Any:
        return self._total

    def _batch_shape_tensor(self) -> Any:
        return shape(self._total)

    def _batch_shape(self) -> Any:
        return self._total.shape

    def _event_shape_tensor(self) -> Any:
        return shape(self._concentration)[-1:]

    def _event_shape(self) -> Any:
        return self._concentration.shape.with_rank_at_least(1)[-1:]

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        drawn = random_gamma([n], self.concentration, dtype=self.dtype, seed=seed)
        return drawn / reduce_sum(drawn, -1, keepdims=True)

    def _log_prob(self, x: Any) -> Any:
        if self.validate_args:
            positive = assert_positive(x, message="samples must be positive")
            one, total = ones([], self.dtype), reduce_sum(x, -1)
            x = with_dependencies(
                [positive, assert_near(one, total, message="sample last-dimension must sum to `1`")], x
            )
        unnormalized = reduce_sum(on(x).Xlogy(self.concentration - 1.0, x), -1)
        return unnormalized - lbeta(self.concentration)

    def _prob(self, x: Any) -> Any:
        return exp(self._log_prob(x))

    def _classes(self) -> Any:
        return cast(self.event_shape_tensor()[0], self.dtype)

    def _entropy(self) -> Any:
        b = on(self._total)
        k = self._classes()
        found = lbeta(self.concentration) + (self._total - k) * b.Digamma(self._total)
        return found - reduce_sum((self.concentration - 1.0) * b.Digamma(self.concentration), axis=-1)

    def _mean(self) -> Any:
        return self.concentration / expanded(self._total)

    def _scale(self) -> Any:
        return rsqrt(1.0 + expanded(self._total))

    def _covariance(self) -> Any:
        x = self._scale() * self._mean()
        products = matmul(expanded(x), x[..., None, :])
        return matrix_set_diag(-products, self._variance())

    def _variance(self) -> Any:
        scale = self._scale()
        x = scale * self._mean()
        return x * (scale - x)

    def _mode(self) -> Any:
        k = self._classes()
        mode = (self.concentration - 1.0) / (expanded(self._total) - k)
        if self.allow_nan_stats:
            nan = _nan(self, shape(mode))
            defined = reduce_all(self.concentration > 1.0, axis=-1)
            return on(mode).SelectV2(defined, mode, nan)
        message = "Mode undefined when any concentration <= 1"
        return with_dependencies([assert_less(ones([], self.dtype), self.concentration, message=message)], mode)


def _shares(concentration: Any) -> Any:
    checks = [
        assert_positive(concentration, message="Concentration parameter must be positive."),
        assert_rank_at_least(concentration, 1, message="Concentration parameter must have >=1 dimensions."),
        assert_less(1, shape(concentration)[-1], message="Concentration parameter must have event_size >= 2."),
    ]
    return with_dependencies(checks, concentration)


@RegisterKL(Dirichlet, Dirichlet)
def _kl_dirichlet(a: Dirichlet, b: Dirichlet, name: str | None = None) -> Any:
    with opened(name, "kl_dirichlet_dirichlet", a.concentration, b.concentration) as (builder, _):
        whole = builder.Digamma(reduce_sum(a.concentration, axis=-1, keepdims=True))
        each = builder.Digamma(a.concentration) - whole
        apart = a.concentration - b.concentration
        return reduce_sum(apart * each, axis=-1) - lbeta(a.concentration) + lbeta(b.concentration)
