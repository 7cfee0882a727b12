"""Initializers: objects that make the initial value of a variable from its shape and dtype.

Called as TensorFlow calls them, `initializer(shape, dtype, partition_info)`, they add their nodes to the default graph.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.opkit import random_values
from regraft.opkit.builder import Builder
from regraft.variables import ambient

# The standard deviation of a standard normal distribution cut off at two.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer:
    """The base of all. A subclass says in `make` how; those of a program may override `__call__` instead."""

    dtype: DType = dtypes.float32

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        """The initial value: a tensor of `shape`. `partition_info` tells of a variable of which this is a part."""
        b = Builder(ambient.default_graph())
        return self.make(b, shape, self.dtype if dtype is None else as_dtype(dtype), partition_info)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _floating(dtype: Any) -> DType:
    kind = as_dtype(dtype)
    if not kind.is_floating:
        raise ValueError(f"Argument `dtype` is expected to be floating point. Received: {kind}.")
    return kind


def _whole_shape(shape: Any, partition_info: Any) -> Any:
    shape = shape if partition_info is None else partition_info.full_shape
    return shape.as_list() if isinstance(shape, TensorShape) else shape


class Zeros(Initializer):
    """Zeros."""

    def __init__(self, dtype: Any = dtypes.float32) -> None:
        self.dtype = as_dtype(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        return b.zeros(shape, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Ones(Initializer):
    """Ones."""

    def __init__(self, dtype: Any = dtypes.float32) -> None:
        self.dtype = as_dtype(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        return b.ones(shape, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Constant(Initializer):
    """`value`: one number for all elements, or a list or array of them. TypeError for anything else."""

    def __init__(self, value: Any = 0, dtype: Any = dtypes.float32, verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value={value} of type: {type(value).__name__}. "
                "Expected Python scalar, list or tuple of values, or numpy.ndarray."
            )
        self.value = value
        self.dtype = as_dtype(dtype)
        self._verify_shape = verify_shape

    def __call__(
        self, shape: Any, dtype: Any = None, partition_info: Any = None, verify_shape: bool | None = None
    ) -> Any:
        b = Builder(ambient.default_graph())
        verify = self._verify_shape if verify_shape is None else verify_shape
        return b.constant(self.value, self.dtype if dtype is None else dtype, shape=shape, verify_shape=verify)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value, "dtype": self.dtype.name}


class RandomUniform(Initializer):
    """Values from [minval, maxval)."""

    def __init__(
        self, minval: Any = 0.0, maxval: Any = None, seed: int | None = None, dtype: Any = dtypes.float32
    ) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed
        self.dtype = as_dtype(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        return random_values.random_uniform(b, shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed, "dtype": self.dtype.name}


class RandomNormal(Initializer):
    """Values from a normal distribution."""

    def __init__(
        self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = dtypes.float32
    ) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed
        self.dtype = _floating(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        return random_values.random_normal(b, shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed, "dtype": self.dtype.name}


class TruncatedNormal(RandomNormal):
    """Values from a normal distribution, none more than two standard deviations from the mean."""

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        return random_values.truncated_normal(b, shape, self.mean, self.stddev, dtype, self.seed)


class UniformUnitScaling(Initializer):
    """Uniform values that keep the scale of the input, times `factor`."""

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        self.factor, self.seed = factor, seed
        self.dtype = _floating(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        inputs = 1.0
        for dim in _whole_shape(shape, partition_info)[:-1]:
            inputs *= float(dim)
        limit = math.sqrt(3 / max(inputs, 1.0)) * self.factor
        return random_values.random_uniform(b, shape, -limit, limit, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "seed": self.seed, "dtype": self.dtype.name}


class VarianceScaling(Initializer):
    """Values of the variance `scale` / n.

    mode          what n is: "fan_in" (inputs of a unit), "fan_out" (its outputs) or "fan_avg"
    distribution  "truncated_normal" (or "normal"), "untruncated_normal" or "uniform"
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        dtype: Any = dtypes.float32,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be a positive float. Received: {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Argument `mode` should be one of ('fan_in', 'fan_out', 'fan_avg'). Received: {mode}")
        distribution = distribution.lower()
        if distribution not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                "Argument `distribution` should be one of ('normal', uniform', 'truncated_normal', "
                f"'untruncated_normal'). Received: {distribution}"
            )
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed
        self.dtype = _floating(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        fan_in, fan_out = _fans(_whole_shape(shape, partition_info))
        units = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        scale = self.scale / max(1.0, units)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * scale)
            return random_values.random_uniform(b, shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random_values.random_normal(b, shape, 0.0, math.sqrt(scale), dtype, self.seed)
        stddev = math.sqrt(scale) / _TRUNCATED_STDDEV
        return random_values.truncated_normal(b, shape, 0.0, stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


def _fans(shape: Any) -> tuple[int, int]:
    """The numbers of inputs and outputs of a unit with weights of this shape."""
    sizes = [int(d) for d in shape]
    if not sizes:
        return 1, 1
    if len(sizes) == 1:
        return sizes[0], sizes[0]
    field = math.prod(sizes[:-2])
    return sizes[-2] * field, sizes[-1] * field


class GlorotUniform(VarianceScaling):
    """Uniform values where inputs and outputs count alike; what get_variable takes where none is given."""

    def __init__(self, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "dtype": self.dtype.name}


class GlorotNormal(VarianceScaling):
    """Normal values for layers of which inputs and outputs count alike."""

    def __init__(self, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "dtype": self.dtype.name}


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    return VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


class Orthogonal(Initializer):
    """An orthogonal matrix times `gain`; shapes of higher rank are flattened but for the last dimension."""

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        self.gain, self.seed = gain, seed
        self.dtype = _floating(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize, specified by argument `shape` must be at least two-dimensional. "
                f"Received shape={shape}"
            )
        rows, columns = math.prod(int(d) for d in shape[:-1]), int(shape[-1])
        tall = (max(rows, columns), min(rows, columns))
        drawn = random_values.random_normal(b, tall, 0.0, 1.0, dtype, self.seed)
        q, r = b.Qr(drawn, full_matrices=False)
        q = q * b.Sign(b.DiagPart(r))
        if rows < columns:
            with b.scope("matrix_transpose", ""):
                q = b.transpose(q, [1, 0])
        return self.gain * b.reshape(q, shape)  # type: ignore[operator]  # installed on Tensor

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed, "dtype": self.dtype.name}


class Identity(Initializer):
    """The identity matrix times `gain`. ValueError for what is no matrix."""

    def __init__(self, gain: float = 1.0, dtype: Any = dtypes.float32) -> None:
        self.gain = gain
        self.dtype = _floating(dtype)

    def make(self, b: Builder, shape: Any, dtype: DType, partition_info: Any) -> Any:
        whole = _whole_shape(shape, partition_info)
        if len(whole) != 2:
            raise ValueError(
                "The tensor to initialize, specified by argument `shape` must be at least two-dimensional. "
                f"Received shape={shape}"
            )
        rows, columns = int(whole[0]), int(whole[1])
        with b.scope("eye", ""):
            diagonal = b.ones([min(rows, columns)], dtype)
            if rows == columns:
                value = b.MatrixDiagV3(diagonal, 0, -1, -1, 0, name="diag")
            else:
                value = b.MatrixSetDiagV3(b.zeros([rows, columns], dtype), diagonal, 0, name="set_diag")
        if partition_info is not None:
            value = b.Slice(value, partition_info.var_offset, shape)
        return self.gain * value

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "dtype": self.dtype.name}
