"""Values that a kernel needs while it is traced, and asks for only when it meets them traced."""

from __future__ import annotations

from typing import Any

import numpy as np

from regraft.base.errors import UnimplementedError
from regraft.opkit.arrays import on_host


class ValueNeeded(UnimplementedError):
    """A kernel can't be traced without the value of an input that its decorator does not list as `static`.

    input_name  the OpDef's name of the input: trace again with its value, or run the op on the host
    """

    def __init__(self, input_name: str, reason: str) -> None:
        self.input_name = input_name
        super().__init__(
            f"the value of input {input_name!r} must be known when the op is compiled: {reason}",
            hint=f"make {input_name!r} a constant, or something that follows from shapes",
        )


def known(value: Any, input_name: str, reason: str) -> np.ndarray[Any, Any]:
    """`value` as a NumPy array; ValueNeeded when it is traced."""
    if not on_host(value):
        raise ValueNeeded(input_name, reason)
    return np.asarray(value)


def known_ints(value: Any, input_name: str, reason: str = "it decides the shape of the result") -> list[int]:
    """A 0-D or 1-D integer input as a list of Python ints; ValueNeeded when it is traced."""
    return [int(v) for v in known(value, input_name, reason).reshape(-1)]
