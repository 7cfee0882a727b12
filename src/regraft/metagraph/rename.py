"""Renaming the nodes that a message names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_FOR_CHECKPOINTS = "full_name"
"""The field of SaveSliceInfoDef that names a key in checkpoints, not a node."""


def rename(message: Any, new_name: Callable[[str], str]) -> None:
    """Replace every text in the message, at any depth and in maps too, by its new name; empty ones stay empty."""
    for field, value in message.ListFields():
        if field.name == _FOR_CHECKPOINTS:
            continue
        if field.type == field.TYPE_STRING:
            if isinstance(value, str):
                setattr(message, field.name, new_name(value))
            else:
                value[:] = [new_name(item) if item else item for item in value]
        elif field.type == field.TYPE_MESSAGE:
            if field.message_type.GetOptions().map_entry:
                _rename_map(value, new_name)
            elif hasattr(value, "ListFields"):
                rename(value, new_name)
            else:
                for item in value:
                    rename(item, new_name)


def _rename_map(entries: Any, new_name: Callable[[str], str]) -> None:
    texts = [(key, entries[key]) for key in entries]
    if not all(isinstance(key, str) and isinstance(value, str) for key, value in texts):
        return
    entries.clear()
    for key, value in texts:
        entries[new_name(key)] = new_name(value)
