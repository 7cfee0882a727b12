"""Gamma and Poisson variates, element by element as TensorFlow's CPU kernels draw them, in float64 throughout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.opkit import random_streams as streams
from regraft.opkit.arrays import jnp, lax, on_host


def gamma(key: Any, counter: Any, alpha: Any) -> Any:
    """A Gamma(alpha, 1) variate for each element of `alpha`, float64 [n].

    Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); below 1, a variate for alpha + 1 times
    a uniform to the power 1 / alpha; at 1, the logarithm of a uniform.
    """
    xp = np if on_host(key, counter, alpha) else jnp
    small, one = alpha < 1, alpha == 1
    d = alpha + xp.where(small, 2 / 3, -1 / 3)
    c = 1 / 3 / xp.sqrt(d)
    everyone = xp.ones(alpha.shape, bool)
    first, source = streams.uniform(streams.start(key, counter, len(alpha)), one)
    result = xp.where(one, -xp.log1p(-first), xp.zeros(alpha.shape))

    def attempt(done: Any, state: Any) -> Any:
        source, result = state
        x, source = streams.normal(source, ~done)
        v = 1 + c * x
        inside = ~done & (v > 0)
        v = xp.where(inside, v * v * v, 1.0)
        u, source = streams.uniform(source, inside)
        log_u = xp.log(xp.where(u > 0, u, 1e-300))
        accept = inside & ((u < 1 - 0.0331 * (x * x) * (x * x)) | (log_u < 0.5 * x * x + d * (1 - v + xp.log(v))))
        return done | accept, (source, xp.where(accept, d * v, result))

    source, result = streams.repeat(attempt, one & everyone, (source, result))
    b, source = streams.uniform(source, small)
    return xp.where(small, result * xp.power(b, 1 / xp.where(small, alpha, 1.0)), result)


def _log_gamma(x: Any) -> Any:
    if on_host(x):
        return np.array([math.lgamma(v) for v in x], np.float64)
    return lax.lgamma(x)


def poisson(key: Any, counter: Any, rate: Any, most: float) -> Any:
    """A Poisson variate for each element of `rate`, float64 [n], none above `most`.

    Below a rate of 10 by Knuth's product of uniforms; above it by Hörmann, "The transformed rejection method for
    generating Poisson random variables" (1993).
    """
    xp = np if on_host(key, counter, rate) else jnp
    low = rate < 10
    source = streams.start(key, counter, len(rate))
    limit = xp.exp(-rate)

    def multiply(done: Any, state: Any) -> Any:
        source, product, x = state
        u, source = streams.uniform(source, ~done)
        product = xp.where(done, product, product * u)
        finished = done | ((product <= limit) & (x <= most))
        return finished, (source, product, xp.where(finished, x, x + 1))

    zero = xp.zeros(rate.shape)
    source, _, counted = streams.repeat(multiply, ~low | xp.isnan(rate), (source, zero + 1, zero))

    high = xp.where(low, 10.0, rate)
    log_rate = xp.log(high)
    b = 0.931 + 2.53 * xp.sqrt(high)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)

    def transform(done: Any, state: Any) -> Any:
        source, result = state
        u, source = streams.uniform(source, ~done)
        u = u - 0.5
        v, source = streams.uniform(source, ~done)
        shifted = 0.5 - xp.abs(u)
        k = xp.floor((2 * a / shifted + b) * u + high + 0.43)
        fits = ~done & (k <= most)
        quick = fits & (shifted >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
        refused = (k < 0) | ((shifted < 0.013) & (v > shifted))
        s = xp.log(v * inverse_alpha / (a / (shifted * shifted) + b))
        t = -high + k * log_rate - _log_gamma(xp.maximum(k, 0.0) + 1)
        accept = quick | (fits & ~refused & (s <= t))
        return done | accept, (source, xp.where(accept, k, result))

    infinite = xp.isinf(rate)
    _, drawn = streams.repeat(transform, low | infinite | xp.isnan(rate), (source, zero))
    return xp.where(low, counted, xp.where(infinite, rate, drawn))
