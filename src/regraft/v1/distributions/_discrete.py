"""Distributions of counts and classes."""

from __future__ import annotations

from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.v1 import _context
from regraft.v1._array import (
    concat,
    identity,
    matrix_set_diag,
    ones,
    ones_like,
    rank,
    reshape,
    sequence_mask,
    shape,
    transpose,
    zeros_like,
)
from regraft.v1._checks import assert_equal
from regraft.v1._graph import name_scope
from regraft.v1._graph_control import with_dependencies
from regraft.v1._indexing import one_hot, where
from regraft.v1._linalg import matmul
from regraft.v1._math import cast, sigmoid
from regraft.v1._nn_basic import log_softmax, softmax, softplus
from regraft.v1._nn_loss import sigmoid_cross_entropy_with_logits, sparse_softmax_cross_entropy_with_logits
from regraft.v1._opening import on, opened
from regraft.v1._random import multinomial, random_uniform
from regraft.v1._reduction import argmax, reduce_sum
from regraft.v1.distributions._distribution import NOT_REPARAMETERIZED, Distribution
from regraft.v1.distributions._divergence import RegisterKL
from regraft.v1.distributions._parts import checked_classes, checked_event, expanded, given, logits_and_probs


class _OfLogits(Distribution):
    """A distribution over classes that is given by logits or probabilities."""

    def _start(self, dtype: Any, arguments: dict[str, Any], name: str, parents: list[Any]) -> None:
        super().__init__(
            dtype=dtype,
            reparameterization_type=NOT_REPARAMETERIZED,
            validate_args=arguments["validate_args"],
            allow_nan_stats=arguments["allow_nan_stats"],
            parameters=arguments,
            graph_parents=parents,
            name=name,
        )

    _logits: Any
    _probs: Any

    @property
    def logits(self) -> Any:
        return self._logits

    @property
    def probs(self) -> Any:
        return self._probs


class Bernoulli(_OfLogits):
    """1 with a probability, else 0. Give `logits` or `probs`."""

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Bernoulli",
    ) -> None:
        arguments = given(locals())
        with name_scope(name) as scope:
            self._logits, self._probs = logits_and_probs(logits, probs, validate_args, scope)
        self._start(dtype, arguments, scope, [self._logits, self._probs])

    def _batch_shape_tensor(self) -> Any:
        return shape(self.logits)

    def _batch_shape(self) -> Any:
        return self.logits.shape

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        sizes = concat([[n], self.batch_shape_tensor()], 0)
        drawn = random_uniform(sizes, seed=seed, dtype=self.probs.dtype)
        return cast(on(drawn).Less(drawn, self.probs), self.dtype)

    def _log_prob(self, event: Any) -> Any:
        event = checked_event(event, 1, "bool") if self.validate_args else event
        event = cast(event, self.logits.dtype)
        logits = self.logits
        if not (event.shape.is_fully_defined() and logits.shape.is_fully_defined() and event.shape == logits.shape):
            logits, event = ones_like(event) * logits, ones_like(logits) * event
        return -sigmoid_cross_entropy_with_logits(labels=event, logits=logits)

    def _entropy(self) -> Any:
        return -self.logits * (sigmoid(self.logits) - 1) + softplus(-self.logits)

    def _mean(self) -> Any:
        return identity(self.probs)

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self.probs)

    def _mode(self) -> Any:
        return cast(self.probs > 0.5, self.dtype)


@RegisterKL(Bernoulli, Bernoulli)
def _kl_bernoulli(a: Bernoulli, b: Bernoulli, name: str | None = None) -> Any:
    with opened(name, "kl_bernoulli_bernoulli", a.logits, b.logits):
        zero = softplus(-b.logits) - softplus(-a.logits)
        one = softplus(b.logits) - softplus(a.logits)
        return sigmoid(a.logits) * zero + sigmoid(-a.logits) * one


class Categorical(_OfLogits):
    """A class from 0 to n - 1. Give `logits` or `probs`, [batch, n]."""

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = dtypes.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Categorical",
    ) -> None:
        arguments = given(locals())
        with opened(None, name, logits, probs) as (b, scope):
            self._logits, self._probs = logits_and_probs(logits, probs, validate_args, scope, classes=True)
            if validate_args:
                self._logits = checked_classes(self._logits)
            known = self._logits.shape.with_rank_at_least(1)
            if known.rank is not None:
                self._batch_rank = b.convert(known.rank - 1, dtypes.int32, name="batch_rank")
            else:
                with name_scope("batch_rank"):
                    self._batch_rank = rank(self._logits) - 1
            sizes = shape(self._logits, name="logits_shape")
            classes = known.as_list()[-1] if known.rank is not None else None
            if classes is not None:
                self._event_size = b.convert(classes, dtypes.int32, name="event_size")
            else:
                with name_scope("event_size"):
                    self._event_size = sizes[self._batch_rank]
            if known.rank is not None and known[:-1].is_fully_defined():
                self._batch_sizes = b.constant(known[:-1].as_list(), dtypes.int32, name="batch_shape")
            else:
                with name_scope("batch_shape"):
                    self._batch_sizes = sizes[:-1]
        self._start(dtype, arguments, scope, [self._logits, self._probs])

    @property
    def event_size(self) -> Any:
        """The number of classes."""
        return self._event_size

    def _batch_shape_tensor(self) -> Any:
        return identity(self._batch_sizes)

    def _batch_shape(self) -> Any:
        return self.logits.shape[:-1]

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        logits = self.logits if self.logits.shape.rank == 2 else reshape(self.logits, [-1, self.event_size])
        kind = dtypes.int64 if self.dtype.size > 4 else dtypes.int32
        drawn = multinomial(logits, n, seed=seed, output_dtype=kind)
        turned = transpose(drawn)
        return cast(reshape(turned, concat([[n], self.batch_shape_tensor()], 0)), self.dtype)

    def _spread(self, event: Any, values: Any) -> tuple[Any, Any]:
        """The event and the values of its batch, each spread over the other."""
        event = _context.builder().convert(event, name="k")
        if self.validate_args:
            event = checked_event(event, 2**31 - 1, "int32")
        if event.dtype.is_floating:
            event = cast(event, dtypes.int32)
        elif not event.dtype.is_integer:
            raise TypeError(f"`value` should have integer `dtype` or `self.dtype` ({self.dtype})")
        outer = values.shape[:-1]
        if not (
            values.shape.rank is not None
            and outer.is_fully_defined()
            and event.shape.is_fully_defined()
            and outer == event.shape
        ):
            values = values * ones_like(expanded(event), dtype=values.dtype)
            sizes = shape(values)[:-1]
            event = event * ones(sizes, event.dtype)
            if values.shape.rank is not None:
                event.set_shape(values.shape[:-1])
        return event, values

    def _log_prob(self, k: Any) -> Any:
        k, logits = self._spread(k, self.logits)
        return -sparse_softmax_cross_entropy_with_logits(labels=k, logits=logits)

    def _cdf(self, k: Any) -> Any:
        k, probs = self._spread(k, self.probs)
        flat_probs = reshape(probs, (-1, self._event_size))
        flat = reshape(k, [-1])
        below = where(sequence_mask(flat, self._event_size), flat_probs, zeros_like(flat_probs))
        return reshape(reduce_sum(below, axis=-1), shape(k))

    def _entropy(self) -> Any:
        return -reduce_sum(log_softmax(self.logits) * self.probs, axis=-1)

    def _mode(self) -> Any:
        found = cast(argmax(self.logits, axis=self._batch_rank), self.dtype)
        found.set_shape(self.batch_shape)
        return found


@RegisterKL(Categorical, Categorical)
def _kl_categorical(a: Categorical, b: Categorical, name: str | None = None) -> Any:
    with opened(name, "kl_categorical_categorical", a.logits, b.logits):
        difference = log_softmax(a.logits) - log_softmax(b.logits)
        return reduce_sum(softmax(a.logits) * difference, axis=-1)


class Multinomial(_OfLogits):
    """How often each class is drawn in `total_count` draws. Give `logits` or `probs`, [batch, n]."""

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Multinomial",
    ) -> None:
        arguments = given(locals())
        with opened(None, name, total_count, logits, probs) as (b, scope):
            self._total_count = b.convert(total_count, name="total_count")
            self._logits, self._probs = logits_and_probs(logits, probs, validate_args, scope, classes=True)
            self._mean_val: Any = expanded(self._total_count) * self._probs
        self._start(as_dtype(self._probs.dtype).base, arguments, scope, [self._total_count, self._logits, self._probs])

    @property
    def total_count(self) -> Any:
        return self._total_count

    def _batch_shape_tensor(self) -> Any:
        return shape(self._mean_val)[:-1]

    def _batch_shape(self) -> Any:
        return self._mean_val.shape.with_rank_at_least(1)[:-1]

    def _event_shape_tensor(self) -> Any:
        return shape(self._mean_val)[-1:]

    def _event_shape(self) -> Any:
        return self._mean_val.shape.with_rank_at_least(1)[-1:]

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        from regraft.v1._functional import map_fn

        draws = cast(self.total_count, dtypes.int32)
        classes = self.event_shape_tensor()[0]
        draws = ones_like(self.logits[..., 0], dtype=draws.dtype) * draws
        logits = ones_like(expanded(draws), dtype=self.logits.dtype) * self.logits
        flat_logits = reshape(logits, [-1, classes])
        flat_draws = n * reshape(draws, [-1])

        def of_one(args: Any) -> Any:
            x = multinomial(args[0][None, ...], args[1], seed)
            x = reshape(x, shape=[n, -1])
            return reduce_sum(one_hot(x, depth=classes), axis=-2)

        x = map_fn(of_one, [flat_logits, flat_draws], dtype=self.dtype)
        x = transpose(x, perm=[1, 0, 2])
        return reshape(x, concat([[n], self.batch_shape_tensor(), [classes]], 0))

    def _checked(self, counts: Any) -> Any:
        if not self.validate_args:
            return counts
        message = "counts must sum to `self.total_count`"
        return with_dependencies([assert_equal(self.total_count, reduce_sum(counts, -1), message=message)], counts)

    def _log_prob(self, counts: Any) -> Any:
        checked = self._checked(counts)
        unnormalized = reduce_sum(checked * log_softmax(self.logits), -1)
        return unnormalized - -self._log_combinations(self._checked(counts))

    def _log_combinations(self, counts: Any) -> Any:
        with opened(None, "log_combinations", self.total_count, counts) as (b, _):
            n: Any = b.convert(self.total_count, name="n")
            counts = b.convert(counts, name="counts")
            orders = b.Lgamma(n + 1)
            return orders - reduce_sum(b.Lgamma(counts + 1), axis=[-1])

    def _mean(self) -> Any:
        return identity(self._mean_val)

    def _spread_probs(self) -> Any:
        return self.probs * expanded(ones_like(self.total_count))

    def _covariance(self) -> Any:
        probs = self._spread_probs()
        products = matmul(expanded(self._mean_val), probs[..., None, :])
        return matrix_set_diag(-products, self._variance())

    def _variance(self) -> Any:
        probs = self._spread_probs()
        return self._mean_val - self._mean_val * probs
