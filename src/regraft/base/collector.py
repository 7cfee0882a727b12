"""Keeping Python's cycle collector from walking, again and again, what is there to stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def settle() -> None:
    """Let all objects count as old: the next collections of the young pass them over. They stay collectable.

    A program that keeps objects frozen itself is left alone.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold the collector back while many objects are made that stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            settle()
            gc.enable()


__all__ = ["no_collection", "settle"]
