"""Lists of values made into tensors."""

from __future__ import annotations

from typing import Any

from regraft.v1._graph import convert_to_tensor, convert_to_tensor_or_indexed_slices


def convert_n_to_tensor(values: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None) -> Any:
    """Each value as a tensor, called `name_0`, `name_1`, ..."""
    return [
        convert_to_tensor(value, dtype, None if name is None else f"{name}_{i}", preferred_dtype)
        for i, value in enumerate(values)
    ]


def convert_n_to_tensor_or_indexed_slices(values: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Each value as a tensor, called `name_0`, `name_1`, ...; slices and Nones stay as they are."""
    return [
        None if v is None else convert_to_tensor_or_indexed_slices(v, dtype, None if name is None else f"{name}_{i}")
        for i, v in enumerate(values)
    ]
