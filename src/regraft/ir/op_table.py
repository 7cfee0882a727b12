"""The file of built-in op signatures, `op_defs.bin`: which ops it has, and the record of one of them.

The file is zlib-compressed ASCII, a line an op, sorted: the name, a tab, a JSON object. Empty entries are left out.

    i, o  inputs and outputs: [name, type, type_attr, number_attr, type_list_attr, is_ref, full type], cut after the
          last that is set; a full type is [type_id, [args], attr]
    a     attrs: [name, type, {d: default, m: minimum, v: allowed values}]
    k     control outputs
    f     letters: c commutative, a aggregate, s stateful, u allows uninitialized input, d distributed communication
    x     deprecation version

Values: bytes are latin-1 text, a DType is its number, a shape a list with -1 for unknown or null for unknown rank, a
tensor {t: dtype number, s: shape, v: flat values}. `tools/dump_op_defs.py` writes the file.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_left
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from regraft.base.dtypes import as_dtype
from regraft.base.shapes import TensorShape
from regraft.ir.attr import TensorValue


@cache
def _lines() -> list[bytes]:
    return zlib.decompress(Path(__file__).with_name("op_defs.bin").read_bytes()).split(b"\n")


@cache
def names() -> AbstractSet[str]:
    """Return the names of the built-in ops."""
    return {line.partition(b"\t")[0].decode(): None for line in _lines()}.keys()


def record(name: str) -> dict[str, Any] | None:
    """Return the decoded line of an op, or None when no built-in op has that name."""
    lines, start = _lines(), f"{name}\t".encode()
    at = bisect_left(lines, start)
    if at == len(lines) or not lines[at].startswith(start):
        return None
    decoded: dict[str, Any] = json.loads(lines[at][len(start) :].decode("ascii"))
    return decoded


def value(kind: str, data: Any) -> Any:
    """Return an attr value of type `kind` ("int", "list(type)", ...) in the form that `ir.attr` lists."""
    if kind.startswith("list("):
        return tuple(value(kind[len("list(") : -1], item) for item in data)
    match kind:
        case "string":
            return data.encode("latin-1")
        case "type":
            return as_dtype(data)
        case "shape":
            return TensorShape(data)
        case "float":
            return float(data)
        case "tensor":
            dtype = as_dtype(data["t"])
            return TensorValue(dtype, np.array(data["v"], dtype.numpy).reshape(data["s"]))
    return data
