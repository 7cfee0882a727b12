"""Programs of tf.distributions, a row each: `PROGRAMS[name](tf)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _asked(d: Any, value: Any, *more: str) -> None:
    """The questions that most distributions answer."""
    d.sample()
    d.sample(3, seed=7)
    d.sample([2, 5], name="several")
    d.log_prob(value)
    d.prob(value)
    d.mean()
    d.variance()
    d.stddev()
    d.entropy()
    d.mode()
    d.batch_shape_tensor()
    d.event_shape_tensor()
    for name in more:
        getattr(d, name)(value)


_TAILS = ("cdf", "log_cdf", "survival_function", "log_survival_function")


@program
def normal(tf: Any) -> None:
    d = tf.distributions.Normal(loc=0.0, scale=1.0)
    _asked(d, 0.5, *_TAILS)
    rows = tf.placeholder(tf.float32, [None, 3], name="rows")
    other = tf.distributions.Normal(rows, tf.exp(rows), validate_args=True, name="policy")
    _asked(other, rows)
    tf.distributions.kl_divergence(d, other)
    tf.distributions.kl_divergence(d, other, allow_nan_stats=False)
    d.kl_divergence(other)
    d.cross_entropy(other)
    d.is_scalar_event()
    other.is_scalar_batch()
    assert (d.batch_shape, d.event_shape) == ([], [])
    d.copy(loc=3.0).mean()
    tf.distributions.Normal(tf.constant(0.0, tf.float64), tf.constant(1.0, tf.float64)).log_cdf(
        tf.constant(-30.0, tf.float64)
    )


@program
def laplace(tf: Any) -> None:
    _asked(tf.distributions.Laplace([0.0, 1.0], [1.0, 2.0]), [0.5, 0.5], *_TAILS)


@program
def student_t(tf: Any) -> None:
    d = tf.distributions.StudentT(df=3.0, loc=[0.0, 1.0], scale=[1.0, 2.0])
    d.sample(4, seed=1)
    d.log_prob([0.5, 0.7])
    d.cdf([0.5, 0.7])
    d.mean()
    d.variance()
    d.entropy()
    d.mode()


@program
def uniform(tf: Any) -> None:
    d = tf.distributions.Uniform()
    d.sample(5)
    d = tf.distributions.Uniform([0.0, 1.0], tf.placeholder(tf.float32, [2]), validate_args=True)
    d.sample(5, seed=2)
    d.prob([0.2, 0.5])
    d.log_prob([0.2, 0.5])
    d.cdf([0.2, 0.5])
    d.entropy()
    d.mean()
    d.variance()
    d.stddev()
    d.range()


@program
def bernoulli(tf: Any) -> None:
    d = tf.distributions.Bernoulli(probs=[0.3, 0.6])
    _asked(d, [1, 0])
    other = tf.distributions.Bernoulli(tf.placeholder(tf.float32, [None, 2]), dtype=tf.float32)
    other.log_prob(tf.placeholder(tf.float32, [None, 2]))
    other.sample()
    tf.distributions.kl_divergence(d, other)
    other = tf.distributions.Bernoulli(probs=[0.3, 0.6], validate_args=True)
    other.log_prob([1, 0])
    other.log_prob([1.0, 0.0])


@program
def categorical(tf: Any) -> None:
    logits = tf.placeholder(tf.float32, [None, 5], name="logits")
    d = tf.distributions.Categorical(logits=logits)
    d.sample()
    d.sample(3, seed=7)
    d.log_prob(tf.placeholder(tf.int32, [None]))
    d.prob(2)
    d.cdf([1, 2])
    d.entropy()
    d.mode()
    other = tf.distributions.Categorical(probs=[0.1, 0.2, 0.7], validate_args=True)
    other.sample()
    other.log_prob(1)
    tf.distributions.Categorical(logits, validate_args=True).mode()
    tf.distributions.kl_divergence(d, tf.distributions.Categorical(logits))
    tf.distributions.Categorical(tf.placeholder(tf.float32, [2, 3, 4]), dtype=tf.int64).sample()
    tf.distributions.Categorical(tf.placeholder(tf.float32)).sample()


@program
def multinomial(tf: Any) -> None:
    d = tf.distributions.Multinomial(total_count=[4.0, 5.0], probs=[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    d.log_prob([[1.0, 1.0, 2.0], [0.0, 0.0, 5.0]])
    d.prob([[1.0, 1.0, 2.0], [0.0, 0.0, 5.0]])
    d.mean()
    d.variance()
    d.covariance()
    d.sample(3, seed=2)


@program
def gamma(tf: Any) -> None:
    d = tf.distributions.Gamma([1.0, 3.0], 2.0)
    _asked(d, [0.5, 0.6], "cdf", "survival_function")
    tf.distributions.kl_divergence(d, tf.distributions.Gamma(2.0, [1.0, 3.0], validate_args=True))
    d = tf.distributions.Exponential([1.0, 2.0])
    _asked(d, [0.5, 0.6], "cdf", "log_survival_function")


@program
def beta(tf: Any) -> None:
    d = tf.distributions.Beta([1.0, 3.0], [2.0, 2.0])
    _asked(d, [0.5, 0.6], "cdf", "log_cdf")
    other = tf.distributions.Beta([2.0, 3.0], [2.0, 2.0], validate_args=True, allow_nan_stats=False)
    other.log_prob([0.5, 0.6])
    other.mode()
    tf.distributions.kl_divergence(d, other)


@program
def dirichlet(tf: Any) -> None:
    d = tf.distributions.Dirichlet([1.0, 2.0, 3.0])
    _asked(d, [0.2, 0.3, 0.5])
    d.covariance()
    other = tf.distributions.Dirichlet([[1.0, 2.0, 3.0]], validate_args=True)
    other.log_prob([[0.2, 0.3, 0.5]])
    tf.distributions.kl_divergence(d, other)
