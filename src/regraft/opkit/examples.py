"""The features of some Examples, put together as tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regraft.base.dtypes import DType
from regraft.base.errors import InvalidArgumentError
from regraft.base.shapes import TensorShape
from regraft.serde.example import Features, as_array

Array = np.ndarray[Any, Any]


def type_name(dtype: DType) -> str:
    return "float" if dtype.name == "float32" else dtype.name


class Batch:
    """The features of some Examples. `names` say in errors which one is meant."""

    def __init__(self, rows: list[Features], names: list[bytes], single: bool) -> None:
        self.rows = rows
        self._names = names
        self._single = single

    def _where(self, row: int) -> str:
        if self._single:
            return ""
        return f"Name: {self._names[row].decode(errors='replace') if self._names else '<unknown>'}, "

    def values(self, key: str, dtype: DType) -> list[Array | None]:
        """The feature of each Example, None where it is missing. InvalidArgumentError if it has another dtype."""
        out: list[Array | None] = []
        for i, row in enumerate(self.rows):
            found = row.get(key)
            if found is not None and found[0] is not dtype.base:
                at = "" if self._single else f", Index: {i}"
                raise InvalidArgumentError(
                    f"{self._where(i)}Key: {key}{at}.  Data types don't match. Data type: {type_name(found[0])} but "
                    f"expected type: {type_name(dtype)}"
                )
            out.append(None if found is None else as_array(*found))
        return out

    def _ones(self, key: str, dtype: DType) -> list[Any] | None:
        """The feature of each Example where each has one value of it, of this dtype; else None."""
        out: list[Any] = []
        for row in self.rows:
            found = row.get(key)
            if found is None or found[0] is not dtype.base or len(found[1]) != 1:
                return None
            out.append(found[1][0])
        return out

    def dense(self, key: str, dtype: DType, shape: TensorShape, default: Array) -> Array:
        """[batch, *shape]; an unknown first dimension is as long as the longest feature, padded with the default."""
        sizes = shape.sizes
        if sizes is None or None in sizes[1:]:
            raise InvalidArgumentError(f"dense_shape of {key!r} must be known but for its first dimension, is {shape}")
        if sizes and sizes[0] is None:
            return self._padded(key, dtype, [int(d or 0) for d in sizes[1:]], default, self.values(key, dtype))
        count = math.prod(int(d or 0) for d in sizes)
        ones = self._ones(key, dtype) if count == 1 else None
        if ones is not None:
            single = np.empty(len(ones), dtype.numpy)
            single[:] = ones
            return single.reshape(len(ones), *(int(d or 0) for d in sizes))
        values = self.values(key, dtype)
        out = np.empty((len(values), count), dtype.numpy)
        for i, found in enumerate(values):
            if found is None:
                if not default.size:
                    raise InvalidArgumentError(
                        f"{self._where(i)}Feature: {key} (data type: {type_name(dtype)}) is required but could not be "
                        "found."
                    )
                out[i] = default.reshape(-1)
            elif len(found) != count:
                at = "" if self._single else f", Index: {i}"
                raise InvalidArgumentError(
                    f"{self._where(i)}Key: {key}{at}.  Number of {type_name(dtype)} values != expected.  "
                    f"Values size: {len(found)} but output shape: {list(sizes)}"
                )
            else:
                out[i] = found
        return out.reshape(len(values), *(int(d or 0) for d in sizes))

    def _padded(self, key: str, dtype: DType, rest: list[int], default: Array, values: list[Array | None]) -> Array:
        if default.size != 1:
            raise InvalidArgumentError(
                f"the dense shape of {key!r} has a variable length, therefore its default must contain a single "
                f"element (the padding element). But its shape is: {list(default.shape)}"
            )
        step = math.prod(rest)
        lengths = [0 if v is None else len(v) for v in values]
        for i, length in enumerate(lengths):
            if step == 0 or length % step:
                raise InvalidArgumentError(
                    f"{self._where(i)}Key: {key}, Index: {i}.  Number of {type_name(dtype)} values is not a multiple "
                    f"of stride length. Saw {length} values but output shape is: {[None, *rest]}"
                )
        out = np.full((len(values), max(lengths, default=0)), default.reshape(-1)[0], dtype.numpy)
        for i, found in enumerate(values):
            if found is not None:
                out[i, : len(found)] = found
        return out.reshape(len(values), max(lengths, default=0) // step, *rest)

    def sparse(self, key: str, dtype: DType) -> tuple[Array, Array, Array]:
        """Indices [n, 2], values, and shape [batch, longest]; without the batch dimension for a single Example."""
        values = [np.empty(0, dtype.numpy) if v is None else v for v in self.values(key, dtype)]
        lengths = np.array([len(v) for v in values], np.int64)
        joined = np.concatenate(values) if values else np.empty(0, dtype.numpy)
        columns = [np.arange(n, dtype=np.int64) for n in lengths]
        column = np.concatenate(columns) if columns else np.empty(0, np.int64)
        if self._single:
            return column[:, None], joined, lengths
        indices = np.column_stack([np.repeat(np.arange(len(values), dtype=np.int64), lengths), column])
        return indices, joined, np.array([len(values), lengths.max(initial=0)], np.int64)

    def ragged(self, key: str, dtype: DType, splits: DType) -> tuple[Array, Array]:
        """Values of all Examples, and where each one's end; no splits for a single Example."""
        _, joined, _ = self.sparse(key, dtype)
        if self._single:
            return joined, np.empty(0, splits.numpy)
        lengths = [0 if v is None else len(v) for v in self.values(key, dtype)]
        return joined, np.cumsum([0, *lengths]).astype(splits.numpy)
