"""Nodes as lines of text: the form in which graphs of tf.contrib are kept under tests/golden/contrib."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent / "golden" / "contrib"


def line(name: str, node: tuple[str, list[str], list[str], dict[str, Any]]) -> str:
    """A node as `tests.ops.both` describes it, in one line."""
    op_type, inputs, controls, attrs = node
    return f"{name} {op_type}({', '.join([*inputs, *controls])}) {sorted(attrs.items())}"


def golden(table: str) -> dict[str, list[str]]:
    """The lines of each row of a table."""
    found: dict[str, list[str]] = {}
    for text in lzma.decompress((_FOLDER / f"{table}.txt.xz").read_bytes()).decode().splitlines():
        if text.startswith("== "):
            found[text[3:]] = []
        else:
            found[next(reversed(found))].append(text)
    return found
