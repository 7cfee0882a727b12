"""Initializers of tf.contrib.layers: functions of shape and dtype that keep the scale of what flows through a layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from regraft.base import dtypes
from regraft.base.dtypes import as_dtype
from regraft.v1._random import random_uniform, truncated_normal

__all__ = ["variance_scaling_initializer", "xavier_initializer", "xavier_initializer_conv2d"]


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = dtypes.float32,
) -> Callable[..., Any]:
    """Values of the variance `factor` / n.

    mode     what n is: "FAN_IN" (inputs of a unit), "FAN_OUT" (its outputs) or "FAN_AVG"
    uniform  whether they are uniform; else normal, and none more than two standard deviations from 0
    raises   TypeError for another mode, and for a dtype that is no float
    """
    _check_floating(dtype)
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode} [FAN_IN, FAN_OUT, FAN_AVG]")
    default = as_dtype(dtype)

    def initializer(shape: Any, dtype: Any = default, partition_info: Any = None) -> Any:
        _check_floating(dtype)
        sizes = [float(int(d)) for d in shape]
        field = math.prod(sizes[:-2])
        fan_in = field * (sizes[-2] if len(sizes) > 1 else sizes[-1]) if sizes else 1.0
        fan_out = field * sizes[-1] if sizes else 1.0
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return random_uniform(shape, -limit, limit, dtype, seed=seed)
        # 1.3 makes up, roughly, for what is cut off
        return truncated_normal(shape, 0.0, math.sqrt(1.3 * factor / n), dtype, seed=seed)

    return initializer


def _check_floating(dtype: Any) -> None:
    if not as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = dtypes.float32) -> Any:
    """Glorot's values: `variance_scaling_initializer` where inputs and outputs count alike."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer
