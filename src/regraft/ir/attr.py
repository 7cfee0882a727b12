"""Attribute values as Python sees them, without protobuf.

AttrValue field   Python value
i, f, b           int, float, bool
s                 bytes
type              DType
shape             TensorShape
tensor            TensorValue
func              FunctionRef
list              tuple of the above
placeholder       Placeholder
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regraft.base.dtypes import DType


@dataclass(frozen=True, slots=True, eq=False)
class TensorValue:
    """A constant: `array` holds the elements (objects of type bytes for strings), `dtype` tells quint8 from uint8.

    proto  what the elements cannot say (resources, variants): the message as it was read, or None
    """

    dtype: DType
    array: np.ndarray[Any, Any]
    proto: Any = None


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function of the graph's library, by name, with the attributes that instantiate it."""

    name: str
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An attribute inside a function body that takes its value from the function's own attribute of this name."""

    name: str
