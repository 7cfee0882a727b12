"""tf.contrib: what TensorFlow 1 kept beside its core, and 2.x dropped. Each module loads with its first use."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from regraft.v1._absent import missing

_ELSEWHERE = {"util": "regraft.v1._tensor_values"}
"""Modules that live outside this package."""


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        return importlib.import_module(_ELSEWHERE[name])
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return importlib.import_module(f"{__name__}.{name}")
    raise missing(f"contrib.{name}")
