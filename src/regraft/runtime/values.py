"""What flows between ops besides arrays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VariableName:
    """Stands for a variable: what a reference or a resource handle holds. `name` is its key in the store."""

    name: str
