"""Hashes of whole rows, and the time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from regraft.base.errors import InvalidArgumentError
from regraft.opkit.fingerprint import fingerprint64
from regraft.opkit.registry import Runs, op
from regraft.opkit.shapes import ShapeContext, Sizes, at_least_rank, scalar
from regraft.opkit.texts import text


def _hash_shape(c: ShapeContext) -> list[Sizes]:
    sizes = at_least_rank(c, c.input(0), 1)
    method = c.value(1)
    return [(None if sizes is None else sizes[0], None if method is None else 8)]


@op("Fingerprint", shape=_hash_shape, runs=Runs.HOST, no_gradient="a hash")
def fingerprint(data: Any, method: Any) -> Any:
    """[rows, 8] bytes: the FarmHash of the bytes of each row; of strings, that of the hashes of several."""
    name = text(method)
    if name != b"farmhash64":
        raise InvalidArgumentError(f"Unsupported fingerprint method: {name.decode()}")
    values = np.asarray(data)
    rows = [_bytes_of(row) for row in values]
    out = np.array([fingerprint64(row) for row in rows], "<u8")
    return out.view(np.uint8).reshape(len(rows), 8)


def _bytes_of(row: Any) -> bytes:
    if isinstance(row, bytes):
        return row
    if row.dtype.kind != "O":
        return bytes(np.ascontiguousarray(row).tobytes())
    return b"".join(fingerprint64(item).to_bytes(8, "little") for item in row.reshape(-1).tolist())


@op("Timestamp", shape=scalar, runs=Runs.HOST, pure=False, no_gradient="the time")
def timestamp() -> Any:
    """Seconds since 1970, float64."""
    return np.float64(time.time())
