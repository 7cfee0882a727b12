"""Learning rates that fall with the global step: tensors, to be handed to an optimizer.

The schedules are functions of `step / decay_steps`, computed in the dtype of the learning rate.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import DType
from regraft.ir.node import Tensor
from regraft.opkit import nest
from regraft.opkit.builder import Builder
from regraft.v1 import _context
from regraft.v1._control_flow import case, cond
from regraft.v1._indexing import where_v2
from regraft.v1._math import add, divide, equal, multiply
from regraft.v1._math import pow as power_of

__all__ = [
    "cosine_decay",
    "cosine_decay_restarts",
    "exponential_decay",
    "inverse_time_decay",
    "linear_cosine_decay",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "piecewise_constant_decay",
    "polynomial_decay",
]


@contextlib.contextmanager
def _schedule(name: str, learning_rate: Any) -> Iterator[tuple[Builder, str, Any, DType]]:
    """The scope of a schedule: a builder, the scope with its slash, the rate as a tensor, and its dtype."""
    b = _context.builder()
    with b.graph.name_scope(name) as scope:
        rate: Any = b.convert(learning_rate, name="initial_learning_rate")
        yield b, scope, rate, rate.dtype.base


def _half_cosine(b: Builder, fraction: Any) -> Any:
    """From 1 to 0 while `fraction` goes from 0 to 1, along a cosine."""
    return 0.5 * (1.0 + b.op("Cos", b.constant(math.pi) * fraction))


def _passed(b: Builder, dtype: DType, global_step: Any, steps: Any, staircase: bool) -> Any:
    """How often `steps` have passed; whole times alone for a staircase."""
    passed: Any = b.cast(global_step, dtype) / steps
    return b.op("Floor", passed) if staircase else passed


def _line_and_cosine(
    b: Builder, rate: Any, line: Any, fraction: Any, attrs: tuple[Any, Any, Any], scope: str
) -> Tensor:
    """rate * ((alpha + line) * cosine + beta); `attrs` are the periods of the cosine, alpha and beta."""
    periods, alpha, beta = attrs
    falling = _half_cosine(b, 2.0 * periods * fraction)
    found: Tensor = multiply(rate, (alpha + line) * falling + beta, name=scope)
    return found


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * decay_rate ** (global_step / decay_steps); the exponent is cut to integers for a staircase."""
    with _schedule(name or "ExponentialDecay", learning_rate) as (b, scope, rate, dtype):
        steps, base = b.cast(decay_steps, dtype), b.cast(decay_rate, dtype)
        exponent = _passed(b, dtype, global_step, steps, staircase)
        found: Tensor = multiply(rate, power_of(base, exponent), name=scope)
        return found


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * exp(-decay_rate * global_step / decay_steps)."""
    b = _context.builder()
    base = b.op("Exp", b.op("Neg", decay_rate))
    return exponential_decay(learning_rate, global_step, decay_steps, base, staircase, name)


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate / (1 + decay_rate * global_step / decay_steps)."""
    with _schedule(name or "InverseTimeDecay", learning_rate) as (b, scope, rate, dtype):
        steps, speed = b.cast(decay_steps, dtype), b.cast(decay_rate, dtype)
        passed = _passed(b, dtype, global_step, steps, staircase)
        one = b.cast(b.constant(1), dtype)
        found: Tensor = divide(rate, add(one, multiply(speed, passed)), name=scope)
        return found


def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Tensor:
    """values[i] while boundaries[i-1] < x <= boundaries[i].

    raises  ValueError where dtypes differ, or there is not one value more than boundaries
    """
    b = _context.builder()
    limits: list[Any] = [b.convert(limit) for limit in nest.flatten(boundaries)]
    levels: list[Any] = [b.convert(value) for value in nest.flatten(values)]
    step: Any = b.convert(x)
    kind = step.dtype.base
    for i, limit in enumerate(limits):
        if limit.dtype.base is kind:
            continue
        if limit.dtype.base is not dtypes.int32 or kind is not dtypes.int64:
            raise ValueError(f"Boundaries ({limit.dtype.base}) must have the same dtype as x ({kind}).")
        limits[i] = b.cast(limit, kind)
    for level in levels[1:]:
        if level.dtype.base is not levels[0].dtype.base:
            raise ValueError(
                f"Values must have elements all with the same dtype ({levels[0].dtype.base} vs {level.dtype.base})."
            )
    if len(limits) != len(levels) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with b.graph.name_scope(name or "PiecewiseConstant"):
        step = b.convert(x)
        pairs: list[Any] = [(step <= limits[0], lambda: levels[0]), (step > limits[-1], lambda: levels[-1])]
        for low, high, level in zip(limits[:-1], limits[1:], levels[1:-1], strict=True):
            inside = (step > low) & (step <= high)
            pairs.append((inside, lambda level=level: level))
        found: Tensor = case(pairs, lambda: levels[0], exclusive=True)
        return found


piecewise_constant_decay = piecewise_constant


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """From `learning_rate` to `end_learning_rate` in `decay_steps` steps, along (1 - step / decay_steps) ** power.

    cycle  go on: with each multiple of `decay_steps` the fall is stretched to the next multiple
    """
    with _schedule(name or "PolynomialDecay", learning_rate) as (b, scope, rate, dtype):
        end: Any = b.cast(end_learning_rate, dtype)
        power = b.cast(power, dtype)
        step: Any = b.cast(global_step, dtype)
        steps: Any = b.cast(decay_steps, dtype)
        if cycle:
            stretch = where_v2(equal(step, 0), 1.0, b.op("Ceil", step / decay_steps))
            steps = multiply(steps, stretch)
        else:
            step = b.op("Minimum", step, steps)
        fraction = divide(step, steps)
        found: Tensor = add(multiply(rate - end, power_of(1 - fraction, power)), end, name=scope)
        return found


def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None
) -> Tensor:
    """From the rate to `alpha` times the rate in `decay_steps` steps, along a cosine (Loshchilov, Hutter 2017)."""
    with _schedule(name or "CosineDecay", learning_rate) as (b, _, rate, dtype):
        steps = b.cast(decay_steps, dtype)
        step = b.op("Minimum", b.cast(global_step, dtype), steps)
        falling = _half_cosine(b, step / steps)
        found: Tensor = multiply(rate, (1 - alpha) * falling + alpha)
        return found


def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: Any = 2.0,
    m_mul: Any = 1.0,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """Cosine decays one after the other (Loshchilov, Hutter 2017).

    t_mul  each takes this many times as long as the one before
    m_mul  each starts at this part of where the one before started
    """
    with _schedule(name or "SGDRDecay", learning_rate) as (b, scope, rate, dtype):
        steps: Any = b.cast(first_decay_steps, dtype)
        low: Any = b.cast(alpha, dtype)
        longer: Any = b.cast(t_mul, dtype)
        lower: Any = b.cast(m_mul, dtype)
        passed: Any = b.cast(global_step, dtype) / steps

        def alike() -> Any:
            restarts = b.op("Floor", passed)
            return restarts, passed - restarts

        def growing() -> Any:
            restarts = b.op("Floor", b.op("Log", 1.0 - passed * (1.0 - longer)) / b.op("Log", longer))
            before = (1.0 - longer**restarts) / (1.0 - longer)
            return restarts, (passed - before) / longer**restarts

        restarts, fraction = cond(equal(longer, 1.0), alike, growing)
        height = lower**restarts
        falling = 0.5 * height * (1.0 + b.op("Cos", b.constant(math.pi) * fraction))
        found: Tensor = multiply(rate, (1 - low) * falling + low, name=scope)
        return found


def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """learning_rate * ((alpha + falling line) * cosine + beta) (Bello et al. 2017)."""
    with _schedule(name or "LinearCosineDecay", learning_rate) as (b, scope, rate, dtype):
        steps: Any = b.cast(decay_steps, dtype)
        periods: Any = b.cast(num_periods, dtype)
        alpha, beta = b.cast(alpha, dtype), b.cast(beta, dtype)
        step = b.op("Minimum", b.cast(global_step, dtype), steps)
        line = (steps - step) / steps
        return _line_and_cosine(b, rate, line, step / steps, (periods, alpha, beta), scope)


def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: Any = 1.0,
    variance_decay: Any = 0.55,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """A linear cosine decay with noise on the line, of variance initial_variance / (1 + step) ** variance_decay."""
    from regraft.v1._random import random_normal

    with _schedule(name or "NoisyLinearCosineDecay", learning_rate) as (b, scope, rate, dtype):
        steps: Any = b.cast(decay_steps, dtype)
        variance: Any = b.cast(initial_variance, dtype)
        calming = b.cast(variance_decay, dtype)
        periods: Any = b.cast(num_periods, dtype)
        alpha, beta = b.cast(alpha, dtype), b.cast(beta, dtype)
        step = b.op("Minimum", b.cast(global_step, dtype), steps)
        line = (steps - step) / steps
        deviation = b.op("Sqrt", variance / power_of(1.0 + step, calming))
        noisy = line + random_normal(line.shape, stddev=deviation)
        return _line_and_cosine(b, rate, noisy, step / steps, (periods, alpha, beta), scope)
