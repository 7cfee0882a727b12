"""The base of all distributions: what each answers, and the name scopes in which it does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.opkit.constant import constant_sizes, constant_value
from regraft.v1 import _context
from regraft.v1._array import broadcast_dynamic_shape, broadcast_static_shape, concat, rank, reshape, shape
from regraft.v1._graph import name_scope
from regraft.v1._math import equal, exp, sqrt
from regraft.v1._opening import on
from regraft.v1._reduction import reduce_prod
from regraft.v1.distributions import _divergence


class ReparameterizationType:
    """Whether gradients flow through samples."""

    def __init__(self, rep_type: str) -> None:
        self._rep_type = rep_type

    def __repr__(self) -> str:
        return f"<Reparameteriation Type: {self._rep_type}>"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


class Distribution:
    """A batch of distributions. A subclass defines `_sample_n`, `_log_prob` or `_prob`, `_mean` and so on.

    dtype            of the samples
    validate_args    whether to check parameters and values when the graph runs
    allow_nan_stats  whether statistics that are not defined are NaN; else the run fails
    parameters       the arguments of the constructor by name
    graph_parents    the tensors that it is made of
    """

    _divergences: ClassVar[dict[type, Callable[..., Any]]]

    def __init__(
        self,
        dtype: Any,
        reparameterization_type: ReparameterizationType,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: dict[str, Any] | None = None,
        graph_parents: Any = None,
        name: str | None = None,
    ) -> None:
        self._graph_parents = [] if graph_parents is None else list(graph_parents)
        for i, t in enumerate(self._graph_parents):
            if not isinstance(t, Tensor):
                raise ValueError(f"Graph parent item {i} is not a Tensor; {t}.")
        if not name or not name.endswith("/"):
            with name_scope(name or type(self).__name__) as scope:
                name = scope
        self._dtype = as_dtype(dtype)
        self._reparameterization_type = reparameterization_type
        self._validate_args = validate_args
        self._allow_nan_stats = allow_nan_stats
        self._parameters = dict(parameters or {})
        self._name = name

    # What it is

    @property
    def name(self) -> str:
        return self._name

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def parameters(self) -> dict[str, Any]:
        return {k: v for k, v in self._parameters.items() if not k.startswith("__") and k != "self"}

    @property
    def reparameterization_type(self) -> ReparameterizationType:
        return self._reparameterization_type

    @property
    def allow_nan_stats(self) -> bool:
        return self._allow_nan_stats

    @property
    def validate_args(self) -> bool:
        return self._validate_args

    def copy(self, **override_parameters_kwargs: Any) -> Any:
        """Another of this class, with some parameters changed."""
        return type(self)(**{**self.parameters, **override_parameters_kwargs})

    def __repr__(self) -> str:
        return (
            f"<tf.distributions.{type(self).__name__} '{self.name}' batch_shape={self.batch_shape} "
            f"event_shape={self.event_shape} dtype={self.dtype.name}>"
        )

    @contextlib.contextmanager
    def _name_scope(self, name: str | None = None, values: Any = None) -> Iterator[str]:
        with name_scope(self.name), name_scope(name, values=[*(values or ()), *self._graph_parents]) as scope:
            yield scope

    def _missing(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"{what} is not implemented: {type(self).__name__}")

    def _one_of(self, what: str, *ways: tuple[str, Callable[[Any], Any] | None], args: tuple[Any, ...] = ()) -> Any:
        """What the first method answers that a subclass has, behind its function."""
        for method, then in ways:
            if hasattr(self, method):
                value = getattr(self, method)(*args)
                return value if then is None else then(value)
        raise self._missing(what)

    def _of_value(self, what: str, name: str, value: Any, *ways: tuple[str, Callable[[Any], Any] | None]) -> Any:
        with self._name_scope(name, values=[value]):
            b = _context.builder()
            if not isinstance(value, Tensor):
                value = b.convert(value, name="value", preferred=self.dtype)
            return self._one_of(what, *ways, args=(value,))

    # Shapes

    def _batch_shape_tensor(self) -> Any:
        raise self._missing("batch_shape_tensor")

    def _batch_shape(self) -> Any:
        return TensorShape(None)

    def _event_shape_tensor(self) -> Any:
        return _context.builder().constant([], dtypes.int32)

    def _event_shape(self) -> Any:
        return TensorShape([])

    @property
    def batch_shape(self) -> TensorShape:
        """The shape of the batch, as far as it is known."""
        return TensorShape(self._batch_shape())

    @property
    def event_shape(self) -> TensorShape:
        """The shape of one sample of one distribution of the batch, as far as it is known."""
        return TensorShape(self._event_shape())

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Any:
        """The shape of the batch."""
        with self._name_scope(name):
            if self.batch_shape.is_fully_defined():
                return _context.builder().convert(self.batch_shape.as_list(), dtypes.int32, name="batch_shape")
            return self._batch_shape_tensor()

    def event_shape_tensor(self, name: str = "event_shape_tensor") -> Any:
        """The shape of one sample of one distribution of the batch."""
        with self._name_scope(name):
            if self.event_shape.is_fully_defined():
                return _context.builder().convert(self.event_shape.as_list(), dtypes.int32, name="event_shape")
            return self._event_shape_tensor()

    def is_scalar_event(self, name: str = "is_scalar_event") -> Any:
        """Whether samples of one distribution are scalars."""
        with self._name_scope(name):
            return self._is_scalar(self.event_shape, self.event_shape_tensor, "is_scalar_event")

    def is_scalar_batch(self, name: str = "is_scalar_batch") -> Any:
        """Whether there is one distribution, and no batch."""
        with self._name_scope(name):
            return self._is_scalar(self.batch_shape, self.batch_shape_tensor, "is_scalar_batch")

    def _is_scalar(self, static: TensorShape, dynamic: Callable[[], Any], name: str) -> Any:
        b = _context.builder()
        if static.rank is not None:
            return b.convert(static.rank == 0, name=name)
        sizes = dynamic()
        if sizes.shape.rank is not None and sizes.shape.as_list()[0] is not None:
            return b.convert(sizes.shape.as_list() == [0], name=name)
        return equal(shape(sizes)[0], 0)

    # Samples

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        raise self._missing("sample_n")

    def sample(self, sample_shape: Any = (), seed: int | None = None, name: str = "sample") -> Any:
        """Samples [sample_shape, batch_shape, event_shape]."""
        with self._name_scope(name, values=[sample_shape]):
            b = _context.builder()
            sizes: Any = b.convert(sample_shape, dtypes.int32, name="sample_shape")
            sizes, n = self._vector(b, sizes)
            samples = self._sample_n(n, seed)
            samples = reshape(samples, concat([sizes, shape(samples)[1:]], 0))
            return self._with_shape(samples, sizes)

    def _vector(self, b: Any, sizes: Any) -> tuple[Any, Any]:
        """(the sample shape as a vector, how many samples that are)."""
        known = constant_value(sizes)
        number: Any = reduce_prod(sizes) if known is None else np.prod(known, dtype=np.int32)
        ndims = sizes.shape.rank
        if ndims is None:
            from regraft.v1._control_flow import cond

            one = b.constant(np.array([1], np.int32))
            return reshape(sizes, cond(equal(rank(sizes), 0), lambda: one, lambda: shape(sizes))), number
        if ndims > 1:
            raise ValueError("Input is neither scalar nor vector.")
        if ndims == 0:
            sizes = reshape(sizes, [1]) if known is None else b.convert(np.array([known]), name="sample_shape")
        return sizes, number

    def _with_shape(self, x: Any, sample_shape: Any) -> Any:
        sample = TensorShape(constant_sizes(sample_shape))
        ranks = [sample.rank, self.batch_shape.rank, self.event_shape.rank]
        parts = [sample, self.batch_shape, self.event_shape]
        total = x.shape.rank
        if total is None and None not in ranks:
            total = sum(r or 0 for r in ranks)
        if total is None:
            return x
        if ranks.count(None) == 1:
            at = ranks.index(None)
            ranks[at] = total - sum(r or 0 for r in ranks)
            parts[at] = TensorShape([None] * (ranks[at] or 0))
        if None not in ranks:
            x.set_shape(parts[0].concatenate(parts[1]).concatenate(parts[2]))
        return x

    # Probabilities

    def log_prob(self, value: Any, name: str = "log_prob") -> Any:
        """The logarithm of the density (of the probability, where samples are discrete)."""
        return self._of_value("log_prob", name, value, ("_log_prob", None), ("_prob", _log))

    def prob(self, value: Any, name: str = "prob") -> Any:
        """The density (the probability, where samples are discrete)."""
        return self._of_value("prob", name, value, ("_prob", None), ("_log_prob", exp))

    def log_cdf(self, value: Any, name: str = "log_cdf") -> Any:
        """The logarithm of the probability of a sample up to `value`."""
        return self._of_value("log_cdf", name, value, ("_log_cdf", None), ("_cdf", _log))

    def cdf(self, value: Any, name: str = "cdf") -> Any:
        """The probability of a sample up to `value`."""
        return self._of_value("cdf", name, value, ("_cdf", None), ("_log_cdf", exp))

    def log_survival_function(self, value: Any, name: str = "log_survival_function") -> Any:
        """The logarithm of the probability of a sample above `value`."""
        return self._of_value(
            "log_survival_function", name, value, ("_log_survival_function", None), ("cdf", lambda p: on(p).Log1p(-p))
        )

    def survival_function(self, value: Any, name: str = "survival_function") -> Any:
        """The probability of a sample above `value`."""
        return self._of_value(
            "survival_function", name, value, ("_survival_function", None), ("cdf", lambda p: 1.0 - p)
        )

    def quantile(self, value: Any, name: str = "quantile") -> Any:
        """The value up to which a sample is with the probability `value`."""
        return self._of_value("quantile", name, value, ("_quantile", None))

    # Statistics

    def _statistic(self, what: str, name: str, *ways: tuple[str, Callable[[Any], Any] | None]) -> Any:
        with self._name_scope(name):
            return self._one_of(what, *ways)

    def entropy(self, name: str = "entropy") -> Any:
        """Shannon's entropy in nats."""
        return self._statistic("entropy", name, ("_entropy", None))

    def mean(self, name: str = "mean") -> Any:
        """The mean."""
        return self._statistic("mean", name, ("_mean", None))

    def variance(self, name: str = "variance") -> Any:
        """The variance."""
        return self._statistic("variance", name, ("_variance", None), ("_stddev", _square))

    def stddev(self, name: str = "stddev") -> Any:
        """The standard deviation."""
        return self._statistic("stddev", name, ("_stddev", None), ("_variance", sqrt))

    def covariance(self, name: str = "covariance") -> Any:
        """The covariance of the elements of a sample."""
        return self._statistic("covariance", name, ("_covariance", None))

    def mode(self, name: str = "mode") -> Any:
        """The most likely value."""
        return self._statistic("mode", name, ("_mode", None))

    def cross_entropy(self, other: Any, name: str = "cross_entropy") -> Any:
        """The cross entropy with another distribution."""
        with self._name_scope(name):
            return _divergence.cross_entropy(self, other, allow_nan_stats=self.allow_nan_stats)

    def kl_divergence(self, other: Any, name: str = "kl_divergence") -> Any:
        """The divergence of `other` from this one."""
        with self._name_scope(name):
            return _divergence.kl_divergence(self, other, allow_nan_stats=self.allow_nan_stats)


def _log(x: Any) -> Any:
    return on(x).Log(x)


def _square(x: Any) -> Any:
    return on(x).Square(x)


class Broadcast(Distribution):
    """A distribution of scalars whose batch is that of its parameters, broadcast. `_shaping` names them in order."""

    _shaping: ClassVar[tuple[str, ...]]

    def _batch_shape_tensor(self) -> Any:
        tensors = [getattr(self, name) for name in self._shaping]
        found = shape(tensors[-2]), shape(tensors[-1])
        sizes = broadcast_dynamic_shape(*found)
        for tensor in reversed(tensors[:-2]):
            sizes = broadcast_dynamic_shape(shape(tensor), sizes)
        return sizes

    def _batch_shape(self) -> Any:
        sizes = TensorShape([])
        for name in self._shaping:
            sizes = broadcast_static_shape(sizes, getattr(self, name).shape)
        return sizes
