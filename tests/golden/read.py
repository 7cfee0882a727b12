"""The expectations beside the golden files.

`expected.npz` holds arrays under keys `group:name`. What NumPy's format has no dtype for is stored as plain numbers
with the dtype behind a bar: `value:b|bfloat16` holds its bits, `value:s|string` the bytes of all elements one after
the other and `value:s|lengths` their lengths in the array's shape.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

GOLDEN = Path(__file__).parent
_BITS = {"bfloat16": np.uint16, "float8_e5m2": np.uint8, "float8_e4m3fn": np.uint8, "int4": np.int8, "uint4": np.uint8}


def encode(key: str, value: Any) -> dict[str, np.ndarray]:
    """One array as it stands in the file."""
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        flat = [v if isinstance(v, bytes) else v.encode() for v in np.asarray(value, object).ravel()]
        lengths = np.array([len(v) for v in flat], np.int64).reshape(array.shape)
        return {f"{key}|string": np.frombuffer(b"".join(flat), np.uint8), f"{key}|lengths": lengths}
    bits = _BITS.get(array.dtype.name)
    if bits is None:
        return {key: array}
    plain = array.astype(bits) if "int" in array.dtype.name else array.view(bits)
    return {f"{key}|{array.dtype.name}": plain}


def expected(case: str) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a case by group and name; strings are object arrays of bytes."""
    result: dict[str, dict[str, np.ndarray]] = {}
    with np.load(GOLDEN / case / "expected.npz") as file:
        for key in file.files:
            name, _, dtype = key.partition("|")
            if dtype == "lengths":
                continue
            array = file[key]
            if dtype == "string":
                lengths = file[f"{name}|lengths"]
                ends = np.cumsum(lengths.ravel())
                parts = [array[e - n : e].tobytes() for e, n in zip(ends, lengths.ravel(), strict=True)]
                array = np.empty(lengths.shape, object)
                array[...] = np.array([*parts, None], object)[:-1].reshape(lengths.shape)
            elif dtype:
                kind = np.dtype(getattr(ml_dtypes, dtype))
                array = array.astype(kind) if "int" in dtype else array.view(kind)
            group, _, rest = name.partition(":")
            result.setdefault(group, {})[rest] = array
    return result
