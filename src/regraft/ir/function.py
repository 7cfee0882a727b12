"""Functions of a graph's library: a body as a graph of its own, with its arguments and results named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, eq=False)
class FunctionDef:
    """A library function as it stands in the file.

    name      what FunctionRef and function-calling nodes name
    proto     the FunctionDef message, kept as it was read; `serde` builds body graphs from it
    gradient  the name of the function that is its gradient, or ""
    """

    name: str
    proto: Any
    gradient: str = ""
