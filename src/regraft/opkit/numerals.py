"""Numbers as text, read as C's strtod and TensorFlow's integer parser do: blanks around them, no underscores."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from regraft.base.dtypes import DType

_REAL = re.compile(rb"[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|infinity|nan)", re.I)
_HEX = re.compile(rb"[+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?\d+)?", re.I)
_WHOLE = re.compile(rb"[+-]?\d+")
_BLANK = b" \t\n\x0b\x0c\r"


def number(value: bytes, dtype: DType) -> Any:
    """A string as a number of the dtype; None if it is none."""
    stripped = value.strip(_BLANK)
    if dtype.numpy.kind in "iu":
        if not _WHOLE.fullmatch(stripped):
            return None
        found = int(stripped)
        limits = np.iinfo(dtype.numpy)
        return found if limits.min <= found <= limits.max else None
    if _REAL.fullmatch(stripped):
        return float(stripped)
    return float.fromhex(stripped.decode()) if _HEX.fullmatch(stripped) else None
