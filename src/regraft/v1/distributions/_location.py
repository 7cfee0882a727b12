"""Distributions along a line, with a place and a width: normal, Laplace, Student's t, uniform."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.v1 import _context
from regraft.v1._array import (
    broadcast_dynamic_shape,
    concat,
    fill,
    identity,
    ones,
    ones_like,
    shape,
    zeros,
    zeros_like,
)
from regraft.v1._checks import assert_less, assert_positive, assert_same_float_dtype
from regraft.v1._graph import name_scope
from regraft.v1._graph_control import with_dependencies
from regraft.v1._linalg import lbeta
from regraft.v1._math import abs as absolute
from regraft.v1._math import exp, ndtri, rsqrt, sign
from regraft.v1._opening import on, opened
from regraft.v1._random import random_gamma, random_normal, random_uniform
from regraft.v1.distributions._distribution import FULLY_REPARAMETERIZED, Broadcast
from regraft.v1.distributions._divergence import RegisterKL
from regraft.v1.distributions._normal_tail import log_ndtr, ndtr
from regraft.v1.distributions._parts import expanded, given, new_seed


class _Parametric(Broadcast):
    """A distribution of scalars with parameters of one floating type, kept under their names with "_" before."""

    def _keep(self, checks: Any, **parameters: Any) -> None:
        with _context.get_default_graph().control_dependencies(checks):
            for name, value in parameters.items():
                setattr(self, f"_{name}", identity(value, name=name))
            assert_same_float_dtype([getattr(self, f"_{name}") for name in parameters])

    def _start(self, name: str, arguments: dict[str, Any], *kept: str) -> None:
        """`Distribution.__init__` for parameters that are kept already."""
        parents = [getattr(self, f"_{k}") for k in kept]
        super().__init__(
            dtype=parents[-1].dtype.base,
            reparameterization_type=FULLY_REPARAMETERIZED,
            validate_args=arguments["validate_args"],
            allow_nan_stats=arguments["allow_nan_stats"],
            parameters=arguments,
            graph_parents=parents,
            name=name,
        )


class _LocScale(_Parametric):
    _loc: Any
    _scale: Any

    @property
    def loc(self) -> Any:
        return self._loc

    @property
    def scale(self) -> Any:
        return self._scale


class Normal(_LocScale):
    """The normal distribution with the mean `loc` and the standard deviation `scale`."""

    _shaping = ("loc", "scale")

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal"
    ) -> None:
        arguments = given(locals())
        with opened(None, name, loc, scale) as (_, scope):
            self._keep([assert_positive(scale)] if validate_args else [], loc=loc, scale=scale)
        self._start(scope, arguments, "loc", "scale")

    def _z(self, x: Any) -> Any:
        with name_scope("standardize", values=[x]):
            return (x - self.loc) / self.scale

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        sizes = concat([[n], self.batch_shape_tensor()], 0)
        drawn = random_normal(sizes, 0.0, 1.0, self.loc.dtype, seed)
        return drawn * self.scale + self.loc

    def _log_prob(self, x: Any) -> Any:
        return -0.5 * on(x).Square(self._z(x)) - (0.5 * math.log(2.0 * math.pi) + on(x).Log(self.scale))

    def _log_cdf(self, x: Any) -> Any:
        return log_ndtr(self._z(x))

    def _cdf(self, x: Any) -> Any:
        return ndtr(self._z(x))

    def _log_survival_function(self, x: Any) -> Any:
        return log_ndtr(-self._z(x))

    def _survival_function(self, x: Any) -> Any:
        return ndtr(-self._z(x))

    def _quantile(self, p: Any) -> Any:
        z = ndtri(p)
        with name_scope("reconstruct", values=[z]):
            return z * self.scale + self.loc

    def _entropy(self) -> Any:
        scale = self.scale * ones_like(self.loc)
        return 0.5 * math.log(2.0 * math.pi * math.e) + on(scale).Log(scale)

    def _mean(self) -> Any:
        return self.loc * ones_like(self.scale)

    def _stddev(self) -> Any:
        return self.scale * ones_like(self.loc)

    def _mode(self) -> Any:
        return self._mean()


@RegisterKL(Normal, Normal)
def _kl_normal(a: Normal, b: Normal, name: str | None = None) -> Any:
    with opened(name, "kl_normal_normal", a.loc, b.loc) as (builder, _):
        one, two, half = (builder.constant(v, a.dtype) for v in (1, 2, 0.5))
        first, second = builder.Square(a.scale), builder.Square(b.scale)
        ratio = first / second
        apart = builder.SquaredDifference(a.loc, b.loc) / (two * second)
        return apart + half * (ratio - one - builder.Log(ratio))


class Laplace(_LocScale):
    """The Laplace distribution: exponential on both sides of `loc`."""

    _shaping = ("loc", "scale")

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Laplace"
    ) -> None:
        arguments = given(locals())
        with opened(None, name, loc, scale) as (_, scope):
            self._keep([assert_positive(scale)] if validate_args else [], loc=loc, scale=scale)
            self._start(scope, arguments, "loc", "scale")

    def _z(self, x: Any) -> Any:
        return (x - self.loc) / self.scale

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        sizes = concat([[n], self.batch_shape_tensor()], 0)
        kind = self.dtype.numpy.type
        least = np.nextafter(kind(-1.0), kind(0.0))  # not -1, of which the logarithm below is infinite
        drawn = random_uniform(sizes, least, 1.0, self.dtype, seed)
        direction = self.scale * sign(drawn)
        return self.loc - direction * on(drawn).Log1p(-absolute(drawn))

    def _log_prob(self, x: Any) -> Any:
        return -absolute(self._z(x)) - (math.log(2.0) + on(x).Log(self.scale))

    def _prob(self, x: Any) -> Any:
        return exp(self._log_prob(x))

    def _log_cdf(self, x: Any) -> Any:
        return _log_cdf_laplace(self._z(x))

    def _log_survival_function(self, x: Any) -> Any:
        return _log_cdf_laplace(-self._z(x))

    def _cdf(self, x: Any) -> Any:
        z = self._z(x)
        return 0.5 + 0.5 * sign(z) * (1.0 - exp(-absolute(z)))

    def _entropy(self) -> Any:
        scale = self.scale + zeros_like(self.loc)
        return math.log(2.0) + 1.0 + on(scale).Log(scale)

    def _mean(self) -> Any:
        return self.loc + zeros_like(self.scale)

    def _stddev(self) -> Any:
        return math.sqrt(2.0) * self.scale + zeros_like(self.loc)

    def _mode(self) -> Any:
        return self._mean()


def _log_cdf_laplace(x: Any) -> Any:
    with opened(None, "log_cdf_laplace", x) as (b, _):
        x = b.convert(x, name="x")
        lower = -np.log(2.0) + x
        upper = b.Log1p(-0.5 * exp(-absolute(x)))
        return b.SelectV2(x < 0.0, lower, upper)


class StudentT(_LocScale):
    """Student's t with `df` degrees of freedom, moved to `loc` and stretched by `scale`."""

    _shaping = ("df", "loc", "scale")
    _df: Any

    def __init__(
        self,
        df: Any,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "StudentT",
    ) -> None:
        arguments = given(locals())
        with opened(None, name, df, loc, scale) as (_, scope):
            self._keep([assert_positive(df)] if validate_args else [], df=df, loc=loc, scale=scale)
        self._start(scope, arguments, "df", "loc", "scale")

    @property
    def df(self) -> Any:
        return self._df

    def _ones(self) -> Any:
        return ones(self.batch_shape_tensor(), self.dtype)

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        sizes = concat([[n], self.batch_shape_tensor()], 0)
        drawn = random_normal(sizes, dtype=self.dtype, seed=seed)
        df = self.df * self._ones()
        gamma = random_gamma([n], 0.5 * df, beta=0.5, dtype=self.dtype, seed=new_seed(seed, "student_t"))
        return drawn * rsqrt(gamma / df) * self.scale + self.loc

    def _log_prob(self, x: Any) -> Any:
        b = on(x)
        y = (x - self.loc) / self.scale
        unnormalized = -0.5 * (self.df + 1.0) * b.Log1p(y**2.0 / self.df)
        width = b.Log(absolute(self.scale)) + 0.5 * b.Log(self.df) + 0.5 * np.log(np.pi)
        return unnormalized - (width + b.Lgamma(0.5 * self.df) - b.Lgamma(0.5 * (self.df + 1.0)))

    def _cdf(self, x: Any) -> Any:
        b = on(x)
        y = (x - self.loc) / absolute(self.scale)
        t = self.df / (y**2.0 + self.df)
        below = 0.5 * b.Betainc(0.5 * self.df, 0.5, t)
        return b.SelectV2(b.Less(y, 0.0), below, 1.0 - below)

    def _entropy(self) -> Any:
        v = expanded(self._ones())
        b = on(v)
        u = v * expanded(self.df)
        both = concat([u, v], -1) / 2.0
        width = b.Log(absolute(self.scale)) + 0.5 * b.Log(self.df) + lbeta(both)
        half = 0.5 * (self.df + 1.0)
        return width + half * (b.Digamma(0.5 * (self.df + 1.0)) - b.Digamma(0.5 * self.df))

    def _defined(self, what: str, value: Any) -> Any:
        """`value` where there is more than one degree of freedom."""
        b = on(value)
        if self.allow_nan_stats:
            nan = np.array(np.nan, self.dtype.numpy)
            enough = b.Greater(self.df, self._ones())
            return b.SelectV2(enough, value, fill(self.batch_shape_tensor(), nan, name="nan"))
        message = f"{what} not defined for components of df <= 1"
        return with_dependencies([assert_less(ones([], self.dtype), self.df, message=message)], value)

    def _mean(self) -> Any:
        return self._defined("mean", self.loc * self._ones())

    def _variance(self) -> Any:
        b = on(self.df)
        two = b.Greater(self.df, 2.0)
        divisor = b.SelectV2(two, self.df - 2.0, ones_like(self.df))
        value = self._ones() * b.Square(self.scale) * self.df / divisor
        infinite = np.array(np.inf, self.dtype.numpy)
        finite = self.df > fill(self.batch_shape_tensor(), 2.0)
        value = b.SelectV2(finite, value, fill(self.batch_shape_tensor(), infinite, name="inf"))
        return self._defined("variance", value)

    def _mode(self) -> Any:
        return identity(self.loc)


class Uniform(_Parametric):
    """Any value from `low` to below `high` alike."""

    _shaping = ("low", "high")
    _low: Any
    _high: Any

    def __init__(
        self,
        low: Any = 0.0,
        high: Any = 1.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Uniform",
    ) -> None:
        arguments = given(locals())
        with opened(None, name, low, high) as (_, scope):
            message = "uniform not defined when low >= high."
            self._keep([assert_less(low, high, message=message)] if validate_args else [], low=low, high=high)
        self._start(scope, arguments, "low", "high")

    @property
    def low(self) -> Any:
        return self._low

    @property
    def high(self) -> Any:
        return self._high

    def range(self, name: str = "range") -> Any:
        """high - low."""
        with self._name_scope(name):
            return self.high - self.low

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        sizes = concat([[n], self.batch_shape_tensor()], 0)
        drawn = random_uniform(sizes, dtype=self.dtype, seed=seed)
        return self.low + self.range() * drawn

    def _prob(self, x: Any) -> Any:
        b = on(x)
        x = x * ones(self.batch_shape_tensor(), x.dtype)
        nan = b.IsNan(x)
        outside = b.LogicalOr(x < self.low, x >= self.high)
        none = zeros_like(x)
        density = ones_like(x) / self.range()
        return b.SelectV2(nan, x, b.SelectV2(outside, none, density))

    def _cdf(self, x: Any) -> Any:
        b = on(x)
        sizes = broadcast_dynamic_shape(shape(x), self.batch_shape_tensor())
        none, all_ = zeros(sizes, self.dtype), ones(sizes, self.dtype)
        spread = x * all_
        below = x < self.low
        share = b.SelectV2(below, none, (spread - self.low) / self.range())
        return b.SelectV2(x >= self.high, all_, share)

    def _entropy(self) -> Any:
        size = self.range()
        return on(size).Log(size)

    def _mean(self) -> Any:
        return (self.low + self.high) / 2.0

    def _variance(self) -> Any:
        size = self.range()
        return on(size).Square(size) / 12.0

    def _stddev(self) -> Any:
        return self.range() / math.sqrt(12.0)
