"""What rules for several elements at once share; see `OpSpec.rows` and `runtime.rows`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def only_first(rows: Sequence[Any]) -> bool:
    """Whether input 0, and no other, has an axis for the elements."""
    return rows[0] is True and not any(np.any(flag) for flag in rows[1:])


def led_by(first: int, values: Any) -> Any:
    """A list of numbers, one for each axis, with that of the elements' axis in front."""
    return np.concatenate([np.array([first], values.dtype), values])
