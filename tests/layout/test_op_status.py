"""The status page is what its tool writes today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("op_status", ROOT / "tools" / "op_status.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_op_status_page_is_current() -> None:
    status = tool()
    written = status.TARGET.read_text("utf-8")
    assert written == status.page(), "run `python tools/op_status.py`"


def test_op_status_page_lists_what_runs_and_what_is_missing() -> None:
    lines = tool().page().splitlines()
    assert {"| MatMul | compiled | yes |", "| If | control | no |"} <= set(lines)
    assert any(line.startswith("| DecodeRaw | host | none: ") for line in lines)
    assert any("`Foo1`" in line for line in lines[lines.index("## Missing") :])
