"""tf.contrib.distributions: those of tf.distributions, and the normal distribution of vectors with free components."""

from __future__ import annotations

import math
from typing import Any

from regraft.base.shapes import TensorShape
from regraft.v1._array import broadcast_dynamic_shape, broadcast_static_shape, concat, identity, ones_like, shape
from regraft.v1._checks import assert_positive, assert_same_float_dtype
from regraft.v1._opening import on, opened
from regraft.v1._random import random_normal
from regraft.v1._reduction import reduce_sum
from regraft.v1.contrib._missing import missing_from
from regraft.v1.distributions import FULLY_REPARAMETERIZED as FULLY_REPARAMETERIZED
from regraft.v1.distributions import NOT_REPARAMETERIZED as NOT_REPARAMETERIZED
from regraft.v1.distributions import Bernoulli as Bernoulli
from regraft.v1.distributions import Beta as Beta
from regraft.v1.distributions import Categorical as Categorical
from regraft.v1.distributions import Dirichlet as Dirichlet
from regraft.v1.distributions import Distribution as Distribution
from regraft.v1.distributions import Exponential as Exponential
from regraft.v1.distributions import Gamma as Gamma
from regraft.v1.distributions import Laplace as Laplace
from regraft.v1.distributions import Multinomial as Multinomial
from regraft.v1.distributions import Normal as Normal
from regraft.v1.distributions import RegisterKL as RegisterKL
from regraft.v1.distributions import ReparameterizationType as ReparameterizationType
from regraft.v1.distributions import StudentT as StudentT
from regraft.v1.distributions import Uniform as Uniform
from regraft.v1.distributions import kl_divergence as kl_divergence
from regraft.v1.distributions._parts import expanded, given


class MultivariateNormalDiag(Distribution):
    """Vectors whose components are normal and independent.

    loc                        [batch, n], the means; 0 where it is None
    scale_diag                 [batch, n], the standard deviations
    scale_identity_multiplier  [batch], one standard deviation for all components; needs `loc` to know their number
    raises                     ValueError where neither standard deviation is given
    differs                    its nodes have names of their own: it is made without linear operators
    """

    def __init__(
        self,
        loc: Any = None,
        scale_diag: Any = None,
        scale_identity_multiplier: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiag",
    ) -> None:
        arguments = given(locals())
        with opened(None, name, loc, scale_diag, scale_identity_multiplier) as (b, scope):
            if scale_diag is None:
                if scale_identity_multiplier is None or loc is None:
                    raise ValueError(
                        "MultivariateNormalDiag needs `scale_diag`, or `scale_identity_multiplier` and `loc`"
                    )
                scale: Any = ones_like(loc) * expanded(b.convert(scale_identity_multiplier))
            else:
                scale = b.convert(scale_diag)
                if scale_identity_multiplier is not None:
                    scale = scale + expanded(b.convert(scale_identity_multiplier))
            with b.graph.control_dependencies([assert_positive(scale)] if validate_args else []):
                self._scale: Any = identity(scale, name="scale_diag")
                self._loc: Any = b.zeros_like(scale, name="loc") if loc is None else identity(loc, name="loc")
                assert_same_float_dtype([self._loc, self._scale])
        super().__init__(
            dtype=self._scale.dtype.base,
            reparameterization_type=FULLY_REPARAMETERIZED,
            validate_args=validate_args,
            allow_nan_stats=allow_nan_stats,
            parameters=arguments,
            graph_parents=[self._loc, self._scale],
            name=scope,
        )

    @property
    def loc(self) -> Any:
        """The means."""
        return self._loc

    def _whole(self) -> Any:
        return broadcast_dynamic_shape(shape(self._loc), shape(self._scale))

    def _whole_static(self) -> TensorShape:
        return broadcast_static_shape(self._loc.shape, self._scale.shape)

    def _batch_shape_tensor(self) -> Any:
        return self._whole()[:-1]

    def _batch_shape(self) -> Any:
        return self._whole_static()[:-1]

    def _event_shape_tensor(self) -> Any:
        return self._whole()[-1:]

    def _event_shape(self) -> Any:
        return self._whole_static().with_rank_at_least(1)[-1:]

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        sizes = concat([[n], self._whole()], 0)
        return random_normal(sizes, dtype=self.dtype, seed=seed) * self._scale + self._loc

    def _log_prob(self, x: Any) -> Any:
        b = on(x)
        exponent = -0.5 * b.Square((x - self._loc) / self._scale)
        return reduce_sum(exponent - (0.5 * math.log(2.0 * math.pi) + b.Log(self._scale)), -1)

    def _entropy(self) -> Any:
        scale = self._stddev()
        return reduce_sum(0.5 * math.log(2.0 * math.pi * math.e) + on(scale).Log(scale), -1)

    def _mean(self) -> Any:
        return self._loc * ones_like(self._scale)

    def _stddev(self) -> Any:
        return self._scale * ones_like(self._loc)

    def _mode(self) -> Any:
        return self._mean()


@RegisterKL(MultivariateNormalDiag, MultivariateNormalDiag)
def _kl_diag(a: MultivariateNormalDiag, b: MultivariateNormalDiag, name: str | None = None) -> Any:
    with opened(name, "kl_mvn_diag", a.loc, b.loc) as (builder, _):
        first, second = builder.Square(a._scale), builder.Square(b._scale)
        ratio = first / second
        apart = builder.SquaredDifference(a.loc, b.loc) / second
        return 0.5 * reduce_sum(apart + ratio - 1.0 - builder.Log(ratio), -1)


__getattr__ = missing_from("distributions")
