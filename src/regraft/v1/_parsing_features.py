"""What to read from Examples: the kinds of features, and how the parsing ops want to be told of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from regraft.base import dtypes
from regraft.base.dtypes import DType, as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.node import Tensor
from regraft.v1._array import reshape
from regraft.v1._opening import on


class VarLenFeature(NamedTuple):
    """A feature of any number of values: a sparse tensor."""

    dtype: Any


class SparseFeature(NamedTuple):
    """A sparse tensor from two features: `index_key` (or several) says where the values of `value_key` stand.

    size            of the dimension that the indices count (one for each index key)
    already_sorted  whether the indices of each Example are in order
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


class FixedLenFeature(NamedTuple):
    """A feature of a known shape; required where there is no default."""

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature of any number of elements of a known shape, filled up with the default to the longest."""

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class Wanted:
    """The features of one call, in the order in which the op names them."""

    def __init__(self) -> None:
        self.sparse: dict[str, DType] = {}
        self.dense: dict[str, tuple[TensorShape, DType]] = {}
        self.defaults: dict[str, Any] = {}

    @staticmethod
    def of(features: Mapping[str, Any] | None, kinds: tuple[Any, ...]) -> Wanted:
        """ValueError for a feature of another kind, or one that lacks or contradicts something."""
        wanted = Wanted()
        for key in sorted(features or {}):
            feature = (features or {})[key]
            if not isinstance(feature, kinds):
                raise ValueError(f"Unsupported {type(feature).__name__} {feature} for key '{key}'")
            wanted._add(key, feature)
        both = set(wanted.sparse) & set(wanted.dense)
        if both:
            raise ValueError(f"Dense and sparse keys must not intersect; both have {sorted(both)}")
        return wanted

    def __len__(self) -> int:
        return len(self.sparse) + len(self.dense)

    def _add(self, key: str, feature: Any) -> None:
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}. Received feature={feature}")
        if isinstance(feature, VarLenFeature):
            self._add_sparse(key, feature.dtype)
        elif isinstance(feature, SparseFeature):
            if not feature.index_key or not feature.value_key:
                missing = "value_key" if feature.index_key else "index_key"
                raise ValueError(f"Missing {missing} for SparseFeature {feature}.")
            names = [feature.index_key] if isinstance(feature.index_key, str) else feature.index_key
            for name in sorted(names):
                self._add_sparse(name, dtypes.int64)
            self._add_sparse(feature.value_key, feature.dtype)
        else:
            self._add_dense(key, feature)

    def _add_sparse(self, key: str, dtype: Any) -> None:
        kind = as_dtype(dtype)
        if self.sparse.setdefault(key, kind) is not kind:
            raise ValueError(f"Conflicting type {self.sparse[key]} vs {kind} for feature {key}.")

    def _add_dense(self, key: str, feature: Any) -> None:
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}. Received feature={feature}.")
        shape = TensorShape(feature.shape)
        if isinstance(feature, FixedLenFeature):
            if shape.sizes and shape.sizes[0] is None:
                raise ValueError(
                    f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature. "
                    f"Received feature={feature}."
                )
            if not shape.known:
                raise ValueError(
                    f"All dimensions of shape for feature {key} need to be known but received {feature.shape!s}."
                )
        elif feature.allow_missing:
            self.defaults[key] = None
        self.dense[key] = shape, as_dtype(feature.dtype)
        if feature.default_value is not None:
            self.defaults[key] = feature.default_value

    def dense_defaults(self) -> list[Tensor]:
        """The default of each dense feature as a tensor: one padding element, the whole value, or nothing."""
        return [self._default(key, shape, dtype) for key, (shape, dtype) in self.dense.items()]

    def _default(self, key: str, shape: TensorShape, dtype: DType) -> Tensor:
        given = self.defaults.get(key)
        b = on(given)
        name = re.sub(r"[^A-Za-z0-9_.\-/]", "_", key)
        out: Tensor
        if shape.sizes and shape.sizes[0] is None:
            if given is None:
                return b.convert("" if dtype is dtypes.string else 0, dtype)
            out = reshape(b.convert(given, dtype, name=f"padding_{name}"), [])
        elif given is None:
            return b.constant(np.zeros(0, dtype.numpy) if dtype is not dtypes.string else [], dtype)
        elif isinstance(given, Tensor):
            return given
        else:
            out = reshape(b.convert(given, dtype, name=f"key_{name}"), shape)
        return out


def batched(features: Mapping[str, Any]) -> dict[str, Any]:
    """The features with an unknown first dimension for sequences. ValueError for those that may not be missing."""
    out = dict(features)
    for key, feature in features.items():
        if isinstance(feature, FixedLenSequenceFeature):
            if not feature.allow_missing:
                raise ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True.")
            out[key] = feature._replace(shape=[None, *feature.shape])
    return out
