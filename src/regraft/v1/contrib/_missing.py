"""The error for a name that a module of tf.contrib had, and that Regraft does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


def missing_from(module: str, reasons: dict[str, Any] | None = None) -> Callable[[str], NoReturn]:
    """A `__getattr__` for the module: AttributeError with the name, and the reason where one is known."""

    def get(name: str) -> NoReturn:
        reason = (reasons or {}).get(name)
        raise AttributeError(f"tf.contrib.{module}.{name} is missing in Regraft{': ' + reason if reason else ''}")

    return get
