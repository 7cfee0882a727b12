"""All rows of all tables: a file `tests/ops/<family>_cases.py` is a table, and needs no other mention."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.ops.case import Case

FAMILIES = sorted(path.stem.removesuffix("_cases") for path in Path(__file__).parent.glob("*_cases.py"))


def rows() -> list[tuple[str, Case]]:
    """(family, row) for every row."""
    found = []
    for family in FAMILIES:
        module = importlib.import_module(f"tests.ops.{family}_cases")
        found.extend((family, case) for case in module.CASES)
    return found
