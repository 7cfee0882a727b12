"""The error for a name that a module of tf.contrib had, and that Regraft does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from regraft.v1._absent import missing


def missing_from(module: str) -> Callable[[str], NoReturn]:
    """A `__getattr__` for `tf.contrib.{module}`."""

    def get(name: str) -> NoReturn:
        raise missing(f"contrib.{module}.{name}")

    return get
