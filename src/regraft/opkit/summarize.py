"""Tensors as TensorFlow's Assert and Print write them: `[[0 1 2...]...]`."""

from __future__ import annotations

from typing import Any

import numpy as np


def summarize(array: np.ndarray[Any, Any], limit: int) -> str:
    """The first `limit` elements (all if negative), a bracket for each inner dimension, `...` where it was cut."""
    array = np.asarray(array)
    if array.size == 0:
        return ""
    limit = array.size if limit < 0 else limit
    out: list[str] = []
    if array.ndim == 0:
        if limit:
            out.append(_element(array[()]))
    else:
        _rows(array, 0, limit, 0, out)
    return "".join(out) + ("..." if array.size > limit else "")


def _rows(array: np.ndarray[Any, Any], seen: int, limit: int, depth: int, out: list[str]) -> int:
    """Write one dimension; returns how many elements have been written."""
    if array.ndim == 1:
        for i, item in enumerate(array):
            if seen >= limit:
                if depth:
                    out.append("...")
                break
            out.append(f"{' ' if i else ''}{_element(item)}")
            seen += 1
        return seen
    for row in array:
        if seen >= limit:
            break
        out.append("[")
        seen = _rows(row, seen, limit, depth + 1, out)
        out.append("]")
    return seen


def _element(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    kind = np.asarray(value).dtype
    if kind.kind == "c" or kind.kind == "O":
        return "?"
    if kind.kind in "iu":
        return str(int(value))
    return _real(float(value), double=kind == np.float64)


def _real(value: float, double: bool) -> str:
    """The shorter of two precisions that reads back as the same number."""
    short, full = (15, 17) if double else (6, 9)
    text = f"{value:.{short}g}"
    same = float(text) == value if double else np.float32(text) == np.float32(value)
    return text if same or value != value else f"{value:.{full}g}"
